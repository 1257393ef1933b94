//! The same by the admin API.

use http::Method;
use pointsman_payments::U256;
use serde_json::{Value, json};

use super::wei;
use crate::harness::till::{ETH, Setup};
use crate::harness::{Gateway, eventually};

async fn ask(gateway: &Gateway, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("{}/api/v1/wallet{path}", gateway.admin);
    let mut request = gateway.client.request(method.clone(), url);
    if method == Method::POST {
        request = request.bearer_auth(gateway.token());
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    (status, response.json().await.expect("JSON"))
}

#[tokio::test]
async fn money_is_moved_with_the_token() {
    let till = Setup::certain(1).start(1, &[]).await;
    let gateway = &till.stage.gateway;
    let (status, before) = ask(gateway, Method::GET, "", None).await;
    assert_eq!((status, &before["state"]), (200, &json!("locked")));

    let funds = json!({ "deposit": "0.25eth", "reserve": "7" });
    let (status, answer) = ask(gateway, Method::POST, "/fund", Some(funds.clone())).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["done"]["replaced"], 0);
    let sender = till.sender().await;
    assert_eq!(sender.deposit, U256::from(ETH + ETH / 4));
    assert_eq!(sender.reserve, U256::from(ETH + 7));
    let (_, after) = ask(gateway, Method::GET, "", None).await;
    let left = wei(&before["balance"]) - wei(&after["balance"]);
    assert_eq!(left, U256::from(ETH / 4 + 7) + wei(&answer["done"]["fee"]));

    for (path, state) in [("/unlock", "unlocking"), ("/cancel-unlock", "locked")] {
        let (status, answer) = ask(gateway, Method::POST, path, None).await;
        assert_eq!(status, 200, "{path}: {answer}");
        assert_eq!(ask(gateway, Method::GET, "", None).await.1["state"], state);
    }
    eventually("the gateway has seen the deposit", async || {
        gateway.payments().await.deposit == Some(sender.deposit)
    })
    .await;
    let (_, metrics) = gateway.admin("/metrics").await;
    let count = "pointsman_wallet_transactions_total{deed=\"fund\",result=\"ok\"} 1";
    assert!(metrics.contains(count), "{metrics}");

    let bare = gateway
        .client
        .post(format!("{}/api/v1/wallet/withdraw", gateway.admin));
    assert_eq!(bare.send().await.expect("an answer").status(), 401);
    assert_eq!(till.sender().await.deposit, sender.deposit);
}

#[tokio::test]
async fn what_cannot_be_done_has_a_code_and_the_numbers() {
    let till = Setup::certain(1).start(1, &[]).await;
    let gateway = &till.stage.gateway;
    for (path, body, status, code, said) in [
        ("/withdraw", None, 422, "not-unlocked", "unlock them first"),
        (
            "/cancel-unlock",
            None,
            422,
            "locked",
            "deposit 1 ETH and reserve 1 ETH",
        ),
        ("/fund", Some(json!({})), 422, "amount", "nothing to fund"),
        (
            "/fund",
            Some(json!({ "deposit": "1000000eth" })),
            422,
            "not-enough",
            "needed are 1000000 ETH",
        ),
        (
            "/fund",
            Some(json!({ "deposit": 5 })),
            400,
            "bad-request",
            "string",
        ),
        (
            "/fund",
            Some(json!({ "deposits": "5" })),
            400,
            "bad-request",
            "deposits",
        ),
        (
            "/fund",
            Some(json!({ "deposit": "-5" })),
            400,
            "bad-request",
            "deposit: ",
        ),
        ("/fund", None, 400, "bad-request", "application/json"),
    ] {
        let (got, answer) = ask(gateway, Method::POST, path, body.clone()).await;
        assert_eq!(
            (got, &answer["error"]["code"]),
            (status, &json!(code)),
            "{path} {body:?}: {answer}"
        );
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(said), "{path} {body:?}: {message}");
    }
    let offchain = Gateway::start(&["--orch-addr", "127.0.0.1:1"]).await;
    let (status, answer) = ask(&offchain, Method::GET, "", None).await;
    assert_eq!((status, answer), (200, json!({ "network": "offchain" })));
    let (status, answer) = ask(&offchain, Method::POST, "/unlock", None).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (422, &json!("offchain"))
    );
}
