//! Amounts as operators read them: wei while they are small, ETH from a microether on.
//!
//! Only for words. What is shown may be shortened; what is paid never is.

use std::fmt;

use num_traits::Signed as _;
use pointsman_wire::amount::{Ratio, U256, floor};

/// From here on amounts are shown in ETH: 10^12 wei.
const ETHER_FROM: u64 = 1_000_000_000_000;
const DECIMALS: usize = 18;

/// Whole wei in words: `12000 wei`, `0.05 ETH`.
#[derive(Clone, Copy, Debug)]
pub struct Wei(pub U256);

/// A fraction of wei in words, cut after three decimals: `8000000000 wei`, `0.333 wei`.
#[derive(Clone, Copy, Debug)]
pub struct Fraction<'r>(pub &'r Ratio);

/// A price in words: a bare number of wei per unit, cut after three decimals.
#[derive(Clone, Copy, Debug)]
pub struct PerUnit<'r>(pub &'r Ratio);

// === impl Display ===

impl fmt::Display for Wei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < U256::from(ETHER_FROM) {
            return write!(f, "{} wei", self.0);
        }
        let digits = format!("{:0>width$}", self.0.to_string(), width = DECIMALS + 1);
        let (whole, decimals) = digits.split_at(digits.len() - DECIMALS);
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{whole} ETH"),
            decimals => write!(f, "{whole}.{decimals} ETH"),
        }
    }
}

impl fmt::Display for Fraction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0.is_negative() { "-" } else { "" };
        let size = self.0.abs();
        let whole = floor(&size);
        if whole >= U256::from(ETHER_FROM) {
            return write!(f, "{sign}{}", Wei(whole));
        }
        write!(f, "{sign}{} wei", PerUnit(&size))
    }
}

impl fmt::Display for PerUnit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thousandths = floor(&(self.0 * Ratio::from_integer(1000.into())));
        let (whole, rest) = thousandths.div_rem(U256::from(1000));
        let decimals = format!("{rest:0>3}");
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            decimals => write!(f, "{whole}.{decimals}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_amounts_are_wei_and_large_ones_ether() {
        let wei = |wei: u64| Wei(U256::from(wei)).to_string();
        assert_eq!(wei(0), "0 wei");
        assert_eq!(wei(999_999_999_999), "999999999999 wei");
        assert_eq!(wei(1_000_000_000_000), "0.000001 ETH");
        assert_eq!(wei(1_230_000_000_000_000_000), "1.23 ETH");
        assert_eq!(
            Wei(U256::from(10).pow(U256::from(20))).to_string(),
            "100 ETH"
        );
    }

    #[test]
    fn fractions_are_cut_and_keep_their_sign() {
        let fraction = |n: i64, d: i64| Fraction(&Ratio::new(n.into(), d.into())).to_string();
        assert_eq!(fraction(1, 3), "0.333 wei");
        assert_eq!(fraction(-1, 2), "-0.5 wei");
        assert_eq!(fraction(8_000_000_000, 1), "8000000000 wei");
        assert_eq!(fraction(-3_000_000_000_000, 1), "-0.000003 ETH");
        assert_eq!(
            PerUnit(&Ratio::new(1_000_153.into(), 1000.into())).to_string(),
            "1000.153"
        );
    }
}
