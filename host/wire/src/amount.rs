//! Money on the wire: whole wei as minimal big-endian bytes, fractions of wei as exact ratios.
//!
//! # Contract
//!
//! A `bytes` field that holds a number is written without leading zeros, 0 as no bytes at all ([`to_bytes`]); read with any
//! number of leading zeros up to a cap ([`from_bytes`]), as go-livepeer does. Expected values, prices, fees and credit are
//! [`Ratio`]s: nothing that is paid is ever a float.

use num_bigint::{BigInt, BigUint, Sign};

pub use alloy::primitives::U256;

/// An exact fraction, in wei, wei per unit or units, always in lowest terms.
pub type Ratio = num_rational::BigRational;

/// Longest number that is read, in bytes. Thirty-two hold every number there is; the rest may be leading zeros.
pub const MAX_NUMBER_BYTES: usize = 64;

/// Bytes that are no number of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Longer than [`MAX_NUMBER_BYTES`].
    #[error("a number of {0} bytes: at most 64 are read")]
    Long(usize),
    /// 2^256 or more.
    #[error("a number of 2^256 or more")]
    Large,
}

/// The number without leading zeros; 0 is empty.
#[must_use]
pub fn to_bytes(number: U256) -> Vec<u8> {
    number.to_be_bytes_trimmed_vec()
}

/// Reads a number; leading zeros are allowed.
///
/// # Errors
///
/// When it is too long or too large.
pub fn from_bytes(bytes: &[u8]) -> Result<U256, NumberError> {
    if bytes.len() > MAX_NUMBER_BYTES {
        return Err(NumberError::Long(bytes.len()));
    }
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    U256::try_from_be_slice(&bytes[zeros..]).ok_or(NumberError::Large)
}

/// Whole wei as a ratio.
#[must_use]
pub fn whole(wei: U256) -> Ratio {
    Ratio::from_integer(integer(wei))
}

/// `numerator / denominator`.
#[must_use]
pub fn ratio(numerator: U256, denominator: std::num::NonZeroU64) -> Ratio {
    Ratio::new(integer(numerator), BigInt::from(denominator.get()))
}

/// The largest whole number not above a ratio; 0 below 0, [`U256::MAX`] above that.
#[must_use]
pub fn floor(ratio: &Ratio) -> U256 {
    saturated(&ratio.floor().to_integer())
}

/// The smallest whole number not below a ratio; 0 below 0, [`U256::MAX`] above that.
#[must_use]
pub fn ceil(ratio: &Ratio) -> U256 {
    saturated(&ratio.ceil().to_integer())
}

/// What a ticket is worth: `face_value * win_prob / (2^256 - 1)` wei.
#[must_use]
pub fn expected_value(face_value: U256, win_prob: U256) -> Ratio {
    Ratio::new(integer(face_value) * integer(win_prob), integer(U256::MAX))
}

fn integer(number: U256) -> BigInt {
    let magnitude = BigUint::from_bytes_be(&number.to_be_bytes::<32>());
    BigInt::from_biguint(Sign::Plus, magnitude)
}

fn saturated(number: &BigInt) -> U256 {
    let (sign, bytes) = number.to_bytes_be();
    match sign {
        Sign::Minus | Sign::NoSign => U256::ZERO,
        Sign::Plus => U256::try_from_be_slice(&bytes).unwrap_or(U256::MAX),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back_with_any_leading_zeros(limbs: [u64; 4], zeros in 0usize..32) {
            let number = U256::from_limbs(limbs);
            let mut bytes = vec![0; zeros];
            bytes.extend(to_bytes(number));
            prop_assert_eq!(from_bytes(&bytes), Ok(number));
            prop_assert!(to_bytes(number).first() != Some(&0));
        }

        #[test]
        fn any_bytes_are_a_number_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let significant = bytes.iter().skip_while(|&&byte| byte == 0).count();
            let fits = bytes.len() <= MAX_NUMBER_BYTES && significant <= 32;
            prop_assert_eq!(from_bytes(&bytes).is_ok(), fits);
        }

        #[test]
        fn rounding_is_to_the_next_whole_number(numerator: u64, denominator in 1u64..) {
            let ratio = ratio(U256::from(numerator), NonZeroU64::new(denominator).expect("not 0"));
            prop_assert_eq!(floor(&ratio), U256::from(numerator / denominator));
            prop_assert_eq!(ceil(&ratio), U256::from(numerator.div_ceil(denominator)));
            prop_assert_eq!(floor(&-ratio), U256::ZERO);
        }
    }

    #[test]
    fn the_ends_of_the_range_hold() {
        assert_eq!(to_bytes(U256::ZERO), Vec::<u8>::new());
        assert_eq!(from_bytes(&[0; 64]), Ok(U256::ZERO));
        assert_eq!(from_bytes(&[0; 65]), Err(NumberError::Long(65)));
        assert_eq!(from_bytes(&[1; 33]), Err(NumberError::Large));
        let most = whole(U256::MAX);
        assert_eq!(floor(&most), U256::MAX);
        assert_eq!(ceil(&(&most + &most)), U256::MAX);
        assert_eq!(expected_value(U256::MAX, U256::MAX), most);
    }
}
