//! What an orchestrator answers when it refuses a request before reading it.

/// Go's text for bytes that are no message. The space after the colon does not break; Go's library writes it so, to keep
/// programs from comparing its texts.
pub(crate) const NOT_PROTOBUF: &str = "proto:\u{a0}cannot parse invalid wire-format data";

/// A status and its text, without the newline that Go's `http.Error` appends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {text}")]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub text: String,
}

// === impl Refusal ===

impl Refusal {
    /// A refusal.
    #[must_use]
    pub fn new(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
        }
    }
}
