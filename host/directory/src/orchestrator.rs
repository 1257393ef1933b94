//! One orchestrator: who it is, and what is counted about it while jobs run.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use pointsman_facts::Symbol;
use pointsman_wire::net::OrchestratorInfo;
use pointsman_wire::token::needs_refresh;
use pointsman_wire::uri::ServiceUri;
use tokio::sync::Notify;

use crate::admission::{Admission, Claim};
use crate::source::identity;

/// A known orchestrator. What changes with every attempt lives here and is read live; all else is in snapshots.
pub struct Orchestrator {
    /// Its identity: the symbol of `uri`.
    pub id: Symbol,
    /// Where it is asked. Its answers may name another address for the work.
    pub uri: ServiceUri,
    in_flight: AtomicU64,
    rest_until_ms: AtomicU64,
    /// The bits of a float.
    probe_ms: AtomicU64,
    probe_failures: AtomicU64,
    offer: Mutex<Option<Box<OrchestratorInfo>>>,
    admission: ArcSwap<Admission>,
    poke: Notify,
}

/// One attempt counted as in flight, until dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Orchestrator>);

/// Outcomes of probes so far, of everyone.
static PROBED: AtomicU64 = AtomicU64::new(0);

/// A number that changes whenever the outcome of a probe is set, of whomever: whoever copied some before knows whether they still hold.
pub(crate) fn probed() -> u64 {
    PROBED.load(Ordering::Acquire)
}

// === impl Orchestrator ===

impl Orchestrator {
    pub(crate) fn new(uri: ServiceUri, rest_until_ms: u64) -> Self {
        Self {
            id: identity(&uri),
            uri,
            in_flight: AtomicU64::new(0),
            rest_until_ms: AtomicU64::new(rest_until_ms),
            probe_ms: AtomicU64::new(f64::NAN.to_bits()),
            probe_failures: AtomicU64::new(0),
            offer: Mutex::new(None),
            admission: ArcSwap::default(),
            poke: Notify::new(),
        }
    }

    /// Attempts of this gateway that run on it now.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How long it still rests at `now_ms`, ms.
    #[must_use]
    pub fn rest_ms(&self, now_ms: u64) -> u64 {
        self.rest_until_ms().saturating_sub(now_ms)
    }

    /// How long the last answered probe took, from question to answer, ms; NaN unknown.
    pub(crate) fn probe_ms(&self) -> f64 {
        f64::from_bits(self.probe_ms.load(Ordering::Relaxed))
    }

    /// Probes in a row that were not answered.
    pub(crate) fn probe_failures(&self) -> u64 {
        self.probe_failures.load(Ordering::Relaxed)
    }

    pub(crate) fn set_probes(&self, ms: f64, failures: u64) {
        self.probe_ms.store(ms.to_bits(), Ordering::Relaxed);
        self.probe_failures.store(failures, Ordering::Relaxed);
        PROBED.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn rest_until_ms(&self) -> u64 {
        self.rest_until_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn set_rest_until_ms(&self, until_ms: u64) {
        self.rest_until_ms.store(until_ms, Ordering::Relaxed);
    }

    pub(crate) fn start(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// Why a session with these terms must not be opened, whatever they are: the accounts that they name are barred, or are not those
    /// that registered it.
    #[must_use]
    pub fn bars(&self, info: &OrchestratorInfo) -> Option<String> {
        let why = self.admission.load().judge(&Claim::of(info))?;
        Some(why.to_string())
    }

    pub(crate) fn admission(&self) -> Arc<Admission> {
        self.admission.load_full()
    }

    pub(crate) fn set_admission(&self, admission: Admission) {
        self.admission.store(Arc::new(admission));
    }

    /// Keeps an answer that no session uses yet.
    pub(crate) fn put_offer(&self, info: OrchestratorInfo) {
        *self.offer.lock() = Some(Box::new(info));
    }

    /// Hands the answer out, once, if its token holds long enough to be worth using.
    pub(crate) fn take_offer(&self, now_ms: u64) -> Option<OrchestratorInfo> {
        let now = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
        let info = self.offer.lock().take()?;
        let fresh = info
            .auth_token
            .as_ref()
            .is_some_and(|token| !needs_refresh(token, now));
        fresh.then_some(*info)
    }

    pub(crate) fn drop_offer(&self) {
        *self.offer.lock() = None;
    }

    /// Asks for a probe before its time.
    pub(crate) fn poke(&self) {
        self.poke.notify_one();
    }

    pub(crate) async fn poked(&self) {
        self.poke.notified().await;
    }
}

impl fmt::Debug for Orchestrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Orchestrator({})", self.uri)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use pointsman_wire::net::AuthToken;

    use super::*;

    fn orchestrator() -> Arc<Orchestrator> {
        let uri = "https://a".parse().expect("a service URI");
        Arc::new(Orchestrator::new(uri, 0))
    }

    fn offer(expiration: i64) -> OrchestratorInfo {
        OrchestratorInfo {
            auth_token: Some(AuthToken {
                expiration,
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    #[test]
    fn an_offer_is_handed_out_once_and_never_near_its_end() {
        let orchestrator = orchestrator();
        orchestrator.put_offer(offer(1800));
        assert!(orchestrator.take_offer(1000).is_some());
        assert_eq!(orchestrator.take_offer(1000), None);
        orchestrator.put_offer(offer(1800));
        assert_eq!(orchestrator.take_offer(1_700_000), None, "100 s left");
        orchestrator.put_offer(OrchestratorInfo::default());
        assert_eq!(orchestrator.take_offer(0), None, "no token");
    }

    #[test]
    fn an_attempt_counts_until_it_is_dropped() {
        let orchestrator = orchestrator();
        let (first, second) = (orchestrator.start(), orchestrator.start());
        assert_eq!(orchestrator.in_flight(), 2);
        drop(first);
        drop(second);
        assert_eq!(orchestrator.in_flight(), 0);
    }
}
