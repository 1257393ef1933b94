//! Facts about the job that is being routed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::column::nearest;
use crate::values::Kind;
use crate::{Hints, Price, Symbol, Workload};

/// What is routed. Made by a workload, completed by dispatch, read by policies.
///
/// Recordings keep jobs by the names of these fields: one that is added takes `#[serde(default)]`, so that older recordings are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Name for people and recordings: `<stream>/<sequence>` for a segment.
    pub id: String,
    /// Wall clock, unix ms.
    pub now_ms: u64,
    /// The only randomness there is.
    pub seed: u64,
    /// Kind of work.
    pub workload: Workload,
    /// Pipeline or BYOC name; `transcode` for transcoding.
    pub capability: Symbol,
    /// Model, if any.
    pub model: Symbol,
    /// Same stream or conversation, same number.
    pub affinity: u64,
    /// Left to the hard deadline, ms.
    pub deadline_ms: u32,
    /// Left to the soft deadline, ms: attempts and hedges are timed against it.
    pub soft_ms: u32,
    /// What is paid: pixels, seconds, tokens; 0 unknown.
    pub units: u64,
    /// Duration of the segment, ms.
    pub segment_ms: Option<u32>,
    /// Place in the stream.
    pub sequence: Option<u64>,
    /// The lower of the operator's ceiling and the application's.
    pub max_price: Option<Price>,
    /// Whether `max_price` binds the host as well, so that no policy can pass it.
    pub price_is_hard: bool,
    /// Retries that dispatch would still allow.
    pub retries_left: u32,
    /// Hedges that dispatch would still allow.
    pub hedges_left: u32,
    /// What the gateway spent lately, where it pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
    /// Labels of the application.
    pub labels: BTreeMap<String, String>,
    /// What else the application wants.
    #[serde(default)]
    pub hints: Hints,
}

/// What left the gateway or may have left, for all jobs together, as its ledger has it. A second old at the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Wei over the last hour.
    pub hour: f64,
    /// Wei over the last 24 hours.
    pub day: f64,
}

/// A fact about the job that a policy can ask for beside the fixed fields.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "every case is a row of TABLE, which documents it"
)]
pub enum JobFact {
    SoftMs,
    SegmentMs,
    Sequence,
    MaxPrice,
    MaxPriceNum,
    MaxPriceDen,
    RetriesLeft,
    HedgesLeft,
    SpendHour,
    SpendDay,
    Label(String),
    HintSort,
    HintMaxPrice,
    HintMaxPriceNum,
    HintMaxPriceDen,
    HintAffinity,
}

/// The value of a job fact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact {
    /// Nobody knows.
    Unknown,
    /// A float.
    Number(f64),
    /// An unsigned integer.
    Count(u64),
    /// Yes or no.
    Mark(bool),
    /// A string.
    Symbol(Symbol),
}

/// Every job fact: name, kind, unit, when unknown, meaning. `wit/README.md` shows it.
pub const TABLE: &[(&str, Kind, &str, &str, &str)] = &[
    (
        "soft-ms",
        Kind::Counts,
        "ms",
        "never",
        "left to the soft deadline",
    ),
    (
        "segment-ms",
        Kind::Counts,
        "ms",
        "the job is no segment",
        "duration of the segment",
    ),
    (
        "sequence",
        Kind::Counts,
        "",
        "the job is no segment",
        "its place in the stream",
    ),
    (
        "max-price",
        Kind::Numbers,
        "wei per unit",
        "neither the operator nor the application set one",
        "the most that may be paid",
    ),
    (
        "max-price/num",
        Kind::Counts,
        "wei",
        "as max-price",
        "numerator of the same, exactly",
    ),
    (
        "max-price/den",
        Kind::Counts,
        "units",
        "as max-price",
        "denominator of the same",
    ),
    (
        "retries-left",
        Kind::Counts,
        "attempts",
        "never",
        "retries the host would still allow",
    ),
    (
        "hedges-left",
        Kind::Counts,
        "attempts",
        "never",
        "hedges the host would still allow",
    ),
    (
        "spend/hour",
        Kind::Numbers,
        "wei",
        "the gateway pays nobody",
        "what the gateway spent in the last hour, for all jobs together",
    ),
    (
        "spend/day",
        Kind::Numbers,
        "wei",
        "as spend/hour",
        "what it spent in the last 24 hours",
    ),
    (
        "label/<key>",
        Kind::Symbols,
        "",
        "the application gave none",
        "the application's label of that key",
    ),
    (
        "hint/sort",
        Kind::Symbols,
        "",
        "the application has no wish",
        "what to prefer: `price`, `latency` or `throughput`",
    ),
    (
        "hint/max-price",
        Kind::Numbers,
        "wei per unit",
        "the application named none",
        "the most that the application would pay",
    ),
    (
        "hint/max-price/num",
        Kind::Counts,
        "wei",
        "as hint/max-price",
        "numerator of the same, exactly",
    ),
    (
        "hint/max-price/den",
        Kind::Counts,
        "units",
        "as hint/max-price",
        "denominator of the same",
    ),
    (
        "hint/affinity",
        Kind::Marks,
        "",
        "never",
        "the application chose the affinity key itself",
    ),
];

/// A name that is not in the registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no job fact is called \"{name}\"{}", nearest.as_ref().map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default())]
pub struct UnknownFact {
    /// What was asked for.
    pub name: String,
    /// The known name most like it.
    pub nearest: Option<&'static str>,
}

// === impl JobFact ===

impl JobFact {
    /// Finds a job fact by the name a policy asks for.
    ///
    /// # Errors
    ///
    /// [`UnknownFact`], with the nearest name.
    pub fn parse(name: &str) -> Result<Self, UnknownFact> {
        let known = match name {
            "soft-ms" => Self::SoftMs,
            "segment-ms" => Self::SegmentMs,
            "sequence" => Self::Sequence,
            "max-price" => Self::MaxPrice,
            "max-price/num" => Self::MaxPriceNum,
            "max-price/den" => Self::MaxPriceDen,
            "retries-left" => Self::RetriesLeft,
            "hedges-left" => Self::HedgesLeft,
            "spend/hour" => Self::SpendHour,
            "spend/day" => Self::SpendDay,
            "hint/sort" => Self::HintSort,
            "hint/max-price" => Self::HintMaxPrice,
            "hint/max-price/num" => Self::HintMaxPriceNum,
            "hint/max-price/den" => Self::HintMaxPriceDen,
            "hint/affinity" => Self::HintAffinity,
            _ => match name.split_once('/') {
                Some(("label", key)) if !key.is_empty() => Self::Label(key.to_lowercase()),
                _ => {
                    return Err(UnknownFact {
                        name: name.to_owned(),
                        nearest: nearest(name, TABLE.iter().map(|row| row.0)),
                    });
                }
            },
        };
        Ok(known)
    }
}

impl fmt::Display for JobFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::SoftMs => "soft-ms",
            Self::SegmentMs => "segment-ms",
            Self::Sequence => "sequence",
            Self::MaxPrice => "max-price",
            Self::MaxPriceNum => "max-price/num",
            Self::MaxPriceDen => "max-price/den",
            Self::RetriesLeft => "retries-left",
            Self::HedgesLeft => "hedges-left",
            Self::SpendHour => "spend/hour",
            Self::SpendDay => "spend/day",
            Self::HintSort => "hint/sort",
            Self::HintMaxPrice => "hint/max-price",
            Self::HintMaxPriceNum => "hint/max-price/num",
            Self::HintMaxPriceDen => "hint/max-price/den",
            Self::HintAffinity => "hint/affinity",
            Self::Label(key) => return write!(f, "label/{key}"),
        };
        f.write_str(name)
    }
}

// === impl Job ===

impl Job {
    /// What the application wants, labels included. `None`: nothing.
    #[must_use]
    pub fn wishes(&self) -> Option<Hints> {
        let nothing = self.labels.is_empty() && self.hints.is_empty();
        (!nothing).then(|| Hints {
            labels: self.labels.clone(),
            ..self.hints.clone()
        })
    }

    /// The value of `fact`.
    #[must_use]
    pub fn fact(&self, fact: &JobFact) -> Fact {
        let count = |known: Option<u64>| known.map_or(Fact::Unknown, Fact::Count);
        let number = |price: Option<Price>| {
            price.map_or(Fact::Unknown, |price| Fact::Number(price.to_f64()))
        };
        let wished = self.hints.max_price;
        match fact {
            JobFact::SoftMs => Fact::Count(self.soft_ms.into()),
            JobFact::SegmentMs => count(self.segment_ms.map(u64::from)),
            JobFact::Sequence => count(self.sequence),
            JobFact::MaxPrice => number(self.max_price),
            JobFact::MaxPriceNum => count(self.max_price.map(|price| price.num)),
            JobFact::MaxPriceDen => count(self.max_price.map(|price| price.den.get())),
            JobFact::RetriesLeft => Fact::Count(self.retries_left.into()),
            JobFact::HedgesLeft => Fact::Count(self.hedges_left.into()),
            JobFact::SpendHour => self
                .spent
                .map_or(Fact::Unknown, |spent| Fact::Number(spent.hour)),
            JobFact::SpendDay => self
                .spent
                .map_or(Fact::Unknown, |spent| Fact::Number(spent.day)),
            JobFact::Label(key) => self
                .labels
                .get(key)
                .map_or(Fact::Unknown, |value| Fact::Symbol(Symbol::of(value))),
            JobFact::HintSort => {
                let sort = self.hints.sort;
                sort.map_or(Fact::Unknown, |sort| Fact::Symbol(Symbol::of(sort.name())))
            }
            JobFact::HintMaxPrice => number(wished),
            JobFact::HintMaxPriceNum => count(wished.map(|price| price.num)),
            JobFact::HintMaxPriceDen => count(wished.map(|price| price.den.get())),
            JobFact::HintAffinity => Fact::Mark(self.hints.affinity.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_parses_and_prints_its_name() {
        for (name, ..) in TABLE {
            let name = name.replace("<key>", "tier");
            assert_eq!(
                JobFact::parse(&name)
                    .expect("a name of the table")
                    .to_string(),
                name
            );
        }
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest_right_one() {
        let error = JobFact::parse("segement-ms").expect_err("no such fact");
        assert_eq!(error.nearest, Some("segment-ms"));
    }
}
