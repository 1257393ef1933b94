//! What happens when an attempt fails, is slow, or its price changed.
//!
//! # Contract
//!
//! | What happened | The orchestrator | The job |
//! |---|---|---|
//! | its token is expired or unknown | – | the same again, at once; a second time, the next |
//! | it is busy or full | as long as it asked for | the next |
//! | the input is at fault | – | stops: nobody will do better |
//! | this gateway is at fault | – | stops |
//! | sending again is not safe | rests after a fault | stops |
//! | a fault of it or of the way there | rests | the next |
//! | money | – | the next |
//!
//! "The next" is the best that no attempt has tried. When all were tried, the same one is asked again after a moment if time allows:
//! with a single orchestrator that is the only chance a segment has. Budgets and deadlines are the host's.
#![deny(unsafe_code)]

use pointsman_sdk::failover::{failed_last, untried};
use pointsman_sdk::kind;
use pointsman_sdk::prelude::*;

/// The failover hook of the default bundle.
#[derive(Debug)]
pub struct Standard {
    rest_ms: u32,
    max_rest_ms: u32,
    again_ms: u32,
    copies: usize,
    max_rise_percent: u32,
    retries: JobFact,
    hedges: JobFact,
    ceiling: JobFact,
    input: Cause,
    gateway: Cause,
    unsafe_again: Cause,
    exhausted: Cause,
    dear: Cause,
}

// === impl Standard ===

impl Policy for Standard {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            rest_ms: settings.count("rest-ms", 10_000, 0..=600_000),
            max_rest_ms: settings.count("max-rest-ms", 60_000, 0..=600_000),
            again_ms: settings.count("again-ms", 250, 0..=60_000),
            copies: settings.count("copies", 2, 1..=4) as usize,
            max_rise_percent: settings.count("max-rise-percent", 200, 100..=10_000),
            retries: plan.fact("retries-left"),
            hedges: plan.fact("hedges-left"),
            ceiling: plan.fact("max-price"),
            input: plan.cause("the input is at fault"),
            gateway: plan.cause("the gateway is at fault"),
            unsafe_again: plan.cause("sending again is not safe"),
            exhausted: plan.cause("no orchestrator or retry is left"),
            dear: plan.cause("the price rose too far, and no other is left"),
        }
    }
}

impl Failover for Standard {
    fn on_failure(&self, job: &Job, attempts: &[Attempt], remaining: &Candidates) -> Remedy {
        let Some((attempt, failure)) = failed_last(attempts) else {
            return Remedy {
                rest_ms: 0,
                recovery: Recovery::Abstain,
            };
        };
        let rest_ms = self.rest(failure);
        let recovery = match failure.blame {
            Blame::Input => Recovery::Stop(self.input.refuse(422, "the input cannot be processed")),
            Blame::Gateway => Recovery::Stop(self.gateway.refuse(500, "the gateway failed")),
            _ if !failure.retry_safe => Recovery::Stop(self.unsafe_again.refuse(
                502,
                "the orchestrator failed, and sending again is not safe",
            )),
            _ if failure.kind == kind::TOKEN && first_token_failure(attempt, attempts) => {
                Recovery::RetrySame(0)
            }
            _ => self.go_on(job, attempts, remaining, failure),
        };
        Remedy { rest_ms, recovery }
    }

    fn on_slow(&self, job: &Job, attempts: &[Attempt], remaining: &Candidates) -> Patience {
        let running = attempts.iter().filter(|attempt| attempt.running).count();
        let allowed = job.count(self.hedges) != Some(0) && running < self.copies;
        match untried(attempts, remaining).filter(|_| allowed) {
            Some(row) => Patience::Hedge(row),
            None => Patience::Wait(job.deadline_ms.max(1)),
        }
    }

    fn on_price_change(
        &self,
        job: &Job,
        before: Price,
        after: Price,
        remaining: &Candidates,
    ) -> Bargain {
        let below_ceiling = job
            .number(self.ceiling)
            .is_none_or(|ceiling| after.to_f64() <= ceiling);
        if below_ceiling && after.within(self.max_rise_percent, before) {
            return Bargain::Accept;
        }
        match remaining.is_empty() {
            true => Bargain::Stop(self.dear.refuse(503, "the price rose too far")),
            false => Bargain::Next(0),
        }
    }
}

impl Standard {
    /// How long the orchestrator rests: after a fault, or because it asked to be left alone.
    fn rest(&self, failure: &Failure) -> u32 {
        let asked = failure.retry_after_ms.min(self.max_rest_ms);
        if is_fault(failure) {
            asked.max(self.rest_ms)
        } else {
            asked
        }
    }

    fn go_on(
        &self,
        job: &Job,
        attempts: &[Attempt],
        remaining: &Candidates,
        failure: &Failure,
    ) -> Recovery {
        let stop = || {
            Recovery::Stop(
                self.exhausted
                    .refuse(503, "no orchestrator could do the job"),
            )
        };
        if job.count(self.retries) == Some(0) {
            return stop();
        }
        if let Some(row) = untried(attempts, remaining) {
            return Recovery::Next(row);
        }
        let wait = failure.retry_after_ms.max(self.again_ms);
        // What cannot be mended by waiting is not asked again, and half of what is left is kept for the answer.
        let may_mend = is_fault(failure) || is_full(failure);
        if may_mend && wait < job.deadline_ms / 2 {
            Recovery::RetrySame(wait)
        } else {
            stop()
        }
    }
}

/// Whether this orchestrator's token failed for the first time in this job.
fn first_token_failure(attempt: &Attempt, attempts: &[Attempt]) -> bool {
    let of_token = |other: &&Attempt| {
        other.candidate == attempt.candidate
            && other
                .failure
                .as_ref()
                .is_some_and(|failure| failure.kind == kind::TOKEN)
    };
    attempts.iter().filter(of_token).count() == 1
}

fn is_full(failure: &Failure) -> bool {
    matches!(failure.kind, kind::BUSY | kind::CAPPED)
}

/// Whether it was the orchestrator's doing, or that of the way to it, and not the state of a session or a full queue.
fn is_fault(failure: &Failure) -> bool {
    let state = matches!(
        failure.kind,
        kind::TOKEN | kind::SESSION | kind::INCOMPATIBLE | kind::STORAGE | kind::PRICE
    );
    matches!(failure.blame, Blame::Orchestrator | Blame::Network) && !state && !is_full(failure)
}

export!(Standard: Failover, settings = "settings.schema.json");

#[cfg(test)]
mod tests;
