//! The selection hook.

use crate::{Candidates, Job, Policy, Verdict};

/// Which candidates get a job, and in which order: one stage of the chain that a bundle lists.
///
/// A stage filters, scores or orders, and one verdict may exclude and score or order at once:
///
/// - [`Candidates::keep`] and [`Candidates::exclude`] drop rows, with causes;
/// - [`Candidates::score`] says how good each is; the host adds the scores of all stages by their weights;
/// - [`Candidates::order_by`] sets the order, and so who is next when the first fails;
/// - [`Verdict::Hedge`] only sets when a slow attempt is doubled, [`Verdict::Reject`] refuses the job,
///   [`Verdict::Abstain`] says nothing.
pub trait Selection: Policy {
    /// Judges the survivors of the stages before. They come shuffled by the seed, so that equals share the work.
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict;
}
