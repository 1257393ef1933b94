//! Recorded candidates, for a policy to be asked about again.

use std::sync::Arc;

use pointsman_facts::values::UNKNOWN_COUNT;
use pointsman_facts::{Candidates, Column, Price, Symbol, Values};

use crate::column::lend;

/// The candidates of a recorded decision: every column as it was then, whoever asked for it.
#[derive(Clone, Debug)]
pub struct Rows {
    pub(super) snapshot: u64,
    pub(super) rows: usize,
    pub(super) columns: Vec<Held>,
}

/// A column, shared by all decisions that saw the same.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) column: Arc<Column>,
    pub(super) values: Arc<Values<'static>>,
}

// === impl Rows ===

impl Rows {
    /// The exact price of `row`, if it quoted one.
    #[must_use]
    pub fn price(&self, row: u32) -> Option<Price> {
        let count = |column| match self.values(&column) {
            Values::Counts(counts) => counts.get(row as usize).copied(),
            _ => None,
        };
        let known = |count: &u64| *count != UNKNOWN_COUNT;
        let num = count(Column::PriceNum).filter(known)?;
        Price::new(num, count(Column::PriceDen).filter(known)?)
    }

    /// A number of `row`, if it is known.
    #[must_use]
    pub fn number(&self, column: &Column, row: u32) -> Option<f64> {
        let values = self.values(column);
        let value = ((row as usize) < values.len()).then(|| values.shown(row as usize));
        value.filter(|value| !value.is_nan())
    }
}

impl Candidates for Rows {
    fn snapshot(&self) -> u64 {
        self.snapshot
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn id(&self, row: usize) -> Symbol {
        match self.values(&Column::Id) {
            Values::Symbols(ids) => Symbol(ids.get(row).copied().unwrap_or_default()),
            _ => Symbol::UNKNOWN,
        }
    }

    fn values(&self, column: &Column) -> Values<'_> {
        let held = self.columns.iter().find(|held| *held.column == *column);
        match held {
            Some(held) => lend(&held.values),
            None => Values::unknown(column.kind(), self.rows),
        }
    }
}
