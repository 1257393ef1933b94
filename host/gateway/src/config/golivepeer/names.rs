//! The table of go-livepeer's names, in the order of its own help.

use super::Fate::{Ignored, Money, Only, Supported, Translated};
use super::Kind::{Bool, Value};
use super::{Fate, Kind, Name};

const GATEWAY: &str = "pointsman is a gateway and nothing else";
const SELECTION: &str = "the policy chooses orchestrators: set weights in its bundle.toml";
const PROTOCOL: &str = "a gateway neither calls reward nor begins rounds: leave it out";
const SIGNER: &str = "pointsman is a gateway and no signer: start the signer beside it, and name it with remote-signer-url";
const AI: &str = "AI jobs are not routed yet";
const METRICS: &str = "metrics have no label for streams or clients";
const SUPPLY: &str = "it is for orchestrators and transcoders";

/// What becomes of every flag of go-livepeer 0.9.1 that a gateway's script may hold.
#[rustfmt::skip]
pub const NAMES: &[Name] = &[
    // General.
    name("gateway", Bool, Only("true", GATEWAY)),
    name("broadcaster", Bool, Only("true", GATEWAY)),
    name("network", Value, Supported("network")),
    name("dataDir", Value, Supported("data-dir")),
    name("datadir", Value, Supported("data-dir")),
    name("config", Value, Supported("config")),
    name("v", Value, Translated("log", level)),
    name("version", Bool, Ignored("`pointsman --version` prints it")),
    name("j", Bool, Ignored("`pointsman --version` tells the version; there is no JSON form")),
    name("maxSessions", Value, Supported("max-sessions")),
    name("gatewayHost", Value, Ignored("no URL of this gateway is made for others yet")),
    // Network and ports.
    name("httpAddr", Value, Supported("http-addr")),
    name("rtmpAddr", Value, Supported("rtmp-addr")),
    name("cliAddr", Value, Supported("cli-addr")),
    // Ingest.
    name("httpIngest", Bool, Supported("http-ingest")),
    name("transcodingOptions", Value, Supported("transcoding-options")),
    name("maxAttempts", Value, Translated("max-attempts", attempts)),
    name("currentManifest", Bool, Supported("current-manifest")),
    name("authWebhookUrl", Value, Supported("auth-webhook-url")),
    name("localVerify", Bool, Ignored("results are not verified yet")),
    name("verifierUrl", Value, Ignored("results are not verified yet")),
    name("verifierPath", Value, Ignored("results are not verified yet")),
    // Discovery.
    name("orchAddr", Value, Supported("orch-addr")),
    name("orchWebhookUrl", Value, Supported("orch-webhook-url")),
    name("extraNodes", Value, Ignored("nodes that an orchestrator advertises are not followed: list them in orch-addr")),
    name("orchBlocklist", Value, Supported("orch-blocklist")),
    name("orchMinLivepeerVersion", Value, Ignored("a policy can exclude by the column `version`")),
    name("discoveryTimeout", Value, Ignored("orchestrators are asked in the background: see probe-interval")),
    name("aiServiceRegistry", Bool, Ignored("both service registries are read")),
    name("liveAICapReportInterval", Value, Ignored("see probe-interval")),
    // Selection: all of it is the policy's.
    name("selectRandFreq", Value, Ignored(SELECTION)),
    name("selectStakeWeight", Value, Ignored(SELECTION)),
    name("selectPriceWeight", Value, Ignored(SELECTION)),
    name("selectPriceExpFactor", Value, Ignored(SELECTION)),
    name("orchPerfStatsUrl", Value, Supported("orch-perf-stats-url")),
    name("region", Value, Supported("region")),
    name("minPerfScore", Value, Supported("min-perf-score")),
    name("ignoreMaxPriceIfNeeded", Bool, Supported("ignore-max-price-if-needed")),
    // Pricing.
    name("maxPricePerUnit", Value, Supported("max-price-per-unit")),
    name("pixelsPerUnit", Value, Supported("pixels-per-unit")),
    name("maxPricePerCapability", Value, Supported("max-price-per-capability")),
    name("priceFeedAddr", Value, Supported("price-feed-addr")),
    // Payments and chain.
    name("ethUrl", Value, Supported("eth-url")),
    name("ethAcctAddr", Value, Supported("eth-acct-addr")),
    name("ethPassword", Value, Supported("eth-password")),
    name("ethKeystorePath", Value, Supported("eth-keystore-path")),
    name("ethController", Value, Supported("eth-controller")),
    name("maxTicketEV", Value, Supported("max-ticket-ev")),
    name("maxTotalEV", Value, Supported("max-total-ev")),
    name("depositMultiplier", Value, Supported("deposit-multiplier")),
    name("transactionTimeout", Value, Supported("transaction-timeout")),
    name("maxTransactionReplacements", Value, Supported("max-transaction-replacements")),
    name("gasLimit", Value, Supported("gas-limit")),
    name("minGasPrice", Value, Money("gas has no least price here: leave it out")),
    name("maxGasPrice", Value, Supported("max-gas-price")),
    name("blockPollingInterval", Value, Translated("block-polling-interval", seconds)),
    name("reward", Bool, Money(PROTOCOL)),
    name("initializeRound", Bool, Money(PROTOCOL)),
    // AI and live AI.
    name("aiProcessingRetryTimeout", Value, Ignored(AI)),
    name("aiMinRunnerVersion", Value, Ignored(AI)),
    name("liveAIAuthWebhookUrl", Value, Ignored(AI)),
    name("liveAIAuthApiKey", Value, Ignored(AI)),
    name("mediaMTXApiPassword", Value, Ignored(AI)),
    name("livePaymentInterval", Value, Ignored(AI)),
    name("liveOutSegmentTimeout", Value, Ignored(AI)),
    name("liveAISaveNSegments", Value, Ignored(AI)),
    name("liveAIHeartbeatURL", Value, Ignored(AI)),
    name("liveAIHeartbeatHeaders", Value, Ignored(AI)),
    name("liveAIHeartbeatInterval", Value, Ignored(AI)),
    name("liveAICapRefreshModels", Value, Ignored(AI)),
    // Remote signer.
    name("remoteSignerUrl", Value, Supported("remote-signer-url")),
    name("remoteSignerHeaders", Value, Supported("remote-signer-headers")),
    name("remoteSigner", Bool, Money(SIGNER)),
    name("remoteDiscovery", Bool, Supported("remote-discovery")),
    name("remoteSignerAllowNoAuth", Bool, Money(SIGNER)),
    name("remoteSignerWebhookUrl", Value, Money(SIGNER)),
    name("remoteSignerWebhookHeaders", Value, Money(SIGNER)),
    // Storage.
    name("objectStore", Value, Ignored("segments are kept in memory and nothing is recorded yet")),
    name("recordStore", Value, Ignored("segments are kept in memory and nothing is recorded yet")),
    name("FVfailGsbucket", Value, Ignored("results are not verified yet")),
    name("FVfailGskey", Value, Ignored("results are not verified yet")),
    // Metrics, Kafka, metadata queue.
    name("monitor", Bool, Ignored("metrics are always served, at /metrics on cli-addr")),
    name("metricsPerStream", Bool, Ignored(METRICS)),
    name("metricsClientIP", Bool, Ignored(METRICS)),
    name("kafkaBootstrapServers", Value, Ignored("events are not sent to Kafka yet")),
    name("kafkaUser", Value, Ignored("events are not sent to Kafka yet")),
    name("kafkaPassword", Value, Ignored("events are not sent to Kafka yet")),
    name("kafkaGatewayTopic", Value, Ignored("events are not sent to Kafka yet")),
    name("metadataQueueUri", Value, Ignored("events are not sent to a message queue yet")),
    name("metadataAmqpExchange", Value, Ignored("events are not sent to a message queue yet")),
    name("metadataPublishTimeout", Value, Ignored("events are not sent to a message queue yet")),
    // Orchestrators' and transcoders' flags that stand in gateways' scripts.
    name("orchestrator", Bool, Ignored(GATEWAY)),
    name("transcoder", Bool, Ignored(GATEWAY)),
    name("aiWorker", Bool, Ignored(GATEWAY)),
    name("aiServerless", Bool, Ignored(GATEWAY)),
    name("orchSecret", Value, Ignored(SUPPLY)),
    name("serviceAddr", Value, Ignored(SUPPLY)),
    name("nodes", Value, Ignored(SUPPLY)),
    name("nvidia", Value, Ignored(SUPPLY)),
    name("netint", Value, Ignored(SUPPLY)),
    name("hevcDecoding", Bool, Ignored(SUPPLY)),
    name("testTranscoder", Bool, Ignored(SUPPLY)),
    name("pricePerUnit", Value, Ignored(SUPPLY)),
    name("pricePerGateway", Value, Ignored(SUPPLY)),
    name("pricePerBroadcaster", Value, Ignored(SUPPLY)),
    name("autoAdjustPrice", Bool, Ignored(SUPPLY)),
    name("ticketEV", Value, Ignored(SUPPLY)),
    name("maxFaceValue", Value, Ignored(SUPPLY)),
    name("ethOrchAddr", Value, Ignored(SUPPLY)),
    name("redeemer", Bool, Ignored(SUPPLY)),
    name("redeemerAddr", Value, Ignored(SUPPLY)),
    name("initializeRoundMaxDelay", Value, Ignored(SUPPLY)),
    name("startupAvailabilityCheck", Bool, Ignored(SUPPLY)),
    name("aiModels", Value, Ignored(SUPPLY)),
    name("aiModelsDir", Value, Ignored(SUPPLY)),
    name("aiVerboseLogs", Bool, Ignored(SUPPLY)),
    name("aiRunnerImage", Value, Ignored(SUPPLY)),
    name("aiRunnerImageOverrides", Value, Ignored(SUPPLY)),
    name("aiRunnerContainersPerGPU", Value, Ignored(SUPPLY)),
    name("useLiveRunners", Bool, Ignored(SUPPLY)),
    name("liveRunnerConfig", Value, Ignored(SUPPLY)),
    name("liveRunnerAddr", Value, Ignored(SUPPLY)),
    name("liveRunnerProxyUrl", Value, Ignored(SUPPLY)),
    name("liveAITrickleHostForRunner", Value, Ignored(SUPPLY)),
];

const fn name(name: &'static str, kind: Kind, fate: Fate) -> Name {
    Name { name, kind, fate }
}

/// glog's verbosity as a level: 3 is its default, above 5 it turns on debug logs of its own.
fn level(verbosity: &str) -> String {
    let level = match verbosity.parse::<i64>() {
        Ok(i64::MIN..=3) => "info",
        Ok(4..=5) => "debug",
        Ok(6..) => "trace",
        Err(_) => verbosity,
    };
    level.to_owned()
}

/// Polling is in whole seconds there.
fn seconds(number: &str) -> String {
    match number.parse::<u64>() {
        Ok(number) => format!("{number}s"),
        Err(_) => number.to_owned(),
    }
}

/// A negative number of attempts means none, as 0 does.
fn attempts(number: &str) -> String {
    let negative = number.parse::<i64>().is_ok_and(|number| number < 0);
    if negative { "0" } else { number }.to_owned()
}
