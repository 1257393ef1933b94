//! What is asked of a signer, and its refusals.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pointsman_wire::amount::Ratio;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::state::Blob;

/// Body of `/generate-live-payment`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ask {
    pub(super) orchestrator: Bytes,
    pub(super) state: Option<Blob>,
    #[serde(rename = "ManifestID")]
    pub(super) manifest_id: String,
    pub(super) app: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(rename = "inPixels")]
    pub(super) units: i64,
    #[serde(rename = "maxPrice")]
    pub(super) max_price: Option<MaxPrice>,
    pub(super) capabilities: Bytes,
}

/// The caller's ceiling.
#[derive(Debug, Deserialize)]
pub(super) struct MaxPrice {
    price: serde_json::Value,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    unit: String,
}

/// Bytes as base64; `null` is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

/// Why nothing is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// With this status and these words.
    Said(u16, String),
    /// The offer is too old: its orchestrator is asked for another.
    Stale(String),
    /// Nobody is told why.
    Internal,
}

// === impl Refused ===

impl Refused {
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::Said(400, text.into())
    }
}

// === impl MaxPrice ===

impl MaxPrice {
    /// The ceiling for a payment of this kind, in wei per unit.
    pub(super) fn read(&self, kind: &str) -> Result<Ratio, Refused> {
        let unit = match kind {
            "live" => "seconds",
            "lv2v" => "720p-pixel-seconds",
            "fixed" => "fixed",
            _ => {
                let text = "maxPrice requires payment type live, lv2v, or fixed";
                return Err(Refused::bad(text));
            }
        };
        let text = match &self.price {
            serde_json::Value::String(text) => text.clone(),
            price => price.to_string(),
        };
        let price = decimal(text.trim());
        let zero = Ratio::from_integer(0.into());
        let price = price
            .filter(|price| *price > zero)
            .ok_or_else(|| Refused::bad("maxPrice.price must be a positive decimal"))?;
        if !self.currency.trim().eq_ignore_ascii_case("wei") {
            return Err(Refused::bad("maxPrice.currency must be wei"));
        }
        if !self.unit.trim().eq_ignore_ascii_case(unit) {
            let text = format!("maxPrice.unit must be {unit} for payment type {kind}");
            return Err(Refused::bad(text));
        }
        Ok(price)
    }
}

fn decimal(text: &str) -> Option<Ratio> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{rest}");
    if digits.is_empty() || digits.len() > 60 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let scale = format!("1{}", "0".repeat(rest.len()));
    format!("{digits}/{scale}").parse().ok()
}

// === impl Bytes ===

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, kind: &str) -> Result<String, Refused> {
        let price: MaxPrice = serde_json::from_str(json).expect("JSON");
        price.read(kind).map(|price| price.to_string())
    }

    #[test]
    fn ceilings_are_read_as_a_real_one_reads_them() {
        let good = r#"{"price": 1300.5, "currency": " WEI", "unit": "Seconds"}"#;
        assert_eq!(read(good, "live").as_deref(), Ok("2601/2"));
        let text = r#"{"price": "12", "currency": "wei", "unit": "fixed"}"#;
        assert_eq!(read(text, "fixed").as_deref(), Ok("12"));
        for (json, kind, words) in [
            (
                good,
                "",
                "maxPrice requires payment type live, lv2v, or fixed",
            ),
            (
                good,
                "lv2v",
                "maxPrice.unit must be 720p-pixel-seconds for payment type lv2v",
            ),
            (
                r#"{"price": 0, "currency": "wei", "unit": "fixed"}"#,
                "fixed",
                "maxPrice.price must be a positive decimal",
            ),
            (
                r#"{"price": 1, "currency": "USD", "unit": "fixed"}"#,
                "fixed",
                "maxPrice.currency must be wei",
            ),
        ] {
            assert_eq!(read(json, kind), Err(Refused::bad(words)));
        }
    }
}
