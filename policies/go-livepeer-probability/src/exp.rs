//! e^x, the same to the last bit natively and as a component.
//!
//! The standard library's comes from the platform: two libraries differ in the last digit, and one draw in a great many would then
//! fall on another orchestrator in the native twin than in the component.

use std::f64::consts::{LN_2, LOG2_E};

/// 1, 1/2, 1/3 … 1/14.
const INVERSE: [f64; 14] = {
    let mut inverse = [0.0; 14];
    let mut n = 0;
    while n < 14 {
        inverse[n] = 1.0 / (n as f64 + 1.0);
        n += 1;
    }
    inverse
};

/// e^x for x up to 0, to within a part in 10^12; 0 below -708, where doubles end.
pub(crate) fn exp(x: f64) -> f64 {
    if x.is_nan() || x <= -708.0 {
        return 0.0;
    }
    let x = x.min(0.0);
    let halvings = (-x * LOG2_E + 0.5).floor();
    let rest = x + halvings * LN_2;
    // Taylor; |rest| is below ln 2 / 2, where the next term is below 2^-60.
    let sum = INVERSE
        .iter()
        .rev()
        .fold(1.0, |sum, inverse| 1.0 + sum * rest * inverse);
    // 2^-halvings, by its bits: 1023 is the exponent of 1.
    sum * f64::from_bits((1023 - halvings as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_the_platform() {
        for i in 0..=70_000 {
            let x = -f64::from(i) / 100.0;
            let (ours, theirs) = (exp(x), x.exp());
            assert!(
                (ours - theirs).abs() <= theirs * 1e-12,
                "e^{x}: {ours} {theirs}"
            );
        }
    }

    #[test]
    fn the_ends_are_exact() {
        assert_eq!(exp(0.0).to_bits(), 1.0_f64.to_bits());
        assert_eq!(exp(-1e300).to_bits(), 0.0_f64.to_bits());
        assert_eq!(exp(f64::NAN).to_bits(), 0.0_f64.to_bits());
    }
}
