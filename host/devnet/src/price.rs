//! Prices that a devnet orchestrator asks.
//!
//! A test extension: a real orchestrator that is off-chain sends no `price_info` at all. With a price set, devnet sends
//! one although nothing is paid, so that price ceilings and rankings can be tried without a chain.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use pointsman_wire::net::PriceInfo;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An exact price: `wei` for every `pixels` pixels. Written `1200` or `"7/3"` in profiles and patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Wei for [`pixels`](Self::pixels) pixels.
    pub wei: u32,
    /// Pixels that one payment of [`wei`](Self::wei) buys.
    pub pixels: NonZeroU32,
}

/// A text that is no price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a price: write wei per pixel, as 1200, or wei/pixels, as \"7/3\" (each below 2^32)"
)]
pub struct PriceError(String);

// === impl Price ===

impl Price {
    /// A price of whole wei per pixel.
    #[must_use]
    pub fn per_pixel(wei: u32) -> Self {
        Self {
            wei,
            pixels: NonZeroU32::MIN,
        }
    }

    /// The price as it is on the wire.
    #[must_use]
    pub fn info(self) -> PriceInfo {
        PriceInfo {
            price_per_unit: i64::from(self.wei),
            pixels_per_unit: i64::from(self.pixels.get()),
            ..PriceInfo::default()
        }
    }
}

impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let error = || PriceError(text.to_owned());
        let (wei, pixels) = text.split_once('/').unwrap_or((text, "1"));
        Ok(Self {
            wei: wei.trim().parse().map_err(|_| error())?,
            pixels: pixels.trim().parse().map_err(|_| error())?,
        })
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pixels {
            NonZeroU32::MIN => write!(f, "{}", self.wei),
            pixels => write!(f, "{}/{pixels}", self.wei),
        }
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PriceVisitor)
    }
}

struct PriceVisitor;

impl Visitor<'_> for PriceVisitor {
    type Value = Price;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a price: wei per pixel, as 1200, or wei/pixels, as \"7/3\"")
    }

    fn visit_u64<E: de::Error>(self, wei: u64) -> Result<Price, E> {
        u32::try_from(wei)
            .map(Price::per_pixel)
            .map_err(|_| E::custom(PriceError(wei.to_string())))
    }

    fn visit_i64<E: de::Error>(self, wei: i64) -> Result<Price, E> {
        u64::try_from(wei)
            .map_err(|_| E::custom(PriceError(wei.to_string())))
            .and_then(|wei| self.visit_u64(wei))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Price, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read() {
        assert_eq!("1200".parse(), Ok(Price::per_pixel(1200)));
        let price: Price = serde_json::from_str("\"7/3\"").expect("a price");
        assert_eq!(price.info().price_per_unit, 7);
        assert_eq!(price.info().pixels_per_unit, 3);
        let price: Price = serde_json::from_str("12").expect("a price");
        assert_eq!(price.to_string(), "12");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(wei: u32, pixels in 1u32..) {
            let pixels = NonZeroU32::new(pixels).expect("not zero");
            let price = Price { wei, pixels };
            assert_eq!(price.to_string().parse(), Ok(price));
        }

        #[test]
        fn no_text_is_too_strange(text in ".*") {
            let _ = text.parse::<Price>();
        }
    }

    #[test]
    fn nonsense_is_named() {
        for text in ["", "-1", "1/0", "1/2/3", "4294967296", "x"] {
            let error = text.parse::<Price>().expect_err(text);
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
        assert!(serde_json::from_str::<Price>("-3").is_err());
        assert!(serde_json::from_str::<Price>("1.5").is_err());
    }
}
