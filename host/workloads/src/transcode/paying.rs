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
//! Where the signer is a remote one, it makes the tickets and signs the segment, side by side and within the attempt's time. When it
//! fails, the orchestrator is not to blame: it is neither left alone nor thought worse of, and the next candidate is tried, since one that
//! asks for no tickets needs no signer.
//!
//! A claim of more than twice the pixels that were ordered is not believed: such an orchestrator has failed.
//!
//! A refusal that fresh terms would mend (too old, nonces used up, credit forgotten) is mended at once and once: one fresh
//! GetOrchestrator, and the segment again. A price above the agreed one is not paid: dispatch asks the
//! policy about it. Whatever else is wrong with money is the next orchestrator's chance, or, where nobody could be paid, the end of the job, in words for the operator.

use std::time::Duration;

use pointsman_facts::{Blame, Failure, FailureKind};
use pointsman_payments::purse::{Charge, Offer, PayError, Receipt};
use pointsman_payments::verdict::Verdict;
use pointsman_payments::{fee, price};
use pointsman_wire::payment;
use pointsman_wire::rejection::Rejection;
use pointsman_wire::result::Transcoded;
use pointsman_wire::segment::Order;
use tokio::time::{Instant, timeout_at};

use super::Session;
use super::attempt::SegmentWork;

/// What goes with a segment, and what settles it.
#[derive(Debug)]
pub(super) struct Paid {
    /// The `Livepeer-Payment` header.
    pub(super) header: String,
    /// Over the segment; empty off-chain.
    pub(super) signature: Vec<u8>,
    /// `None` off-chain.
    bought: Option<Bought>,
}

#[derive(Debug)]
struct Bought {
    receipt: Receipt,
    price: price::Price,
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
/// How long an orchestrator is left alone whose terms cannot be met: they hardly change from one segment to the next.
const REST: Duration = Duration::from_secs(30);

// === impl SegmentWork ===

impl SegmentWork<'_> {
    /// Pays for the segment at what a session asks, and signs it.
    pub(super) async fn pay(
        &self,
        session: &Session,
        offer: Option<&Offer>,
        order: &Order<'_>,
        ends: Instant,
    ) -> Result<Paid, Miss> {
        let Some(offer) = offer.filter(|offer| !offer.is_unpaid()) else {
            return Ok(Paid {
                header: payment::encode(None),
                signature: Vec::new(),
                bought: None,
            });
        };
        let agreed = session.agreed_price(offer)?;
        let fee = self.fee(offer);
        let charge = Charge {
            offer,
            balance: offer.session(),
            recipient: session.recipient(),
            fee: &fee,
            first_price: agreed.as_ref(),
            ceiling: self.ceiling.as_ref(),
            job: self.stream.job(),
            key: None,
            workload: "transcode",
        };
        let signature = self
            .signature
            .get_or_try_init(|| self.purse.sign_segment(order));
        // Each ends by itself: what was paid is not lost because the signature is late.
        let (paid, signature) = tokio::join!(
            timeout_at(ends, self.purse.pay(&charge)),
            timeout_at(ends, signature),
        );
        let paid = paid.map_err(|_| late())?.map_err(|error| {
            if is_price(&error) || matches!(error, PayError::Recipient { .. }) {
                // What it asks now may be agreed anew, or barred.
                session.close();
            }
            unpaid(&error)
        })?;
        let signature = match signature {
            Ok(Ok(signature)) => signature.clone(),
            failed => {
                paid.receipt.unsent();
                let error = failed.ok().and_then(Result::err);
                return Err(error.map_or_else(late, |error| unpaid(&error)));
            }
        };
        let tickets = paid.receipt.tickets();
        metrics::counter!("pointsman_payments_tickets_total").increment(tickets.into());
        Ok(Paid {
            header: paid.header,
            signature,
            bought: Some(Bought {
                receipt: paid.receipt,
                price: offer.price().clone(),
                units: fee.units,
            }),
        })
    }

    /// What the segment is estimated to cost.
    pub(super) fn fee(&self, offer: &Offer) -> fee::Fee {
        let duration = u32::try_from(self.segment.duration.as_millis()).unwrap_or(u32::MAX);
        fee::video(self.stream.profiles(), duration, offer.price())
    }
}

// === impl Paid ===

impl Paid {
    /// Nothing left the gateway.
    pub(super) fn unsent(self) {
        if let Some(bought) = self.bought {
            bought.receipt.unsent();
        }
    }

    /// The orchestrator said no. Answers what to do about the payment, if that was why.
    pub(super) fn refused(self, rejection: &Rejection) -> Option<Verdict> {
        self.bought?.receipt.refused(rejection)
    }

    /// There is no result, by the orchestrator's own word: it charges nothing.
    pub(super) fn failed(self) {
        if let Some(bought) = self.bought {
            let nothing = fee::encoded(0, &bought.price);
            bought.receipt.accepted(nothing);
        }
    }

    /// There is a result.
    pub(super) fn done(self, transcoded: &Transcoded) -> Result<(), Failure> {
        let Some(Bought {
            receipt,
            price,
            units,
        }) = self.bought
        else {
            return Ok(());
        };
        let claims = transcoded
            .renditions
            .iter()
            .map(|rendition| rendition.pixels);
        let claimed = claims.fold(0, u64::saturating_add);
        if claimed > units.saturating_mul(MOST_CLAIMED) {
            let detail = format!("it claims {claimed} pixels, {units} were ordered");
            let kind = FailureKind::BadRendition;
            return Err(Failure::new(Blame::Orchestrator, kind, detail));
        }
        receipt.accepted(fee::encoded(claimed, &price));
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
        match verdict {
            Some(Verdict::Stop) => failure.retry_safe = false,
            Some(Verdict::Next) => failure.retry_after = failure.retry_after.max(Some(REST)),
            Some(Verdict::Refresh) | None => {}
        }
        Self {
            failure,
            stale: verdict == Some(Verdict::Refresh),
        }
    }
}

fn is_price(error: &PayError) -> bool {
    matches!(error, PayError::Ceiling { .. } | PayError::Doubled { .. })
}

fn unpaid(error: &PayError) -> Miss {
    metrics::counter!("pointsman_payments_failed_total", "why" => why(error)).increment(1);
    let kind = match is_price(error) {
        true => FailureKind::Price,
        false => FailureKind::Payment,
    };
    let failure = Failure::new(Blame::Payment, kind, error.to_string());
    let verdict = Some(error.verdict()).filter(|_| !error.is_of_the_signer());
    Miss::judged(failure, verdict)
}

/// The attempt's time went by before anything was sent.
fn late() -> Miss {
    metrics::counter!("pointsman_payments_failed_total", "why" => "signer").increment(1);
    let detail = "the payment was not made within the attempt's time";
    Failure::new(Blame::Payment, FailureKind::Payment, detail).into()
}

/// Its name in metrics.
fn why(error: &PayError) -> &'static str {
    if error.cannot_pay().is_some() {
        return "funds";
    }
    if let Some(cap) = error.cap() {
        return cap.name();
    }
    match error {
        PayError::Price(_) | PayError::Ceiling { .. } | PayError::Doubled { .. } => "price",
        PayError::Ledger(_) => "ledger",
        PayError::Sign(_) | PayError::Remote(_) => "signer",
        _ => "terms",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pointsman_payments::U256;
    use pointsman_payments::ledger::{Ledger, Options, Sum};
    use pointsman_payments::params::Limits;
    use pointsman_payments::purse::Purse;
    use pointsman_payments::signer::Key;
    use pointsman_payments::standing::{Funds, Standing};
    use pointsman_wire::net::{AuthToken, OrchestratorInfo, PriceInfo};
    use pointsman_wire::result::Rendition;
    use pointsman_wire::sign::{Address, B256, PrivateKeySigner};
    use pointsman_wire::ticket::{Expiration, Params, win_prob};

    use super::*;

    fn offer(purse: &Purse) -> Offer {
        let (value, face) = (U256::from(1000), U256::from(2000));
        let params = Params {
            recipient: Address::repeat_byte(1),
            face_value: face,
            win_prob: win_prob(value, face),
            recipient_rand_hash: B256::repeat_byte(2),
            seed: U256::from(3),
            expiration_block: 50,
            expiration: None,
        };
        let info = OrchestratorInfo {
            price_info: Some(PriceInfo {
                price_per_unit: 10,
                pixels_per_unit: 1,
                ..Default::default()
            }),
            ticket_params: Some(params.message()),
            auth_token: Some(AuthToken {
                session_id: "cafe0001".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        purse.offer(&info).expect("an offer")
    }

    /// A segment of a hundred pixels, paid; the orchestrator then says how many there were.
    async fn claimed(pixels: u64) -> (Result<(), Failure>, Sum) {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger =
            Ledger::open(folder.path().join("ledger"), Options::default()).expect("a ledger");
        let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(7)).expect("a key");
        let key = Arc::new(Key::new(key));
        let purse = Purse::new(key, ledger.clone(), Limits::default()).expect("a purse");
        purse.observe(Standing {
            l1_block: 1,
            round: Expiration {
                round: 3,
                block_hash: B256::repeat_byte(9),
            },
            funds: Some(Funds {
                deposit: U256::from(1_000_000),
                reserve: U256::from(1),
                withdraw_round: 0,
            }),
        });
        let offer = offer(&purse);
        let fee = fee::Fee::of(100, offer.price());
        let charge = Charge {
            offer: &offer,
            balance: offer.session(),
            recipient: None,
            fee: &fee,
            first_price: None,
            ceiling: None,
            job: "a stream",
            key: None,
            workload: "transcode",
        };
        let paid = purse.pay(&charge).await.expect("a payment");
        let paid = Paid {
            header: paid.header,
            signature: Vec::new(),
            bought: Some(Bought {
                receipt: paid.receipt,
                price: offer.price().clone(),
                units: fee.units,
            }),
        };
        let rendition = Rendition {
            uri: "https://orch.example/0.ts".parse().expect("a URI"),
            pixels: pixels / 2,
            perceptual_hash: None,
        };
        let done = paid.done(&Transcoded {
            renditions: vec![rendition.clone(), rendition],
            signature: Vec::new(),
        });
        ledger.flush().await.expect("it is on disk");
        (done, ledger.totals().all_time)
    }

    #[tokio::test]
    async fn what_was_ordered_is_paid_and_twice_as_much_is_believed() {
        for pixels in [0, 100, 200] {
            let (done, sum) = claimed(pixels).await;
            assert!(done.is_ok(), "{pixels}: {done:?}");
            assert_eq!((sum.tickets, sum.accepted), (1, sum.spend()));
        }
    }

    #[tokio::test]
    async fn more_is_the_orchestrators_failure_and_its_tickets_are_gone() {
        let (done, sum) = claimed(202).await;
        let failure = done.expect_err("too much");
        assert_eq!(failure.kind, FailureKind::BadRendition);
        assert_eq!(failure.blame, Blame::Orchestrator);
        assert!(
            failure.detail.contains("202 pixels, 100 were ordered"),
            "{failure}"
        );
        assert_eq!((sum.tickets, sum.lost), (1, sum.spend()));
    }
}
