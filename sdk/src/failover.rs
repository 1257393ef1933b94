//! The failover hook.

pub use crate::bindings::failover::{Attempt, Bargain, Blame, Failure, Patience, Recovery, Remedy};
use crate::{Candidates, Job, Policy, Price};

/// What to do when an attempt fails, is slow, or its price changed.
///
/// The host keeps the deadline, the budgets for retries and hedges and the caps on money, whatever is answered here. What a
/// policy does not answer ([`Recovery::Abstain`] and its like) the next one is asked, and at last the host: the next
/// candidate if that is safe and in budget, else stop.
pub trait Failover: Policy {
    /// An attempt failed, and none is running. `attempts`: oldest first; [`failed_last`] finds the one this is about.
    /// `remaining`: best first, and the one that failed may be among them ([`untried`]).
    fn on_failure(&self, job: &Job, attempts: &[Attempt], remaining: &Candidates) -> Remedy;

    /// The oldest running attempt has outlived the hedge delay, or the last wait.
    fn on_slow(&self, job: &Job, attempts: &[Attempt], remaining: &Candidates) -> Patience {
        let _ = (job, attempts, remaining);
        Patience::Abstain
    }

    /// A session's price changed between two attempts; `before` is what the session began with.
    fn on_price_change(
        &self,
        job: &Job,
        before: Price,
        after: Price,
        remaining: &Candidates,
    ) -> Bargain {
        let _ = (job, before, after, remaining);
        Bargain::Abstain
    }
}

/// The attempt that failed last, and how.
#[must_use]
pub fn failed_last(attempts: &[Attempt]) -> Option<(&Attempt, &Failure)> {
    let ended = |attempt: &Attempt| attempt.started_ms.saturating_add(attempt.elapsed_ms);
    attempts
        .iter()
        .filter_map(|attempt| Some((attempt, attempt.failure.as_ref()?)))
        .max_by_key(|(attempt, _)| ended(attempt))
}

/// The best remaining candidate that no attempt has tried.
#[must_use]
pub fn untried(attempts: &[Attempt], remaining: &Candidates) -> Option<u32> {
    (0..remaining.len()).find(|row| !attempts.iter().any(|attempt| attempt.row == Some(*row)))
}
