//! The header as an orchestrator reads it (checks 2 and 3 of the protocol), with go-livepeer's answers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;

use crate::limits::{DEFAULT_SEGMENT, MAX_HEADER_BYTES, MAX_SEGMENT_DURATION};
use crate::net::video_profile::{Format, Profile as EncoderProfile, VideoCodec};
use crate::net::{SegData, VideoProfile};
use crate::refusal::{NOT_PROTOBUF, Refusal};

/// A segment header that an orchestrator can work with.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The message.
    pub data: SegData,
    /// Its newest list of profiles; absent names replaced by `net_{width}x{height}_{bitrate}`. Sizes are not checked.
    pub profiles: Vec<VideoProfile>,
    /// Duration; never 0.
    pub duration: Duration,
}

/// Decodes the header's value. An absent header is an empty one: it decodes, and is refused for its missing token.
///
/// # Errors
///
/// The 403 that go-livepeer answers.
pub fn decode(header: &str) -> Result<Received, Refusal> {
    let forbidden = |text: &str| Refusal::new(403, text);
    if header.len() > MAX_HEADER_BYTES {
        return Err(forbidden("ErrorSegEncoding"));
    }
    let bytes = STANDARD
        .decode(header)
        .map_err(|_| forbidden("ErrorSegEncoding"))?;
    let mut data = SegData::decode(bytes.as_slice()).map_err(|_| forbidden(NOT_PROTOBUF))?;
    let lists = [
        &mut data.full_profiles3,
        &mut data.full_profiles2,
        &mut data.full_profiles,
    ];
    let newest = lists.into_iter().find(|list| !list.is_empty());
    let mut profiles = newest.map(|list| list.clone()).unwrap_or_default();
    for profile in &mut profiles {
        Format::try_from(profile.format)
            .map_err(|_| forbidden("unrecognized profile output format"))?;
        EncoderProfile::try_from(profile.profile)
            .map_err(|_| forbidden("unrecognized encoder profile"))?;
        VideoCodec::try_from(profile.encoder).map_err(|_| forbidden("unrecognized video codec"))?;
        if profile.name.is_empty() {
            profile.name = format!(
                "net_{}x{}_{}",
                profile.width, profile.height, profile.bitrate
            );
        }
    }
    let duration = u64::try_from(data.duration)
        .map(Duration::from_millis)
        .ok()
        .filter(|&duration| duration <= MAX_SEGMENT_DURATION)
        .ok_or_else(|| forbidden("invalid duration"))?;
    Ok(Received {
        data,
        profiles,
        duration: match duration {
            Duration::ZERO => DEFAULT_SEGMENT,
            duration => duration,
        },
    })
}

// === impl Received ===

impl Received {
    /// What the signature must cover.
    #[must_use]
    pub fn preimage(&self) -> Vec<u8> {
        super::preimage(
            &self.data.manifest_id,
            self.data.seq.unsigned_abs(),
            &self.data.hash,
            self.profiles.iter().map(|profile| profile.name.as_str()),
        )
    }
}
