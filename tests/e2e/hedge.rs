//! A second copy of a segment that is late.

use std::time::{Duration, Instant};

use futures::future::join_all;
use pointsman_devnet::Change;
use pointsman_devnet::failure::{Kind, Method, Rule};

use crate::harness::{NO_HEDGES, Stage, Tried};

/// Later than every hedge delay.
const SLOW: Duration = Duration::from_secs(8);

fn slow() -> Change {
    Change {
        latency: Some(SLOW),
        ..Change::default()
    }
}

#[tokio::test]
async fn a_slow_segment_is_doubled_and_the_loser_is_called_off() {
    let stage = Stage::passthrough(2, &[]).await;
    stage.gateway.push("movie", 0).await.assert_whole();
    let incumbent = stage.winner("movie/0").await;
    incumbent.set(slow());
    let fetched = incumbent.counters().downloads;
    stage.gateway.push("movie", 1).await.assert_in_time();
    let other = stage.winner("movie/1").await;
    let hedge = Tried {
        hedge: true,
        ..Tried::new(other.uri(), "ok")
    };
    assert_eq!(
        stage.gateway.tried("movie/1").await,
        [Tried::new(incumbent.uri(), "gateway/cancelled"), hedge]
    );
    // The next one goes to the winner at once, and by then the loser would have answered.
    stage.gateway.push("movie", 2).await.assert_in_time();
    assert_eq!(stage.gateway.tried("movie/2").await[0].uri, other.uri());
    tokio::time::sleep(SLOW).await;
    assert_eq!(
        incumbent.counters().downloads,
        fetched,
        "nobody fetched what the loser made"
    );
}

#[tokio::test]
async fn who_is_not_known_yet_gets_two_fifths_of_the_segment() {
    let stage = Stage::passthrough(2, &[]).await;
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(slow());
    }
    stage.gateway.push("unknown", 0).await.assert_whole();
    let unknown = stage.gateway.sent_after("unknown/0").await;
    assert_eq!(unknown.len(), 2);
    assert!(unknown[1] >= 4800, "{unknown:?}");
}

#[tokio::test]
async fn without_a_budget_nothing_is_doubled() {
    let stage = Stage::passthrough(2, &NO_HEDGES).await;
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(slow());
    }
    let pushed = stage.gateway.push("movie", 0).await;
    pushed.assert_whole();
    assert!(pushed.elapsed >= SLOW);
    assert_eq!(stage.gateway.tried("movie/0").await.len(), 1);
    assert_eq!(stage.segments(), 1);
    let (_, metrics) = stage.gateway.admin("/metrics").await;
    let counted = "pointsman_failover_refused_total{asked=\"hedge\"} 1";
    assert!(metrics.contains(counted), "the policy wanted to: {metrics}");
}

#[tokio::test]
async fn when_everybody_is_slow_the_budget_keeps_the_load_down() {
    const STREAMS: u64 = 40;
    // One a second, saved up over ten seconds at most.
    let flags = [
        "--max-attempts",
        "1",
        "--hedge-budget-percent",
        "0",
        "--hedge-budget-floor",
        "1",
        "--max-sessions",
        "40",
    ];
    let stage = Stage::passthrough(2, &flags).await;
    // The result alone takes its time, not the agreement before it.
    let interval = Duration::from_millis(20);
    let drips = Rule::always(Kind::SlowDrip { interval }).on(Method::Segment);
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change {
            capacity: Some(100),
            ..Change::rule(drips.clone())
        });
    }
    let names: Vec<_> = (0..STREAMS)
        .map(|stream| format!("stream-{stream}"))
        .collect();
    let started = Instant::now();
    for pushed in join_all(names.iter().map(|name| stage.gateway.push(name, 0))).await {
        // One attempt each: where the machine cannot even upload forty segments in half of their time, some are given up.
        let given_up = pushed.status == 422 && pushed.text().contains("header-timeout");
        assert!(pushed.status == 200 || given_up, "{}", pushed.text());
    }
    let most = 10 + started.elapsed().as_secs() as usize + 1;
    let mut hedges = 0;
    for name in &names {
        hedges += stage
            .gateway
            .tried(name)
            .await
            .iter()
            .filter(|tried| tried.hedge)
            .count();
    }
    assert!(
        (1..=most).contains(&hedges),
        "{hedges} hedges for {STREAMS} late segments"
    );
    assert!(stage.segments() <= STREAMS + hedges as u64);
}
