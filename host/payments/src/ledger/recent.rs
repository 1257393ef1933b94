//! What was spent in the last hour and the last day, for policies that make a budget last.
//!
//! To the minute, and rather too much than too little: a minute that has begun counts whole. A busy day has a million payments and 1440
//! minutes.

use std::collections::BTreeMap;

use super::Amount;

/// What left or may have left lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lately {
    /// Over the last hour.
    pub hour: Amount,
    /// Over the last 24 hours.
    pub day: Amount,
}

/// The spend of each minute, by minutes since 1970.
#[derive(Debug, Default)]
pub(super) struct Recent(BTreeMap<u64, Amount>);

const MINUTE_MS: u64 = 60_000;
const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

// === impl Recent ===

impl Recent {
    /// The moment before which nothing counts any more.
    pub(super) const fn begins_ms(now_ms: u64) -> u64 {
        (now_ms / MINUTE_MS).saturating_sub(DAY) * MINUTE_MS
    }

    /// An attempt is drafted.
    pub(super) fn add(&mut self, at_ms: u64, value: Amount) {
        let minute = at_ms / MINUTE_MS;
        let spent = self.0.entry(minute).or_default();
        *spent = spent.saturating_add(value);
        while let Some(oldest) = self.0.first_entry()
            && oldest.key() + DAY < minute
        {
            oldest.remove();
        }
    }

    /// An attempt never left.
    pub(super) fn take(&mut self, at_ms: u64, value: Amount) {
        if let Some(spent) = self.0.get_mut(&(at_ms / MINUTE_MS)) {
            *spent = spent.saturating_sub(value);
        }
    }

    pub(super) fn lately(&self, now_ms: u64) -> Lately {
        let now = now_ms / MINUTE_MS;
        let since = |minutes: u64| {
            let minutes = self.0.range(now.saturating_sub(minutes)..);
            minutes.fold(Amount::ZERO, |sum, (_, spent)| sum.saturating_add(*spent))
        };
        Lately {
            hour: since(HOUR),
            day: since(DAY),
        }
    }
}
