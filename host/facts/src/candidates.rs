//! Where a decision's facts come from.

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
    /// [`Column::ScoreSum`] and [`Column::Position`] are the chain's own and never asked for here.
    fn values(&self, column: &Column) -> Values<'_>;
}
