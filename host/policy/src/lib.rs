//! The policy host: WebAssembly components decide which orchestrator gets a job.
//!
//! # Contract
//!
//! A [`Bundle`] (a manifest and components) is loaded, checked and configured off the hot path, and becomes a numbered
//! [`Generation`] by an atomic swap. [`Host::select`] asks its selection chain about every job and always answers in
//! microseconds: an order of candidates or a refusal with its cause. The failover hooks of a [`Generation`] are asked
//! when attempts fail, are slow, or change their price; [`Host::route`] asks its byoc chain about calls of custom containers before that. Every selection leaves a [`Decision`] that tells who was excluded
//! by which stage, why, and by which value.
//!
//! Policies are strangers. Their answers are checked ([`FaultKind`]), their fuel, time and memory are limited ([`Limits`]), and they
//! reach nothing but a log. A fault never stops a job that the bundle's `on-failure` lets go on, and never lets through what a
//! gate would have stopped. Three things no policy decides: a candidate that cannot do the job, that the application bars, or that costs more than the hard
//! ceiling, is dropped by the host afterwards, counted and shown.
//!
//! This crate knows wasmtime and the registry of facts; it does not know the network, its protocol or its prices' meaning.
//!
//! # Logs
//!
//! What policies write appears under the target `policy`, with the name of the stage, cut to 1 KiB a message and 16 messages a call.
//!
//! # Metrics
//!
//! They go to the recorder that is installed when [`Host::new`] is called.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `pointsman_policy_decisions_total` | counter | `outcome`: `routed`, `refused` |
//! | `pointsman_policy_decision_seconds` | histogram | |
//! | `pointsman_policy_faults_total` | counter | `kind`, `hook`, `stage` |
//! | `pointsman_policy_fallbacks_total` | counter | `to`: `native`, `previous`, `reject` |
//! | `pointsman_policy_host_drops_total` | counter | `reason`: `unfit`, `above-ceiling`, `unpriced`, `not-only`, `ignored` |
//! | `pointsman_policy_byoc_total` | counter | `outcome`: `routed`, `refused` |
//! | `pointsman_policy_byoc_drops_total` | counter | `reason`: `capability-settled`, `price-above`, `timeout-longer`, `label-set`, `nameless`, `too-many-labels` |
//! | `pointsman_policy_purity_checks_total` | counter | `outcome`: `same`, `different`, `dropped` |
//! | `pointsman_policy_shadow_total` | counter | `outcome`: `same`, `different`, `fault`, `dropped` |
//! | `pointsman_policy_canary_outcomes_total` | counter | `side`: `canary`, `active`; `outcome`: `ok`, `failed` |
//! | `pointsman_policy_trials_ended_total` | counter | `kind`: `shadow`, `canary`; `reason`: `promoted`, `stopped`, `replaced`, `superseded`, `worse`, `faulty` |
//! | `pointsman_policy_cache_total` | counter | `outcome`: `hit`, `miss`, `refused` |
//! | `pointsman_policy_quarantines_total` | counter | |
//! | `pointsman_policy_generation` | gauge | |
#![deny(unsafe_code)]

mod background;
#[allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::all,
    reason = "generated; wit/policy.wit documents every item"
)]
mod bindings;
pub mod bundle;
mod chain;
pub mod component;
mod config;
mod decide;
pub mod decision;
mod engine;
pub mod fault;
mod generation;
mod history;
mod host;
pub mod limits;
mod load;
mod metrics;
pub mod native;
mod observe;
mod plan;
mod purity;
mod rescue;
mod route;
mod trial;
pub mod vectors;
pub mod wit;

pub use bundle::{Bundle, BundleError};
pub use chain::byoc::{Call, Step, Terms, Tightening, Widening};
pub use chain::failover::{AttemptView, Bargain, Patience, Recovery, Remaining, Remedy};
pub use chain::gather::Shown;
pub use chain::recheck::DropReason;
pub use chain::{Hedge, Refusal};
pub use config::{CanaryRule, Config, Quarantine};
pub use decision::{AttemptRecord, Decision, DecisionLog, Fallback};
pub use engine::{Allocation, EngineError};
pub use fault::{Fault, FaultKind, Hook};
pub use generation::{Generation, GenerationInfo, State};
pub use history::NothingBefore;
pub use host::{Host, Selection};
pub use limits::Limits;
pub use load::{About, LoadError, Loaded};
pub use native::{NativeBundle, NativeStage};
pub use observe::{Observed, Observer};
pub use plan::PlanError;
pub use purity::PurityChecks;
pub use rescue::Answer;
pub use route::{Route, Routed};
pub use trial::{
    CanaryReport, EndReason, Ended, ShadowReport, Share, Side, TrialError, TrialKind, Trials,
};
