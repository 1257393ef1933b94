//! Money that runs out under a stream.

use pointsman_payments::U256;

use crate::harness::till::{ETH, Setup};
use crate::harness::{NO_HEDGES, eventually};

#[tokio::test]
async fn a_deposit_that_is_used_up_stops_paying_in_words_and_a_new_one_goes_on() {
    // About two segments.
    let setup = Setup {
        deposit: 300_000_000_000,
        ..Setup::certain(1)
    };
    let till = setup.start(1, &NO_HEDGES).await;
    let (gateway, only) = (&till.stage.gateway, &till.stage.devnet.orchestrators()[0]);
    let before = till.sender().await;
    let mut sequence = 0;
    let refused = loop {
        let pushed = gateway.push("broke", sequence).await;
        till.redeemed().await;
        sequence += 1;
        if pushed.status != 200 {
            break pushed;
        }
        pushed.assert_whole();
        assert!(sequence < 100, "the deposit never ends");
        let left = till.sender().await.deposit;
        eventually("the gateway knows what is left", async || {
            gateway.payments().await.deposit == Some(left)
        })
        .await;
    };
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("deposit"), "{}", refused.text());
    let after = till.sender().await;
    assert!(
        after.deposit < U256::from(50_000_000_001_u64),
        "less than a ticket is left"
    );
    let takings = only.takings().expect("takings");
    let moved = (before.deposit - after.deposit) + (before.reserve - after.reserve);
    assert_eq!(takings.received, moved, "nobody was paid by anything else");
    let accounts = gateway.settled().await;
    assert_eq!(accounts.spend.all_time.spent(), takings.credited);

    till.fund(ETH, 0).await;
    let full = Some(till.sender().await.deposit);
    eventually("the new deposit is seen", async || {
        gateway.payments().await.deposit == full
    })
    .await;
    eventually("the stream goes on", async || {
        sequence += 1;
        gateway.push("broke", sequence).await.status == 200
    })
    .await;
    let accounts = gateway.settled().await;
    let takings = only.takings().expect("takings");
    assert_eq!(accounts.spend.all_time.spent(), takings.credited);
}
