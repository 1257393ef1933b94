//! Exact sums of what tickets are worth.
//!
//! # Why not a general ratio
//!
//! A ticket is worth `face_value * win_prob / (2^256 - 1)` wei, so every expected value there is has one denominator. Whole
//! wei and a rest in parts of 2^256 - 1 hold each of them and every sum exactly, in two words of 256 bits, and adding is
//! adding: no common divisor is looked for while a payment waits. A ratio with another denominator, which no ticket has, is
//! rounded up to the next part (less than 10^-77 wei), since the ledger may only ever count too much.

use std::fmt;

use alloy::primitives::{U256, U512};
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::Signed;
use pointsman_wire::amount::Ratio;

/// Parts of a wei: 2^256 - 1, the denominator of every winning probability.
const PARTS: U256 = U256::MAX;

/// An exact, non-negative amount of wei: what one or many tickets are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount {
    whole: U256,
    /// In [`PARTS`] of a wei; less than that.
    rest: U256,
}

// === impl Amount ===

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self::wei(U256::ZERO);

    /// Whole wei.
    #[must_use]
    pub const fn wei(whole: U256) -> Self {
        let rest = U256::ZERO;
        Self { whole, rest }
    }

    /// A ratio, rounded up to the next part of a wei; `None` below 0 or from 2^256 on.
    #[must_use]
    pub fn from_ratio(ratio: &Ratio) -> Option<Self> {
        if ratio.is_negative() {
            return None;
        }
        let parts = big(PARTS);
        let scaled = ratio.numer() * &parts + ratio.denom() - 1;
        let total = scaled / ratio.denom();
        Some(Self {
            whole: small(&(&total / &parts))?,
            rest: small(&(&total % &parts))?,
        })
    }

    /// The same as a ratio, in wei.
    #[must_use]
    pub fn to_ratio(self) -> Ratio {
        let parts = big(PARTS);
        Ratio::new(big(self.whole) * &parts + big(self.rest), parts)
    }

    /// Whole wei, the rest left out.
    #[must_use]
    pub fn floor(self) -> U256 {
        self.whole
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// The sum, or `None` from 2^256 wei on.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (sum, over) = self.rest.overflowing_add(other.rest);
        // 2^256 is one wei and one part.
        let (carry, rest) = match over {
            true => (1, sum + U256::ONE),
            false if sum == PARTS => (1, U256::ZERO),
            false => (0, sum),
        };
        let whole = self.whole.checked_add(other.whole)?;
        let whole = whole.checked_add(U256::from(carry))?;
        Some(Self { whole, rest })
    }

    /// The sum; at most 2^256 - 1 wei.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        self.checked_add(other).unwrap_or(Self::wei(U256::MAX))
    }

    /// What is left after taking `other` away; nothing when that is more.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        if other >= self {
            return Self::ZERO;
        }
        let (rest, under) = self.rest.overflowing_sub(other.rest);
        let whole = self.whole - other.whole;
        match under {
            true => Self {
                whole: whole - U256::ONE,
                rest: rest - U256::ONE,
            },
            false => Self { whole, rest },
        }
    }

    /// This many times the amount, or `None` from 2^256 wei on.
    #[must_use]
    pub fn times(self, count: u32) -> Option<Self> {
        let rest: U512 = self.rest.widening_mul(U256::from(count));
        let (carry, rest) = rest.div_rem(U512::from(PARTS));
        let whole = self.whole.checked_mul(U256::from(count))?;
        Some(Self {
            whole: whole.checked_add(narrow(carry)?)?,
            rest: narrow(rest)?,
        })
    }

    /// How the ledger's file spells it: `wei`, or `wei+parts`, in decimal.
    pub(super) fn text(self) -> String {
        match self.rest.is_zero() {
            true => self.whole.to_string(),
            false => format!("{}+{}", self.whole, self.rest),
        }
    }

    /// Reads [`text`](Self::text).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, rest) = text.split_once('+').unwrap_or((text, "0"));
        let (whole, rest) = (decimal(whole)?, decimal(rest)?);
        (rest < PARTS).then_some(Self { whole, rest })
    }
}

/// For people: wei to three places, cut off.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thousandths = self.rest / (PARTS / U256::from(1000));
        match thousandths.min(U256::from(999)).to::<u64>() {
            0 => write!(f, "{}", self.whole),
            places => write!(f, "{}.{places:03}", self.whole),
        }
    }
}

fn decimal(text: &str) -> Option<U256> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| U256::from_str_radix(text, 10).ok())
        .flatten()
}

fn big(number: U256) -> BigInt {
    let magnitude = BigUint::from_bytes_be(&number.to_be_bytes::<32>());
    BigInt::from_biguint(Sign::Plus, magnitude)
}

fn narrow(number: U512) -> Option<U256> {
    U256::checked_from_limbs_slice(number.as_limbs())
}

fn small(number: &BigInt) -> Option<U256> {
    U256::try_from_be_slice(&number.to_bytes_be().1)
}

#[cfg(test)]
mod tests {
    use pointsman_wire::amount::expected_value;
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = U256> {
        let wide = any::<[u64; 4]>().prop_map(U256::from_limbs);
        prop_oneof![
            wide,
            any::<u64>().prop_map(U256::from),
            (0u64..3).prop_map(|below| U256::MAX - U256::from(below)),
        ]
    }

    fn amount() -> impl Strategy<Value = Amount> {
        (number(), number()).prop_map(|(whole, rest)| Amount {
            whole,
            rest: rest.min(PARTS - U256::ONE),
        })
    }

    proptest! {
        #[test]
        fn sums_are_those_of_ratios(a in amount(), b in amount()) {
            let exact = a.to_ratio() + b.to_ratio();
            prop_assert_eq!(a.checked_add(b), Amount::from_ratio(&exact));
            prop_assert_eq!(a.saturating_add(b).saturating_sub(b) == a, a.checked_add(b).is_some());
            prop_assert_eq!(a.cmp(&b), a.to_ratio().cmp(&b.to_ratio()));
            prop_assert_eq!(a.saturating_sub(b).is_zero(), a <= b);
        }

        #[test]
        fn so_are_multiples(a in amount(), count: u32) {
            let exact = a.to_ratio() * BigInt::from(count);
            prop_assert_eq!(a.times(count), Amount::from_ratio(&exact));
        }

        #[test]
        fn a_tickets_worth_is_exact(face_value in number(), win_prob in number()) {
            let worth = expected_value(face_value, win_prob);
            prop_assert_eq!(Amount::from_ratio(&worth).map(Amount::to_ratio), Some(worth));
        }

        #[test]
        fn the_file_holds_all_of_it(a in amount()) {
            prop_assert_eq!(Amount::parse(&a.text()), Some(a));
        }

        #[test]
        fn any_text_is_an_amount_or_none(text in "[0-9+ -]{0,90}") {
            prop_assert_eq!(Amount::parse(&text).is_some_and(|a| a.text().len() > text.len()), false);
        }
    }

    #[test]
    fn what_no_ticket_is_worth_is_rounded_up() {
        let seventh = Ratio::new(BigInt::from(1), BigInt::from(7));
        let amount = Amount::from_ratio(&seventh).expect("a seventh");
        assert!(amount.to_ratio() > seventh);
        assert!(amount.times(7).expect("small") > Amount::wei(U256::ONE));
        assert_eq!(Amount::from_ratio(&-seventh), None);
    }

    #[test]
    fn people_read_three_places() {
        let third = Ratio::new(BigInt::from(25), BigInt::from(3));
        let third = Amount::from_ratio(&third).expect("25/3");
        assert_eq!(third.to_string(), "8.333");
        assert_eq!(Amount::wei(U256::from(8)).to_string(), "8");
        let most = Amount {
            whole: U256::ZERO,
            rest: PARTS - U256::ONE,
        };
        assert_eq!(most.to_string(), "0.999");
    }
}
