//! The registry of columns: facts about a candidate that a policy can ask for.

use std::fmt;

use crate::failure::Class;
use crate::values::Kind;

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
}

/// One row of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name to ask for; `<…>` stands for a parameter.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// Unit of the values, empty where there is none.
    pub unit: &'static str,
    /// When the value is unknown.
    pub unknown: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

const fn entry(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    unknown: &'static str,
    meaning: &'static str,
) -> Entry {
    Entry {
        name,
        kind,
        unit,
        unknown,
        meaning,
    }
}

/// Every column there is. `wit/README.md` shows this table; a test holds the two together.
pub const TABLE: &[Entry] = &[
    entry(
        "fit",
        Kind::Marks,
        "",
        "the orchestrator has not answered a probe yet",
        "the host's own verdict that the orchestrator can do this job",
    ),
    entry(
        "answers",
        Kind::Marks,
        "",
        "it has not answered a probe yet, nor failed to often enough",
        "it answers probes; no after several in a row without an answer, and then it is not fit",
    ),
    entry(
        "incumbent",
        Kind::Marks,
        "",
        "never",
        "it holds this stream's session now",
    ),
    entry(
        "credit",
        Kind::Numbers,
        "wei",
        "never",
        "already paid and left with it",
    ),
    entry(
        "in-flight",
        Kind::Counts,
        "attempts",
        "never",
        "attempts of this gateway running on it now",
    ),
    entry(
        "price",
        Kind::Numbers,
        "wei per unit",
        "it quotes none, as off-chain",
        "price for this job's unit, as a float",
    ),
    entry(
        "price/num",
        Kind::Counts,
        "wei",
        "as price",
        "numerator of the exact price",
    ),
    entry(
        "price/den",
        Kind::Counts,
        "units",
        "as price",
        "denominator of the exact price",
    ),
    entry(
        "price/effective",
        Kind::Numbers,
        "wei per unit",
        "as price",
        "price divided by the success rate: what a finished unit costs",
    ),
    entry(
        "stake",
        Kind::Numbers,
        "LPT",
        "off-chain",
        "total stake of the orchestrator",
    ),
    entry(
        "latency-ms/p50",
        Kind::Numbers,
        "ms",
        "no sample yet",
        "median of its answers to this workload, recent samples",
    ),
    entry(
        "latency-ms/p95",
        Kind::Numbers,
        "ms",
        "no sample yet",
        "95th percentile of the same",
    ),
    entry(
        "latency-score",
        Kind::Numbers,
        "",
        "no sample yet",
        "mean of answer time divided by segment duration; below 1 keeps up",
    ),
    entry(
        "success-rate",
        Kind::Numbers,
        "0..1",
        "no sample yet",
        "share of recent attempts that gave a good result; capacity and input answers do not count",
    ),
    entry(
        "samples",
        Kind::Counts,
        "attempts",
        "never",
        "how many recent attempts the statistics rest on",
    ),
    entry(
        "error-rate/<class>",
        Kind::Numbers,
        "0..1",
        "no sample yet",
        "share of recent attempts that failed in this class (see failure classes)",
    ),
    entry(
        "capacity-free",
        Kind::Counts,
        "sessions",
        "the orchestrator does not say",
        "free capacity for this job's capability and model",
    ),
    entry(
        "warm",
        Kind::Marks,
        "",
        "the job names no model, or it does not say",
        "the job's model is loaded",
    ),
    entry(
        "rest-ms",
        Kind::Counts,
        "ms",
        "never",
        "how long it still rests after a fault; 0 when it does not",
    ),
    entry(
        "version",
        Kind::Counts,
        "",
        "it does not say",
        "software version as major * 1000000 + minor * 1000 + patch",
    ),
    entry(
        "id",
        Kind::Symbols,
        "",
        "never",
        "symbol of its identity: the normalised service URI off-chain",
    ),
    entry(
        "score/perf",
        Kind::Numbers,
        "0..1",
        "no source gives one",
        "performance score of a public leaderboard",
    ),
    entry(
        "score/sum",
        Kind::Numbers,
        "",
        "never",
        "weighted sum of the scores given by the stages before",
    ),
    entry(
        "position",
        Kind::Counts,
        "",
        "no stage has ordered yet",
        "place given by the last stage that ordered; 0 is first",
    ),
    entry(
        "region",
        Kind::Symbols,
        "",
        "nobody says",
        "region, from the operator's table or the discovery webhook",
    ),
    entry(
        "label/<key>",
        Kind::Symbols,
        "",
        "nobody says",
        "the operator's or the webhook's label of that key",
    ),
    entry(
        "source",
        Kind::Symbols,
        "",
        "never",
        "who names it: list, webhook or table, the first of these",
    ),
    entry(
        "score/trust",
        Kind::Numbers,
        "",
        "the discovery webhook gives none",
        "the webhook's score: 1 trusted, 0 not; no measure of speed",
    ),
    entry(
        "address",
        Kind::Symbols,
        "",
        "off-chain, or it has not answered",
        "the address that it signs with, as 0x and 40 hex digits",
    ),
    entry(
        "transcoder",
        Kind::Symbols,
        "",
        "it has not answered, or names none",
        "the service URI that it wants work sent to; mostly its own",
    ),
    entry(
        "probe-ms",
        Kind::Numbers,
        "ms",
        "no probe was answered since the start",
        "time of the last answered probe, from question to answer, without connecting",
    ),
    entry(
        "probe-failures",
        Kind::Counts,
        "probes",
        "never",
        "probes in a row that were not answered",
    ),
    entry(
        "capacity-total",
        Kind::Counts,
        "sessions",
        "as capacity-free",
        "what capacity-free is out of",
    ),
    entry(
        "runner-version",
        Kind::Counts,
        "",
        "the job names no model, or it does not say",
        "version of what runs the job's model, counted as version",
    ),
    entry(
        "gpu/memory-gb",
        Kind::Numbers,
        "GiB",
        "it lists no graphics card",
        "memory of its largest graphics card, rounded: what is sold as 24 GB is 24",
    ),
    entry(
        "hint/order",
        Kind::Numbers,
        "",
        "it is not on the application's list",
        "its place on that list; 0 is first",
    ),
    entry(
        "hint/only",
        Kind::Marks,
        "",
        "the application gave no such list",
        "it is on the list of the only ones that may get the job",
    ),
    entry(
        "hint/ignore",
        Kind::Marks,
        "",
        "never",
        "it is on the list of those that shall not",
    ),
    entry(
        "fit/why",
        Kind::Counts,
        "",
        "as fit",
        "why it may not do this job: 0 it may, 1 it cannot, 2 it does not answer, 3 it is on the application's ignore list, 4 not on its only list",
    ),
    entry(
        "hint/place",
        Kind::Counts,
        "",
        "the application wishes for no order",
        "its place by the application's wishes alone: its list, then by price if it sorts by price; equals share one",
    ),
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
        let known = match name {
            "fit" => Self::Fit,
            "answers" => Self::Answers,
            "incumbent" => Self::Incumbent,
            "credit" => Self::Credit,
            "in-flight" => Self::InFlight,
            "price" => Self::Price,
            "price/num" => Self::PriceNum,
            "price/den" => Self::PriceDen,
            "price/effective" => Self::PriceEffective,
            "stake" => Self::Stake,
            "latency-ms/p50" => Self::LatencyP50,
            "latency-ms/p95" => Self::LatencyP95,
            "latency-score" => Self::LatencyScore,
            "success-rate" => Self::SuccessRate,
            "samples" => Self::Samples,
            "capacity-free" => Self::CapacityFree,
            "warm" => Self::Warm,
            "rest-ms" => Self::RestMs,
            "version" => Self::Version,
            "id" => Self::Id,
            "score/perf" => Self::ScorePerf,
            "score/sum" => Self::ScoreSum,
            "position" => Self::Position,
            "region" => Self::Region,
            "source" => Self::Source,
            "score/trust" => Self::ScoreTrust,
            "address" => Self::Address,
            "transcoder" => Self::Transcoder,
            "probe-ms" => Self::ProbeMs,
            "probe-failures" => Self::ProbeFailures,
            "capacity-total" => Self::CapacityTotal,
            "runner-version" => Self::RunnerVersion,
            "gpu/memory-gb" => Self::GpuMemory,
            "hint/order" => Self::HintOrder,
            "hint/only" => Self::HintOnly,
            "hint/ignore" => Self::HintIgnore,
            "fit/why" => Self::FitWhy,
            "hint/place" => Self::HintPlace,
            _ => return Self::parametric(name),
        };
        Ok(known)
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
            | Self::HintIgnore => Kind::Marks,
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
            | Self::HintPlace => Kind::Counts,
            Self::Id
            | Self::Region
            | Self::Source
            | Self::Address
            | Self::Transcoder
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
        let name = match self {
            Self::ErrorRate(class) => return write!(f, "error-rate/{}", class.name()),
            Self::Label(key) => return write!(f, "label/{key}"),
            Self::Fit => "fit",
            Self::Answers => "answers",
            Self::Incumbent => "incumbent",
            Self::Credit => "credit",
            Self::InFlight => "in-flight",
            Self::Price => "price",
            Self::PriceNum => "price/num",
            Self::PriceDen => "price/den",
            Self::PriceEffective => "price/effective",
            Self::Stake => "stake",
            Self::LatencyP50 => "latency-ms/p50",
            Self::LatencyP95 => "latency-ms/p95",
            Self::LatencyScore => "latency-score",
            Self::SuccessRate => "success-rate",
            Self::Samples => "samples",
            Self::CapacityFree => "capacity-free",
            Self::Warm => "warm",
            Self::RestMs => "rest-ms",
            Self::Version => "version",
            Self::Id => "id",
            Self::ScorePerf => "score/perf",
            Self::ScoreSum => "score/sum",
            Self::Position => "position",
            Self::Region => "region",
            Self::Source => "source",
            Self::ScoreTrust => "score/trust",
            Self::Address => "address",
            Self::Transcoder => "transcoder",
            Self::ProbeMs => "probe-ms",
            Self::ProbeFailures => "probe-failures",
            Self::CapacityTotal => "capacity-total",
            Self::RunnerVersion => "runner-version",
            Self::GpuMemory => "gpu/memory-gb",
            Self::HintOrder => "hint/order",
            Self::HintOnly => "hint/only",
            Self::HintIgnore => "hint/ignore",
            Self::FitWhy => "fit/why",
            Self::HintPlace => "hint/place",
        };
        f.write_str(name)
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
