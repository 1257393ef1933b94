//! Amounts as operators write them: `1200`, `0.50USD`, `1e-9 eth`, for one unit or for many.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use num_bigint::BigInt;
use num_traits::{Pow as _, Signed as _, Zero as _};
use pointsman_wire::amount::Ratio;

use super::Price;
use crate::show::PerUnit;

/// Wei in one ETH.
const WEI_PER_ETH: u64 = 1_000_000_000_000_000_000;
/// Longest amount, in bytes.
const MAX_TEXT: usize = 80;
/// Largest exponent of ten, either way: beyond it a number is a slip of the pen, or an attack on memory.
const MAX_EXPONENT: i32 = 60;

/// An amount for a number of units, not yet in wei.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    amount: Ratio,
    currency: Currency,
    units: NonZeroU64,
}

/// What an amount is in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Currency {
    /// Wei.
    Wei,
    /// ETH.
    Eth,
    /// Another one, in capitals, which a price feed turns into wei.
    Other(String),
}

/// What one of a currency is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In capitals, as `USD`.
    pub currency: String,
    /// Wei for one; above 0.
    pub wei: Ratio,
}

/// An amount whose currency has no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a price in {0} cannot be compared: the price feed gives no rate for it now")]
pub struct NoRate(pub String);

/// A text that is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an amount: write a number that is not negative and optionally wei, eth or a currency, as 0.50USD"
)]
pub struct QuoteError(String);

// === impl Quote ===

impl Quote {
    /// Reads an amount with an optional currency behind it; without one it is in wei. An amount of 0 is `None`: for
    /// operators it means "any price".
    ///
    /// # Errors
    ///
    /// When it is no number, below 0, or its currency is no word.
    pub fn parse(text: &str, units: NonZeroU64) -> Result<Option<Self>, QuoteError> {
        let error = || QuoteError(text.chars().take(MAX_TEXT).collect());
        let trimmed = text.trim();
        if trimmed.len() > MAX_TEXT {
            return Err(error());
        }
        // An exponent is `e` before a digit or a sign; `eth` is not.
        let mut number = 0;
        let bytes = trimmed.as_bytes();
        while number < bytes.len() {
            let exponent = matches!(bytes[number], b'e' | b'E')
                && matches!(bytes.get(number + 1), Some(b'0'..=b'9' | b'+' | b'-'));
            let sign = matches!(bytes[number], b'+' | b'-');
            if !(bytes[number].is_ascii_digit() || bytes[number] == b'.' || exponent || sign) {
                break;
            }
            number += 1;
        }
        let (number, currency) = trimmed.split_at(number);
        Self::new(
            decimal(number).ok_or_else(error)?,
            currency.trim().parse().map_err(|_| error())?,
            units,
        )
        .map_err(|_| error())
    }

    /// `amount` of a currency for `units`; `None` for 0.
    ///
    /// # Errors
    ///
    /// When the amount is below 0.
    pub fn new(
        amount: Ratio,
        currency: Currency,
        units: NonZeroU64,
    ) -> Result<Option<Self>, QuoteError> {
        if amount.is_negative() {
            return Err(QuoteError(amount.to_string()));
        }
        Ok((!amount.is_zero()).then_some(Self {
            amount,
            currency,
            units,
        }))
    }

    /// What it is in.
    #[must_use]
    pub fn currency(&self) -> &Currency {
        &self.currency
    }

    /// The price in wei, at a rate where one is needed.
    ///
    /// # Errors
    ///
    /// When the currency is another than the rate's.
    pub fn price(&self, rate: Option<&Rate>) -> Result<Price, NoRate> {
        let wei = match &self.currency {
            Currency::Wei => self.amount.clone(),
            Currency::Eth => &self.amount * BigInt::from(WEI_PER_ETH),
            Currency::Other(currency) => match rate {
                Some(rate) if rate.currency.eq_ignore_ascii_case(currency) => {
                    &self.amount * &rate.wei
                }
                _ => return Err(NoRate(currency.clone())),
            },
        };
        Price::new(wei / BigInt::from(self.units.get()))
            .map_err(|_| NoRate(self.currency.to_string()))
    }
}

impl fmt::Display for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} for {}",
            PerUnit(&self.amount),
            self.currency,
            self.units
        )
    }
}

// === impl Currency ===

impl FromStr for Currency {
    type Err = QuoteError;

    fn from_str(text: &str) -> Result<Self, QuoteError> {
        match text.to_ascii_lowercase().as_str() {
            "" | "wei" => Ok(Self::Wei),
            "eth" => Ok(Self::Eth),
            word if (3..=8).contains(&word.len())
                && word.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
            {
                Ok(Self::Other(word.to_ascii_uppercase()))
            }
            _ => Err(QuoteError(text.chars().take(MAX_TEXT).collect())),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wei => "wei",
            Self::Eth => "ETH",
            Self::Other(currency) => currency,
        })
    }
}

/// Reads a decimal number exactly: digits, at most one point, an optional exponent. `None` for anything else.
#[must_use]
pub(crate) fn decimal(text: &str) -> Option<Ratio> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = [whole, fraction].concat();
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = Ratio::from_integer(all.parse::<BigInt>().ok()? * sign);
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if shift.abs() > MAX_EXPONENT {
        return None;
    }
    let power = Ratio::from_integer(BigInt::from(10).pow(shift.unsigned_abs()));
    Some(if shift < 0 {
        number / power
    } else {
        number * power
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price(text: &str, units: u64) -> Result<Price, NoRate> {
        let usd = Rate {
            currency: "USD".to_owned(),
            // 2500 USD an ETH.
            wei: Ratio::from_integer((WEI_PER_ETH / 2500).into()),
        };
        let units = NonZeroU64::new(units).expect("not 0");
        let quote = Quote::parse(text, units).expect(text).expect("not 0");
        quote.price(Some(&usd))
    }

    fn wei(numerator: u64, denominator: u64) -> Result<Price, NoRate> {
        Ok(Price::new(Ratio::new(numerator.into(), denominator.into())).expect("not negative"))
    }

    #[test]
    fn amounts_become_exact_prices() {
        assert_eq!(price("1200", 1), wei(1200, 1));
        assert_eq!(price("1200", 1000), wei(6, 5));
        assert_eq!(price(" 0.1 wei ", 1), wei(1, 10));
        assert_eq!(price("1e-18eth", 1), wei(1, 1));
        assert_eq!(price("0.50USD", 1), wei(WEI_PER_ETH / 5000, 1));
        assert_eq!(price("0.5usd", 3), wei(WEI_PER_ETH / 5000, 3));
        assert_eq!(price("1.5E3", 1), wei(1500, 1));
        assert_eq!(price("0.5EUR", 1), Err(NoRate("EUR".to_owned())));
        let quote = Quote::parse("1USD", NonZeroU64::MIN)
            .expect("an amount")
            .expect("not 0");
        assert_eq!(quote.price(None), Err(NoRate("USD".to_owned())));
    }

    #[test]
    fn zero_is_any_price_and_nonsense_is_named() {
        assert_eq!(Quote::parse("0", NonZeroU64::MIN), Ok(None));
        assert_eq!(Quote::parse("0.00USD", NonZeroU64::MIN), Ok(None));
        for text in [
            "",
            "USD",
            "-1",
            "1.2.3",
            ".",
            "1e",
            "1e999",
            "1 2",
            "0.5U$D",
            "0x10",
            "1e-9e",
            "--1",
            "NaN",
            "5 toolongword",
        ] {
            let error = Quote::parse(text, NonZeroU64::MIN).expect_err(text);
            assert!(error.to_string().contains("is not an amount"), "{error}");
        }
        let long = "1".repeat(1000);
        assert!(
            Quote::parse(&long, NonZeroU64::MIN)
                .expect_err("too long")
                .to_string()
                .len()
                < 300
        );
    }

    proptest! {
        #[test]
        fn decimals_are_read_to_the_last_digit(whole: u64, fraction in "[0-9]{0,18}") {
            let digits = fraction.len() as u32;
            let read = decimal(&format!("{whole}.{fraction}")).expect("a number");
            let scale = BigInt::from(10).pow(digits);
            let expected = BigInt::from(whole) * &scale + fraction.parse::<u64>().unwrap_or(0);
            prop_assert_eq!(read * scale, Ratio::from_integer(expected));
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,100}") {
            let _ = Quote::parse(&text, NonZeroU64::MIN);
        }
    }
}
