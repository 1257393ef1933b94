//! What is told of trials.

use serde::Serialize;

use crate::fault::Fault;
use crate::purity::PurityChecks;

/// Everything on trial.
#[derive(Clone, Debug, Serialize)]
pub struct Trials {
    /// The shadow.
    pub shadow: Option<ShadowReport>,
    /// The canary.
    pub canary: Option<CanaryReport>,
    /// Trials that are over, newest first, at most 16.
    pub ended: Vec<Ended>,
    /// Decisions that were asked again, of any generation.
    pub purity: PurityChecks,
}

/// Which trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialKind {
    /// Asked beside, and not heard.
    Shadow,
    /// It decides for a share.
    Canary,
}

/// Why a trial is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The canary is active now.
    Promoted,
    /// Somebody stopped it.
    Stopped,
    /// Another trial took its place.
    Replaced,
    /// The active generation changed.
    Superseded,
    /// More of its jobs failed than of the others.
    Worse,
    /// Its policies were faulty.
    Faulty,
}

/// A trial that is over.
#[derive(Clone, Debug, Serialize)]
pub struct Ended {
    /// Its generation.
    pub generation: u64,
    /// Which trial it was.
    pub kind: TrialKind,
    /// Why it ended.
    pub reason: EndReason,
    /// The same in words and numbers, where it ended by itself.
    pub detail: String,
    /// When, unix ms.
    pub at_ms: u64,
    /// How it stood, as a shadow.
    pub shadow: Option<ShadowReport>,
    /// How it stood, as a canary.
    pub canary: Option<CanaryReport>,
}

/// How the shadow compares with the active generation. Averages are over compared decisions; `None`: over none so far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShadowReport {
    /// Its number.
    pub generation: u64,
    /// The bundle's name.
    pub name: String,
    /// The bundle's version.
    pub version: String,
    /// Its share of the traffic, of 1.
    pub share: f64,
    /// Since when, unix ms.
    pub since_ms: u64,
    /// Decisions compared.
    pub compared: u64,
    /// Of those, how many have the same first choice, or refuse both.
    pub agreed: u64,
    /// The share of those.
    pub agreement: Option<f64>,
    /// Mean of Spearman's rank correlation of the two orders over the candidates that both list, where those are two or more: 1 the same order, -1 reversed.
    pub rank_correlation: Option<f64>,
    /// Mean of how much dearer its first choice is, relative to the active one's: 0.1 is 10 % more. Where both prices are known and the choice differs or not.
    pub price_change: Option<f64>,
    /// Mean of how many ms slower its first choice is expected to answer, by the medians (`latency-ms/p50`) of both.
    pub latency_change_ms: Option<f64>,
    /// Jobs that it alone refuses.
    pub refused_alone: u64,
    /// Jobs that it alone does not refuse.
    pub accepted_alone: u64,
    /// Faults of its policies.
    pub faults: u64,
    /// The last of them.
    pub last_fault: Option<Fault>,
    /// Decisions in its share that were not put to it, since the background was busy or the candidates could not be kept.
    pub dropped: u64,
}

/// How the canary compares with the active generation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CanaryReport {
    /// Its number.
    pub generation: u64,
    /// The bundle's name.
    pub name: String,
    /// The bundle's version.
    pub version: String,
    /// Its share of the streams and conversations, of 1.
    pub share: f64,
    /// Since when, unix ms.
    pub since_ms: u64,
    /// Its own jobs.
    pub canary: Side,
    /// The active generation's, since the canary began.
    pub active: Side,
    /// Faults of its policies.
    pub faults: u64,
    /// The last of them.
    pub last_fault: Option<Fault>,
}

/// The outcomes of one side, job by job: one that was ranked twice counts once. What is the input's fault, the gateway's own, or was cancelled is no outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Side {
    /// Jobs that got a result.
    pub ok: u64,
    /// Jobs that got none, or were refused.
    pub failed: u64,
    /// The share of failures among the last 256 of them, which is what a canary is judged by; 0 where there are none.
    pub failure_rate: f64,
}

// === impl TrialKind ===

impl TrialKind {
    /// The name in reports and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Canary => "canary",
        }
    }
}

// === impl EndReason ===

impl EndReason {
    /// The name in reports and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Stopped => "stopped",
            Self::Replaced => "replaced",
            Self::Superseded => "superseded",
            Self::Worse => "worse",
            Self::Faulty => "faulty",
        }
    }
}
