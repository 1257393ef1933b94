//! Native policies that are closures, by the name of a component.

use std::collections::BTreeMap;
use std::sync::Arc;

use pointsman_policy::bundle::Setting;
use pointsman_policy::wit::{
    Cause, Column, Exclusion, Job, Plan, Problem, Ranking, Request, Routing, Scoring, Table,
    Verdict,
};
use pointsman_policy::{Hook, Host, NativeBundle, NativeStage};

use super::{Made, config};

type Route = Arc<dyn Fn(&Job<'_>, &Request<'_>) -> Routing + Send + Sync>;
type Judge = Arc<dyn Fn(&Job<'_>, &Table<'_>) -> Verdict + Send + Sync>;

/// A bundle of closures.
#[derive(Default)]
pub struct Scripted {
    stages: BTreeMap<String, Closure>,
}

#[derive(Clone)]
struct Closure {
    plan: Plan,
    judge: Judge,
    route: Route,
}

impl Scripted {
    /// Adds the policy `name`, which asks for `columns` and has one cause for each of `causes`, showing the column of that place.
    pub fn stage(
        mut self,
        name: &str,
        columns: &[&str],
        causes: &[(&str, Option<u16>)],
        judge: impl Fn(&Job<'_>, &Table<'_>) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        let plan = Plan {
            columns: columns.iter().map(ToString::to_string).collect(),
            facts: Vec::new(),
            causes: causes
                .iter()
                .map(|&(text, column)| Cause {
                    text: text.to_owned(),
                    column,
                })
                .collect(),
        };
        let closure = Closure {
            plan,
            judge: Arc::new(judge),
            route: Arc::new(|_, _| Routing::Abstain),
        };
        self.stages.insert(name.to_owned(), closure);
        self
    }

    /// Adds the policy `name` with the byoc hook; it has one cause, "no".
    pub fn router(
        self,
        name: &str,
        route: impl Fn(&Job<'_>, &Request<'_>) -> Routing + Send + Sync + 'static,
    ) -> Self {
        let mut script = self.stage(name, &[], &[("no", None)], |_, _| Verdict::Abstain);
        let closure = script.stages.get_mut(name).expect("just put there");
        closure.route = Arc::new(route);
        script
    }

    /// A host that runs `made` on these closures.
    pub fn host(self, made: Made) -> Host {
        let host = self.twins();
        let loaded = host.load_native(&made.bundle()).expect("natively");
        host.activate(loaded, "test");
        host
    }

    /// A host that has these closures as its twins.
    pub fn twins(self) -> Host {
        Host::new(config(), Some(Arc::new(self))).expect("an engine")
    }
}

impl NativeBundle for Scripted {
    fn stage(
        &self,
        component: &str,
        _hook: Hook,
        _settings: &[Setting],
    ) -> Option<Result<Box<dyn NativeStage>, Vec<Problem>>> {
        let stage = self.stages.get(component)?.clone();
        Some(Ok(Box::new(stage)))
    }
}

impl NativeStage for Closure {
    fn plan(&self) -> Plan {
        self.plan.clone()
    }

    fn judge(&self, job: &Job<'_>, candidates: &Table<'_>) -> Verdict {
        (self.judge)(job, candidates)
    }

    fn route(&self, job: &Job<'_>, request: &Request<'_>) -> Routing {
        (self.route)(job, request)
    }
}

/// Excludes those rows for the first cause.
pub fn exclude(rows: impl IntoIterator<Item = u32>) -> Verdict {
    Verdict::Exclude(excluded(rows))
}

/// Scores every row.
pub fn score(scores: impl IntoIterator<Item = f64>) -> Verdict {
    Verdict::Score(Scoring {
        excluded: Vec::new(),
        scores: scores.into_iter().collect(),
    })
}

/// Orders rows.
pub fn order(rows: impl IntoIterator<Item = u32>) -> Verdict {
    Verdict::Order(Ranking {
        excluded: Vec::new(),
        order: rows.into_iter().collect(),
    })
}

fn excluded(rows: impl IntoIterator<Item = u32>) -> Vec<Exclusion> {
    rows.into_iter()
        .map(|row| Exclusion {
            row,
            reason: 0,
            value: f64::NAN,
        })
        .collect()
}

/// The values of column `place`, which are numbers.
pub fn numbers<'a>(table: &Table<'a>, place: usize) -> &'a [f64] {
    match table.columns[place] {
        Column::Numbers(values) => values,
        ref other => panic!("column {place} is {other:?}"),
    }
}

/// The values of column `place`, which are counts.
pub fn counts<'a>(table: &Table<'a>, place: usize) -> &'a [u64] {
    match table.columns[place] {
        Column::Counts(values) => values,
        ref other => panic!("column {place} is {other:?}"),
    }
}
