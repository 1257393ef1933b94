//! Prices: what an orchestrator asks for a unit of work, and the most that an operator pays.
//!
//! # Contract
//!
//! A [`Price`] is exact and not negative, in wei per unit; the unit is the job's (pixels, seconds, tokens). Prices compare as
//! ratios: 1000153/1000 is above 1000. An offer goes back to the orchestrator with the message it came in, never with a
//! price made anew from this one.
//!
//! [`Ceilings`] are the operator's. A ceiling in USD needs a rate to mean anything: without one the answer is an error and
//! not "no ceiling". [`MaxPrices`] are they while the gateway runs. go-livepeer applies its ceilings while it selects, and never again; ours hold for every payment.

mod ceilings;
mod live;
mod quote;

pub use ceilings::{Ceilings, CeilingsError, Wanted, capability_named};
pub use live::{Feed, MaxPrices, NoCeiling, Sighting, Work};
pub use quote::{Currency, NoRate, Quote, QuoteError, Rate};

use std::fmt;

use num_bigint::BigInt;
use num_traits::{Signed as _, Zero as _};
use pointsman_wire::amount::Ratio;
use pointsman_wire::net::PriceInfo;

use crate::show::PerUnit;

/// Wei per unit of work; never negative. The default is 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(Ratio);

/// Why a message is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// There is none.
    #[error("the orchestrator names no price")]
    Missing,
    /// For 0 units, or fewer.
    #[error("the orchestrator's price is for {0} units")]
    Units(i64),
    /// Below 0.
    #[error("the orchestrator's price is {0} wei")]
    Negative(i64),
}

// === impl Price ===

impl Price {
    /// Reads an offer's price.
    ///
    /// # Errors
    ///
    /// When there is none, or it is no price.
    pub fn read(message: Option<&PriceInfo>) -> Result<Self, PriceError> {
        let message = message.ok_or(PriceError::Missing)?;
        let (wei, units) = (message.price_per_unit, message.pixels_per_unit);
        if units <= 0 {
            return Err(PriceError::Units(units));
        }
        if wei < 0 {
            return Err(PriceError::Negative(wei));
        }
        Ok(Self(Ratio::new(BigInt::from(wei), BigInt::from(units))))
    }

    /// A price of `wei` per unit.
    ///
    /// # Errors
    ///
    /// The ratio itself when it is below 0.
    pub fn new(wei: Ratio) -> Result<Self, Ratio> {
        if wei.is_negative() {
            Err(wei)
        } else {
            Ok(Self(wei))
        }
    }

    /// Wei per unit.
    #[must_use]
    pub fn wei(&self) -> &Ratio {
        &self.0
    }

    /// Whether the work is for nothing.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.0.is_zero()
    }

    /// What `units` cost, in wei.
    #[must_use]
    pub fn of(&self, units: u64) -> Ratio {
        &self.0 * BigInt::from(units)
    }

    /// Whether it is more than twice `first`: go-livepeer leaves an orchestrator for that in mid-session.
    #[must_use]
    pub fn is_more_than_double(&self, first: &Self) -> bool {
        self.0 > &first.0 + &first.0
    }
}

impl Default for Price {
    fn default() -> Self {
        Self(Ratio::zero())
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} wei per unit", PerUnit(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(price_per_unit: i64, pixels_per_unit: i64) -> Result<Price, PriceError> {
        Price::read(Some(&PriceInfo {
            price_per_unit,
            pixels_per_unit,
            ..PriceInfo::default()
        }))
    }

    #[test]
    fn prices_are_ratios() {
        let price = read(1_000_153, 1000).expect("a price");
        assert_eq!(price.to_string(), "1000.153 wei per unit");
        assert!(price > read(1000, 1).expect("a price"));
        assert_eq!(read(2400, 2), read(1200, 1));
        assert_eq!(price.of(3), Ratio::new(3_000_459.into(), 1000.into()));
        assert!(read(0, 1).expect("a price").is_free());
    }

    #[test]
    fn what_is_no_price_is_refused() {
        assert_eq!(Price::read(None), Err(PriceError::Missing));
        assert_eq!(read(1, 0), Err(PriceError::Units(0)));
        assert_eq!(read(i64::MIN, i64::MIN), Err(PriceError::Units(i64::MIN)));
        assert_eq!(read(-1, 1), Err(PriceError::Negative(-1)));
        assert!(Price::new(Ratio::from_integer((-1).into())).is_err());
    }

    #[test]
    fn twice_is_not_more_than_double() {
        let first = read(1000, 1).expect("a price");
        assert!(!read(2000, 1).expect("a price").is_more_than_double(&first));
        assert!(read(2001, 1).expect("a price").is_more_than_double(&first));
        let free = read(0, 1).expect("a price");
        assert!(read(1, 1000).expect("a price").is_more_than_double(&free));
        assert!(!free.is_more_than_double(&free));
    }
}
