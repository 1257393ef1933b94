//! The last few versions of one column, so that a decision writes what changed and no more.
//!
//! A few and not one, because streams that ask for different things take turns: the history of one model and of another, what fits one
//! job and the next.

use pointsman_facts::Values;

use crate::column::{self, Delta};

/// Versions kept of a column.
pub(crate) const SLOTS: u8 = 8;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    slots: Vec<Values<'static>>,
    /// Slots, the last used first.
    recent: Vec<u8>,
}

/// A version that was not there.
#[derive(Debug)]
pub(crate) struct Change {
    /// What it differs from; `None`: it is given whole.
    pub(crate) base: Option<u8>,
    pub(crate) delta: Delta,
}

// === impl Versions ===

impl Versions {
    /// The slot that holds `values`, and what to write first if they are new.
    pub(crate) fn slot(&mut self, values: &Values<'_>) -> (u8, Option<Change>) {
        let held = |slot: &u8| column::same(&self.slots[usize::from(*slot)], values);
        if let Some(place) = self.recent.iter().position(held) {
            self.recent[..=place].rotate_right(1);
            return (self.recent[0], None);
        }
        let last = self.recent.first().copied();
        let delta = last.and_then(|slot| {
            let old = &self.slots[usize::from(slot)];
            Some((slot, column::difference(old, values)?))
        });
        let change = match delta {
            Some((base, delta)) => Change {
                base: Some(base),
                delta,
            },
            None => Change {
                base: None,
                delta: column::whole(values),
            },
        };
        let new = column::owned(values.clone());
        let slot = match u8::try_from(self.slots.len()) {
            Ok(next) if next < SLOTS => {
                self.slots.push(new);
                next
            }
            _ => {
                let oldest = self.recent.pop().unwrap_or_default();
                self.slots[usize::from(oldest)] = new;
                oldest
            }
        };
        self.recent.insert(0, slot);
        (slot, Some(change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(values: &[u64]) -> Values<'static> {
        Values::Counts(values.to_vec().into())
    }

    #[test]
    fn what_is_known_is_not_written_again() {
        let mut versions = Versions::default();
        let (a, b) = (counts(&[1, 2, 3, 4]), counts(&[9, 9, 9, 9]));
        assert!(
            versions
                .slot(&a)
                .1
                .is_some_and(|change| change.base.is_none())
        );
        assert!(versions.slot(&b).1.is_some());
        for _ in 0..5 {
            assert!(versions.slot(&a).1.is_none());
            assert!(versions.slot(&b).1.is_none());
        }
    }

    #[test]
    fn a_changed_row_is_written_alone() {
        let mut versions = Versions::default();
        let (first, _) = versions.slot(&counts(&[1, 2, 3, 4]));
        let (second, change) = versions.slot(&counts(&[1, 2, 7, 4]));
        let change = change.expect("it is new");
        assert_eq!(change.base, Some(first));
        assert_eq!(change.delta.changed, [2, 0, 0, 0]);
        assert_ne!(first, second);
    }

    #[test]
    fn the_one_not_used_for_longest_makes_room() {
        let mut versions = Versions::default();
        let all: Vec<_> = (0..=u64::from(SLOTS)).map(|n| counts(&[n])).collect();
        for values in &all[..usize::from(SLOTS)] {
            versions.slot(values);
        }
        assert!(versions.slot(&all[0]).1.is_none());
        let (slot, change) = versions.slot(&all[usize::from(SLOTS)]);
        assert!(change.is_some() && slot < SLOTS);
        assert!(versions.slot(&all[0]).1.is_none(), "used a moment ago");
        assert!(versions.slot(&all[1]).1.is_some(), "gone");
    }
}
