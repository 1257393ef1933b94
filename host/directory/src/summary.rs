//! The directory for people to read.

use std::collections::HashMap;
use std::time::Duration;

use pointsman_facts::{Symbol, Workload};
use pointsman_wire::uri::ServiceUri;
use serde::Serialize;

use crate::core::Core;
use crate::history::{Fault, Record};
use crate::source::{Listing, Place};
use crate::standing::Reach;
use crate::table::{Entry, Table};

/// One orchestrator, as `GET /api/v1/orchestrators` shows it. What is unknown is left out; durations are ms.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Its identity, 16 hex digits.
    pub id: String,
    /// Where it is asked.
    pub uri: ServiceUri,
    /// Where it does the work, where that is another address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcoder: Option<ServiceUri>,
    /// What the sources say of it.
    #[serde(flatten)]
    pub listing: Listing,
    /// Whether some job could go there.
    pub usable: bool,
    /// Whether it answers.
    pub reach: Reach,
    /// Why no job can go there though it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
    /// The account that it wants to be paid to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// What the chain says of that account, or of who has registered it while it has not answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered: Option<Place>,
    /// What a leaderboard says of the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perf_score: Option<f64>,
    /// Exact price for transcoding, wei per pixel, as `num/den`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// Why there is no price though it sent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_fault: Option<&'static str>,
    /// Its software version, as it writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Attempts of this gateway running on it now.
    pub in_flight: u64,
    /// How long it still rests.
    pub rest_ms: u64,
    /// How long ago the last probe came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probed_ms_ago: Option<u64>,
    /// How long ago it last answered a probe or a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_ms_ago: Option<u64>,
    /// Time until the connection of the last answered probe stood, where it had to be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<f64>,
    /// Time of that probe from question to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe_ms: Option<f64>,
    /// Why the last probe failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What became of past attempts, by kind of work.
    pub history: Vec<WorkSummary>,
}

/// The history of one orchestrator at one kind of work.
#[derive(Clone, Debug, Serialize)]
pub struct WorkSummary {
    /// Kind of work.
    pub workload: Workload,
    /// Symbol of the model, 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Median answer time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms_p50: Option<f64>,
    /// 95th percentile of the answer time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms_p95: Option<f64>,
    /// Mean of answer time divided by media duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_score: Option<f64>,
    /// Share of recent attempts that gave a good result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<f64>,
    /// How many recent attempts that rests on.
    pub samples: u64,
    /// The last faults, oldest first.
    pub faults: Vec<Fault>,
}

// === impl Core ===

impl Core {
    /// Every known orchestrator, in the order of URIs.
    pub(crate) fn summaries(&self) -> Vec<Summary> {
        let now_ms = self.clock.unix_ms();
        let table = self.table.lock();
        let summary = |entry: &Entry| Summary::of(entry, &table, now_ms);
        let mut summaries: Vec<_> = table.entries().map(summary).collect();
        drop(table);
        let mut histories = self.histories(now_ms);
        for summary in &mut summaries {
            let id = crate::source::identity(&summary.uri);
            summary.history = histories.remove(&id).unwrap_or_default();
        }
        summaries.sort_by(|a, b| a.uri.cmp(&b.uri));
        summaries
    }

    fn histories(&self, now_ms: u64) -> HashMap<Symbol, Vec<WorkSummary>> {
        let history = self.history.lock();
        let mut records: Vec<_> = history.iter().collect();
        records.sort_by_key(|(key, _)| **key);
        let mut histories: HashMap<_, Vec<_>> = HashMap::new();
        for (key, record) in records {
            let summary = WorkSummary::of(key.work.workload, key.work.model, record, now_ms);
            histories.entry(key.orchestrator).or_default().push(summary);
        }
        histories
    }
}

// === impl Summary ===

impl Summary {
    fn of(entry: &Entry, table: &Table, now_ms: u64) -> Self {
        let (orchestrator, standing) = (&entry.orchestrator, &entry.standing);
        let facts = standing.facts.as_deref();
        let account = entry.account();
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let ago = |at_ms: Option<u64>| at_ms.map(|at_ms| now_ms.saturating_sub(at_ms));
        let version = facts
            .and_then(|facts| facts.capabilities.as_ref())
            .map(|capabilities| capabilities.version.chars().take(80).collect());
        Self {
            id: orchestrator.id.to_string(),
            uri: orchestrator.uri.clone(),
            transcoder: facts
                .and_then(|facts| facts.transcoder.clone())
                .filter(|transcoder| *transcoder != orchestrator.uri),
            listing: (*entry.listing).clone(),
            usable: standing.is_usable(),
            reach: standing.reach(),
            unusable: standing.unusable().map(ToString::to_string),
            recipient: facts.and_then(|facts| facts.recipient.map(|one| one.to_checksum(None))),
            registered: account.and_then(|account| table.roll.place(account)),
            perf_score: account.and_then(|account| table.scores.get(&account).copied()),
            price: facts.and_then(|facts| facts.price.map(|price| price.to_string())),
            price_fault: facts.and_then(|facts| facts.price_fault),
            version: version.filter(|version: &String| !version.is_empty()),
            in_flight: orchestrator.in_flight(),
            rest_ms: orchestrator.rest_ms(now_ms),
            probed_ms_ago: ago(standing.probed_ms),
            answered_ms_ago: ago(standing.answered_ms),
            connect_ms: standing.round_trip.and_then(|trip| trip.connect).map(ms),
            probe_ms: standing.round_trip.map(|trip| ms(trip.rpc)),
            error: standing.error.clone(),
            history: Vec::new(),
        }
    }
}

// === impl WorkSummary ===

impl WorkSummary {
    fn of(workload: Workload, model: Symbol, record: &Record, now_ms: u64) -> Self {
        let stats = record.stats(now_ms);
        let known = |value: f64| (!value.is_nan()).then_some(value);
        Self {
            workload,
            model: (model != Symbol::UNKNOWN).then(|| model.to_string()),
            latency_ms_p50: known(stats.p50),
            latency_ms_p95: known(stats.p95),
            latency_score: known(stats.score),
            success_rate: known(stats.success),
            samples: stats.samples,
            faults: record.faults().cloned().collect(),
        }
    }
}
