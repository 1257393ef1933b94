//! The `Livepeer-Payment` header.
//!
//! Standard base64 of a [`Payment`]. Off-chain nothing is paid and the header is there with an empty value, which an
//! orchestrator reads as a payment by the zero address.

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};
use prost::Message as _;

use crate::limits::MAX_HEADER_BYTES;
use crate::net::Payment;
use crate::refusal::{NOT_PROTOBUF, Refusal};
use crate::sign::Address;

/// Name of the header.
pub const HEADER: &str = "Livepeer-Payment";

/// The header's value.
#[must_use]
pub fn encode(payment: Option<&Payment>) -> String {
    payment.map_or_else(String::new, |payment| {
        STANDARD.encode(payment.encode_to_vec())
    })
}

/// Reads the header as an orchestrator does: empty is an empty payment.
///
/// # Errors
///
/// The 402 that go-livepeer answers.
pub fn decode(header: &str) -> Result<Payment, Refusal> {
    if header.len() > MAX_HEADER_BYTES {
        return Err(Refusal::new(
            402,
            "protobuf unmarshal error: header too long",
        ));
    }
    let bytes = STANDARD
        .decode(header)
        .map_err(|cause| Refusal::new(402, format!("base64 decode error: {}", as_go(&cause))))?;
    Payment::decode(bytes.as_slice())
        .map_err(|_| Refusal::new(402, format!("protobuf unmarshal error: {NOT_PROTOBUF}")))
}

/// Who pays: zero when absent or no address.
#[must_use]
pub fn sender(payment: &Payment) -> Address {
    Address::try_from(payment.sender.as_slice()).unwrap_or_default()
}

fn as_go(error: &DecodeError) -> String {
    let at = match error {
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => *at,
        DecodeError::InvalidLength(at) => *at,
        DecodeError::InvalidPadding => 0,
    };
    format!("illegal base64 data at input byte {at}")
}
