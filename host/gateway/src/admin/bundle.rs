//! A bundle in a request: in its body, or by reference.
//!
//! The body is the bundle in one file, and the header [`SIGNATURE`] the base64 of its `.minisig`. With `?reference=` the body is empty, and
//! the gateway fetches the bundle itself, under its own rules: the key, the credentials and the addresses that its operator configured.

use axum::body::Bytes;
use axum::extract::{FromRequest, Query, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pointsman_fetch::Reference;
use serde::Deserialize;

use super::ApiError;
use crate::policies::Sent;

/// The header with the signature of an upload.
pub const SIGNATURE: &str = "Pointsman-Signature";

/// What a request brings.
#[derive(Debug)]
pub(super) struct Incoming(pub(super) Sent);

#[derive(Debug, Deserialize)]
struct Named {
    reference: Option<String>,
}

// === impl Incoming ===

impl<S: Send + Sync> FromRequest<S> for Incoming {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let named = Query::<Named>::try_from_uri(request.uri())
            .map_err(|error| ApiError::bad_request(error.body_text()))?;
        let signature = request.headers().get(SIGNATURE).cloned();
        let bytes = Bytes::from_request(request, state).await.map_err(|error| {
            ApiError::bad_request(format!("the bundle cannot be read: {error}"))
        })?;
        if let Some(reference) = &named.reference {
            if !bytes.is_empty() {
                let message = "send a bundle, or name one with reference=, not both";
                return Err(ApiError::bad_request(message));
            }
            return remote(reference).map(|reference| Self(Sent::Reference(reference)));
        }
        let signature = signature.map(|value| text(value.as_bytes())).transpose()?;
        Ok(Self(Sent::Archive { bytes, signature }))
    }
}

/// A reference that leads over the network: the gateway's own disk is not the sender's to name.
fn remote(text: &str) -> Result<Reference, ApiError> {
    match text.parse() {
        Ok(Reference::Path(_)) => Err(ApiError::bad_request(
            "reference= takes https://…#sha256=HEX or oci://…@sha256:HEX; send the bundle itself otherwise",
        )),
        Ok(reference) => Ok(reference),
        Err(error) => Err(ApiError::bad_request(error.to_string())),
    }
}

fn text(encoded: &[u8]) -> Result<String, ApiError> {
    let bytes = STANDARD.decode(encoded).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| {
        ApiError::bad_request(format!("{SIGNATURE} is not the base64 of a .minisig file"))
    })
}
