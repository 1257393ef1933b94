//! Gives each job to the orchestrator that answers fastest.
//!
//! # Contract
//!
//! Orders by the answer times that this gateway has measured for the workload, in steps: nearer than one step is equal, and equals
//! keep their order, which the seed has shuffled. The stream's own orchestrator counts as faster by `keep-margin`.
//!
//! # Why some work goes to the unmeasured
//!
//! An order by measurements alone never measures anyone new. So of the jobs that no orchestrator holds yet, a share `explore`
//! puts the unmeasured first; failover goes on to the fastest as ever. Running streams are no laboratory.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// Orders by answer time.
#[derive(Debug)]
pub struct LowestLatency {
    latency: Numbers,
    incumbent: Marks,
    /// What the incumbent's answer time is multiplied by.
    stay: f64,
    steps_per_ms: f64,
    explore: f64,
}

/// So that this stage's draw is not that of another stage.
const DRAW: u64 = symbol("lowest-latency");

// === impl LowestLatency ===

impl Policy for LowestLatency {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let latency = match settings.choice("of", &["p50", "p95"]) {
            0 => "latency-ms/p50",
            _ => "latency-ms/p95",
        };
        Self {
            latency: plan.numbers(latency),
            incumbent: plan.marks("incumbent"),
            stay: 1.0 / (1.0 + settings.number("keep-margin", 0.2, 0.0..=1000.0)),
            steps_per_ms: 1.0 / f64::from(settings.count("step-ms", 10, 1..=60_000)),
            explore: settings.number("explore", 0.05, 0.0..=1.0),
        }
    }
}

impl Selection for LowestLatency {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        let incumbents = candidates.marks(self.incumbent);
        let explores = !incumbents.contains(&1) && Rng::new(job.seed ^ DRAW).unit() < self.explore;
        candidates.order_by(|row| {
            let holds = row.yes(self.incumbent);
            let steps = row.get(self.latency).map(|ms| {
                let ms = if holds { ms * self.stay } else { ms };
                // A cast takes what is below zero to zero.
                (ms * self.steps_per_ms) as u32
            });
            (explores && steps.is_some(), steps, !holds)
        })
    }
}

export!(LowestLatency, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Job, Table};

    use super::*;

    fn order(settings: &[(&'static str, pointsman_sdk::Value)], table: &Table) -> Vec<u32> {
        testing::selection::<LowestLatency>(settings.iter().cloned())
            .judge(table)
            .order
    }

    fn measured(latencies: [Option<f64>; 4]) -> Table {
        Table::new().numbers("latency-ms/p50", latencies)
    }

    #[test]
    fn the_fastest_is_first_equals_as_they_came_and_the_unmeasured_last() {
        let table = measured([None, Some(120.0), Some(59.0), Some(51.0)]);
        assert_eq!(order(&[("explore", 0.into())], &table), [2, 3, 1, 0]);
        let exact = [("explore", 0.into()), ("step-ms", 1.into())];
        assert_eq!(order(&exact, &table), [3, 2, 1, 0]);
    }

    #[test]
    fn a_stream_stays_until_another_is_faster_by_the_margin() {
        let table = |own| {
            Table::new()
                .numbers("latency-ms/p50", [100.0, own])
                .marks("incumbent", [false, true])
        };
        assert_eq!(order(&[], &table(119.0)), [1, 0]);
        assert_eq!(order(&[], &table(140.0)), [0, 1]);
        assert_eq!(
            order(&[("keep-margin", 0.into())], &table(109.0)),
            [1, 0],
            "equal"
        );
    }

    #[test]
    fn a_share_of_new_jobs_tries_the_unmeasured() {
        let table = measured([Some(50.0), Some(60.0), None, None]);
        let first = |seed, table: &Table| {
            let policy = testing::selection::<LowestLatency>([("explore", 0.25.into())]);
            policy.job(Job::new().seed(seed)).judge(table).order[0]
        };
        let tries = (0..4000).filter(|&seed| first(seed, &table) == 2).count();
        assert!((850..1150).contains(&tries), "{tries} of 4000");
        let held = table.marks("incumbent", [false, true, false, false]);
        assert!((0..200).all(|seed| first(seed, &held) == 1 || first(seed, &held) == 0));
    }

    #[test]
    fn the_slow_end_can_be_what_counts() {
        let table = Table::new()
            .numbers("latency-ms/p50", [50.0, 80.0])
            .numbers("latency-ms/p95", [900.0, 120.0]);
        assert_eq!(order(&[("of", testing::text("p95"))], &table), [1, 0]);
    }
}
