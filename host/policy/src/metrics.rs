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

    pub(crate) fn quarantined() {
        counter!(QUARANTINES).increment(1);
    }
}
