//! The most that is paid: for each model, for each pipeline, for everything.
//!
//! # Which ceiling applies
//!
//! A job that asks for several (pipeline, model) pairs is offered the sum of their prices, so its ceiling is the sum of
//! theirs: for each pair that of the model, else that of its pipeline's `default`. Where that sum is nothing, the one for
//! everything applies; without that any price does. As go-livepeer's `-maxPricePerCapability` and `-maxPricePerUnit`, whose
//! JSON is read here (`payments` §6).

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use num_traits::Zero as _;
use pointsman_wire::amount::Ratio;
use pointsman_wire::capabilities::ALL;
use serde::Deserialize;
use serde_json::Number;

use super::quote::decimal;
use super::{NoRate, Price, Quote, QuoteError, Rate};

/// Model that stands for all of a pipeline.
const DEFAULT_MODEL: &str = "default";
/// Most entries that are read.
const MAX_ENTRIES: usize = 10_000;

/// The operator's ceilings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ceilings {
    everything: Option<Quote>,
    models: BTreeMap<(u32, String), Quote>,
}

/// A capability, and the model or container name that narrows it, empty for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'m> {
    /// Number of the capability.
    pub capability: u32,
    /// Model id.
    pub model: &'m str,
}

/// A list of ceilings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CeilingsError {
    /// No JSON of the right shape.
    #[error("the list of maximum prices cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Too long.
    #[error("the list of maximum prices has {0} entries: at most 10000")]
    Long(usize),
    /// No such pipeline.
    #[error(
        "no pipeline is named {0:?}: write its name in small letters with dashes, as text-to-image"
    )]
    Pipeline(String),
    /// An entry whose amount is none.
    #[error("the maximum price of {pipeline} {model}: {cause}")]
    Amount {
        /// The entry's pipeline.
        pipeline: String,
        /// Its model.
        model: String,
        /// What is wrong.
        cause: QuoteError,
    },
}

#[derive(Deserialize)]
struct List {
    capabilities_prices: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    pipeline: String,
    #[serde(default)]
    model_id: String,
    price_per_unit: Option<Amount>,
    pixels_per_unit: Option<u64>,
    #[serde(default)]
    currency: String,
}

/// Bare numbers are what go-livepeer reads; text is taken too, for those who want more digits than a float has.
#[derive(Deserialize)]
#[serde(untagged)]
enum Amount {
    Number(Number),
    Text(String),
}

// === impl Ceilings ===

impl Ceilings {
    /// One ceiling for everything; `None` is any price.
    #[must_use]
    pub fn new(everything: Option<Quote>) -> Self {
        Self {
            everything,
            models: BTreeMap::new(),
        }
    }

    /// Adds go-livepeer's list of maximum prices. `units` is what an entry's price is for where it says nothing else. An
    /// entry without a price has the one for everything, and is left out where there is none.
    ///
    /// # Errors
    ///
    /// When it is not JSON of that shape, names an unknown pipeline, or an amount that is none. Nothing is added then.
    pub fn read_json(&mut self, json: &str, units: NonZeroU64) -> Result<(), CeilingsError> {
        let list: List = serde_json::from_str(json)?;
        let count = list.capabilities_prices.len();
        if count > MAX_ENTRIES {
            return Err(CeilingsError::Long(count));
        }
        let mut read = BTreeMap::new();
        for entry in list.capabilities_prices {
            let capability = capability_named(&entry.pipeline)
                .ok_or_else(|| CeilingsError::Pipeline(entry.pipeline.clone()))?;
            let model = or_default(&entry.model_id).to_owned();
            let quote = entry.quote(units).map_err(|cause| CeilingsError::Amount {
                pipeline: entry.pipeline.clone(),
                model: model.clone(),
                cause,
            })?;
            if let Some(quote) = quote.or_else(|| self.everything.clone()) {
                read.insert((capability, model), quote);
            }
        }
        self.models.extend(read);
        Ok(())
    }

    /// Sets one ceiling; `None` removes it. An empty model is the pipeline's default.
    pub fn set(&mut self, wanted: Wanted<'_>, quote: Option<Quote>) {
        let key = (wanted.capability, or_default(wanted.model).to_owned());
        match quote {
            Some(quote) => self.models.insert(key, quote),
            None => self.models.remove(&key),
        };
    }

    /// Sets the ceiling for everything.
    pub fn set_everything(&mut self, quote: Option<Quote>) {
        self.everything = quote;
    }

    /// The ceiling of what no other applies to.
    #[must_use]
    pub fn everything(&self) -> Option<&Quote> {
        self.everything.as_ref()
    }

    /// All of them.
    pub fn quotes(&self) -> impl Iterator<Item = &Quote> {
        self.everything.iter().chain(self.models.values())
    }

    /// The ceiling of a job; `None` is any price.
    ///
    /// # Errors
    ///
    /// When a ceiling that applies is in a currency without a rate. Nothing may be paid then: the operator set a limit that
    /// cannot be kept.
    pub fn of<'m>(
        &self,
        wanted: impl IntoIterator<Item = Wanted<'m>>,
        rate: Option<&Rate>,
    ) -> Result<Option<Price>, NoRate> {
        let mut sum = Ratio::zero();
        for Wanted { capability, model } in wanted {
            let of = |model: &str| self.models.get(&(capability, model.to_owned()));
            if let Some(quote) = of(or_default(model)).or_else(|| of(DEFAULT_MODEL)) {
                sum += quote.price(rate)?.wei();
            }
        }
        if !sum.is_zero() {
            return Ok(Price::new(sum).ok());
        }
        self.everything
            .as_ref()
            .map(|quote| quote.price(rate))
            .transpose()
    }
}

// === impl Entry ===

impl Entry {
    /// `None` for no amount, or one that is not above 0: go-livepeer takes both for "not set".
    fn quote(&self, units: NonZeroU64) -> Result<Option<Quote>, QuoteError> {
        let units = self
            .pixels_per_unit
            .and_then(NonZeroU64::new)
            .unwrap_or(units);
        let currency = self.currency.parse()?;
        let text = match &self.price_per_unit {
            None => return Ok(None),
            // The shortest digits that mean the same float: what was written, up to its seventeen.
            Some(Amount::Number(number)) => number.to_string(),
            Some(Amount::Text(text)) => text.trim().to_owned(),
        };
        match decimal(&text) {
            Some(amount) => Ok(Quote::new(amount, currency, units).unwrap_or(None)),
            None => Quote::parse(&text, units),
        }
    }
}

/// The number of a pipeline by its name: the capability's, in small letters with dashes. Containers have no ceiling here.
#[must_use]
pub fn capability_named(name: &str) -> Option<u32> {
    let (capability, _) = ALL
        .iter()
        .filter(|(capability, _)| *capability != pointsman_wire::capabilities::Capability::Byoc)
        .find(|(_, known)| known.to_lowercase().replace(' ', "-") == name)?;
    Some(capability.number())
}

fn or_default(model: &str) -> &str {
    if model.is_empty() {
        DEFAULT_MODEL
    } else {
        model
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT_TO_IMAGE: u32 = 27;
    const LIVE: u32 = 35;

    fn wei(wei: u64) -> Option<Quote> {
        Quote::parse(&wei.to_string(), NonZeroU64::MIN).expect("an amount")
    }

    fn ceiling(ceilings: &Ceilings, wanted: &[(u32, &str)]) -> Option<String> {
        let wanted = wanted
            .iter()
            .map(|&(capability, model)| Wanted { capability, model });
        let price = ceilings.of(wanted, None).expect("all in wei");
        price.map(|price| price.wei().to_string())
    }

    fn ceilings(everything: u64, json: &str) -> Ceilings {
        let mut ceilings = Ceilings::new(wei(everything));
        ceilings.read_json(json, NonZeroU64::MIN).expect("a list");
        ceilings
    }

    const LIST: &str = r#"{"capabilities_prices":[
        {"pipeline":"text-to-image","model_id":"default","price_per_unit":1000,"pixels_per_unit":1},
        {"pipeline":"text-to-image","model_id":"sdxl","price_per_unit":0.1,"pixels_per_unit":3,"currency":"wei"},
        {"pipeline":"live-video-to-video","price_per_unit":7},
        {"pipeline":"llm","model_id":"dear","price_per_unit":-1}]}"#;

    #[test]
    fn the_model_comes_before_the_pipeline_and_that_before_everything() {
        let (some, none) = (ceilings(5, LIST), ceilings(0, LIST));
        let of = |wanted: &[(u32, &str)]| ceiling(&some, wanted);
        assert_eq!(of(&[(TEXT_TO_IMAGE, "sdxl")]).as_deref(), Some("1/30"));
        assert_eq!(of(&[(TEXT_TO_IMAGE, "other")]).as_deref(), Some("1000"));
        assert_eq!(of(&[(TEXT_TO_IMAGE, "")]).as_deref(), Some("1000"));
        assert_eq!(of(&[(28, "x")]).as_deref(), Some("5"));
        assert_eq!(of(&[]).as_deref(), Some("5"));
        assert_eq!(
            of(&[(TEXT_TO_IMAGE, "other"), (LIVE, "noop")]).as_deref(),
            Some("1007")
        );
        assert_eq!(
            of(&[(33, "dear")]).as_deref(),
            Some("5"),
            "an amount of none is that for everything"
        );
        assert_eq!(ceiling(&none, &[(28, "x")]), None);
    }

    #[test]
    fn ceilings_can_be_set_and_removed() {
        let mut ceilings = Ceilings::default();
        let pair = Wanted {
            capability: LIVE,
            model: "",
        };
        ceilings.set(pair, wei(9));
        assert_eq!(ceiling(&ceilings, &[(LIVE, "noop")]).as_deref(), Some("9"));
        ceilings.set(pair, None);
        assert_eq!(ceiling(&ceilings, &[(LIVE, "noop")]), None);
        ceilings.set_everything(wei(3));
        assert_eq!(ceiling(&ceilings, &[(LIVE, "noop")]).as_deref(), Some("3"));
    }

    #[test]
    fn a_ceiling_without_a_rate_is_an_error_and_not_any_price() {
        let dollars = Quote::parse("0.50USD", NonZeroU64::MIN).expect("an amount");
        let ceilings = Ceilings::new(dollars);
        assert_eq!(ceilings.of([], None), Err(NoRate("USD".to_owned())));
    }

    #[test]
    fn bad_lists_are_named_and_change_nothing() {
        let mut ceilings = ceilings(0, LIST);
        let before = ceilings.clone();
        for (json, name) in [
            ("[]", "cannot be read"),
            (
                r#"{"capabilities_prices":[{"pipeline":"byoc","price_per_unit":1}]}"#,
                "byoc",
            ),
            (
                r#"{"capabilities_prices":[{"pipeline":"llm","price_per_unit":1},{"pipeline":"Text to image","price_per_unit":1}]}"#,
                "Text to image",
            ),
            (
                r#"{"capabilities_prices":[{"pipeline":"llm","price_per_unit":"x"}]}"#,
                "not an amount",
            ),
            (
                r#"{"capabilities_prices":[{"pipeline":"llm","price_per_unit":1,"currency":"12"}]}"#,
                "not an amount",
            ),
        ] {
            let error = ceilings.read_json(json, NonZeroU64::MIN).expect_err(json);
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(ceilings, before);
        }
    }
}
