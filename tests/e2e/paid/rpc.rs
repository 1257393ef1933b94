//! Nodes of the chain that limit, hang, break, lie or are gone: no stream that is paid notices.

use std::time::Duration;

use crate::harness::node::{Mood, Node};
use crate::harness::till::{Setup, a_chain};
use crate::harness::{NO_HEDGES, eventually};

#[tokio::test]
async fn whatever_the_preferred_node_does_the_second_keeps_streams_paid() {
    let chain = a_chain().await;
    let node = Node::start(&chain).await;
    let urls = format!("{},{}", node.url(), chain.url());
    let till = Setup::certain(1)
        .start_on(chain, &urls, 1, &NO_HEDGES)
        .await;
    let gateway = &till.stage.gateway;
    gateway.push("nodes", 0).await.assert_whole();
    let moods = [
        (Mood::Throttled, "rate limit"),
        (Mood::Status(502), "HTTP 502"),
        (Mood::Garbage, "not a JSON-RPC answer"),
        (Mood::Ahead, "its head is not believed"),
        (Mood::Hangs, "no answer within"),
    ];
    let mut sequence = 0;
    for (mood, words) in moods {
        node.set(Mood::Well);
        eventually("the preferred node answers", async || {
            let chain = gateway.payments().await.chain;
            chain.error.is_none() && chain.endpoints[0].fault.is_none()
        })
        .await;
        node.set(mood);
        eventually("its fault is said", async || {
            let endpoints = gateway.payments().await.chain.endpoints;
            let fault = endpoints[0].fault.as_deref();
            fault.is_some_and(|fault| fault.contains(words))
        })
        .await;
        till.chain.mine(1).await.expect("mined");
        let now = till.chain.block().await.expect("an answer");
        eventually("the second node is asked instead", async || {
            gateway.payments().await.chain.l1_block >= Some(now)
        })
        .await;
        assert!(
            gateway.payments().await.chain.l1_block < Some(now + 1000),
            "nobody's lie is believed"
        );
        sequence += 1;
        gateway.push("nodes", sequence).await.assert_whole();
    }
    let accounts = gateway.settled().await;
    let takings = till.stage.devnet.orchestrators()[0].takings();
    let takings = takings.expect("takings");
    assert_eq!(takings.refused, 0, "{takings:?}");
    assert_eq!(accounts.spend.all_time.spent(), takings.credited);
}

#[tokio::test]
async fn without_any_node_streams_go_on_and_afterwards_too() {
    let chain = a_chain().await;
    let node = Node::start(&chain).await;
    let url = node.url().to_owned();
    let till = Setup::certain(1).start_on(chain, &url, 1, &NO_HEDGES).await;
    let gateway = &till.stage.gateway;
    gateway.push("outage", 0).await.assert_whole();
    node.set(Mood::Hangs);
    eventually("it is said that nobody answers", async || {
        gateway.payments().await.chain.error.is_some()
    })
    .await;
    for sequence in 1..4 {
        gateway.push("outage", sequence).await.assert_whole();
    }
    gateway.push("begun-meanwhile", 0).await.assert_whole();

    // A deposit that is made meanwhile is known when the node is back.
    till.fund(1, 0).await;
    node.set(Mood::Well);
    eventually("the chain is known again", async || {
        let accounts = gateway.payments().await;
        let all = accounts.chain.error.is_none();
        all && accounts.deposit == Some(till.sender().await.deposit)
    })
    .await;
    gateway.push("outage", 4).await.assert_whole();
    let accounts = gateway.settled().await;
    let takings = till.stage.devnet.orchestrators()[0].takings();
    assert_eq!(
        accounts.spend.all_time.spent(),
        takings.expect("takings").credited
    );
}

/// A node that claims a head and takes it back, with what was in it.
#[tokio::test]
async fn a_deposit_that_the_chain_takes_back_is_no_deposit() {
    let setup = Setup {
        deposit: 0,
        ..Setup::certain(1)
    };
    let till = setup.start(1, &NO_HEDGES).await;
    let gateway = &till.stage.gateway;
    let before: String = till.snapshot().await;
    till.fund(1_000_000_000_000, 0).await;
    eventually("the deposit is seen", async || {
        gateway.payments().await.cannot_pay.is_none()
    })
    .await;
    gateway.push("taken", 0).await.assert_whole();
    till.redeemed().await;
    till.revert(&before).await;
    // Another history, and longer than the one that was.
    till.chain.mine(10).await.expect("mined");
    eventually("it is gone", async || {
        gateway.payments().await.cannot_pay.is_some()
    })
    .await;
    let refused = gateway.push("taken", 1).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(
        refused.text().contains("there is no deposit"),
        "{}",
        refused.text()
    );
    tokio::time::timeout(Duration::from_secs(60), till.fund(1_000_000_000_000, 0))
        .await
        .expect("in time");
    eventually("the stream goes on", async || {
        gateway.push("taken", 2).await.status == 200
    })
    .await;
}
