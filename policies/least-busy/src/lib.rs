//! Gives each job to the orchestrator with the least to do.
//!
//! # Contract
//!
//! Two views of load: what this gateway has running there (`in-flight`, always known and current to the attempt), and what the
//! orchestrator says is free (`capacity-free`, from its last probe, and of all its gateways). One orders, the other decides between equals,
//! then the order they came in, which the seed has shuffled. Who says that nothing is free is left out, except the stream's own
//! orchestrator: what it has no room for is more.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// Orders by load.
#[derive(Debug)]
pub struct LeastBusy {
    in_flight: Counts,
    free: Counts,
    incumbent: Marks,
    by_capacity: bool,
    keep_margin: u64,
    skip_full: bool,
    full: Cause,
}

// === impl LeastBusy ===

impl Policy for LeastBusy {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            in_flight: plan.counts("in-flight"),
            free: plan.counts("capacity-free"),
            incumbent: plan.marks("incumbent"),
            by_capacity: settings.choice("by", &["in-flight", "capacity-free"]) == 1,
            keep_margin: settings.count("keep-margin", 2, 0..=1_000_000).into(),
            skip_full: settings.flag("skip-full", true),
            full: plan.cause("no capacity free"),
        }
    }
}

impl Selection for LeastBusy {
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        let full = |row: Row<'_>| {
            self.skip_full && row.get(self.free) == Some(0) && !row.yes(self.incumbent)
        };
        candidates
            .exclude(|row| full(row).then_some(self.full))
            .order_by(|row| {
                let holds = row.yes(self.incumbent);
                let margin = if holds { self.keep_margin } else { 0 };
                let running = row.or(self.in_flight, 0).saturating_sub(margin);
                let free = row
                    .get(self.free)
                    .map(|free| Reverse(free.saturating_add(margin)));
                if self.by_capacity {
                    (None, free, Some(running), !holds)
                } else {
                    (Some(running), free, None, !holds)
                }
            })
    }
}

export!(LeastBusy, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Table};

    use super::*;

    fn table(in_flight: [u64; 4], free: [Option<u64>; 4]) -> Table {
        Table::new()
            .counts("in-flight", in_flight)
            .counts("capacity-free", free)
    }

    fn order(settings: &[(&'static str, pointsman_sdk::Value)], table: &Table) -> Vec<u32> {
        testing::selection::<LeastBusy>(settings.iter().cloned())
            .judge(table)
            .order
    }

    const UNTOLD: [Option<u64>; 4] = [None; 4];

    #[test]
    fn the_least_running_is_first_and_the_most_free_of_equals() {
        assert_eq!(order(&[], &table([2, 0, 1, 0], UNTOLD)), [1, 3, 2, 0]);
        let free = [Some(9), None, Some(1), Some(4)];
        assert_eq!(order(&[], &table([1, 0, 0, 0], free)), [3, 2, 1, 0]);
    }

    #[test]
    fn the_most_free_can_be_what_counts() {
        let by = [("by", testing::text("capacity-free"))];
        let free = [Some(9), None, Some(4), Some(4)];
        assert_eq!(order(&by, &table([8, 0, 1, 0], free)), [0, 3, 2, 1]);
    }

    #[test]
    fn the_full_are_left_out_except_the_streams_own() {
        let full = table([0, 0, 0, 1], [Some(0), Some(1), None, Some(0)])
            .marks("incumbent", [false, false, false, true]);
        let outcome = testing::selection::<LeastBusy>([]).judge(&full);
        assert_eq!(outcome.excluded, [(0, "no capacity free".to_owned())]);
        assert_eq!(outcome.order, [3, 1, 2]);
        assert_eq!(order(&[("skip-full", false.into())], &full).len(), 4);
    }

    #[test]
    fn a_stream_stays_until_its_orchestrator_has_more_to_do_by_the_margin() {
        let held = |running| {
            table([0, running, 5, 5], UNTOLD).marks("incumbent", [false, true, false, false])
        };
        assert_eq!(order(&[], &held(2))[0], 1);
        assert_eq!(order(&[], &held(3))[0], 0);
        assert_eq!(
            order(&[("keep-margin", 0.into())], &held(0))[0],
            1,
            "of equals it is first"
        );
    }
}
