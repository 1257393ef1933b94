//! A purse whose signer is remote.

use pointsman_wire::amount::{Ratio, U256};
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

#[tokio::test]
async fn credit_that_suffices_is_no_payment_and_no_error() {
    let fixture = fixture("live-third-482", None).await;
    assert!(fixture.pay(None).await.expect("no error").is_none());
    let stale = self::fixture("err-params-expired", None).await;
    let error = stale.pay(None).await.expect_err("stale");
    assert_eq!(error.verdict(), Verdict::Refresh);
}
