//! Amounts of money, exactly.

use std::num::NonZeroU64;

use pointsman_payments::price::Quote;
use pointsman_payments::{Ratio, U256};

/// An amount above 0: a whole or decimal number of wei, or of ETH with `eth` behind it.
pub(in crate::config) fn ratio(text: &str) -> Result<Ratio, String> {
    let quote = Quote::parse(text, NonZeroU64::MIN).map_err(|error| error.to_string())?;
    let quote = quote.ok_or_else(|| "0 would let nothing be paid: write what may be".to_owned())?;
    let price = quote.price(None);
    price.map(|price| price.wei().clone()).map_err(|_| {
        format!("`{text}` is in a currency: write wei, or a number with eth behind it")
    })
}

/// The same, without parts of a wei.
///
/// # Errors
///
/// What is wrong with the text.
pub fn whole(text: &str) -> Result<U256, String> {
    let amount = ratio(text)?;
    ceil(&amount)
        .filter(|_| amount.is_integer())
        .ok_or_else(|| format!("`{text}` is not a whole number of wei below 2^256"))
}

/// A price of gas in wei: a whole number, or a decimal one with `gwei` behind it. 0 is a price.
pub(in crate::config) fn per_gas(text: &str) -> Result<u128, String> {
    const GWEI: i64 = 1_000_000_000;
    let wrong = || {
        format!(
            "`{text}` is no price of gas: write a whole number of wei, or a number with gwei behind it"
        )
    };
    let (number, unit) = match text.strip_suffix("gwei") {
        Some(number) => (number.trim_end(), GWEI),
        None => (text, 1),
    };
    if number.ends_with(char::is_alphabetic) {
        return Err(wrong());
    }
    let quote = Quote::parse(number, NonZeroU64::MIN).map_err(|_| wrong())?;
    let Some(quote) = quote else { return Ok(0) };
    let price = quote.price(None).map_err(|_| wrong())?;
    let wei = price.wei() * Ratio::from_integer(unit.into());
    ceil(&wei)
        .filter(|_| wei.is_integer())
        .and_then(|wei| wei.try_into().ok())
        .ok_or_else(wrong)
}

/// An amount that is not negative, rounded up to whole wei; `None` from 2^256 wei.
pub(in crate::config) fn ceil(amount: &Ratio) -> Option<U256> {
    amount.ceil().to_integer().to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gas_costs_wei_or_gwei() {
        assert_eq!(per_gas("7"), Ok(7));
        assert_eq!(per_gas("0"), Ok(0));
        assert_eq!(per_gas("0.01gwei"), Ok(10_000_000));
        assert_eq!(per_gas("2 gwei"), Ok(2_000_000_000));
        for text in [
            "gwei",
            "0.5",
            "0.0000000001gwei",
            "-1",
            "1eth",
            "1USD",
            "1e40gwei",
        ] {
            let error = per_gas(text).expect_err(text);
            assert!(error.contains("no price of gas"), "{text}");
        }
    }

    #[test]
    fn amounts_are_wei_or_eth() {
        assert_eq!(whole("1200"), Ok(U256::from(1200)));
        assert_eq!(whole("1e3"), Ok(U256::from(1000)));
        assert_eq!(whole("0.02eth"), Ok(U256::from(20_000_000_000_000_000_u64)));
        assert_eq!(ratio("0.5"), Ok(Ratio::new(1.into(), 2.into())));
        let error = |text: &str| whole(text).expect_err(text);
        assert!(error("0").contains("nothing be paid"));
        assert!(error("0.5").contains("whole number of wei"));
        assert!(error("1USD").contains("currency"));
        assert!(error("-1").contains("is not an amount"));
        assert!(error("1e60eth").contains("below 2^256"));
    }
}
