//! Draws two orchestrators and takes the better one.
//!
//! # Contract
//!
//! Two of those left are drawn by the seed; the better goes next, the other back; until all have a place. Equals and unknown against unknown
//! fall on the first drawn; known is better than unknown. The stream's own orchestrator comes first while `keep` says so.
//!
//! # Why not simply the best
//!
//! Everybody who asks for the best at one moment gets the same answer, and by the time the numbers show it the best is the worst: several
//! gateways with the same view herd. The better of two random ones avoids the worst as surely, and spreads: with n jobs on n
//! orchestrators the fullest has about log log n jobs instead of log n / log log n.
#![deny(unsafe_code)]

use pointsman_sdk::Ranking;
use pointsman_sdk::prelude::*;

/// The better of two, again and again.
#[derive(Debug)]
pub struct PowerOfTwo {
    load: Load,
    kept: Option<(Marks, Counts)>,
}

/// What "better" is: less of it.
#[derive(Debug)]
enum Load {
    InFlight(Counts),
    Latency(Numbers),
    Price(Numbers),
    /// How long the queue there takes: its length, this job included, by the median answer time.
    Wait(Counts, Numbers),
}

/// So that this stage's draws are not those of another stage.
const DRAW: u64 = symbol("power-of-two");

// === impl PowerOfTwo ===

impl Policy for PowerOfTwo {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let load = match settings.choice("by", &["in-flight", "latency", "price", "wait"]) {
            0 => Load::InFlight(plan.counts("in-flight")),
            1 => Load::Latency(plan.numbers("latency-ms/p50")),
            2 => Load::Price(plan.numbers("price")),
            _ => Load::Wait(plan.counts("in-flight"), plan.numbers("latency-ms/p50")),
        };
        let keep = settings.flag("keep", true);
        Self {
            load,
            kept: keep.then(|| (plan.marks("incumbent"), plan.counts("rest-ms"))),
        }
    }
}

impl Selection for PowerOfTwo {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        let loads: Vec<f64> = candidates.iter().map(|row| self.load.of(row)).collect();
        let mut left: Vec<u32> = (0..candidates.len()).collect();
        let mut order = Vec::with_capacity(left.len());
        if let Some((incumbent, rest)) = self.kept {
            let stays = |row: &Row<'_>| row.yes(incumbent) && row.or(rest, 0) == 0;
            if let Some(row) = candidates.iter().find(stays) {
                order.push(left.swap_remove(row.index() as usize));
            }
        }
        let mut rng = Rng::new(job.seed ^ DRAW);
        while !left.is_empty() {
            // Two different places: the second is drawn from one less, and steps over the first.
            let first = rng.below(left.len() as u32) as usize;
            let second = rng.below(left.len() as u32 - 1) as usize;
            let second = (second + usize::from(second >= first)).min(left.len() - 1);
            let load = |place: usize| loads[left[place] as usize];
            let better = if load(second) < load(first) {
                second
            } else {
                first
            };
            order.push(left.swap_remove(better));
        }
        Verdict::Order(Ranking {
            excluded: Vec::new(),
            order,
        })
    }
}

// === impl Load ===

impl Load {
    /// Infinite when unknown.
    fn of(&self, row: Row<'_>) -> f64 {
        let running = |counts| row.or(counts, 0) as f64;
        match *self {
            Self::InFlight(counts) => running(counts),
            Self::Latency(numbers) | Self::Price(numbers) => row.or(numbers, f64::INFINITY),
            Self::Wait(counts, numbers) => (running(counts) + 1.0) * row.or(numbers, f64::INFINITY),
        }
    }
}

export!(PowerOfTwo, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Job, Subject, Table};

    use super::*;

    const SEEDS: u64 = 6000;

    fn policy(by: &str) -> Subject<PowerOfTwo> {
        testing::selection::<PowerOfTwo>([("by", testing::text(by))])
    }

    /// How often each row came first.
    fn firsts(by: &str, table: &Table, rows: usize) -> Vec<u32> {
        let mut firsts = vec![0; rows];
        let mut policy = policy(by);
        for seed in 0..SEEDS {
            policy = policy.job(Job::new().seed(seed));
            firsts[policy.judge(table).order[0] as usize] += 1;
        }
        firsts
    }

    #[test]
    fn the_better_of_two_wins_and_the_worst_never_does() {
        let table = Table::new().counts("in-flight", [3, 0, 1, 2]);
        // Of six pairs the best is in three, the second in two without it, the third in one.
        let expected = [0, 3000, 2000, 1000];
        for (first, expected) in firsts("in-flight", &table, 4).into_iter().zip(expected) {
            assert!(
                first.abs_diff(expected) < 200 && (first > 0) == (expected > 0),
                "{first} for {expected}"
            );
        }
    }

    #[test]
    fn equals_share_evenly() {
        let table = Table::new().counts("in-flight", [1, 1, 1]);
        for first in firsts("in-flight", &table, 3) {
            assert!(first.abs_diff(2000) < 200, "{first}");
        }
    }

    #[test]
    fn everybody_has_one_place_and_a_seed_gives_one_order() {
        let table = Table::new().numbers(
            "latency-ms/p50",
            (0..50).map(|row| (row % 3 > 0).then_some(f64::from(row))),
        );
        let order = |seed| {
            policy("latency")
                .job(Job::new().seed(seed))
                .judge(&table)
                .order
        };
        let mut sorted = order(4);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<u32>>());
        assert_eq!(order(4), order(4));
        assert_ne!(order(4), order(5));
        assert_eq!(policy("price").judge(&Table::of(0)).order, []);
    }

    #[test]
    fn a_queue_counts_by_how_long_it_takes() {
        let table = Table::new()
            .counts("in-flight", [0, 3])
            .numbers("latency-ms/p50", [900.0, 100.0]);
        assert_eq!(policy("wait").judge(&table).order, [1, 0]);
        assert_eq!(policy("in-flight").judge(&table).order, [0, 1]);
        let unmeasured = table.numbers("latency-ms/p50", [None, Some(9000.0)]);
        assert_eq!(policy("wait").judge(&unmeasured).order, [1, 0]);
    }

    #[test]
    fn a_stream_stays_unless_its_orchestrator_rests() {
        let table = |rest| {
            Table::new()
                .counts("in-flight", [0, 9])
                .marks("incumbent", [false, true])
                .counts("rest-ms", [0, rest])
        };
        assert_eq!(policy("in-flight").judge(&table(0)).order, [1, 0]);
        assert_eq!(policy("in-flight").judge(&table(5)).order, [0, 1]);
        let free = testing::selection::<PowerOfTwo>([("keep", false.into())]);
        assert_eq!(free.judge(&table(0)).order, [0, 1]);
        assert_eq!(free.columns(), ["in-flight"]);
    }
}
