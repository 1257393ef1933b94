//! Profiles as they travel: [`net::VideoProfile`] and back.

use crate::net;
use crate::net::video_profile as wire;

use super::{
    Chroma, ColourDepth, Encoder, EncoderProfile, Format, Gop, MAX_SIDE, Profile, ProfileError,
    ProfileName,
};

/// `gop` of a profile whose every frame is a key frame.
const INTRA: i32 = -1;

// === impl Profile ===

impl Profile {
    /// The message of this profile. An unset format is MPEG-TS.
    #[must_use]
    pub fn to_message(&self) -> net::VideoProfile {
        net::VideoProfile {
            name: self.name.as_str().to_owned(),
            width: self.width.cast_signed(),
            height: self.height.cast_signed(),
            bitrate: self.bitrate.cast_signed(),
            fps: self.fps,
            format: match self.format {
                None | Some(Format::MpegTs) => wire::Format::Mpegts,
                Some(Format::Mp4) => wire::Format::Mp4,
            } as i32,
            fps_den: self.fps_den,
            profile: match self.encoder_profile {
                EncoderProfile::Unset => wire::Profile::EncoderDefault,
                EncoderProfile::Baseline => wire::Profile::H264Baseline,
                EncoderProfile::Main => wire::Profile::H264Main,
                EncoderProfile::High => wire::Profile::H264High,
                EncoderProfile::ConstrainedHigh => wire::Profile::H264ConstrainedHigh,
            } as i32,
            gop: match self.gop {
                Gop::Unset => 0,
                Gop::Intra => INTRA,
                Gop::Millis(ms) => i32::try_from(ms).unwrap_or(i32::MAX),
            },
            encoder: match self.encoder {
                Encoder::H264 => wire::VideoCodec::H264,
                Encoder::Hevc => wire::VideoCodec::H265,
                Encoder::Vp8 => wire::VideoCodec::Vp8,
                Encoder::Vp9 => wire::VideoCodec::Vp9,
            } as i32,
            color_depth: self.colour_depth.above_eight(),
            chroma_format: match self.chroma {
                Chroma::Yuv420 => wire::ChromaSubsampling::Chroma420,
                Chroma::Yuv422 => wire::ChromaSubsampling::Chroma422,
                Chroma::Yuv444 => wire::ChromaSubsampling::Chroma444,
            } as i32,
            quality: self.quality,
        }
    }
}

impl TryFrom<&net::VideoProfile> for Profile {
    type Error = ProfileError;

    /// Reads a message. An orchestrator that answers as go-livepeer does takes more than this (a width of 0, an empty
    /// name) and reads the message itself.
    fn try_from(message: &net::VideoProfile) -> Result<Self, ProfileError> {
        let side = |field: &str, value: i32| {
            u32::try_from(value)
                .ok()
                .filter(|side| (1..=MAX_SIDE).contains(side))
                .ok_or_else(|| out_of_range(field, value))
        };
        Ok(Self {
            name: ProfileName::new(&message.name)?,
            width: side("width", message.width)?,
            height: side("height", message.height)?,
            bitrate: u32::try_from(message.bitrate)
                .map_err(|_| out_of_range("bitrate", message.bitrate))?,
            fps: message.fps,
            fps_den: message.fps_den,
            encoder_profile: match wire::Profile::try_from(message.profile) {
                Ok(wire::Profile::EncoderDefault) => EncoderProfile::Unset,
                Ok(wire::Profile::H264Baseline) => EncoderProfile::Baseline,
                Ok(wire::Profile::H264Main) => EncoderProfile::Main,
                Ok(wire::Profile::H264High) => EncoderProfile::High,
                Ok(wire::Profile::H264ConstrainedHigh) => EncoderProfile::ConstrainedHigh,
                Err(_) => return Err(out_of_range("profile", message.profile)),
            },
            gop: match message.gop {
                0 => Gop::Unset,
                ms => u32::try_from(ms).map_or(Gop::Intra, Gop::Millis),
            },
            encoder: match wire::VideoCodec::try_from(message.encoder) {
                Ok(wire::VideoCodec::H264) => Encoder::H264,
                Ok(wire::VideoCodec::H265) => Encoder::Hevc,
                Ok(wire::VideoCodec::Vp8) => Encoder::Vp8,
                Ok(wire::VideoCodec::Vp9) => Encoder::Vp9,
                Err(_) => return Err(out_of_range("encoder", message.encoder)),
            },
            colour_depth: ColourDepth::from_above_eight(i64::from(message.color_depth))
                .ok_or_else(|| out_of_range("colorDepth", message.color_depth))?,
            chroma: Chroma::from_number(i64::from(message.chroma_format))
                .ok_or_else(|| out_of_range("chromaFormat", message.chroma_format))?,
            quality: message.quality,
            format: Some(match wire::Format::try_from(message.format) {
                Ok(wire::Format::Mpegts) => Format::MpegTs,
                Ok(wire::Format::Mp4) => Format::Mp4,
                Err(_) => return Err(out_of_range("format", message.format)),
            }),
        })
    }
}

// === impl ColourDepth ===

impl ColourDepth {
    /// Bits above eight: the protocol's number.
    #[must_use]
    pub fn above_eight(self) -> i32 {
        match self {
            Self::Eight => 0,
            Self::Ten => 2,
            Self::Twelve => 4,
            Self::Sixteen => 8,
        }
    }

    pub(super) fn from_above_eight(bits: i64) -> Option<Self> {
        Some(match bits {
            0 => Self::Eight,
            2 => Self::Ten,
            4 => Self::Twelve,
            8 => Self::Sixteen,
            _ => return None,
        })
    }
}

// === impl Chroma ===

impl Chroma {
    pub(super) fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            0 => Self::Yuv420,
            1 => Self::Yuv422,
            2 => Self::Yuv444,
            _ => return None,
        })
    }
}

fn out_of_range(field: &str, value: i32) -> ProfileError {
    ProfileError::Field {
        field: field.to_owned(),
        problem: format!("{value} is out of range"),
    }
}
