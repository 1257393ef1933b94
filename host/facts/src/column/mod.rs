//! The registry of columns: facts about a candidate that a policy can ask for.

mod table;

use std::fmt;

use crate::failure::Class;
use crate::values::Kind;

pub use table::{Entry, TABLE};

/// A fact about a candidate. Parsed from the name a policy asks for, e.g. `latency-ms/p95` or `label/region`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "every case is a row of TABLE, which documents it"
)]
pub enum Column {
    Fit,
    Answers,
    Incumbent,
    Credit,
    InFlight,
    Price,
    PriceNum,
    PriceDen,
    PriceEffective,
    Stake,
    LatencyP50,
    LatencyP95,
    LatencyScore,
    SuccessRate,
    Samples,
    ErrorRate(Class),
    CapacityFree,
    Warm,
    RestMs,
    Version,
    Id,
    ScorePerf,
    ScoreSum,
    Position,
    Region,
    Label(String),
    Source,
    ScoreTrust,
    Address,
    Transcoder,
    ProbeMs,
    ProbeFailures,
    CapacityTotal,
    RunnerVersion,
    GpuMemory,
    HintOrder,
    HintOnly,
    HintIgnore,
    FitWhy,
    HintPlace,
    Active,
    StakeRank,
    RewardCut,
    FeeShare,
    RoundsActive,
    Recipient,
    TicketFaceValue,
    TicketWinProb,
    TicketValue,
}

/// The names without a parameter.
const PLAIN: &[(&str, Column)] = &[
    ("fit", Column::Fit),
    ("answers", Column::Answers),
    ("incumbent", Column::Incumbent),
    ("credit", Column::Credit),
    ("in-flight", Column::InFlight),
    ("price", Column::Price),
    ("price/num", Column::PriceNum),
    ("price/den", Column::PriceDen),
    ("price/effective", Column::PriceEffective),
    ("stake", Column::Stake),
    ("latency-ms/p50", Column::LatencyP50),
    ("latency-ms/p95", Column::LatencyP95),
    ("latency-score", Column::LatencyScore),
    ("success-rate", Column::SuccessRate),
    ("samples", Column::Samples),
    ("capacity-free", Column::CapacityFree),
    ("warm", Column::Warm),
    ("rest-ms", Column::RestMs),
    ("version", Column::Version),
    ("id", Column::Id),
    ("score/perf", Column::ScorePerf),
    ("score/sum", Column::ScoreSum),
    ("position", Column::Position),
    ("region", Column::Region),
    ("source", Column::Source),
    ("score/trust", Column::ScoreTrust),
    ("address", Column::Address),
    ("transcoder", Column::Transcoder),
    ("probe-ms", Column::ProbeMs),
    ("probe-failures", Column::ProbeFailures),
    ("capacity-total", Column::CapacityTotal),
    ("runner-version", Column::RunnerVersion),
    ("gpu/memory-gb", Column::GpuMemory),
    ("hint/order", Column::HintOrder),
    ("hint/only", Column::HintOnly),
    ("hint/ignore", Column::HintIgnore),
    ("fit/why", Column::FitWhy),
    ("hint/place", Column::HintPlace),
    ("active", Column::Active),
    ("stake/rank", Column::StakeRank),
    ("reward-cut", Column::RewardCut),
    ("fee-share", Column::FeeShare),
    ("rounds-active", Column::RoundsActive),
    ("recipient", Column::Recipient),
    ("ticket/face-value", Column::TicketFaceValue),
    ("ticket/win-prob", Column::TicketWinProb),
    ("ticket/value", Column::TicketValue),
];

/// A name that is not in the registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no column is called \"{name}\"{}", nearest.as_ref().map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default())]
pub struct UnknownColumn {
    /// What was asked for.
    pub name: String,
    /// The known name most like it.
    pub nearest: Option<&'static str>,
}

// === impl Column ===

impl Column {
    /// Finds a column by the name a policy asks for.
    ///
    /// # Errors
    ///
    /// [`UnknownColumn`], with the nearest name.
    pub fn parse(name: &str) -> Result<Self, UnknownColumn> {
        match PLAIN.iter().find(|(plain, _)| *plain == name) {
            Some((_, column)) => Ok(column.clone()),
            None => Self::parametric(name),
        }
    }

    fn parametric(name: &str) -> Result<Self, UnknownColumn> {
        let unknown = || UnknownColumn {
            name: name.to_owned(),
            nearest: nearest(name, TABLE.iter().map(|entry| entry.name)),
        };
        match name.split_once('/') {
            Some(("label", key)) if !key.is_empty() => Ok(Self::Label(key.to_lowercase())),
            Some(("error-rate", class)) => {
                Class::parse(class).map(Self::ErrorRate).ok_or_else(unknown)
            }
            _ => Err(unknown()),
        }
    }

    /// What the column's values are.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Fit
            | Self::Answers
            | Self::Incumbent
            | Self::Warm
            | Self::HintOnly
            | Self::HintIgnore
            | Self::Active => Kind::Marks,
            Self::InFlight
            | Self::PriceNum
            | Self::PriceDen
            | Self::Samples
            | Self::CapacityFree
            | Self::RestMs
            | Self::Version
            | Self::ProbeFailures
            | Self::CapacityTotal
            | Self::RunnerVersion
            | Self::Position
            | Self::FitWhy
            | Self::HintPlace
            | Self::StakeRank
            | Self::RoundsActive => Kind::Counts,
            Self::Id
            | Self::Region
            | Self::Source
            | Self::Address
            | Self::Transcoder
            | Self::Recipient
            | Self::Label(_) => Kind::Symbols,
            _ => Kind::Numbers,
        }
    }

    /// Whether the chain of stages makes it, from other columns or from what the stages said: nobody else is asked for it, and no recording holds it.
    #[must_use]
    pub fn is_made_by_chain(&self) -> bool {
        matches!(
            self,
            Self::ScoreSum | Self::Position | Self::FitWhy | Self::HintPlace
        )
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ErrorRate(class) => write!(f, "error-rate/{}", class.name()),
            Self::Label(key) => write!(f, "label/{key}"),
            plain => {
                let named = PLAIN.iter().find(|(_, column)| column == plain);
                f.write_str(named.map_or("", |(name, _)| name))
            }
        }
    }
}

/// The name in `names` that differs least from `wanted`, if any is near enough to be meant; longer words than 64 bytes are near none.
#[must_use]
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .filter(|_| wanted.len() <= 64)
        .map(|name| (strsim::levenshtein(wanted, name), name))
        .min()
        .filter(|&(distance, name)| distance <= 1 + name.len() / 4)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_parses_to_its_kind_and_prints_its_name() {
        for entry in TABLE {
            let name = entry
                .name
                .replace("<class>", "timeout")
                .replace("<key>", "tier");
            let column = Column::parse(&name).expect("a name of the table");
            assert_eq!(column.kind(), entry.kind, "{name}");
            assert_eq!(column.to_string(), name);
        }
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest_right_one() {
        let error = Column::parse("latency-ms/p59").expect_err("no such column");
        assert_eq!(error.nearest, Some("latency-ms/p50"));
        assert_eq!(
            Column::parse("label/")
                .expect_err("a label needs a key")
                .name,
            "label/"
        );
        assert_eq!(
            Column::parse("zzzzzzzzzzzz")
                .expect_err("unlike any")
                .nearest,
            None
        );
    }
}
