//! Strings as numbers.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A string as a policy sees it: the first eight bytes, big endian, of the SHA-256 of its lower-cased UTF-8.
///
/// A hash and not an index into a table of strings: it stays the same across decisions, restarts and recordings, and a
/// policy can compare it with its settings, which arrive with their symbols. A column of symbols crosses into a component in
/// one copy, a column of strings in one allocation a string.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Symbol(pub u64);

// === impl Symbol ===

impl Symbol {
    /// The symbol of no string.
    pub const UNKNOWN: Self = Self(0);

    /// The symbol of `text`. The empty string is [`Symbol::UNKNOWN`].
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self::UNKNOWN;
        }
        let digest = Sha256::digest(text.to_lowercase().as_bytes());
        let (head, _) = digest
            .split_first_chunk::<8>()
            .expect("a SHA-256 has 32 bytes");
        Self(u64::from_be_bytes(*head))
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_and_nothing_is_unknown() {
        assert_eq!(Symbol::of("FRA"), Symbol::of("fra"));
        assert_ne!(Symbol::of("fra"), Symbol::of("ams"));
        assert_eq!(Symbol::of(""), Symbol::UNKNOWN);
    }

    #[test]
    fn the_value_is_the_documented_hash() {
        // sha256("abc") = ba7816bf 8f01cfea …
        assert_eq!(Symbol::of("abc"), Symbol(0xba78_16bf_8f01_cfea));
    }
}
