//! What a gateway knows of orchestrators outlives it.

use std::time::Duration;

use pointsman_devnet::{Change, Profile};
use serde_json::Value;

use crate::harness::{NO_HEDGES, Stage, some};

/// The order that was decided for `job`.
fn order(decision: &Value) -> Vec<String> {
    let order = decision["order"].as_array().expect("an order");
    let id = |place: &Value| place["id"].as_str().expect("an id").to_owned();
    order.iter().map(id).collect()
}

#[tokio::test]
async fn the_ranking_is_the_same_after_a_restart() {
    let stage = Stage::start(Profile::passthrough(some(3)), &NO_HEDGES).await;
    // Each serves one stream while the others are out of the way, and takes its own time for it.
    for (place, ms) in [(0, 1600), (1, 0), (2, 800)] {
        let slow = Change {
            latency: Some(Duration::from_millis(ms)),
            ..Change::default()
        };
        stage.devnet.orchestrators()[place].set(slow);
    }
    for (place, _) in stage.devnet.orchestrators().iter().enumerate() {
        for (other, orchestrator) in stage.devnet.orchestrators().iter().enumerate() {
            let capacity = Some(if other == place { 10 } else { 0 });
            orchestrator.set(Change {
                capacity,
                ..Change::default()
            });
        }
        for sequence in 0..4 {
            let name = format!("warm{place}");
            stage.gateway.push(&name, sequence).await.assert_whole();
        }
    }
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change {
            capacity: Some(10),
            ..Change::default()
        });
    }
    stage.gateway.push("before", 0).await.assert_whole();
    let before = order(&stage.gateway.decision("before/0").await);
    assert_eq!(before.len(), 3);
    let fastest = stage.devnet.orchestrators()[1].uri().to_owned();
    let known = stage.gateway.orchestrators().await;
    let first = known.iter().find(|it| it.id == before[0]);
    assert_eq!(first.expect("known").uri, fastest);

    let gateway = stage.gateway.restart().await;
    gateway.usable(3).await;
    gateway.push("after", 0).await.assert_whole();
    assert_eq!(order(&gateway.decision("after/0").await), before);
}
