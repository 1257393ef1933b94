//! The operator's ceilings, converted by the chain's price feed.

use std::sync::Arc;

use pointsman_chain::{FeedLimits, Quote};
use pointsman_payments::price::{Ceilings, MaxPrices, Rate, Sighting};
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

fn sighting(quote: Quote) -> Sighting {
    Sighting {
        rate: Rate {
            wei: whole(quote.wei) / whole(quote.per),
            currency: quote.currency,
        },
        updated: quote.updated,
    }
}
