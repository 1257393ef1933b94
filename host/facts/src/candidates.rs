//! Where a decision's facts come from.

use std::sync::Arc;

use crate::{Column, Symbol, Values};

/// The candidates of one decision: every known orchestrator, each a row, the same rows for every question.
///
/// Implementations borrow columns from an immutable snapshot and make only the few that belong to one decision (fit,
/// incumbent, credit). Nothing here may wait or touch the network.
pub trait Candidates: Send + Sync {
    /// The number of the snapshot the rows come from; recorded with the decision.
    fn snapshot(&self) -> u64;

    /// How many candidates there are.
    fn rows(&self) -> usize;

    /// The identity of `row`; see [`Column::Id`].
    fn id(&self, row: usize) -> Symbol;

    /// One fact of every candidate, of the column's [`Column::kind`], [`Candidates::rows`] long.
    /// What the chain makes ([`Column::is_made_by_chain`]) is never asked for here.
    fn values(&self, column: &Column) -> Values<'_>;

    /// The same candidates to be read later, on another thread: what changes with every attempt is as of now and stays so.
    /// `None` where they cannot be kept. Called on the way of a job, so it copies as little as it can.
    fn keep(&self) -> Option<Arc<dyn Kept>> {
        None
    }
}

/// Candidates that outlive their decision: for recording, and for whoever asks another policy about them afterwards.
pub trait Kept: Candidates {
    /// The keys of every label that any candidate has: which `label/<key>` columns there are.
    fn labels(&self) -> Vec<String>;

    /// Where the orchestrator of `row` is asked, for people to read.
    fn address(&self, row: usize) -> Option<String>;
}
