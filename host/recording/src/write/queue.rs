//! What waits to be written, and what is written.
//!
//! Both are in one place, since the threads that decide are who frees what they made: each that hands in a decision takes back one that is
//! written. Memory then serves the next decision where it served the last. Were it freed by the writer it would be far away for whoever
//! decides, and a job would wait for that.

use std::num::NonZeroUsize;

use parking_lot::Mutex;
use pointsman_policy::Observed;

/// Between the threads that decide and the one that writes.
pub(super) struct Queue {
    most: usize,
    lists: Mutex<Lists>,
}

#[derive(Default)]
struct Lists {
    waiting: Vec<Observed>,
    written: Vec<Observed>,
    closed: bool,
}

// === impl Queue ===

impl Queue {
    /// For at most `most` that wait.
    pub(super) fn new(most: NonZeroUsize) -> Self {
        Self {
            most: most.get(),
            lists: Mutex::default(),
        }
    }

    /// Hands in a decision; false, and it is gone, when too many wait or nobody writes any more.
    pub(super) fn offer(&self, observed: Observed) -> bool {
        let mut lists = self.lists.lock();
        if lists.closed || lists.waiting.len() >= self.most {
            return false;
        }
        lists.waiting.push(observed);
        let written = lists.written.pop();
        // Only then is it freed.
        drop(lists);
        drop(written);
        true
    }

    /// Everything that waits, oldest first. `empty` takes its place.
    pub(super) fn take(&self, empty: Vec<Observed>) -> Vec<Observed> {
        std::mem::replace(&mut self.lists.lock().waiting, empty)
    }

    /// Everything that waits. Nothing is taken in any more.
    pub(super) fn close(&self) -> Vec<Observed> {
        let mut lists = self.lists.lock();
        lists.closed = true;
        std::mem::take(&mut lists.waiting)
    }

    /// What is written may be taken back. What nobody took back of the time before is the writer's to free: without further decisions
    /// snapshots would be kept for nothing.
    pub(super) fn give_back(&self, written: Vec<Observed>) -> Vec<Observed> {
        std::mem::replace(&mut self.lists.lock().written, written)
    }
}
