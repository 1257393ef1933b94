//! What a push says about its segment, in its path and headers.

use std::time::Duration;

use http::header::{ACCEPT, HOST};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use pointsman_facts::Hints;
use pointsman_media::name::{StreamName, StreamPath};
use pointsman_media::probe::{Probe, VideoCodec};
use pointsman_wire::capabilities::{Codec, PixelFormat};
use pointsman_wire::limits::{DEFAULT_SEGMENT, MAX_SEGMENT_DURATION};
use pointsman_wire::profile::{Chroma, Format};
use pointsman_wire::segment::Slice;

use super::refusal::{Refused, refuse, unprocessable};
use crate::ingest::hints;
use crate::ingest::terms::Terms;

/// A push, read.
#[derive(Debug)]
pub(super) struct Pushed {
    pub(super) name: StreamName,
    pub(super) sequence: u64,
    pub(super) format: Format,
    pub(super) duration: Duration,
    pub(super) slice: Option<Slice>,
    pub(super) terms: Option<Terms>,
    pub(super) hints: Option<Hints>,
    pub(super) wants_multipart: bool,
    /// What the webhook is asked about: the URL without its query.
    pub(super) url: String,
}

// === impl Pushed ===

impl Pushed {
    pub(super) fn parse(head: &Parts) -> Result<Self, Refused> {
        let path = head.uri.path();
        let bad = |message: String| refuse(StatusCode::BAD_REQUEST, message);
        let (stem, format) = split_extension(path).ok_or_else(|| {
            bad(format!(
                "{path} is no segment: its name must end in .ts or .mp4"
            ))
        })?;
        let name = StreamPath::parse(path)
            .map_err(|error| bad(error.to_string()))?
            .name
            .ok_or_else(|| {
                bad(format!(
                    "{path} names no stream: push to /live/NAME/SEQUENCE.ts"
                ))
            })?;
        let file = stem.rsplit('/').next().unwrap_or_default();
        Ok(Self {
            name,
            // As go-livepeer: what is no number is the first segment.
            sequence: file.parse().unwrap_or(0).min(i64::MAX as u64),
            format,
            duration: duration(&head.headers)?,
            slice: slice(&head.headers)?,
            terms: terms(&head.headers)?,
            hints: hinted(&head.headers)?,
            wants_multipart: text(&head.headers, ACCEPT.as_str()) == Some("multipart/mixed"),
            url: format!(
                "http://{}{path}",
                text(&head.headers, HOST.as_str()).unwrap_or("localhost")
            ),
        })
    }
}

fn split_extension(path: &str) -> Option<(&str, Format)> {
    if let Some(stem) = path.strip_suffix(".ts") {
        Some((stem, Format::MpegTs))
    } else {
        path.strip_suffix(".mp4").map(|stem| (stem, Format::Mp4))
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
}

fn millis(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name).and_then(|value| value.parse().ok())
}

fn duration(headers: &HeaderMap) -> Result<Duration, Refused> {
    let given = text(headers, "Content-Duration").and_then(|value| value.parse::<i64>().ok());
    let Some(given) = given else {
        return Ok(DEFAULT_SEGMENT);
    };
    u64::try_from(given)
        .ok()
        .map(Duration::from_millis)
        .filter(|&duration| duration <= MAX_SEGMENT_DURATION)
        .ok_or_else(|| {
            let message = format!(
                "invalid duration: Content-Duration is {given} ms, which is not in 0 to 300000"
            );
            refuse(StatusCode::INTERNAL_SERVER_ERROR, message)
        })
}

fn slice(headers: &HeaderMap) -> Result<Option<Slice>, Refused> {
    let from_ms = millis(headers, "Content-Slice-From").unwrap_or(0);
    let to_ms = millis(headers, "Content-Slice-To").unwrap_or(0);
    if from_ms == 0 && to_ms == 0 {
        return Ok(None);
    }
    if to_ms > 0 && from_ms > to_ms {
        let message = format!(
            "Invalid slice config: Content-Slice-From {from_ms} is after Content-Slice-To {to_ms}"
        );
        return Err(refuse(StatusCode::BAD_REQUEST, message));
    }
    Ok(Some(Slice { from_ms, to_ms }))
}

fn terms(headers: &HeaderMap) -> Result<Option<Terms>, Refused> {
    let header = headers
        .get("Livepeer-Transcode-Configuration")
        .filter(|value| !value.is_empty());
    let read = |value: &http::HeaderValue| {
        Terms::from_header(value.as_bytes()).map_err(|error| {
            let message = format!(
                "failed to parse transcode config header Livepeer-Transcode-Configuration: {error}"
            );
            refuse(StatusCode::BAD_REQUEST, message)
        })
    };
    header.map(read).transpose()
}

fn hinted(headers: &HeaderMap) -> Result<Option<Hints>, Refused> {
    let bad = |problem: String| {
        let message = format!("{}: {problem}", hints::HEADER);
        refuse(StatusCode::BAD_REQUEST, message)
    };
    let mut given = headers.get_all(hints::HEADER).iter();
    let Some(value) = given.next() else {
        return Ok(None);
    };
    if given.next().is_some() {
        return Err(bad("is there twice; send one".to_owned()));
    }
    hints::from_header(value.as_bytes())
        .map(Some)
        .map_err(|error| bad(error.to_string()))
}

/// Refuses what no orchestrator will take, without burning one to hear it.
pub(super) fn check(found: &Probe) -> Result<(), Refused> {
    if found.is_audio_only() || found.video.is_none() {
        return Err(unprocessable(
            "TranscoderInvalidVideo: the segment has no video track".to_owned(),
        ));
    }
    match found.video.as_ref().map(|video| video.codec) {
        Some(VideoCodec::Other(tag)) => Err(unprocessable(format!(
            "video codec {tag:#x} cannot be transcoded: push H.264, HEVC, VP8 or VP9"
        ))),
        _ => Ok(()),
    }
}

/// The codec as orchestrators' capabilities name it.
pub(super) fn codec(found: &Probe) -> Codec {
    match found.video.as_ref().map(|video| video.codec) {
        Some(VideoCodec::Hevc) => Codec::H265,
        Some(VideoCodec::Vp8) => Codec::Vp8,
        Some(VideoCodec::Vp9) => Codec::Vp9,
        Some(VideoCodec::H264 | VideoCodec::Other(_)) | None => Codec::H264,
    }
}

/// The pixel format, where it is known and there is a capability for it.
pub(super) fn pixel_format(found: &Probe) -> Option<PixelFormat> {
    let pixels = found.video.as_ref()?.pixels?;
    let chroma = match pixels.chroma {
        420 => Chroma::Yuv420,
        422 => Chroma::Yuv422,
        444 => Chroma::Yuv444,
        _ => return None,
    };
    Some(PixelFormat {
        chroma,
        bits: pixels.bit_depth,
    })
}
