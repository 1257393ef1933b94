//! What an application may ask of routing.

use serde_json::{Value, json};

use crate::harness::publisher::Clip;
use crate::harness::webhook::{Answer, Webhook};
use crate::harness::{Gateway, Stage, eventually};

/// Pushes a segment with `hints`: who did it, and its decision.
async fn hinted(stage: &Stage, sequence: u64, hints: Value) -> (String, Value) {
    let push = stage.gateway.pushing(&format!("/live/cam/{sequence}.ts"));
    let pushed = push
        .header("Pointsman-Hints", &hints.to_string())
        .send()
        .await;
    pushed.assert_whole();
    let job = format!("cam/{sequence}");
    let winner = stage.winner(&job).await.name().to_owned();
    (winner, stage.gateway.decision(&job).await)
}

/// Whether a decision left somebody out because of `cause`, by a stage or by the host.
fn says(decision: &Value, cause: &str) -> bool {
    let any = |list: &Value, field: &str| {
        let mut entries = list.as_array().expect("a list").iter();
        entries.any(|entry| {
            entry[field]
                .as_str()
                .is_some_and(|text| text.contains(cause))
        })
    };
    any(&decision["dropped"], "reason") || any(&decision["excluded"], "cause")
}

#[tokio::test]
async fn only_and_ignore_bind_and_the_decision_says_so() {
    let stage = Stage::dear_and_cheap(&[]).await;
    let (cheap, dear) = (stage.uri("cheap"), stage.uri("dear"));
    for (sequence, hints, winner) in [
        (0, json!({ "only": [cheap] }), "cheap"),
        (1, json!({ "only": [dear] }), "dear"),
        (2, json!({ "ignore": [dear] }), "cheap"),
        (3, json!({ "ignore": [cheap] }), "dear"),
    ] {
        let (who, decision) = hinted(&stage, sequence, hints).await;
        assert_eq!(who, winner, "{decision}");
        assert_eq!(decision["order"].as_array().map(Vec::len), Some(1));
        let cause = if sequence < 2 { "only" } else { "ignore" };
        assert!(says(&decision, cause), "{decision}");
    }
    let nobody = json!({ "only": [cheap], "ignore": [cheap] }).to_string();
    let push = stage.gateway.pushing("/live/cam/4.ts");
    let refused = push.header("Pointsman-Hints", &nobody).send().await;
    assert_eq!(refused.status, 503, "{}", refused.text());
}

#[tokio::test]
async fn order_and_sort_are_followed_by_the_default_bundle() {
    let stage = Stage::dear_and_cheap(&[]).await;
    let (cheap, dear) = (stage.uri("cheap"), stage.uri("dear"));
    for (sequence, hints, winner) in [
        (0, json!({ "order": [dear, cheap] }), "dear"),
        (1, json!({ "order": [cheap] }), "cheap"),
        (2, json!({ "order": [dear] }), "dear"),
        (3, json!({ "sort": "price" }), "cheap"),
        (4, json!({ "sort": "price", "order": [dear] }), "dear"),
    ] {
        let (who, decision) = hinted(&stage, sequence, hints).await;
        assert_eq!(who, winner, "{decision}");
        assert_eq!(decision["order"].as_array().map(Vec::len), Some(2));
    }
}

#[tokio::test]
async fn a_price_tightens_the_operators_and_does_not_widen_it() {
    let stage = Stage::dear_and_cheap(&["--max-price-per-unit", "400"]).await;
    let (dear, cheap) = (stage.uri("dear"), stage.uri("cheap"));
    let hints = json!({ "maxPrice": "1000", "order": [dear] });
    let (who, decision) = hinted(&stage, 0, hints).await;
    assert_eq!(who, "cheap", "{decision}");
    let push = stage.gateway.pushing("/live/cam/1.ts");
    let hints = json!({ "maxPrice": { "num": 1, "den": 2 }, "only": [cheap] }).to_string();
    let refused = push.header("Pointsman-Hints", &hints).send().await;
    assert_eq!(refused.status, 503, "{}", refused.text());
}

#[tokio::test]
async fn what_cannot_be_meant_is_answered_with_400_and_its_field() {
    let stage = Stage::dear_and_cheap(&[]).await;
    for (hints, field) in [
        ("nonsense", "not JSON"),
        (r#"{"olny":["https://a"]}"#, "olny"),
        (r#"{"only":[]}"#, "only"),
        (r#"{"ignore":["ftp://a"]}"#, "ignore"),
        (r#"{"maxPrice":5}"#, "maxPrice"),
        (r#"{"sort":"cheapest"}"#, "sort"),
        (r#"{"labels":["a"]}"#, "labels"),
        (r#"{"affinity":1}"#, "affinity"),
    ] {
        let push = stage.gateway.pushing("/live/cam/0.ts");
        let refused = push.header("Pointsman-Hints", hints).send().await;
        let text = refused.text();
        assert_eq!(refused.status, 400, "{hints}: {text}");
        assert!(
            text.contains("Pointsman-Hints") && text.contains(field),
            "{hints}: {text}"
        );
    }
    assert_eq!(stage.segments(), 0);
}

#[tokio::test]
async fn the_webhook_says_it_for_the_stream_and_the_header_for_a_segment() {
    let webhook = Webhook::start(|question| {
        let name = if question.contains("bad") {
            "bad"
        } else {
            "cam"
        };
        let hints = match name {
            "bad" => r#"{"sort":"best"}"#.to_owned(),
            _ => r#"{"affinity":"viewer-1","sort":"price"}"#.to_owned(),
        };
        let answer = format!(r#"{{"manifestID":"{name}","hints":{hints}}}"#);
        Answer::Say(200, answer)
    })
    .await;
    let stage = Stage::dear_and_cheap(&["--auth-webhook-url", &webhook.url]).await;
    let dear = stage.uri("dear");
    let (who, first) = hinted(&stage, 0, json!({ "only": [dear] })).await;
    assert_eq!(who, "dear", "{first}");
    let (_, second) = hinted(&stage, 1, json!({ "affinity": "viewer-2" })).await;
    assert_ne!(first["affinity"], second["affinity"], "the header wins");
    let (_, third) = hinted(&stage, 2, json!({})).await;
    assert_eq!(first["affinity"], third["affinity"]);
    let refused = stage.gateway.push("bad", 0).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("hints: sort"), "{}", refused.text());
}

#[tokio::test]
async fn the_webhooks_hints_bind_over_rtmp_too() {
    let stage = Stage::dear_and_cheap(&[]).await;
    for (name, winner) in [("one", "dear"), ("two", "cheap")] {
        let hints = json!({ "manifestID": name, "hints": { "only": [stage.uri(winner)] } });
        let webhook = Webhook::start(move |_| Answer::Say(200, hints.to_string())).await;
        let list = stage.devnet.uris().join(",");
        let flags = ["--orch-addr", &list, "--auth-webhook-url", &webhook.url];
        let gateway = Gateway::start(&flags).await;
        gateway.usable(2).await;
        let clip = Clip::short();
        gateway
            .publish(&format!("live/{name}"), &clip)
            .finish()
            .await;
        let job = format!("{name}/0");
        eventually("a segment was decided", async || {
            !gateway.decision(&job).await.is_null()
        })
        .await;
        let (decision, uri) = (gateway.decision(&job).await, stage.uri(winner));
        let known = gateway.orchestrators().await;
        let wanted = known.iter().find(|one| one.uri == uri).expect("known");
        let order = decision["order"].as_array().expect("a list");
        assert!(
            order.len() == 1 && order[0]["id"] == wanted.id.as_str(),
            "{decision}"
        );
    }
}
