//! A policy's plan, its names resolved once so that a decision looks nothing up.

use std::sync::LazyLock;

use pointsman_facts::column::UnknownColumn;
use pointsman_facts::job::UnknownFact;
use pointsman_facts::{Column, Job, JobFact, Workload};
use smallvec::SmallVec;

use crate::chain::derived::{Why, Wish};
use crate::fault::plain;
use crate::limits::Limits;
use crate::wit;

/// A plan's names as the host's own.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// Where each column comes from, in the plan's order.
    pub(crate) sources: Vec<Source>,
    /// Each job fact; `None` is an optional one that this host does not know.
    facts: Vec<Option<JobFact>>,
    pub(crate) causes: Vec<Reason>,
}

/// The values of a plan's facts, mostly a few.
pub(crate) type Facts = SmallVec<[wit::Fact; 8]>;

/// Where a column's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The candidates: place in the chain's list of distinct columns.
    Fact(usize),
    /// The chain: why a candidate may not do the job.
    Why(Why),
    /// The chain: the application's wishes as a place.
    Wish(Wish),
    /// The chain: the weighted scores so far.
    ScoreSum,
    /// The chain: the place the last order gave.
    Position,
    /// Nobody: an optional name of a later host.
    Unknown,
}

/// A cause of exclusion.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    pub(crate) text: String,
    /// Place in the plan of the column shown beside it.
    pub(crate) column: Option<usize>,
}

/// A plan that this host cannot serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It asks for a column that does not exist.
    #[error("{0} (a name that may be missing is asked for as \"?{name}\")", name = .0.name)]
    Column(UnknownColumn),
    /// It asks for a job fact that does not exist.
    #[error("{0} (a name that may be missing is asked for as \"?{name}\")", name = .0.name)]
    Fact(UnknownFact),
    /// It asks for too much.
    #[error("its plan has {found} {what}, the most is {most}")]
    TooMany {
        /// Columns, facts or causes.
        what: &'static str,
        /// How many it has.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// A name or a cause is too long.
    #[error("its plan has a string of more than {} bytes", Limits::MAX_STRING)]
    TooLong,
    /// A cause points at a column that is not in the plan.
    #[error("its cause \"{cause}\" shows column {column}, and the plan has {columns}")]
    CauseColumn {
        /// The cause's text.
        cause: String,
        /// What it points at.
        column: u16,
        /// How many columns there are.
        columns: usize,
    },
}

const MAX_COLUMNS: usize = 64;
const MAX_FACTS: usize = 64;
const MAX_CAUSES: usize = 256;

// === impl Resolved ===

impl Resolved {
    /// Resolves `plan`; columns that the candidates give are added to `columns` unless they are there already.
    pub(crate) fn new(plan: &wit::Plan, columns: &mut Vec<Column>) -> Result<Self, PlanError> {
        bounded("columns", plan.columns.len(), MAX_COLUMNS)?;
        bounded("facts", plan.facts.len(), MAX_FACTS)?;
        bounded("causes", plan.causes.len(), MAX_CAUSES)?;
        let mut strings = plan.columns.iter().chain(&plan.facts);
        let mut causes = plan.causes.iter().map(|cause| &cause.text);
        let long = |text: &String| text.len() > Limits::MAX_STRING;
        if strings.any(long) || causes.any(long) {
            return Err(PlanError::TooLong);
        }
        let sources = plan
            .columns
            .iter()
            .map(|name| source(name, columns))
            .collect::<Result<_, _>>()?;
        let facts = plan
            .facts
            .iter()
            .map(|name| fact(name))
            .collect::<Result<_, _>>()?;
        let causes = plan
            .causes
            .iter()
            .map(|cause| reason(cause, plan.columns.len()))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            sources,
            facts,
            causes,
        })
    }

    /// The values of the plan's facts.
    pub(crate) fn facts(&self, job: &Job) -> Facts {
        self.facts
            .iter()
            .map(|fact| {
                fact.as_ref()
                    .map_or(wit::Fact::Unknown, |fact| job.fact(fact).into())
            })
            .collect()
    }
}

fn bounded(what: &'static str, found: usize, most: usize) -> Result<(), PlanError> {
    if found > most {
        return Err(PlanError::TooMany { what, found, most });
    }
    Ok(())
}

fn source(name: &str, columns: &mut Vec<Column>) -> Result<Source, PlanError> {
    let name = plain(name.to_owned(), Limits::MAX_STRING);
    let (optional, bare) = optional(&name);
    let column = match Column::parse(bare) {
        Ok(column) => column,
        Err(_) if optional => return Ok(Source::Unknown),
        Err(unknown) => return Err(PlanError::Column(unknown)),
    };
    Ok(match column {
        Column::FitWhy => Source::Why(Why::new(columns)),
        Column::HintPlace => Source::Wish(Wish::new(columns)),
        Column::ScoreSum => Source::ScoreSum,
        Column::Position => Source::Position,
        column => Source::Fact(place(column, columns)),
    })
}

/// The place of `column` in `columns`, where it is added if it is missing.
pub(crate) fn place(column: Column, columns: &mut Vec<Column>) -> usize {
    columns
        .iter()
        .position(|known| *known == column)
        .unwrap_or_else(|| {
            columns.push(column);
            columns.len() - 1
        })
}

fn fact(name: &str) -> Result<Option<JobFact>, PlanError> {
    let name = plain(name.to_owned(), Limits::MAX_STRING);
    let (optional, bare) = optional(&name);
    match JobFact::parse(bare) {
        Ok(fact) => Ok(Some(fact)),
        Err(_) if optional => Ok(None),
        Err(unknown) => Err(PlanError::Fact(unknown)),
    }
}

fn optional(name: &str) -> (bool, &str) {
    name.strip_prefix('?')
        .map_or((false, name), |bare| (true, bare))
}

fn reason(cause: &wit::Cause, columns: usize) -> Result<Reason, PlanError> {
    let text = plain(cause.text.clone(), Limits::MAX_STRING);
    if let Some(column) = cause.column
        && usize::from(column) >= columns
    {
        return Err(PlanError::CauseColumn {
            cause: text,
            column,
            columns,
        });
    }
    Ok(Reason {
        text,
        column: cause.column.map(usize::from),
    })
}

impl From<pointsman_facts::Fact> for wit::Fact {
    fn from(fact: pointsman_facts::Fact) -> Self {
        use pointsman_facts::Fact;
        match fact {
            // NaN is for columns; a fact says so in its type.
            Fact::Number(value) if value.is_nan() => Self::Unknown,
            Fact::Unknown => Self::Unknown,
            Fact::Number(value) => Self::Number(value),
            Fact::Count(value) => Self::Count(value),
            Fact::Mark(value) => Self::Mark(value),
            Fact::Symbol(symbol) => Self::Symbol(symbol.0),
        }
    }
}

/// The job as a policy gets it, with `facts` in its plan's order.
pub(crate) fn job<'a>(job: &Job, facts: &'a [wit::Fact]) -> wit::Job<'a> {
    wit::Job {
        now_ms: job.now_ms,
        seed: job.seed,
        workload: workload(job.workload),
        capability: job.capability.0,
        model: job.model.0,
        affinity: job.affinity,
        deadline_ms: job.deadline_ms,
        units: job.units,
        facts,
    }
}

/// The symbol of a workload, hashed once and not for every decision.
fn workload(workload: Workload) -> u64 {
    static SYMBOLS: LazyLock<[(Workload, u64); 5]> =
        LazyLock::new(|| Workload::ALL.map(|workload| (workload, workload.symbol().0)));
    SYMBOLS
        .iter()
        .find(|(known, _)| *known == workload)
        .map_or(0, |&(_, symbol)| symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(columns: &[&str], facts: &[&str], causes: &[(&str, Option<u16>)]) -> wit::Plan {
        wit::Plan {
            columns: columns.iter().map(ToString::to_string).collect(),
            facts: facts.iter().map(ToString::to_string).collect(),
            causes: causes
                .iter()
                .map(|&(text, column)| wit::Cause {
                    text: text.to_owned(),
                    column,
                })
                .collect(),
        }
    }

    #[test]
    fn columns_are_shared_between_stages_and_the_chains_own_are_not_asked_for() {
        let mut columns = vec![Column::Fit];
        let asked = plan(
            &["price", "score/sum", "fit", "position", "?moon-phase"],
            &[],
            &[],
        );
        let resolved = Resolved::new(&asked, &mut columns).expect("known names");
        assert_eq!(
            resolved.sources,
            [
                Source::Fact(1),
                Source::ScoreSum,
                Source::Fact(0),
                Source::Position,
                Source::Unknown
            ]
        );
        assert_eq!(columns, [Column::Fit, Column::Price]);
    }

    #[test]
    fn an_unknown_name_refuses_unless_it_is_optional() {
        let error =
            Resolved::new(&plan(&["prise"], &[], &[]), &mut Vec::new()).expect_err("unknown");
        assert!(
            error.to_string().contains("did you mean \"price\""),
            "{error}"
        );
        assert!(Resolved::new(&plan(&[], &["?moon-phase"], &[]), &mut Vec::new()).is_ok());
        assert!(Resolved::new(&plan(&[], &["moon-phase"], &[]), &mut Vec::new()).is_err());
    }

    #[test]
    fn a_plan_is_bounded() {
        let many = vec!["price"; MAX_COLUMNS + 1];
        assert!(matches!(
            Resolved::new(&plan(&many, &[], &[]), &mut Vec::new()),
            Err(PlanError::TooMany {
                what: "columns",
                ..
            })
        ));
        let long = "x".repeat(Limits::MAX_STRING + 1);
        assert_eq!(
            Resolved::new(&plan(&[], &[], &[(&long, None)]), &mut Vec::new()).expect_err("long"),
            PlanError::TooLong
        );
        assert!(matches!(
            Resolved::new(&plan(&["price"], &[], &[("c", Some(1))]), &mut Vec::new()),
            Err(PlanError::CauseColumn { .. })
        ));
    }

    #[test]
    fn a_workload_has_its_symbol() {
        for kind in Workload::ALL {
            assert_eq!(workload(kind), kind.symbol().0);
        }
    }
}
