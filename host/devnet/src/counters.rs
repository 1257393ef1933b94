//! What an orchestrator was asked and did, for tests to assert and people to read.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A reading. Counts go on over kills and starts; only [`open_sessions`](Self::open_sessions) is of the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counters {
    /// TCP connections accepted, those reset by a failure included.
    pub connections: u64,
    /// GetOrchestrator calls that arrived.
    pub get_orchestrator: u64,
    /// Segments that arrived, whatever became of them.
    pub segments: u64,
    /// Segments answered without a 200.
    pub refused: u64,
    /// Results with renditions.
    pub results_ok: u64,
    /// Results with an error, and those a failure spoilt after the 200.
    pub results_failed: u64,
    /// Renditions asked for, found or not.
    pub downloads: u64,
    /// EndTranscodingSession calls that arrived.
    pub end_session: u64,
    /// Requests that a failure hit.
    pub failures: u64,
    /// Bytes of segments read.
    pub bytes_in: u64,
    /// Bytes of renditions sent.
    pub bytes_out: u64,
    /// Sessions open now.
    pub open_sessions: usize,
}

/// The counting side.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) connections: Count,
    pub(crate) get_orchestrator: Count,
    pub(crate) segments: Count,
    pub(crate) refused: Count,
    pub(crate) results_ok: Count,
    pub(crate) results_failed: Count,
    pub(crate) downloads: Count,
    pub(crate) end_session: Count,
    pub(crate) failures: Count,
    pub(crate) bytes_in: Count,
    pub(crate) bytes_out: Count,
}

/// One count.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

// === impl Count ===

impl Count {
    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

// === impl Tally ===

impl Tally {
    pub(crate) fn read(&self, open_sessions: usize) -> Counters {
        Counters {
            connections: self.connections.get(),
            get_orchestrator: self.get_orchestrator.get(),
            segments: self.segments.get(),
            refused: self.refused.get(),
            results_ok: self.results_ok.get(),
            results_failed: self.results_failed.get(),
            downloads: self.downloads.get(),
            end_session: self.end_session.get(),
            failures: self.failures.get(),
            bytes_in: self.bytes_in.get(),
            bytes_out: self.bytes_out.get(),
            open_sessions,
        }
    }
}
