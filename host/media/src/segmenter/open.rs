//! A segment being written.

use std::sync::Arc;

use bytes::Bytes;

use super::{Segment, duration};
use crate::flv::{AudioConfig, AudioFrame, VideoConfig, VideoUnit};
use crate::ts::Mux;

/// A segment being written.
#[derive(Debug)]
pub(super) struct Open {
    bytes: Vec<u8>,
    pub(super) start_pts: i64,
    pub(super) discontinuity: bool,
    pub(super) video: Arc<VideoConfig>,
    pub(super) audio: Option<Arc<AudioConfig>>,
    frames: u32,
}

// === impl Open ===

impl Open {
    /// Begins at an IDR picture. `expected`: bytes to make room for.
    pub(super) fn new(
        mux: &mut Mux,
        unit: &VideoUnit,
        audio: Option<Arc<AudioConfig>>,
        discontinuity: bool,
        expected: usize,
    ) -> Self {
        let mut bytes = Vec::with_capacity(expected);
        mux.begin(&mut bytes, audio.is_some());
        Self {
            bytes,
            start_pts: unit.pts,
            discontinuity,
            video: Arc::clone(&unit.config),
            audio,
            frames: 0,
        }
    }

    pub(super) fn write_video(&mut self, mux: &mut Mux, unit: &VideoUnit) {
        mux.video(&mut self.bytes, unit);
        self.frames += 1;
    }

    /// Writes frames in order. A gap between two of them begins a new PES packet, which carries its own time. A segment
    /// that began before there was sound has its tables rewritten.
    pub(super) fn write_audio(&mut self, mux: &mut Mux, frames: &[AudioFrame]) {
        if self.audio.is_none()
            && let Some(first) = frames.first()
        {
            mux.add_audio(&mut self.bytes);
            self.audio = Some(Arc::clone(&first.config));
        }
        for run in frames.chunk_by(AudioFrame::is_followed_by) {
            mux.audio(&mut self.bytes, run);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn close(mut self, sequence: u64, end: i64) -> Segment {
        // Segments are kept for a window of playback: without the room that was not used.
        self.bytes.shrink_to_fit();
        Segment {
            sequence,
            bytes: Bytes::from(self.bytes),
            start_pts: self.start_pts,
            duration: duration(end - self.start_pts),
            discontinuity: self.discontinuity,
            frames: self.frames,
            video: self.video,
            audio: self.audio,
        }
    }
}
