use pointsman_wire::net::Capabilities;

use super::*;

#[tokio::test]
async fn credit_is_drawn_down_before_tickets_are_made() {
    let fixture = fixture();
    let first = fixture.pay(VALUE + 1).await.expect("paid");
    assert_eq!(nonces(&first.header), [1, 2]);
    assert_eq!(first.receipt.tickets(), 2);
    first.receipt.accepted(wei(1));
    let second = fixture.pay(VALUE + 1).await.expect("paid");
    assert_eq!(
        nonces(&second.header),
        [0; 0],
        "what is left of the first suffices"
    );
    assert!(second.header.len() < 60, "sender and price go all the same");
    second.receipt.accepted(wei(VALUE + 1));
    let third = fixture.pay(VALUE + 1).await.expect("paid");
    assert_eq!(
        nonces(&third.header),
        [3],
        "6 999 999 999 there, one more suffices"
    );
    third.receipt.accepted(wei(0));

    let exact = params().expected_value() * wei(3);
    assert_eq!(fixture.credit(), &exact - wei(VALUE + 2));
    let (accepted, refused, lost) = fixture.spent().await;
    assert_eq!(accepted.to_ratio(), exact);
    assert!(refused.is_zero() && lost.is_zero());
}

#[tokio::test]
async fn each_ending_is_credit_and_ledger() {
    let (cost, zero) = (params().expected_value(), Ratio::zero());
    let after = async |end: &dyn Fn(Receipt)| {
        let fixture = fixture();
        let paid = fixture.pay(5).await.expect("paid");
        assert_eq!(*paid.receipt.spent(), cost);
        end(paid.receipt);
        let (accepted, refused, lost) = fixture.spent().await;
        let spent = [accepted, refused, lost].map(Amount::to_ratio);
        (fixture.credit(), spent)
    };
    let none = [zero.clone(), zero.clone(), zero.clone()];
    let as_nth = |n: usize| {
        let mut spent = none.clone();
        spent[n] = cost.clone();
        spent
    };
    let accepted = after(&|receipt| receipt.accepted(wei(7))).await;
    assert_eq!(accepted, (&cost - wei(7), as_nth(0)));
    let unsent = after(&|receipt| receipt.unsent()).await;
    assert_eq!(unsent, (zero.clone(), none.clone()));
    let lost = after(&|receipt| receipt.lost()).await;
    assert_eq!(lost, (zero.clone(), as_nth(2)));
    let dropped = after(&|receipt| drop(receipt)).await;
    assert_eq!(dropped, lost, "a cancelled request may have left");
    let refused = after(&|receipt| {
        let verdict = receipt.refused(&Rejection::http(400, b"invalid ticket signature\n"));
        assert_eq!(verdict, Some(Verdict::Next));
    });
    assert_eq!(refused.await, (zero.clone(), as_nth(1)));
}

#[tokio::test]
async fn a_refusal_before_the_payment_keeps_earlier_credit_and_no_credit_forgets_it() {
    let fixture = fixture();
    let first = fixture.pay(5).await.expect("paid");
    first.receipt.accepted(wei(0));
    let earlier = fixture.credit();
    let early = fixture.pay(VALUE + 5).await.expect("paid");
    assert_eq!(early.receipt.tickets(), 1);
    let verdict = early.receipt.refused(&Rejection::TokenExpired);
    assert_eq!((verdict, fixture.credit()), (None, earlier));

    let by_credit = fixture.pay(5).await.expect("paid");
    assert_eq!(by_credit.receipt.tickets(), 0);
    let verdict = by_credit.receipt.refused(&Rejection::InsufficientBalance);
    assert_eq!(verdict, Some(Verdict::Refresh));
    assert!(fixture.credit().is_zero());
    assert_eq!(nonces(&fixture.pay(5).await.expect("paid").header), [3]);
}

#[tokio::test]
async fn off_chain_nothing_is_paid_or_signed() {
    let purse = Purse::off_chain();
    let offer = purse.offer(&OrchestratorInfo::default()).expect("an offer");
    let fee = fee::video(
        &presets("P144p30fps16x9").expect("presets"),
        2000,
        offer.price(),
    );
    assert!(fee.wei.is_zero() && fee.units > 0);
    let paid = purse.pay(&charge(&offer, &fee)).await.expect("nothing");
    assert_eq!(paid.header, "");
    paid.receipt.accepted(wei(0));
    assert_eq!(purse.identity(), (Address::ZERO, Vec::new()));
    let (capabilities, token) = (Capabilities::default(), AuthToken::default());
    let order = Order {
        manifest_id: "stream",
        sequence: 0,
        hash: B256::ZERO,
        duration_ms: 2000,
        profiles: &[],
        capabilities: &capabilities,
        auth_token: &token,
        slice: None,
        reinit: false,
        perceptual_hash: false,
        storage: None,
    };
    assert_eq!(purse.sign_segment(&order).await, Ok(Vec::new()));
    assert_eq!(purse.trouble(), None);
    assert_eq!(purse.cannot_pay(), None);
}

#[tokio::test]
async fn work_for_nothing_needs_no_ticket() {
    let fixture = fixture();
    let mut info = info(&params());
    info.price_info = Some(PriceInfo {
        pixels_per_unit: 1,
        ..PriceInfo::default()
    });
    let offer = fixture.purse.offer(&info).expect("an offer");
    let fee = Fee::of(1 << 40, offer.price());
    let paid = fixture
        .purse
        .pay(&charge(&offer, &fee))
        .await
        .expect("paid");
    assert_eq!(paid.receipt.tickets(), 0);
    let message = payment::decode(&paid.header).expect("a payment");
    assert_eq!(message.expected_price, info.price_info);
    paid.receipt.accepted(wei(0));
}

#[tokio::test]
async fn a_session_is_kept_while_its_credit_pays() {
    let fixture = fixture();
    let (offer, fee) = (fixture.offer(&params()), fixture.fee(5));
    let must = |now| fixture.purse.must_renew(&offer, offer.session(), &fee, now);
    assert!(!must(EXPIRES - 180));
    assert!(must(EXPIRES - 179), "no credit: as go-livepeer");
    fixture
        .pay(2 * VALUE)
        .await
        .expect("paid")
        .receipt
        .accepted(wei(0));
    assert!(!must(EXPIRES - 179));
    assert!(!must(EXPIRES - LAST_SECONDS - 1));
    assert!(
        must(EXPIRES - LAST_SECONDS),
        "an answer would come too late"
    );
    let past = Standing {
        l1_block: L1_BLOCK + 39,
        ..standing()
    };
    fixture.purse.observe(past);
    assert!(!must(0), "credit needs no parameters");
    let large = fixture.fee(3 * VALUE);
    assert!(fixture.purse.must_renew(&offer, offer.session(), &large, 0));
}
