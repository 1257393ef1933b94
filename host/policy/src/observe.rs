//! Whoever looks on while the host decides: a recorder, another policy asked in the background.
//!
//! # Contract
//!
//! An observer hears of a decision once, when its job has ended: everything that held the [`Selection`](crate::Selection) is gone, and
//! the attempts stand in the decision's record. What it is given is what the chain decided over: of a watched job the candidates are kept
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
    pub job: Job,
    /// The candidates as the chain saw them.
    pub candidates: Arc<dyn Kept>,
    /// The generation that was asked.
    pub generation: Arc<Generation>,
    /// What was decided, and by now the attempts that followed.
    pub decision: Arc<Decision>,
    /// Whether a candidate of unknown price passes under a hard ceiling.
    pub unpriced_passes: bool,
}

/// Tells the observer when the last that holds it is gone.
pub(crate) struct Watched {
    observer: Arc<dyn Observer>,
    observed: Option<Observed>,
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

// === impl Watched ===

impl Watched {
    /// Watches `job`. Its name stands in the decision already and is copied from there when the job has ended: nobody waits then.
    pub(crate) fn new(
        observer: Arc<dyn Observer>,
        job: &Job,
        candidates: Arc<dyn Kept>,
        generation: Arc<Generation>,
        decision: Arc<Decision>,
        unpriced_passes: bool,
    ) -> Self {
        let job = Job {
            id: String::new(),
            labels: job.labels.clone(),
            hints: job.hints.clone(),
            ..*job
        };
        Self {
            observer,
            observed: Some(Observed {
                job,
                candidates,
                generation,
                decision,
                unpriced_passes,
            }),
        }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.observed).finish()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(mut observed) = self.observed.take() {
            observed.job.id.clone_from(&observed.decision.job);
            self.observer.ended(observed);
        }
    }
}
