//! Containers: paid by the second, against the balance that the orchestrator itself reports.
//!
//! An orchestrator admits a request only with a minute of credit, so a minute is paid for however short the job is: go-livepeer
//! pays for the timeout alone, and short jobs are then refused by an orchestrator that does not know the gateway yet.

use num_bigint::BigInt;
use pointsman_wire::amount::Ratio;

use crate::fee::Fee;
use crate::price::Price;

/// Credit that an orchestrator asks for after the payment, in seconds of price.
pub const ADMISSION_SECONDS: u64 = 60;
/// With this much credit nothing is paid, in seconds of price.
pub const ENOUGH_SECONDS: u64 = 120;
/// What a running stream is paid for at a time, in seconds.
pub const STREAM_SECONDS: u64 = 70;

/// What a request with this timeout costs.
#[must_use]
pub fn request(timeout_seconds: u64, price: &Price) -> Fee {
    Fee::of(timeout_seconds.max(ADMISSION_SECONDS), price)
}

/// What a running stream is topped up by.
#[must_use]
pub fn stream(price: &Price) -> Fee {
    Fee::of(STREAM_SECONDS, price)
}

/// Whether nothing needs to be paid: the price is 0, or the orchestrator reports two minutes of credit. `balance` is in wei,
/// as reported, and may be below 0.
#[must_use]
pub fn is_covered(balance: i64, price: &Price) -> bool {
    price.is_free() || Ratio::from_integer(BigInt::from(balance)) >= price.of(ENOUGH_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_the_least_and_two_are_enough() {
        let price = Price::new(Ratio::from_integer(10.into())).expect("a price");
        assert_eq!(request(5, &price).units, 60);
        assert_eq!(request(300, &price).wei, Ratio::from_integer(3000.into()));
        assert_eq!(stream(&price).units, 70);
        assert!(is_covered(1200, &price));
        assert!(!is_covered(1199, &price));
        assert!(!is_covered(i64::MIN, &price));
        let free = Price::new(Ratio::from_integer(0.into())).expect("a price");
        assert!(is_covered(-5, &free));
    }
}
