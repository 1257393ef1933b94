//! A disk that takes no more: nothing is paid that could not be written down, and what is running stays.

use crate::harness::till::Setup;
use crate::harness::{NO_HEDGES, eventually};

#[tokio::test]
async fn a_full_disk_stops_paying_in_words_and_room_starts_it_again() {
    let till = Setup::certain(1).start_cramped(1, &NO_HEDGES).await;
    let gateway = &till.stage.gateway;
    gateway.push("full", 0).await.assert_whole();
    till.redeemed().await;
    let only = &till.stage.devnet.orchestrators()[0];
    let before = gateway.settled().await.spend.all_time;

    gateway.cramp(Some(0)).await;
    let mut sequence = 0;
    // What was set aside on disk before may still be paid out.
    let refused = loop {
        sequence += 1;
        let pushed = gateway.push("full", sequence).await;
        if pushed.status != 200 {
            break pushed;
        }
        assert!(sequence < 1000, "payments go on without a ledger");
    };
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(
        refused
            .text()
            .contains("the ledger cannot be written, so nothing is paid"),
        "{}",
        refused.text()
    );
    let source = gateway
        .pushing("/live/source/0.ts")
        .configured(r#"{"profiles":[]}"#);
    assert_eq!(
        source.send().await.status,
        200,
        "what costs nothing goes on"
    );
    let takings = only.takings().expect("takings");
    let spent = gateway.payments().await.spend.all_time;
    assert!(
        spent.spent() >= takings.credited,
        "nothing left that is not in the ledger"
    );

    gateway.cramp(None).await;
    eventually("there is room, and the stream goes on", async || {
        sequence += 1;
        gateway.push("full", sequence).await.status == 200
    })
    .await;
    let takings = only.takings().expect("takings");
    let after = gateway.settled().await.spend.all_time;
    assert_eq!(after.accepted(), takings.credited);
    assert!(after.spent() > before.spent());
    assert_eq!(takings.refused, 0, "no nonce twice: {takings:?}");
}
