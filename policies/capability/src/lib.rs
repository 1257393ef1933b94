//! Excludes what cannot do the job.
//!
//! # Contract
//!
//! A row stays when the column `fit/why` says that it may do the job, and it does not rest. Unknown is no: an orchestrator that has not answered
//! a probe has no session to send a job to. What stopped answering is unfit as well, and is told apart for whoever reads the
//! decision: its operator has another thing to mend. Resting is the one judgement that yields: when every fit orchestrator rests, all of
//! them stay, since a doubtful orchestrator is better than a certain gap.
//!
//! Whom the application's hints `only` and `ignore` leave out, goes here, with the cause. The host would drop them at the end as well; but a
//! stage that picks a few of the best must pick among those that may.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// The first stage of the default chain.
#[derive(Debug)]
pub struct Capability {
    why: Counts,
    rest: Option<Counts>,
    unfit: Cause,
    silent: Cause,
    unprobed: Cause,
    resting: Cause,
    not_only: Cause,
    ignored: Cause,
}

// === impl Capability ===

impl Policy for Capability {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let skip = settings.flag("skip-resting", true);
        Self {
            why: plan.counts("fit/why"),
            rest: skip.then(|| plan.counts("rest-ms")),
            unfit: plan.cause("cannot do this job"),
            silent: plan.cause("does not answer"),
            unprobed: plan.cause("not probed yet"),
            resting: plan.cause("rests after a fault, ms"),
            not_only: plan.cause("not on the application's only list"),
            ignored: plan.cause("on the application's ignore list"),
        }
    }
}

impl Capability {
    /// The cause for a value of `fit/why` that is not 0.
    fn cause(&self, why: u64) -> Cause {
        match why {
            2 => self.silent,
            3 => self.ignored,
            4 => self.not_only,
            u64::MAX => self.unprobed,
            // Also what only a later host says.
            _ => self.unfit,
        }
    }
}

impl Selection for Capability {
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        let all = candidates.counts(self.why);
        let mut excluded = Vec::new();
        for (row, &why) in (0..).zip(all) {
            if why != 0 {
                excluded.push(self.cause(why).at(row));
            }
        }
        if let Some(rest) = self.rest {
            let mut resting = Vec::new();
            for (row, (&why, &ms)) in (0..).zip(all.iter().zip(candidates.counts(rest))) {
                if why == 0 && ms > 0 {
                    resting.push(self.resting.value(ms as f64).at(row));
                }
            }
            if excluded.len() + resting.len() < all.len() {
                excluded.append(&mut resting);
            }
        }
        Verdict::Exclude(excluded)
    }
}

export!(Capability, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Table};

    use super::*;

    const CANNOT: Option<u64> = Some(1);
    const MAY: Option<u64> = Some(0);
    const UNPROBED: Option<u64> = None;

    fn table(why: &[Option<u64>], rest: &[u64]) -> Table {
        Table::new()
            .counts("fit/why", why.iter().copied())
            .counts("rest-ms", rest.iter().copied())
    }

    fn left(table: &Table, skip: bool) -> (Vec<u32>, Vec<String>) {
        let policy = testing::selection::<Capability>([("skip-resting", skip.into())]);
        let outcome = policy.judge(table);
        let causes = outcome
            .excluded
            .into_iter()
            .map(|(row, cause)| format!("{row} {cause}"));
        (outcome.order, causes.collect())
    }

    #[test]
    fn each_row_is_judged_by_its_own_facts() {
        type Case<'a> = (&'a [Option<u64>], &'a [u64], &'a [u32], &'a [&'a str]);
        let cases: &[Case<'_>] = &[
            (
                &[MAY, CANNOT, UNPROBED],
                &[0, 0, 0],
                &[0],
                &["1 cannot do this job", "2 not probed yet"],
            ),
            (&[MAY, MAY], &[0, 900], &[0], &["1 rests after a fault, ms"]),
            (&[MAY, MAY], &[100, 900], &[0, 1], &[]),
            (
                &[MAY, CANNOT, MAY],
                &[100, 0, 900],
                &[0, 2],
                &["1 cannot do this job"],
            ),
            (
                &[CANNOT, UNPROBED],
                &[0, 5],
                &[],
                &["0 cannot do this job", "1 not probed yet"],
            ),
            (&[], &[], &[], &[]),
        ];
        for (why, rest, order, causes) in cases {
            let (left, told) = left(&table(why, rest), true);
            assert_eq!(
                (left.as_slice(), told),
                (*order, causes.iter().map(|&c| c.to_owned()).collect()),
                "{why:?} {rest:?}"
            );
        }
    }

    #[test]
    fn the_applications_lists_bind_and_resting_yields_among_those_left() {
        let table = table(&[MAY, Some(3), Some(4), MAY], &[900, 0, 0, 900]);
        let (order, causes) = left(&table, true);
        assert_eq!(order, [0, 3], "both rest, and nobody else may");
        let ignored = "1 on the application's ignore list";
        assert_eq!(causes, [ignored, "2 not on the application's only list"]);
    }

    #[test]
    fn who_stopped_answering_is_told_from_who_cannot_and_a_later_hosts_reason_counts_as_one() {
        let (order, causes) = left(&table(&[MAY, CANNOT, Some(2), Some(99)], &[0; 4]), true);
        assert_eq!(order, [0]);
        let cannot = "cannot do this job";
        let told = [("1", cannot), ("2", "does not answer"), ("3", cannot)];
        assert_eq!(causes, told.map(|(row, why)| format!("{row} {why}")));
    }

    #[test]
    fn resting_ones_stay_when_the_operator_says_so() {
        assert_eq!(left(&table(&[MAY, MAY], &[0, 900]), false).0, [0, 1]);
        let policy = testing::selection::<Capability>([("skip-resting", false.into())]);
        let columns = policy.columns();
        assert_eq!(columns, ["fit/why"], "what is not used is not asked for");
    }
}
