//! What candidates can be ordered by.

use core::cmp::Reverse;

use crate::Price;

/// What [`Candidates::order_by`](crate::Candidates::order_by) takes: least first, unknown last.
///
/// Numbers, counts, prices, booleans (no before yes), options and tuples of these. For the greatest first:
/// `row.get(stake).map(Reverse)`, which keeps the unknown last.
pub trait SortKey {
    /// The same as something the sort can compare.
    type Key: Ord;
    /// Makes it.
    fn key(self) -> Self::Key;
}

/// A key that may be unknown, and then comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Last<K> {
    /// A value.
    Known(K),
    /// None.
    Unknown,
}

impl SortKey for f64 {
    type Key = i64;

    /// NaN is last; -0 and 0 are one.
    fn key(self) -> i64 {
        if self.is_nan() {
            return i64::MAX;
        }
        let bits = (self + 0.0).to_bits().cast_signed();
        if bits < 0 { !(bits ^ i64::MIN) } else { bits }
    }
}

impl<K: SortKey> SortKey for Option<K> {
    type Key = Last<K::Key>;

    fn key(self) -> Self::Key {
        self.map_or(Last::Unknown, |known| Last::Known(known.key()))
    }
}

impl<K: SortKey> SortKey for Reverse<K> {
    type Key = Reverse<K::Key>;

    fn key(self) -> Self::Key {
        Reverse(self.0.key())
    }
}

macro_rules! as_they_are {
    ($($plain:ty),+) => {
        $(impl SortKey for $plain {
            type Key = Self;
            fn key(self) -> Self { self }
        })+
    };
}

as_they_are!(u8, u16, u32, u64, i32, i64, bool, Price);

macro_rules! tuples {
    ($(($($name:ident $place:tt),+);)+) => {
        $(impl<$($name: SortKey),+> SortKey for ($($name,)+) {
            type Key = ($($name::Key,)+);
            fn key(self) -> Self::Key { ($(self.$place.key(),)+) }
        })+
    };
}

tuples! {
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_sort_as_numbers_with_nan_last() {
        let sorted = [
            f64::NEG_INFINITY,
            -2.5,
            -1.0,
            0.0,
            1e-300,
            1.0,
            f64::INFINITY,
            f64::NAN,
        ];
        for pair in sorted.windows(2) {
            assert!(pair[0].key() < pair[1].key(), "{pair:?}");
        }
        assert_eq!((-0.0).key(), 0.0.key());
        assert_eq!((-f64::NAN).key(), f64::NAN.key());
    }

    #[test]
    fn unknown_is_last_in_both_directions() {
        assert!(Some(1.0).key() < None::<f64>.key());
        assert!(Some(Reverse(1.0)).key() < None::<Reverse<f64>>.key());
        assert!(Some(Reverse(2.0)).key() < Some(Reverse(1.0)).key());
    }
}
