//! Names as path components of a URI.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters. A colon too: a relative URI that begins `a:b/` would be read as a
/// scheme; and line ends and quotes, which would forge playlist lines.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Why a name cannot be a path component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unfit;

/// Percent-encodes `name` for a URI.
///
/// # Errors
///
/// [`Unfit`] when it is empty or over 255 bytes, or a dot segment, which no encoding saves from being resolved away.
pub(super) fn component(name: &str) -> Result<String, Unfit> {
    if name.is_empty() || name.len() > 255 || name == "." || name == ".." {
        return Err(Unfit);
    }
    Ok(utf8_percent_encode(name, ENCODED).to_string())
}

#[cfg(test)]
mod tests {
    use super::{Unfit, component};

    #[test]
    fn names_cannot_leave_their_path_component() {
        for (name, encoded) in [
            ("P240p30fps16x9", "P240p30fps16x9"),
            ("my_stream-1.2~x", "my_stream-1.2~x"),
            ("a/b", "a%2Fb"),
            ("a\n#EXT-X-ENDLIST", "a%0A%23EXT-X-ENDLIST"),
            ("http:", "http%3A"),
            ("é?", "%C3%A9%3F"),
            ("%2e%2e", "%252e%252e"),
            ("...", "..."),
        ] {
            assert_eq!(component(name).as_deref(), Ok(encoded));
        }
        for name in ["", ".", "..", &"x".repeat(256)] {
            assert_eq!(component(name), Err(Unfit), "{name:?}");
        }
    }
}
