//! go-livepeer's CLI API: what operators' scripts and `livepeer_cli` ask, and who may change what.

use http::{Method, StatusCode};
use pointsman_payments::U256;
use serde_json::{Value, json};

use crate::harness::till::{ETH, Setup};
use crate::harness::{Gateway, NO_HEDGES, Stage, eventually};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum As {
    /// Somebody with the token.
    Operator,
    /// `livepeer_cli`, which has none.
    Tool,
    /// A web page on another site.
    Page,
    /// A web page whose name leads here.
    Rebound,
}

/// Posts a form; answers the status and the text.
async fn post(gateway: &Gateway, path: &str, form: &[(&str, &str)], who: As) -> (u16, String) {
    let url = format!("{}{path}", gateway.admin);
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let kind = "application/x-www-form-urlencoded";
    let mut request = gateway
        .client
        .post(url)
        .header("Content-Type", kind)
        .body(form);
    request = match who {
        As::Operator => request.bearer_auth(gateway.token()),
        As::Tool => request,
        As::Page => request.header("Origin", "http://evil.example"),
        As::Rebound => request.header("Host", "evil.example"),
    };
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    (status, response.text().await.expect("text"))
}

async fn read(gateway: &Gateway, path: &str) -> (u16, String) {
    gateway.admin(path).await
}

async fn json(gateway: &Gateway, path: &str) -> Value {
    let (status, text) = read(gateway, path).await;
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
}

#[tokio::test]
async fn off_chain_it_answers_what_a_gateway_without_a_chain_does() {
    let stage = Stage::passthrough(1, &[]).await;
    let gateway = &stage.gateway;
    for (path, text) in [
        ("/EthChainID", "0"),
        ("/IsOrchestrator", "false"),
        ("/IsRedeemer", "false"),
        ("/manifestID", ""),
        ("/localStreams", "[]"),
        ("/getLogLevel", "3"),
        ("/getAISessionPoolsInfo", "{}"),
    ] {
        let answer = (200, text.to_owned());
        assert_eq!(read(gateway, path).await, answer, "{path}");
        assert_eq!(post(gateway, path, &[], As::Tool).await, answer, "{path}");
    }
    for path in [
        "/ethAddr",
        "/ethBalance",
        "/tokenBalance",
        "/senderInfo",
        "/ticketBrokerParams",
        "/currentRound",
        "/roundInitialized",
        "/registeredOrchestrators",
        "/contractAddresses",
        "/protocolParameters",
        "/maxGasPrice",
    ] {
        let missing = (500, "missing ETH client\n".to_owned());
        assert_eq!(read(gateway, path).await, missing, "{path}");
    }
    gateway.push("cam", 0).await.assert_whole();
    assert_eq!(read(gateway, "/manifestID").await.1, "cam");
    let status = json(gateway, "/status").await;
    let uri = stage.devnet.uris()[0].clone();
    assert_eq!(status["OrchestratorPool"], json!([uri]));
    assert_eq!(status["OrchestratorPoolInfos"][0]["Url"], uri.as_str());
    let latency = &status["OrchestratorPoolInfos"][0]["Latency"];
    assert!(latency.is_u64(), "{status}");
    assert!(
        status["StreamInfo"]["cam"]["SourceBytes"].as_u64() > Some(0),
        "{status}"
    );
    assert!(
        status["Manifests"]["cam"]["Variants"].is_array(),
        "{status}"
    );
    let network = json(gateway, "/getNetworkCapabilities").await;
    assert_eq!(network["capabilities_names"]["0"], "H.264");
    let one = &network["orchestrators"][0];
    assert_eq!(one["orch_uri"], uri.as_str());
    assert!(
        one["capabilities"]["bitstring"][0].as_u64() > Some(0),
        "{one}"
    );
}

#[tokio::test]
async fn prices_and_renditions_can_be_set_while_it_runs() {
    let stage = Stage::passthrough(1, &[]).await;
    let gateway = &stage.gateway;
    let options = json(gateway, "/getAvailableTranscodingOptions").await;
    let options = options.as_array().expect("a list");
    assert!(options.contains(&json!("P720p30fps16x9")), "{options:?}");
    let set = |form: &'static [(&'static str, &'static str)]| {
        post(gateway, "/setBroadcastConfig", form, As::Operator)
    };
    assert_eq!(
        json(gateway, "/getBroadcastConfig").await["MaxPrice"],
        Value::Null
    );
    let all = &[
        ("maxPricePerUnit", "3"),
        ("pixelsPerUnit", "2"),
        ("currency", "Wei"),
        ("transcodingOptions", "P144p30fps16x9"),
    ];
    assert_eq!(set(all).await, (200, String::new()));
    let config = json(gateway, "/getBroadcastConfig").await;
    let wanted = json!({ "MaxPrice": "3/2", "TranscodingOptions": "P144p30fps16x9" });
    assert_eq!(config, wanted);
    assert_eq!(gateway.push("cam", 0).await.status, 200);
    let streams = gateway.streams().await;
    assert_eq!(streams[0].renditions, ["P144p30fps16x9"]);

    for (form, why) in [
        (
            &[][..],
            "missing form params (maxPricePerUnit AND pixelsPerUnit) or transcodingOptions\n",
        ),
        (
            &[("transcodingOptions", "P9")],
            "invalid transcoding options: P9",
        ),
        (
            &[("maxPricePerUnit", "x"), ("pixelsPerUnit", "1")],
            "Error parsing pricePerUnit value: x\n",
        ),
        (
            &[("maxPricePerUnit", "1"), ("pixelsPerUnit", "0")],
            "pixels per unit must be greater than 0, provided 0\n",
        ),
        (
            &[
                ("maxPricePerUnit", "1"),
                ("pixelsPerUnit", "1"),
                ("currency", "USD"),
            ],
            "error converting price: the maximum price is in USD, and there is no price feed for it",
        ),
    ] {
        let (status, text) = post(gateway, "/setBroadcastConfig", form, As::Operator).await;
        assert_eq!(status, 400, "{text}");
        assert!(text.starts_with(why), "{text}");
        assert_eq!(
            json(gateway, "/getBroadcastConfig").await,
            wanted,
            "nothing is set"
        );
    }
    let (status, _) = post(gateway, "/setLogLevel", &[("loglevel", "6")], As::Operator).await;
    assert_eq!(status, 200);
    assert_eq!(read(gateway, "/getLogLevel").await.1, "6");
    gateway.push("loud", 0).await;
    assert!(gateway.log().contains("DEBUG"), "it says more now");

    let cleared = &[("maxPricePerUnit", "0"), ("pixelsPerUnit", "1")];
    assert_eq!(set(cleared).await.0, 200);
    assert_eq!(
        json(gateway, "/getBroadcastConfig").await["MaxPrice"],
        Value::Null
    );

    let capability = |pipeline: &'static str| {
        let form = [
            ("maxPricePerUnit", "7"),
            ("pixelsPerUnit", "1"),
            ("currency", "Wei"),
            ("pipeline", pipeline),
            ("modelID", "default"),
        ];
        async move { post(gateway, "/setMaxPriceForCapability", &form, As::Operator).await }
    };
    assert_eq!(capability("text-to-image").await, (200, String::new()));
    assert_eq!(
        capability("byoc").await,
        (400, "pipeline not supported\n".to_owned())
    );
    let (status, text) = post(gateway, "/setMaxPriceForCapability", &[], As::Operator).await;
    assert_eq!(
        (status, text.as_str()),
        (400, "missing form param: maxPricePerUnit\n")
    );
}

#[tokio::test]
async fn a_ceiling_set_while_it_runs_binds_the_next_segment() {
    let till = Setup::certain(1).start(1, &NO_HEDGES).await;
    let gateway = &till.stage.gateway;
    gateway.push("bound", 0).await.assert_whole();
    let set = |price: &'static str| async move {
        let form = [("maxPricePerUnit", price), ("pixelsPerUnit", "1")];
        let (status, text) = post(gateway, "/setBroadcastConfig", &form, As::Operator).await;
        assert_eq!(status, 200, "{text}");
    };
    set("10").await;
    let (_, metrics) = gateway.admin("/metrics").await;
    assert!(metrics.contains("pointsman_max_price_wei 10"), "{metrics}");
    assert_eq!(gateway.push("bound", 1).await.status, 503);
    set("5000").await;
    gateway.push("bound", 2).await.assert_whole();
}

#[tokio::test]
async fn what_changes_something_needs_the_token_or_the_operators_word_for_loopback() {
    let stage = Stage::passthrough(1, &[]).await;
    let form = [("transcodingOptions", "P144p30fps16x9")];
    let path = "/setBroadcastConfig";
    let strict = &stage.gateway;
    for (who, status) in [
        (As::Operator, 200),
        (As::Tool, 401),
        (As::Page, 403),
        (As::Rebound, 403),
    ] {
        assert_eq!(post(strict, path, &form, who).await.0, status, "{who:?}");
    }
    let (status, _) = read(
        strict,
        "/setBroadcastConfig?transcodingOptions=P144p30fps16x9",
    )
    .await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED.as_u16());

    let list = stage.devnet.uris().join(",");
    let open = Gateway::start(&["--orch-addr", &list, "--livepeer-cli-writes"]).await;
    for (who, status) in [
        (As::Operator, 200),
        (As::Tool, 200),
        (As::Page, 403),
        (As::Rebound, 403),
    ] {
        assert_eq!(post(&open, path, &form, who).await.0, status, "{who:?}");
    }
    let url = format!("{}/api/v1/policy/rollback", open.admin);
    let ours = open
        .client
        .request(Method::POST, url)
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        ours.status(),
        StatusCode::UNAUTHORIZED,
        "nothing else is open"
    );
}

#[tokio::test]
async fn on_a_chain_it_tells_where_the_money_is_and_moves_it() {
    let till = Setup::certain(2).start(2, &["--livepeer-cli-writes"]).await;
    let gateway = &till.stage.gateway;
    assert_eq!(read(gateway, "/EthChainID").await.1, "31337");
    let address = read(gateway, "/ethAddr").await.1;
    assert_eq!(address, "0x90F79bf6EB2c4f870365E785982E1f101E93b906");
    let balance: U256 = read(gateway, "/ethBalance").await.1.parse().expect("wei");
    assert!(balance > U256::from(ETH));
    let (_, info) = read(gateway, "/senderInfo").await;
    assert_eq!(
        info,
        r#"{"Deposit":1000000000000000000,"WithdrawRound":0,"Reserve":{"FundsRemaining":1000000000000000000,"ClaimedInCurrentRound":0}}"#
    );
    let period = json(gateway, "/ticketBrokerParams").await["UnlockPeriod"].as_u64();
    let round: u64 = read(gateway, "/currentRound")
        .await
        .1
        .parse()
        .expect("a round");
    assert_eq!(read(gateway, "/roundInitialized").await.1, "true");
    let pool = json(gateway, "/registeredOrchestrators").await;
    assert_eq!(pool.as_array().map(Vec::len), Some(2), "{pool}");
    let one = &pool[0];
    assert_eq!(
        (&one["Active"], &one["Status"]),
        (&json!(true), &json!("Registered"))
    );
    assert_eq!(one["PricePerPixel"], "125006/125", "{one}");
    let contracts = json(gateway, "/contractAddresses").await;
    let broker = till
        .chain
        .contracts()
        .ticket_broker
        .to_string()
        .to_lowercase();
    assert_eq!(contracts["TicketBroker"], broker);
    assert_eq!(contracts["LivepeerToken"], format!("0x{}", "0".repeat(40)));
    let parameters = json(gateway, "/protocolParameters").await;
    assert_eq!(parameters["Paused"], false, "{parameters}");
    assert!(parameters["RoundLength"].is_u64());
    assert_eq!(json(gateway, "/delegatorInfo").await["Status"], "Unbonded");
    assert_eq!(read(gateway, "/tokenBalance").await.1, "0");

    let done = |path: &'static str, form: &'static [(&'static str, &'static str)]| {
        post(gateway, path, form, As::Tool)
    };
    let deposit = &[("amount", "500")];
    assert_eq!(
        done("/fundDeposit", deposit).await,
        (200, "fundDeposit success".to_owned())
    );
    let both = &[("depositAmount", "1"), ("reserveAmount", "2")];
    let (status, text) = done("/fundDepositAndReserve", both).await;
    assert_eq!(
        (status, text.as_str()),
        (200, "fundDepositAndReserve success")
    );
    let sender = till.sender().await;
    assert_eq!(sender.deposit, U256::from(ETH + 501));
    assert_eq!(sender.reserve, U256::from(ETH + 2));
    assert_eq!(
        done("/unlock", &[]).await,
        (200, "unlock success".to_owned())
    );
    let info = json(gateway, "/senderInfo").await;
    assert_eq!(
        info["WithdrawRound"].as_u64(),
        period.map(|period| round + period)
    );
    let (status, text) = done("/withdraw", &[]).await;
    assert_eq!(status, 500, "{text}");
    assert!(
        text.starts_with("could not execute withdraw: too early"),
        "{text}"
    );
    assert_eq!(
        done("/cancelUnlock", &[]).await,
        (200, "cancelUnlock success".to_owned())
    );
    let (status, text) = done("/fundDeposit", &[("amount", "1.5")]).await;
    assert_eq!(status, 400, "{text}");

    assert_eq!(read(gateway, "/maxGasPrice").await.1, "");
    let gas = &[("amount", "20000000000")];
    assert_eq!(done("/setMaxGasPrice", gas).await.0, 200);
    assert_eq!(read(gateway, "/maxGasPrice").await.1, "20000000000");
    eventually("the gateway knows of the deposit", async || {
        gateway.payments().await.deposit == Some(sender.deposit)
    })
    .await;
}

#[tokio::test]
async fn what_is_not_a_gateways_business_is_refused_in_words() {
    let stage = Stage::passthrough(1, &[]).await;
    for (path, words) in [
        ("/activateOrchestrator", "this is for orchestrators"),
        ("/reward", "this is for orchestrators"),
        ("/bond", "LPT or stake"),
        ("/signMessage", "signs tickets and nothing else"),
        ("/setMaxSessions", "--max-sessions"),
        ("/initializeRound", "initialises no rounds"),
    ] {
        let (status, text) = post(&stage.gateway, path, &[], As::Operator).await;
        assert_eq!(status, 400, "{path}: {text}");
        assert!(text.contains(words), "{path}: {text}");
    }
    let (status, text) = post(&stage.gateway, "/registerLiveRunners", &[], As::Operator).await;
    assert_eq!(
        (status, text.as_str()),
        (404, "live runners are not supported\n")
    );
}
