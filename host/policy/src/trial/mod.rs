//! A bundle on trial beside the active one: shadow, then canary.
//!
//! # Contract
//!
//! A **shadow** is asked in the background about a share of what the active generation decides, and nothing it says reaches a job. Its failover is
//! never asked, so it can send nobody to rest. A **canary** decides for a share of the streams and conversations, with its own
//! failover; a job that is ranked a second time counts once. It is rolled back by itself when more of its jobs fail than of the others ([`CanaryRule`](crate::config::CanaryRule)), or when its policies are faulty.
//! Membership is a hash of the job's affinity and the generation's number, so a stream is either in or out for as long as the trial lasts.
//!
//! There is at most one of each. Both are trials *against the active generation*: when that changes, by an activation, a rollback or a quarantine, both end.
//! [`Host::promote`] is such a change: the canary becomes active, with the number it had. Nothing of a trial survives a restart.
//!
//! A fault of a canary's policies is answered as its manifest says, where "previous" is the active generation. Its faults do not quarantine the active one.

mod canary;
mod report;
mod shadow;

use std::sync::Arc;

pub(crate) use canary::{Canary, Counted};
pub use report::{CanaryReport, EndReason, Ended, ShadowReport, Side, TrialKind, Trials};
pub(crate) use shadow::{Asked, Shadow};

use crate::generation::{Generation, State};
use crate::history::History;
use crate::host::{Host, Shared, now_ms};
use crate::load::Loaded;
use crate::metrics::Metrics;

/// A share of the streams and conversations: above 0, at most 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(f64);

/// A trial cannot begin or be promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// There is nothing to be tried against.
    #[error("no bundle is active that this one could be tried against: activate one first")]
    NothingActive,
    /// There is no canary.
    #[error("there is no canary to promote: begin with one, or activate the bundle")]
    NoCanary,
}

// === impl Share ===

impl Share {
    /// All of them.
    pub const ALL: Self = Self(1.0);

    /// `share` of 1; `None` unless it is above 0 and at most 1.
    #[must_use]
    pub fn new(share: f64) -> Option<Self> {
        (share > 0.0 && share <= 1.0).then_some(Self(share))
    }

    /// `percent` of 100; `None` unless it is above 0 and at most 100.
    #[must_use]
    pub fn percent(percent: f64) -> Option<Self> {
        Self::new(percent / 100.0)
    }

    /// As a number above 0, at most 1.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether `affinity` is in the share of the trial of generation `number`.
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits are what a float has, and the shift leaves no more"
    )]
    pub(crate) fn has(self, affinity: u64, number: u64) -> bool {
        let hash = mix(affinity ^ mix(number));
        ((hash >> 11) as f64) < self.0 * (1u64 << 53) as f64
    }
}

/// The finaliser of SplitMix64: every bit of the result depends on every bit of `bits`.
fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

// === impl Host ===

impl Host {
    /// Puts `share` of the traffic to `loaded` too, in the background, and returns its number. A shadow before it ends.
    ///
    /// # Errors
    ///
    /// [`TrialError::NothingActive`].
    pub fn shadow(
        &self,
        loaded: Loaded,
        share: Share,
        origin: impl Into<String>,
    ) -> Result<u64, TrialError> {
        let shared = self.shared();
        let mut history = shared.history.lock();
        let generation = shared.on_trial(&mut history, loaded, origin.into(), State::Shadow)?;
        let number = generation.number();
        shared.end(&mut history, TrialKind::Shadow, EndReason::Replaced, "");
        history.shadow = Some(Arc::new(Shadow::new(generation, share)));
        shared.publish(&history);
        Ok(number)
    }

    /// Lets `loaded` decide for `share` of the streams and conversations, and returns its number. A canary before it ends; a shadow stays.
    ///
    /// # Errors
    ///
    /// [`TrialError::NothingActive`].
    pub fn canary(
        &self,
        loaded: Loaded,
        share: Share,
        origin: impl Into<String>,
    ) -> Result<u64, TrialError> {
        let shared = self.shared();
        let mut history = shared.history.lock();
        let generation = shared.on_trial(&mut history, loaded, origin.into(), State::Canary)?;
        let number = generation.number();
        shared.end(&mut history, TrialKind::Canary, EndReason::Replaced, "");
        let canary = Canary::new(generation, share, shared.config.canary);
        history.canary = Some(Arc::new(canary));
        shared.publish(&history);
        Ok(number)
    }

    /// Makes the canary active and returns its number, which it keeps. Ends the shadow.
    ///
    /// # Errors
    ///
    /// [`TrialError::NoCanary`].
    pub fn promote(&self) -> Result<u64, TrialError> {
        let shared = self.shared();
        let mut history = shared.history.lock();
        let canary = history.canary.clone().ok_or(TrialError::NoCanary)?;
        shared.end(&mut history, TrialKind::Canary, EndReason::Promoted, "");
        Ok(shared.push(&mut history, Arc::clone(&canary.generation)))
    }

    /// Ends the shadow and the canary, whichever there are, and says how many those were. The canary's streams go back to the active generation at
    /// their next segment.
    pub fn stop(&self) -> usize {
        let shared = self.shared();
        let mut history = shared.history.lock();
        let ended = shared.end_all(&mut history, EndReason::Stopped);
        shared.publish(&history);
        ended
    }

    /// The shadow, the canary, what became of those before, and the purity checks.
    #[must_use]
    pub fn trials(&self) -> Trials {
        let shared = self.shared();
        let history = shared.history.lock();
        Trials {
            shadow: history.shadow.as_ref().map(|shadow| shadow.report()),
            canary: history.canary.as_ref().map(|canary| canary.report()),
            ended: history.ended.iter().rev().cloned().collect(),
            purity: shared.purity.read(),
        }
    }
}

// === impl Shared ===

impl Shared {
    /// A generation for a trial, numbered like the others.
    fn on_trial(
        &self,
        history: &mut History,
        loaded: Loaded,
        origin: String,
        state: State,
    ) -> Result<Arc<Generation>, TrialError> {
        if history.active().is_none() {
            return Err(TrialError::NothingActive);
        }
        let generation = self.number(history, loaded, origin);
        generation.set_activated(now_ms());
        generation.set_state(state);
        Ok(generation)
    }

    /// Ends the trial of that kind, if there is one; who decides is published by the caller.
    pub(crate) fn end(
        &self,
        history: &mut History,
        kind: TrialKind,
        reason: EndReason,
        detail: &str,
    ) -> bool {
        let ended = match kind {
            TrialKind::Shadow => history.shadow.take().map(|shadow| {
                let report = shadow.report();
                (Arc::clone(&shadow.generation), Some(report), None)
            }),
            TrialKind::Canary => history.canary.take().map(|canary| {
                let report = canary.report();
                (Arc::clone(&canary.generation), None, Some(report))
            }),
        };
        let Some((generation, shadow, canary)) = ended else {
            return false;
        };
        tracing::info!(
            generation = generation.number(),
            bundle = generation.name(),
            kind = kind.name(),
            reason = reason.name(),
            "a trial ended {detail}"
        );
        Metrics::trial_ended(kind.name(), reason.name());
        history.ended(Ended {
            generation: generation.number(),
            kind,
            reason,
            detail: detail.to_owned(),
            at_ms: now_ms(),
            shadow,
            canary,
        });
        match reason {
            EndReason::Promoted => {}
            EndReason::Worse | EndReason::Faulty => history.retire(&generation, State::Quarantined),
            EndReason::Stopped | EndReason::Replaced | EndReason::Superseded => {
                history.retire(&generation, State::Retired);
            }
        }
        true
    }

    /// Ends both; how many there were.
    pub(crate) fn end_all(&self, history: &mut History, reason: EndReason) -> usize {
        [TrialKind::Shadow, TrialKind::Canary]
            .into_iter()
            .filter(|&kind| self.end(history, kind, reason, ""))
            .count()
    }

    /// Rolls the canary back, unless `number` is not the canary any more.
    pub(crate) fn roll_back(&self, number: u64, reason: EndReason, detail: &str) {
        let mut history = self.history.lock();
        let canary = history.canary.as_ref();
        if canary.is_none_or(|canary| canary.generation.number() != number) {
            return;
        }
        tracing::error!(generation = number, "the canary is rolled back: {detail}");
        self.end(&mut history, TrialKind::Canary, reason, detail);
        self.publish(&history);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_above_nothing_and_at_most_all() {
        for share in [0.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Share::new(share), None);
        }
        assert_eq!(Share::percent(100.0), Some(Share::ALL));
        assert_eq!(Share::percent(5.0).map(Share::get), Some(0.05));
    }

    #[test]
    fn membership_is_the_share_and_differs_between_trials() {
        let share = Share::new(0.2).expect("a share");
        let members = |number| (0..10_000).filter(move |&affinity| share.has(affinity, number));
        let count = members(1).count();
        assert!((1_800..2_200).contains(&count), "{count} of 10000");
        assert!(members(1).eq(members(1)));
        assert!(members(1).ne(members(2)));
        assert!((0..1000).all(|affinity| Share::ALL.has(affinity, 1)));
    }
}
