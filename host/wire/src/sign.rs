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
//!
//! # Speed of keccak
//!
//! Every segment is hashed once: 95 µs for 52 kB, 0.9 ms for 500 kB with alloy's default, which is plain Rust. Its assembly
//! is 15 % faster and needs perl to build; that is no trade.

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

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 times 0x46.
    fn signer() -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&B256::repeat_byte(0x46)).expect("a key")
    }

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).expect("hex")
    }

    #[test]
    fn the_request_of_an_offer_is_signed_as_published() {
        let address = signer().address();
        let message = orchestrator_request_message(address);
        assert_eq!(message, "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F");
        let hash = "969fa3eae55716669979e5c87080d2ff347c38c16743686c0af60e233463b8f9";
        assert_eq!(hex::encode(keccak256(&message)), hash);
        let signature = sign(&signer(), message.as_bytes()).expect("a signature");
        assert_eq!(
            hex::encode(signature),
            "4e166c2cd389f60c02051be1252202fc8a9d9f81b34ace389523a47cb5e70d265bcff71ffa9bda088fb65f04930ca11aa5818b5c688e0d130a32f3a03e9254c91c"
        );
        assert_eq!(verify(message.as_bytes(), &signature, address), Ok(()));
    }

    #[test]
    fn a_result_is_signed_as_published() {
        let hashes = [keccak256("foo"), keccak256("bar")];
        let hash = "744766909640c85c19ca00139e7af3c5d9cb8dbfbc6635812eedc4e3cbf4fce6";
        assert_eq!(hex::encode(result_hash(&hashes)), hash);
        let digest = result_digest(&hashes);
        let signature = sign_digest(&signer(), digest).expect("a signature");
        assert_eq!(
            hex::encode(signature),
            "e4a3d14e0189d768298451dcb4541e289d514f00f8168b7d13515f7175da2d6b3ec9933e5b9f440f26fbb6e59ae5d6fa9f1faa3d9321ef00226e58fcd7e931011c"
        );
        assert_eq!(recover_digest(digest, &signature), Ok(signer().address()));
    }

    #[test]
    fn the_published_personal_message_verifies() {
        let message = bytes("b7da355477356fc4c47fcabcf232dc77a6db9b07b7e48b76261cc55cc8fbabb3");
        let signature = bytes(
            "206443228e8f784bc3a122de0d85eb3ebff82d6a79cca26c7eeb907099a6404f6dff57bc6828f28bd6cd073c89d94cf3364204679ed8365fa45b5ee6af19a9841c",
        );
        let address = "3BadDb1eeE2105893136A3F96c8a963E9C6309d6";
        let digest = eip191_hash_message(message);
        let expected = address.parse().expect("an address");
        assert_eq!(verify_digest(digest, &signature, expected), Ok(()));
    }

    #[test]
    fn other_forms_of_a_signature_are_refused() {
        let signature = sign(&signer(), b"message").expect("a signature");
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = signature.to_vec();
            change(&mut bytes);
            verify(b"message", &bytes, signer().address())
        };
        assert_eq!(with(&|_| ()), Ok(()));
        assert_eq!(
            with(&|bytes| bytes.truncate(64)),
            Err(SignatureError::Length(64))
        );
        assert_eq!(
            with(&|bytes| bytes.push(0)),
            Err(SignatureError::Length(66))
        );
        assert_eq!(
            with(&|bytes| bytes[64] -= 27),
            Err(SignatureError::Parity(signature[64] - 27))
        );
        assert_eq!(
            with(&|bytes| bytes[..64].fill(0)),
            Err(SignatureError::Unrecoverable)
        );
        // n - s with the other v is the same signature to anyone who does not look.
        let twin = with(&|bytes| {
            let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
            let order = alloy::primitives::U256::from_str_radix(order, 16).expect("a number");
            let s = alloy::primitives::U256::from_be_slice(&bytes[32..64]);
            bytes[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
            bytes[64] = 55 - bytes[64];
        });
        assert_eq!(twin, Err(SignatureError::Malleable));
        let other = verify(b"other", &signature, signer().address());
        assert!(
            matches!(other, Err(SignatureError::Signer { .. })),
            "{other:?}"
        );
    }
}
