//! One loaded bundle in the running host.
//!
//! A generation never changes once it is active, apart from its counters and its [`State`]; jobs hold it by `Arc` and finish
//! on it, whatever is activated meanwhile.

use std::collections::VecDeque;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::bundle::{Digest, OnFailure};
use crate::chain::{Chain, Refusal};
use crate::fault::Fault;
use crate::host::Shared;
use crate::load::{About, Loaded};
use crate::metrics::Metrics;
use crate::trial::EndReason;

/// One loaded bundle, numbered.
pub struct Generation {
    number: u64,
    name: String,
    version: String,
    digest: Digest,
    origin: String,
    about: Vec<About>,
    pub(crate) on_failure: OnFailure,
    pub(crate) chain: Chain,
    pub(crate) native: Option<Chain>,
    pub(crate) host: Weak<Shared>,
    state: AtomicU8,
    activated_ms: AtomicU64,
    pub(crate) decisions: AtomicU64,
    /// Questions to its failover.
    pub(crate) rescues: AtomicU64,
    faults: AtomicU64,
    /// When the last faults were, unix ms.
    recent: Mutex<VecDeque<u64>>,
    last_fault: Mutex<Option<Fault>>,
    /// Somebody was told that there is nothing to roll back to.
    pub(crate) told: AtomicBool,
}

/// Where a generation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum State {
    /// It decides.
    Active,
    /// A rollback would bring it back.
    Previous,
    /// It was rolled back from, or is too old to be kept.
    Retired,
    /// It was taken out for repeated faults, or as a canary whose jobs failed.
    Quarantined,
    /// It is asked beside the active one, and not heard.
    Shadow,
    /// It decides for a share of the streams.
    Canary,
}

/// A generation in a listing.
#[derive(Clone, Debug, serde::Serialize)]
pub struct GenerationInfo {
    /// Its number.
    pub number: u64,
    /// The bundle's name.
    pub name: String,
    /// The bundle's version.
    pub version: String,
    /// What identifies the bundle.
    pub digest: Digest,
    /// Where it came from, in the words of who activated it.
    pub origin: String,
    /// Where it stands.
    pub state: State,
    /// When it was last activated, unix ms.
    pub activated_ms: u64,
    /// Selections it was asked for.
    pub decisions: u64,
    /// Faults of its policies.
    pub faults: u64,
    /// The last of them.
    pub last_fault: Option<Fault>,
    /// What its policies say of themselves.
    pub policies: Vec<About>,
}

// === impl State ===

impl State {
    fn from_u8(number: u8) -> Self {
        [
            Self::Active,
            Self::Previous,
            Self::Retired,
            Self::Quarantined,
            Self::Shadow,
            Self::Canary,
        ]
        .into_iter()
        .find(|state| *state as u8 == number)
        .unwrap_or(Self::Retired)
    }
}

// === impl Generation ===

impl Generation {
    pub(crate) fn new(number: u64, origin: String, loaded: Loaded, host: Weak<Shared>) -> Self {
        Self {
            number,
            name: loaded.manifest.name,
            version: loaded.manifest.version,
            digest: loaded.digest,
            origin,
            about: loaded.about,
            on_failure: loaded.manifest.on_failure,
            chain: loaded.chain,
            native: loaded.native,
            host,
            state: AtomicU8::new(State::Retired as u8),
            activated_ms: AtomicU64::new(0),
            decisions: AtomicU64::new(0),
            rescues: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            recent: Mutex::default(),
            last_fault: Mutex::default(),
            told: AtomicBool::new(false),
        }
    }

    /// Its number: every decision is tagged with it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The bundle's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bundle's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What identifies the bundle.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        State::from_u8(self.state.load(Ordering::Relaxed))
    }

    pub(crate) fn set_state(&self, state: State) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    pub(crate) fn set_activated(&self, now_ms: u64) {
        self.activated_ms.store(now_ms, Ordering::Relaxed);
        self.set_state(State::Active);
    }

    /// Everything there is to list.
    #[must_use]
    pub fn info(&self) -> GenerationInfo {
        GenerationInfo {
            number: self.number,
            name: self.name.clone(),
            version: self.version.clone(),
            digest: self.digest,
            origin: self.origin.clone(),
            state: self.state(),
            activated_ms: self.activated_ms.load(Ordering::Relaxed),
            decisions: self.decisions.load(Ordering::Relaxed),
            faults: self.faults.load(Ordering::Relaxed),
            last_fault: self.last_fault.lock().clone(),
            policies: self.about.clone(),
        }
    }

    /// What the application is told when a fault refuses its job.
    pub(crate) fn refusal(&self, fault: &Fault) -> Refusal {
        let message = format!(
            "the routing policy \"{}\" failed ({}) and must not be done without",
            fault.stage, fault.kind
        );
        Refusal::host("policy-fault", message)
    }

    /// Counts a fault, and says how many that makes.
    pub(crate) fn count_fault(&self, fault: &Fault) -> u64 {
        Metrics::fault(fault);
        let faults = self.faults.fetch_add(1, Ordering::Relaxed) + 1;
        *self.last_fault.lock() = Some(fault.clone());
        // Every decision may fault: said ever more rarely, the log is not flooded. Metrics count all.
        if faults.is_power_of_two() {
            tracing::warn!(
                generation = self.number,
                bundle = self.name,
                faults,
                "a policy is faulty: {fault}"
            );
        }
        faults
    }

    /// Counts a fault; too many of them quarantine the generation, or roll the canary back.
    pub(crate) fn faulted(&self, fault: &Fault, now_ms: u64) {
        let faults = self.count_fault(fault);
        let Some(host) = self.host.upgrade() else {
            return;
        };
        if self.state() == State::Canary {
            if faults >= host.config.canary.faults.get().into() {
                let detail = format!("its policies were faulty {faults} times, last {fault}");
                host.roll_back(self.number, EndReason::Faulty, &detail);
            }
            return;
        }
        let rule = host.config.quarantine;
        let within = u64::try_from(rule.within.as_millis()).unwrap_or(u64::MAX);
        let mut recent = self.recent.lock();
        recent.push_back(now_ms);
        while recent.len() > rule.faults.get() {
            recent.pop_front();
        }
        let first = recent.front().copied().unwrap_or(now_ms);
        let repeated = recent.len() == rule.faults.get() && now_ms.saturating_sub(first) <= within;
        if repeated {
            recent.clear();
            drop(recent);
            host.quarantine(self.number);
        }
    }
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generation")
            .field("number", &self.number)
            .field("name", &self.name)
            .field("version", &self.version)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
