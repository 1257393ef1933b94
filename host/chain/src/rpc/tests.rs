//! Failover, patience and honesty of the pool, in virtual time.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::mock::{Mood, Node, World, rpc, rpc_with};

fn chain_id() -> Call {
    Call::new("eth_chainId", json!([]))
}

async fn asked(rpc: &Rpc) -> Result<String, RpcError> {
    rpc.call(chain_id()).await?.parse("a text")
}

fn busy(after: u64) -> Mood {
    Mood::Fault(Fault::Throttled(Some(Duration::from_secs(after))))
}

#[tokio::test(start_paused = true)]
async fn the_second_node_answers_at_once_for_the_first() {
    let first = Node::new(World::of(0));
    let second = first.twin();
    first.always(Some(Mood::Fault(Fault::Status(503))));
    let rpc = rpc(&[&first, &second]);
    let start = Instant::now();
    assert_eq!(asked(&rpc).await.unwrap(), "0x7a69");
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!((first.taken(), second.taken()), (1, 1));
    // It rests now; the second is asked straight away.
    asked(&rpc).await.unwrap();
    assert_eq!((first.taken(), second.taken()), (0, 1));
    assert_eq!(rpc.status()[0].fault, Some(Fault::Status(503)));
}

#[tokio::test(start_paused = true)]
async fn the_preferred_node_is_used_again_when_it_has_rested() {
    let first = Node::new(World::of(0));
    let second = first.twin();
    first.then([Mood::Fault(Fault::Status(502))]);
    let rpc = rpc(&[&first, &second]);
    asked(&rpc).await.unwrap();
    tokio::time::sleep(Limits::default().rest).await;
    first.taken();
    second.taken();
    asked(&rpc).await.unwrap();
    assert_eq!((first.taken(), second.taken()), (1, 0));
    assert_eq!(rpc.status()[0].fault, None);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_hangs_costs_one_timeout() {
    let first = Node::new(World::of(0));
    let second = first.twin();
    first.always(Some(Mood::Hang));
    let rpc = rpc(&[&first, &second]);
    let start = Instant::now();
    asked(&rpc).await.unwrap();
    assert_eq!(start.elapsed(), Limits::default().timeout);
    asked(&rpc).await.unwrap();
    assert_eq!(start.elapsed(), Limits::default().timeout);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_respected() {
    let node = Node::new(World::of(0));
    node.then([busy(7)]);
    let rpc = rpc(&[&node]);
    let start = Instant::now();
    asked(&rpc).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(7));
    assert_eq!(node.taken(), 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_pool_says() {
    let node = Node::new(World::of(0));
    node.always(Some(busy(3600)));
    let rpc = rpc(&[&node]);
    let start = Instant::now();
    let error = asked(&rpc).await.unwrap_err().to_string();
    assert_eq!(
        start.elapsed(),
        Duration::ZERO,
        "the rest is longer than the patience"
    );
    assert!(error.contains("node-0: rate limit reached"), "{error}");
    assert!(error.contains("3600 s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn every_node_is_named_when_all_are_down() {
    let first = Node::new(World::of(0));
    let second = first.twin();
    first.always(Some(Mood::Fault(Fault::Status(401))));
    second.always(Some(Mood::Body("<html>")));
    let rpc = rpc(&[&first, &second]);
    let error = asked(&rpc).await.unwrap_err().to_string();
    assert!(
        error.contains("node-0: HTTP 401 (check the API key)"),
        "{error}"
    );
    assert!(error.contains("node-1: not a JSON-RPC answer"), "{error}");
    let sent = first.taken() + second.taken();
    assert_eq!(sent, u64::from(Limits::default().attempts));
}

#[tokio::test(start_paused = true)]
async fn a_node_of_another_chain_is_never_asked_again() {
    let first = Node::new(World::of(0));
    let other = first.twin().on_chain(1);
    let rpc = rpc(&[&first, &other]);
    asked(&rpc).await.unwrap();
    first.always(Some(Mood::Fault(Fault::Status(500))));
    let error = asked(&rpc).await.unwrap_err().to_string();
    assert!(error.contains("serves chain 1, not 31337"), "{error}");
    assert_eq!(other.taken(), 1);
    assert!(rpc.status()[1].barred);
}

#[tokio::test(start_paused = true)]
async fn a_refused_batch_is_halved_and_that_is_remembered() {
    let mut world = World::of(0);
    world.batch = 3;
    let node = Node::new(world);
    let rpc = rpc(&[&node]);
    let calls: Vec<Call> = (0..7).map(|_| chain_id()).collect();
    // Eight with the proof of the chain: 8 refused, 4 refused, then 2 at a time.
    assert_eq!(rpc.batch(&calls).await.unwrap().answers.len(), 7);
    assert_eq!(node.taken(), 2 + 4);
    rpc.batch(&calls).await.unwrap();
    assert_eq!(node.taken(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_knows_no_batches_is_asked_one_by_one() {
    let mut world = World::of(0);
    world.batch = 0;
    let node = Node::new(world);
    let rpc = rpc(&[&node]);
    let calls: Vec<Call> = (0..3).map(|_| chain_id()).collect();
    assert_eq!(rpc.batch(&calls).await.unwrap().answers.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer_once_all_nodes_gave_it() {
    let first = Node::new(World::of(0));
    let second = first.twin();
    let rpc = rpc(&[&first, &second]);
    let answer = rpc
        .call(Call::new("eth_nonsense", json!([])))
        .await
        .unwrap();
    assert_eq!(answer.refusal().unwrap().code, -32601);
    assert_eq!((first.taken(), second.taken()), (1, 1));
    assert_eq!(rpc.status()[0].failures, 0, "it is no fault");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_long_is_no_fault_of_the_node() {
    let node = Node::new(World::of(0));
    let limits = Limits {
        answer: 10,
        ..Limits::default()
    };
    let rpc = rpc_with(&[&node], limits);
    assert_eq!(asked(&rpc).await, Err(RpcError::TooLarge(10)));
    assert_eq!(rpc.status()[0].failures, 0);
}

#[tokio::test(start_paused = true)]
async fn garbage_of_every_kind_is_survived() {
    let node = Node::new(World::of(0));
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "\"0x1\"",
        "{\"id\":0,\"result\":{\"a\":1}}",
        "{\"id\":0,\"error\":null}",
        "{\"id\":0,\"error\":{\"code\":\"x\"}}",
        "\u{0}\u{1}",
    ] {
        node.then([Mood::Body(body)]);
        let rpc = rpc(&[&node]);
        assert_eq!(asked(&rpc).await.unwrap(), "0x7a69", "{body}");
    }
}
