//! Paying for a segment.
//!
//! # Contract
//!
//! What a segment costs at most is estimated from its renditions and paid before it is done: from credit with the orchestrator as far
//! as there is any, else in new tickets, which are in the ledger before they leave. What became of the attempt settles it:
//!
//! | what happened | the tickets | the credit |
//! |---|---|---|
//! | no connection | not spent | comes back |
//! | refused before the payment was read | spent | comes back |
//! | refused otherwise, no answer, or the attempt was given up (another one won) | spent | lost |
//! | a result | spent | the pixels that it claims are charged, none for an error |
//!
//! A claim of more than twice the pixels that were ordered is not paid: such an orchestrator has failed.
//!
//! A refusal that fresh terms would mend (too old, nonces used up, credit forgotten) is mended at once and once: one fresh
//! GetOrchestrator, and the segment again. Whatever else is wrong with money is the next orchestrator's chance, or, where nobody could be
//! paid, the end of the job, in words for the operator.

use pointsman_facts::{Blame, Failure, FailureKind};
use pointsman_payments::purse::{Offer, PayError, Receipt, Why};
use pointsman_payments::price::Price;
use pointsman_payments::verdict::Verdict;
use pointsman_payments::{Ratio, fee};
use pointsman_wire::payment;
use pointsman_wire::rejection::Rejection;
use pointsman_wire::result::Transcoded;

use super::attempt::SegmentWork;

/// What goes with a segment, and what settles it.
#[derive(Debug)]
pub(super) struct Paid {
    /// The `Livepeer-Payment` header.
    pub(super) header: String,
    /// `None` off-chain.
    receipt: Option<Receipt>,
    /// Pixels that were ordered.
    units: u64,
}

/// An attempt that failed, and whether fresh terms of the same orchestrator would mend it.
#[derive(Debug)]
pub(super) struct Miss {
    pub(super) failure: Failure,
    pub(super) stale: bool,
}

/// Times the pixels that were ordered: what an orchestrator may claim. Frames and seconds are rounded up in the order, and durations are the
/// publisher's word.
const MOST_CLAIMED: u64 = 2;

// === impl SegmentWork ===

impl SegmentWork<'_> {
    /// Pays for the segment at what a session asks.
    pub(super) async fn pay(&self, offer: Option<&Offer>) -> Result<Paid, Miss> {
        let (Some(paying), Some(offer)) = (self.account.paying_with(), offer) else {
            return Ok(Paid {
                header: payment::encode(None),
                receipt: None,
                units: 0,
            });
        };
        self.affords(offer.price())?;
        let fee = self.fee(offer);
        let why = Why {
            job: self.stream.job().to_owned(),
            key: None,
            workload: "transcode",
        };
        let standing = paying.standing();
        let (payment, receipt) = paying
            .purse
            .pay(offer, &fee, &standing, why)
            .await
            .map_err(|error| unpaid(&error))?;
        Ok(Paid {
            header: payment::encode(Some(&payment)),
            receipt: Some(receipt),
            units: fee.units,
        })
    }

    /// The ceiling holds for every payment: a session's price may have risen since it was chosen.
    fn affords(&self, price: &Price) -> Result<(), Failure> {
        let Some(ceiling) = self.ceiling else {
            return Ok(());
        };
        let most = Ratio::new(ceiling.num.into(), ceiling.den.get().into());
        if *price.wei() <= most {
            return Ok(());
        }
        let detail = format!("it asks {price}, more than is allowed for this job");
        Err(Failure::new(Blame::Payment, FailureKind::Price, detail))
    }

    fn fee(&self, offer: &Offer) -> fee::Fee {
        let duration = u32::try_from(self.segment.duration.as_millis()).unwrap_or(u32::MAX);
        fee::video(self.stream.profiles(), duration, offer.price())
    }

    /// Whether credit that is with the orchestrator already pays for this segment.
    pub(super) fn has_credit(&self, offer: &Offer) -> bool {
        let Some(paying) = self.account.paying_with() else {
            return false;
        };
        let credit = paying.purse.credit(offer);
        let fee = self.fee(offer).wei;
        offer.price().is_free() || credit >= fee && credit >= offer.ticket_value()
    }
}

// === impl Paid ===

impl Paid {
    /// Nothing left the gateway.
    pub(super) fn unsent(self) {
        if let Some(receipt) = self.receipt {
            receipt.unsent();
        }
    }

    /// The upload was taken, and the payment with it; what it bought is not known yet.
    pub(super) fn taken(&mut self) {
        if let Some(receipt) = &mut self.receipt {
            receipt.taken();
        }
    }

    /// The orchestrator said no. Answers whether fresh terms would mend that, and whether it is the end.
    pub(super) fn refused(self, rejection: &Rejection) -> Option<Verdict> {
        self.receipt.and_then(|receipt| receipt.refused(rejection))
    }

    /// There is no result, by the orchestrator's own word: it charges nothing.
    pub(super) fn failed(self) {
        if let Some(receipt) = self.receipt {
            receipt.charged(0);
        }
    }

    /// There is a result.
    pub(super) fn done(self, transcoded: &Transcoded) -> Result<(), Failure> {
        let Some(receipt) = self.receipt else {
            return Ok(());
        };
        let claims = transcoded.renditions.iter().map(|rendition| rendition.pixels);
        let claimed = claims.fold(0, u64::saturating_add);
        let most = self.units.saturating_mul(MOST_CLAIMED);
        if claimed > most {
            let detail = format!("it claims {claimed} pixels, {} were ordered", self.units);
            let kind = FailureKind::BadRendition;
            return Err(Failure::new(Blame::Orchestrator, kind, detail));
        }
        receipt.charged(claimed);
        Ok(())
    }
}

// === impl Miss ===

impl From<Failure> for Miss {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            stale: false,
        }
    }
}

impl Miss {
    /// A failure, read in the light of what it says about the payment.
    pub(super) fn judged(mut failure: Failure, verdict: Option<Verdict>) -> Self {
        if verdict == Some(Verdict::Stop) {
            failure.retry_safe = false;
        }
        Self {
            failure,
            stale: verdict == Some(Verdict::Refresh),
        }
    }
}

fn unpaid(error: &PayError) -> Miss {
    metrics::counter!("pointsman_payments_failed_total", "why" => error.name()).increment(1);
    let failure = Failure::new(Blame::Payment, FailureKind::Payment, error.to_string());
    Miss::judged(failure, Some(error.verdict()))
}
