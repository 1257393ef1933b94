//! go-livepeer's configuration file: recognised, and shown in TOML.
//!
//! It is one `name value` a line. Accepting it would make two formats for one thing; saying what to write instead costs
//! an operator one copy and paste.

use std::fmt::Write;

use super::{Effect, Kind, Name, find};
use crate::config::setting::{self, Shape};

/// The same settings in TOML, if every line with content begins with one of go-livepeer's names and at least one does.
pub(in crate::config) fn translate(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim);
    let mut toml = String::new();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, value) = split(line);
        let row = find(name)?;
        writeln!(toml, "{}", translated(row, value)).ok()?;
    }
    (!toml.is_empty()).then_some(toml)
}

/// Name and value; a trailing comment is cut off.
fn split(line: &str) -> (&str, &str) {
    let line = line.split(" #").next().unwrap_or(line).trim();
    match line.split_once(char::is_whitespace) {
        Some((name, value)) => (name, value.trim()),
        None => (line, ""),
    }
}

fn translated(row: &Name, value: &str) -> String {
    let value = match (row.kind, value) {
        (Kind::Bool, "") => "true",
        (_, value) => value,
    };
    match row.effect(value) {
        Effect::Set(key, value) => format!("{key} = {}", literal(key, &value)),
        Effect::Warn(why) => format!("# {}: {why}", row.name),
        Effect::Stop(why) => format!("# {} cannot be used: {why}", row.name),
        Effect::Nothing => format!("# {}: needs no setting", row.name),
    }
}

/// A TOML value: bare where a number or a switch would be written bare.
fn literal(key: &str, value: &str) -> String {
    let switch = setting::find(key).is_some_and(|setting| setting.shape == Shape::Switch);
    let plain = value
        .parse::<u64>()
        .is_ok_and(|number| number.to_string() == value);
    if plain || (switch && matches!(value, "true" | "false")) {
        return value.to_owned();
    }
    toml::Value::String(value.to_owned()).to_string()
}
