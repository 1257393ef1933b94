//! The candidates of one question.

use crate::plan::{Kind, Plan};
use crate::text::joined;
use crate::{Column, Counts, Handle, Marks, Numbers, Symbols, Table};

/// The candidates of one question: rows of facts, read by the handles of the [`Plan`].
///
/// Reading a value through [`Row::get`] is the clear way. A policy that must be fast over thousands of rows takes
/// whole columns ([`Candidates::numbers`] and its like), where unknown is NaN, all ones, 2 or 0.
#[derive(Clone, Debug)]
pub struct Candidates {
    rows: u32,
    columns: Vec<Column>,
}

/// One candidate.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    candidates: &'a Candidates,
    index: u32,
}

// === impl Candidates ===

impl Candidates {
    /// Takes what the host handed over.
    ///
    /// # Panics
    ///
    /// When it is not what `plan` asked for: another number of columns, of rows, or another kind. The panic's message,
    /// which the host logs, says which.
    pub(crate) fn new(table: Table, plan: &Plan) -> Self {
        let Table { rows, mut columns } = table;
        assert!(
            columns.len() == plan.columns.len(),
            "asked for other columns"
        );
        for (column, (name, kind)) in columns.iter_mut().zip(&plan.columns) {
            let (got, len) = shape(column);
            if got != *kind && name.starts_with('?') {
                *column = unknown(*kind, rows);
            } else if got != *kind {
                let (got, wanted) = (got.name(), kind.name());
                panic_text(&["the column \"", name, "\" holds ", got, ", not ", wanted]);
            } else if len != rows as usize {
                panic_text(&["the column \"", name, "\" has not one value a row"]);
            }
        }
        Self { rows, columns }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.rows
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// One candidate.
    ///
    /// # Panics
    ///
    /// When `index` is not below [`Candidates::len`].
    #[must_use]
    pub fn row(&self, index: u32) -> Row<'_> {
        assert!(index < self.rows, "no such row");
        Row {
            candidates: self,
            index,
        }
    }

    /// All candidates, in order.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.rows).map(|index| Row {
            candidates: self,
            index,
        })
    }

    /// A whole column; unknown is NaN.
    #[must_use]
    #[inline]
    pub fn numbers(&self, handle: Numbers) -> &[f64] {
        match self.columns.get(handle.0 as usize) {
            Some(Column::Numbers(values)) => values,
            _ => foreign(),
        }
    }

    /// A whole column; unknown is all ones.
    #[must_use]
    #[inline]
    pub fn counts(&self, handle: Counts) -> &[u64] {
        match self.columns.get(handle.0 as usize) {
            Some(Column::Counts(values)) => values,
            _ => foreign(),
        }
    }

    /// A whole column: 0 no, 1 yes, 2 unknown.
    #[must_use]
    #[inline]
    pub fn marks(&self, handle: Marks) -> &[u8] {
        match self.columns.get(handle.0 as usize) {
            Some(Column::Marks(values)) => values,
            _ => foreign(),
        }
    }

    /// A whole column; unknown is 0.
    #[must_use]
    #[inline]
    pub fn symbols(&self, handle: Symbols) -> &[u64] {
        match self.columns.get(handle.0 as usize) {
            Some(Column::Symbols(values)) => values,
            _ => foreign(),
        }
    }
}

#[cold]
fn foreign() -> ! {
    panic!("it reads a column that it did not ask for; ask its own plan, in configure");
}

/// A panic whose message needs no formatting: that would be in every component.
#[cold]
fn panic_text(parts: &[&str]) -> ! {
    panic!("{}", joined(parts))
}

fn shape(column: &Column) -> (Kind, usize) {
    match column {
        Column::Numbers(values) => (Kind::Numbers, values.len()),
        Column::Counts(values) => (Kind::Counts, values.len()),
        Column::Marks(values) => (Kind::Marks, values.len()),
        Column::Symbols(values) => (Kind::Symbols, values.len()),
    }
}

pub(crate) fn unknown(kind: Kind, rows: u32) -> Column {
    let rows = rows as usize;
    match kind {
        Kind::Numbers => Column::Numbers(vec![f64::NAN; rows]),
        Kind::Counts => Column::Counts(vec![u64::MAX; rows]),
        Kind::Marks => Column::Marks(vec![2; rows]),
        Kind::Symbols => Column::Symbols(vec![0; rows]),
    }
}

// === impl Row ===

impl Row<'_> {
    /// Its place among the candidates.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// A fact of it, if it is known.
    #[must_use]
    #[inline]
    pub fn get<H: Handle>(self, handle: H) -> Option<H::Value> {
        handle.value(self.candidates, self.index as usize)
    }

    /// A fact of it, or `unknown`.
    #[must_use]
    #[inline]
    pub fn or<H: Handle>(self, handle: H, unknown: H::Value) -> H::Value {
        self.get(handle).unwrap_or(unknown)
    }

    /// Whether the mark is known to be yes.
    #[must_use]
    #[inline]
    pub fn yes(self, handle: Marks) -> bool {
        self.get(handle) == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> (Plan, Numbers, Marks) {
        let mut plan = Plan::default();
        let (price, fit) = (plan.numbers("price"), plan.marks("?newer"));
        (plan, price, fit)
    }

    #[test]
    fn unknown_values_are_none() {
        let (plan, price, newer) = plan();
        let columns = vec![
            Column::Numbers(vec![f64::NAN, 2.0]),
            Column::Marks(vec![2, 1]),
        ];
        let candidates = Candidates::new(Table { rows: 2, columns }, &plan);
        assert_eq!(candidates.row(0).get(price), None);
        assert_eq!(candidates.row(1).get(price), Some(2.0));
        assert!(!candidates.row(0).yes(newer) && candidates.row(1).yes(newer));
    }

    #[test]
    fn a_column_the_host_does_not_know_is_unknown_in_the_kind_asked_for() {
        let (plan, _, newer) = plan();
        let columns = vec![Column::Numbers(vec![1.0]), Column::Numbers(vec![f64::NAN])];
        let candidates = Candidates::new(Table { rows: 1, columns }, &plan);
        assert_eq!(candidates.row(0).get(newer), None);
    }

    #[test]
    #[should_panic(expected = "the column \"price\" holds counts, not numbers")]
    fn a_column_of_another_kind_says_so() {
        let (plan, ..) = plan();
        let columns = vec![Column::Counts(vec![]), Column::Marks(vec![])];
        let _ = Candidates::new(Table { rows: 0, columns }, &plan);
    }
}
