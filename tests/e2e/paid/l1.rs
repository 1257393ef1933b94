//! A chain whose blocks are not those that ticket parameters expire by, as Arbitrum.

use std::num::NonZeroU64;

use crate::harness::till::{Setup, a_chain};
use crate::harness::{NO_HEDGES, eventually};

/// L1's height, far from this chain's own, and blocks here to one there.
const ORIGIN: u64 = 21_000_000;
const RATIO: u64 = 4;

#[tokio::test]
async fn parameters_expire_by_the_blocks_of_l1() {
    let chain = a_chain().await;
    let ratio = NonZeroU64::new(RATIO).expect("not 0");
    let l1 = chain.with_l1(ORIGIN, ratio).await.expect("an L1");
    let setup = Setup::certain(1);
    let till = setup.start_on(chain, l1.url(), 1, &NO_HEDGES).await;
    let gateway = &till.stage.gateway;
    let block = async || gateway.payments().await.chain.l1_block;
    let first = block().await.expect("it is known");
    assert!((ORIGIN..ORIGIN + 1000).contains(&first), "{first}");
    gateway.push("l1", 0).await.assert_whole();
    till.redeemed().await;

    // Parameters last 40 blocks of L1: after 80 of this chain they are as good as before.
    till.chain.mine(20 * RATIO).await.expect("mined");
    eventually("L1 goes on", async || {
        block().await.is_some_and(|now| now >= first + 20)
    })
    .await;
    let now = block().await.expect("it is known");
    assert!(now < first + 60, "by a block for {RATIO}: {first}, {now}");
    gateway.push("l1", 1).await.assert_whole();
    let asked = till.stage.discoveries();

    // After 200 they are not. The gateway sees it by itself: the orchestrator has nothing to refuse.
    till.redeemed().await;
    till.chain.mine(50 * RATIO).await.expect("mined");
    eventually("L1 goes on", async || {
        block().await.is_some_and(|now| now >= first + 70)
    })
    .await;
    gateway.push("l1", 2).await.assert_whole();
    assert!(till.stage.discoveries() > asked, "they were renewed");
    let moved = till.redeemed().await;
    let takings = till.stage.devnet.orchestrators()[0].takings();
    let takings = takings.expect("takings");
    assert_eq!((takings.refused, takings.failed), (0, 0), "{takings:?}");
    assert_eq!(takings.received, moved);
    let accounts = gateway.settled().await;
    assert_eq!(accounts.spend.all_time.spent(), takings.credited);
}
