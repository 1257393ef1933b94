//! Rendition profiles: what an orchestrator is asked to make of a segment.
//!
//! # Contract
//!
//! A [`Profile`] that came through [`presets`], [`from_json`] or serde is within range and has a name that is safe as one
//! component of a URL path. The name matters twice: the orchestrator puts it into the path of the result, and its
//! keccak is what the segment's signature covers ([`Profile::id`]). A list must not repeat a name, or two renditions
//! would be one file; [`check_list`] sees to that.
//!
//! # Why stricter than go-livepeer
//!
//! It checks no range, so a width of 0 or a negative bitrate travels to the orchestrator and fails there, once per
//! orchestrator tried, with the orchestrator blamed. An error at the edge that names the field costs nothing.

mod json;
mod presets;
mod video_profile;

#[cfg(test)]
mod tests;

pub use json::{from_json, to_json};
pub use presets::{PRESETS, preset, presets};

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::{MAX_PROFILE_NAME, MAX_PROFILES};
use crate::sign::keccak256;

/// Largest width and height, in pixels.
pub const MAX_SIDE: u32 = 16_384;

/// One rendition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    /// Name, unique in its list.
    pub name: ProfileName,
    /// Pixels, 1 to [`MAX_SIDE`]. The encoder fits the larger side and keeps the source's aspect.
    pub width: u32,
    /// Pixels, 1 to [`MAX_SIDE`].
    pub height: u32,
    /// Bits a second, up to `i32::MAX`. 0 only beside a `quality`, which it would cap.
    pub bitrate: u32,
    /// Numerator of the frame rate; 0 keeps the source's timing.
    pub fps: u32,
    /// Denominator; 0 is unset and means 1. Any other value, also 1, needs an orchestrator with fractional frame rates.
    pub fps_den: u32,
    /// H.264 profile.
    pub encoder_profile: EncoderProfile,
    /// Distance of key frames.
    pub gop: Gop,
    /// Codec of the output.
    pub encoder: Encoder,
    /// Bits a sample.
    pub colour_depth: ColourDepth,
    /// Chroma subsampling.
    pub chroma: Chroma,
    /// Constant rate factor, 1 to 63; 0 is unset.
    pub quality: u32,
    /// Container. `None` takes that of the input; on the wire an unset one is MPEG-TS.
    pub format: Option<Format>,
}

/// A name that is safe as one component of a URL path: 1 to 64 bytes, no `/`, `\`, control character, `?`, `#` or `%`,
/// neither `.` nor `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProfileName(Arc<str>);

/// H.264 profile of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EncoderProfile {
    /// The encoder's choice.
    #[default]
    Unset,
    /// `h264baseline`
    Baseline,
    /// `h264main`
    Main,
    /// `h264high`
    High,
    /// `h264constrainedhigh`
    ConstrainedHigh,
}

/// Distance of key frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Gop {
    /// The encoder's choice; each segment starts with a key frame all the same.
    #[default]
    Unset,
    /// Every frame is one.
    Intra,
    /// Milliseconds, at least 1.
    Millis(u32),
}

/// Codec of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoder {
    /// `H.264`
    #[default]
    H264,
    /// `HEVC`
    Hevc,
    /// `VP8`
    Vp8,
    /// `VP9`
    Vp9,
}

/// Bits a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColourDepth {
    /// 8 bits.
    #[default]
    Eight,
    /// 10 bits.
    Ten,
    /// 12 bits.
    Twelve,
    /// 16 bits.
    Sixteen,
}

/// Chroma subsampling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Chroma {
    /// 4:2:0
    #[default]
    Yuv420,
    /// 4:2:2
    Yuv422,
    /// 4:4:4
    Yuv444,
}

/// Container of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// MPEG transport stream, `.ts`.
    MpegTs,
    /// ISO base media, `.mp4`.
    Mp4,
}

/// What is wrong with a profile, or with a list of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// No preset has this name.
    #[error("unknown preset {name:?}{}", nearest_hint(*.nearest))]
    UnknownPreset {
        /// The text.
        name: String,
        /// The preset spelled most like it.
        nearest: Option<&'static str>,
    },
    /// A value that a field cannot have.
    #[error("{field}: {problem}")]
    Field {
        /// Where, such as `profiles[1].gop`.
        field: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A name that cannot be part of a path.
    #[error("profile name {name:?} {problem}")]
    Name {
        /// The text, shortened.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// Two renditions would be one file.
    #[error("profile {0:?} is listed twice")]
    Duplicate(String),
    /// More than [`MAX_PROFILES`].
    #[error("{0} profiles are too many: at most {MAX_PROFILES}")]
    TooMany(usize),
}

/// Checks that a list has no name twice and is not too long.
///
/// # Errors
///
/// [`ProfileError::Duplicate`] or [`ProfileError::TooMany`].
pub fn check_list(profiles: &[Profile]) -> Result<(), ProfileError> {
    if profiles.len() > MAX_PROFILES {
        return Err(ProfileError::TooMany(profiles.len()));
    }
    for (i, profile) in profiles.iter().enumerate() {
        if profiles[..i].iter().any(|other| other.name == profile.name) {
            return Err(ProfileError::Duplicate(profile.name.to_string()));
        }
    }
    Ok(())
}

/// The id of a profile's name: the first four bytes of its keccak-256.
#[must_use]
pub fn id(name: &str) -> [u8; 4] {
    let hash = keccak256(name);
    [hash[0], hash[1], hash[2], hash[3]]
}

fn nearest_hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(": did you mean {name}?"))
}

// === impl Profile ===

impl Profile {
    /// The id that a segment's signature covers.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        id(&self.name)
    }

    /// Frames a second, rounded up, as fees count them; 0 where the source's timing is kept.
    #[must_use]
    pub fn whole_fps(&self) -> u32 {
        self.fps.div_ceil(self.fps_den.max(1))
    }
}

// === impl ProfileName ===

impl ProfileName {
    /// A checked name.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Name`]
    pub fn new(name: &str) -> Result<Self, ProfileError> {
        let problem = if name.is_empty() {
            "is empty"
        } else if name.len() > MAX_PROFILE_NAME {
            "is longer than 64 bytes"
        } else if name == "." || name == ".." {
            "is a directory"
        } else if name.contains(|c: char| c.is_control() || r"/\?#%".contains(c)) {
            r"contains one of / \ ? # % or a control character"
        } else {
            return Ok(Self(name.into()));
        };
        Err(ProfileError::Name {
            name: name.chars().take(MAX_PROFILE_NAME).collect(),
            problem,
        })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for ProfileName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl TryFrom<String> for ProfileName {
    type Error = ProfileError;

    fn try_from(name: String) -> Result<Self, ProfileError> {
        Self::new(&name)
    }
}

impl From<ProfileName> for String {
    fn from(name: ProfileName) -> Self {
        name.as_str().to_owned()
    }
}

// === impl Format ===

impl Format {
    /// The extension of such a file, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::MpegTs => "ts",
            Self::Mp4 => "mp4",
        }
    }

    /// The media type of such a file.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::MpegTs => "video/mp2t",
            Self::Mp4 => "video/mp4",
        }
    }
}
