//! Profiles as JSON: the form of the auth webhook, of the push header and of a file of transcoding options.
//!
//! Field names match in any case and unknown ones are ignored, as Go decodes; `null` is the default. What Go would let
//! pass out of range is an error here that names the field.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{
    Chroma, ColourDepth, Encoder, EncoderProfile, Gop, MAX_SIDE, Profile, ProfileError,
    ProfileName, check_list,
};

/// Highest frame rate, in frames a second.
const MAX_FPS: u32 = 1000;
/// Largest constant rate factor that an encoder uses.
const MAX_QUALITY: i64 = 63;
/// Longest distance of key frames, in seconds.
const MAX_GOP: f64 = 3600.0;

/// One object, and where it stands for errors.
struct Fields<'v> {
    at: &'v str,
    values: &'v Map<String, Value>,
}

/// Reads an array of profiles. `field` is what errors call it, such as `profiles`.
///
/// # Errors
///
/// The first field that is wrong, as `profiles[1].gop`; or a name listed twice.
pub fn from_json(array: &Value, field: &str) -> Result<Vec<Profile>, ProfileError> {
    let Value::Array(items) = array else {
        return Err(wrong(
            field,
            format!("{} is not a list of profiles", kind(array)),
        ));
    };
    let profiles = items
        .iter()
        .enumerate()
        .map(|(i, item)| read(item, &format!("{field}[{i}]")))
        .collect::<Result<Vec<_>, _>>()?;
    check_list(&profiles)?;
    Ok(profiles)
}

/// The JSON that [`from_json`] reads back to the same profile, its format aside: that is the stream's.
#[must_use]
pub fn to_json(profile: &Profile) -> Value {
    json!({
        "name": profile.name,
        "width": profile.width,
        "height": profile.height,
        "bitrate": profile.bitrate,
        "fps": profile.fps,
        "fpsDen": profile.fps_den,
        "profile": profile.encoder_profile.name(),
        "gop": profile.gop.to_string(),
        "encoder": profile.encoder.name(),
        "colorDepth": profile.colour_depth.above_eight(),
        "chromaFormat": profile.chroma as u8,
        "quality": profile.quality,
    })
}

fn read(value: &Value, at: &str) -> Result<Profile, ProfileError> {
    let Value::Object(values) = value else {
        return Err(wrong(at, format!("{} is not a profile", kind(value))));
    };
    let fields = Fields { at, values };
    let width = fields.number("width", 1, MAX_SIDE.into())?;
    let height = fields.number("height", 1, MAX_SIDE.into())?;
    let quality = fields.number("quality", 0, MAX_QUALITY)?;
    let bitrate = fields.number("bitrate", i64::from(quality == 0), i32::MAX.into())?;
    let fps = fields.number("fps", 0, u32::MAX.into())?;
    let fps_den = fields.number("fpsDen", 0, u32::MAX.into())?;
    if fps > fps_den.max(1).saturating_mul(MAX_FPS) {
        return Err(fields.wrong("fps", format!("more than {MAX_FPS} frames a second")));
    }
    let name = match fields.text("name")? {
        "" => format!("custom_{width}x{height}_{bitrate}"),
        name => name.to_owned(),
    };
    Ok(Profile {
        name: ProfileName::new(&name).map_err(|error| match error {
            ProfileError::Name { name, problem } => {
                fields.wrong("name", format!("{name:?} {problem}"))
            }
            other => other,
        })?,
        width,
        height,
        bitrate,
        fps,
        fps_den,
        encoder_profile: fields.encoder_profile()?,
        gop: fields.gop()?,
        encoder: fields.encoder()?,
        colour_depth: fields.choice(
            "colorDepth",
            "0, 2, 4 or 8 (bits above 8)",
            ColourDepth::from_above_eight,
        )?,
        chroma: fields.choice(
            "chromaFormat",
            "0 (420), 1 (422) or 2 (444)",
            Chroma::from_number,
        )?,
        quality,
        format: None,
    })
}

// === impl Fields ===

impl Fields<'_> {
    /// The value of a field; `None` where it is absent or null.
    fn get(&self, field: &str) -> Option<&Value> {
        let folded = || {
            let mut entries = self.values.iter();
            entries.find_map(|(name, value)| name.eq_ignore_ascii_case(field).then_some(value))
        };
        let value = self.values.get(field).or_else(folded)?;
        (!value.is_null()).then_some(value)
    }

    fn integer(&self, field: &str) -> Result<i64, ProfileError> {
        let Some(value) = self.get(field) else {
            return Ok(0);
        };
        value
            .as_i64()
            .ok_or_else(|| self.wrong(field, format!("{} is not a whole number", shown(value))))
    }

    fn number(&self, field: &str, least: i64, most: i64) -> Result<u32, ProfileError> {
        let number = self.integer(field)?;
        if !(least..=most).contains(&number) {
            return Err(self.wrong(field, format!("{number} is not within {least} to {most}")));
        }
        Ok(u32::try_from(number).expect("every range of a field is within u32"))
    }

    fn choice<T>(
        &self,
        field: &str,
        choices: &str,
        pick: impl Fn(i64) -> Option<T>,
    ) -> Result<T, ProfileError> {
        let number = self.integer(field)?;
        pick(number).ok_or_else(|| self.wrong(field, format!("{number} is not one of {choices}")))
    }

    fn text(&self, field: &str) -> Result<&str, ProfileError> {
        match self.get(field) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(value) => Err(self.wrong(field, format!("{} is not text", shown(value)))),
        }
    }

    fn encoder_profile(&self) -> Result<EncoderProfile, ProfileError> {
        let text = self.text("profile")?;
        let lower = text.to_ascii_lowercase();
        if matches!(lower.as_str(), "" | "none") {
            return Ok(EncoderProfile::Unset);
        }
        let mut all = EncoderProfile::ALL.into_iter();
        all.find(|profile| profile.name() == lower).ok_or_else(|| {
            let choices = "none, h264baseline, h264main, h264high or h264constrainedhigh";
            self.wrong("profile", format!("{} is not one of {choices}", clip(text)))
        })
    }

    fn encoder(&self) -> Result<Encoder, ProfileError> {
        let text = self.text("encoder")?;
        if text.is_empty() {
            return Ok(Encoder::H264);
        }
        let mut all = Encoder::ALL.into_iter();
        all.find(|encoder| encoder.name() == text).ok_or_else(|| {
            let choices = "H.264, HEVC, VP8 or VP9";
            self.wrong("encoder", format!("{} is not one of {choices}", clip(text)))
        })
    }

    fn gop(&self) -> Result<Gop, ProfileError> {
        let text = self.text("gop")?;
        match text {
            "" => return Ok(Gop::Unset),
            "intra" => return Ok(Gop::Intra),
            _ => {}
        }
        match text.parse::<f64>() {
            // Whole milliseconds, cut off as Go's durations are; but through microseconds, so that 2.001 is 2001.
            Ok(seconds) if (0.0..=MAX_GOP).contains(&seconds) => {
                let microseconds = (seconds * 1e6).round() as u64;
                Ok(match u32::try_from(microseconds / 1000) {
                    Ok(ms) if ms > 0 => Gop::Millis(ms),
                    _ => Gop::Unset,
                })
            }
            _ => {
                let text = clip(text);
                let problem = format!("{text} is neither \"intra\" nor 0 to {MAX_GOP} seconds");
                Err(self.wrong("gop", problem))
            }
        }
    }

    fn wrong(&self, field: &str, problem: String) -> ProfileError {
        match self.at {
            "" => wrong(field, problem),
            at => wrong(&format!("{at}.{field}"), problem),
        }
    }
}

// === impl Profile ===

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_json(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(&Value::deserialize(deserializer)?, "").map_err(D::Error::custom)
    }
}

// === impl EncoderProfile ===

impl EncoderProfile {
    const ALL: [Self; 5] = [
        Self::Unset,
        Self::Baseline,
        Self::Main,
        Self::High,
        Self::ConstrainedHigh,
    ];

    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unset => "none",
            Self::Baseline => "h264baseline",
            Self::Main => "h264main",
            Self::High => "h264high",
            Self::ConstrainedHigh => "h264constrainedhigh",
        }
    }
}

// === impl Encoder ===

impl Encoder {
    const ALL: [Self; 4] = [Self::H264, Self::Hevc, Self::Vp8, Self::Vp9];

    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "H.264",
            Self::Hevc => "HEVC",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
        }
    }
}

// === impl Gop ===

impl std::fmt::Display for Gop {
    /// As in JSON: empty, `intra` or seconds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unset => Ok(()),
            Self::Intra => f.write_str("intra"),
            Self::Millis(ms) => write!(f, "{}.{:03}", ms / 1000, ms % 1000),
        }
    }
}

fn wrong(field: &str, problem: String) -> ProfileError {
    ProfileError::Field {
        field: field.to_owned(),
        problem,
    }
}

/// What an error shows of a value: numbers and short texts themselves, of the rest only what it is.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => clip(text),
        Value::Number(number) => number.to_string(),
        other => kind(other).to_owned(),
    }
}

fn clip(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
