//! The operator's table of orchestrators:
//!
//! ```toml
//! [orchestrators."https://203.0.113.7:8935"]
//! region = "fra"
//! labels = { tier = "gold" }
//! ```

use std::collections::BTreeMap;

use pointsman_wire::uri::ServiceUri;
use toml::de::DeValue;

use super::Layer;
use super::file::{Key, Text, Value, in_order};
use crate::config::nearest::nearest;
use crate::config::section::orchestrators::{Labels, uri};

/// Longest label, in bytes.
const MAX_LABEL: usize = 64;

/// Reads the whole table; what is wrong is noted in the layer.
pub(super) fn read(
    layer: &mut Layer,
    text: &Text,
    table: &Value<'_>,
) -> BTreeMap<ServiceUri, Labels> {
    let mut all = BTreeMap::new();
    let DeValue::Table(entries) = table.get_ref() else {
        let source = text.place(table.span(), super::file::TABLE);
        layer.refuse(
            source,
            "is a table: write [orchestrators.\"https://host:8935\"]",
        );
        return all;
    };
    for (key, value) in in_order(entries) {
        let source = text.place(key.span(), key.get_ref());
        let (uri, labels) = match (uri(key.get_ref()), value.get_ref()) {
            (Ok(uri), DeValue::Table(_)) => (uri, entry(layer, text, value)),
            (Ok(_), _) => {
                layer.refuse(source, "takes `region` and `labels`");
                continue;
            }
            (Err(message), _) => {
                layer.refuse(source, message);
                continue;
            }
        };
        if all.contains_key(&uri) {
            layer.refuse(source, format!("{uri} is in this table already"));
        }
        all.insert(uri, labels);
    }
    all
}

fn entry(layer: &mut Layer, text: &Text, value: &Value<'_>) -> Labels {
    let mut labels = Labels::default();
    for (key, value) in value.get_ref().as_table().map(in_order).unwrap_or_default() {
        let source = text.place(key.span(), key.get_ref());
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("region", _) => match label(value) {
                Ok(region) => labels.region = Some(region),
                Err(message) => layer.refuse(source, message),
            },
            ("labels", DeValue::Table(table)) => {
                for (key, value) in in_order(table) {
                    match named(key, value) {
                        Ok((key, value)) => {
                            labels.labels.insert(key, value);
                        }
                        Err(message) => {
                            let source = text.place(key.span(), key.get_ref());
                            layer.refuse(source, message);
                        }
                    }
                }
            }
            ("labels", _) => layer.refuse(source, "is a table such as { tier = \"gold\" }"),
            (name, _) => {
                let message = match nearest(name, ["region", "labels"]) {
                    Some(near) => format!("unknown here; did you mean {near}?"),
                    None => format!("unknown here: write labels = {{ {name} = … }}"),
                };
                layer.refuse(source, message);
            }
        }
    }
    labels
}

/// A label's key becomes part of a column's name, `label/KEY`.
fn named(key: &Key<'_>, value: &Value<'_>) -> Result<(String, String), String> {
    let name = key.get_ref();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    if name.is_empty() || name.len() > MAX_LABEL || !name.bytes().all(plain) {
        return Err(format!(
            "a label's name has 1 to {MAX_LABEL} characters of a-z, 0-9, `-`, `_` and `.`"
        ));
    }
    Ok((name.to_string(), label(value)?))
}

fn label(value: &Value<'_>) -> Result<String, String> {
    match value.get_ref() {
        DeValue::String(text) if (1..=MAX_LABEL).contains(&text.trim().len()) => {
            Ok(text.trim().to_owned())
        }
        _ => Err(format!("takes a text of 1 to {MAX_LABEL} bytes")),
    }
}
