//! Announced segments that do not have their place on the timeline yet.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::outcome::Outcome;
use super::{Number, SourceSegment};

/// A segment that waits for its turn.
#[derive(Debug)]
pub(super) struct Announced {
    pub(super) segment: SourceSegment,
    pub(super) outcome: Outcome,
    /// When its renditions become gaps.
    pub(super) hard: Instant,
    /// When it was announced.
    pub(super) since: Instant,
}

/// By number. Bounded by `Config::in_flight` and `Config::bytes`, which its owner enforces.
#[derive(Debug, Default)]
pub(super) struct Waiting(BTreeMap<Number, Announced>);

// === impl Waiting ===

impl Waiting {
    pub(super) fn insert(&mut self, number: Number, announced: Announced) {
        self.0.insert(number, announced);
    }

    pub(super) fn outcome(&mut self, number: Number) -> Option<&mut Outcome> {
        self.0
            .get_mut(&number)
            .map(|announced| &mut announced.outcome)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Of sources and renditions together.
    pub(super) fn bytes(&self) -> usize {
        let bytes = |one: &Announced| one.segment.bytes.len() + one.outcome.bytes();
        self.0.values().map(bytes).sum()
    }

    pub(super) fn highest(&self) -> Option<Number> {
        self.0.last_key_value().map(|(&number, _)| number)
    }

    /// Takes the lowest number when it follows `last`, or when one has waited `reorder` for those between.
    pub(super) fn take_turn(
        &mut self,
        last: Option<Number>,
        reorder: Duration,
        now: Instant,
    ) -> Option<(Number, Announced)> {
        let (&number, _) = self.0.first_key_value()?;
        let waited = now.saturating_duration_since(self.since()?);
        if follows(last, number) || waited >= reorder {
            return self.0.pop_first();
        }
        None
    }

    /// When [`Waiting::take_turn`] will say more than it does now.
    pub(super) fn turn_at(&self, reorder: Duration) -> Option<Instant> {
        self.since()?.checked_add(reorder)
    }

    fn since(&self) -> Option<Instant> {
        self.0.values().map(|announced| announced.since).min()
    }
}

/// Nothing can be missing between them. A stream begins at zero.
fn follows(last: Option<Number>, number: Number) -> bool {
    match last {
        Some(last) => last.0.checked_add(1) == Some(number.0),
        None => number.0 == 0,
    }
}
