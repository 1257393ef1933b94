//! Exact prices.

use core::cmp::Ordering;

use crate::Price;

// === impl Price ===

impl Price {
    /// `num` wei for `den` units; `None` when `den` is zero.
    #[must_use]
    pub fn new(num: u64, den: u64) -> Option<Self> {
        (den > 0).then_some(Self { num, den })
    }

    /// The nearest float, wei per unit. For scores; compare prices themselves, which is exact.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "scores compare magnitudes")]
    pub fn to_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// Whether this is at most `percent` hundredths of `other`, exactly.
    #[must_use]
    pub fn within(self, percent: u32, other: Self) -> bool {
        let (low, high) = wide(self.num, other.den, 100);
        let (other_low, other_high) = wide(other.num, self.den, percent);
        (high, low) <= (other_high, other_low)
    }
}

/// `a * b * c` as (low, high) halves: 64 + 64 + 32 bits do not fit 128.
fn wide(a: u64, b: u64, c: u32) -> (u128, u128) {
    let product = u128::from(a) * u128::from(b);
    let low = (product & u128::from(u64::MAX)) * u128::from(c);
    let high = (product >> 64) * u128::from(c) + (low >> 64);
    (low & u128::from(u64::MAX), high)
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

/// By value and exact: 1/2 equals 2/4.
impl Ord for Price {
    fn cmp(&self, other: &Self) -> Ordering {
        // Mostly they are for as many units, and products of 128 bits are slow in WebAssembly.
        if self.den == other.den {
            return self.num.cmp(&other.num);
        }
        let ours = u128::from(self.num) * u128::from(other.den);
        let theirs = u128::from(other.num) * u128::from(self.den);
        ours.cmp(&theirs)
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
        assert!(price(1, 3) < price(2, 3) && price(3, 3) > price(2, 3));
        assert!(price(u64::MAX, u64::MAX - 1) < price(u64::MAX - 1, u64::MAX - 2));
        assert_eq!(Price::new(1, 0), None);
    }

    #[test]
    fn within_is_exact_at_the_bound_and_does_not_overflow() {
        assert!(price(2, 3).within(200, price(1, 3)));
        assert!(!price(2_000_001, 3_000_000).within(200, price(1, 3)));
        let huge = price(u64::MAX, 1);
        assert!(huge.within(100, huge) && huge.within(u32::MAX, price(u64::MAX, 2)));
        assert!(!huge.within(199, price(u64::MAX, 2)));
    }
}
