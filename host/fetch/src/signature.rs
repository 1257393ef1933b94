//! Signatures of the minisign tool.
//!
//! A digest says *which* file is meant, a signature *who* made it. With a key configured everything must be signed by it, whichever way it
//! comes. Only prehashed signatures count: minisign makes no others since 0.10 unless asked to.

use std::str::FromStr;

use minisign_verify::Error;

/// Longest signature file, bytes: minisign's own limit is two lines of comment of 8 KiB and 1 KiB.
pub(crate) const MAX_SIGNATURE: usize = 16 << 10;

/// What is added to the name of what is signed.
pub(crate) const ENDING: &str = ".minisig";

/// A minisign public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(minisign_verify::PublicKey);

/// A text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no minisign public key: give what minisign.pub holds, or its second line, which begins with RW"
)]
pub struct KeyError;

/// What is fetched is not signed as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error(
        "it has no signature, and a key is configured: sign it with `minisign -Sm FILE` and put FILE.minisig beside it"
    )]
    Missing,
    /// It is no signature file.
    #[error("its signature is no minisign signature")]
    Malformed,
    /// Someone else's.
    #[error("it is signed with another key than the one that is configured")]
    OtherKey,
    /// Made the old way.
    #[error("its signature is of minisign's legacy format: sign it again without -l")]
    Legacy,
    /// What was signed is something else, or the trusted comment was changed.
    #[error(
        "its signature is of another content: it was changed after it was signed, or the signature belongs to another file"
    )]
    Wrong,
}

// === impl PublicKey ===

impl PublicKey {
    /// Checks that `signature` signs `bytes`. Returns the trusted comment, which is signed too.
    ///
    /// # Errors
    ///
    /// [`SignatureError`], none of whose words are taken from the signature.
    pub fn verify(&self, bytes: &[u8], signature: &str) -> Result<String, SignatureError> {
        if signature.len() > MAX_SIGNATURE {
            return Err(SignatureError::Malformed);
        }
        let signature =
            minisign_verify::Signature::decode(signature).map_err(|_| SignatureError::Malformed)?;
        match self.0.verify(bytes, &signature, false) {
            Ok(()) => Ok(signature.trusted_comment().to_owned()),
            Err(Error::UnexpectedKeyId) => Err(SignatureError::OtherKey),
            Err(Error::UnexpectedAlgorithm) => Err(SignatureError::Legacy),
            Err(_) => Err(SignatureError::Wrong),
        }
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    /// Reads a `minisign.pub`, or only the key in it.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let key = match text.lines().count() {
            1 => minisign_verify::PublicKey::from_base64(text),
            _ => minisign_verify::PublicKey::decode(text),
        };
        key.map(Self).map_err(|_| KeyError)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made by minisign 0.11.
    const KEY: &str = include_str!("../tests/minisign/key.pub");
    const OTHER: &str = include_str!("../tests/minisign/other.pub");
    const SIGNED: &[u8] = include_bytes!("../tests/minisign/signed.toml");
    const SIGNATURE: &str = include_str!("../tests/minisign/signed.toml.minisig");
    const LEGACY: &str = include_str!("../tests/minisign/legacy.minisig");

    fn key(text: &str) -> PublicKey {
        text.parse().expect("a key")
    }

    #[test]
    fn a_signature_of_the_real_tool_holds_and_says_its_comment() {
        assert_eq!(
            key(KEY).verify(SIGNED, SIGNATURE),
            Ok("eu-first 1.2.0".to_owned())
        );
    }

    #[test]
    fn the_key_alone_does() {
        let bare = key(KEY.lines().nth(1).expect("its second line"));
        assert!(bare.verify(SIGNED, SIGNATURE).is_ok());
        assert_eq!("RWQ".parse::<PublicKey>(), Err(KeyError));
        assert_eq!("".parse::<PublicKey>(), Err(KeyError));
        assert_eq!(SIGNATURE.parse::<PublicKey>(), Err(KeyError));
    }

    #[test]
    fn each_way_of_being_wrong_has_its_word() {
        let verify = |key_text, bytes: &[u8], signature: &str| {
            key(key_text).verify(bytes, signature).expect_err("refused")
        };
        assert_eq!(verify(OTHER, SIGNED, SIGNATURE), SignatureError::OtherKey);
        assert_eq!(
            verify(KEY, b"name = \"signes\"\n", SIGNATURE),
            SignatureError::Wrong
        );
        assert_eq!(
            verify(KEY, SIGNED, &SIGNATURE.replace("1.2.0", "1.3.0")),
            SignatureError::Wrong
        );
        assert_eq!(verify(KEY, SIGNED, LEGACY), SignatureError::Legacy);
        assert_eq!(verify(KEY, SIGNED, "hello"), SignatureError::Malformed);
        assert_eq!(verify(KEY, SIGNED, ""), SignatureError::Malformed);
        assert_eq!(
            verify(KEY, SIGNED, &"x\n".repeat(MAX_SIGNATURE)),
            SignatureError::Malformed
        );
    }

    proptest! {
        #[test]
        fn one_changed_byte_of_what_is_signed_is_seen(place in 0..SIGNED.len(), by in 1..=255u8) {
            let mut bytes = SIGNED.to_vec();
            bytes[place] ^= by;
            prop_assert_eq!(key(KEY).verify(&bytes, SIGNATURE), Err(SignatureError::Wrong));
        }

        #[test]
        fn no_signature_file_panics(place in 0..SIGNATURE.len(), with in "\\PC{0,4}") {
            let mut text = SIGNATURE.to_owned();
            text.replace_range(place..=place, &with);
            let _ = key(KEY).verify(SIGNED, &text);
        }
    }
}
