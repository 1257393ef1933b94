//! temporary
use std::sync::Arc;
use pointsman_facts::{Job, Kept};
use pointsman_policy::{Decision, Generation};
/// A decision.
pub struct Observed {
    /// Job.
    pub job: Job,
    /// Candidates.
    pub candidates: Arc<dyn Kept>,
    /// Generation.
    pub generation: Arc<Generation>,
    /// Decision.
    pub decision: Arc<Decision>,
    /// Unpriced.
    pub unpriced_passes: bool,
}
