//! FLV tag bodies to access units.
//!
//! # Contract
//!
//! One [`Reader`] a connection takes the bodies of video and audio tags with their RTMP timestamps and answers
//! [`VideoUnit`]s and [`AudioFrame`]s on one 90 kHz clock. H.264 and AAC only: anything else, enhanced RTMP included,
//! is refused by name. A tag that is broken is an error of its own ([`Error::ends_stream`]): drop it and go on.
//!
//! Payloads are slices of the message they came in; parameter sets, which outlive it, are copied.
//!
//! # Timestamps
//!
//! RTMP counts milliseconds modulo 2^32 (a wrap every 49.7 days): `clock` continues them in 64 bits. A small step
//! back is clamped; a jump of more than 2 s either way begins a new [`epoch`](VideoUnit::epoch), in which time is
//! counted afresh. The Go gateway drops packets instead until the old time is reached again, for ever if need be. Audio
//! is timed by its sample count, because milliseconds are too coarse for 1024 samples of 44.1 kHz (23.2 ms), and set
//! right when it is more than 40 ms off.
//!
//! By hand, and not with a crate: the legacy tags that encoders send are two header bytes and a composition time, and
//! no maintained crate gives slices of the message.

mod aac;
mod avc;
mod clock;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;

pub use aac::AudioConfig;
pub use avc::VideoConfig;
use clock::Clock;

/// Ticks a second of every timestamp in this crate.
pub const TICKS: i64 = 90_000;
/// Ticks a millisecond.
pub(crate) const TICKS_PER_MS: i64 = TICKS / 1000;

/// Reads the tags of one connection. See the [module](self).
#[derive(Debug, Default)]
pub struct Reader {
    clock: Clock,
    video: Option<avc::Stream>,
    audio: Option<aac::Stream>,
}

/// One picture.
#[derive(Clone, Debug)]
pub struct VideoUnit {
    /// Counts the jumps of the encoder's clock. Times of different epochs have nothing to do with each other.
    pub epoch: u32,
    /// Decoding time, 90 kHz, strictly increasing within an epoch.
    pub dts: i64,
    /// Presentation time, 90 kHz, not before `dts`.
    pub pts: i64,
    /// A segment may start here.
    pub idr: bool,
    /// The NAL units without start codes or lengths: no delimiters, no filler, and before an IDR picture no parameter
    /// sets either, since those are in `config`.
    pub nals: Vec<Bytes>,
    /// The parameter sets in force.
    pub config: Arc<VideoConfig>,
}

/// One AAC frame.
#[derive(Clone, Debug)]
pub struct AudioFrame {
    /// As [`VideoUnit::epoch`].
    pub epoch: u32,
    /// Presentation time, 90 kHz, strictly increasing within an epoch.
    pub pts: i64,
    /// The raw frame, without ADTS header.
    pub data: Bytes,
    /// What its ADTS header says.
    pub config: Arc<AudioConfig>,
}

/// Why a tag gives no unit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Video that is not H.264 in legacy tags.
    #[error("video codec {0} is not supported: publish H.264")]
    VideoCodec(String),
    /// Audio that is not AAC in legacy tags.
    #[error("audio codec {0} is not supported: publish AAC, or no audio")]
    AudioCodec(String),
    /// AAC that ADTS cannot carry.
    #[error("AAC with {0} is not supported: publish AAC-LC in mono or stereo")]
    Aac(&'static str),
    /// A broken tag.
    #[error("malformed media tag: {0}")]
    Malformed(&'static str),
}

// === impl Error ===

impl Error {
    /// Whether the stream cannot go on. Otherwise only this tag is lost.
    #[must_use]
    pub fn ends_stream(&self) -> bool {
        !matches!(self, Self::Malformed(_))
    }
}

// === impl Reader ===

impl Reader {
    /// The start of a connection: nothing is known of its tracks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one video tag body. `timestamp` in ms, modulo 2^32. Answers `None` for headers, for what has no picture
    /// and for pictures before the first header.
    ///
    /// # Errors
    ///
    /// [`Error::VideoCodec`], [`Error::Malformed`].
    pub fn video(&mut self, timestamp: u32, body: &Bytes) -> Result<Option<VideoUnit>, Error> {
        let Some(tag) = avc::Tag::read(body)? else {
            return Ok(None);
        };
        let (composition, nalus) = match tag {
            avc::Tag::Config(record) => {
                match &mut self.video {
                    Some(stream) => stream.reconfigure(&record)?,
                    None => self.video = Some(avc::Stream::new(&record)?),
                }
                return Ok(None);
            }
            avc::Tag::Units { composition, data } => (composition, data),
        };
        let Some(stream) = &mut self.video else {
            return Ok(None);
        };
        let Some((nals, idr)) = stream.units(&nalus)? else {
            return Ok(None);
        };
        let stamp = self.clock.video(timestamp);
        Ok(Some(VideoUnit {
            epoch: stamp.epoch,
            dts: stamp.dts,
            pts: (stamp.time + i64::from(composition) * TICKS_PER_MS).max(stamp.dts),
            idr,
            nals,
            config: stream.config(),
        }))
    }

    /// Takes one audio tag body. `timestamp` in ms, modulo 2^32. Answers `None` for headers, for frames before the
    /// first header and for frames more than 2 s away from the video.
    ///
    /// # Errors
    ///
    /// [`Error::AudioCodec`], [`Error::Aac`], [`Error::Malformed`].
    pub fn audio(&mut self, timestamp: u32, body: &Bytes) -> Result<Option<AudioFrame>, Error> {
        let data = match aac::Tag::read(body)? {
            aac::Tag::Config(config) => {
                match &mut self.audio {
                    Some(stream) => stream.reconfigure(config),
                    None => self.audio = Some(aac::Stream::new(config)),
                }
                return Ok(None);
            }
            aac::Tag::Frame(data) => data,
        };
        let Some(stream) = &mut self.audio else {
            return Ok(None);
        };
        let Some(stamp) = self.clock.audio(timestamp) else {
            return Ok(None);
        };
        Ok(Some(AudioFrame {
            epoch: stamp.epoch,
            pts: stream.time(stamp.epoch, stamp.time),
            data,
            config: stream.config(),
        }))
    }
}

// === impl AudioFrame ===

impl AudioFrame {
    /// Whether `next` begins where this frame ends, to the tick that rounding costs.
    pub(crate) fn is_followed_by(&self, next: &Self) -> bool {
        let end = self.pts + self.config.frame_ticks();
        (next.pts - end).abs() <= 1 && self.config == next.config
    }
}

/// The codec a FourCC of enhanced RTMP names.
fn four_cc(bytes: Option<&[u8]>) -> String {
    match bytes {
        Some(b"hvc1") => "HEVC (enhanced RTMP hvc1)".to_owned(),
        Some(b"av01") => "AV1 (enhanced RTMP av01)".to_owned(),
        Some(b"vp08") => "VP8 (enhanced RTMP vp08)".to_owned(),
        Some(b"vp09") => "VP9 (enhanced RTMP vp09)".to_owned(),
        Some(code) if code.iter().all(u8::is_ascii_graphic) => {
            format!("{} (enhanced RTMP)", String::from_utf8_lossy(code))
        }
        _ => "of enhanced RTMP".to_owned(),
    }
}
