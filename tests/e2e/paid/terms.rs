//! Terms that no ticket is made by. Whoever offers them in the middle of a stream loses it to another; where there is no other,
//! the publisher reads why, with the numbers.

use pointsman_devnet::failure::Kind;
use pointsman_devnet::{Change, Payments, Price};
use pointsman_payments::U256;

use crate::harness::till::{CERTAIN, ETH, Setup, Till};
use crate::harness::{Gateway, NO_HEDGES, eventually};

/// Offers that cannot be taken, and what is said of them.
fn bent() -> [(Kind, &'static str); 3] {
    [
        (Kind::StaleTickets, "expire at L1 block 1, and block"),
        (Kind::EndlessTickets, "name no expiration block"),
        // Whom the session began with is paid, and nobody else.
        (Kind::WrongRecipient, "but its session pays"),
    ]
}

#[tokio::test]
async fn a_stream_leaves_whoever_begins_to_offer_terms_that_cannot_be_taken() {
    for (kind, _) in bent() {
        let till = Setup::certain(2).start(2, &NO_HEDGES).await;
        let gateway = &till.stage.gateway;
        gateway.push("leaving", 0).await.assert_whole();
        let first = till.stage.winner("leaving/0").await;
        first.set(Change::fail(kind.clone()));
        // The first of these is still paid by the terms that came before.
        for sequence in 1..4 {
            gateway.push("leaving", sequence).await.assert_whole();
        }
        let last = till.stage.winner("leaving/3").await;
        assert_ne!(first.uri(), last.uri(), "{kind:?}");
        agree(&till).await;
    }
}

#[tokio::test]
async fn where_there_is_no_other_the_reason_is_said_and_nothing_is_spent() {
    for (kind, words) in bent() {
        let till = Setup::certain(1).start(1, &NO_HEDGES).await;
        let gateway = &till.stage.gateway;
        gateway.push("alone", 0).await.assert_whole();
        let only = &till.stage.devnet.orchestrators()[0];
        only.set(Change::fail(kind.clone()));
        // By the terms that came with the last result; its own come bent.
        gateway.push("alone", 1).await.assert_whole();
        let credited = || only.takings().expect("takings").credited;
        let before = credited();
        let refused = gateway.push("alone", 2).await;
        assert_eq!(refused.status, 503, "{kind:?}: {}", refused.text());
        assert!(
            refused.text().contains(words),
            "{kind:?}: {}",
            refused.text()
        );
        assert_eq!(credited(), before, "{kind:?}");
        agree(&till).await;
    }
}

#[tokio::test]
async fn winners_that_the_deposit_could_not_pay_are_not_risked() {
    // Every fourth ticket would win twice the deposit.
    let large = Payments {
        max_face_value: 200_000_000_000,
        ..CERTAIN
    };
    let setup = |orchestrators| Setup {
        orchestrators,
        deposit: 100_000_000_000,
        ..Setup::certain(0)
    };
    let till = setup(vec![large]).start(1, &NO_HEDGES).await;
    let gateway = &till.stage.gateway;
    let refused = gateway.push("careful", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    for words in [
        "needed deposit 200000000000 wei",
        "deposit 100000000000 wei",
    ] {
        assert!(refused.text().contains(words), "{}", refused.text());
    }
    assert_eq!(gateway.settled().await.spend.all_time.tickets, 0);
    till.fund(ETH, 0).await;
    eventually("the deposit is seen and the segment is paid", async || {
        gateway.push("careful", 1).await.status == 200
    })
    .await;

    // Beside one that asks for less it is nobody's loss.
    let till = setup(vec![large, CERTAIN]).start(2, &NO_HEDGES).await;
    till.stage.gateway.push("careful", 0).await.assert_whole();
    let takings = till.stage.devnet.orchestrators()[0].takings();
    assert_eq!(takings.expect("takings").tickets, 0);
}

#[tokio::test]
async fn a_stream_keeps_its_price_when_others_are_asked_more_than_the_ceiling() {
    let flags = ["--max-price-per-unit", "2000", "--probe-interval", "1s"];
    let till = Setup::certain(1)
        .start(1, &[&flags[..], &NO_HEDGES].concat())
        .await;
    let gateway = &till.stage.gateway;
    // An orchestrator fixes a session's price with the first payment from a sender that it knows: the second, at the latest.
    for sequence in 0..2 {
        gateway.push("early", sequence).await.assert_whole();
    }
    let before = price(gateway).await;
    till.stage.devnet.orchestrators()[0].set(Change {
        price: Some(Some(Price::per_pixel(5000))),
        ..Default::default()
    });
    // The stream goes on meanwhile: one that rests for long has ended.
    let mut sequence = 1;
    eventually("it is known to ask more", async || {
        sequence += 1;
        gateway.push("early", sequence).await.assert_whole();
        price(gateway).await != before
    })
    .await;
    let refused = gateway.push("late", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("ceiling"), "{}", refused.text());
    // As the orchestrator does: a session has one price.
    gateway.push("early", sequence + 1).await.assert_whole();
    agree(&till).await;
}

/// What the one orchestrator is known to ask.
async fn price(gateway: &Gateway) -> Option<String> {
    let known = gateway.orchestrators().await;
    known.into_iter().find_map(|one| one.price)
}

/// The ledger says of every orchestrator what that says itself.
async fn agree(till: &Till) {
    let accounts = till.stage.gateway.settled().await;
    assert_eq!(accounts.cannot_pay, None);
    for one in till.stage.devnet.orchestrators() {
        let takings = one.takings().expect("takings");
        let spent = accounts.spend.recipients.get(&takings.address.to_string());
        let accepted = spent.map_or(U256::ZERO, |sum| sum.accepted());
        assert_eq!(accepted, takings.credited);
        assert_eq!(takings.failed, 0, "{takings:?}");
    }
}
