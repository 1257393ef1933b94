//! The TOML file: settings at its top, and the table of orchestrators.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use pointsman_wire::uri::ServiceUri;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Layer, labels};
use crate::config::golivepeer::{self, Effect, NAMES};
use crate::config::nearest::nearest;
use crate::config::renditions::capped;
use crate::config::section::orchestrators::Labels;
use crate::config::setting::{self, Setting, Shape};
use crate::config::source::Source;

/// Longest file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The one table: what the operator says of orchestrators.
pub(in crate::config) const TABLE: &str = "orchestrators";

pub(super) type Key<'i> = Spanned<Cow<'i, str>>;
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// A file, for places in it.
#[derive(Debug)]
pub(super) struct Text {
    path: Arc<Path>,
    text: String,
}

/// Reads a file. What cannot be read is a problem of the layer.
pub(in crate::config) fn read(
    path: &Path,
    named_by: &Source,
) -> (Layer, BTreeMap<ServiceUri, Labels>) {
    let mut layer = Layer::default();
    let mut table = BTreeMap::new();
    let text = match capped(path, MAX_FILE) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("{} cannot be read: {error}", path.display());
            layer.refuse(named_by.clone(), message);
            return (layer, table);
        }
    };
    let text = Text {
        path: path.into(),
        text,
    };
    match DeTable::parse(&text.text) {
        Ok(root) => {
            for (key, value) in in_order(root.get_ref()) {
                if key.get_ref() == TABLE {
                    table = labels::read(&mut layer, &text, value);
                } else {
                    read_one(&mut layer, &text, key, value);
                }
            }
        }
        Err(error) => {
            let source = text.place(error.span().unwrap_or_default(), "");
            let message = match golivepeer::translate(&text.text) {
                Some(toml) => format!(
                    "this is go-livepeer's format; pointsman reads TOML. The same settings:\n\n{toml}"
                ),
                None => format!("not TOML: {}", error.message()),
            };
            layer.refuse(source, message);
        }
    }
    (layer, table)
}

/// A table's entries as they stand in the file, so that problems are told from top to bottom.
pub(super) fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Key<'i>, &'t Value<'i>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn read_one(layer: &mut Layer, text: &Text, key: &Key<'_>, value: &Value<'_>) {
    let name = key.get_ref().as_ref();
    let source = text.place(key.span(), name);
    let Some(setting) = setting::find(name).filter(|setting| setting.key != "config") else {
        return layer.refuse(source, unknown(name, value.get_ref()));
    };
    match texts(setting, value.get_ref()) {
        Ok(values) => layer.set(setting.key, values, source),
        Err(message) => layer.refuse(source, message),
    }
}

/// The values as they would stand in a flag.
fn texts(setting: &Setting, value: &DeValue<'_>) -> Result<Vec<String>, String> {
    match value {
        DeValue::Array(items) if setting.shape == Shape::List => {
            items.iter().map(|item| text(item.get_ref())).collect()
        }
        DeValue::Array(_) => Err("takes one value, not a list".to_owned()),
        value => Ok(vec![text(value)?]),
    }
}

fn text(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Float(number) => Ok(number.to_string()),
        DeValue::Boolean(switch) => Ok(switch.to_string()),
        other => Err(format!(
            "takes a text, a number or true/false, not a {}",
            other.type_str()
        )),
    }
}

fn unknown(name: &str, value: &DeValue<'_>) -> String {
    if name == "config" {
        return "a config file cannot name another one".to_owned();
    }
    let table = matches!(value, DeValue::Table(_));
    if let (false, Some(row)) = (table, golivepeer::find(name)) {
        let value = text(value).unwrap_or_default();
        return match row.effect(&value) {
            Effect::Set(key, _) => format!("is go-livepeer's name: write {key} here"),
            Effect::Stop(why) => format!("cannot be used: {why}"),
            Effect::Warn(why) => format!("{why}: remove it"),
            Effect::Nothing => "needs no setting: remove it".to_owned(),
        };
    }
    let ours = setting::all().map(|setting| setting.key).chain([TABLE]);
    if let Some(near) = nearest(name, ours) {
        return format!("no setting has this name; did you mean {near}?");
    }
    let theirs = nearest(name, NAMES.iter().map(|row| row.name)).and_then(golivepeer::find);
    if let Some(key) = theirs.and_then(golivepeer::Name::key) {
        return format!("no setting has this name; did you mean {key}?");
    }
    if table {
        return format!(
            "there is no such table; settings stand at the top of the file, before [{TABLE}.\"URI\"]"
        );
    }
    "no setting has this name; `pointsman run --help` lists them all".to_owned()
}

// === impl Text ===

impl Text {
    /// The line where something stands, and its key.
    pub(super) fn place(&self, span: Range<usize>, key: &str) -> Source {
        let before = self.text.as_bytes().iter().take(span.start);
        Source::File {
            path: Arc::clone(&self.path),
            line: 1 + before.filter(|&&byte| byte == b'\n').count(),
            key: key.to_owned(),
        }
    }
}
