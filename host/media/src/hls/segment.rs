//! What is announced and handed over: one segment of the source and of its renditions, and what is known of them.

use std::num::NonZeroU32;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use crate::probe::Container;

/// A segment's number in the URIs of this stream: the publisher's sequence number, until a publisher begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(pub u64);

/// A segment as the publisher sent it.
#[derive(Clone, Debug)]
pub struct SourceSegment {
    /// The whole segment.
    pub bytes: Bytes,
    /// Its container. Only MPEG-TS is listed.
    pub container: Container,
    /// Media time. Listed in milliseconds.
    pub duration: Duration,
    /// Wall clock of its first frame; its arrival less its duration where nothing better is known. It dates the first
    /// segment and those after a jump; the others follow from the durations, free of the network's jitter.
    pub start: SystemTime,
    /// Its timestamps do not continue those of its predecessor (reconnect, encoder restart).
    pub discontinuity: bool,
    /// What is known of its streams.
    pub facts: Facts,
}

/// A rendition of a segment as an orchestrator returned it.
#[derive(Clone, Debug)]
pub struct RenditionSegment {
    /// The whole segment, MPEG-TS. Empty counts as missing.
    pub bytes: Bytes,
    /// What is known of its streams.
    pub facts: Facts,
}

/// When the renditions of a segment are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// The first segment's: the master appears without measured renditions.
    pub soft: Instant,
    /// The segment is a gap.
    pub hard: Instant,
}

/// What is known of a segment's streams; all of it goes into the master only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Visible pixels.
    pub size: Option<Size>,
    /// Frames a second.
    pub frame_rate: Option<FrameRate>,
    /// The video track.
    pub video: Codec,
    /// The audio track.
    pub audio: Codec,
}

/// What a track is coded with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// There is no such track.
    Absent,
    /// There may be one, and its name is not known. The variant is then listed without CODECS, which must name all of
    /// its tracks or none.
    #[default]
    Unknown,
    /// Its RFC 6381 name, such as `avc1.64001f` or `mp4a.40.2`.
    Named(String),
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Frames a second, as an exact fraction above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRate {
    num: NonZeroU32,
    den: NonZeroU32,
}

// === impl Size ===

impl Size {
    /// Width times height.
    #[must_use]
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

// === impl FrameRate ===

impl FrameRate {
    /// `num / den` frames a second; None when either is zero.
    #[must_use]
    pub fn new(num: u32, den: u32) -> Option<Self> {
        Some(Self {
            num: NonZeroU32::new(num)?,
            den: NonZeroU32::new(den)?,
        })
    }

    /// `hertz` frames a second, to a thousandth; None unless that is above zero and below four million.
    #[must_use]
    pub fn from_hertz(hertz: f64) -> Option<Self> {
        let thousandths = (hertz * 1000.0).round();
        let fits = (1.0..=f64::from(u32::MAX)).contains(&thousandths);
        // In range, so nothing is cut off.
        fits.then_some(thousandths as u32)
            .and_then(|thousandths| Self::new(thousandths, 1000))
    }

    /// Thousandths of a frame a second, rounded.
    #[must_use]
    pub fn thousandths(self) -> u64 {
        let (num, den) = (u64::from(self.num.get()), u64::from(self.den.get()));
        (num * 1000 + den / 2) / den
    }
}

#[cfg(test)]
mod tests {
    use super::FrameRate;

    #[test]
    fn frame_rates_are_rounded_to_thousandths() {
        let thousandths = |num, den| FrameRate::new(num, den).map(FrameRate::thousandths);
        assert_eq!(thousandths(30, 1), Some(30_000));
        assert_eq!(thousandths(30_000, 1001), Some(29_970));
        assert_eq!(thousandths(24_000, 1001), Some(23_976));
        assert_eq!(thousandths(0, 1), None, "zero keeps the source's timing");
        assert_eq!(thousandths(30, 0), None);
        assert_eq!(thousandths(u32::MAX, 1), Some(4_294_967_295_000));
    }

    #[test]
    fn measured_rates_are_taken_when_they_are_rates() {
        let thousandths = |hertz| FrameRate::from_hertz(hertz).map(FrameRate::thousandths);
        assert_eq!(thousandths(29.97003), Some(29_970));
        assert_eq!(thousandths(25.0), Some(25_000));
        for hertz in [0.0, -1.0, 0.0001, 1e12, f64::NAN, f64::INFINITY] {
            assert_eq!(thousandths(hertz), None, "{hertz}");
        }
    }
}
