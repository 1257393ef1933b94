//! Names of streams: from the path a publisher uses to a name that is safe in URLs, playlists and logs.
//!
//! # Contract
//!
//! [`StreamPath::parse`] reads what follows the host in `rtmp://host/live/movie/secret`, in `PUT /live/movie/0.ts` and
//! in a webhook's `manifestID` alike. In order: a query is dropped, the extension of the last part is dropped, leading
//! spaces and slashes and one `stream/` and one `live/` are dropped, the first part is the name, the rest the key.
//!
//! | path | name | key |
//! |---|---|---|
//! | `/movie`, `/live/movie`, `/stream/movie.m3u8` | `movie` | |
//! | `/live/movie/secret/key` | `movie` | `secret/key` |
//! | `/`, `/live`, `/stream` | none: take a [random](StreamName::random) one | |
//! | `/live/mylive/0.ts` | `mylive` | `0` |
//!
//! go-livepeer drops `live/` wherever it stands (the last row gives `my0` there) and names `rtmp://host/stream`
//! "stream"; here the prefixes are anchored and a bare prefix asks for a random name.
//!
//! A name becomes a part of URLs, a line of playlists, a label of metrics and a column of logs. It is therefore held to
//! letters, digits and the punctuation that needs no escape in any of these, rather than escaped in each.

use std::fmt;
use std::str::FromStr;

/// Longest name, in bytes.
pub const MAX_NAME: usize = 128;
/// Longest key, in bytes.
pub const MAX_KEY: usize = 256;

/// A stream's public name: go-livepeer's manifest ID.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(String);

/// What a publisher may have to know besides the name. Kept out of logs: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StreamKey(String);

/// A publisher's path, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPath {
    /// `None` when the path names no stream: the gateway makes one up.
    pub name: Option<StreamName>,
    /// What follows the name; may contain slashes.
    pub key: Option<StreamKey>,
}

/// Why a name or key is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Over [`MAX_NAME`] or [`MAX_KEY`].
    #[error("the {part} has {len} bytes; at most {max} are taken")]
    TooLong {
        /// "stream name" or "stream key".
        part: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The most that is taken.
        max: usize,
    },
    /// A character that is not taken.
    #[error("the {part} contains {character:?}; take letters, digits and -._~+@:,=!$()")]
    Character {
        /// "stream name" or "stream key".
        part: &'static str,
        /// The first one found.
        character: char,
    },
    /// A leading dot or `..`, which would be a folder in a URL or a store.
    #[error("the stream name must not start with a dot or contain \"..\"")]
    Dots,
    /// Nothing there.
    #[error("the stream name is empty")]
    Empty,
}

// === impl StreamName ===

impl StreamName {
    /// The name for a publisher that gave none: 8 hexadecimal characters. `entropy` is the caller's randomness.
    #[must_use]
    pub fn random(entropy: [u8; 4]) -> Self {
        Self(hex(&entropy))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        const PART: &str = "stream name";
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        check_length(PART, name, MAX_NAME)?;
        if let Some(character) = name
            .chars()
            .find(|&c| !(c.is_alphanumeric() || "-._~+@:,=!$()".contains(c)))
        {
            return Err(NameError::Character {
                part: PART,
                character,
            });
        }
        if name.starts_with('.') || name.contains("..") {
            return Err(NameError::Dots);
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for StreamName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

// === impl StreamKey ===

impl StreamKey {
    /// The key of a stream that came with none: 12 hexadecimal characters. Where it guards anything, `entropy` must be
    /// unpredictable.
    #[must_use]
    pub fn random(entropy: [u8; 6]) -> Self {
        Self(hex(&entropy))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamKey {
    type Err = NameError;

    fn from_str(key: &str) -> Result<Self, NameError> {
        const PART: &str = "stream key";
        check_length(PART, key, MAX_KEY)?;
        match key.chars().find(|c| c.is_control()) {
            Some(character) => Err(NameError::Character {
                part: PART,
                character,
            }),
            None => Ok(Self(key.to_owned())),
        }
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamKey(..)")
    }
}

// === impl StreamPath ===

impl StreamPath {
    /// Reads a publisher's path. See the module for the rules.
    ///
    /// # Errors
    ///
    /// [`NameError`] when the name or the key is not taken; never [`NameError::Empty`].
    pub fn parse(path: &str) -> Result<Self, NameError> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = path.trim_start_matches([' ', '/']).trim_end_matches('/');
        let path = without_extension(path);
        if matches!(path, "live" | "stream") {
            return Ok(Self {
                name: None,
                key: None,
            });
        }
        let path = path.strip_prefix("stream/").unwrap_or(path);
        let path = path.strip_prefix("live/").unwrap_or(path);
        let (name, key) = match path.split_once('/') {
            Some((name, key)) => (name, Some(key)),
            None => (path, None),
        };
        let name = match name {
            "" => None,
            name => Some(name.parse()?),
        };
        let key = key.filter(|key| !key.is_empty()).map(str::parse);
        Ok(Self {
            name,
            key: key.transpose()?,
        })
    }
}

/// Drops the last extension: what follows the last dot of the last part.
fn without_extension(path: &str) -> &str {
    let last = path.rfind('/').map_or(0, |at| at + 1);
    match path[last..].rfind('.') {
        Some(dot) => &path[..last + dot],
        None => path,
    }
}

fn check_length(part: &'static str, text: &str, max: usize) -> Result<(), NameError> {
    match text.len() {
        len if len > max => Err(NameError::TooLong { part, len, max }),
        _ => Ok(()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(path: &str) -> (Option<String>, Option<String>) {
        let path = StreamPath::parse(path).expect("a path that is taken");
        (
            path.name.map(|name| name.to_string()),
            path.key.map(|key| key.as_str().to_owned()),
        )
    }

    #[test]
    fn the_forms_publishers_use_give_the_same_name() {
        for path in [
            "/movie",
            "movie",
            "/live/movie",
            "/stream/movie",
            "/stream/live/movie",
            "/movie.m3u8",
            " //movie",
            "/live/movie?token=a/b.c",
            "/movie/",
        ] {
            assert_eq!(parts(path), (Some("movie".into()), None), "{path}");
        }
        let keyed = (Some("movie".into()), Some("secret/key".into()));
        assert_eq!(parts("/live/movie/secret/key"), keyed);
    }

    #[test]
    fn prefixes_count_at_the_start_only() {
        assert_eq!(
            parts("/live/mylive/0.ts"),
            (Some("mylive".into()), Some("0".into()))
        );
        assert_eq!(
            parts("/live/live/1.ts"),
            (Some("live".into()), Some("1".into()))
        );
        assert_eq!(parts("/alive"), (Some("alive".into()), None));
    }

    #[test]
    fn a_bare_prefix_asks_for_a_random_name() {
        for path in ["", "/", "/live", "/live/", "/stream", "//"] {
            assert_eq!(parts(path), (None, None), "{path}");
        }
        assert_eq!(StreamName::random([0, 1, 0xab, 255]).as_str(), "0001abff");
        assert_eq!(
            StreamKey::random([1, 2, 3, 4, 5, 6]).as_str(),
            "010203040506"
        );
    }

    #[test]
    fn names_that_would_escape_are_refused() {
        assert_eq!(StreamPath::parse("/../etc/passwd"), Err(NameError::Dots));
        assert_eq!(StreamPath::parse("/a..b/x"), Err(NameError::Dots));
        assert_eq!(StreamPath::parse("/.hidden/x"), Err(NameError::Dots));
        for name in ["a b", "a\nb", "a\"b", "a\\b", "a%2fb", "a\u{202e}b"] {
            let refused = StreamPath::parse(&format!("/{name}/x"));
            assert!(
                matches!(refused, Err(NameError::Character { .. })),
                "{name:?}"
            );
        }
        let long = "x".repeat(MAX_NAME + 1);
        assert!(matches!(
            StreamPath::parse(&long),
            Err(NameError::TooLong { .. })
        ));
        assert!(matches!(
            StreamPath::parse("/movie/a\0b"),
            Err(NameError::Character { .. })
        ));
    }

    #[test]
    fn a_key_is_not_shown() {
        let key: StreamKey = "secret".parse().expect("a key");
        assert_eq!(format!("{key:?}"), "StreamKey(..)");
    }

    proptest! {
        #[test]
        fn a_name_that_is_taken_reads_as_itself(path in "\\PC{0,40}") {
            if let Ok(StreamPath { name: Some(name), .. }) = StreamPath::parse(&path) {
                prop_assert!(!name.as_str().contains('/') && !name.as_str().contains(".."));
                prop_assert_eq!(name.as_str().parse::<StreamName>(), Ok(name.clone()));
            }
        }
    }
}
