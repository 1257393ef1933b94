//! What a stream has come to so far.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use pointsman_dispatch::StopReason;
use pointsman_media::hls;
use serde::Serialize;

use super::live::{LiveSpec, Origin, reason};

/// Running counts of one stream.
#[derive(Debug, Default)]
pub(super) struct Stats {
    segments: AtomicU64,
    transcoded: AtomicU64,
    failed: AtomicU64,
    source_bytes: AtomicU64,
    rendition_bytes: AtomicU64,
    orchestrator: Mutex<Option<String>>,
}

/// A stream as `GET /api/v1/streams` shows it.
#[derive(Debug, Serialize)]
pub struct Summary {
    name: String,
    origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<String>,
    renditions: Vec<String>,
    /// Since it started.
    seconds: u64,
    segments: u64,
    transcoded: u64,
    failed: u64,
    source_bytes: u64,
    rendition_bytes: u64,
    /// Positions of the playlists, those of them with a gap, results that came too late to be listed, and positions that left early to
    /// make room.
    listed: u64,
    gaps: u64,
    late: u64,
    early: u64,
    /// Who did the last segment.
    orchestrator: Option<String>,
}

// === impl Summary ===

impl Summary {
    /// Names of its renditions.
    #[must_use]
    pub fn renditions(&self) -> &[String] {
        &self.renditions
    }

    /// Bytes of its source, and of what was made of it.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (self.source_bytes, self.rendition_bytes)
    }
}

// === impl Stats ===

impl Stats {
    pub(super) fn source(&self, bytes: usize) {
        self.segments.fetch_add(1, Ordering::Relaxed);
        self.source_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, why: StopReason) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("pointsman_segments_total", "result" => reason(why)).increment(1);
    }

    /// Counts a transcoded segment; says whether another orchestrator than the last one did it.
    pub(super) fn delivered(&self, bytes: usize, elapsed: Duration, orchestrator: &str) -> bool {
        self.transcoded.fetch_add(1, Ordering::Relaxed);
        self.rendition_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
        metrics::counter!("pointsman_segments_total", "result" => "ok").increment(1);
        metrics::histogram!("pointsman_segment_seconds").record(elapsed);
        let mut last = self.orchestrator.lock();
        let changed = last.as_deref() != Some(orchestrator);
        if changed {
            *last = Some(orchestrator.to_owned());
        }
        changed
    }

    pub(super) fn summary(&self, spec: &LiveSpec, age: Duration, counts: hls::Counts) -> Summary {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Summary {
            name: spec.name.to_string(),
            origin: spec.origin,
            stream_id: spec.stream_id.clone(),
            renditions: spec
                .profiles
                .iter()
                .map(|profile| profile.name.to_string())
                .collect(),
            seconds: age.as_secs(),
            segments: read(&self.segments),
            transcoded: read(&self.transcoded),
            failed: read(&self.failed),
            source_bytes: read(&self.source_bytes),
            rendition_bytes: read(&self.rendition_bytes),
            listed: counts.listed,
            gaps: counts.gaps,
            late: counts.late,
            early: counts.early,
            orchestrator: self.orchestrator.lock().clone(),
        }
    }
}
