//! A service URI as the registry has it.

use serde::{Deserialize, Serialize};

/// Longest URI that is kept, bytes. No URL of a host needs a quarter of it.
pub const MAX_URI: usize = 1024;

/// What a service registry says of an orchestrator. Anybody may register any text: whether it is a URL, and of what, is for whoever connects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "value")]
pub enum ServiceUri {
    /// Nothing is registered.
    #[default]
    Unset,
    /// The text, byte for byte.
    Text(String),
    /// Longer than is kept; its length in bytes.
    TooLong(usize),
    /// It could not be read: the words say why. An earlier text is kept instead where there is one.
    Unreadable(String),
}

// === impl ServiceUri ===

impl ServiceUri {
    /// The text, where there is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<String> for ServiceUri {
    fn from(text: String) -> Self {
        match text.len() {
            0 => Self::Unset,
            1..=MAX_URI => Self::Text(text),
            long => Self::TooLong(long),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_as_it_is_or_not_at_all() {
        let text = " https://o.example:8935 ".to_owned();
        assert_eq!(ServiceUri::from(text.clone()).text(), Some(text.as_str()));
        assert_eq!(ServiceUri::from(String::new()), ServiceUri::Unset);
        let long = "x".repeat(10_240);
        assert_eq!(ServiceUri::from(long), ServiceUri::TooLong(10_240));
    }
}
