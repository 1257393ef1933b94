//! Tables by hand, for tests of policies.
//!
//! ```
//! use pointsman_sdk::prelude::*;
//! use pointsman_sdk::testing::{self, Table};
//!
//! policy! { struct Cheapest { price: Numbers = "price" } }
//!
//! impl Selection for Cheapest {
//!     fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
//!         candidates.order_by(|row| row.get(self.price))
//!     }
//! }
//!
//! let policy = testing::selection::<Cheapest>([]);
//! let outcome = policy.judge(&Table::new().numbers("price", [Some(3.0), None, Some(1.0)]));
//! assert_eq!(outcome.order, [2, 0, 1]);
//! ```

use crate::bindings::policy as wit;
use crate::candidates::unknown;
use crate::component::Configured;
use crate::failover::{Attempt, Bargain, Patience, Remedy};
use crate::plan::Kind;
use crate::{
    Column, Exclusion, Fact, Failover, Plan, Policy, Price, Problem, Selection, Setting, Value,
    Verdict, symbol,
};

/// Candidates by column name. A column that the policy asks for and the table does not have is unknown everywhere; one
/// that it does not ask for is not handed over.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Option<u32>,
    columns: Vec<(String, Column)>,
}

/// A job by fact name: workload `transcode`, ten seconds left, no other facts.
#[derive(Clone, Debug)]
pub struct Job {
    job: crate::Job,
    facts: Vec<(String, Fact)>,
}

/// A configured policy that can be asked.
#[derive(Debug)]
pub struct Subject<P> {
    configured: Configured<P>,
    job: Job,
}

/// A verdict in a form that tests can compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// As the host gets it.
    pub verdict: Verdict,
    /// The rows that are left, best first: by order or score, else as they came. Empty after a refusal.
    pub order: Vec<u32>,
    /// The rows excluded, each with the text of its cause.
    pub excluded: Vec<(u32, String)>,
}

/// `P` with the selection hook.
///
/// # Panics
///
/// When the settings are wrong; the message has the problems.
#[must_use]
pub fn selection<P: Selection>(
    settings: impl IntoIterator<Item = (&'static str, Value)>,
) -> Subject<P> {
    Subject::new(Configured::new(given(settings)))
}

/// `P` with the failover hook.
///
/// # Panics
///
/// When the settings are wrong; the message has the problems.
#[must_use]
pub fn failover<P: Failover>(
    settings: impl IntoIterator<Item = (&'static str, Value)>,
) -> Subject<P> {
    Subject::new(Configured::new(given(settings)))
}

/// The problems that the selection hook of `P` has with these settings, as `key: message`.
#[must_use]
pub fn problems<P: Selection>(
    settings: impl IntoIterator<Item = (&'static str, Value)>,
) -> Vec<String> {
    shown(
        Configured::<P>::new(given(settings))
            .err()
            .unwrap_or_default(),
    )
}

/// A setting that is a string.
#[must_use]
pub fn text(text: &str) -> Value {
    Value::Text((text.to_owned(), symbol(text)))
}

/// A setting that is a list of strings.
#[must_use]
pub fn texts(texts: &[&str]) -> Value {
    Value::Texts(
        texts
            .iter()
            .map(|text| ((*text).to_owned(), symbol(text)))
            .collect(),
    )
}

fn given(settings: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<Setting> {
    settings
        .into_iter()
        .map(|(key, value)| Setting {
            key: key.to_owned(),
            value,
        })
        .collect()
}

fn shown(problems: Vec<Problem>) -> Vec<String> {
    problems
        .into_iter()
        .map(|wit::Problem { key, message }| format!("{key}: {message}"))
        .collect()
}

// === impl Table ===

impl Table {
    /// No rows; the first column says how many there are.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `rows` rows of which nothing is known, until columns say so.
    #[must_use]
    pub fn of(rows: u32) -> Self {
        Self {
            rows: Some(rows),
            columns: Vec::new(),
        }
    }

    /// A column of floats: `[1.0, 2.0]`, or `[Some(1.0), None]` where some are unknown.
    #[must_use]
    pub fn numbers<V: Into<Option<f64>>>(
        self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values
            .into_iter()
            .map(|value| value.into().unwrap_or(f64::NAN))
            .collect();
        self.with(name, Column::Numbers(values))
    }

    /// A column of unsigned integers.
    #[must_use]
    pub fn counts<V: Into<Option<u64>>>(
        self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values
            .into_iter()
            .map(|value| value.into().unwrap_or(u64::MAX))
            .collect();
        self.with(name, Column::Counts(values))
    }

    /// A column of yes and no.
    #[must_use]
    pub fn marks<V: Into<Option<bool>>>(
        self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values
            .into_iter()
            .map(|value| value.into().map_or(2, u8::from))
            .collect();
        self.with(name, Column::Marks(values))
    }

    /// A column of strings; the empty one is unknown.
    #[must_use]
    pub fn symbols<'a>(self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.with(
            name,
            Column::Symbols(values.into_iter().map(symbol).collect()),
        )
    }

    /// The columns `price/num`, `price/den` and `price`, of (wei, units).
    #[must_use]
    pub fn prices<V: Into<Option<(u64, u64)>>>(self, prices: impl IntoIterator<Item = V>) -> Self {
        let prices: Vec<Option<Price>> = prices
            .into_iter()
            .map(|price| price.into().and_then(|(num, den)| Price::new(num, den)))
            .collect();
        self.counts(
            "price/num",
            prices.iter().map(|price| price.map(|price| price.num)),
        )
        .counts(
            "price/den",
            prices.iter().map(|price| price.map(|price| price.den)),
        )
        .numbers("price", prices.iter().map(|price| price.map(Price::to_f64)))
    }

    fn with(mut self, name: &str, column: Column) -> Self {
        let len = match &column {
            Column::Numbers(values) => values.len(),
            Column::Counts(values) | Column::Symbols(values) => values.len(),
            Column::Marks(values) => values.len(),
        };
        let rows = *self
            .rows
            .get_or_insert(u32::try_from(len).expect("a table of this world"));
        assert!(
            len == rows as usize,
            "the column \"{name}\" has {len} values for {rows} rows"
        );
        self.columns.retain(|(known, _)| known != name);
        self.columns.push((name.to_owned(), column));
        self
    }

    /// The columns in the order of `plan`, as the host would hand them over.
    fn laid_out(&self, plan: &Plan) -> crate::Table {
        let rows = self.rows.unwrap_or(0);
        let find = |(name, kind): &(String, Kind)| {
            let wanted = name.strip_prefix('?').unwrap_or(name);
            let known = self.columns.iter().find(|(known, _)| known == wanted);
            known.map_or_else(|| unknown(*kind, rows), |(_, column)| column.clone())
        };
        crate::Table {
            rows,
            columns: plan.columns.iter().map(find).collect(),
        }
    }
}

// === impl Job ===

impl Default for Job {
    fn default() -> Self {
        Self::new()
    }
}

impl Job {
    /// The default job.
    #[must_use]
    pub fn new() -> Self {
        let job = crate::Job {
            now_ms: 1_700_000_000_000,
            seed: 1,
            workload: symbol("transcode"),
            capability: symbol("transcode"),
            model: 0,
            affinity: 1,
            deadline_ms: 10_000,
            units: 0,
            facts: Vec::new(),
        };
        Self {
            job,
            facts: Vec::new(),
        }
    }

    /// With this seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.job.seed = seed;
        self
    }

    /// With so many ms left to the hard deadline.
    #[must_use]
    pub fn deadline_ms(mut self, deadline_ms: u32) -> Self {
        self.job.deadline_ms = deadline_ms;
        self
    }

    /// With its fixed fields changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut crate::Job)) -> Self {
        change(&mut self.job);
        self
    }

    /// With a fact that is a float.
    #[must_use]
    pub fn number(self, name: &str, value: f64) -> Self {
        self.fact(name, Fact::Number(value))
    }

    /// With a fact that is a count.
    #[must_use]
    pub fn count(self, name: &str, value: u64) -> Self {
        self.fact(name, Fact::Count(value))
    }

    /// With this fact.
    #[must_use]
    pub fn fact(mut self, name: &str, fact: Fact) -> Self {
        self.facts.retain(|(known, _)| known != name);
        self.facts.push((name.to_owned(), fact));
        self
    }

    fn laid_out(&self, plan: &Plan) -> crate::Job {
        let find = |name: &String| {
            let wanted = name.strip_prefix('?').unwrap_or(name);
            self.facts
                .iter()
                .find(|(known, _)| known == wanted)
                .map_or(Fact::Unknown, |(_, fact)| *fact)
        };
        crate::Job {
            facts: plan.facts.iter().map(find).collect(),
            ..self.job.clone()
        }
    }
}

// === impl Subject ===

impl<P: Policy> Subject<P> {
    fn new(configured: Result<Configured<P>, Vec<Problem>>) -> Self {
        match configured {
            Ok(configured) => Self {
                configured,
                job: Job::new(),
            },
            Err(problems) => panic!("{}", shown(problems).join("; ")),
        }
    }

    /// Asks about this job from now on.
    #[must_use]
    pub fn job(mut self, job: Job) -> Self {
        self.job = job;
        self
    }

    /// The names of the columns it asks for.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        self.configured
            .plan()
            .columns
            .iter()
            .map(|(name, _)| name.as_str())
            .collect()
    }

    fn cause(&self, excluded: &Exclusion) -> (u32, String) {
        let cause = &self.configured.plan().causes[excluded.reason as usize];
        (excluded.row, cause.text.clone())
    }
}

impl<P: Selection> Subject<P> {
    /// Asks the selection hook.
    ///
    /// # Panics
    ///
    /// When the verdict is one that the host would refuse: a bad row, a cause that was not declared, a score outside [0, 1].
    pub fn judge(&self, table: &Table) -> Outcome {
        let plan = self.configured.plan();
        let rows = table.rows.unwrap_or(0);
        let verdict = self
            .configured
            .judge(&self.job.laid_out(plan), table.laid_out(plan));
        let excluded: &[Exclusion] = match &verdict {
            Verdict::Exclude(excluded) => excluded,
            Verdict::Score(scoring) => &scoring.excluded,
            Verdict::Order(ranking) => &ranking.excluded,
            Verdict::Abstain | Verdict::Hedge(_) | Verdict::Reject(_) => &[],
        };
        assert!(
            excluded.iter().all(|excluded| excluded.row < rows),
            "an excluded row is none of {rows}"
        );
        let mut order: Vec<u32> = match &verdict {
            Verdict::Order(ranking) => ranking.order.clone(),
            Verdict::Reject(_) => Vec::new(),
            _ => (0..rows).collect(),
        };
        order.retain(|row| excluded.iter().all(|excluded| excluded.row != *row));
        if let Verdict::Score(scoring) = &verdict {
            assert!(
                scoring.scores.len() == rows as usize,
                "{} scores for {rows} rows",
                scoring.scores.len()
            );
            let score = |row: &u32| scoring.scores[*row as usize];
            assert!(
                order.iter().all(|row| (0.0..=1.0).contains(&score(row))),
                "a score outside [0, 1]"
            );
            order.sort_by(|a, b| score(b).total_cmp(&score(a)));
        }
        let mut seen = vec![false; rows as usize];
        for &row in &order {
            assert!(
                !core::mem::replace(&mut seen[row as usize], true),
                "row {row} is there twice"
            );
        }
        let excluded = excluded
            .iter()
            .map(|excluded| self.cause(excluded))
            .collect();
        Outcome {
            order,
            excluded,
            verdict,
        }
    }
}

impl<P: Failover> Subject<P> {
    /// Asks the failover hook after a failure.
    pub fn on_failure(&self, attempts: &[Attempt], remaining: &Table) -> Remedy {
        let plan = self.configured.plan();
        self.configured
            .on_failure(&self.job.laid_out(plan), attempts, remaining.laid_out(plan))
    }

    /// Asks the failover hook about a slow attempt.
    pub fn on_slow(&self, attempts: &[Attempt], remaining: &Table) -> Patience {
        let plan = self.configured.plan();
        self.configured
            .on_slow(&self.job.laid_out(plan), attempts, remaining.laid_out(plan))
    }

    /// Asks the failover hook about a price that changed.
    pub fn on_price_change(&self, before: Price, after: Price, remaining: &Table) -> Bargain {
        let plan = self.configured.plan();
        self.configured.on_price_change(
            &self.job.laid_out(plan),
            before,
            after,
            remaining.laid_out(plan),
        )
    }
}
