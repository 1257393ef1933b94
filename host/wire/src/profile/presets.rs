//! The presets: profiles known by name.

use super::{
    Chroma, ColourDepth, Encoder, EncoderProfile, Gop, Profile, ProfileError, ProfileName,
    check_list,
};

/// Name, width, height, bits a second and frames a second of every preset.
///
/// `P144p25fps16x9` exists in go-livepeer but is not accepted by name there; here it is.
pub const PRESETS: [(&str, u32, u32, u32, u32); 14] = [
    ("P720p60fps16x9", 1280, 720, 6_000_000, 60),
    ("P720p30fps16x9", 1280, 720, 4_000_000, 30),
    ("P720p25fps16x9", 1280, 720, 3_500_000, 25),
    ("P720p30fps4x3", 960, 720, 3_500_000, 30),
    ("P576p30fps16x9", 1024, 576, 1_500_000, 30),
    ("P576p25fps16x9", 1024, 576, 1_500_000, 25),
    ("P360p30fps16x9", 640, 360, 1_200_000, 30),
    ("P360p25fps16x9", 640, 360, 1_000_000, 25),
    ("P360p30fps4x3", 480, 360, 1_000_000, 30),
    ("P240p30fps16x9", 426, 240, 600_000, 30),
    ("P240p25fps16x9", 426, 240, 600_000, 25),
    ("P240p30fps4x3", 320, 240, 600_000, 30),
    ("P144p30fps16x9", 256, 144, 400_000, 30),
    ("P144p25fps16x9", 256, 144, 400_000, 25),
];

/// The preset of this name.
///
/// # Errors
///
/// [`ProfileError::UnknownPreset`] with the name spelled most like it.
pub fn preset(name: &str) -> Result<Profile, ProfileError> {
    let known = PRESETS.iter().find(|preset| preset.0 == name);
    let &(name, width, height, bitrate, fps) =
        known.ok_or_else(|| ProfileError::UnknownPreset {
            name: name.chars().take(64).collect(),
            nearest: nearest(name),
        })?;
    Ok(Profile {
        name: ProfileName::new(name)?,
        width,
        height,
        bitrate,
        fps,
        fps_den: 0,
        encoder_profile: EncoderProfile::Unset,
        gop: Gop::Unset,
        encoder: Encoder::H264,
        colour_depth: ColourDepth::Eight,
        chroma: Chroma::Yuv420,
        quality: 0,
        format: None,
    })
}

/// Presets separated by commas, such as `P240p30fps16x9,P360p30fps16x9`. Spaces around a name are ignored.
///
/// # Errors
///
/// The first name that is no preset, and a name listed twice.
pub fn presets(list: &str) -> Result<Vec<Profile>, ProfileError> {
    let profiles = list
        .split(',')
        .map(|name| preset(name.trim()))
        .collect::<Result<Vec<_>, _>>()?;
    check_list(&profiles)?;
    Ok(profiles)
}

/// The preset within a third of the longer name's length, if any.
fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > 64 {
        return None;
    }
    let distance = |preset: &str| edits(&name.to_lowercase(), &preset.to_lowercase());
    let (best, edits) = PRESETS
        .iter()
        .map(|preset| (preset.0, distance(preset.0)))
        .min_by_key(|&(_, edits)| edits)?;
    (edits * 3 <= best.len().max(name.len())).then_some(best)
}

/// Levenshtein distance over bytes.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
