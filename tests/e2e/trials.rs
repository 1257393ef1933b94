//! Bundles are tried before they decide, and what happened to them can be read.

use serde_json::Value;

use crate::harness::bundle::{self, Bundle};
use crate::harness::{Gateway, Stage, eventually};

/// Pushes a segment; answers its decision.
async fn push(stage: &Stage, sequence: u64) -> Value {
    stage.gateway.push("cam", sequence).await.assert_whole();
    stage.gateway.decision(&format!("cam/{sequence}")).await
}

async fn trials(gateway: &Gateway) -> Value {
    let (_, text) = gateway.admin("/api/v1/policy").await;
    let mut whole: Value = serde_json::from_str(&text).expect("JSON");
    whole["trials"].take()
}

fn cheapest() -> String {
    bundle::cheapest().to_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_shadow_is_compared_and_not_heard() {
    let stage = Stage::dear_and_cheap(&[]).await;
    let gateway = &stage.gateway;
    let (well, said) = gateway
        .policy(&["shadow", &cheapest(), "--share", "100%"])
        .await;
    assert!(well && said.contains("prefer-cheapest"), "{said}");
    for sequence in 0..3 {
        assert_eq!(push(&stage, sequence).await["generation"], 1);
    }
    eventually("three were compared", async || {
        trials(gateway).await["shadow"]["compared"] == 3
    })
    .await;
    let (well, list) = gateway.policy(&["list"]).await;
    assert!(well && list.contains("3 compared"), "{list}");
    let (well, said) = gateway.policy(&["stop"]).await;
    assert!(well && said.contains("ended: 1"), "{said}");
    let after = trials(gateway).await;
    assert!(after["shadow"].is_null(), "{after}");
    assert_eq!(after["ended"][0]["reason"], "stopped");
    assert_eq!(gateway.active().await, ("default".to_owned(), 1));
}

#[tokio::test]
async fn a_canary_decides_for_its_share_and_is_promoted_for_good() {
    let stage = Stage::dear_and_cheap(&[]).await;
    let gateway = &stage.gateway;
    let (well, said) = gateway.policy(&["promote"]).await;
    assert!(!well && said.contains("no canary"), "{said}");
    let (well, said) = gateway
        .policy(&["canary", &cheapest(), "--share", "100%"])
        .await;
    assert!(well, "{said}");
    assert_eq!(push(&stage, 0).await["generation"], 2);
    assert_eq!(stage.winner("cam/0").await.name(), "cheap");
    assert_eq!(gateway.active().await.0, "default", "still");
    let (well, said) = gateway.policy(&["promote"]).await;
    assert!(well && said.contains("prefer-cheapest"), "{said}");
    assert_eq!(gateway.active().await, ("prefer-cheapest".to_owned(), 2));
    let (well, log) = gateway.policy(&["log"]).await;
    assert!(
        well && log.contains("a trial began") && log.contains("the canary is active"),
        "{log}"
    );
    let Stage {
        gateway,
        devnet: _devnet,
    } = stage;
    let gateway = gateway.restart().await;
    assert_eq!(gateway.active().await.0, "prefer-cheapest");
}

#[tokio::test]
async fn a_faulty_canary_is_rolled_back_by_itself_and_loses_no_job() {
    let stage = Stage::dear_and_cheap(&[]).await;
    let gateway = &stage.gateway;
    let folder = tempfile::tempdir().expect("a folder");
    Bundle::of("trap").write(folder.path());
    let path = folder.path().to_str().expect("text");
    let (well, said) = gateway.policy(&["canary", path, "--share", "100%"]).await;
    assert!(well, "{said}");
    for sequence in 0..3 {
        push(&stage, sequence).await;
    }
    let after = trials(gateway).await;
    assert!(after["canary"].is_null(), "{after}");
    assert_eq!(after["ended"][0]["reason"], "faulty", "{after}");
    let decision = push(&stage, 3).await;
    assert_eq!(
        (&decision["generation"], &decision["fault"]),
        (&1.into(), &Value::Null)
    );
    assert_eq!(gateway.active().await, ("default".to_owned(), 1));
}

#[tokio::test]
async fn a_share_must_be_one() {
    let stage = Stage::dear_and_cheap(&[]).await;
    for share in ["0%", "101%", "5", "nan%"] {
        let (well, said) = stage
            .gateway
            .policy(&["shadow", &cheapest(), "--share", share])
            .await;
        assert!(!well && said.contains("percentage"), "{share}: {said}");
    }
    let (status, _) = stage.gateway.admin("/api/v1/policy/log?limit=x").await;
    assert_eq!(status, 400);
}
