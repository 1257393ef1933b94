//! A question to one hook, and its answer, as values that can be kept.

use pointsman_facts::Values;

use crate::fault::Hook;
use crate::native::NativeStage;
use crate::wit::{self, Attempt, Bargain, Fact, Patience, Price, Remedy, Routing, Verdict};

/// All that a hook is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What is to be routed.
    pub job: Job,
    /// What is asked of it.
    pub what: What,
}

/// `job` of the contract, owned.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Wall clock, unix ms.
    pub now_ms: u64,
    /// The only randomness there is.
    pub seed: u64,
    /// Symbol of the workload.
    pub workload: u64,
    /// Symbol of the capability.
    pub capability: u64,
    /// Symbol of the model; 0 none.
    pub model: u64,
    /// Same stream or conversation, same number.
    pub affinity: u64,
    /// Left to the hard deadline, ms.
    pub deadline_ms: u32,
    /// What is paid; 0 unknown.
    pub units: u64,
    /// In the order of the plan's facts.
    pub facts: Vec<Fact>,
}

/// `table` of the contract, owned.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// How many candidates there are.
    pub rows: u32,
    /// In the order of the plan's columns.
    pub columns: Vec<Values<'static>>,
}

/// Which function is asked, with what it gets beside the job.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// `selection.judge`.
    Judge(Table),
    /// `failover.on-failure`: attempts, remaining.
    OnFailure(Vec<Attempt>, Table),
    /// `failover.on-slow`: attempts, remaining.
    OnSlow(Vec<Attempt>, Table),
    /// `failover.on-price-change`: before, after, remaining.
    OnPriceChange(Price, Price, Table),
    /// `byoc.route`.
    Route(Request),
}

/// `request` of the byoc hook, owned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Name of the capability.
    pub capability: String,
    /// What the container is asked.
    pub path: String,
    /// JSON text.
    pub parameters: String,
    /// Key and value.
    pub labels: Vec<(String, String)>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Of `selection.judge`.
    Judge(Verdict),
    /// Of `failover.on-failure`.
    OnFailure(Remedy),
    /// Of `failover.on-slow`.
    OnSlow(Patience),
    /// Of `failover.on-price-change`.
    OnPriceChange(Bargain),
    /// Of `byoc.route`.
    Route(Routing),
}

// === impl Question ===

impl Question {
    /// The hook it is for.
    #[must_use]
    pub fn hook(&self) -> Hook {
        match self.what {
            What::Judge(_) => Hook::Selection,
            What::Route(_) => Hook::Byoc,
            What::OnFailure(..) | What::OnSlow(..) | What::OnPriceChange(..) => Hook::Failover,
        }
    }

    /// Puts it to a natively linked policy. Nothing of the answer is checked.
    #[must_use]
    pub fn put_to(&self, native: &dyn NativeStage) -> Answer {
        let columns = self.table().lower();
        let table = wit::Table {
            rows: self.table().rows,
            columns: &columns,
        };
        let job = self.job.lower();
        match &self.what {
            What::Judge(_) => Answer::Judge(native.judge(&job, &table)),
            What::OnFailure(attempts, _) => {
                Answer::OnFailure(native.on_failure(&job, attempts, &table))
            }
            What::OnSlow(attempts, _) => Answer::OnSlow(native.on_slow(&job, attempts, &table)),
            What::OnPriceChange(before, after, _) => {
                Answer::OnPriceChange(native.on_price_change(&job, *before, *after, &table))
            }
            What::Route(request) => {
                Answer::Route(request.lower(|request| native.route(&job, &request)))
            }
        }
    }

    /// The candidates in it: none in one of the byoc hook.
    #[must_use]
    pub fn table(&self) -> &Table {
        const NOBODY: &Table = &Table {
            rows: 0,
            columns: Vec::new(),
        };
        match &self.what {
            What::Judge(table)
            | What::OnFailure(_, table)
            | What::OnSlow(_, table)
            | What::OnPriceChange(_, _, table) => table,
            What::Route(_) => NOBODY,
        }
    }
}

// === impl Request ===

impl Request {
    /// Asks `with` the request as the contract has it.
    pub(super) fn lower<T>(&self, with: impl FnOnce(wit::Request<'_>) -> T) -> T {
        let pairs = self.labels.iter();
        let labels: Vec<_> = pairs.map(|(key, value)| (&**key, &**value)).collect();
        with(wit::Request {
            capability: &self.capability,
            path: &self.path,
            parameters: &self.parameters,
            labels: &labels,
        })
    }
}

// === impl Job ===

impl Job {
    pub(super) fn lower(&self) -> wit::Job<'_> {
        wit::Job {
            now_ms: self.now_ms,
            seed: self.seed,
            workload: self.workload,
            capability: self.capability,
            model: self.model,
            affinity: self.affinity,
            deadline_ms: self.deadline_ms,
            units: self.units,
            facts: &self.facts,
        }
    }
}

// === impl Table ===

impl Table {
    /// The columns as the contract has them.
    pub(super) fn lower(&self) -> Vec<wit::Column<'_>> {
        self.columns.iter().map(lower).collect()
    }
}

fn lower<'a>(values: &'a Values<'static>) -> wit::Column<'a> {
    match values {
        Values::Numbers(values) => wit::Column::Numbers(values),
        Values::Counts(values) => wit::Column::Counts(values),
        Values::Marks(values) => wit::Column::Marks(values),
        Values::Symbols(values) => wit::Column::Symbols(values),
    }
}

// === impl Answer ===

impl PartialEq for Answer {
    /// The same to the bit, but for the bits inside a NaN: those no policy can choose.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Judge(one), Self::Judge(other)) => verdicts(one, other),
            (Self::OnFailure(one), Self::OnFailure(other)) => one == other,
            (Self::OnSlow(one), Self::OnSlow(other)) => one == other,
            (Self::OnPriceChange(one), Self::OnPriceChange(other)) => one == other,
            (Self::Route(one), Self::Route(other)) => one == other,
            _ => false,
        }
    }
}

fn verdicts(one: &Verdict, other: &Verdict) -> bool {
    match (one, other) {
        (Verdict::Exclude(one), Verdict::Exclude(other)) => exclusions(one, other),
        (Verdict::Score(one), Verdict::Score(other)) => {
            exclusions(&one.excluded, &other.excluded)
                && one.scores.len() == other.scores.len()
                && one
                    .scores
                    .iter()
                    .zip(&other.scores)
                    .all(|(one, other)| floats(*one, *other))
        }
        (Verdict::Order(one), Verdict::Order(other)) => {
            exclusions(&one.excluded, &other.excluded) && one.order == other.order
        }
        _ => one == other,
    }
}

fn exclusions(one: &[wit::Exclusion], other: &[wit::Exclusion]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            (one.row, one.reason) == (other.row, other.reason) && floats(one.value, other.value)
        })
}

fn floats(one: f64, other: f64) -> bool {
    one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excluding(value: f64) -> Answer {
        let exclusion = wit::Exclusion {
            row: 0,
            reason: 0,
            value,
        };
        Answer::Judge(Verdict::Exclude(vec![exclusion]))
    }

    #[test]
    fn answers_are_the_same_to_the_bit_but_for_nan() {
        assert_eq!(excluding(f64::NAN), excluding(-f64::NAN));
        assert_eq!(excluding(1.0), excluding(1.0));
        assert_ne!(excluding(0.0), excluding(-0.0));
        assert_ne!(excluding(1.0), excluding(1.0 + f64::EPSILON));
        assert_ne!(excluding(1.0), Answer::Judge(Verdict::Exclude(Vec::new())));
        assert_ne!(
            Answer::Judge(Verdict::Abstain),
            Answer::OnSlow(Patience::Abstain)
        );
    }
}
