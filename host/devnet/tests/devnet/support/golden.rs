//! Captures of real nodes.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pointsman_wire::net::SegData;
use prost::Message as _;
use serde_json::Value;

/// The folder of the video captures.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/video"
    ))
}

/// An exchange.
pub(crate) fn exchange(path: &str) -> Value {
    serde_json::from_slice(&bytes(&format!("{path}.json"))).expect("JSON")
}

/// An exact body.
pub(crate) fn bytes(path: &str) -> Vec<u8> {
    std::fs::read(folder().join(path)).expect(path)
}

/// A header of the request.
pub(crate) fn header<'e>(exchange: &'e Value, name: &str) -> &'e str {
    exchange["request_headers"][name].as_str().expect(name)
}

/// The segment's order.
pub(crate) fn order(exchange: &Value) -> SegData {
    let header = STANDARD
        .decode(header(exchange, "Livepeer-Segment"))
        .expect("base64");
    SegData::decode(header.as_slice()).expect("a message")
}
