//! Candidates by hand.

use crate::candidates::unknown;
use crate::plan::Kind;
use crate::{Column, Plan, Price, symbol};

/// Candidates by column name. A column that the policy asks for and the table does not have is unknown everywhere; one
/// that it does not ask for is not handed over.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Option<u32>,
    columns: Vec<(String, Column)>,
}

// === impl Table ===

impl Table {
    /// No rows; the first column says how many there are.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `rows` rows of which nothing is known, until columns say so.
    #[must_use]
    pub fn of(rows: u32) -> Self {
        Self {
            rows: Some(rows),
            columns: Vec::new(),
        }
    }

    /// A column of floats: `[1.0, 2.0]`, or `[Some(1.0), None]` where some are unknown.
    #[must_use]
    pub fn numbers<V: Into<Option<f64>>>(
        self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.column(name, values, f64::NAN, Column::Numbers)
    }

    /// A column of unsigned integers.
    #[must_use]
    pub fn counts<V: Into<Option<u64>>>(
        self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.column(name, values, u64::MAX, Column::Counts)
    }

    /// A column of yes and no.
    #[must_use]
    pub fn marks<V: Into<Option<bool>>>(
        self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let marks = values.into_iter().map(|mark| mark.into().map(u8::from));
        self.column(name, marks, 2, Column::Marks)
    }

    /// A column of strings; the empty one is unknown.
    #[must_use]
    pub fn symbols<'a>(self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.column(name, values.into_iter().map(symbol), 0, Column::Symbols)
    }

    /// The columns `price/num`, `price/den` and `price`, of (wei, units).
    #[must_use]
    pub fn prices<V: Into<Option<(u64, u64)>>>(self, prices: impl IntoIterator<Item = V>) -> Self {
        let prices: Vec<Option<Price>> = prices
            .into_iter()
            .map(|price| price.into().and_then(|(num, den)| Price::new(num, den)))
            .collect();
        self.counts(
            "price/num",
            prices.iter().map(|price| price.map(|price| price.num)),
        )
        .counts(
            "price/den",
            prices.iter().map(|price| price.map(|price| price.den)),
        )
        .numbers("price", prices.iter().map(|price| price.map(Price::to_f64)))
    }

    /// Puts a column in place of what was there under its name.
    fn column<T: Copy, V: Into<Option<T>>>(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = V>,
        unknown: T,
        kind: fn(Vec<T>) -> Column,
    ) -> Self {
        let values = values.into_iter().map(|value| value.into());
        let values: Vec<T> = values.map(|value| value.unwrap_or(unknown)).collect();
        let len = values.len();
        let rows = *self
            .rows
            .get_or_insert(u32::try_from(len).expect("a table of this world"));
        assert!(
            len == rows as usize,
            "the column \"{name}\" has {len} values for {rows} rows"
        );
        self.columns.retain(|(known, _)| known != name);
        self.columns.push((name.to_owned(), kind(values)));
        self
    }

    pub(super) fn len(&self) -> u32 {
        self.rows.unwrap_or(0)
    }

    /// The columns in the order of `plan`, as the host would hand them over.
    pub(super) fn laid_out(&self, plan: &Plan) -> crate::Table {
        let rows = self.len();
        let find = |(name, kind): &(String, Kind)| {
            let wanted = name.strip_prefix('?').unwrap_or(name);
            let known = self.columns.iter().find(|(known, _)| known == wanted);
            known.map_or_else(|| unknown(*kind, rows), |(_, column)| column.clone())
        };
        crate::Table {
            rows,
            columns: plan.columns.iter().map(find).collect(),
        }
    }
}
