//! The remote signer's JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pointsman_wire::amount::Ratio;
use pointsman_wire::net;
use pointsman_wire::segment::Order;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Ask, Kind};
use crate::price::Price;

/// What the signer wants to see again with the next call: its own bytes and its signature over them, both base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    #[serde(rename = "State")]
    state: String,
    #[serde(rename = "Sig")]
    signature: String,
}

/// Answer to `/sign-orchestrator-info`.
#[derive(Deserialize)]
pub(super) struct Identity {
    pub(super) address: String,
    pub(super) signature: String,
}

/// Answer to `/generate-live-payment`.
#[derive(Deserialize)]
pub(super) struct Generated {
    pub(super) payment: String,
    #[serde(rename = "segCreds")]
    pub(super) credentials: String,
    pub(super) state: State,
}

/// Answer to `/sign-segment`.
#[derive(Deserialize)]
pub(super) struct SignedSegment {
    pub(super) signature: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: RefusalText,
}

#[derive(Deserialize)]
struct RefusalText {
    #[serde(default)]
    message: String,
}

/// Body of `/generate-live-payment`.
pub(super) fn request(ask: &Ask<'_>, state: Option<&State>) -> Value {
    let mut body = json!({
        "orchestrator": STANDARD.encode(ask.offer.encode_to_vec()),
        "ManifestID": ask.manifest_id,
        "type": ask.kind.name(),
    });
    let mut set = |name: &str, value: Value| body[name] = value;
    if let Kind::Units(units) = ask.kind {
        set("inPixels", units.into());
    }
    if !ask.app.is_empty() {
        set("app", ask.app.into());
    }
    if let Some(capabilities) = ask.capabilities {
        set("capabilities", encoded(capabilities).into());
    }
    if let (Some(ceiling), Some(unit)) = (ask.ceiling, ask.kind.unit()) {
        let price = decimal(ceiling);
        set(
            "maxPrice",
            json!({ "price": price, "currency": "wei", "unit": unit }),
        );
    }
    if let Some(state) = state {
        set(
            "state",
            json!({ "State": state.state, "Sig": state.signature }),
        );
    }
    body
}

/// Body of `/sign-segment`.
pub(super) fn segment(order: &Order<'_>) -> Value {
    let profiles: Vec<_> = order.profiles.iter().map(|profile| &profile.name).collect();
    json!({
        "manifestID": order.manifest_id,
        "seq": order.sequence,
        "hash": order.hash.to_string(),
        "profiles": profiles,
    })
}

/// The words of a refusal: the JSON's, or the body as it is.
pub(super) fn refusal(body: &[u8]) -> String {
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => clean(refusal.error.message.as_bytes()),
        Err(_) => clean(body),
    }
}

/// A stranger's text on one line, cut.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(super::MAX_TEXT)]);
    let line = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().map(line).collect()
}

fn encoded(capabilities: &net::Capabilities) -> String {
    STANDARD.encode(capabilities.encode_to_vec())
}

/// A price with nine decimals at most, rounded down: the signer compares exactly, and a ceiling must not rise.
fn decimal(price: &Price) -> Value {
    const BILLION: u64 = 1_000_000_000;
    let scaled = price.wei() * Ratio::from_integer(BILLION.into());
    let scaled = scaled.floor().to_integer();
    let (whole, rest) = (&scaled / BILLION, &scaled % BILLION);
    let text = format!("{whole}.{rest:0>9}");
    match text
        .trim_end_matches('0')
        .trim_end_matches('.')
        .parse::<u64>()
    {
        Ok(whole) => whole.into(),
        // Text is taken too, and keeps every digit.
        Err(_) => text.trim_end_matches('0').trim_end_matches('.').into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ceiling(numerator: u64, denominator: u64) -> Value {
        let ratio = Ratio::new(numerator.into(), denominator.into());
        decimal(&Price::new(ratio).expect("a price"))
    }

    #[test]
    fn ceilings_are_written_exactly_or_below() {
        assert_eq!(ceiling(1300, 1), json!(1300));
        assert_eq!(ceiling(1000, 1), json!(1000));
        assert_eq!(ceiling(1_000_153, 1000), json!("1000.153"));
        assert_eq!(ceiling(2, 3), json!("0.666666666"));
        assert_eq!(ceiling(0, 1), json!(0));
    }

    #[test]
    fn refusals_are_read_in_both_forms() {
        assert_eq!(
            refusal(br#"{"error":{"message":"no tickets"}}"#),
            "no tickets"
        );
        assert_eq!(refusal(b"404 page\nnot found\n"), "404 page not found");
        assert_eq!(refusal(br#"{"error":"x"}"#), r#"{"error":"x"}"#);
        assert_eq!(refusal(&[b'x'; 10_000]).len(), 512);
        assert_eq!(refusal(&[0xff, b'a']), "\u{fffd}a");
    }
}
