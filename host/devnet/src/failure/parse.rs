//! How failures are written, in TOML and in JSON alike.
//!
//! ```toml
//! failure = "hang-after-headers"
//! failure = { kind = "status", status = 503, on = "segment", next = 3 }
//! failure = [{ kind = "slow-drip", interval-ms = 50, probability = 0.1 }, "busy"]
//! failure = "none"
//! ```
//!
//! One spelling for the three shapes, and errors that name the key, are why this is written by hand: serde's untagged
//! enums say only that no variant matched.

use std::fmt;
use std::time::Duration;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Kind, Method, Rule, When};

/// Nobody listens on port 1 of a machine's own loopback.
const NOWHERE: &str = "https://127.0.0.1:1";
const DRIP: Duration = Duration::from_millis(200);

/// Failures with keys of their own.
const PARAMETRISED: &[&str] = &["status", "error", "slow-drip", "wrong-transcoder"];

/// Failures without.
const PLAIN: &[(&str, Kind)] = &[
    ("refuse", Kind::Refuse),
    ("disconnect", Kind::Disconnect),
    ("hang-before-headers", Kind::HangBeforeHeaders),
    ("hang-after-headers", Kind::HangAfterHeaders),
    ("reset-mid-body", Kind::ResetMidBody),
    ("garbage-result", Kind::GarbageResult),
    ("corrupt-rendition", Kind::CorruptRendition),
    ("missing-rendition", Kind::MissingRendition),
    ("fewer-renditions", Kind::FewerRenditions),
    ("endless-body", Kind::EndlessBody),
    ("busy", Kind::Busy),
    ("capped", Kind::Capped),
    ("expired-token", Kind::ExpiredToken),
    ("wants-storage", Kind::WantsStorage),
    ("wrong-address", Kind::WrongAddress),
    ("stale-tickets", Kind::StaleTickets),
    ("endless-tickets", Kind::EndlessTickets),
    ("wrong-recipient", Kind::WrongRecipient),
    ("doubled-price", Kind::DoubledPrice),
];

/// The failures of one orchestrator, in order of precedence. Empty: it works.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules(pub Vec<Rule>);

/// A rule as it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<Methods>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "retry_after")]
    retry_after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "interval_ms")]
    interval_ms: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
}

/// One method, or several.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Methods(Vec<Method>);

// === impl Written ===

impl Written {
    fn named(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            ..Self::default()
        }
    }

    fn rule(mut self) -> Result<Rule, String> {
        let kind = self.take_kind()?;
        let name = &self.kind;
        let stray = [
            ("status", self.status.is_some()),
            ("text", self.text.is_some()),
            ("retry-after", self.retry_after.is_some()),
            ("interval-ms", self.interval_ms.is_some()),
            ("uri", self.uri.is_some()),
        ];
        if let Some((key, _)) = stray.into_iter().find(|(_, set)| *set) {
            return Err(format!("failure {name:?} has no key {key:?}"));
        }
        let can = kind.applies_to();
        let on = match self.on {
            None => can.to_vec(),
            Some(Methods(on)) => match on.iter().find(|method| !can.contains(method)) {
                Some(method) => {
                    return Err(format!(
                        "failure {name:?} cannot happen on {}: leave `on` out, or use {}",
                        spell(std::slice::from_ref(method)),
                        spell(can)
                    ));
                }
                None if on.is_empty() => {
                    return Err(format!("failure {name:?} has an empty `on`: leave it out"));
                }
                None => on,
            },
        };
        let when = match (self.probability, self.next) {
            (None, None) => When::Always,
            (Some(share), None) if (0.0..=1.0).contains(&share) => When::Probability(share),
            (None, Some(count)) => When::Next(count),
            (Some(share), None) => {
                return Err(format!("probability = {share} is not within 0 and 1"));
            }
            (Some(_), Some(_)) => {
                return Err("a failure has either `probability` or `next`, not both".to_owned());
            }
        };
        Ok(Rule { kind, on, when })
    }

    fn take_kind(&mut self) -> Result<Kind, String> {
        Ok(match self.kind.as_str() {
            "status" => self.take_status()?,
            "error" => Kind::Error {
                text: self
                    .text
                    .take()
                    .unwrap_or_else(|| "ErrTranscoderUnavailable".to_owned()),
            },
            "slow-drip" => Kind::SlowDrip {
                interval: self
                    .interval_ms
                    .take()
                    .map_or(DRIP, |ms| Duration::from_millis(u64::from(ms))),
            },
            "wrong-transcoder" => Kind::WrongTranscoder {
                uri: self.uri.take().unwrap_or_else(|| NOWHERE.to_owned()),
            },
            name => match PLAIN.iter().find(|(plain, _)| *plain == name) {
                Some((_, kind)) => kind.clone(),
                None => {
                    let names: Vec<&str> = PLAIN.iter().map(|(name, _)| *name).collect();
                    return Err(format!(
                        "no failure is called {name:?}: use none, {}, {}",
                        PARAMETRISED.join(", "),
                        names.join(", ")
                    ));
                }
            },
        })
    }

    fn take_status(&mut self) -> Result<Kind, String> {
        let status = self.status.take().unwrap_or(500);
        let phrase = match http::StatusCode::from_u16(status) {
            Ok(code) if status >= 300 => code.canonical_reason().unwrap_or("error"),
            _ => return Err(format!("status = {status} is not a status of a failure")),
        };
        let retry_after = self.retry_after.take();
        if let Some(text) = &retry_after {
            http::HeaderValue::from_str(text)
                .map_err(|_| format!("retry-after = {text:?} cannot stand in a header"))?;
        }
        Ok(Kind::Status {
            status,
            retry_after,
            text: self.text.take().unwrap_or_else(|| phrase.to_owned()),
        })
    }
}

impl From<&Rule> for Written {
    fn from(rule: &Rule) -> Self {
        let mut written = Self {
            on: Some(Methods(rule.on.clone())),
            ..Self::default()
        };
        match rule.when {
            When::Always => {}
            When::Probability(share) => written.probability = Some(share),
            When::Next(count) => written.next = Some(count),
        }
        let kind = match &rule.kind {
            Kind::Status {
                status,
                text,
                retry_after,
            } => {
                written.retry_after.clone_from(retry_after);
                written.status = Some(*status);
                written.text = Some(text.clone());
                "status"
            }
            Kind::Error { text } => {
                written.text = Some(text.clone());
                "error"
            }
            Kind::SlowDrip { interval } => {
                written.interval_ms = Some(interval.as_millis().try_into().unwrap_or(u32::MAX));
                "slow-drip"
            }
            Kind::WrongTranscoder { uri } => {
                written.uri = Some(uri.clone());
                "wrong-transcoder"
            }
            plain => PLAIN
                .iter()
                .find(|(_, kind)| kind == plain)
                .map_or("", |(name, _)| name),
        };
        written.kind = kind.to_owned();
        written
    }
}

// === impl Rules ===

impl From<Rule> for Rules {
    fn from(rule: Rule) -> Self {
        Self(vec![rule])
    }
}

impl From<Kind> for Rules {
    fn from(kind: Kind) -> Self {
        Rule::always(kind).into()
    }
}

impl Serialize for Rules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Written::from))
    }
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RulesVisitor)
    }
}

struct RulesVisitor;

impl<'de> Visitor<'de> for RulesVisitor {
    type Value = Rules;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a failure's name, a table with its kind, or a list of these")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Rules, E> {
        Ok(Rules::default())
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Rules, E> {
        if name == "none" {
            return Ok(Rules::default());
        }
        Written::named(name)
            .rule()
            .map(Rules::from)
            .map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rules, A::Error> {
        Written::deserialize(MapAccessDeserializer::new(map))?
            .rule()
            .map(Rules::from)
            .map_err(de::Error::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Rules, A::Error> {
        let mut rules = Vec::new();
        while let Some(Rules(some)) = list.next_element()? {
            rules.extend(some);
        }
        Ok(Rules(rules))
    }
}

// === impl Methods ===

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MethodsVisitor)
    }
}

struct MethodsVisitor;

impl<'de> Visitor<'de> for MethodsVisitor {
    type Value = Methods;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, or a list of these", spell(super::ALL))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Methods, E> {
        let method = Method::deserialize(de::value::StrDeserializer::new(name))?;
        Ok(Methods(vec![method]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Methods, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Methods)
    }
}

fn spell(methods: &[Method]) -> String {
    let names: Vec<&str> = methods
        .iter()
        .map(|method| match method {
            Method::GetOrchestrator => "get-orchestrator",
            Method::Segment => "segment",
            Method::Download => "download",
            Method::EndSession => "end-session",
        })
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(json: &str) -> Vec<Rule> {
        let Rules(rules) = serde_json::from_str(json).expect(json);
        rules
    }

    #[test]
    fn every_name_is_a_failure_and_comes_back_as_written() {
        let plain = PLAIN.iter().map(|(name, _)| *name);
        for name in PARAMETRISED.iter().copied().chain(plain) {
            let read = rules(&format!("{name:?}"));
            assert_eq!(read.len(), 1, "{name}");
            let written = serde_json::to_string(&Rules(read.clone())).expect("serialises");
            assert!(written.contains(&format!("{name:?}")), "{written}");
            assert_eq!(rules(&written), read, "{written}");
        }
    }

    #[test]
    fn the_three_shapes_are_read() {
        assert_eq!(rules("null"), vec![]);
        assert_eq!(rules("\"none\""), vec![]);
        assert_eq!(
            rules(
                r#"[{"kind":"status","status":503,"on":["segment","download"],"next":3},"busy"]"#
            ),
            vec![
                Rule {
                    kind: Kind::Status {
                        status: 503,
                        text: "Service Unavailable".to_owned(),
                        retry_after: None,
                    },
                    on: vec![Method::Segment, Method::Download],
                    when: When::Next(3),
                },
                Rule::always(Kind::Busy),
            ]
        );
        assert_eq!(
            rules(r#"{"kind":"slow-drip","interval_ms":5,"on":"download","probability":0.5}"#),
            vec![
                Rule::probability(
                    Kind::SlowDrip {
                        interval: Duration::from_millis(5)
                    },
                    0.5
                )
                .on(Method::Download)
            ]
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (json, names) in [
            (r#""explode""#, "\"explode\""),
            (r#"{"kind":"busy","on":"download"}"#, "download"),
            (r#"{"kind":"busy","on":[]}"#, "`on`"),
            (r#"{"kind":"busy","status":500}"#, "\"status\""),
            (r#"{"kind":"status","status":200}"#, "200"),
            (r#"{"kind":"status","retry-after":"1\n2"}"#, "retry-after"),
            (r#"{"kind":"busy","retry-after":"1"}"#, "retry-after"),
            (r#"{"kind":"busy","probability":1.5}"#, "probability"),
            (r#"{"kind":"busy","probability":0.5,"next":1}"#, "`next`"),
            (r#"{"kind":"busy","nxt":1}"#, "nxt"),
            (r#"{"kind":"busy","on":"ping"}"#, "ping"),
            ("7", "failure's name"),
        ] {
            let error = serde_json::from_str::<Rules>(json).expect_err(json);
            assert!(error.to_string().contains(names), "{json}: {error}");
        }
    }
}
