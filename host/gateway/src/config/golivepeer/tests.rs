use std::collections::BTreeSet;

use super::{Effect, Fate, NAMES, find, find_variable};
use crate::config::setting;

/// The flags of a gateway's start script as go-livepeer 0.9.1 documents them, by subject.
const FLAGS: &str = "
gateway broadcaster network dataDir datadir config v version j maxSessions gatewayHost
httpAddr rtmpAddr cliAddr
httpIngest transcodingOptions maxAttempts currentManifest authWebhookUrl localVerify verifierUrl verifierPath
orchAddr orchWebhookUrl extraNodes orchBlocklist orchMinLivepeerVersion discoveryTimeout aiServiceRegistry
liveAICapReportInterval
selectRandFreq selectStakeWeight selectPriceWeight selectPriceExpFactor orchPerfStatsUrl region minPerfScore
ignoreMaxPriceIfNeeded
maxPricePerUnit pixelsPerUnit maxPricePerCapability priceFeedAddr
ethUrl ethAcctAddr ethPassword ethKeystorePath ethController maxTicketEV maxTotalEV depositMultiplier
transactionTimeout maxTransactionReplacements gasLimit minGasPrice maxGasPrice blockPollingInterval reward
initializeRound
aiProcessingRetryTimeout aiMinRunnerVersion
liveAIAuthWebhookUrl liveAIAuthApiKey mediaMTXApiPassword livePaymentInterval liveOutSegmentTimeout
liveAISaveNSegments liveAIHeartbeatURL liveAIHeartbeatHeaders liveAIHeartbeatInterval liveAICapRefreshModels
remoteSignerUrl remoteSignerHeaders remoteSigner remoteDiscovery remoteSignerAllowNoAuth remoteSignerWebhookUrl
remoteSignerWebhookHeaders
objectStore recordStore FVfailGsbucket FVfailGskey
monitor metricsPerStream metricsClientIP
kafkaBootstrapServers kafkaUser kafkaPassword kafkaGatewayTopic
metadataQueueUri metadataAmqpExchange metadataPublishTimeout
orchestrator transcoder aiWorker aiServerless orchSecret serviceAddr nodes nvidia netint hevcDecoding testTranscoder
pricePerUnit pricePerGateway pricePerBroadcaster autoAdjustPrice ticketEV maxFaceValue ethOrchAddr redeemer
redeemerAddr initializeRoundMaxDelay startupAvailabilityCheck aiModels aiModelsDir aiVerboseLogs aiRunnerImage
aiRunnerImageOverrides aiRunnerContainersPerGPU useLiveRunners liveRunnerConfig liveRunnerAddr liveRunnerProxyUrl
liveAITrickleHostForRunner
";

/// Flags that move money, or limit how much of it moves.
const MONEY: &str = "
minGasPrice reward initializeRound remoteSigner remoteSignerAllowNoAuth remoteSignerWebhookUrl
remoteSignerWebhookHeaders
";

#[test]
fn every_documented_flag_has_one_row_and_no_other_has() {
    let documented: BTreeSet<&str> = FLAGS.split_whitespace().collect();
    let rows: BTreeSet<&str> = NAMES.iter().map(|row| row.name).collect();
    assert_eq!(rows, documented);
    assert_eq!(rows.len(), NAMES.len(), "no row twice");
}

#[test]
fn supported_names_stand_for_settings_of_the_table() {
    for row in NAMES {
        if let Some(key) = row.key() {
            assert!(setting::find(key).is_some(), "{}: {key}", row.name);
        }
    }
}

#[test]
fn money_stops_the_start_and_nothing_else_does() {
    let money: BTreeSet<&str> = MONEY.split_whitespace().collect();
    for row in NAMES {
        let stops = matches!(row.fate, Fate::Money(_));
        assert_eq!(stops, money.contains(row.name), "{}", row.name);
    }
    let effect = |name: &str, value: &str| find(name).expect("a row").effect(value);
    assert!(matches!(effect("minGasPrice", "1"), Effect::Stop(_)));
    assert!(matches!(effect("gateway", "false"), Effect::Stop(_)));
    for (name, value) in [
        ("minGasPrice", ""),
        ("reward", "false"),
        ("reward", "F"),
        ("gateway", "1"),
    ] {
        assert_eq!(
            effect(name, value),
            Effect::Nothing,
            "{name} {value:?} asks for nothing"
        );
    }
}

#[test]
fn variables_have_no_case_and_no_separators() {
    for row in NAMES {
        let variable = format!("LP_{}", row.name.to_uppercase());
        let found = find_variable(&variable).expect("a row");
        assert!(found.name.eq_ignore_ascii_case(row.name));
    }
    assert!(find_variable("LP_ORCH_ADDR").is_none());
    assert!(find_variable("ORCHADDR").is_none());
}

#[test]
fn verbosity_becomes_a_level() {
    let set = |value: &str| find("v").expect("a row").effect(value);
    for (verbosity, level) in [
        ("0", "info"),
        ("3", "info"),
        ("5", "debug"),
        ("6", "trace"),
        ("10", "trace"),
    ] {
        assert_eq!(set(verbosity), Effect::Set("log", level.to_owned()));
    }
}

#[test]
fn polling_is_in_seconds() {
    let set = |value: &str| find("blockPollingInterval").expect("a row").effect(value);
    let key = "block-polling-interval";
    assert_eq!(set("5"), Effect::Set(key, "5s".to_owned()));
    assert_eq!(set("soon"), Effect::Set(key, "soon".to_owned()));
}

#[test]
fn fewer_than_no_attempts_are_none() {
    let set = |value: &str| find("maxAttempts").expect("a row").effect(value);
    assert_eq!(set("-1"), Effect::Set("max-attempts", "0".to_owned()));
    assert_eq!(set("5"), Effect::Set("max-attempts", "5".to_owned()));
}
