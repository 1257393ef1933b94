//! The host's own verdict: whether an orchestrator can do a job.
//!
//! Made once for every set of capabilities and version of the facts, not for every segment: a stream asks the same question
//! thousands of times. Only marks are kept; a reason in words is made when somebody asks for it.

use std::sync::Arc;

use pointsman_facts::values::{UNKNOWN_COUNT, UNKNOWN_MARK, count, mark};
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
}

// === impl JobColumns ===

impl JobColumns {
    pub(crate) fn of(rows: &[Row], required: &Arc<Capabilities>) -> Self {
        let model = the_model(required);
        let offered = |row: &Row| {
            let (capability, model) = model?;
            let facts = row.facts.as_deref()?;
            Some((capability, constraint(facts, capability, model)?.clone()))
        };
        let mut columns = Self {
            required: Arc::clone(required),
            fit: rows.iter().map(|row| fit(row, required)).collect(),
            capacity_free: vec![UNKNOWN_COUNT; rows.len()],
            capacity_total: vec![UNKNOWN_COUNT; rows.len()],
            runner_version: vec![UNKNOWN_COUNT; rows.len()],
            warm: vec![UNKNOWN_MARK; rows.len()],
        };
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

    pub(crate) fn answers(&self, required: &Arc<Capabilities>) -> bool {
        Arc::ptr_eq(&self.required, required) || self.required == *required
    }

    pub(crate) fn required(&self) -> &Capabilities {
        &self.required
    }
}

/// Why an orchestrator cannot do a job, or cannot yet be said to. `None`: it can.
pub(crate) fn why_unfit(row: &Row, required: &Capabilities) -> Option<String> {
    if row.reach == Reach::Silent {
        let cause = row.error.as_deref().unwrap_or("no answer");
        return Some(format!("gives no offer: {cause}"));
    }
    let Some(facts) = &row.facts else {
        return Some("has not answered a probe yet".to_owned());
    };
    if let Some(reason) = &facts.unusable {
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
            facts.unusable.is_none() && compatible(required, facts.capabilities.as_ref()).is_ok(),
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
