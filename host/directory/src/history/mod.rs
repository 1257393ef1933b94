//! What became of past attempts: one history for the whole process, not one a stream.
//!
//! # Contract
//!
//! A record belongs to one orchestrator, workload and model. Success rates and error rates are exact shares of the last
//! 64 attempts of the last half hour; latencies are those of the last 64 good answers, however old. Capacity, input and
//! this gateway's own failures never lower a success rate. A record that no attempt touched for a day is dropped.
//!
//! # Why windows of exact outcomes and not decayed counters
//!
//! A share of remembered attempts can be checked by hand against a log, is the same after a restart to the last bit, and
//! moves at once when an orchestrator turns bad, however good it was for hours. Decayed counters forget by time or by
//! number; with both, an orchestrator that is tried once a minute and always fails ends up at a third.

mod latency;
mod persist;
mod record;
mod window;

use std::collections::{HashMap, HashSet};

use pointsman_facts::{Symbol, Workload};

pub use record::{Fault, Outcome};

pub(crate) use persist::RecordRow;
pub(crate) use record::{Record, Stats};

/// How long an untouched record is kept, ms.
pub(crate) const KEPT_MS: u64 = 24 * 60 * 60 * 1000;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) orchestrator: Symbol,
    pub(crate) work: Work,
}

/// A kind of work: what statistics are kept apart for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Work {
    /// Kind of job.
    pub(crate) workload: Workload,
    /// Symbol of the model; [`Symbol::UNKNOWN`] where there is none.
    pub(crate) model: Symbol,
}

/// Every record, and which of them changed.
#[derive(Debug, Default)]
pub(crate) struct History {
    records: HashMap<Key, Record>,
    unpublished: HashSet<Key>,
    unsaved: HashSet<Key>,
}

// === impl History ===

impl History {
    /// Adds one attempt. `false` when there is nothing new to publish.
    pub(crate) fn add(&mut self, key: Key, now_ms: u64, outcome: &Outcome<'_>) -> bool {
        if !self.records.entry(key).or_default().add(now_ms, outcome) {
            return false;
        }
        self.unsaved.insert(key);
        self.unpublished.insert(key)
    }

    /// Puts back what was saved.
    pub(crate) fn restore(&mut self, key: Key, record: Record) {
        self.records.insert(key, record);
    }

    /// The statistics of `key` as of `now_ms`, if any attempt is remembered.
    pub(crate) fn stats(&self, key: Key, now_ms: u64) -> Option<Stats> {
        self.records.get(&key).map(|record| record.stats(now_ms))
    }

    /// The kinds of work that any record is about.
    pub(crate) fn works(&self) -> HashSet<Work> {
        self.records.keys().map(|key| key.work).collect()
    }

    /// Every record with its key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &Record)> {
        self.records.iter()
    }

    /// Takes the keys that changed since the last publication.
    pub(crate) fn take_unpublished(&mut self) -> HashSet<Key> {
        std::mem::take(&mut self.unpublished)
    }

    /// Takes the rows that changed since the last save.
    pub(crate) fn take_unsaved(&mut self) -> Vec<RecordRow> {
        std::mem::take(&mut self.unsaved)
            .into_iter()
            .filter_map(|key| Some(RecordRow::of(key, self.records.get(&key)?)))
            .collect()
    }

    /// Marks rows as not saved after all.
    pub(crate) fn save_again(&mut self, rows: &[RecordRow]) {
        self.unsaved.extend(rows.iter().map(|row| row.key));
    }

    /// Drops the records that no attempt touched for [`KEPT_MS`].
    pub(crate) fn sweep(&mut self, now_ms: u64) {
        let unpublished = &mut self.unpublished;
        self.records.retain(|key, record| {
            let kept = now_ms.saturating_sub(record.touched_ms()) < KEPT_MS;
            if !kept {
                unpublished.insert(*key);
            }
            kept
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(uri: &str, workload: Workload) -> Key {
        Key {
            orchestrator: Symbol::of(uri),
            work: Work {
                workload,
                model: Symbol::UNKNOWN,
            },
        }
    }

    const GOOD: Outcome<'_> = Outcome::Success {
        elapsed: Duration::from_millis(40),
        duration: Some(Duration::from_secs(2)),
    };

    #[test]
    fn workloads_are_kept_apart() {
        let mut history = History::default();
        let transcode = key("https://a", Workload::Transcode);
        assert!(history.add(transcode, 0, &GOOD));
        assert!(history.stats(transcode, 0).is_some());
        assert!(history.stats(key("https://a", Workload::Llm), 0).is_none());
    }

    #[test]
    fn one_publication_is_asked_for_however_much_changes() {
        let mut history = History::default();
        let key = key("https://a", Workload::Transcode);
        assert!(history.add(key, 0, &GOOD));
        assert!(!history.add(key, 0, &GOOD), "already waiting");
        assert_eq!(history.take_unpublished().len(), 1);
        assert!(history.add(key, 0, &GOOD));
    }

    #[test]
    fn an_untouched_record_goes_after_a_day() {
        let mut history = History::default();
        let key = key("https://a", Workload::Transcode);
        history.add(key, 0, &GOOD);
        history.sweep(KEPT_MS - 1);
        assert!(history.stats(key, 0).is_some());
        history.sweep(KEPT_MS);
        assert!(history.stats(key, 0).is_none());
    }
}
