//! The most that work may cost.

use std::num::NonZeroU64;

use pointsman_payments::price::{Ceilings, Currency, Quote};
use pointsman_wire::sign::Address;

use super::chain::Chain;
use crate::config::decoder::{Decoder, switch};
use crate::config::renditions::capped;
use crate::config::setting::{Group, Initial, Setting, Shape};
use crate::config::value::{account, number};

/// The operator's ceilings. They hold whatever a policy chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices {
    /// For everything, and for single models.
    pub ceilings: Ceilings,
    /// Whether a job may go above its ceiling when no orchestrator is below it.
    pub ignore_if_needed: bool,
}

const UNIT: &str = "max-price-per-unit";
const PIXELS: &str = "pixels-per-unit";
const CAPABILITY: &str = "max-price-per-capability";
const FEED: &str = "price-feed-addr";
/// Longest list of prices, in bytes.
const MAX_LIST: u64 = 1 << 20;

pub(in crate::config) const GROUP: Group = Group {
    heading: "Prices",
    settings: &[
        Setting {
            key: UNIT,
            shape: Shape::One,
            value: "PRICE",
            default: Initial::Unset("any price"),
            summary: "Highest price of --pixels-per-unit pixels, in wei, eth or a currency such as 0.01USD; 0 takes any.",
            detail: "A whole or decimal number, compared exactly. No policy can go above it; only \
                     --ignore-max-price-if-needed does. A price in a currency follows the network's price feed; while the feed is \
                     older than a day and an hour, new streams wait, and those that run go on under the last rate.",
        },
        Setting {
            key: PIXELS,
            shape: Shape::One,
            value: "PIXELS",
            default: Initial::Value("1"),
            summary: "How many pixels --max-price-per-unit buys.",
            detail: "Raise it for prices below one wei a pixel.",
        },
        Setting {
            key: CAPABILITY,
            shape: Shape::One,
            value: "JSON|FILE",
            default: Initial::Unset("--max-price-per-unit for all"),
            summary: "Highest prices of single pipelines and models, as JSON or a file with it.",
            detail: "{\"capabilities_prices\":[{\"pipeline\":\"text-to-image\",\"model_id\":\"default\",\"price_per_unit\":0.01,\
                     \"pixels_per_unit\":1000000,\"currency\":\"USD\"}]}, as for go-livepeer. Jobs without a model, as transcoding, have \
                     --max-price-per-unit.",
        },
        Setting {
            key: FEED,
            shape: Shape::One,
            value: "ADDRESS",
            default: Initial::Unset("the network's own"),
            summary: "Chainlink aggregator that prices ETH, for prices in a currency.",
            detail: "Arbitrum One's own is ETH / USD. A chain of your own has none until it is named here.",
        },
        Setting {
            key: "ignore-max-price-if-needed",
            shape: Shape::Switch,
            value: "true|false",
            default: Initial::Value("false"),
            summary: "Go above --max-price-per-unit when no orchestrator is below it.",
            detail: "For streams that must go on at any cost.",
        },
    ],
};

// === impl Prices ===

impl Prices {
    /// `chain` learns of a price feed that is named.
    pub(in crate::config) fn decode(
        decoder: &mut Decoder<'_>,
        chain: Option<&mut Chain>,
        pays: bool,
    ) -> Self {
        let feed = decoder.optional(FEED, account::address);
        if !pays && decoder.is_given(FEED) {
            let message = "says nothing off-chain: give a --network too, or leave this out";
            decoder.refuse(&[FEED], message);
        }
        let has_feed = match chain {
            Some(chain) => given_feed(chain, feed),
            None => false,
        };
        let prices = Self {
            ceilings: ceilings(decoder),
            ignore_if_needed: decoder.one("ignore-max-price-if-needed", switch),
        };
        if let Some(currency) = prices.currency().filter(|_| !has_feed) {
            let message = match pays {
                true => format!(
                    "a price in {currency} needs a price feed, and this network has none of its own: name one with --price-feed-addr, or \
                     write the price in wei"
                ),
                false => format!(
                    "a price in {currency} needs a price feed, and off-chain there is none: write the price in wei"
                ),
            };
            decoder.refuse(&[UNIT, CAPABILITY], message);
        }
        prices
    }

    /// A currency that a price is in, other than ETH's own.
    fn currency(&self) -> Option<Currency> {
        let mut currencies = self.ceilings.quotes().map(Quote::currency);
        currencies
            .find(|currency| matches!(currency, Currency::Other(_)))
            .cloned()
    }
}

/// Whether there is a feed, given or the network's own.
fn given_feed(chain: &mut Chain, feed: Option<Address>) -> bool {
    chain.network.price_feed = feed.or(chain.network.price_feed);
    chain.network.price_feed.is_some()
}

fn ceilings(decoder: &mut Decoder<'_>) -> Ceilings {
    let units = decoder.one(PIXELS, number::within(1..=u64::MAX));
    let units = NonZeroU64::new(units).unwrap_or(NonZeroU64::MIN);
    if decoder.is_given(PIXELS) && !decoder.is_given(UNIT) && !decoder.is_given(CAPABILITY) {
        let message = "pixels-per-unit limits nothing without max-price-per-unit: set that too, or leave both out";
        decoder.refuse(&[PIXELS], message);
    }
    let everything = decoder.optional(UNIT, |text| {
        Quote::parse(text, units).map_err(|error| error.to_string())
    });
    let mut ceilings = Ceilings::new(everything.flatten());
    let Some(given) = decoder.optional(CAPABILITY, |text| Ok(text.to_owned())) else {
        return ceilings;
    };
    let json = match given.starts_with(['{', '[']) {
        true => Ok(given),
        false => match decoder.path(CAPABILITY) {
            Some(path) => {
                capped(&path, MAX_LIST).map_err(|error| format!("{}: {error}", path.display()))
            }
            None => return ceilings,
        },
    };
    let read = json.and_then(|json| {
        let read = ceilings.read_json(&json, units);
        read.map_err(|error| error.to_string())
    });
    if let Err(message) = read {
        decoder.refuse(&[CAPABILITY], message);
    }
    ceilings
}
