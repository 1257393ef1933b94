//! What an application asked for stands in the record of what was decided.

use serde_json::json;

use crate::harness::{NO_HEDGES, Stage};

#[tokio::test]
async fn a_decision_and_its_explanation_show_the_hints_and_names_are_one() {
    let stage = Stage::passthrough(2, &NO_HEDGES).await;
    let gateway = &stage.gateway;
    let known = gateway.orchestrators().await;
    let [first, second] = &known[..] else {
        panic!("two orchestrators");
    };
    let hints = json!({
        "only": [first.uri, second.id.to_uppercase()],
        "ignore": [format!("{}/", second.uri), "0x1111111111111111111111111111111111111111"],
        "maxPrice": "1.5",
        "sort": "latency",
        "labels": { "Tier": "gold" },
    });
    let push = gateway.pushing("/live/cam/0.ts");
    let push = push.header("Pointsman-Hints", &hints.to_string());
    push.send().await.assert_whole();
    let decision = gateway.decision("cam/0").await;
    assert_eq!(decision["order"][0]["id"], *first.id, "{decision}");
    assert_eq!(decision["order"].as_array().map(Vec::len), Some(1));
    let shown = &decision["hints"];
    assert_eq!(shown["only"], json!([first.id, second.id]), "{shown}");
    assert_eq!(shown["ignore"][0], *second.id, "{shown}");
    assert_eq!(shown["max_price"], json!({ "num": 3, "den": 2 }), "{shown}");
    assert_eq!(shown["sort"], "latency", "{shown}");
    assert_eq!(shown["labels"], json!({ "tier": "gold" }), "{shown}");
    assert_eq!(
        shown["order"],
        json!(null),
        "what was not asked for is not there"
    );

    let (_, told) = gateway.admin("/api/v1/decisions/cam/0").await;
    assert!(told.contains("\"sort\":\"latency\""), "{told}");
    gateway.push("cam", 1).await.assert_whole();
    let decision = gateway.decision("cam/1").await;
    assert!(decision["hints"].is_null(), "{decision}");
}
