//! What a discovery webhook answers.
//!
//! A JSON array of objects. `address` and `score` are go-livepeer's; `region` and `labels` are ours; other fields are
//! ignored. One bad entry costs that entry, not the list: it was written by a program that the operator may not own.

use std::collections::BTreeMap;

use pointsman_wire::uri::ServiceUri;
use serde::Deserialize;
use serde_json::Value;

use super::{Announced, MAX_KNOWN};

/// Longest region, label key or label value, in bytes.
const MAX_TEXT: usize = 256;

/// Most labels of one orchestrator.
const MAX_LABELS: usize = 32;

/// A parsed answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Body {
    /// The entries that can be used.
    pub(crate) announced: Vec<Announced>,
    /// One line for every entry that cannot, naming it.
    pub(crate) skipped: Vec<String>,
}

/// An entry as it stands.
#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    address: String,
    score: Option<f32>,
    region: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

// === impl Body ===

impl Body {
    /// Parses an answer.
    ///
    /// # Errors
    ///
    /// When it is no JSON array. Bad entries are no error.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let entries: Vec<Value> = serde_json::from_slice(bytes)?;
        let mut body = Self::default();
        for (place, entry) in entries.into_iter().enumerate() {
            let named = entry.get("address").and_then(Value::as_str);
            let named = named.map_or_else(|| format!("entry {place}"), shorten);
            match announced(entry) {
                Ok(_) if body.announced.len() == MAX_KNOWN => {
                    body.skipped
                        .push(format!("{named} and all after it: too many"));
                    break;
                }
                Ok(announced) => body.announced.push(announced),
                Err(cause) => body.skipped.push(format!("{named}: {cause}")),
            }
        }
        Ok(body)
    }
}

fn announced(entry: Value) -> Result<Announced, String> {
    let raw = Raw::deserialize(entry).map_err(|cause| cause.to_string())?;
    if raw.address.trim().is_empty() {
        return Err("it has no address".into());
    }
    let uri = ServiceUri::from_webhook(&raw.address).map_err(|cause| cause.to_string())?;
    // go-livepeer gives an orchestrator with a negative score no work of any kind.
    if raw.score.is_some_and(|score| score.is_nan() || score < 0.0) {
        return Err("its score is negative, which means no work".into());
    }
    if raw.labels.len() > MAX_LABELS {
        return Err(format!("it has more than {MAX_LABELS} labels"));
    }
    let texts = raw.labels.iter().flat_map(|(key, value)| [key, value]);
    if texts.chain(&raw.region).any(|text| text.len() > MAX_TEXT) {
        return Err(format!("its region or a label is over {MAX_TEXT} bytes"));
    }
    Ok(Announced {
        uri,
        trust: raw.score,
        region: raw.region.filter(|region| !region.is_empty()),
        labels: raw.labels,
    })
}

/// At most the first 100 characters.
fn shorten(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn go_livepeers_fields_and_ours_are_read_and_others_ignored() {
        let body = Body::parse(
            br#"[{"address":"https://A.example:8935/","score":1.0,"since":{"x":[1]}},
                 {"address":"http://b:80","region":"fra","labels":{"tier":"gold"}}]"#,
        )
        .expect("an array");
        assert_eq!(body.skipped, Vec::<String>::new());
        let [a, b] = body.announced.try_into().expect("two entries");
        assert_eq!(a.uri.as_str(), "https://a.example:8935");
        assert_eq!((a.trust, a.region), (Some(1.0), None));
        assert_eq!(
            (b.uri.as_str(), b.region.as_deref()),
            ("http://b", Some("fra"))
        );
        assert_eq!(b.labels["tier"], "gold");
    }

    #[test]
    fn a_remote_signers_list_is_read_as_recorded() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/golden/signer/cases.json"
        );
        let file = std::fs::read(path).expect("the recorded calls");
        let cases: Vec<Value> = serde_json::from_slice(&file).expect("JSON");
        let case = cases.iter().find(|case| case["name"] == "discover");
        let answer = &case.expect("the call")["response"]["body"];
        let body = Body::parse(answer.to_string().as_bytes()).expect("an array");
        assert_eq!(body.skipped, Vec::<String>::new());
        assert_eq!(body.announced[0].uri.as_str(), "https://127.0.0.1:28946");
    }

    #[test]
    fn a_bad_entry_costs_itself_and_is_named() {
        let body = Body::parse(
            br#"[{"address":"a.example:8935"},{"address":7},{"score":1},"x",null,
                 {"address":"https://bad","score":-1},{"address":"https://l","labels":{"k":1}},
                 {"address":"https://ok","score":null,"region":null}]"#,
        )
        .expect("an array");
        assert_eq!(body.announced.len(), 1, "{body:?}");
        assert_eq!(body.skipped.len(), 7, "{body:?}");
        assert!(body.skipped[0].contains("a.example:8935"), "{body:?}");
        assert!(body.skipped[3].starts_with("entry 3"), "{body:?}");
    }

    #[test]
    fn an_empty_array_is_a_list_and_an_object_is_none() {
        assert_eq!(Body::parse(b"[]").expect("a list"), Body::default());
        for wrong in [&b"{}"[..], b"", b"null", b"[", b"<html>"] {
            assert!(Body::parse(wrong).is_err());
        }
    }

    #[test]
    fn texts_and_labels_have_an_end() {
        let long = "x".repeat(MAX_TEXT + 1);
        let many: BTreeMap<_, _> = (0..=MAX_LABELS).map(|i| (i.to_string(), "v")).collect();
        let entries = serde_json::json!([
            {"address": "https://a", "region": long},
            {"address": "https://b", "labels": {"k": long}},
            {"address": "https://c", "labels": many},
        ]);
        let body = Body::parse(entries.to_string().as_bytes()).expect("an array");
        assert_eq!((body.announced.len(), body.skipped.len()), (0, 3));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Body::parse(&bytes);
        }
    }
}
