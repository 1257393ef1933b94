//! Keeps a stream or conversation on one orchestrator, also across restarts and gateways.
//!
//! # Contract
//!
//! The stream's own orchestrator stays first while it does not rest. Where nobody holds the job yet, every candidate gets a number that
//! depends on the job's affinity and the candidate's identity alone, and the highest wins (rendezvous hashing). So the same
//! conversation goes to the same orchestrator from any gateway, at any time, without anything kept; when an orchestrator comes or
//! goes, only the conversations that it gets or had move. The rest of the order is as fixed, so failover is sticky too.
//!
//! With `max-in-flight`, orchestrators that run so many attempts go behind the others: a popular one passes new conversations on to
//! their second choice.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// Orders by affinity.
#[derive(Debug)]
pub struct Sticky {
    id: Symbols,
    incumbent: Marks,
    rest: Counts,
    in_flight: Option<Counts>,
    max_in_flight: u64,
}

// === impl Sticky ===

impl Policy for Sticky {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let max_in_flight = settings.count("max-in-flight", 0, 0..=1_000_000);
        Self {
            id: plan.symbols("id"),
            incumbent: plan.marks("incumbent"),
            rest: plan.counts("rest-ms"),
            in_flight: (max_in_flight > 0).then(|| plan.counts("in-flight")),
            max_in_flight: max_in_flight.into(),
        }
    }
}

impl Selection for Sticky {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        candidates.order_by(|row| {
            let stays = row.yes(self.incumbent) && row.or(self.rest, 0) == 0;
            let running = self.in_flight.and_then(|in_flight| row.get(in_flight));
            let full = running.is_some_and(|running| running >= self.max_in_flight);
            let chance = weight(job.affinity, row.or(self.id, 0));
            (!stays, full, Reverse(chance))
        })
    }
}

/// A number of these two and nothing else. The affinity is spread out first: streams that are numbered one after another
/// would else differ from each other as orchestrators do.
fn weight(affinity: u64, id: Symbol) -> u64 {
    Rng::new(Rng::new(affinity).next() ^ id).next()
}

export!(Sticky, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Job, Table};

    use super::*;

    const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

    /// The order for one affinity, as names.
    fn order<'a>(affinity: u64, names: &[&'a str]) -> Vec<&'a str> {
        let job = Job::new().with(|job| job.affinity = affinity);
        let policy = testing::selection::<Sticky>([]).job(job);
        let table = Table::new().symbols("id", names.iter().copied());
        let order = policy.judge(&table).order;
        order.into_iter().map(|row| names[row as usize]).collect()
    }

    #[test]
    fn the_order_depends_on_the_affinity_and_not_on_the_shuffle() {
        let mut shuffled = NAMES;
        shuffled.reverse();
        for affinity in 0..100 {
            assert_eq!(order(affinity, &NAMES), order(affinity, &shuffled));
        }
    }

    #[test]
    fn who_leaves_moves_only_its_own() {
        for affinity in 0..200 {
            let mut before = order(affinity, &NAMES);
            before.retain(|&name| name != "c");
            let mut names = NAMES.to_vec();
            names.retain(|&name| name != "c");
            assert_eq!(order(affinity, &names), before);
        }
    }

    #[test]
    fn affinities_spread_evenly() {
        let mut firsts = [0_u32; 8];
        for affinity in 0..8000 {
            let first = order(affinity, &NAMES)[0];
            firsts[NAMES
                .iter()
                .position(|&name| name == first)
                .expect("one of them")] += 1;
        }
        assert!(
            firsts.iter().all(|&first| first.abs_diff(1000) < 150),
            "{firsts:?}"
        );
    }

    #[test]
    fn an_incumbent_stays_unless_it_rests() {
        let table = |row: usize, rest: u64| {
            Table::new()
                .symbols("id", NAMES)
                .marks("incumbent", (0..8).map(|other| other == row))
                .counts(
                    "rest-ms",
                    (0..8).map(|other| if other == row { rest } else { 0 }),
                )
        };
        let policy = testing::selection::<Sticky>([]);
        let natural = policy.judge(&table(8, 0)).order;
        let second = natural[1] as usize;
        assert_eq!(policy.judge(&table(second, 0)).order[0], natural[1]);
        assert_eq!(policy.judge(&table(second, 700)).order, natural);
    }

    #[test]
    fn a_full_one_passes_new_work_to_the_second_choice() {
        let policy = testing::selection::<Sticky>([("max-in-flight", 4.into())]);
        let table = |full: Option<u32>| {
            let running = (0..8).map(|row| if Some(row) == full { 4 } else { 3 });
            Table::new()
                .symbols("id", NAMES)
                .counts("in-flight", running)
        };
        let natural = policy.judge(&table(None)).order;
        let mut expected = natural.clone();
        expected.rotate_left(1);
        assert_eq!(policy.judge(&table(Some(natural[0]))).order, expected);
    }
}
