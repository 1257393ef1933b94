//! Nobody can help: the answer says why, and comes in bounded time.

use std::time::Duration;

use pointsman_devnet::Change;
use pointsman_devnet::failure::{Kind, Method, Rule};

use crate::harness::{NO_HEDGES, SHORT, Stage};

#[tokio::test]
async fn when_every_orchestrator_fails_the_last_reason_is_told_and_the_next_segment_is_tried_again()
{
    let stage = Stage::passthrough(3, &NO_HEDGES).await;
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change::rule(
            Rule::always(Kind::GarbageResult).on(Method::Segment),
        ));
    }
    let pushed = stage.gateway.push("movie", 0).await;
    assert_eq!(pushed.status, 422, "{}", pushed.text());
    assert!(
        pushed.text().contains("3 attempts failed"),
        "{}",
        pushed.text()
    );
    assert!(pushed.text().contains("garbage"), "{}", pushed.text());
    let tried = stage.gateway.tried("movie/0").await;
    assert!(
        tried
            .iter()
            .all(|tried| tried.outcome == "orchestrator/garbage"),
        "{tried:?}"
    );
    let mut asked: Vec<_> = tried.iter().map(|tried| &tried.uri).collect();
    asked.sort();
    asked.dedup();
    assert_eq!((tried.len(), asked.len()), (3, 3), "each once");
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change::heal());
    }
    stage.gateway.push("movie", 1).await.assert_in_time();
    let stream = stage.gateway.stream().await;
    assert_eq!(
        (stream.transcoded, stream.failed, stream.gaps),
        (1, 1, 1),
        "a gap, not a stall"
    );
}

#[tokio::test]
async fn when_all_hang_the_job_ends_at_its_deadline() {
    let stage = Stage::passthrough(2, &[]).await;
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change::rule(
            Rule::always(Kind::HangAfterHeaders).on(Method::Segment),
        ));
    }
    let push = stage.gateway.pushing("/live/movie/0.ts").lasting(SHORT);
    let pushed = push.send().await;
    assert_eq!(pushed.status, 422, "{}", pushed.text());
    // Eight seconds are what an application that pushes short segments is told to wait; nothing else would end it for a minute.
    let (least, most) = (Duration::from_secs(8), Duration::from_secs(50));
    assert!(
        (least..most).contains(&pushed.elapsed),
        "{:?}",
        pushed.elapsed
    );
    let tried = stage.gateway.tried("movie/0").await;
    assert!(
        tried.len() >= 2
            && tried
                .iter()
                .all(|tried| tried.outcome.starts_with("orchestrator/")),
        "{tried:?}"
    );
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change::heal());
    }
    stage.gateway.push("movie", 1).await.assert_in_time();
}

#[tokio::test]
async fn what_nobody_can_transcode_burns_one_orchestrator_and_no_more() {
    let stage = Stage::passthrough(3, &NO_HEDGES).await;
    let text = "TranscoderInvalidVideo".to_owned();
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change::fail(Kind::Error { text: text.clone() }));
    }
    let pushed = stage.gateway.push("movie", 0).await;
    assert_eq!(pushed.status, 422);
    assert!(
        pushed.text().contains("TranscoderInvalidVideo"),
        "{}",
        pushed.text()
    );
    let tried = stage.gateway.tried("movie/0").await;
    assert_eq!(
        (tried.len(), tried[0].outcome.as_str()),
        (1, "input/bad-input")
    );
    let known = stage.gateway.orchestrators().await;
    assert!(
        known.iter().all(|one| one.rest_ms == 0),
        "it is not their fault: {known:?}"
    );
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change::heal());
    }
    stage.gateway.push("movie", 1).await.assert_in_time();
    assert_eq!(stage.gateway.tried("movie/1").await.len(), 1);
}

#[tokio::test]
async fn when_all_are_full_the_segment_may_be_sent_again() {
    let stage = Stage::passthrough(2, &[]).await;
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change::fail(Kind::Capped));
    }
    let pushed = stage.gateway.push("movie", 0).await;
    assert_eq!(pushed.status, 503, "{}", pushed.text());
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change::heal());
    }
    stage.gateway.push("movie", 0).await.assert_in_time();
    assert_eq!(stage.gateway.stream().await.gaps, 0);
}

#[tokio::test]
async fn with_one_orchestrator_a_passing_fault_is_tried_again() {
    let stage = Stage::passthrough(1, &[]).await;
    stage.gateway.push("movie", 0).await.assert_in_time();
    let only = &stage.devnet.orchestrators()[0];
    only.set(Change::rule(
        Rule::next(Kind::GarbageResult, 1).on(Method::Segment),
    ));
    stage.gateway.push("movie", 1).await.assert_in_time();
    let tried = stage.gateway.tried("movie/1").await;
    let outcomes: Vec<_> = tried.iter().map(|tried| tried.outcome.as_str()).collect();
    assert_eq!(outcomes, ["orchestrator/garbage", "ok"]);
}
