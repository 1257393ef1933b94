//! The renditions of `transcoding-options`: names of presets, or a file.
//!
//! As in go-livepeer the value is a file where there is one of that name. A value that looks like a file (it has a `/`
//! or ends in `.json`) and is not there is said to be missing, instead of an unknown preset.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use pointsman_wire::profile::{self, Profile};

use super::decoder::Decoder;

const KEY: &str = "transcoding-options";

/// Longest file of profiles, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// At least one profile, unless a problem was noted.
pub(super) fn decode(decoder: &mut Decoder<'_>) -> Vec<Profile> {
    let base = decoder.source(KEY).base();
    let names = decoder.many(KEY, |name| Ok(name.to_owned())).join(",");
    let parsed = match names.as_str() {
        "" => Err("names no rendition: leave it out for the default ones".to_owned()),
        names => read(&base.join(names), names),
    };
    match parsed {
        Ok(profiles) if profiles.is_empty() => {
            decoder.refuse(&[KEY], "the file lists no rendition");
            profiles
        }
        Ok(profiles) => profiles,
        Err(message) => {
            decoder.refuse(&[KEY], message);
            Vec::new()
        }
    }
}

fn read(path: &Path, names: &str) -> Result<Vec<Profile>, String> {
    let shown = path.display();
    if !path.is_file() {
        if names.contains('/') || names.ends_with(".json") {
            return Err(format!("there is no file {shown}"));
        }
        return profile::presets(names).map_err(|error| error.to_string());
    }
    let text = capped(path, MAX_FILE).map_err(|error| format!("{shown}: {error}"))?;
    let json =
        serde_json::from_str(&text).map_err(|error| format!("{shown} is not JSON: {error}"))?;
    profile::from_json(&json, "profiles").map_err(|error| format!("{shown}: {error}"))
}

/// A text file of at most `most` bytes.
pub(super) fn capped(path: &Path, most: u64) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(most + 1).read_to_string(&mut text)?;
    if text.len() as u64 > most {
        return Err(std::io::Error::other(format!("longer than {most} bytes")));
    }
    Ok(text)
}
