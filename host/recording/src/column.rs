//! Columns that outlive their decision: compared by bits, written as differences.

use pointsman_facts::{Kind, Values};

use crate::format;

/// A difference between two versions of a column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delta {
    /// Rows, 4 bytes each; empty where all are given.
    pub(crate) changed: Vec<u8>,
    /// Their values.
    pub(crate) values: Vec<u8>,
}

/// Why a difference does not fit its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a column's change does not fit the column")]
pub(crate) struct Misfit;

// === impl format::Kind ===

impl From<Kind> for format::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Numbers => Self::Numbers,
            Kind::Counts => Self::Counts,
            Kind::Marks => Self::Marks,
            Kind::Symbols => Self::Symbols,
        }
    }
}

/// Whether both hold the same bits: NaN equals NaN.
pub(crate) fn same(a: &Values<'_>, b: &Values<'_>) -> bool {
    match (a, b) {
        (Values::Numbers(a), Values::Numbers(b)) => {
            a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| a.to_bits() == b.to_bits())
        }
        (Values::Counts(a), Values::Counts(b)) | (Values::Symbols(a), Values::Symbols(b)) => a == b,
        (Values::Marks(a), Values::Marks(b)) => a == b,
        _ => false,
    }
}

/// All rows of `values`.
pub(crate) fn whole(values: &Values<'_>) -> Delta {
    let bytes = match values {
        Values::Numbers(values) => values
            .iter()
            .flat_map(|v| v.to_bits().to_le_bytes())
            .collect(),
        Values::Counts(values) | Values::Symbols(values) => {
            values.iter().flat_map(|v| v.to_le_bytes()).collect()
        }
        Values::Marks(values) => values.to_vec(),
    };
    Delta {
        changed: Vec::new(),
        values: bytes,
    }
}

/// The rows in which `new` differs from `old`; `None` when that is no shorter than the whole, or they are not alike.
pub(crate) fn difference(old: &Values<'_>, new: &Values<'_>) -> Option<Delta> {
    fn rows<T: Copy>(old: &[T], new: &[T], bits: impl Fn(T) -> u64, size: usize) -> Option<Delta> {
        if old.len() != new.len() {
            return None;
        }
        let (mut changed, mut values) = (Vec::new(), Vec::new());
        for (row, (&old, &new)) in old.iter().zip(new).enumerate() {
            if bits(old) != bits(new) {
                changed.extend(u32::try_from(row).ok()?.to_le_bytes());
                values.extend_from_slice(&bits(new).to_le_bytes()[..size]);
            }
        }
        let shorter = changed.len() + values.len() < size * new.len();
        shorter.then_some(Delta { changed, values })
    }
    match (old, new) {
        (Values::Numbers(old), Values::Numbers(new)) => rows(old, new, f64::to_bits, 8),
        (Values::Counts(old), Values::Counts(new))
        | (Values::Symbols(old), Values::Symbols(new)) => rows(old, new, |bits| bits, 8),
        (Values::Marks(old), Values::Marks(new)) => rows(old, new, u64::from, 1),
        _ => None,
    }
}

/// A column from all of its rows.
pub(crate) fn from_whole(kind: format::Kind, bytes: &[u8]) -> Result<Values<'static>, Misfit> {
    let words = || -> Result<Vec<u64>, Misfit> {
        let (words, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(Misfit);
        }
        Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
    };
    Ok(match kind {
        format::Kind::Numbers => {
            let numbers: Vec<f64> = words()?.into_iter().map(f64::from_bits).collect();
            Values::Numbers(numbers.into())
        }
        format::Kind::Counts => Values::Counts(words()?.into()),
        format::Kind::Symbols => Values::Symbols(words()?.into()),
        format::Kind::Marks => Values::Marks(bytes.to_vec().into()),
    })
}

/// `old` with the rows in `changed` replaced.
pub(crate) fn apply(
    old: &Values<'static>,
    changed: &[u8],
    values: &[u8],
) -> Result<Values<'static>, Misfit> {
    fn rows<T: Copy>(
        target: &mut [T],
        changed: &[u8],
        values: &[u8],
        size: usize,
        value: impl Fn([u8; 8]) -> T,
    ) -> Result<(), Misfit> {
        let (places, rest) = changed.as_chunks::<4>();
        if !rest.is_empty() || values.len() != places.len() * size {
            return Err(Misfit);
        }
        for (place, bytes) in places.iter().zip(values.chunks_exact(size)) {
            let mut word = [0; 8];
            word[..size].copy_from_slice(bytes);
            let row = u32::from_le_bytes(*place) as usize;
            *target.get_mut(row).ok_or(Misfit)? = value(word);
        }
        Ok(())
    }
    let mut new = old.clone();
    match &mut new {
        Values::Numbers(target) => rows(target.to_mut(), changed, values, 8, f64::from_le_bytes),
        Values::Counts(target) | Values::Symbols(target) => {
            rows(target.to_mut(), changed, values, 8, u64::from_le_bytes)
        }
        Values::Marks(target) => rows(target.to_mut(), changed, values, 1, |word| word[0]),
    }?;
    Ok(new)
}

/// The same values, owned.
pub(crate) fn owned(values: Values<'_>) -> Values<'static> {
    match values {
        Values::Numbers(values) => Values::Numbers(values.into_owned().into()),
        Values::Counts(values) => Values::Counts(values.into_owned().into()),
        Values::Symbols(values) => Values::Symbols(values.into_owned().into()),
        Values::Marks(values) => Values::Marks(values.into_owned().into()),
    }
}

/// The same values, lent.
pub(crate) fn lend<'a>(values: &'a Values<'static>) -> Values<'a> {
    match values {
        Values::Numbers(values) => Values::Numbers((&**values).into()),
        Values::Counts(values) => Values::Counts((&**values).into()),
        Values::Symbols(values) => Values::Symbols((&**values).into()),
        Values::Marks(values) => Values::Marks((&**values).into()),
    }
}

/// About how many bytes they hold.
pub(crate) fn size(values: &Values<'_>) -> usize {
    match values {
        Values::Marks(values) => values.len(),
        other => other.len() * 8,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn columns() -> impl Strategy<Value = (Values<'static>, Values<'static>)> {
        let bits = || prop::collection::vec((any::<u64>(), any::<u64>(), any::<bool>()), 0..40);
        (bits(), 0..4usize).prop_map(|(rows, kind)| {
            let old: Vec<u64> = rows.iter().map(|row| row.0).collect();
            let new: Vec<u64> = rows
                .iter()
                .map(|&(old, new, changed)| if changed { new } else { old })
                .collect();
            let make = |bits: Vec<u64>| match kind {
                0 => Values::Numbers(bits.into_iter().map(f64::from_bits).collect()),
                1 => Values::Counts(bits.into()),
                2 => Values::Symbols(bits.into()),
                _ => Values::Marks(bits.iter().map(|bits| bits.to_le_bytes()[0]).collect()),
            };
            (make(old), make(new))
        })
    }

    proptest! {
        #[test]
        fn a_difference_brings_back_every_bit((old, new) in columns()) {
            let kind = format::Kind::from(new.kind());
            let all = from_whole(kind, &whole(&new).values).expect("what was just written");
            prop_assert!(same(&all, &new));
            if let Some(delta) = difference(&old, &new) {
                let applied = apply(&old, &delta.changed, &delta.values).expect("the same rows");
                prop_assert!(same(&applied, &new));
                prop_assert!(delta.changed.len() + delta.values.len() < whole(&new).values.len());
            }
        }

        #[test]
        fn what_does_not_fit_is_refused(
            (old, _) in columns(),
            changed in prop::collection::vec(any::<u8>(), 0..20),
            values in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            if let Ok(applied) = apply(&old, &changed, &values) {
                prop_assert_eq!(applied.len(), old.len());
            }
            let _ = from_whole(format::Kind::Counts, &values);
        }
    }

    #[test]
    fn rows_and_lengths_are_checked() {
        let old = Values::Counts(vec![1, 2].into());
        assert_eq!(
            apply(&old, &[2, 0, 0, 0], &[0; 8]),
            Err(Misfit),
            "row 2 of 2"
        );
        assert_eq!(apply(&old, &[1, 0, 0, 0], &[0; 7]), Err(Misfit));
        assert_eq!(apply(&old, &[1, 0], &[]), Err(Misfit));
        assert_eq!(from_whole(format::Kind::Numbers, &[0; 9]), Err(Misfit));
    }
}
