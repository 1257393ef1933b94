//! Whether what an orchestrator returned can be played.

use std::time::Duration;

use super::{Container, Video, VideoCodec, container, mp4, seconds, ts};
use crate::flv::TICKS;

/// What a sound rendition says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct RenditionFacts {
    /// How it is packed.
    pub container: Container,
    /// The video track; it has pictures, and H.264 has a size.
    pub video: Video,
    /// Whether sound came along.
    pub has_audio: bool,
    /// Presentation time of the first picture, 90 kHz, modulo 2^33; MPEG-TS only.
    pub start_pts: Option<i64>,
    /// Of the video.
    pub duration: Option<Duration>,
}

/// Why a rendition must not be listed: the orchestrator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRendition {
    /// Nothing there.
    #[error("the rendition is empty")]
    Empty,
    /// Neither MPEG-TS nor MP4.
    #[error("the rendition is neither MPEG-TS nor MP4")]
    Garbage,
    /// Packets or boxes do not line up, are marked as damaged, or are missing.
    #[error("the rendition is damaged or cut short")]
    Damaged,
    /// No video track, or nothing in it.
    #[error("the rendition has no pictures")]
    NoPictures,
    /// H.264 without a sequence parameter set: no player can start with it.
    #[error("the rendition has no parameter sets")]
    NoParameterSets,
}

/// Checks a rendition, without decoding it.
///
/// # Errors
///
/// [`BadRendition`]: try another orchestrator.
pub fn check_rendition(bytes: &[u8]) -> Result<RenditionFacts, BadRendition> {
    if bytes.is_empty() {
        return Err(BadRendition::Empty);
    }
    let facts = match container(bytes) {
        Some(Container::MpegTs) => check_ts(bytes)?,
        Some(Container::Mp4) => check_mp4(bytes)?,
        None => return Err(BadRendition::Garbage),
    };
    if facts.video.frames == 0 {
        return Err(BadRendition::NoPictures);
    }
    if facts.video.codec == VideoCodec::H264 && facts.video.resolution.is_none() {
        return Err(BadRendition::NoParameterSets);
    }
    Ok(facts)
}

fn check_ts(bytes: &[u8]) -> Result<RenditionFacts, BadRendition> {
    let scan = ts::Scan::new(bytes);
    if scan.lost > 0 || scan.damaged > 0 {
        return Err(BadRendition::Damaged);
    }
    let video = scan.video().ok_or(BadRendition::NoPictures)?;
    let span = scan.video.as_ref().and_then(|track| track.span);
    Ok(RenditionFacts {
        container: Container::MpegTs,
        video,
        has_audio: scan.audio.as_ref().is_some_and(|track| track.units > 0),
        start_pts: span.map(|(first, _)| first & 0x1_FFFF_FFFF),
        duration: scan
            .duration()
            .and_then(|ticks| seconds(ticks, TICKS as u32)),
    })
}

fn check_mp4(bytes: &[u8]) -> Result<RenditionFacts, BadRendition> {
    let movie = mp4::probe(bytes).ok_or(BadRendition::Garbage)?;
    if movie.cut_short {
        return Err(BadRendition::Damaged);
    }
    Ok(RenditionFacts {
        container: Container::Mp4,
        video: movie.probe.video.ok_or(BadRendition::NoPictures)?,
        has_audio: movie.probe.audio.is_some(),
        start_pts: None,
        duration: movie.probe.duration,
    })
}
