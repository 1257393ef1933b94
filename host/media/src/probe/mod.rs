//! A look at media that came in whole: pushed segments, and renditions that came back.
//!
//! # Contract
//!
//! [`probe`] says what a pushed segment holds and judges nothing; [`check_rendition`] says whether a rendition is fit
//! to be listed. Both read each packet's header once and decode nothing: 50 kB take some microseconds. Both take
//! MPEG-TS and MP4, whatever a header called it, because orchestrators' content types say nothing.
//!
//! # Why MPEG-TS by hand here too
//!
//! mpeg2ts-reader stops at the first lost sync byte, allocates filter tables for every possible PID per program, and
//! logs a warning a packet on hostile input. What is needed is narrower: PAT, PMT, where PES packets start, and the first
//! sequence parameter set. It serves the tests as the second opinion.

mod boxes;
mod fragments;
mod mp4;
mod packets;
mod rendition;
mod ts;

use std::time::Duration;

pub use rendition::{BadRendition, RenditionFacts, check_rendition};

use crate::h264::PixelFormat;

/// What a segment holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// How it is packed.
    pub container: Container,
    /// The first video track declared.
    pub video: Option<Video>,
    /// The first audio track declared.
    pub audio: Option<AudioCodec>,
    /// Of the video; of the audio where there is no video. `None` when nothing says.
    pub duration: Option<Duration>,
}

/// How media is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// MPEG transport stream.
    MpegTs,
    /// ISO base media, fragmented or not.
    Mp4,
}

/// A video track.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    /// What it is coded with.
    pub codec: VideoCodec,
    /// Width and height in pixels. `None` when unknown: H.264 without parameter sets, other codecs in MPEG-TS.
    pub resolution: Option<(u32, u32)>,
    /// How samples are stored; H.264 only.
    pub pixels: Option<PixelFormat>,
    /// Pictures: PES packets in MPEG-TS, samples in MP4.
    pub frames: u32,
    /// Frames a second.
    pub frame_rate: Option<f64>,
    /// RFC 6381, such as `avc1.64001f`; H.264 only.
    pub codec_string: Option<String>,
}

/// What video is coded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoCodec {
    /// H.264, AVC.
    H264,
    /// H.265, HEVC.
    Hevc,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// Anything else: the stream type in MPEG-TS, the sample entry's four characters in MP4.
    Other(u32),
}

/// What audio is coded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioCodec {
    /// AAC, in ADTS, LATM or MP4.
    Aac,
    /// MPEG audio, layers 1 to 3.
    Mpeg,
    /// AC-3 or E-AC-3.
    Ac3,
    /// Opus.
    Opus,
    /// Anything else: the stream type in MPEG-TS, the sample entry's four characters in MP4.
    Other(u32),
}

/// The bytes are neither MPEG-TS nor MP4, or say nothing of any track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither MPEG-TS nor MP4 with a track in it")]
pub struct Unrecognised;

/// Looks at a segment.
///
/// # Errors
///
/// [`Unrecognised`]. go-livepeer lets such a segment through to the orchestrator, whose verdict is the answer.
pub fn probe(bytes: &[u8]) -> Result<Probe, Unrecognised> {
    match container(bytes).ok_or(Unrecognised)? {
        Container::MpegTs => ts::probe(bytes),
        Container::Mp4 => mp4::probe(bytes).map(|movie| movie.probe),
    }
    .ok_or(Unrecognised)
}

/// How the bytes are packed, by their beginning.
#[must_use]
pub fn container(bytes: &[u8]) -> Option<Container> {
    match bytes.get(4..8) {
        Some(b"ftyp" | b"styp" | b"moov" | b"moof" | b"sidx" | b"free") => Some(Container::Mp4),
        _ if packets::first_sync(bytes).is_some() => Some(Container::MpegTs),
        _ => None,
    }
}

// === impl Probe ===

impl Probe {
    /// A video track is declared, but nothing is in it, while there is sound: what some players' recorders push at the
    /// start. Not sent to orchestrators, but stored under every rendition (go-livepeer).
    #[must_use]
    pub fn is_zero_frame(&self) -> bool {
        let empty = |video: &Video| {
            video.frames == 0 || (video.codec == VideoCodec::H264 && video.resolution.is_none())
        };
        self.audio.is_some() && self.video.as_ref().is_some_and(empty)
    }

    /// There is sound and no video track.
    #[must_use]
    pub fn is_audio_only(&self) -> bool {
        self.audio.is_some() && self.video.is_none()
    }
}

/// Ticks of `scale` a second as time.
fn seconds(ticks: u64, scale: u32) -> Option<Duration> {
    let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(scale.max(1));
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests;
