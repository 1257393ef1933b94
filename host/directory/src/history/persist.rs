//! A record as a row of the database: exact to the last bit, and checked when it is read back.

use std::collections::VecDeque;

use super::latency::{self, Latencies};
use super::window::{self, Ending, Window};
use super::{Fault, Key, Record};

/// A [`Record`] taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordRow {
    pub(crate) key: Key,
    pub(crate) touched_ms: u64,
    pub(crate) score: Option<f64>,
    /// Microseconds, four bytes each, little endian.
    pub(crate) latencies: Vec<u8>,
    /// Unix ms in eight bytes, little endian, and the code of the ending in one.
    pub(crate) judged: Vec<u8>,
    /// As `judged`.
    pub(crate) all: Vec<u8>,
    pub(crate) faults: Vec<Fault>,
}

// === impl RecordRow ===

impl RecordRow {
    pub(crate) fn of(key: Key, record: &Record) -> Self {
        Self {
            key,
            touched_ms: record.touched_ms,
            score: record.latencies.score(),
            latencies: record
                .latencies
                .micros()
                .flat_map(u32::to_le_bytes)
                .collect(),
            judged: pack(&record.judged),
            all: pack(&record.all),
            faults: record.faults.iter().cloned().collect(),
        }
    }

    /// The record, or `None` when the row was not written by [`RecordRow::of`].
    pub(crate) fn record(self) -> Option<Record> {
        let (micros, rest) = self.latencies.as_chunks::<4>();
        if !rest.is_empty() || micros.len() > latency::LENGTH {
            return None;
        }
        let micros: Vec<u32> = micros.iter().copied().map(u32::from_le_bytes).collect();
        Some(Record {
            judged: unpack(&self.judged)?,
            all: unpack(&self.all)?,
            latencies: Latencies::restore(&micros, self.score),
            faults: VecDeque::from(self.faults),
            touched_ms: self.touched_ms,
        })
    }
}

fn pack(window: &Window) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at_ms, ending) in window.entries() {
        bytes.extend_from_slice(&at_ms.to_le_bytes());
        bytes.push(ending.code());
    }
    bytes
}

fn unpack(bytes: &[u8]) -> Option<Window> {
    let (entries, rest) = bytes.as_chunks::<9>();
    if !rest.is_empty() || entries.len() > window::LENGTH {
        return None;
    }
    let mut window = Window::default();
    for [time @ .., code] in entries {
        window.push(u64::from_le_bytes(*time), Ending::from_code(*code)?);
    }
    Some(window)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pointsman_facts::{Blame, Failure, FailureKind, Symbol, Workload};
    use proptest::prelude::*;

    use super::*;
    use crate::history::{Outcome, Work};

    fn key() -> Key {
        Key {
            orchestrator: Symbol::of("https://a"),
            work: Work {
                workload: Workload::Transcode,
                model: Symbol::UNKNOWN,
            },
        }
    }

    proptest! {
        #[test]
        fn every_record_comes_back_as_it_was(
            attempts in prop::collection::vec((0..4_u8, 0..10_000_u64, 0..u64::from(u32::MAX)), 0..200)
        ) {
            let mut record = Record::default();
            let duration = Some(Duration::from_secs(2));
            for (what, elapsed, at_ms) in attempts {
                let elapsed = Duration::from_micros(elapsed);
                let failure = match what {
                    2 => Failure::new(Blame::Network, FailureKind::Reset, "gone"),
                    _ => Failure::new(Blame::Orchestrator, FailureKind::Busy, "full"),
                };
                let outcome = match what {
                    0 => Outcome::Success { elapsed, duration },
                    1 => Outcome::Overtaken { elapsed, duration },
                    _ => Outcome::Failure { failure: &failure, elapsed },
                };
                record.add(at_ms, &outcome);
            }
            prop_assert_eq!(RecordRow::of(key(), &record).record(), Some(record));
        }

        #[test]
        fn foreign_bytes_are_refused_or_read_and_never_panic(
            latencies in prop::collection::vec(any::<u8>(), 0..600),
            judged in prop::collection::vec(any::<u8>(), 0..900),
        ) {
            let sound = latencies.len().is_multiple_of(4) && latencies.len() <= 256;
            let row = RecordRow {
                key: key(),
                touched_ms: 0,
                score: Some(f64::NAN),
                latencies,
                all: judged.clone(),
                judged,
                faults: Vec::new(),
            };
            if let Some(record) = row.record() {
                prop_assert!(sound);
                prop_assert_eq!(record.latencies.score(), None, "no number is no score");
            }
        }
    }
}
