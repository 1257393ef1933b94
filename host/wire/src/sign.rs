//! Signatures of the protocol: Ethereum personal messages over keccak-256, by secp256k1.
//!
//! | signed | digest |
//! |---|---|
//! | requests, segments, pings | `personal(keccak(message))` |
//! | results | `personal(H)`, where `H = keccak(keccak(r0) \|\| keccak(r1) \|\| …)` |
//!
//! `personal(h) = keccak("\x19Ethereum Signed Message:\n32" || h)`. Results skip the inner keccak, so a signature of one
//! kind never passes for the other.
//!
//! A signature is 65 bytes `r || s || v` with `v` 27 or 28 and `s` in the lower half; anything else is refused, since a
//! second valid form of one signature would be a second identity for whatever keeps signatures.

pub use alloy::primitives::{Address, B256, Keccak256, keccak256};
pub use alloy::signers::SignerSync;
pub use alloy::signers::local::PrivateKeySigner;

use alloy::primitives::{Signature, eip191_hash_message};

/// Length of a signature, in bytes.
pub const SIGNATURE_BYTES: usize = 65;

/// Why a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not 65 bytes.
    #[error("a signature of {0} bytes instead of 65")]
    Length(usize),
    /// `v` is neither 27 nor 28.
    #[error("a signature whose last byte is {0} instead of 27 or 28")]
    Parity(u8),
    /// `s` is in the upper half.
    #[error("a signature whose s is in the upper half")]
    Malleable,
    /// No key can have made it.
    #[error("a signature that no key can have made")]
    Unrecoverable,
    /// Made by another key.
    #[error("signed by {found} instead of {expected}")]
    Signer {
        /// Who should have signed.
        expected: Address,
        /// Who did.
        found: Address,
    },
}

/// The digest of a request, segment or ping.
#[must_use]
pub fn message_digest(message: &[u8]) -> B256 {
    eip191_hash_message(keccak256(message))
}

/// The digest of a result whose renditions hash to `renditions`, in the order of the profiles.
#[must_use]
pub fn result_digest(renditions: &[B256]) -> B256 {
    eip191_hash_message(result_hash(renditions))
}

/// `H` of a result: the hash over the renditions' hashes.
#[must_use]
pub fn result_hash(renditions: &[B256]) -> B256 {
    let mut hasher = Keccak256::new();
    for rendition in renditions {
        hasher.update(rendition);
    }
    hasher.finalize()
}

/// What a gateway signs to ask an orchestrator: its own address, checksummed, with `0x`.
#[must_use]
pub fn orchestrator_request_message(gateway: Address) -> String {
    gateway.to_checksum(None)
}

/// Signs a [`message_digest`] or [`result_digest`]. The same key and digest always give the same bytes.
///
/// # Errors
///
/// What the signer says; a key in memory does not fail.
pub fn sign_digest(
    signer: &impl SignerSync,
    digest: B256,
) -> Result<[u8; SIGNATURE_BYTES], alloy::signers::Error> {
    Ok(signer.sign_hash_sync(&digest)?.normalized_s().as_bytes())
}

/// Signs a request, segment or ping.
///
/// # Errors
///
/// As [`sign_digest`].
pub fn sign(
    signer: &impl SignerSync,
    message: &[u8],
) -> Result<[u8; SIGNATURE_BYTES], alloy::signers::Error> {
    sign_digest(signer, message_digest(message))
}

/// Who signed a digest.
///
/// # Errors
///
/// When the signature has the wrong form or no signer.
pub fn recover_digest(digest: B256, signature: &[u8]) -> Result<Address, SignatureError> {
    let bytes: &[u8; SIGNATURE_BYTES] = signature
        .try_into()
        .map_err(|_| SignatureError::Length(signature.len()))?;
    let parity = match bytes[SIGNATURE_BYTES - 1] {
        27 => false,
        28 => true,
        other => return Err(SignatureError::Parity(other)),
    };
    let signature = Signature::from_bytes_and_parity(&bytes[..SIGNATURE_BYTES - 1], parity);
    if signature.normalize_s().is_some() {
        return Err(SignatureError::Malleable);
    }
    signature
        .recover_address_from_prehash(&digest)
        .map_err(|_| SignatureError::Unrecoverable)
}

/// Checks that `expected` signed a digest.
///
/// # Errors
///
/// As [`recover_digest`], and [`SignatureError::Signer`].
pub fn verify_digest(
    digest: B256,
    signature: &[u8],
    expected: Address,
) -> Result<(), SignatureError> {
    match recover_digest(digest, signature)? {
        found if found == expected => Ok(()),
        found => Err(SignatureError::Signer { expected, found }),
    }
}

/// Checks that `expected` signed a request, segment or ping.
///
/// # Errors
///
/// As [`verify_digest`].
pub fn verify(message: &[u8], signature: &[u8], expected: Address) -> Result<(), SignatureError> {
    verify_digest(message_digest(message), signature, expected)
}
