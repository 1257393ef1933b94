//! What happens when an orchestrator asks more than was agreed: the policy proposes, this module disposes.

use pointsman_facts::{Blame, Failure, FailureKind, Price};
use pointsman_policy::Bargain;

use super::Run;
use super::attempt::Terms;
use crate::exchange::{Asked, Exchange, Stopped};

/// Price changes of one job that the policy is asked about. One that asks more whenever it is asked is left.
const MAX_BARGAINS: u32 = 8;

impl<E: Exchange> Run<'_, E> {
    /// The attempt waits for an answer: what its orchestrator asks was not agreed. It is the same attempt that goes on if it is accepted, or
    /// with a fresh session; else it has failed, at no cost but the time.
    pub(super) fn bargain(&mut self, index: usize, asked: Asked) -> Result<(), Stopped> {
        self.bargains += 1;
        let bargain = {
            let (job, _, left) = self.situation();
            self.selection
                .generation
                .on_price_change(&job, asked.began, asked.now, left.remaining())
                .value
        };
        let in_time =
            self.started.elapsed() < self.request.deadlines.hard && self.bargains <= MAX_BARGAINS;
        let ceiling = self.job.max_price.filter(|_| self.job.price_is_hard);
        let below_ceiling = ceiling.is_none_or(|most| asked.now <= most);
        let once = !self.attempts[index].renegotiated;
        let (answer, place) = match bargain {
            Bargain::Accept if in_time && below_ceiling => {
                self.said(index, asked, "accept");
                self.resume(index, Terms::Accepted(asked.now));
                return Ok(());
            }
            Bargain::Renegotiate if in_time && once => {
                self.said(index, asked, "renegotiate");
                self.resume(index, Terms::Fresh(asked));
                return Ok(());
            }
            Bargain::Stop(refusal) => {
                self.said(index, asked, "stop");
                self.leave(index, asked);
                if !self.running.is_empty() {
                    return Ok(());
                }
                let mut stopped = self.give_up();
                stopped.status = Some(refusal.status);
                return Err(stopped);
            }
            Bargain::Next(place) => ("next", place),
            Bargain::Abstain => ("abstain", 0),
            Bargain::Accept | Bargain::Renegotiate => ("refused", 0),
        };
        self.said(index, asked, answer);
        self.leave(index, asked);
        if !self.running.is_empty() {
            self.replace();
        } else if self.may_go_on() {
            self.start_place(place);
        }
        match self.running.is_empty() {
            true => Err(self.give_up()),
            false => Ok(()),
        }
    }

    fn leave(&mut self, index: usize, asked: Asked) {
        let Asked { agreed, now, .. } = asked;
        let (agreed, now) = (shown(agreed), shown(now));
        let detail = format!("it asks {now} wei per unit now, {agreed} was agreed");
        self.failed(
            index,
            Failure::new(Blame::Payment, FailureKind::Price, detail),
        );
    }

    fn said(&self, index: usize, asked: Asked, answer: &'static str) {
        let (agreed, now) = (asked.agreed, asked.now);
        let orchestrator = &self.attempts[index].orchestrator.uri;
        tracing::info!(job = self.request.id, %orchestrator, %agreed, %now, answer, "an orchestrator's price rose");
        metrics::counter!("pointsman_price_changes_total", "answer" => answer).increment(1);
    }
}

/// Whole wei without a fraction.
fn shown(price: Price) -> String {
    match price.den.get() {
        1 => price.num.to_string(),
        _ => price.to_string(),
    }
}
