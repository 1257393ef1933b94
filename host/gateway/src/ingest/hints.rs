//! What an application may ask of routing: in the header `Pointsman-Hints` of a push, or as `hints` in the auth webhook's answer.
//!
//! # Contract
//!
//! One JSON object, whose fields `wit/README.md` lists. Unlike go-livepeer's documents, a field that is not known is refused: a misspelt
//! `only` that is ignored would send a job where it must not go. Every list and text has a limit, and every error names its field.

use std::collections::BTreeMap;

use pointsman_facts::hints::Sort;
use pointsman_facts::{Hints, Name, Price, Symbol};
use serde_json::{Map, Value};

use crate::config::price;

/// Name of the header.
pub const HEADER: &str = "Pointsman-Hints";

/// Longest header that is read, in bytes.
const MAX_BYTES: usize = 16 << 10;
/// Most orchestrators on one list.
const MAX_LISTED: usize = 256;
/// Most labels.
const MAX_LABELS: usize = 32;
/// Longest text, in bytes.
const MAX_TEXT: usize = 256;
/// What a list of orchestrators is not.
const NO_LIST: &str = "not a list of orchestrators' service URIs, addresses or ids";
/// The fields there are.
const FIELDS: &str = "order, only, ignore, maxPrice, sort, labels, affinity";

/// Why hints cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum HintsError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but no object.
    #[error("not a JSON object")]
    NoObject,
    /// Longer than anybody needs.
    #[error("over {MAX_BYTES} bytes")]
    TooLong,
    /// A field that does not exist.
    #[error("{0:?} is no hint; there are {FIELDS}")]
    Unknown(String),
    /// A value that is none of its field.
    #[error("{field}: {problem}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong, and what to write.
        problem: String,
    },
}

/// Reads the header.
///
/// # Errors
///
/// [`HintsError`], naming the field.
pub fn from_header(json: &[u8]) -> Result<Hints, HintsError> {
    if json.len() > MAX_BYTES {
        return Err(HintsError::TooLong);
    }
    from_value(serde_json::from_slice(json)?)
}

/// Reads the object. A field that is `null` is not there.
///
/// # Errors
///
/// [`HintsError`], naming the field.
pub fn from_value(value: Value) -> Result<Hints, HintsError> {
    let Value::Object(object) = value else {
        return Err(HintsError::NoObject);
    };
    let mut hints = Hints::default();
    for (name, value) in object {
        if value.is_null() {
            continue;
        }
        match name.as_str() {
            "order" => hints.order = read("order", value, orchestrators)?,
            "only" => hints.only = Some(read("only", value, some_orchestrators)?),
            "ignore" => hints.ignore = read("ignore", value, orchestrators)?,
            "maxPrice" => hints.max_price = Some(read("maxPrice", value, max_price)?),
            "sort" => hints.sort = Some(read("sort", value, |value| sort(&value))?),
            "labels" => hints.labels = read("labels", value, labels)?,
            "affinity" => hints.affinity = Some(read("affinity", value, |value| affinity(&value))?),
            _ => return Err(HintsError::Unknown(name.chars().take(MAX_TEXT).collect())),
        }
    }
    Ok(hints)
}

fn read<T>(
    field: &'static str,
    value: Value,
    parse: impl FnOnce(Value) -> Result<T, String>,
) -> Result<T, HintsError> {
    parse(value).map_err(|problem| HintsError::Field { field, problem })
}

fn some_orchestrators(value: Value) -> Result<Vec<Symbol>, String> {
    let listed = orchestrators(value)?;
    match listed.is_empty() {
        true => Err("an empty list allows nobody; leave it out, or name who may".to_owned()),
        false => Ok(listed),
    }
}

fn orchestrators(value: Value) -> Result<Vec<Symbol>, String> {
    let Value::Array(listed) = value else {
        return Err(NO_LIST.to_owned());
    };
    if listed.len() > MAX_LISTED {
        return Err(format!("more than {MAX_LISTED} orchestrators"));
    }
    listed.iter().map(orchestrator).collect()
}

fn orchestrator(value: &Value) -> Result<Symbol, String> {
    let name: Result<Name, _> = value.as_str().ok_or(NO_LIST)?.parse();
    name.map(Name::symbol).map_err(|error| error.to_string())
}

fn max_price(value: Value) -> Result<Price, String> {
    const HOW: &str = r#"not a price: write wei per unit as {"num":1200,"den":1} or "1200.5""#;
    match value {
        Value::String(text) if text.len() <= MAX_TEXT => price(text.trim()),
        Value::Object(fraction) => fraction_of(&fraction).ok_or_else(|| HOW.to_owned()),
        _ => Err(HOW.to_owned()),
    }
}

fn fraction_of(fraction: &Map<String, Value>) -> Option<Price> {
    let part = |name| fraction.get(name).and_then(Value::as_u64);
    let price = Price::new(part("num")?, part("den")?);
    price.filter(|_| fraction.len() == 2)
}

fn sort(value: &Value) -> Result<Sort, String> {
    let sort = value.as_str().and_then(Sort::parse);
    sort.ok_or_else(|| "not one of price, latency, throughput".to_owned())
}

fn labels(value: Value) -> Result<BTreeMap<String, String>, String> {
    let Value::Object(object) = value else {
        return Err("not an object of texts".to_owned());
    };
    if object.len() > MAX_LABELS {
        return Err(format!("more than {MAX_LABELS} labels"));
    }
    let label = |(key, value): (String, Value)| match value {
        Value::String(value) if key.is_empty() || key.len().max(value.len()) > MAX_TEXT => Err(
            format!("a key is empty, or a key or value is over {MAX_TEXT} bytes"),
        ),
        Value::String(value) => Ok((key.to_lowercase(), value)),
        _ => Err("not an object of texts".to_owned()),
    };
    object.into_iter().map(label).collect()
}

fn affinity(value: &Value) -> Result<Symbol, String> {
    match value.as_str() {
        Some(key) if !key.is_empty() && key.len() <= MAX_TEXT => Ok(Symbol::of(key)),
        _ => Err(format!("not a text of 1 to {MAX_TEXT} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use pointsman_directory::identity;
    use proptest::prelude::*;

    use super::*;

    const ADDRESS: &str = "0x00000000000000000000000000000000000000aa";

    fn hints(json: &str) -> Hints {
        from_header(json.as_bytes()).expect(json)
    }

    fn error(json: &str) -> String {
        from_header(json.as_bytes()).expect_err(json).to_string()
    }

    fn id(uri: &str) -> Symbol {
        identity(&uri.parse().expect("a service URI"))
    }

    #[test]
    fn every_field_is_read() {
        let a = id("https://a.example:8935");
        let json = format!(
            r#"{{"order":["https://A.example:8935/","{a}"],"only":["a.example","{ADDRESS}"],"ignore":["http://b:80"],
                "maxPrice":{{"num":3,"den":2}},"sort":"throughput","labels":{{"Tier":"gold"}},"affinity":"k"}}"#
        );
        let expected = Hints {
            order: vec![a, a],
            only: Some(vec![a, Symbol::of(ADDRESS)]),
            ignore: vec![id("http://b")],
            max_price: Price::new(3, 2),
            sort: Some(Sort::Throughput),
            affinity: Some(Symbol::of("k")),
            labels: [("tier".to_owned(), "gold".to_owned())].into(),
        };
        assert_eq!(hints(&json), expected);
        assert_eq!(hints(r#"{"only":null,"order":[]}"#), Hints::default());
        assert_eq!(hints(r#"{"maxPrice":"0.5"}"#).max_price, Price::new(1, 2));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, field) in [
            ("[]", "not a JSON object"),
            ("{", "not JSON"),
            (r#"{"olny":["https://a"]}"#, r#""olny" is no hint"#),
            (r#"{"only":[]}"#, "only: an empty list"),
            (r#"{"only":"https://a"}"#, "only: not a list"),
            (r#"{"order":[7]}"#, "order: not a list"),
            (r#"{"ignore":["ftp://a"]}"#, "ignore: "),
            (r#"{"ignore":[""]}"#, "ignore: "),
            (
                r#"{"ignore":["a b"]}"#,
                "ignore: \"a b\" names no orchestrator",
            ),
            (r#"{"maxPrice":1200}"#, "maxPrice: not a price"),
            (r#"{"maxPrice":{"num":1,"den":0}}"#, "maxPrice: not a price"),
            (
                r#"{"maxPrice":{"num":-1,"den":1}}"#,
                "maxPrice: not a price",
            ),
            (
                r#"{"maxPrice":{"num":1,"den":1,"x":1}}"#,
                "maxPrice: not a price",
            ),
            (r#"{"maxPrice":"12 EUR"}"#, "maxPrice: a limit in EUR"),
            (r#"{"sort":"Price"}"#, "sort: not one of"),
            (r#"{"labels":{"a":1}}"#, "labels: not an object of texts"),
            (r#"{"labels":{"":"x"}}"#, "labels: a key is empty"),
            (r#"{"affinity":""}"#, "affinity: not a text"),
        ] {
            let error = error(json);
            assert!(error.starts_with(field), "{json}: {error}");
        }
    }

    #[test]
    fn there_is_an_end_to_lists_and_texts() {
        let list = |of: usize| format!(r#"{{"order":[{}]}}"#, vec![r#""https://a""#; of].join(","));
        assert_eq!(hints(&list(256)).order.len(), 256);
        assert!(error(&list(257)).starts_with("order: more than 256"));
        assert_eq!(error(&" ".repeat(MAX_BYTES + 1)), "over 16384 bytes");
        let long = "x".repeat(257);
        assert!(error(&format!(r#"{{"affinity":"{long}"}}"#)).starts_with("affinity"));
        assert!(error(&format!(r#"{{"labels":{{"a":"{long}"}}}}"#)).starts_with("labels"));
    }

    proptest! {
        #[test]
        fn nothing_panics(json in r#"\{"(order|only|maxPrice|labels)":\PC{0,40}\}"#) {
            let _ = from_header(json.as_bytes());
        }
    }
}
