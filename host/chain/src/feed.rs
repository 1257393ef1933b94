//! The price of ETH in another currency, from a Chainlink aggregator.
//!
//! # Contract
//!
//! A [`Quote`] is exact: wei per unit of the currency as a fraction of integers. A report replaces the last good quote only if it is positive,
//! younger than [`FeedLimits::max_age`] by the chain's own clock, within [`FeedLimits::usd`] where the currency is USD, and not more than
//! [`FeedLimits::max_jump`] times the last one or a part of it. A jump that is reported [`SIGHTINGS`] times in a row is the market.
//! Otherwise the last good quote stays, with its age, and the error says why: whoever converts with it decides how old is too old.

use std::time::Duration;

use alloy::primitives::{Address, I256, U256};
use serde::{Deserialize, Serialize};

use crate::abi::Aggregator;
use crate::views::{Ask, Plan, Readings, ViewError};

/// Reports of a jump after which it is believed.
const SIGHTINGS: u32 = 3;

/// Most decimals of an aggregator: 8 and 18 are in use.
const MAX_DECIMALS: u8 = 36;

/// Longest currency, characters.
const MAX_CURRENCY: usize = 12;

/// Furthest that a report may be ahead of the chain's clock, seconds.
const AHEAD: u64 = 3600;

/// What a report must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedLimits {
    /// Oldest report. Chainlink's ETH / USD on Arbitrum reports at least once a day.
    pub max_age: Duration,
    /// Least and most whole USD for one ETH.
    pub usd: (u64, u64),
    /// Largest change from one report to the next, as a factor.
    pub max_jump: u64,
}

/// The price of a currency in wei.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Such as `USD`.
    pub currency: String,
    /// Wei for one unit of the currency: this ...
    pub wei: U256,
    /// ... divided by this. Never zero.
    pub per: U256,
    /// When the aggregator was last updated, seconds since 1970.
    pub updated: u64,
}

/// What the aggregator says, unjudged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) description: String,
    pub(crate) decimals: u8,
    pub(crate) answer: I256,
    pub(crate) updated: U256,
}

/// Why a report is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The contract did not answer as an aggregator.
    #[error("the price feed does not answer: {0}")]
    View(#[from] ViewError),
    /// It does not price ETH.
    #[error("the price feed prices {0:?}: one for ETH / USD or the like is needed")]
    NotEth(String),
    /// More decimals than any price.
    #[error("the price feed has {0} decimals")]
    Decimals(u8),
    /// Zero or less.
    #[error("the price feed says {0}: a price is above zero")]
    NotPositive(I256),
    /// Too old, or from the future.
    #[error(
        "the price feed was last updated at {updated} (seconds since 1970), the chain's clock is at {now}"
    )]
    Stale {
        /// When it was updated.
        updated: U256,
        /// The newest block's time.
        now: u64,
    },
    /// Outside what a price in USD can be.
    #[error("the price feed says {price} USD for one ETH: outside {least} to {most}")]
    Bounds {
        /// Whole USD.
        price: U256,
        /// The lower bound.
        least: u64,
        /// The upper bound.
        most: u64,
    },
    /// Far from the last one.
    #[error(
        "the price feed jumped by more than {0} times: used once it is reported {SIGHTINGS} times in a row"
    )]
    Jump(u64),
}

/// The last good quote and what happened since.
#[derive(Debug)]
pub(crate) struct Feed {
    limits: FeedLimits,
    quote: Option<Quote>,
    error: Option<FeedError>,
    /// A jump and how often it was reported.
    jump: Option<(Quote, u32)>,
}

/// The views of a report.
#[derive(Debug)]
pub(crate) struct FeedAsks {
    description: Ask<Aggregator::descriptionCall>,
    decimals: Ask<Aggregator::decimalsCall>,
    latest: Ask<Aggregator::latestRoundDataCall>,
}

// === impl FeedLimits ===

impl Default for FeedLimits {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(25 * 3600),
            usd: (10, 1_000_000),
            max_jump: 2,
        }
    }
}

// === impl Quote ===

impl Quote {
    /// `report` as an exact price, if it is one. `now`: the newest block's time, seconds since 1970.
    fn of(report: &Reported, limits: &FeedLimits, now: u64) -> Result<Self, FeedError> {
        let not_eth = || FeedError::NotEth(report.description.chars().take(40).collect());
        let (base, quote) = report.description.split_once('/').ok_or_else(not_eth)?;
        let (base, quote) = (base.trim(), quote.trim());
        let currency = match (base, quote) {
            ("ETH", other) | (other, "ETH") if is_currency(other) => other,
            _ => return Err(not_eth()),
        };
        if report.decimals > MAX_DECIMALS {
            return Err(FeedError::Decimals(report.decimals));
        }
        let answer = U256::try_from(report.answer)
            .ok()
            .filter(|answer| !answer.is_zero());
        let answer = answer.ok_or(FeedError::NotPositive(report.answer))?;
        let updated: u64 = report.updated.saturating_to();
        let young = now.saturating_sub(updated) <= limits.max_age.as_secs();
        if !young || updated > now.saturating_add(AHEAD) {
            return Err(FeedError::Stale {
                updated: report.updated,
                now,
            });
        }
        let one = U256::from(10).pow(U256::from(report.decimals));
        let ether = U256::from(10).pow(U256::from(18));
        // No product overflows: an answer that could is no price.
        if answer.bit_len() > 128 {
            return Err(FeedError::NotPositive(report.answer));
        }
        let (wei, per) = match base {
            "ETH" => (ether * one, answer),
            _ => (ether * answer, one),
        };
        let (least, most) = limits.usd;
        let price = ether / (wei / per).max(U256::ONE);
        if currency == "USD" && (price < U256::from(least) || price > U256::from(most)) {
            return Err(FeedError::Bounds { price, least, most });
        }
        Ok(Self {
            currency: currency.to_owned(),
            wei,
            per,
            updated,
        })
    }

    /// Whether the prices are within `factor` of each other. A quote of another currency is of another feed: nothing to compare.
    fn near(&self, other: &Self, factor: u64) -> bool {
        if self.currency != other.currency {
            return true;
        }
        let (one, two) = (self.wei / self.per, other.wei / other.per);
        let factor = U256::from(factor);
        one <= two.saturating_mul(factor) && two <= one.saturating_mul(factor)
    }
}

// === impl Feed ===

impl Feed {
    pub(crate) fn new(limits: FeedLimits, quote: Option<Quote>) -> Self {
        Self {
            limits,
            quote,
            error: None,
            jump: None,
        }
    }

    /// Judges a report. `now`: the newest block's time.
    pub(crate) fn take(&mut self, report: Result<Reported, ViewError>, now: u64) {
        let judged = report.map_err(FeedError::from);
        let judged = judged.and_then(|report| Quote::of(&report, &self.limits, now));
        self.error = judged.and_then(|quote| self.accept(quote)).err();
    }

    fn accept(&mut self, quote: Quote) -> Result<(), FeedError> {
        let factor = self.limits.max_jump;
        let near = |other: &Quote| quote.near(other, factor);
        if !self.quote.as_ref().is_none_or(near) {
            let before = self.jump.take().filter(|(jump, _)| near(jump));
            let sightings = before.map_or(1, |(_, sightings)| sightings + 1);
            if sightings < SIGHTINGS {
                self.jump = Some((quote, sightings));
                return Err(FeedError::Jump(factor));
            }
        }
        self.jump = None;
        self.quote = Some(quote);
        Ok(())
    }

    pub(crate) fn quote(&self) -> Option<&Quote> {
        self.quote.as_ref()
    }

    pub(crate) fn error(&self) -> Option<&FeedError> {
        self.error.as_ref()
    }
}

// === impl FeedAsks ===

impl FeedAsks {
    pub(crate) fn new(plan: &mut Plan, feed: Address) -> Self {
        Self {
            description: plan.ask(feed, &Aggregator::descriptionCall {}),
            decimals: plan.ask(feed, &Aggregator::decimalsCall {}),
            latest: plan.ask(feed, &Aggregator::latestRoundDataCall {}),
        }
    }

    pub(crate) fn read(&self, got: &Readings) -> Result<Reported, ViewError> {
        let latest = got.get(&self.latest)?;
        Ok(Reported {
            description: got.get(&self.description)?,
            decimals: got.get(&self.decimals)?,
            answer: latest.answer,
            updated: latest.updatedAt,
        })
    }
}

fn is_currency(text: &str) -> bool {
    (1..=MAX_CURRENCY).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn report(description: &str, decimals: u8, answer: i64) -> Reported {
        Reported {
            description: description.to_owned(),
            decimals,
            answer: I256::try_from(answer).unwrap(),
            updated: U256::from(NOW - 60),
        }
    }

    fn quote(report: &Reported) -> Result<Quote, FeedError> {
        Quote::of(report, &FeedLimits::default(), NOW)
    }

    /// 3000.00 USD and so on.
    fn usd(price: i64) -> Reported {
        report("ETH / USD", 8, price * 100_000_000)
    }

    #[test]
    fn wei_for_a_dollar_are_exact_either_way_round() {
        let dollar = quote(&report("ETH / USD", 8, 300_012_345_678)).unwrap();
        assert_eq!(dollar.currency, "USD");
        let e26 = U256::from(10).pow(U256::from(26));
        assert_eq!(
            (dollar.wei, dollar.per),
            (e26, U256::from(300_012_345_678u64))
        );
        let dai = quote(&report("DAI / ETH", 18, 333_333_333_333_333)).unwrap();
        assert_eq!(dai.currency, "DAI");
        assert_eq!(dai.wei / dai.per, U256::from(333_333_333_333_333u64));
    }

    #[test]
    fn what_cannot_be_a_price_is_refused() {
        assert!(matches!(quote(&usd(0)), Err(FeedError::NotPositive(_))));
        assert!(matches!(quote(&usd(-3000)), Err(FeedError::NotPositive(_))));
        assert!(matches!(quote(&usd(9)), Err(FeedError::Bounds { .. })));
        assert!(matches!(
            quote(&usd(1_000_001)),
            Err(FeedError::Bounds { .. })
        ));
        let bitcoin = report("BTC / USD", 8, 1);
        assert!(matches!(quote(&bitcoin), Err(FeedError::NotEth(_))));
        let many = report("ETH / USD", 200, 1);
        assert_eq!(quote(&many), Err(FeedError::Decimals(200)));
    }

    #[test]
    fn a_report_from_the_past_or_the_future_is_refused() {
        for updated in [0, NOW - 25 * 3600 - 1, NOW + AHEAD + 1, u64::MAX] {
            let mut report = usd(3000);
            report.updated = U256::from(updated);
            assert!(
                matches!(quote(&report), Err(FeedError::Stale { .. })),
                "{updated}"
            );
        }
    }

    #[test]
    fn the_last_good_quote_stays_and_a_lasting_jump_becomes_the_price() {
        let mut feed = Feed::new(FeedLimits::default(), None);
        feed.take(Ok(usd(3000)), NOW);
        let good = feed.quote().cloned();
        assert!(good.is_some() && feed.error().is_none());
        feed.take(Ok(usd(-1)), NOW);
        assert_eq!(feed.quote(), good.as_ref());
        for _ in 1..SIGHTINGS {
            feed.take(Ok(usd(7000)), NOW);
            assert_eq!(feed.quote(), good.as_ref());
            assert_eq!(feed.error(), Some(&FeedError::Jump(2)));
        }
        feed.take(Ok(usd(7100)), NOW);
        assert_ne!(feed.quote(), good.as_ref());
        assert_eq!(feed.error(), None);
    }

    #[test]
    fn jumps_that_differ_do_not_add_up() {
        let mut feed = Feed::new(FeedLimits::default(), None);
        feed.take(Ok(usd(3000)), NOW);
        for price in [7000, 100, 7000, 100, 7000] {
            feed.take(Ok(usd(price)), NOW);
            assert_eq!(feed.error(), Some(&FeedError::Jump(2)), "{price}");
        }
    }

    proptest! {
        #[test]
        fn no_report_panics(description in ".{0,20}", decimals: u8, words: [u64; 4], updated: u64) {
            let answer = I256::from_limbs(words);
            let eth = format!("ETH / {}", description.chars().take(3).collect::<String>());
            for description in [description, eth, "ETH / USD".to_owned(), "USD / ETH".to_owned()] {
                let updated = U256::from(updated);
                let _ = Quote::of(&Reported { description, decimals, answer, updated }, &FeedLimits::default(), updated.to());
            }
        }
    }
}
