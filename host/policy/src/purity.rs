//! Is a policy as pure as it must be? Asked and checked.
//!
//! A policy that counts its calls, or remembers the last job, answers differently when it is asked the same again: its decisions can be neither
//! explained nor replayed. So one selection in [`Config::purity_sample`](crate::Config::purity_sample), one call of a custom container in as many, and one question
//! to failover in a hundredth of that, leaves a mark of what each stage made of it, and is asked again of fresh instances in the background, over
//! candidates that were kept beforehand: facts such as `in-flight` change while a policy is asked. The first stage whose mark differs is [`FaultKind::Impure`].
//!
//! Failover is checked that much more often because it is asked that much more rarely: beside an attempt that failed, a check costs nothing.
//!
//! A fault of the second asking is impurity too, for the first had none; except what depends on the machine and not on the question: the clock, slots, and
//! fuel, of which a fresh instance may need more for its first allocations.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pointsman_facts::{Job, Kept};

use crate::chain::Manner;
use crate::chain::byoc::Call;
use crate::chain::failover::KeptQuestion;
use crate::chain::merge::{Merge, Step};
use crate::fault::{Fault, FaultKind, Hook};
use crate::generation::Generation;
use crate::metrics::Metrics;

/// How the checks so far ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PurityChecks {
    /// The same answer again.
    pub same: u64,
    /// Another answer.
    pub different: u64,
    /// Not made, since the background was busy.
    pub dropped: u64,
}

/// The same, counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    same: AtomicU64,
    different: AtomicU64,
    pub(crate) dropped: AtomicU64,
}

/// What was asked.
pub(crate) enum Asked {
    /// A selection among those, and whether a candidate without a price passes under a hard ceiling.
    Selection(Arc<dyn Kept>, bool),
    /// A call of a custom container.
    Byoc(Call),
    /// What to do about attempts or a price.
    Failover(KeptQuestion),
}

/// A question to be asked again.
pub(crate) struct Again {
    pub(crate) job: Arc<Job>,
    pub(crate) what: Asked,
    pub(crate) generation: Arc<Generation>,
    /// What each stage made of it.
    pub(crate) marks: Vec<u64>,
}

// === impl Counts ===

impl Counts {
    pub(crate) fn read(&self) -> PurityChecks {
        PurityChecks {
            same: self.same.load(Ordering::Relaxed),
            different: self.different.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}

// === impl Again ===

impl Again {
    /// Asks fresh instances, and counts a difference as a fault of the generation.
    pub(crate) fn check(&self, counts: &Counts) {
        let Some(place) = self.differs() else {
            counts.same.fetch_add(1, Ordering::Relaxed);
            Metrics::checked("same");
            return;
        };
        let hook = match self.what {
            Asked::Selection(..) => Hook::Selection,
            Asked::Byoc(_) => Hook::Byoc,
            Asked::Failover(_) => Hook::Failover,
        };
        let fault = Fault {
            kind: FaultKind::Impure,
            stage: self.generation.chain.stage(hook, place),
            hook,
            detail: format!(
                "asked the same again, a fresh instance answered job {} otherwise",
                self.job.id
            ),
        };
        self.generation.faulted(&fault, self.job.now_ms);
        Metrics::checked("different");
        // Last: who waits for the count finds the fault.
        counts.different.fetch_add(1, Ordering::Relaxed);
    }

    /// The first stage that answers otherwise.
    fn differs(&self) -> Option<usize> {
        let mut manner = Manner::fresh();
        let chain = &self.generation.chain;
        let asked = match &self.what {
            Asked::Selection(candidates, passes) => chain
                .select(&self.job, &**candidates, *passes, &mut manner)
                .map(drop),
            Asked::Byoc(call) => chain.route(&self.job, call, &mut manner).map(drop),
            Asked::Failover(question) => question.ask(chain, &self.job, &mut manner),
        };
        let marks = manner.marks.unwrap_or_default();
        if let Err(failed) = &asked {
            let machine = [
                FaultKind::OutOfTime,
                FaultKind::OutOfFuel,
                FaultKind::NoInstance,
            ];
            if machine.contains(&failed.fault.kind) {
                return None;
            }
        } else if marks == self.marks {
            return None;
        }
        let same = marks
            .iter()
            .zip(&self.marks)
            .take_while(|(one, other)| one == other);
        Some(same.count())
    }
}

/// A mark of what a stage made of a call or of attempts: the same for the same.
pub(crate) fn mark_of(made: &impl std::fmt::Debug) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{made:?}").hash(&mut hasher);
    hasher.finish()
}

/// A mark of what the stages so far made of the candidates: the same for the same, to the bit, but for the bits inside a NaN.
pub(crate) fn mark(merge: &Merge, step: &Step) -> u64 {
    let mut hasher = DefaultHasher::new();
    merge.rows.hash(&mut hasher);
    let bits = |value: f64| {
        if value.is_nan() {
            u64::MAX
        } else {
            value.to_bits()
        }
    };
    merge
        .sums
        .iter()
        .for_each(|&sum| bits(sum).hash(&mut hasher));
    (merge.scored, merge.ordered).hash(&mut hasher);
    merge.hedge.delay().hash(&mut hasher);
    std::mem::discriminant(&merge.hedge).hash(&mut hasher);
    for excluded in &merge.excluded {
        (excluded.row, excluded.stage, excluded.reason).hash(&mut hasher);
        bits(excluded.value).hash(&mut hasher);
    }
    if let Step::Refused(refusal) = step {
        (refusal.status, refusal.reason, &refusal.message).hash(&mut hasher);
    }
    hasher.finish()
}
