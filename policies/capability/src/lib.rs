//! Excludes what cannot do the job.
//!
//! # Contract
//!
//! A row stays when the host's verdict `fit` is yes and it does not rest. Unknown is no: an orchestrator that has not answered
//! a probe has no session to send a job to. What stopped answering is unfit as well, and is told apart for whoever reads the
//! decision: its operator has another thing to mend. Resting is the one judgement that yields: when every fit orchestrator rests, all of
//! them stay, since a doubtful orchestrator is better than a certain gap.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// The first stage of the default chain.
#[derive(Debug)]
pub struct Capability {
    fit: Marks,
    answers: Marks,
    rest: Option<Counts>,
    unfit: Cause,
    silent: Cause,
    unprobed: Cause,
    resting: Cause,
}

// === impl Capability ===

impl Policy for Capability {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let skip = settings.flag("skip-resting", true);
        Self {
            fit: plan.marks("fit"),
            answers: plan.marks("answers"),
            rest: skip.then(|| plan.counts("rest-ms")),
            unfit: plan.cause("cannot do this job"),
            silent: plan.cause("does not answer"),
            unprobed: plan.cause("not probed yet"),
            resting: plan.cause("rests after a fault, ms"),
        }
    }
}

impl Selection for Capability {
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        let fit = candidates.marks(self.fit);
        let answers = candidates.marks(self.answers);
        let mut excluded = Vec::new();
        for ((row, mark), answers) in (0..).zip(fit).zip(answers) {
            match (mark, answers) {
                (1, _) => {}
                (0, 0) => excluded.push(self.silent.at(row)),
                (0, _) => excluded.push(self.unfit.at(row)),
                _ => excluded.push(self.unprobed.at(row)),
            }
        }
        if let Some(rest) = self.rest.map(|rest| candidates.counts(rest)) {
            let rests = |row: usize| fit[row] == 1 && rest[row] != 0;
            let resting = (0..fit.len()).filter(|&row| rests(row)).count();
            if resting > 0 && excluded.len() + resting < fit.len() {
                let rows = (0..).zip(rest).filter(|(row, _)| rests(*row as usize));
                excluded.extend(rows.map(|(row, &ms)| self.resting.value(ms as f64).at(row)));
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
            ["fit", "answers"],
            "what is not used is not asked for"
        );
    }
}
