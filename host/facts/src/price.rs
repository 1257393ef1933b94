//! Exact prices.

use std::cmp::Ordering;
use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

/// Wei per unit of work (pixel, second, token, request), as the exact fraction the network quotes.
///
/// Comparison is by value and exact: 1/2 equals 2/4.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Price {
    /// Wei.
    pub num: u64,
    /// Units bought for that.
    pub den: NonZeroU64,
}

// === impl Price ===

impl Price {
    /// Nothing per unit.
    pub const FREE: Self = Self {
        num: 0,
        den: NonZeroU64::MIN,
    };

    /// `num` wei for `den` units; `None` when `den` is zero, which orchestrators do send.
    #[must_use]
    pub fn new(num: u64, den: u64) -> Option<Self> {
        NonZeroU64::new(den).map(|den| Self { num, den })
    }

    /// The nearest float, for ranking. Never for paying.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "ranking compares magnitudes; exact comparison is Ord"
    )]
    pub fn to_f64(self) -> f64 {
        self.num as f64 / self.den.get() as f64
    }
}

impl PartialEq for Price {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Price {}

impl PartialOrd for Price {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Price {
    fn cmp(&self, other: &Self) -> Ordering {
        let ours = u128::from(self.num) * u128::from(other.den.get());
        let theirs = u128::from(other.num) * u128::from(self.den.get());
        ours.cmp(&theirs)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(num: u64, den: u64) -> Price {
        Price::new(num, den).expect("a denominator above zero")
    }

    #[test]
    fn comparison_is_exact_where_floats_are_not() {
        assert_eq!(price(1, 2), price(2, 4));
        let (a, b) = (
            price(u64::MAX, u64::MAX - 1),
            price(u64::MAX - 1, u64::MAX - 2),
        );
        assert!(a < b);
        assert!(
            (a.to_f64() - b.to_f64()).abs() < f64::EPSILON,
            "as floats they are the same"
        );
    }

    #[test]
    fn a_zero_denominator_is_no_price() {
        assert_eq!(Price::new(5, 0), None);
    }
}
