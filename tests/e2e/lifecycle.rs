//! Start and stop.

use pointsman_devnet::Profile;

use crate::harness::{Stage, eventually, some};

#[tokio::test]
async fn the_first_interrupt_drains_and_the_second_stops() {
    let mut stage = Stage::passthrough(1, &[]).await;
    assert_eq!(stage.gateway.admin("/readyz").await.0, 200);
    stage.gateway.push("live", 0).await.assert_whole();
    stage.gateway.interrupt().await;
    let gateway = &stage.gateway;
    eventually("it says that it drains", async || {
        gateway.admin("/readyz").await.0 == 503
    })
    .await;
    let refused = gateway.push("late", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    gateway.push("live", 1).await.assert_whole();
    assert!(!stage.gateway.ended(), "a stream is live");
    stage.gateway.interrupt().await;
    assert!(stage.gateway.end().await.success());
    assert_eq!(
        stage.devnet.orchestrators()[0].counters().end_session,
        1,
        "the orchestrator was told"
    );
}

#[tokio::test]
async fn without_streams_one_interrupt_ends_it() {
    let mut stage = Stage::passthrough(1, &[]).await;
    stage.gateway.interrupt().await;
    assert!(stage.gateway.end().await.success());
}

#[tokio::test]
async fn it_starts_without_orchestrators_and_finds_them_when_they_come() {
    let stage = Stage::unready(Profile::passthrough(some(1)), &[]).await;
    let only = &stage.devnet.orchestrators()[0];
    stage.gateway.usable(1).await;
    only.kill().await;
    let failed = stage.gateway.push("movie", 0).await;
    assert!(
        matches!(failed.status, 422 | 503),
        "{}: {}",
        failed.status,
        failed.text()
    );
    only.start().await.expect("its port is kept");
    stage.gateway.push("movie", 1).await.assert_whole();
}
