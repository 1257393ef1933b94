//! The control route, by plain HTTP.

use pointsman_devnet::{Devnet, Profile};
use serde_json::{Value, json};

use crate::support::{Client, error, start};

async fn devnet() -> Devnet {
    let text = r#"
[[orchestrator]]
name = "near"
mode = "passthrough"
price = 5
region = "fra"
labels = { tier = "gold" }

[[orchestrator]]
name = "far"
mode = "passthrough"
score = 0
"#;
    start(Profile::from_toml(text).expect("a profile")).await
}

async fn call(devnet: &Devnet, method: &str, path: &str, body: &str) -> (u16, Value) {
    call_with(devnet, method, path, body, &[]).await
}

async fn call_with(
    devnet: &Devnet,
    method: &str,
    path: &str,
    body: &str,
    headers: &[(&str, &str)],
) -> (u16, Value) {
    let uri = format!("http://{}", devnet.control());
    let client = Client::h1(&uri).await.expect("connects");
    let mut request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = http_body_util::Full::new(bytes::Bytes::from(body.to_owned()));
    let request = request
        .body(tonic::body::Body::new(body))
        .expect("a request");
    let reply = client.send(request).await.expect("an answer");
    let body = serde_json::from_slice(&reply.body).expect("JSON");
    (reply.status, body)
}

#[tokio::test]
async fn settings_and_counters_are_shown() {
    let devnet = devnet().await;
    let client = Client::h2(devnet.orchestrators()[0].uri())
        .await
        .expect("connects");
    let token = client.token().await;
    client.push(&token, 0).await.expect("a result");
    let (status, all) = call(&devnet, "GET", "/orchestrators", "").await;
    assert_eq!((status, all.as_array().map(Vec::len)), (200, Some(2)));
    let near = &all[0];
    let (_, one) = call(&devnet, "GET", "/orchestrators/near", "").await;
    assert_eq!(*near, one);
    assert_eq!(near["name"], "near");
    assert_eq!(near["uri"], devnet.orchestrators()[0].uri());
    assert_eq!(
        (&near["running"], &near["price"]),
        (&json!(true), &json!("5"))
    );
    assert_eq!(
        (&near["mode"], &near["capacity"]),
        (&json!("passthrough"), &json!(10))
    );
    assert_eq!(near.get("payments"), None, "it is off-chain");
    let (status, same) = call(&devnet, "POST", "/orchestrators/near/redeem", "").await;
    assert_eq!((status, &same), (200, near), "there is nothing to redeem");
    let counters = &near["counters"];
    for (name, count) in [
        ("connections", 1),
        ("get_orchestrator", 1),
        ("segments", 1),
        ("results_ok", 1),
        ("open_sessions", 1),
        ("downloads", 0),
    ] {
        assert_eq!(counters[name], count, "{name}");
    }
}

#[tokio::test]
async fn a_patch_acts_from_the_next_request_on() {
    let devnet = devnet().await;
    let client = Client::h2(devnet.orchestrators()[0].uri())
        .await
        .expect("connects");
    let token = client.token().await;
    let patch = r#"{"failure": {"kind": "busy", "next": 1}, "latency_ms": 1, "price": "7/3", "capacity": 2}"#;
    let (status, set) = call(&devnet, "POST", "/orchestrators/near", patch).await;
    assert_eq!(status, 200);
    assert_eq!(
        set["failure"],
        json!([{"kind": "busy", "on": ["segment"], "next": 1}])
    );
    assert_eq!(
        (&set["latency_ms"], &set["price"]),
        (&json!(1), &json!("7/3"))
    );
    assert_eq!(set["capacity"], 2);
    let result = client.push(&token, 0).await.expect("a result");
    assert_eq!(error(result), "OrchestratorBusy");
    let offer = client.get_orchestrator().await.expect("an offer");
    assert_eq!(offer.price_info.expect("a price").pixels_per_unit, 3);

    let heal = r#"{"failure": null, "price": null}"#;
    let (_, set) = call(&devnet, "POST", "/orchestrators/near", heal).await;
    assert_eq!((&set["failure"], &set["price"]), (&json!([]), &Value::Null));
    assert_eq!(set["latency_ms"], 1, "what is not named stays");
}

#[tokio::test]
async fn orchestrators_are_killed_and_started() {
    let devnet = devnet().await;
    let far = &devnet.orchestrators()[1];
    let (status, killed) = call(&devnet, "POST", "/orchestrators/far/kill", "").await;
    assert_eq!((status, &killed["running"]), (200, &json!(false)));
    assert!(Client::h2(far.uri()).await.is_err());
    let (status, started) = call(&devnet, "POST", "/orchestrators/far/start", "").await;
    assert_eq!((status, &started["running"]), (200, &json!(true)));
    let client = Client::h2(far.uri()).await.expect("connects");
    client.get_orchestrator().await.expect("an offer");
}

#[tokio::test]
async fn the_webhook_lists_all_with_their_labels() {
    let devnet = devnet().await;
    let url = devnet.webhook();
    let path = url.strip_prefix(&format!("http://{}", devnet.control()));
    let (status, list) = call(&devnet, "GET", path.expect("there"), "").await;
    assert_eq!(status, 200);
    let uris = devnet.uris();
    let expected = json!([
        {"address": uris[0], "score": 1.0, "region": "fra", "labels": {"tier": "gold"}},
        {"address": uris[1], "score": 0.0},
    ]);
    assert_eq!(list, expected);
}

#[tokio::test]
async fn mistakes_and_strangers_get_an_error() {
    let devnet = devnet().await;
    for (method, path, body, status, names) in [
        ("GET", "/orchestrators/none", "", 404, "near, far"),
        ("POST", "/orchestrators/none/kill", "", 404, "none"),
        ("GET", "/nowhere", "", 404, "route"),
        (
            "POST",
            "/orchestrators/near",
            "{\"failure\":\"boom\"}",
            400,
            "boom",
        ),
        (
            "POST",
            "/orchestrators/near",
            "{\"latency\":1}",
            400,
            "latency_ms",
        ),
        ("POST", "/orchestrators/near", "{", 400, "EOF"),
    ] {
        let (found, body) = call(&devnet, method, path, body).await;
        assert_eq!(found, status, "{path}");
        let message = body["error"]["message"].as_str().expect("a message");
        assert!(message.contains(names), "{path}: {message}");
        assert!(body["error"]["code"].is_string());
    }
    let page = [("origin", "http://evil.example")];
    let (status, body) = call_with(&devnet, "POST", "/orchestrators/near/kill", "", &page).await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("foreign")));
    assert!(devnet.orchestrators()[0].running());
}
