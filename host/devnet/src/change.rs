//! Changes to a running orchestrator: the body of the control route's patch, and the argument of `Orchestrator::set`.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::failure::{Kind, Rule, Rules};
use crate::price::Price;

/// What to change; `None` leaves it. As JSON: `{"failure": "busy", "latency_ms": 5, "price": "7/3", "capacity": 1}`.
/// `"failure": null` heals, `"price": null` sends none any more.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// The failures from now on, instead of the present ones.
    #[serde(deserialize_with = "present")]
    pub failure: Option<Rules>,
    /// Added to every answer.
    #[serde(rename = "latency_ms", deserialize_with = "milliseconds")]
    pub latency: Option<Duration>,
    /// The price, or none.
    #[serde(deserialize_with = "present")]
    pub price: Option<Option<Price>>,
    /// Sessions at once. Sessions over it that are already open stay.
    pub capacity: Option<usize>,
}

// === impl Change ===

impl Change {
    /// Fails this way on every request that can.
    #[must_use]
    pub fn fail(kind: Kind) -> Self {
        Self::rule(Rule::always(kind))
    }

    /// Fails by this rule.
    #[must_use]
    pub fn rule(rule: Rule) -> Self {
        Self {
            failure: Some(rule.into()),
            ..Self::default()
        }
    }

    /// Fails no more.
    #[must_use]
    pub fn heal() -> Self {
        Self {
            failure: Some(Rules::default()),
            ..Self::default()
        }
    }
}

/// A key that is there, `null` included.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    u32::deserialize(deserializer).map(|ms| Some(Duration::from_millis(u64::from(ms))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(json: &str) -> Change {
        serde_json::from_str(json).expect(json)
    }

    #[test]
    fn what_is_not_named_stays() {
        assert_eq!(change("{}"), Change::default());
        assert_eq!(change(r#"{"failure":"busy"}"#), Change::fail(Kind::Busy));
        assert_eq!(change(r#"{"failure":null}"#), Change::heal());
        assert_eq!(change(r#"{"price":null}"#).price, Some(None));
        let all = change(r#"{"latency_ms":5,"price":"7/3","capacity":1}"#);
        assert_eq!(all.latency, Some(Duration::from_millis(5)));
        assert_eq!(all.capacity, Some(1));
        assert_eq!(all.failure, None);
    }

    #[test]
    fn mistakes_are_named() {
        for (json, names) in [
            (r#"{"latency":5}"#, "latency_ms"),
            (r#"{"capacity":-1}"#, "-1"),
            (r#"{"failure":"boom"}"#, "boom"),
        ] {
            let error = serde_json::from_str::<Change>(json).expect_err(json);
            assert!(error.to_string().contains(names), "{error}");
        }
    }
}
