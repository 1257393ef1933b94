//! What a transcoding job asks for.

use super::{Capability, Set};
use crate::net;
use crate::profile::{Encoder, EncoderProfile, Format, Gop, Profile};

/// A stream's job, known from its first segment and its profiles.
#[derive(Clone, Debug)]
pub struct TranscodeJob<'a> {
    /// Video codec of the input.
    pub codec: Codec,
    /// Pixel format of the input; `None` while unknown.
    pub pixel_format: Option<PixelFormat>,
    /// Renditions.
    pub profiles: &'a [Profile],
    /// Whether segments may be sliced. Always for HTTP push, never for RTMP, whether or not one is.
    pub slicing: bool,
    /// Whether perceptual hashes are asked for.
    pub perceptual_hash: bool,
    /// Where the gateway wants results stored.
    pub storage: Option<Storage>,
    /// Lowest version of an orchestrator; empty: any.
    pub min_version: &'a str,
}

/// Video codec of an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Also where it is unknown.
    #[default]
    H264,
    /// HEVC.
    H265,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
}

/// Pixel format of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PixelFormat {
    /// Subsampling.
    pub chroma: crate::profile::Chroma,
    /// Bits a sample.
    pub bits: u8,
}

/// Where a gateway wants results stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    /// At the orchestrator, said explicitly.
    Direct,
    /// In S3.
    S3,
    /// In Google storage.
    Gcs,
}

/// No orchestrator can decode this pixel format: the input is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("H.264 input with {} bits a sample in {:?} cannot be transcoded: use 4:2:0 with 8 bits", .0.bits, .0.chroma)]
pub struct PixelFormatError(pub PixelFormat);

// === impl TranscodeJob ===

impl TranscodeJob<'_> {
    /// The job's set.
    ///
    /// # Errors
    ///
    /// When the input's pixel format is one that nobody decodes.
    pub fn set(&self) -> Result<Set, PixelFormatError> {
        let mut needs = vec![Capability::AuthToken, self.codec.decoder()];
        needs.extend(self.pixels()?);
        needs.extend(self.perceptual_hash.then_some(Capability::Mpeg7Signature));
        needs.extend(self.slicing.then_some(Capability::SegmentSlicing));
        needs.extend(self.storage.map(Storage::capability));
        for profile in self.profiles {
            needs.extend(of_profile(profile));
        }
        Ok(needs.into_iter().collect())
    }

    /// The message of the job: no capacities, no mandatories, no version, and constraints even where they are empty.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn capabilities(&self) -> Result<net::Capabilities, PixelFormatError> {
        Ok(net::Capabilities {
            bitstring: self.set()?.words().to_vec(),
            constraints: Some(net::capabilities::Constraints {
                min_version: self.min_version.to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        })
    }

    fn pixels(&self) -> Result<Option<Capability>, PixelFormatError> {
        use crate::profile::Chroma::{Yuv420, Yuv422, Yuv444};
        let (Codec::H264, Some(format)) = (self.codec, self.pixel_format) else {
            return Ok(None);
        };
        Ok(Some(match (format.chroma, format.bits) {
            (Yuv420, 8) => return Ok(None),
            (Yuv444, 8) => Capability::H264Decode444At8,
            (Yuv422, 8) => Capability::H264Decode422At8,
            (Yuv444, 10) => Capability::H264Decode444At10,
            (Yuv422, 10) => Capability::H264Decode422At10,
            (Yuv420, 10) => Capability::H264Decode420At10,
            _ => return Err(PixelFormatError(format)),
        }))
    }
}

fn of_profile(profile: &Profile) -> impl Iterator<Item = Capability> {
    let container = match profile.format {
        None | Some(Format::MpegTs) => Capability::MpegTs,
        Some(Format::Mp4) => Capability::Mp4,
    };
    let encoder = match profile.encoder {
        Encoder::H264 => Capability::H264,
        Encoder::Hevc => Capability::HevcEncode,
        Encoder::Vp8 => Capability::Vp8Encode,
        Encoder::Vp9 => Capability::Vp9Encode,
    };
    let encoder_profile = match profile.encoder_profile {
        EncoderProfile::Unset => None,
        EncoderProfile::Baseline => Some(Capability::ProfileH264Baseline),
        EncoderProfile::Main => Some(Capability::ProfileH264Main),
        EncoderProfile::High => Some(Capability::ProfileH264High),
        EncoderProfile::ConstrainedHigh => Some(Capability::ProfileH264ConstrainedHigh),
    };
    let fractional = (profile.fps_den > 0).then_some(Capability::FractionalFramerates);
    let gop = (profile.gop != Gop::Unset).then_some(Capability::Gop);
    [container, encoder]
        .into_iter()
        .chain(encoder_profile)
        .chain(fractional)
        .chain(gop)
}

// === impl Codec ===

impl Codec {
    fn decoder(self) -> Capability {
        match self {
            Self::H264 => Capability::H264,
            Self::H265 => Capability::HevcDecode,
            Self::Vp8 => Capability::Vp8Decode,
            Self::Vp9 => Capability::Vp9Decode,
        }
    }
}

// === impl Storage ===

impl Storage {
    fn capability(self) -> Capability {
        match self {
            Self::Direct => Capability::StorageDirect,
            Self::S3 => Capability::StorageS3,
            Self::Gcs => Capability::StorageGcs,
        }
    }
}
