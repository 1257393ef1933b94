//! The operator's ceilings while the gateway runs: changed by him, and by the rate of the currency that they are in.
//!
//! # When the feed is silent
//!
//! A ceiling in USD is worth other wei every hour. [`MaxPrices::of`] reckons with the newest rate that the feed gave, each time it is asked; the
//! feed hands out only what passed its own bounds, so a report that is old, absurd or a sudden jump moves no ceiling. Once the
//! newest rate is older than the feed may be, [new](Work::New) work has no ceiling and is refused: nobody knows what the operator's limit
//! is. What [runs](Work::Running) keeps the ceiling of the last good rate, neither raised nor lowered, since a stream that is cut off
//! costs more than a day-old rate. An older report than one that was seen is a node that lags, and changes nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;

use super::{Ceilings, Price, Quote, Rate, Wanted};

/// A rate, and when it was of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// What one of the currency is worth.
    pub rate: Rate,
    /// When the feed was updated, unix seconds.
    pub updated: u64,
}

/// The newest good rate, whenever it is asked for; `None` before there is one.
pub type Feed = Arc<dyn Fn() -> Option<Sighting> + Send + Sync>;

/// Whether a job begins something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It is the first of its stream, or stands alone.
    New,
    /// Its stream runs already.
    Running,
}

/// The ceilings of all jobs of the process. Cheap to clone; clones share what is set.
#[derive(Clone, Default)]
pub struct MaxPrices(Arc<Inner>);

#[derive(Default)]
struct Inner {
    ceilings: RwLock<Ceilings>,
    feed: Option<(Feed, Duration)>,
    newest: RwLock<Option<Sighting>>,
}

/// A ceiling applies whose worth nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCeiling {
    /// There is nothing to convert with.
    #[error(
        "the maximum price is in {0}, and there is no price feed for it: set --price-feed-addr, or write the price in wei"
    )]
    NoFeed(String),
    /// It has not answered in the life of this data directory.
    #[error(
        "the maximum price is in {0}, and the price feed has given no rate yet: new work waits for it, or for a price in wei"
    )]
    Silent(String),
    /// It is for another currency.
    #[error(
        "the maximum price is in {wanted}, and the price feed is for {given}: write the price in {given} or in wei"
    )]
    Other {
        /// The ceiling's currency.
        wanted: String,
        /// The feed's.
        given: String,
    },
    /// Its last word is too old.
    #[error(
        "the maximum price is in {currency}, and the price feed was last updated {} min ago, at most {} are trusted: new work waits for it, or for a price in wei",
        .age.as_secs() / 60,
        .most.as_secs() / 60
    )]
    Stale {
        /// The ceiling's currency.
        currency: String,
        /// How old the newest rate is.
        age: Duration,
        /// How old it may be.
        most: Duration,
    },
}

// === impl MaxPrices ===

impl MaxPrices {
    /// These ceilings, all in wei or ETH: there is no feed.
    #[must_use]
    pub fn new(ceilings: Ceilings) -> Self {
        Self(Arc::new(Inner {
            ceilings: RwLock::new(ceilings),
            ..Inner::default()
        }))
    }

    /// These ceilings, converted by `feed`, whose rates are good for `most`.
    #[must_use]
    pub fn with_feed(ceilings: Ceilings, feed: Feed, most: Duration) -> Self {
        Self(Arc::new(Inner {
            ceilings: RwLock::new(ceilings),
            feed: Some((feed, most)),
            newest: RwLock::default(),
        }))
    }

    /// The ceiling of a job that asks for these (capability, model) pairs; `None` is any price. `now` is in unix seconds.
    ///
    /// # Errors
    ///
    /// [`NoCeiling`]: the operator set one that cannot be kept now. Nothing may be paid then.
    pub fn of<'m>(
        &self,
        wanted: impl IntoIterator<Item = Wanted<'m>>,
        work: Work,
        now: u64,
    ) -> Result<Option<Price>, NoCeiling> {
        let newest = self.newest();
        let good = newest
            .as_ref()
            .filter(|newest| work == Work::Running || self.is_fresh(newest, now));
        let ceiling = self
            .0
            .ceilings
            .read()
            .of(wanted, good.map(|good| &good.rate));
        ceiling.map_err(|missing| self.why(missing.0, newest.as_ref(), now))
    }

    /// Whether a price in this quote's currency means something now.
    ///
    /// # Errors
    ///
    /// [`NoCeiling`], if not.
    pub fn check(&self, quote: &Quote, now: u64) -> Result<Price, NoCeiling> {
        let newest = self.newest();
        let good = newest.as_ref().filter(|newest| self.is_fresh(newest, now));
        let price = quote.price(good.map(|good| &good.rate));
        price.map_err(|missing| self.why(missing.0, newest.as_ref(), now))
    }

    /// Sets the ceiling of what no other applies to; `None` is any price.
    pub fn set_everything(&self, quote: Option<Quote>) {
        self.0.ceilings.write().set_everything(quote);
    }

    /// Sets one ceiling; `None` removes it. An empty model is the pipeline's default.
    pub fn set(&self, wanted: Wanted<'_>, quote: Option<Quote>) {
        self.0.ceilings.write().set(wanted, quote);
    }

    /// The newest good rate, however old.
    #[must_use]
    pub fn newest(&self) -> Option<Sighting> {
        let (feed, _) = self.0.feed.as_ref()?;
        let told = feed();
        let mut newest = self.0.newest.write();
        match (&told, &*newest) {
            (None, _) => {}
            (Some(told), Some(known)) if told.updated < known.updated => {}
            _ => newest.clone_from(&told),
        }
        newest.clone()
    }

    fn is_fresh(&self, sighting: &Sighting, now: u64) -> bool {
        let most = self.0.feed.as_ref().map_or(0, |(_, most)| most.as_secs());
        now.saturating_sub(sighting.updated) <= most
    }

    fn why(&self, currency: String, newest: Option<&Sighting>, now: u64) -> NoCeiling {
        match (&self.0.feed, newest) {
            (None, _) => NoCeiling::NoFeed(currency),
            (Some(_), None) => NoCeiling::Silent(currency),
            (Some(_), Some(newest)) if !newest.rate.currency.eq_ignore_ascii_case(&currency) => {
                NoCeiling::Other {
                    wanted: currency,
                    given: newest.rate.currency.clone(),
                }
            }
            (Some((_, most)), Some(newest)) => NoCeiling::Stale {
                currency,
                age: Duration::from_secs(now.saturating_sub(newest.updated)),
                most: *most,
            },
        }
    }
}

impl fmt::Debug for MaxPrices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaxPrices")
            .field("ceilings", &*self.0.ceilings.read())
            .field("newest", &*self.0.newest.read())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use parking_lot::Mutex;
    use pointsman_wire::amount::Ratio;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const NOW: u64 = 1_800_000_000;

    fn quote(text: &str) -> Option<Quote> {
        Quote::parse(text, NonZeroU64::MIN).expect("an amount")
    }

    /// USD at so many wei, updated so many seconds ago.
    fn usd(wei: u64, ago: u64) -> Option<Sighting> {
        Some(Sighting {
            rate: Rate {
                currency: "USD".to_owned(),
                wei: Ratio::from_integer(wei.into()),
            },
            updated: NOW - ago,
        })
    }

    /// Half a dollar, and the feed's mouth.
    fn half_a_dollar(first: Option<Sighting>) -> (MaxPrices, Arc<Mutex<Option<Sighting>>>) {
        let said = Arc::new(Mutex::new(first));
        let mouth = said.clone();
        let feed: Feed = Arc::new(move || mouth.lock().clone());
        let prices = MaxPrices::with_feed(Ceilings::new(quote("0.50USD")), feed, DAY);
        (prices, said)
    }

    fn of(prices: &MaxPrices, work: Work) -> Result<Option<String>, NoCeiling> {
        let price = prices.of([], work, NOW)?;
        Ok(price.map(|price| price.wei().to_string()))
    }

    #[test]
    fn a_ceiling_in_dollars_follows_the_feed() {
        let (prices, said) = half_a_dollar(usd(1000, 60));
        assert_eq!(of(&prices, Work::New), Ok(Some("500".to_owned())));
        *said.lock() = usd(3000, 30);
        assert_eq!(of(&prices, Work::New), Ok(Some("1500".to_owned())));
        *said.lock() = usd(9000, 45);
        assert_eq!(
            of(&prices, Work::New),
            Ok(Some("1500".to_owned())),
            "an older report changes nothing"
        );
    }

    #[test]
    fn without_a_fresh_rate_new_work_stops_and_what_runs_goes_on_as_before() {
        let (prices, said) = half_a_dollar(None);
        let silent = NoCeiling::Silent("USD".to_owned());
        assert_eq!(of(&prices, Work::New), Err(silent.clone()));
        assert_eq!(of(&prices, Work::Running), Err(silent));
        *said.lock() = usd(1000, DAY.as_secs() + 60);
        assert_eq!(of(&prices, Work::Running), Ok(Some("500".to_owned())));
        let stale = of(&prices, Work::New).expect_err("stale");
        assert!(
            stale.to_string().contains("1441 min ago, at most 1440"),
            "{stale}"
        );
        *said.lock() = None;
        assert_eq!(of(&prices, Work::Running), Ok(Some("500".to_owned())));
    }

    #[test]
    fn wei_need_no_feed_and_another_currency_is_named() {
        let (prices, _) = half_a_dollar(usd(1000, 0));
        prices.set_everything(quote("7"));
        assert_eq!(of(&prices, Work::New), Ok(Some("7".to_owned())));
        let euro = quote("1EUR").expect("an amount");
        let why = prices.check(&euro, NOW).expect_err("no rate").to_string();
        assert!(
            why.contains("in EUR, and the price feed is for USD"),
            "{why}"
        );
        let none = MaxPrices::new(Ceilings::new(quote("1USD")));
        let why = of(&none, Work::Running).expect_err("no feed").to_string();
        assert!(why.contains("--price-feed-addr"), "{why}");
    }

    #[test]
    fn what_is_set_in_one_clone_holds_in_all() {
        let prices = MaxPrices::default();
        let other = prices.clone();
        assert_eq!(of(&prices, Work::New), Ok(None));
        other.set_everything(quote("9"));
        assert_eq!(of(&prices, Work::New), Ok(Some("9".to_owned())));
    }
}
