//! What went wrong with an attempt: whose fault, of which kind, and whether trying again is safe.
//!
//! Failover reads these and never message text. A kind is a documented number because the WIT's types are frozen: a new
//! kind is a new row of [`FailureKind::TABLE`], and a policy that does not know it still knows its blame.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Who is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// The orchestrator: it counts against its history.
    Orchestrator,
    /// The media or request itself: no orchestrator will do better.
    Input,
    /// This gateway.
    Gateway,
    /// Tickets, prices, funds.
    Payment,
    /// The way between: it may be either side.
    Network,
}

macro_rules! kinds {
    ($($(#[$doc:meta])+ $variant:ident = $number:literal, $name:literal, $class:ident;)+) => {
        /// What happened, as policies see it: a stable number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[repr(u16)]
        pub enum FailureKind { $($(#[$doc])+ $variant = $number,)+ }

        impl FailureKind {
            /// Every kind with its number and name; `wit/README.md` shows it.
            pub const TABLE: &[(Self, u16, &'static str)] = &[$((Self::$variant, $number, $name),)+];

            /// The name in decisions, metrics and recordings.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The class it is counted in.
            #[must_use]
            pub fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)+ }
            }
        }
    };
}

kinds! {
    /// No connection: refused, unreachable, TLS failed, name not found.
    Connect = 1, "connect", Connect;
    /// Connected, but no response headers in time.
    HeaderTimeout = 2, "header-timeout", Timeout;
    /// Headers came, the result did not in time.
    BodyTimeout = 3, "body-timeout", Timeout;
    /// The connection broke in the middle.
    Reset = 4, "reset", Reset;
    /// A 5xx answer.
    ServerError = 5, "server-error", Status;
    /// A 4xx answer that none of the other kinds describes.
    Refused = 6, "refused", Status;
    /// An answer that cannot be decoded, or says nothing.
    Garbage = 7, "garbage", Result;
    /// The number of renditions, or one of them, is wrong.
    BadRendition = 8, "bad-rendition", Result;
    /// A rendition could not be fetched.
    Download = 9, "download", Result;
    /// An error from the transcoder that is not the input's fault.
    Transcoder = 10, "transcoder", Result;
    /// It has too much queued for this session.
    Busy = 11, "busy", Capacity;
    /// It takes no more sessions.
    Capped = 12, "capped", Capacity;
    /// The session's token is expired, unknown or missing: refresh and send again.
    Token = 13, "token", Session;
    /// No session could be agreed.
    Session = 14, "session", Session;
    /// It cannot do this job after all.
    Incompatible = 15, "incompatible", Session;
    /// The media cannot be transcoded by anyone.
    BadInput = 16, "bad-input", Input;
    /// It wants uploads to its own storage, which is not supported yet.
    Storage = 17, "storage", Session;
    /// The price is above what the operator allows.
    Price = 18, "price", Payment;
    /// The payment was refused.
    Payment = 19, "payment", Payment;
    /// The hard deadline passed.
    Deadline = 20, "deadline", Timeout;
    /// Ended by this gateway: a hedge won, or the application left.
    Cancelled = 21, "cancelled", Gateway;
    /// Something is wrong in this gateway.
    Internal = 22, "internal", Gateway;
}

/// Kinds grouped for statistics: the `<class>` of the column `error-rate/<class>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// No connection.
    Connect,
    /// Too slow.
    Timeout,
    /// Broke in the middle.
    Reset,
    /// An HTTP error.
    Status,
    /// A wrong result.
    Result,
    /// No room. Not a fault.
    Capacity,
    /// Sessions and tokens.
    Session,
    /// The input's fault.
    Input,
    /// Money.
    Payment,
    /// This gateway's own doing.
    Gateway,
}

/// Why one attempt gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{} ({blame:?}): {detail}", kind.name())]
pub struct Failure {
    /// Whose fault.
    pub blame: Blame,
    /// What happened.
    pub kind: FailureKind,
    /// Whether the same job may be sent again without harm (to anyone).
    pub retry_safe: bool,
    /// The HTTP status of the answer, if there was one.
    pub http_status: Option<u16>,
    /// How long the orchestrator asked to be left alone.
    pub retry_after: Option<Duration>,
    /// The cause, for people: at most [`Failure::MAX_DETAIL`] bytes, free of secrets.
    pub detail: String,
}

// === impl Class ===

impl Class {
    /// Every class, in the order statistics are kept.
    pub const ALL: [Self; 10] = [
        Self::Connect,
        Self::Timeout,
        Self::Reset,
        Self::Status,
        Self::Result,
        Self::Capacity,
        Self::Session,
        Self::Input,
        Self::Payment,
        Self::Gateway,
    ];

    /// The name in column names and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Status => "status",
            Self::Result => "result",
            Self::Capacity => "capacity",
            Self::Session => "session",
            Self::Input => "input",
            Self::Payment => "payment",
            Self::Gateway => "gateway",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Whether a failure of this class says that the orchestrator did badly. Full is not bad, and neither is poor input.
    #[must_use]
    pub fn is_fault(self) -> bool {
        matches!(
            self,
            Self::Connect | Self::Timeout | Self::Reset | Self::Status | Self::Result
        )
    }
}

// === impl Failure ===

impl Failure {
    /// Longest detail kept, in bytes: it comes from strangers.
    pub const MAX_DETAIL: usize = 300;

    /// A failure that is safe to retry, blamed as given.
    #[must_use]
    pub fn new(blame: Blame, kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            blame,
            kind,
            retry_safe: blame != Blame::Input,
            http_status: None,
            retry_after: None,
            detail: clipped(detail.into()),
        }
    }

    /// The same, saying where it happened.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.detail = clipped(format!("{place}: {}", self.detail));
        self
    }

    /// The same, with the status it came with.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// Whether it counts against the orchestrator's history.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        matches!(self.blame, Blame::Orchestrator | Blame::Network) && self.kind.class().is_fault()
    }
}

/// Cut to [`Failure::MAX_DETAIL`] bytes, at a character.
fn clipped(mut detail: String) -> String {
    let mut end = detail.len().min(Failure::MAX_DETAIL);
    while !detail.is_char_boundary(end) {
        end -= 1;
    }
    detail.truncate(end);
    detail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_of_kinds_are_unique() {
        for (i, (_, number, name)) in FailureKind::TABLE.iter().enumerate() {
            for (_, other, other_name) in &FailureKind::TABLE[i + 1..] {
                assert_ne!(number, other);
                assert_ne!(name, other_name);
            }
        }
    }

    #[test]
    fn full_is_no_fault_and_bad_input_is_not_retried() {
        let capped = Failure::new(
            Blame::Orchestrator,
            FailureKind::Capped,
            "OrchestratorCapped",
        );
        assert!(!capped.is_fault() && capped.retry_safe);
        let input = Failure::new(Blame::Input, FailureKind::BadInput, "No keyframes in input");
        assert!(!input.is_fault() && !input.retry_safe);
    }

    #[test]
    fn a_long_detail_is_cut_at_a_character() {
        let failure = Failure::new(Blame::Network, FailureKind::Reset, "é".repeat(400));
        assert!(failure.detail.len() <= Failure::MAX_DETAIL);
    }
}
