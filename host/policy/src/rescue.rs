//! Failover, asked: the question, what answers in place of a faulty policy, and the check of its purity.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pointsman_facts::{Job, Price};

use crate::bundle::OnFailure;
use crate::chain::failover::{
    AttemptView, Bargain, KeptQuestion, Occasion, Opinion, Patience, Remaining, Remedy, Said, lower,
};
use crate::chain::{Chain, Failed, Manner};
use crate::decision::Fallback;
use crate::fault::{Fault, Hook};
use crate::generation::Generation;
use crate::metrics::Metrics;
use crate::purity::{Again, Asked};

/// What the failover chain answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The answer, checked; the budget is not.
    pub value: T,
    /// The stage that gave it; `None`: no stage has an opinion.
    pub stage: Option<Arc<str>>,
    /// What was wrong with the policy, if the answer is a fallback's.
    pub fault: Option<Fault>,
}

// === impl Generation ===

impl Generation {
    /// Asks the failover chain about an attempt that failed, when none is running.
    #[must_use]
    pub fn on_failure(
        self: &Arc<Self>,
        job: &Job,
        attempts: &[AttemptView<'_>],
        remaining: Remaining<'_>,
    ) -> Answer<Remedy> {
        let attempts = lower(attempts);
        self.rescue(
            job,
            remaining,
            |chain, remaining, manner| chain.on_failure(job, &attempts, remaining, manner),
            || Occasion::Failure(attempts.clone()),
        )
    }

    /// Asks the failover chain about an attempt that is slow.
    #[must_use]
    pub fn on_slow(
        self: &Arc<Self>,
        job: &Job,
        attempts: &[AttemptView<'_>],
        remaining: Remaining<'_>,
    ) -> Answer<Patience> {
        let attempts = lower(attempts);
        self.rescue(
            job,
            remaining,
            |chain, remaining, manner| chain.on_slow(job, &attempts, remaining, manner),
            || Occasion::Slow(attempts.clone()),
        )
    }

    /// Asks the failover chain about a session whose price went from `before` to `after`.
    #[must_use]
    pub fn on_price_change(
        self: &Arc<Self>,
        job: &Job,
        before: Price,
        after: Price,
        remaining: Remaining<'_>,
    ) -> Answer<Bargain> {
        self.rescue(
            job,
            remaining,
            |chain, remaining, manner| {
                chain.on_price_change(job, (before, after), remaining, manner)
            },
            || Occasion::PriceChange(before, after),
        )
    }

    fn rescue<T: Opinion>(
        self: &Arc<Self>,
        job: &Job,
        remaining: Remaining<'_>,
        ask: impl Fn(&Chain, Remaining<'_>, &mut Manner) -> Said<T>,
        occasion: impl FnOnce() -> Occasion,
    ) -> Answer<T> {
        let number = self.rescues.fetch_add(1, Ordering::Relaxed);
        let checking = self.host.upgrade();
        let checking = checking.filter(|host| host.samples(Hook::Failover, number));
        let rows = remaining.rows;
        let kept = checking.and_then(|host| Some((host, remaining.candidates.keep()?)));
        let remaining = match &kept {
            Some((_, kept)) => Remaining {
                candidates: &**kept,
                ..remaining
            },
            None => remaining,
        };
        let mut manner = Manner::warm(kept.is_some());
        match ask(&self.chain, remaining, &mut manner) {
            Ok((value, stage)) => {
                if let (Some((host, candidates)), Some(marks)) = (kept, manner.marks) {
                    host.check(Again {
                        job: Arc::new(job.clone()),
                        what: Asked::Failover(KeptQuestion {
                            occasion: occasion(),
                            candidates,
                            rows: rows.to_vec(),
                        }),
                        generation: Arc::clone(self),
                        marks,
                    });
                }
                Answer {
                    value,
                    stage,
                    fault: None,
                }
            }
            Err(failed) => {
                self.faulted(&failed.fault, job.now_ms);
                let (value, stage) = self.rescue_instead(&failed, |chain| {
                    ask(chain, remaining, &mut Manner::default())
                });
                Answer {
                    value,
                    stage,
                    fault: Some(failed.fault),
                }
            }
        }
    }

    /// The fallback's answer. Unlike in selection, having nobody to ask is no reason to refuse: every remaining candidate passed
    /// the gates already, so the host's default opens none.
    fn rescue_instead<T: Opinion>(
        &self,
        failed: &Failed,
        ask: impl Fn(&Chain) -> Said<T>,
    ) -> (T, Option<Arc<str>>) {
        let asked = match self.on_failure {
            _ if failed.required => None,
            OnFailure::Reject => None,
            OnFailure::Default => self
                .native
                .as_ref()
                .map(|chain| (Fallback::Native, ask(chain))),
            OnFailure::Previous => self.last_good().map(|generation| {
                let fallback = Fallback::Previous(generation.number());
                (fallback, ask(&generation.chain))
            }),
        };
        if let Some((fallback, answer)) = asked {
            Metrics::fallback(fallback);
            return answer.unwrap_or_else(|_| (T::abstain(), None));
        }
        if self.on_failure == OnFailure::Previous && !failed.required {
            return (T::abstain(), None);
        }
        Metrics::fallback(Fallback::Reject);
        (T::refuse(self.refusal(&failed.fault)), None)
    }

    /// The generation that answers in place of this one: the one before it, or the active one if this is not active any more.
    fn last_good(&self) -> Option<Arc<Generation>> {
        self.host.upgrade()?.last_good(self.number())
    }
}
