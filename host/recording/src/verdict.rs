//! What a selection came to, in a form that a live decision and a recorded one share.

use std::sync::Arc;

use pointsman_facts::Symbol;
use pointsman_policy::{Decision, Fallback, Hedge, Shown};

/// What a selection came to.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Rows of the candidates, best first; empty when refused.
    pub order: Vec<u32>,
    /// The sums of the scores of `order`; empty when nobody scored.
    pub scores: Vec<f64>,
    /// Candidates that a stage took out, in the order that happened.
    pub excluded: Vec<Excluded>,
    /// Candidates that the host took out afterwards, and why.
    pub dropped: Vec<(Symbol, Arc<str>)>,
    /// Stages that would have excluded everybody and were skipped.
    pub skipped: Vec<Arc<str>>,
    /// When a slow attempt may be doubled.
    pub hedge: Hedge,
    /// Why nobody got the job.
    pub refusal: Option<Refusal>,
    /// What was wrong with the policy.
    pub fault: Option<Fault>,
    /// Who answered in its place.
    pub fallback: Option<Fallback>,
}

/// A candidate that a stage took out.
#[derive(Clone, Debug)]
pub struct Excluded {
    /// Its row among the candidates.
    pub row: u32,
    /// Which stage.
    pub stage: Arc<str>,
    /// Why, in the stage's words.
    pub cause: Arc<str>,
    /// The number the policy gave beside it.
    pub value: Option<f64>,
    /// The column the cause is about.
    pub column: Option<Arc<str>>,
    /// What that column held.
    pub shown: Shown,
}

/// Why nobody got the job.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// HTTP status for the application.
    pub status: u16,
    /// Why, in the words of whoever refused.
    pub cause: String,
    /// For the application.
    pub message: String,
    /// The stage that refused; `None` is the host.
    pub stage: Option<Arc<str>>,
}

/// What was wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Which stage.
    pub stage: Arc<str>,
    /// The class of fault.
    pub kind: String,
    /// What is known about it.
    pub detail: String,
}

// === impl Verdict ===

impl Verdict {
    /// What `decision` came to.
    #[must_use]
    pub fn of(decision: &Decision) -> Self {
        let places = 0..decision.order().len();
        Self {
            order: decision.order().to_vec(),
            scores: places.filter_map(|place| decision.score(place)).collect(),
            excluded: decision
                .exclusions()
                .map(|exclusion| Excluded {
                    row: exclusion.row,
                    stage: exclusion.stage.into(),
                    cause: exclusion.cause.into(),
                    value: exclusion.value,
                    column: exclusion.column.map(Arc::from),
                    shown: exclusion.shown,
                })
                .collect(),
            dropped: decision
                .host_drops()
                .map(|(id, reason)| (id, reason.name().into()))
                .collect(),
            skipped: decision.skipped().map(Arc::from).collect(),
            hedge: decision.hedge,
            refusal: decision.refusal.as_ref().map(|refusal| Refusal {
                status: refusal.status,
                cause: refusal.cause.clone(),
                message: refusal.message.clone(),
                stage: refusal.stage.clone(),
            }),
            fault: decision.fault.as_ref().map(|fault| Fault {
                stage: Arc::clone(&fault.stage),
                kind: fault.kind.to_string(),
                detail: fault.detail.clone(),
            }),
            fallback: decision.fallback,
        }
    }

    /// Whether both are the same to the last bit: order, scores, exclusions with their values, drops, hedge delay and refusal.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let bits = |scores: &[f64]| {
            scores
                .iter()
                .map(|score| score.to_bits())
                .collect::<Vec<_>>()
        };
        self.order == other.order
            && bits(&self.scores) == bits(&other.scores)
            && self.excluded.len() == other.excluded.len()
            && self
                .excluded
                .iter()
                .zip(&other.excluded)
                .all(|(a, b)| a.same(b))
            && self.dropped == other.dropped
            && self.skipped == other.skipped
            && self.hedge == other.hedge
            && self.refusal == other.refusal
    }
}

impl Excluded {
    fn same(&self, other: &Self) -> bool {
        self.row == other.row
            && self.stage == other.stage
            && self.cause == other.cause
            && self.value.map(f64::to_bits) == other.value.map(f64::to_bits)
            && self.column == other.column
            && self.shown == other.shown
    }
}
