//! Counters, named once. The crate documentation lists them.

use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::chain::byoc::Widening;
use crate::chain::recheck::DropReason;
use crate::decision::Fallback;
use crate::fault::Fault;

const DECISIONS: &str = "pointsman_policy_decisions_total";
const SECONDS: &str = "pointsman_policy_decision_seconds";
const FAULTS: &str = "pointsman_policy_faults_total";
const FALLBACKS: &str = "pointsman_policy_fallbacks_total";
const DROPS: &str = "pointsman_policy_host_drops_total";
const ROUTES: &str = "pointsman_policy_byoc_total";
const WIDENINGS: &str = "pointsman_policy_byoc_drops_total";
const CHECKS: &str = "pointsman_policy_purity_checks_total";
const CACHE: &str = "pointsman_policy_cache_total";
const SHADOW: &str = "pointsman_policy_shadow_total";
const CANARY: &str = "pointsman_policy_canary_outcomes_total";
const TRIALS: &str = "pointsman_policy_trials_ended_total";
const QUARANTINES: &str = "pointsman_policy_quarantines_total";
const GENERATION: &str = "pointsman_policy_generation";

/// Handles of what every decision counts; the rest is rare and looked up by name.
pub(crate) struct Metrics {
    routed: Counter,
    refused: Counter,
    seconds: Histogram,
    generation: Gauge,
}

// === impl Metrics ===

impl Metrics {
    /// Handles of the recorder that is installed now.
    pub(crate) fn new() -> Self {
        describe_counter!(DECISIONS, "selections, by outcome: routed or refused");
        describe_histogram!(SECONDS, metrics::Unit::Seconds, "time of one selection");
        describe_counter!(FAULTS, "faults of policies, by kind, hook and stage");
        describe_counter!(FALLBACKS, "jobs answered by a fallback, by who answered");
        describe_counter!(
            DROPS,
            "candidates that a policy let through and the host did not, by reason"
        );
        describe_counter!(ROUTES, "byoc calls, by outcome: routed or refused");
        describe_counter!(
            WIDENINGS,
            "what byoc policies asked for that would have widened a call, by reason"
        );
        describe_counter!(
            CHECKS,
            "decisions asked again of fresh instances, by outcome: same, different or dropped"
        );
        describe_counter!(
            CACHE,
            "compiled policies looked up, by outcome: hit, miss or refused"
        );
        describe_counter!(
            SHADOW,
            "decisions put to the shadow, by outcome: same or different first choice, fault, dropped"
        );
        describe_counter!(
            CANARY,
            "jobs that ended while a canary ran, by side (canary, active) and outcome (ok, failed)"
        );
        describe_counter!(
            TRIALS,
            "shadows and canaries that ended, by kind and reason"
        );
        describe_counter!(QUARANTINES, "generations taken out for repeated faults");
        describe_gauge!(GENERATION, "number of the active generation");
        Self {
            routed: counter!(DECISIONS, "outcome" => "routed"),
            refused: counter!(DECISIONS, "outcome" => "refused"),
            seconds: histogram!(SECONDS),
            generation: gauge!(GENERATION),
        }
    }

    pub(crate) fn decided(&self, refused: bool, seconds: f64) {
        if refused { &self.refused } else { &self.routed }.increment(1);
        self.seconds.record(seconds);
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are floats, and generations are few"
    )]
    pub(crate) fn activated(&self, generation: u64) {
        self.generation.set(generation as f64);
    }

    pub(crate) fn fault(fault: &Fault) {
        counter!(
            FAULTS,
            "kind" => fault.kind.name(),
            "hook" => fault.hook.name(),
            "stage" => fault.stage.to_string(),
        )
        .increment(1);
    }

    pub(crate) fn fallback(fallback: Fallback) {
        let to = match fallback {
            Fallback::Native => "native",
            Fallback::Previous(_) => "previous",
            Fallback::Reject => "reject",
        };
        counter!(FALLBACKS, "to" => to).increment(1);
    }

    pub(crate) fn dropped(reason: DropReason) {
        counter!(DROPS, "reason" => reason.name()).increment(1);
    }

    pub(crate) fn called(refused: bool) {
        let outcome = if refused { "refused" } else { "routed" };
        counter!(ROUTES, "outcome" => outcome).increment(1);
    }

    pub(crate) fn widening(reason: Widening) {
        counter!(WIDENINGS, "reason" => reason.name()).increment(1);
    }

    pub(crate) fn checked(outcome: &'static str) {
        counter!(CHECKS, "outcome" => outcome).increment(1);
    }

    pub(crate) fn cached(outcome: &'static str) {
        counter!(CACHE, "outcome" => outcome).increment(1);
    }

    pub(crate) fn shadowed(outcome: &'static str) {
        counter!(SHADOW, "outcome" => outcome).increment(1);
    }

    pub(crate) fn tried(canary: bool, ok: bool) {
        let side = if canary { "canary" } else { "active" };
        let outcome = if ok { "ok" } else { "failed" };
        counter!(CANARY, "side" => side, "outcome" => outcome).increment(1);
    }

    pub(crate) fn trial_ended(kind: &'static str, reason: &'static str) {
        counter!(TRIALS, "kind" => kind, "reason" => reason).increment(1);
    }

    pub(crate) fn quarantined() {
        counter!(QUARANTINES).increment(1);
    }
}
