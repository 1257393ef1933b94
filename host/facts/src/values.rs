//! The values of one column.

use std::borrow::Cow;

use serde::Serialize;

/// What a column's values are, and so which case of the WIT's `column` carries them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 64-bit floats; unknown is NaN.
    Numbers,
    /// Unsigned integers; unknown is [`UNKNOWN_COUNT`].
    Counts,
    /// 0 no, 1 yes, 2 unknown.
    Marks,
    /// Symbols; unknown is 0.
    Symbols,
}

/// An unknown count. Known counts saturate one below it.
pub const UNKNOWN_COUNT: u64 = u64::MAX;

/// A mark that says no.
pub const NO: u8 = 0;
/// A mark that says yes.
pub const YES: u8 = 1;
/// A mark nobody can set.
pub const UNKNOWN_MARK: u8 = 2;

/// One fact of every candidate, in row order: borrowed from a snapshot where it stands there, owned where it was made for this decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Values<'a> {
    /// See [`Kind::Numbers`].
    Numbers(Cow<'a, [f64]>),
    /// See [`Kind::Counts`].
    Counts(Cow<'a, [u64]>),
    /// See [`Kind::Marks`].
    Marks(Cow<'a, [u8]>),
    /// See [`Kind::Symbols`].
    Symbols(Cow<'a, [u64]>),
}

/// `known` as a count that cannot be mistaken for "unknown".
#[must_use]
pub fn count(known: Option<u64>) -> u64 {
    known.map_or(UNKNOWN_COUNT, |value| value.min(UNKNOWN_COUNT - 1))
}

/// `known` as a mark.
#[must_use]
pub fn mark(known: Option<bool>) -> u8 {
    known.map_or(UNKNOWN_MARK, u8::from)
}

// === impl Values ===

impl Values<'_> {
    /// `rows` unknown values.
    #[must_use]
    pub fn unknown(kind: Kind, rows: usize) -> Values<'static> {
        match kind {
            Kind::Numbers => Values::Numbers(vec![f64::NAN; rows].into()),
            Kind::Counts => Values::Counts(vec![UNKNOWN_COUNT; rows].into()),
            Kind::Marks => Values::Marks(vec![UNKNOWN_MARK; rows].into()),
            Kind::Symbols => Values::Symbols(vec![0; rows].into()),
        }
    }

    /// Which kind these values are.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Numbers(_) => Kind::Numbers,
            Self::Counts(_) => Kind::Counts,
            Self::Marks(_) => Kind::Marks,
            Self::Symbols(_) => Kind::Symbols,
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Counts(values) | Self::Symbols(values) => values.len(),
            Self::Marks(values) => values.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values of `rows`, in that order. Every row must be below [`Values::len`].
    #[must_use]
    pub fn gather(&self, rows: &[u32]) -> Values<'static> {
        fn pick<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&row| values[row as usize]).collect()
        }
        match self {
            Self::Numbers(values) => Values::Numbers(pick(values, rows).into()),
            Self::Counts(values) => Values::Counts(pick(values, rows).into()),
            Self::Marks(values) => Values::Marks(pick(values, rows).into()),
            Self::Symbols(values) => Values::Symbols(pick(values, rows).into()),
        }
    }

    /// The value of `row` as a float for people to read: NaN when unknown, symbols as they are.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "shown to people, never computed with"
    )]
    pub fn shown(&self, row: usize) -> f64 {
        match self {
            Self::Numbers(values) => values[row],
            Self::Counts(values) if values[row] == UNKNOWN_COUNT => f64::NAN,
            Self::Counts(values) | Self::Symbols(values) => values[row] as f64,
            Self::Marks(values) if values[row] == UNKNOWN_MARK => f64::NAN,
            Self::Marks(values) => f64::from(values[row]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_never_mistaken_for_unknown() {
        assert_eq!(count(Some(u64::MAX)), UNKNOWN_COUNT - 1);
        assert_eq!(count(None), UNKNOWN_COUNT);
    }

    #[test]
    fn gather_follows_the_rows_asked_for() {
        let values = Values::Numbers(vec![1.0, 2.0, 3.0].into());
        assert_eq!(
            values.gather(&[2, 0]),
            Values::Numbers(vec![3.0, 1.0].into())
        );
    }

    #[test]
    fn unknown_is_shown_as_nan_in_every_kind() {
        for kind in [Kind::Numbers, Kind::Counts, Kind::Marks] {
            assert!(Values::unknown(kind, 1).shown(0).is_nan(), "{kind:?}");
        }
    }
}
