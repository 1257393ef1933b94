//! The fastest orchestrators in busy hours, the cheapest outside of them; and outside of them no second copies either.
//!
//! The hour is the job's (`now_ms`, UTC), never a clock of the policy's own: yesterday's decisions replay alike today.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// Both hooks of the bundle.
#[derive(Debug)]
pub struct OffPeak {
    /// First busy hour, and the first one after them, UTC.
    busy: (u32, u32),
    incumbent: Marks,
    rest: Counts,
    price: Numbers,
    ms: Numbers,
}

const HOUR_MS: u64 = 3_600_000;

// === impl OffPeak ===

impl OffPeak {
    /// From 22 to 6 goes round midnight; from an hour to the same one is never.
    fn is_busy(&self, job: &Job) -> bool {
        let hour = (job.now_ms / HOUR_MS % 24) as u32;
        let (from, to) = self.busy;
        if from <= to {
            (from..to).contains(&hour)
        } else {
            hour >= from || hour < to
        }
    }
}

impl Policy for OffPeak {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            busy: (
                settings.count("busy.from", 8, 0..=23),
                settings.count("busy.to", 20, 0..=24),
            ),
            incumbent: plan.marks("incumbent"),
            rest: plan.counts("rest-ms"),
            price: plan.numbers("price"),
            ms: plan.numbers("latency-ms/p95"),
        }
    }
}

impl Selection for OffPeak {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        if self.is_busy(job) {
            // Moving a stream costs a new session: who has it counts as a quarter faster.
            let haste = |row: Row<'_>| {
                let bonus = if row.yes(self.incumbent) { 0.75 } else { 1.0 };
                row.get(self.ms).map(|ms| ms * bonus)
            };
            candidates.order_by(|row| (row.get(self.rest), haste(row)))
        } else {
            candidates.order_by(|row| {
                let moved = !row.yes(self.incumbent);
                (row.get(self.rest), row.get(self.price), moved)
            })
        }
    }
}

impl Failover for OffPeak {
    /// What failed is the next stage's business.
    fn on_failure(&self, _: &Job, _: &[Attempt], _: &Candidates) -> Remedy {
        Remedy {
            rest_ms: 0,
            recovery: Recovery::Abstain,
        }
    }

    /// A second copy is paid like the first: worth it in busy hours only.
    fn on_slow(&self, job: &Job, _: &[Attempt], _: &Candidates) -> Patience {
        if self.is_busy(job) {
            Patience::Abstain
        } else {
            Patience::Wait(job.deadline_ms / 2)
        }
    }
}

export!(OffPeak: Selection + Failover, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::Value;
    use pointsman_sdk::testing::{self, Job, Table};

    use super::*;

    fn at(hour: u64) -> Job {
        Job::new().with(|job| job.now_ms = (20_000 * 24 + hour) * HOUR_MS)
    }

    fn table() -> Table {
        Table::new()
            .marks("incumbent", [false, true, false, false])
            .counts("rest-ms", [0, 0, 0, 500])
            .prices([(9, 1), (5, 1), (5, 1), (1, 1)])
            .numbers("latency-ms/p95", [700.0, 800.0, 900.0, 10.0])
    }

    #[test]
    fn busy_hours_are_for_the_fast() {
        let policy = testing::selection::<OffPeak>([]).job(at(12));
        assert_eq!(policy.judge(&table()).order, [1, 0, 2, 3]);
    }

    #[test]
    fn the_night_is_for_the_cheap() {
        for hour in [20, 23, 0, 7] {
            let policy = testing::selection::<OffPeak>([]).job(at(hour));
            assert_eq!(policy.judge(&table()).order, [1, 2, 0, 3], "{hour}");
        }
    }

    #[test]
    fn busy_hours_may_go_round_midnight() {
        let round = [
            ("busy.from", Value::Integer(22)),
            ("busy.to", Value::Integer(6)),
        ];
        for (hour, first) in [(21, 1), (22, 1), (5, 1), (6, 1)] {
            let order = testing::selection::<OffPeak>(round.clone())
                .job(at(hour))
                .judge(&table())
                .order;
            assert_eq!(order[0], first);
            let fast_second = order[1] == 0;
            assert_eq!(fast_second, !(6..22).contains(&hour), "{hour}");
        }
    }

    #[test]
    fn a_second_copy_waits_for_the_day() {
        let night = testing::failover::<OffPeak>([]).job(at(3).deadline_ms(4000));
        assert_eq!(night.on_slow(&[], &table()), Patience::Wait(2000));
        let day = testing::failover::<OffPeak>([]).job(at(9));
        assert_eq!(day.on_slow(&[], &table()), Patience::Abstain);
    }

    #[test]
    fn an_hour_that_is_none_is_a_problem() {
        let problems = testing::problems::<OffPeak>([("busy.from", Value::Integer(24))]);
        assert_eq!(problems, ["busy.from: must be a whole number from 0 to 23"]);
    }
}
