//! The host's own verdict: whether an orchestrator can do a job.
//!
//! Made once for every set of capabilities and version of the facts, not for every segment: a stream asks the same question
//! thousands of times. Only marks are kept; a reason in words is made when somebody asks for it.

use std::sync::Arc;

use pointsman_facts::values::{NO, UNKNOWN_COUNT, UNKNOWN_MARK, YES, count, mark};
use pointsman_wire::capabilities::{Capability, compatible};
use pointsman_wire::net::Capabilities;
use pointsman_wire::net::capabilities::capability_constraints::ModelConstraint;

use crate::facts::{Facts, version_count};
use crate::snapshot::Row;
use crate::standing::Reach;

/// The columns that belong to what a job requires.
#[derive(Debug)]
pub(crate) struct JobColumns {
    required: Arc<Capabilities>,
    /// 0 no, 1 yes, 2 not known yet.
    pub(crate) fit: Vec<u8>,
    pub(crate) capacity_free: Vec<u64>,
    pub(crate) capacity_total: Vec<u64>,
    pub(crate) runner_version: Vec<u64>,
    pub(crate) warm: Vec<u8>,
    /// The least performance score, if it has taken anybody out.
    least_perf: Option<f64>,
}

// === impl JobColumns ===

impl JobColumns {
    pub(crate) fn of(rows: &[Row], required: &Arc<Capabilities>, least_perf: f64) -> Self {
        let model = the_model(required);
        let offered = |row: &Row| {
            let (capability, model) = model?;
            let facts = row.facts.as_deref()?;
            Some((capability, constraint(facts, capability, model)?.clone()))
        };
        let mut columns = Self {
            required: Arc::clone(required),
            fit: rows.iter().map(|row| fit(row, required)).collect(),
            least_perf: None,
            capacity_free: vec![UNKNOWN_COUNT; rows.len()],
            capacity_total: vec![UNKNOWN_COUNT; rows.len()],
            runner_version: vec![UNKNOWN_COUNT; rows.len()],
            warm: vec![UNKNOWN_MARK; rows.len()],
        };
        // As in go-livepeer, not for live video.
        let live = Capability::LiveVideoToVideo.number();
        if model.is_none_or(|(capability, _)| capability != live) {
            columns.demand(rows, least_perf);
        }
        for (place, row) in rows.iter().enumerate() {
            if let Some((capability, offered)) = offered(row) {
                columns.capacity_free[place] = count(Some(free(capability, &offered)));
                columns.capacity_total[place] = count(Some(total(capability, &offered)));
                columns.runner_version[place] = count(version_count(&offered.runner_version));
                columns.warm[place] = mark(Some(offered.warm));
            }
        }
        columns
    }

    /// Takes out whose performance score is below `least`, unless nobody who fits has it. No score is none of 0.
    fn demand(&mut self, rows: &[Row], least: f64) {
        let enough = |row: &Row| row.perf.unwrap_or(0.0) >= least;
        let some = rows
            .iter()
            .zip(&self.fit)
            .any(|(row, &fit)| fit == YES && enough(row));
        if !some || least <= 0.0 {
            return;
        }
        self.least_perf = Some(least);
        for (row, fit) in rows.iter().zip(&mut self.fit) {
            if *fit == YES && !enough(row) {
                *fit = NO;
            }
        }
    }

    /// Why the orchestrator of `row` does not get the job, or cannot yet be said to. `None`: it may.
    pub(crate) fn why_unfit(&self, row: &Row) -> Option<String> {
        why_unfit(row, &self.required).or_else(|| {
            let least = self.least_perf?;
            let score = row.perf.unwrap_or(0.0);
            (score < least)
                .then(|| format!("its performance score {score} is below {least} (min-perf-score)"))
        })
    }

    pub(crate) fn answers(&self, required: &Arc<Capabilities>) -> bool {
        Arc::ptr_eq(&self.required, required) || self.required == *required
    }
}

/// Why an orchestrator cannot do a job, or cannot yet be said to. `None`: it can.
fn why_unfit(row: &Row, required: &Capabilities) -> Option<String> {
    if row.reach == Reach::Silent {
        let cause = row.error.as_deref().unwrap_or("no answer");
        return Some(format!("gives no offer: {cause}"));
    }
    let Some(facts) = &row.facts else {
        return Some("has not answered a probe yet".to_owned());
    };
    if let Some(reason) = &row.unusable {
        return Some(reason.to_string());
    }
    compatible(required, facts.capabilities.as_ref())
        .err()
        .map(|reason| reason.to_string())
}

fn fit(row: &Row, required: &Capabilities) -> u8 {
    mark(match (row.reach, &row.facts) {
        (Reach::Silent, _) => Some(false),
        (_, None) => None,
        (_, Some(facts)) => Some(
            row.unusable.is_none() && compatible(required, facts.capabilities.as_ref()).is_ok(),
        ),
    })
}

/// The one model that a job names.
fn the_model(required: &Capabilities) -> Option<(u32, &str)> {
    let constraints = &required.constraints.as_ref()?.per_capability;
    let mut models = constraints
        .iter()
        .flat_map(|(&capability, of)| of.models.keys().map(move |model| (capability, &**model)));
    models.next().filter(|_| models.next().is_none())
}

fn constraint<'a>(facts: &'a Facts, capability: u32, model: &str) -> Option<&'a ModelConstraint> {
    let constraints = facts.capabilities.as_ref()?.constraints.as_ref()?;
    constraints
        .per_capability
        .get(&capability)?
        .models
        .get(model)
}

/// Containers free now. For live video `capacity` is that already, for all else it is the configured total.
fn free(capability: u32, model: &ModelConstraint) -> u64 {
    if capability == Capability::LiveVideoToVideo.number() {
        return model.capacity.into();
    }
    model.capacity.saturating_sub(model.capacity_in_use).into()
}

/// Containers in all, busy or free.
fn total(capability: u32, model: &ModelConstraint) -> u64 {
    if capability == Capability::LiveVideoToVideo.number() {
        return u64::from(model.capacity) + u64::from(model.capacity_in_use);
    }
    model.capacity.into()
}
