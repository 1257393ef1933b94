//! Prices, exactly: what is paid is never a float.

use pointsman_facts::Price;

/// Digits after the point; more would not fit a price in wei.
const MAX_SCALE: usize = 18;

/// A decimal number of wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Amount {
    num: u128,
    den: u128,
}

/// A price in wei per unit, as a whole or decimal number: what [`amount`] takes.
///
/// # Errors
///
/// What is wrong with it, naming no field.
pub fn price(text: &str) -> Result<Price, String> {
    let too_long = || format!("`{text}` has more digits than a price in wei can have");
    amount(text)?.per(1).ok_or_else(too_long)
}

/// A whole or decimal number of wei: `1200`, `0.5`, `1200wei`. Applications do not name currencies: what their limit is must not depend on the hour.
fn amount(text: &str) -> Result<Amount, String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim();
    let not_a_price = || format!("`{text}` is not a price: write wei as a whole or decimal number");
    if !unit.is_empty() && !unit.eq_ignore_ascii_case("wei") {
        let currency = unit.len() >= 3 && unit.bytes().all(|b| b.is_ascii_alphabetic());
        return Err(match currency && !number.is_empty() {
            true => format!(
                "a limit in {} is not taken here: write the price in wei",
                unit.to_ascii_uppercase()
            ),
            false => not_a_price(),
        });
    }
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{part}");
    if part.len() > MAX_SCALE || digits.is_empty() || digits.contains('.') {
        return Err(not_a_price());
    }
    let num = digits.parse().map_err(|_| not_a_price())?;
    let den = 10_u128.pow(u32::try_from(part.len()).expect("at most 18 digits"));
    Ok(Amount { num, den })
}

// === impl Amount ===

impl Amount {
    /// The price of one pixel, where this much buys `pixels`. `None` when that is no fraction of two 64-bit numbers.
    fn per(self, pixels: u64) -> Option<Price> {
        let den = self.den.checked_mul(pixels.into())?;
        let common = gcd(self.num, den).max(1);
        Price::new(
            u64::try_from(self.num / common).ok()?,
            u64::try_from(den / common).ok()?,
        )
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    match b {
        0 => a,
        b => gcd(b, a % b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn price(text: &str, pixels: u64) -> Option<(u64, u64)> {
        let price = amount(text).expect("an amount").per(pixels)?;
        Some((price.num, price.den.get()))
    }

    #[test]
    fn prices_are_exact_fractions_in_lowest_terms() {
        for (text, pixels, fraction) in [
            ("1200", 1, (1200, 1)),
            ("1200wei", 1000, (6, 5)),
            ("0.1", 3, (1, 30)),
            ("0.50", 1, (1, 2)),
            (".5", 1, (1, 2)),
            ("1.", 1, (1, 1)),
        ] {
            assert_eq!(price(text, pixels), Some(fraction), "{text} for {pixels}");
        }
        assert_eq!(price("99999999999999999999999999", 1), None);
        assert_eq!(price("0.000000000000000001", u64::MAX), None);
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, message) in [
            (
                "0.50USD",
                "a limit in USD is not taken here: write the price in wei",
            ),
            (
                "1e3",
                "`1e3` is not a price: write wei as a whole or decimal number",
            ),
            (
                "-1",
                "`-1` is not a price: write wei as a whole or decimal number",
            ),
            (
                "1.2.3",
                "`1.2.3` is not a price: write wei as a whole or decimal number",
            ),
            (
                "USD",
                "`USD` is not a price: write wei as a whole or decimal number",
            ),
            (
                ".",
                "`.` is not a price: write wei as a whole or decimal number",
            ),
        ] {
            assert_eq!(amount(text), Err(message.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_amount_or_an_error(text in "[0-9.a-zA-Z -]{0,60}") {
            let _ = amount(&text);
        }

        #[test]
        fn a_whole_price_of_one_pixel_is_itself(wei: u64) {
            prop_assert_eq!(price(&wei.to_string(), 1), Some((wei, 1)));
        }
    }
}
