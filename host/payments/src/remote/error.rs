//! What goes wrong with a remote signer.

use crate::verdict::Verdict;

/// Why the signer made no payment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// Its address or headers are none.
    #[error("the remote signer's settings cannot be used: {0}")]
    Settings(String),
    /// It has not said yet who it is.
    #[error("the remote signer has not answered yet")]
    Unknown,
    /// It signs payments and no segments, as go-livepeer's.
    #[error(
        "the remote signer signs no segments, and orchestrators that ask for tickets take none without: give the gateway a keystore, or a \
         signer that has /sign-segment"
    )]
    Segments,
    /// It did not answer, or said that it failed itself; also after the tries that are allowed.
    #[error("the remote signer failed: {0}")]
    Failed(String),
    /// Its answer is not what was asked for.
    #[error("the remote signer's answer cannot be used: {0}")]
    Malformed(&'static str),
    /// It wants a fresh offer of the orchestrator; the state stays.
    #[error("the remote signer wants fresh terms of the orchestrator")]
    Stale,
    /// The orchestrator's price is above a ceiling.
    #[error("the remote signer finds the price too high: {0}")]
    Price(String),
    /// It does not pay this: the orchestrator's terms, its own limits, its funds.
    #[error("the remote signer refused: {0}")]
    Refused(String),
    /// Its webhook does not allow it.
    #[error("the remote signer does not allow the payment, status {status}: {text}")]
    Unauthorised {
        /// The webhook's choice.
        status: u16,
        /// The webhook's words.
        text: String,
    },
}

/// Texts of a 400 that are about the state that was sent. Its next call begins anew.
const STATE_FAULTS: [&str; 6] = [
    "invalid sig",
    "invalid state",
    "orchestratorAddress mismatch",
    "app mismatch",
    "job type mismatch",
    "missing manifestID",
];

// === impl RemoteError ===

impl RemoteError {
    /// Reads an answer other than 200 and 482.
    pub(super) fn of(status: u16, text: String) -> Self {
        match status {
            400 => Self::Refused(text),
            480 => Self::Stale,
            481 => Self::Price(text),
            500 | 502 | 503 => Self::Failed(format!("status {status}: {text}")),
            404 | 405 => Self::Malformed("it does not know the call: is this a remote signer?"),
            _ => Self::Unauthorised { status, text },
        }
    }

    /// What to do.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Stale => Verdict::Refresh,
            Self::Price(_) | Self::Refused(_) => Verdict::Next,
            // There is one signer for all orchestrators.
            Self::Settings(_)
            | Self::Unknown
            | Self::Segments
            | Self::Failed(_)
            | Self::Malformed(_)
            | Self::Unauthorised { .. } => Verdict::Stop,
        }
    }

    pub(crate) fn is_of_the_state(&self) -> bool {
        matches!(self, Self::Refused(text) if STATE_FAULTS.contains(&text.as_str()))
    }
}
