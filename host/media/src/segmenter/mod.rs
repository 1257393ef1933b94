//! A live stream cut into segments that stand by themselves.
//!
//! # Contract
//!
//! One [`Segmenter`] a stream, for its whole life: over reconnects ([`Segmenter::resume`]) sequence numbers, the
//! timeline and continuity counters run on. Units go in as [`flv::Reader`](crate::flv::Reader) gives them; segments come
//! out in order, each an MPEG-TS that begins with an IDR picture. [`Segmenter::finish`] gives the tail, also after an
//! error: nothing received is lost, but for what precedes the first IDR picture.
//!
//! # Where to cut
//!
//! At IDR pictures only, at the one nearest to the target: either the target is reached (to half a frame: a GOP of
//! 1.999 s must not make segments of 4 s), or waiting for the next IDR picture, as far off as the last one was, would
//! land farther from the target than cutting here. A GOP of 1.5 s therefore gives 1.5 s with a target of 2 s,
//! where "at least the target" gives 3 s, and go-livepeer's cumulative rule 3, 1.5, 1.5, 3. Short and even is what
//! latency and players want. A change of the parameter sets is always a cut.
//!
//! A segment lasts from its IDR picture's presentation time to the next one's. Audio goes by presentation time as well:
//! sound that belongs before the cut is waited for up to 200 ms of stream time, if there is sound at all.
//!
//! # Timeline
//!
//! Times in segments are the encoder's, plus 10 s so that nothing is ever below zero. Where the encoder's clock jumps,
//! or a new connection brings another clock, the new time is laid behind the old: the timeline only grows, which
//! decoders that are kept over segments (orchestrators') need, and the segment that begins next is marked as a
//! discontinuity.
//!
//! # Bounds
//!
//! [`Config::max_bytes`] for the segment under way and the audio waiting; 20 s without an IDR picture are an error,
//! counted in stream time (a connection that is silent is the caller's to notice).

mod cut;
mod open;
mod timeline;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use cut::Segmenter;

use crate::flv::{AudioConfig, VideoConfig};

/// How to cut.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The length wanted.
    pub target: Duration,
    /// Longest time without an IDR picture.
    pub max_gop: Duration,
    /// Largest segment, in bytes.
    pub max_bytes: usize,
}

/// One segment: an MPEG-TS that begins with an IDR picture.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Counts from 0 without holes, over reconnects.
    pub sequence: u64,
    /// The transport stream.
    pub bytes: Bytes,
    /// Presentation time of the first picture, 90 kHz, never decreasing over the stream's life. The segment carries it
    /// modulo 2^33.
    pub start_pts: i64,
    /// To the first picture of the next segment; for the last one, to the end of its last picture.
    pub duration: Duration,
    /// Whether something broke before it: a reconnect, a jump of the encoder's clock, new parameter sets.
    pub discontinuity: bool,
    /// Pictures.
    pub frames: u32,
    /// Size, rate and codec of the pictures.
    pub video: Arc<VideoConfig>,
    /// The sound's codec, if there is sound.
    pub audio: Option<Arc<AudioConfig>>,
}

/// Why a stream cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Segments can only start at IDR pictures.
    #[error(
        "no IDR picture for {} s: set the encoder's key frame interval to about {} s, closed GOP, with video on",
        waited.as_secs(), target.as_secs_f32()
    )]
    NoKeyFrame {
        /// How long, in stream time.
        waited: Duration,
        /// The interval that suits the target.
        target: Duration,
    },
    /// The segment under way would exceed [`Config::max_bytes`].
    #[error("a segment exceeds {max} bytes: lower the bit rate or the key frame interval")]
    TooLarge {
        /// The most that is taken.
        max: usize,
    },
}

// === impl Config ===

impl Default for Config {
    /// 2 s, at most 20 s and 64 MB.
    fn default() -> Self {
        Self {
            target: Duration::from_secs(2),
            max_gop: Duration::from_secs(20),
            max_bytes: 64 << 20,
        }
    }
}

// === impl Segment ===

impl Segment {
    /// Width and height in pixels, where the parameter sets say.
    #[must_use]
    pub fn resolution(&self) -> Option<(u32, u32)> {
        let picture = self.video.picture.as_ref()?;
        Some((picture.width, picture.height))
    }

    /// Frames a second: what the parameter sets say, else what was counted.
    #[must_use]
    pub fn frame_rate(&self) -> Option<f64> {
        let declared = self
            .video
            .picture
            .as_ref()
            .and_then(|picture| picture.frame_rate);
        let seconds = self.duration.as_secs_f64();
        declared.or_else(|| (seconds > 0.0).then(|| f64::from(self.frames) / seconds))
    }

    /// RFC 6381 codecs, video first, such as `avc1.64001f,mp4a.40.2`.
    #[must_use]
    pub fn codecs(&self) -> String {
        match &self.audio {
            Some(audio) => format!("{},{}", self.video.codec, audio.codec),
            None => self.video.codec.clone(),
        }
    }
}

/// Ticks of the 90 kHz clock as time; zero when negative.
fn duration(ticks: i64) -> Duration {
    Duration::from_nanos(ticks.max(0) as u64 * 100_000 / 9)
}

/// Time as ticks of the 90 kHz clock.
fn ticks(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros() * 9 / 100).unwrap_or(i64::MAX)
}
