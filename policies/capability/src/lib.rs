//! Excludes what cannot do the job.
//!
//! # Contract
//!
//! A row stays when the host's verdict `fit` is yes and it does not rest. Unknown is no: an orchestrator that has not answered
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
    fit: Marks,
    answers: Marks,
    rest: Option<Counts>,
    only: Marks,
    ignore: Marks,
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
            fit: plan.marks("fit"),
            answers: plan.marks("answers"),
            rest: skip.then(|| plan.counts("rest-ms")),
            only: plan.marks("hint/only"),
            ignore: plan.marks("hint/ignore"),
            unfit: plan.cause("cannot do this job"),
            silent: plan.cause("does not answer"),
            unprobed: plan.cause("not probed yet"),
            resting: plan.cause("rests after a fault, ms"),
            not_only: plan.cause("not on the application's only list"),
            ignored: plan.cause("on the application's ignore list"),
        }
    }
}

impl Selection for Capability {
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        let fit = candidates.marks(self.fit);
        let answers = candidates.marks(self.answers);
        let wishes = candidates.marks(self.only).iter();
        let wishes = wishes.zip(candidates.marks(self.ignore));
        let rest = self.rest.map(|rest| candidates.counts(rest));
        let (mut excluded, mut resting) = (Vec::new(), Vec::new());
        for (((row, fit), answers), (only, ignore)) in (0..).zip(fit).zip(answers).zip(wishes) {
            let cause = match (fit, answers, only, ignore) {
                (1, _, _, 1) => self.ignored,
                (1, _, 0, _) => self.not_only,
                (1, ..) => {
                    let ms = rest.and_then(|rest| rest.get(row as usize));
                    if let Some(&ms @ 1..) = ms {
                        resting.push(self.resting.value(ms as f64).at(row));
                    }
                    continue;
                }
                (0, 0, ..) => self.silent,
                (0, ..) => self.unfit,
                _ => self.unprobed,
            };
            excluded.push(cause.at(row));
        }
        if excluded.len() + resting.len() < fit.len() {
            excluded.append(&mut resting);
        }
        Verdict::Exclude(excluded)
    }
}

export!(Capability, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Table};

    use super::*;

    fn left(fit: &[Option<bool>], rest: &[u64], skip: bool) -> (Vec<u32>, Vec<String>) {
        let answers = fit.iter().map(|fit| fit.map(|_| true));
        let table = Table::new()
            .marks("fit", fit.iter().copied())
            .marks("answers", answers)
            .counts("rest-ms", rest.iter().copied());
        let policy = testing::selection::<Capability>([("skip-resting", skip.into())]);
        let outcome = policy.judge(&table);
        let causes = outcome
            .excluded
            .into_iter()
            .map(|(row, cause)| format!("{row} {cause}"));
        (outcome.order, causes.collect())
    }

    #[test]
    fn each_row_is_judged_by_its_own_facts() {
        let (yes, no, unknown) = (Some(true), Some(false), None);
        type Case<'a> = (&'a [Option<bool>], &'a [u64], &'a [u32], &'a [&'a str]);
        let cases: &[Case<'_>] = &[
            (
                &[yes, no, unknown],
                &[0, 0, 0],
                &[0],
                &["1 cannot do this job", "2 not probed yet"],
            ),
            (&[yes, yes], &[0, 900], &[0], &["1 rests after a fault, ms"]),
            (&[yes, yes], &[100, 900], &[0, 1], &[]),
            (
                &[yes, no, yes],
                &[100, 0, 900],
                &[0, 2],
                &["1 cannot do this job"],
            ),
            (
                &[no, unknown],
                &[0, 5],
                &[],
                &["0 cannot do this job", "1 not probed yet"],
            ),
            (&[], &[], &[], &[]),
        ];
        for (fit, rest, order, causes) in cases {
            let (left, why) = left(fit, rest, true);
            assert_eq!(
                (left.as_slice(), why),
                (*order, causes.iter().map(|&c| c.to_owned()).collect()),
                "{fit:?} {rest:?}"
            );
        }
    }

    #[test]
    fn the_applications_lists_bind_and_resting_yields_among_those_left() {
        let table = Table::new()
            .marks("fit", [true; 4])
            .marks("answers", [true; 4])
            .marks("hint/only", [true, true, false, true])
            .marks("hint/ignore", [false, true, false, false])
            .counts("rest-ms", [900, 0, 0, 900]);
        let outcome = testing::selection::<Capability>([]).judge(&table);
        assert_eq!(outcome.order, [0, 3], "both rest, and nobody else may");
        let why: Vec<_> = outcome
            .excluded
            .iter()
            .map(|(row, why)| (*row, why.as_str()))
            .collect();
        let ignored = (1, "on the application's ignore list");
        let not_only = (2, "not on the application's only list");
        assert_eq!(why, [ignored, not_only]);
    }

    #[test]
    fn who_stopped_answering_is_told_from_who_cannot() {
        let (yes, no, unknown) = (Some(true), Some(false), None);
        let table = Table::new()
            .marks("fit", [yes, no, no, no, unknown])
            .marks("answers", [yes, yes, no, unknown, unknown])
            .counts("rest-ms", [0; 5]);
        let outcome = testing::selection::<Capability>([]).judge(&table);
        assert_eq!(outcome.order, [0]);
        let why = ["cannot do this job", "does not answer"];
        let causes = [(1, why[0]), (2, why[1]), (3, why[0]), (4, "not probed yet")];
        let excluded = outcome.excluded.iter();
        let excluded: Vec<_> = excluded
            .map(|(row, cause)| (*row, cause.as_str()))
            .collect();
        assert_eq!(excluded, causes);
    }

    #[test]
    fn resting_ones_stay_when_the_operator_says_so() {
        assert_eq!(left(&[Some(true), Some(true)], &[0, 900], false).0, [0, 1]);
        let policy = testing::selection::<Capability>([("skip-resting", false.into())]);
        assert_eq!(
            policy.columns(),
            ["fit", "answers", "hint/only", "hint/ignore"],
            "what is not used is not asked for"
        );
    }
}
