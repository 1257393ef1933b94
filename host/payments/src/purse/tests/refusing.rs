use super::*;
use crate::price::Price;

#[tokio::test]
async fn what_cannot_be_paid_changes_nothing_and_says_what_to_do() {
    let fixture = fixture();
    let expired = Params {
        expiration_block: L1_BLOCK + 1,
        ..params()
    };
    assert_eq!(
        fixture.refused(&expired, 5).await.verdict(),
        Verdict::Refresh
    );
    let certain = Params {
        win_prob: U256::MAX,
        ..params()
    };
    assert_eq!(fixture.refused(&certain, 5).await.verdict(), Verdict::Next);
    let face_value = U256::from(10).pow(U256::from(19));
    let dear = Params {
        face_value,
        win_prob: win_prob(U256::from(VALUE), face_value),
        ..params()
    };
    let error = fixture.refused(&dear, 5).await;
    assert_eq!(error.verdict(), Verdict::Next);
    let cannot = error.cannot_pay().expect("funds").to_string();
    assert!(
        cannot.contains("deposit 1 ETH") && cannot.contains("needed deposit 10 ETH"),
        "{cannot}"
    );
    // Tickets of a wei each: within every limit, and too many.
    let tiny = Params {
        face_value: U256::from(2),
        win_prob: win_prob(U256::from(1), U256::from(2)),
        ..params()
    };
    let error = fixture.refused(&tiny, 700).await;
    assert!(
        matches!(
            error,
            PayError::Tickets {
                tickets: 699..=700,
                ..
            }
        ),
        "{error}"
    );

    fixture.purse.observe(Standing {
        funds: Some(Funds::default()),
        ..standing()
    });
    let error = fixture.refused(&params(), 5).await;
    assert_eq!(error.verdict(), Verdict::Stop);
    assert_eq!(
        fixture.purse.cannot_pay().map(|cannot| cannot.lack),
        Some(Lack::Reserve)
    );
    let paid = {
        fixture.purse.observe(standing());
        fixture.pay(5).await.expect("paid")
    };
    assert_eq!(
        nonces(&paid.header),
        [1],
        "no nonce was used up by what failed"
    );
    assert_eq!(fixture.purse.cannot_pay(), None);
}

#[tokio::test]
async fn prices_and_recipients_are_held_against_what_was_agreed() {
    let fixture = fixture();
    let (offer, fee) = (fixture.offer(&params()), fixture.fee(5));
    let price =
        |wei: u64, units: u64| Price::new(Ratio::new(wei.into(), units.into())).expect("a price");
    let with = async |change: &dyn Fn(&mut Charge<'_>)| {
        let mut charge = charge(&offer, &fee);
        change(&mut charge);
        fixture
            .purse
            .pay(&charge)
            .await
            .map(|paid| paid.receipt.unsent())
    };
    let (one, less, half, below) = (price(1, 1), price(999, 1000), price(1, 2), price(499, 1000));
    let at_ceiling: Charge<'_> = Charge {
        ceiling: Some(&one),
        first_price: Some(&half),
        ..charge(&offer, &fee)
    };
    fixture
        .purse
        .pay(&at_ceiling)
        .await
        .expect("a ceiling is allowed")
        .receipt
        .unsent();
    let above = Charge {
        ceiling: Some(&less),
        ..charge(&offer, &fee)
    };
    let error = fixture.purse.pay(&above).await.expect_err("too dear");
    assert_eq!(
        error.to_string(),
        "the orchestrator asks 1 wei per unit, above the ceiling of 0.999 wei per unit"
    );
    let doubled = Charge {
        first_price: Some(&below),
        ..charge(&offer, &fee)
    };
    let error = fixture.purse.pay(&doubled).await.expect_err("too dear");
    assert!(matches!(error, PayError::Doubled(_)), "{error}");
    with(&|charge| charge.recipient = Some(params().recipient))
        .await
        .expect("the right one");
    let error = with(&|charge| charge.recipient = Some(Address::ZERO))
        .await
        .expect_err("another");
    assert!(matches!(error, PayError::Recipient { .. }), "{error}");
    assert_eq!(error.verdict(), Verdict::Next);

    let broken = |change: &dyn Fn(&mut OrchestratorInfo)| {
        let mut info = info(&params());
        change(&mut info);
        fixture.purse.offer(&info).expect_err("no offer")
    };
    let missing = broken(&|info| info.price_info = None);
    assert_eq!(missing.to_string(), "the orchestrator names no price");
    let session =
        broken(&|info| info.auth_token.as_mut().expect("a token").session_id = "x".repeat(257));
    assert_eq!(session, PayError::Session(257));
    let recipient = broken(&|info| {
        info.ticket_params
            .as_mut()
            .expect("parameters")
            .recipient
            .clear();
    });
    assert!(
        recipient.to_string().contains("recipient of 0 bytes"),
        "{recipient}"
    );
}

#[tokio::test]
async fn a_hash_takes_six_hundred_tickets_and_then_wants_fresh_parameters() {
    let fixture = fixture();
    let paid = fixture.pay(600 * VALUE).await.expect("paid");
    let used = nonces(&paid.header);
    assert_eq!((used.len(), used[599]), (600, 600));
    paid.receipt.accepted(wei(600 * VALUE));
    let fee = fixture.fee(VALUE);
    let stale = fixture.offer(&params());
    let error = fixture
        .purse
        .pay(&charge(&stale, &fee))
        .await
        .expect_err("none left");
    assert_eq!(error.verdict(), Verdict::Refresh);
    let fresh = fixture.offer(&Params {
        recipient_rand_hash: B256::repeat_byte(9),
        ..params()
    });
    let paid = fixture
        .purse
        .pay(&charge(&fresh, &fee))
        .await
        .expect("paid");
    assert_eq!(nonces(&paid.header), [1], "the credit and its session stay");
    paid.receipt.unsent();
}

#[tokio::test]
async fn a_cap_stops_paying_and_is_named() {
    let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).expect("a key");
    let caps = Caps {
        day: Some(U256::from(2 * VALUE)),
        ..Caps::default()
    };
    let fixture = fixture_of(key, caps);
    fixture.pay(VALUE).await.expect("paid").receipt.lost();
    let error = fixture.pay(2 * VALUE).await.expect_err("a cap");
    assert_eq!(
        (error.verdict(), error.cap()),
        (Verdict::Stop, Some(Cap::Day))
    );
    assert!(
        error.to_string().starts_with("the cap per day (UTC) is"),
        "{error}"
    );
}

#[tokio::test]
async fn before_the_chain_is_read_nothing_is_paid() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger =
        Ledger::open(folder.path().join("ledger.db"), Options::default()).expect("a ledger");
    let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).expect("a key");
    let signer = Arc::new(Keystore::new(key));
    let purse = Purse::new(signer, ledger, Limits::default()).expect("a purse");
    let offer = purse.offer(&info(&params())).expect("an offer");
    let fee = Fee::of(5, offer.price());
    let error = purse.pay(&charge(&offer, &fee)).await.expect_err("unknown");
    assert_eq!(
        error.cannot_pay().map(|cannot| cannot.lack),
        Some(Lack::Unknown)
    );
    assert_eq!(
        purse.cannot_pay().map(|cannot| cannot.lack),
        Some(Lack::Unknown)
    );
}
