//! The operator's ceilings, converted by the chain's price feed.

use std::sync::Arc;

use pointsman_chain::{FeedLimits, Quote};
use pointsman_payments::price::{Ceilings, MaxPrices, Rate, Sighting, Work};
use pointsman_wire::amount::whole;

use super::Money;

/// The ceilings while the gateway runs. Off-chain none of them is in a currency.
#[must_use]
pub fn live(ceilings: Ceilings, money: Option<&Money>) -> MaxPrices {
    let Some(chain) = money.and_then(|money| money.chain.clone()) else {
        return MaxPrices::new(ceilings);
    };
    if chain.network().price_feed.is_none() {
        return MaxPrices::new(ceilings);
    }
    let feed = Arc::new(move || chain.quote().map(sighting));
    MaxPrices::with_feed(ceilings, feed, FeedLimits::default().max_age)
}

/// Brings the gauge of the ceiling for transcoding up to date; `now` is in unix seconds. 0: any price; -1: nobody knows what it
/// is worth.
pub fn gauge(prices: &MaxPrices, now: u64) {
    let number = |text: String| text.parse::<f64>().unwrap_or_default();
    let wei = match prices.of([], Work::Running, now) {
        Ok(Some(price)) => {
            number(price.wei().numer().to_string()) / number(price.wei().denom().to_string())
        }
        Ok(None) => 0.0,
        Err(_) => -1.0,
    };
    metrics::gauge!("pointsman_max_price_wei").set(wei);
}

fn sighting(quote: Quote) -> Sighting {
    Sighting {
        rate: Rate {
            wei: whole(quote.wei) / whole(quote.per),
            currency: quote.currency,
        },
        updated: quote.updated,
    }
}
