//! Recorded traffic of real nodes.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pointsman_wire::sign::{Address, PrivateKeySigner};
use prost::Message;
use serde_json::Value;

/// Who sent the recorded on-chain requests: key 2 of the public test mnemonic.
const GATEWAY: &str = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

pub(crate) fn gateway() -> PrivateKeySigner {
    GATEWAY.parse().expect("a key")
}

/// Who answered them: key 1.
pub(crate) fn orchestrator() -> Address {
    let address = "70997970C51812dc3A010C7d01b50e0d17dc79C8";
    address.parse().expect("an address")
}

pub(crate) fn folder(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden")).join(name)
}

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let path = folder(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).expect("JSON")
}

/// The JSON files of these folders, without extension, in order.
pub(crate) fn names(folders: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    for name in folders {
        for entry in std::fs::read_dir(folder(name)).expect("a folder") {
            let file = entry.expect("an entry").file_name();
            let file = file.to_str().expect("UTF-8");
            names.extend(
                file.strip_suffix(".json")
                    .map(|file| format!("{name}/{file}")),
            );
        }
    }
    names.sort();
    names
}

/// The message of a gRPC body, without its five-byte prefix.
pub(crate) fn unframed(name: &str) -> Vec<u8> {
    let body = bytes(name);
    let (prefix, message) = body.split_at(5);
    assert_eq!(prefix[0], 0, "not compressed");
    assert_eq!(prefix[1..], (message.len() as u32).to_be_bytes());
    message.to_vec()
}

pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer}"))
}

pub(crate) fn base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("base64")
}

/// Hex, with or without `0x`.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    hex::decode(text.trim_start_matches("0x")).expect("hex")
}

/// Checks that a message encodes to what it was decoded from.
pub(crate) fn same_bytes<M: Message + Default>(bytes: &[u8]) -> M {
    let message = M::decode(bytes).expect("a message");
    assert_eq!(hex::encode(message.encode_to_vec()), hex::encode(bytes));
    message
}

/// The same for an answer with capacities, which cannot be the same bytes for two reasons: Go writes the entries of a map
/// in an order drawn anew each time, and it writes the key of an entry also when that is 0, as for capability 0, where
/// prost leaves it out. What is encoded decodes to the same message and is shorter by just those two bytes, so nothing
/// else was lost.
pub(crate) fn same_but_for_capacities<M: Message + Default + PartialEq + std::fmt::Debug>(
    bytes: &[u8],
) -> M {
    let message = M::decode(bytes).expect("a message");
    let again = message.encode_to_vec();
    assert_eq!(again.len() + 2, bytes.len());
    assert_eq!(M::decode(again.as_slice()).as_ref(), Ok(&message));
    message
}
