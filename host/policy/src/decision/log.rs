//! The last decisions, in memory.
//!
//! A ring of slots with a lock each: two threads that decide at once write to different slots and never meet. It is
//! bounded twice, by count and by bytes, since a decision over a thousand candidates is a hundred times as large as one
//! over ten.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::Decision;

/// The last decisions; the oldest make room.
#[derive(Debug)]
pub struct DecisionLog {
    slots: Box<[Mutex<Option<Arc<Decision>>>]>,
    /// The next decision's number.
    next: AtomicU64,
    /// Every decision before this one is gone.
    oldest: AtomicU64,
    bytes: AtomicUsize,
    most_bytes: usize,
}

// === impl DecisionLog ===

impl DecisionLog {
    /// A log of at most `most` decisions that hold about `most_bytes` together.
    #[must_use]
    pub fn new(most: NonZeroUsize, most_bytes: usize) -> Self {
        Self {
            slots: (0..most.get()).map(|_| Mutex::new(None)).collect(),
            next: AtomicU64::new(1),
            oldest: AtomicU64::new(1),
            bytes: AtomicUsize::new(0),
            most_bytes,
        }
    }

    /// A number for the next decision.
    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn push(&self, decision: Arc<Decision>) {
        self.bytes.fetch_add(decision.size(), Ordering::Relaxed);
        let id = decision.id;
        let replaced = self.slot(id).lock().replace(decision);
        self.forget(replaced);
        let kept = (id + 1).saturating_sub(self.slots.len() as u64);
        self.oldest.fetch_max(kept, Ordering::Relaxed);
        while self.bytes.load(Ordering::Relaxed) > self.most_bytes {
            let oldest = self.oldest.fetch_add(1, Ordering::Relaxed);
            if oldest >= id {
                // The newest alone may be too large: it stays, or the log would tell nothing.
                self.oldest.store(id, Ordering::Relaxed);
                return;
            }
            let gone = {
                let mut slot = self.slot(oldest).lock();
                slot.take_if(|decision| decision.id <= oldest)
            };
            self.forget(gone);
        }
    }

    fn forget(&self, gone: Option<Arc<Decision>>) {
        if let Some(gone) = gone {
            self.bytes.fetch_sub(gone.size(), Ordering::Relaxed);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the remainder is below a length"
    )]
    fn slot(&self, id: u64) -> &Mutex<Option<Arc<Decision>>> {
        &self.slots[(id % self.slots.len() as u64) as usize]
    }

    /// The decision of that number, if it is still there.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<Arc<Decision>> {
        let slot = self.slot(id).lock();
        slot.as_ref().filter(|decision| decision.id == id).cloned()
    }

    /// The last `most` decisions, newest first.
    #[must_use]
    pub fn latest(&self, most: usize) -> Vec<Arc<Decision>> {
        let next = self.next.load(Ordering::Relaxed);
        let oldest = next.saturating_sub(self.slots.len() as u64);
        (oldest..next)
            .rev()
            .filter_map(|id| self.get(id))
            .take(most)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::tests::decision;

    fn log(most: usize, most_bytes: usize) -> DecisionLog {
        DecisionLog::new(NonZeroUsize::new(most).expect("above zero"), most_bytes)
    }

    fn push(log: &DecisionLog, rows: usize) -> u64 {
        let id = log.number();
        log.push(Arc::new(decision(id, rows)));
        id
    }

    fn fill(log: &DecisionLog, decisions: usize, rows: usize) {
        for _ in 0..decisions {
            push(log, rows);
        }
    }

    fn ids(log: &DecisionLog) -> Vec<u64> {
        log.latest(100).iter().map(|decision| decision.id).collect()
    }

    #[test]
    fn the_oldest_make_room() {
        let log = log(3, usize::MAX);
        fill(&log, 5, 1);
        assert_eq!(ids(&log), [5, 4, 3]);
        assert!(log.get(2).is_none() && log.get(4).is_some());
        assert_eq!(log.latest(1).len(), 1);
    }

    #[test]
    fn bytes_bound_it_too() {
        let log = log(100, 5 * decision(0, 1000).size() / 2);
        fill(&log, 10, 1000);
        assert_eq!(ids(&log), [10, 9], "two large ones fit");
        let held = log.bytes.load(Ordering::Relaxed);
        assert!(held <= log.most_bytes, "{held}");
        fill(&log, 10, 0);
        assert_eq!(ids(&log)[..10], [20, 19, 18, 17, 16, 15, 14, 13, 12, 11]);
    }

    #[test]
    fn one_that_is_larger_than_all_stays_until_the_next() {
        let log = log(100, 10);
        let id = push(&log, 1000);
        assert!(log.get(id).is_some());
        push(&log, 1000);
        assert_eq!(ids(&log), [2]);
    }
}
