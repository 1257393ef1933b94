//! A purse whose signer is remote.

use pointsman_wire::amount::{Ratio, U256};
use pointsman_wire::ticket::Params;
use tempfile::TempDir;

use super::*;
use crate::fee::Fee;
use crate::ledger::{Amount, Caps, Ledger, Options};
use crate::params::Limits;
use crate::purse::{Charge, PayError, Purse};

struct Fixture {
    signer: Arc<Tape>,
    recorded: Recorded,
    stream: Stream,
    purse: Purse,
    ledger: Ledger,
    _folder: TempDir,
}

/// A ledger that spends no more than `cap` wei a day.
async fn fixture(case: &str, cap: Option<u64>) -> Fixture {
    let (signer, url) = recorded().await;
    let remote = connected(&url, case).await;
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        caps: Caps {
            day: cap.map(U256::from),
            ..Caps::default()
        },
        ..Options::default()
    };
    let ledger = Ledger::open(folder.path().join("ledger.db"), options).expect("a ledger");
    let stream = remote.stream();
    let purse = Purse::remote(remote, ledger.clone(), Limits::default());
    Fixture {
        recorded: Recorded::of(&signer.cases[case]),
        signer,
        stream,
        purse,
        ledger,
        _folder: folder,
    }
}

impl Fixture {
    /// Header, credentials and receipt, or `None` when the signer says that the credit suffices.
    async fn pay(
        &self,
        ceiling: Option<&Price>,
    ) -> Result<Option<crate::purse::PaidRemotely>, PayError> {
        let offer = self.purse.offer(&self.recorded.offer).expect("an offer");
        let fee = Fee::of(1_658_880_000, offer.price());
        let charge = Charge {
            offer: &offer,
            balance: offer.session(),
            recipient: None,
            fee: &fee,
            first_price: None,
            ceiling,
            job: "stream",
            key: None,
            workload: "realtime",
        };
        self.purse
            .pay_remotely(&self.stream, &self.recorded.ask(), &charge)
            .await
    }

    async fn next_state(&self) -> Option<message::State> {
        self.stream
            .slot(&self.recorded.offer.address)
            .lock()
            .await
            .clone()
    }
}

#[tokio::test]
async fn what_the_signer_makes_is_entered_before_it_is_sent() {
    let fixture = fixture("lv2v-first", None).await;
    let paid = fixture.pay(None).await.expect("paid").expect("tickets");
    let body = &fixture.signer.cases["lv2v-first"]["response"]["body"];
    assert_eq!(Some(paid.header.as_str()), body["payment"].as_str());
    assert_eq!(Some(paid.segment.as_str()), body["segCreds"].as_str());
    assert_eq!(paid.receipt.tickets(), 2);
    let spent = paid.receipt.spent().clone();
    paid.receipt.accepted(Ratio::from_integer(0.into()));
    fixture.ledger.flush().await.expect("a disk");
    let sum = fixture.ledger.totals().all_time;
    assert_eq!((sum.accepted.to_ratio(), sum.tickets), (spent, 2));
    assert!(fixture.next_state().await.is_some());
}

#[tokio::test]
async fn what_may_not_be_sent_does_not_count_with_the_signer() {
    let fixture = fixture("lv2v-first", Some(1)).await;
    let error = fixture.pay(None).await.expect_err("a cap");
    assert_eq!(error.verdict(), Verdict::Stop);
    assert!(error.cap().is_some(), "{error}");
    assert_eq!(fixture.next_state().await, None);
    let sum = fixture.ledger.totals().all_time;
    assert_eq!((sum.open, sum.tickets), (Amount::ZERO, 0));

    let ceiling = Price::new(Ratio::from_integer(1000.into())).expect("a price");
    let asked = fixture.signer.asked.lock().len();
    let error = fixture.pay(Some(&ceiling)).await.expect_err("too dear");
    assert!(matches!(error, PayError::Ceiling(_)), "{error}");
    assert_eq!(
        fixture.signer.asked.lock().len(),
        asked,
        "the signer is not even asked"
    );
}

impl Fixture {
    /// Pays for so many units, as for a segment.
    async fn buy(&self, units: u64) -> Result<crate::purse::Paid, PayError> {
        let offer = self.purse.offer(&self.recorded.offer).expect("an offer");
        let fee = Fee::of(units, offer.price());
        let charge = Charge {
            offer: &offer,
            balance: offer.session(),
            recipient: None,
            fee: &fee,
            first_price: None,
            ceiling: None,
            job: "stream",
            key: None,
            workload: "transcode",
        };
        self.purse.pay(&charge).await
    }

    async fn spent(&self) -> (u64, Amount) {
        self.ledger.flush().await.expect("a disk");
        let sum = self.ledger.totals().all_time;
        (sum.tickets, sum.spend())
    }
}

const UNITS: &str = "units-empty-type";

#[tokio::test]
async fn units_are_paid_from_credit_and_the_signer_is_asked_for_what_lacks() {
    let fixture = fixture(UNITS, None).await;
    let paid = fixture.buy(1000).await.expect("paid");
    let body = &fixture.signer.cases[UNITS]["response"]["body"];
    assert_eq!(Some(paid.header.as_str()), body["payment"].as_str());
    assert_eq!(paid.receipt.tickets(), 1);
    let worth = paid.receipt.spent().clone();
    let asked = fixture.signer.asked.lock().pop().expect("a question").1;
    let params = fixture.recorded.offer.ticket_params.as_ref();
    let params = Params::read(params.expect("parameters")).expect("parameters");
    let price = Price::read(fixture.recorded.offer.price_info.as_ref()).expect("a price");
    let units = (params.expected_value() / price.wei()).floor();
    assert_eq!(asked["inPixels"].to_string(), units.to_string());
    assert_eq!(asked["ManifestID"], asked_session(&fixture));
    // The orchestrator failed, and charged nothing.
    paid.receipt.accepted(price.of(0));

    let by_credit = fixture.buy(1000).await.expect("paid");
    assert_eq!(by_credit.receipt.tickets(), 0);
    by_credit.receipt.accepted(price.of(1000));
    let credit = fixture.purse.balances().all();
    assert_eq!(credit[0].1, worth - price.of(1000), "what is left");
    assert!(
        fixture
            .signer
            .asked
            .lock()
            .iter()
            .all(|(name, _)| name != UNITS),
        "the signer is not asked"
    );
    let (tickets, spend) = fixture.spent().await;
    assert_eq!((tickets, spend.to_ratio()), (1, params.expected_value()));
}

fn asked_session(fixture: &Fixture) -> String {
    let token = fixture.recorded.offer.auth_token.as_ref();
    token.expect("a token").session_id.clone()
}

#[tokio::test]
async fn where_a_cap_is_reached_the_signer_is_not_asked_and_where_it_fails_nothing_is_spent() {
    let capped = fixture(UNITS, Some(1)).await;
    let error = capped.buy(1000).await.expect_err("a cap");
    assert!(error.cap().is_some(), "{error}");
    let names: Vec<String> = {
        let asked = capped.signer.asked.lock();
        asked.iter().map(|(name, _)| name.clone()).collect()
    };
    assert!(!names.iter().any(|name| name == UNITS), "{names:?}");

    for (case, verdict) in [
        ("err-params-expired", Verdict::Refresh),
        ("err-price-rose", Verdict::Next),
        ("err-total-ev", Verdict::Stop),
    ] {
        let fixture = fixture(case, None).await;
        let error = fixture.buy(1000).await.expect_err(case);
        assert_eq!(error.verdict(), verdict, "{case}: {error}");
        assert_eq!(error.is_of_the_signer(), verdict == Verdict::Stop, "{case}");
        assert_eq!(fixture.spent().await, (0, Amount::ZERO), "{case}");
        assert!(fixture.next_state().await.is_none(), "{case}");
    }
}

#[tokio::test]
async fn credit_that_suffices_is_no_payment_and_no_error() {
    let fixture = fixture("live-third-482", None).await;
    assert!(fixture.pay(None).await.expect("no error").is_none());
    let stale = self::fixture("err-params-expired", None).await;
    let error = stale.pay(None).await.expect_err("stale");
    assert_eq!(error.verdict(), Verdict::Refresh);
}
