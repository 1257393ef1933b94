//! Answers each of the three questions with every case, told apart by the failure's kind, the time left, and the rise of the price.
#![deny(unsafe_code)]

use pointsman_sdk::failover::{failed_last, untried};
use pointsman_sdk::kind;
use pointsman_sdk::prelude::*;

struct Line {
    rest_ms: u32,
    warm: Marks,
    retries: JobFact,
    input: Cause,
}

impl Policy for Line {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            rest_ms: settings.count("rest-ms", 5000, 0..=60_000),
            warm: plan.marks("warm"),
            retries: plan.fact("retries-left"),
            input: plan.cause("the input is at fault"),
        }
    }
}

impl Failover for Line {
    fn on_failure(&self, job: &Job, attempts: &[Attempt], remaining: &Candidates) -> Remedy {
        let Some((_, failure)) = failed_last(attempts) else {
            let recovery = Recovery::Abstain;
            return Remedy {
                rest_ms: 0,
                recovery,
            };
        };
        let recovery = match (failure.kind, failure.blame) {
            (_, Blame::Input) => Recovery::Stop(self.input.refuse(422, "nobody can do this")),
            (kind::TOKEN, _) => Recovery::RetrySame(failure.retry_after_ms),
            (kind::CAPPED, _) if job.count(self.retries) == Some(0) => Recovery::Rerank,
            _ => match untried(attempts, remaining) {
                Some(row) => Recovery::Next(row),
                None => Recovery::Abstain,
            },
        };
        Remedy {
            rest_ms: self.rest_ms,
            recovery,
        }
    }

    fn on_slow(&self, job: &Job, attempts: &[Attempt], remaining: &Candidates) -> Patience {
        let running = attempts.iter().filter(|attempt| attempt.running).count();
        let warm = remaining.iter().find(|row| row.yes(self.warm));
        match (running, warm) {
            (0, _) => Patience::Abstain,
            (_, Some(row)) => Patience::Hedge(row.index()),
            _ if job.deadline_ms < 1000 => Patience::Abandon,
            _ => Patience::Wait(100),
        }
    }

    fn on_price_change(
        &self,
        _: &Job,
        before: Price,
        after: Price,
        remaining: &Candidates,
    ) -> Bargain {
        if after.within(100, before) {
            Bargain::Accept
        } else if after.within(200, before) {
            Bargain::Renegotiate
        } else if remaining.is_empty() {
            Bargain::Stop(self.input.refuse(503, "too dear"))
        } else {
            Bargain::Next(0)
        }
    }
}

export!(Line: Failover);
