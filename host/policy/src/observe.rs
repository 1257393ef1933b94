//! Whoever looks on while the host decides: a recorder, another policy asked in the background.
//!
//! # Contract
//!
//! An observer hears of a decision once, when its job has ended: the [`Selection`](crate::Selection) is gone, and the attempts stand in
//! the decision's record. What it is given is what the chain decided over: of a watched job the candidates are kept
//! *before* the chain is asked, since facts such as `in-flight` change while it decides. Candidates that cannot be kept are not
//! watched. Both methods are called in a job's way and must not wait.

use std::fmt;
use std::sync::Arc;

use pointsman_facts::{Job, Kept};

use crate::decision::Decision;
use crate::generation::Generation;

/// Looks on.
pub trait Observer: Send + Sync {
    /// Whether it wants to hear of decisions about `job`. The answer for one affinity should not change, or it hears half a stream.
    fn watches(&self, job: &Job) -> bool;

    /// A watched job has ended.
    fn ended(&self, observed: Observed);
}

/// A decision with all that went in.
pub struct Observed {
    /// The job as the chain saw it.
    pub job: Arc<Job>,
    /// The candidates as the chain saw them.
    pub candidates: Arc<dyn Kept>,
    /// The generation that was asked.
    pub generation: Arc<Generation>,
    /// What was decided, and by now the attempts that followed.
    pub decision: Arc<Decision>,
    /// Whether a candidate of unknown price passes under a hard ceiling.
    pub unpriced_passes: bool,
}

/// What the observer will be told, but for the decision.
pub(crate) struct Watch {
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) job: Arc<Job>,
    pub(crate) candidates: Arc<dyn Kept>,
    pub(crate) unpriced_passes: bool,
}

// === impl Observed ===

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed")
            .field("job", &self.decision.job)
            .field("decision", &self.decision.id)
            .finish_non_exhaustive()
    }
}

// === impl Watch ===

impl Watch {
    /// The job has ended.
    pub(crate) fn end(self, generation: &Arc<Generation>, decision: &Arc<Decision>) {
        self.observer.ended(Observed {
            job: self.job,
            candidates: self.candidates,
            generation: Arc::clone(generation),
            decision: Arc::clone(decision),
            unpriced_passes: self.unpriced_passes,
        });
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
