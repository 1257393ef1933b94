//! Whether a stream stays with its orchestrator.

use pointsman_sdk::prelude::*;

/// Finds the orchestrator that holds the stream's session, if it deserves to keep it.
///
/// Staying reuses a session and the credit left with it, so it takes a reason to go: a rest after a fault, poor results, or
/// answers slower than the segments come.
#[derive(Debug)]
pub(crate) struct Incumbent {
    min_success: f64,
    max_latency: f64,
    incumbent: Marks,
    rest: Counts,
    success: Numbers,
    latency: Numbers,
}

// === impl Incumbent ===

impl Incumbent {
    pub(crate) fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            min_success: settings.number("keep-success", 0.5, 0.0..=1.0),
            max_latency: settings.number("keep-latency", 1.0, 0.0..=1000.0),
            incumbent: plan.marks("incumbent"),
            rest: plan.counts("rest-ms"),
            success: plan.numbers("success-rate"),
            latency: plan.numbers("latency-score"),
        }
    }

    /// Its row. What is unknown of it does not count against it.
    pub(crate) fn kept(&self, candidates: &Candidates) -> Option<u32> {
        let place = candidates
            .marks(self.incumbent)
            .iter()
            .position(|&mark| mark == 1)?;
        let row = candidates.row(u32::try_from(place).ok()?);
        let good = row.or(self.rest, 0) == 0
            && row.or(self.success, 1.0) >= self.min_success
            && row.or(self.latency, 0.0) <= self.max_latency;
        good.then_some(row.index())
    }

    /// The column `rest-ms`.
    pub(crate) fn rests<'a>(&self, candidates: &'a Candidates) -> &'a [u64] {
        candidates.counts(self.rest)
    }
}
