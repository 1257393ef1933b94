//! Doubles slow attempts after a delay of its own.
//!
//! # Contract
//!
//! Two hooks, one delay. As the last selection stage it sets when the host first looks after an attempt: without it that is the host's
//! adaptive delay. As a failover stage it then sends the second copy to the best candidate not yet tried, or says how long to wait
//! still. Whatever else happens (failures, prices) it leaves to the stages after it. Budgets and the last word on copies are the host's.
//!
//! The delay is a share of the time to the soft deadline; or, with `after = "p95"`, the time in which the orchestrator answers 95 times
//! of 100, not later than `latest` of the soft deadline, and the share while nothing was measured. A third copy waits twice as long.
//!
//! # Why p95
//!
//! A copy at the median doubles half of all work, one at p95 adds five jobs in a hundred and cuts the tail just the same: what is
//! still out by then is mostly not going to come in time.
#![deny(unsafe_code)]

use pointsman_sdk::failover::untried;
use pointsman_sdk::prelude::*;

/// When a slow attempt is doubled.
#[derive(Debug)]
pub struct Hedging {
    share: f64,
    /// Times p95, and the latest as a share of the soft deadline.
    by_p95: Option<(f64, f64)>,
    min_ms: u32,
    copies: usize,
    soft: JobFact,
    hedges: JobFact,
    p95: Option<Numbers>,
    position: Counts,
    sum: Numbers,
}

// === impl Hedging ===

impl Policy for Hedging {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let by_p95 = settings.choice("after", &["share", "p95"]) == 1;
        let factor = settings.number("factor", 1.0, 0.1..=10.0);
        let latest = settings.number("latest", 0.7, 0.01..=1.0);
        Self {
            share: settings.number("share", 0.4, 0.01..=1.0),
            by_p95: by_p95.then_some((factor, latest)),
            min_ms: settings.count("min-ms", 50, 1..=600_000),
            copies: settings.count("copies", 2, 1..=4) as usize,
            soft: plan.fact("soft-ms"),
            hedges: plan.fact("hedges-left"),
            p95: by_p95.then(|| plan.numbers("latency-ms/p95")),
            position: plan.counts("position"),
            sum: plan.numbers("score/sum"),
        }
    }
}

impl Selection for Hedging {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        let (Some(soft), Some(first)) = (job.number(self.soft), self.first(candidates)) else {
            return Verdict::Abstain;
        };
        Verdict::Hedge(self.delay_ms(soft, self.p95.and_then(|p95| first.get(p95))))
    }
}

impl Failover for Hedging {
    fn on_failure(&self, _: &Job, _: &[Attempt], _: &Candidates) -> Remedy {
        Remedy {
            rest_ms: 0,
            recovery: Recovery::Abstain,
        }
    }

    fn on_slow(&self, job: &Job, attempts: &[Attempt], remaining: &Candidates) -> Patience {
        let mut running = attempts.iter().filter(|attempt| attempt.running);
        let Some(oldest) = running.next() else {
            return Patience::Abstain;
        };
        let copies = 1 + running.count();
        let allowed = job.count(self.hedges) != Some(0) && copies < self.copies;
        let Some(next) = untried(attempts, remaining).filter(|_| allowed) else {
            return Patience::Wait(job.deadline_ms.max(1));
        };
        let due = self.due_ms(job, oldest, copies, remaining);
        match due.saturating_sub(oldest.elapsed_ms.into()) {
            0 => Patience::Hedge(next),
            wait => Patience::Wait(u32::try_from(wait).unwrap_or(u32::MAX)),
        }
    }
}

impl Hedging {
    /// The candidate that gets the job first, as far as the stages before have said.
    fn first<'a>(&self, candidates: &'a Candidates) -> Option<Row<'a>> {
        // The first of equals: they come in the order that ties keep.
        candidates.iter().reduce(|best, row| {
            let key = |row: Row<'_>| (row.or(self.position, u64::MAX), row.or(self.sum, 0.0));
            let ((place, sum), (best_place, best_sum)) = (key(row), key(best));
            let better = place < best_place || (place == best_place && sum > best_sum);
            if better { row } else { best }
        })
    }

    /// How long after its start an attempt is doubled, when it started so many ms before the soft deadline. Neither 0 nor all ones,
    /// which mean something else to the host.
    fn delay_ms(&self, soft: f64, p95: Option<f64>) -> u32 {
        let by_p95 = self.by_p95.zip(p95.filter(|p95| *p95 > 0.0));
        let delay = match by_p95 {
            Some(((factor, latest), p95)) => (factor * p95).min(latest * soft),
            None => self.share * soft,
        };
        // A cast saturates.
        (delay as u32).clamp(self.min_ms, u32::MAX - 1)
    }

    /// The same for an attempt under way, of which so many copies run: each waits as long as the first.
    fn due_ms(&self, job: &Job, attempt: &Attempt, copies: usize, remaining: &Candidates) -> u64 {
        let soft = job.number(self.soft).unwrap_or(0.0) + f64::from(attempt.elapsed_ms);
        // An orchestrator that runs an attempt is mostly no candidate any more, and then nothing is known of it here.
        let row = attempt.row.filter(|row| *row < remaining.len());
        let p95 = self
            .p95
            .zip(row)
            .and_then(|(p95, row)| remaining.row(row).get(p95));
        if self.by_p95.is_some() && p95.is_none() && copies == 1 {
            // The host looks after it now because its p95, or what stands for it, has passed.
            return 0;
        }
        u64::from(self.delay_ms(soft, p95)) * copies as u64
    }
}

export!(Hedging: Selection + Failover, settings = "settings.schema.json");

#[cfg(test)]
mod tests;
