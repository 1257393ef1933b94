//! Environment variables: `POINTSMAN_…` and go-livepeer's `LP_…`.
//!
//! An empty variable is one that is not set: that is how Compose files and unit files leave a setting out.

use std::ffi::OsString;

use super::Layer;
use crate::config::golivepeer::{self, NAMES};
use crate::config::nearest::nearest;
use crate::config::setting;
use crate::config::source::Source;

/// Prefix of our own variables.
const OURS: &str = "POINTSMAN_";
/// Prefix of go-livepeer's.
const THEIRS: &str = "LP_";

/// Reads the variables with either prefix; the others are not ours to judge.
pub(in crate::config) fn read(variables: &[(OsString, OsString)]) -> Layer {
    let mut layer = Layer::default();
    let mut ours: Vec<_> = variables
        .iter()
        .map(|(name, value)| (name.to_string_lossy(), value))
        .filter(|(name, _)| name.starts_with(OURS) || name.starts_with(THEIRS))
        .collect();
    ours.sort();
    for (name, value) in ours {
        let source = Source::Environment(name.clone().into_owned());
        match value.to_str() {
            Some(value) => read_one(&mut layer, &name, value.trim(), source),
            None => layer.refuse(source, "is not UTF-8"),
        }
    }
    layer
}

fn read_one(layer: &mut Layer, name: &str, value: &str, source: Source) {
    if let Some(setting) = setting::all().find(|setting| setting.variable() == name) {
        if !value.is_empty() {
            layer.set(setting.key, vec![value.to_owned()], source);
        }
        return;
    }
    match golivepeer::find_variable(name) {
        Some(_) if value.is_empty() => {}
        Some(row) => layer.apply(row.effect(value), source),
        None => layer.refuse(source, unknown(name)),
    }
}

fn unknown(name: &str) -> String {
    let ours = setting::all().map(setting::Setting::variable);
    let theirs = NAMES
        .iter()
        .map(|row| format!("{THEIRS}{}", row.name.to_uppercase()));
    let prefix = if name.starts_with(OURS) { OURS } else { THEIRS };
    let candidates: Vec<String> = ours
        .chain(theirs)
        .filter(|name| name.starts_with(prefix))
        .collect();
    let bare = |name: &str| name.trim_start_matches(prefix).to_owned();
    let near: Vec<String> = candidates.iter().map(|name| bare(name)).collect();
    match nearest(&bare(name), near.iter().map(String::as_str)) {
        Some(near) => format!("no setting has this name; did you mean {prefix}{near}?"),
        None => "no setting has this name; `pointsman run --help` lists them all".to_owned(),
    }
}
