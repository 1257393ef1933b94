//! The `Livepeer-Segment` header: base64 of a [`SegData`], the order that goes with a segment's bytes.
//!
//! # What is signed
//!
//! `F = manifest id || sequence as 32 big-endian bytes || keccak(segment) || ids`, where `ids` is the lower-case hex of
//! each profile's id. Nothing else is covered: an orchestrator could be shown another duration or bitrate under the same
//! signature. Off-chain the signature is empty.
//!
//! # Which list of profiles
//!
//! Orchestrators of different age read different fields, so the oldest list that can say what is asked is filled, and
//! only that one ([`ProfileList`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;

use crate::limits::MAX_SEGMENT_DURATION;
use crate::net::{AuthToken, Capabilities, OsInfo, SegData, SegParameters};
use crate::profile::{EncoderProfile, Format, Gop, Profile};
use crate::sign::B256;

mod received;
#[cfg(test)]
mod tests;

pub use received::{Received, decode};

/// Name of the header.
pub const HEADER: &str = "Livepeer-Segment";
/// `Content-Type` of a body that is the segment, whatever its container.
pub const MEDIA_TYPE: &str = "video/MP2T";
/// `Content-Type` of a body that is the address of the segment.
pub const URI_TYPE: &str = "application/vnd+livepeer.uri";
/// What stands in the field that formerly held profile ids.
const NO_PROFILES: &[u8] = b"invalid";

/// An order for one segment and one session.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// Stream id; the same for all segments of a stream.
    pub manifest_id: &'a str,
    /// Number of the segment, at most `i64::MAX`.
    pub sequence: u64,
    /// Keccak-256 of the segment's bytes, also when the body is only their address.
    pub hash: B256,
    /// Milliseconds, at most 300 000. 0 counts as 2000.
    pub duration_ms: u32,
    /// Renditions.
    pub profiles: &'a [Profile],
    /// The job's.
    pub capabilities: &'a Capabilities,
    /// The session's.
    pub auth_token: &'a AuthToken,
    /// Part to cut out.
    pub slice: Option<Slice>,
    /// Whether the input's format changed within the stream.
    pub reinit: bool,
    /// Whether perceptual hashes are wanted.
    pub perceptual_hash: bool,
    /// Where the gateway wants results stored.
    pub storage: Option<&'a OsInfo>,
}

/// A part of a segment, in milliseconds from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// Start.
    pub from_ms: u64,
    /// End; not before the start.
    pub to_ms: u64,
}

/// The field of [`SegData`] that carries the profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileList {
    /// `fullProfiles`: MPEG-TS and nothing newer.
    First,
    /// `fullProfiles2`: some rendition is not MPEG-TS.
    Second,
    /// `fullProfiles3`: some rendition has a denominator (even 1), an encoder profile or a GOP.
    Third,
}

/// An order that cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Larger than `i64::MAX`.
    #[error("segment number {0} is too large")]
    Sequence(u64),
    /// Longer than 300 s.
    #[error("a segment of {0} ms is too long: at most 300000")]
    Duration(u32),
}

/// Which list an orchestrator of any age understands these profiles from.
#[must_use]
pub fn profile_list(profiles: &[Profile]) -> ProfileList {
    let newer = |p: &Profile| {
        p.fps_den != 0 || p.encoder_profile != EncoderProfile::Unset || p.gop != Gop::Unset
    };
    if profiles.iter().any(newer) {
        ProfileList::Third
    } else if profiles.iter().any(|p| p.format == Some(Format::Mp4)) {
        ProfileList::Second
    } else {
        ProfileList::First
    }
}

/// What a segment's signature covers. Names of profiles come in the order of the list.
#[must_use]
pub fn preimage<'n>(
    manifest_id: &[u8],
    sequence: u64,
    hash: &[u8],
    names: impl IntoIterator<Item = &'n str>,
) -> Vec<u8> {
    let mut bytes = manifest_id.to_vec();
    bytes.extend([0; 24]);
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(hash);
    for name in names {
        bytes.extend(hex::encode(crate::profile::id(name)).into_bytes());
    }
    bytes
}

/// The header's value.
#[must_use]
pub fn encode(data: &SegData) -> String {
    STANDARD.encode(data.encode_to_vec())
}

// === impl Order ===

impl Order<'_> {
    /// What the signature covers.
    #[must_use]
    pub fn preimage(&self) -> Vec<u8> {
        let names = self.profiles.iter().map(|profile| profile.name.as_str());
        preimage(
            self.manifest_id.as_bytes(),
            self.sequence,
            self.hash.as_slice(),
            names,
        )
    }

    /// The message, with the signature over [`preimage`](Self::preimage); off-chain an empty one.
    ///
    /// # Errors
    ///
    /// When sequence or duration is out of range.
    pub fn message(&self, signature: &[u8]) -> Result<SegData, OrderError> {
        let seq = i64::try_from(self.sequence).map_err(|_| OrderError::Sequence(self.sequence))?;
        let duration = i32::try_from(self.duration_ms)
            .ok()
            .filter(|&ms| ms as u128 <= MAX_SEGMENT_DURATION.as_millis())
            .ok_or(OrderError::Duration(self.duration_ms))?;
        let mut data = SegData {
            manifest_id: self.manifest_id.as_bytes().to_vec(),
            seq,
            hash: self.hash.to_vec(),
            profiles: NO_PROFILES.to_vec(),
            sig: signature.to_vec(),
            duration,
            capabilities: Some(self.capabilities.clone()),
            auth_token: Some(self.auth_token.clone()),
            calc_perceptual_hash: self.perceptual_hash,
            storage: self.storage.cloned().into_iter().collect(),
            segment_parameters: self.slice.map(|slice| SegParameters {
                from: slice.from_ms,
                to: slice.to_ms,
            }),
            force_session_reinit: self.reinit,
            ..Default::default()
        };
        let profiles = self.profiles.iter().map(Profile::to_message).collect();
        match profile_list(self.profiles) {
            ProfileList::First => data.full_profiles = profiles,
            ProfileList::Second => data.full_profiles2 = profiles,
            ProfileList::Third => data.full_profiles3 = profiles,
        }
        Ok(data)
    }
}
