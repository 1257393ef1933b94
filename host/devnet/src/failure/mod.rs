//! Failures an orchestrator can be told to have.
//!
//! A [`Rule`] says what goes wrong ([`Kind`]), on which requests ([`Method`]) and how often ([`When`]). Rules stand in a
//! profile, or are set while the orchestrator runs; the first rule that applies to a request decides it.
//!
//! Where the failure is one that a real orchestrator has (capped, busy, an expired token), it takes the place of the
//! real check, in its order and with its status and text, so that a gateway cannot tell it from the real thing. The
//! others are faults of machine or network, or lies.

mod parse;
mod plan;

use std::time::Duration;

pub use parse::Rules;
pub(crate) use plan::Plan;

/// A kind of request that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// gRPC `GetOrchestrator`.
    GetOrchestrator,
    /// `POST /segment`.
    Segment,
    /// `GET /stream/…`: a rendition.
    Download,
    /// gRPC `EndTranscodingSession`.
    EndSession,
}

/// What goes wrong. In profiles and patches by its kebab-case name: `hang-after-headers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Connections are refused. Without a limit to some methods or requests the listening socket is closed and open
    /// connections are cut; otherwise an unlucky connection is reset as soon as it is accepted, or when its request arrives.
    Refuse,
    /// The connection is cut when the request has arrived, before a byte of the answer.
    Disconnect,
    /// Nothing is ever answered.
    HangBeforeHeaders,
    /// The answer's headers come, its body never does. For a segment: the upload was accepted.
    HangAfterHeaders,
    /// Headers and half of the body come, then HTTP/1.1 closes the connection and HTTP/2 resets the stream.
    ResetMidBody,
    /// The request is answered with this status and text at once.
    Status {
        /// HTTP status; 500 unless given.
        status: u16,
        /// Body; the status' own phrase unless given.
        text: String,
        /// Its `Retry-After`, as it is: seconds or a date; none unless given.
        retry_after: Option<String>,
    },
    /// The segment's result carries this text as error, after the 200.
    Error {
        /// Such as `Unsupported input codec`, which no orchestrator can mend.
        text: String,
    },
    /// The answer is no protobuf message.
    GarbageResult,
    /// A rendition of the right length and of scrambled bytes.
    CorruptRendition,
    /// A rendition that was listed is not found.
    MissingRendition,
    /// The result lists one rendition less than there are profiles, as the real one does when it cannot store one.
    FewerRenditions,
    /// The body comes one byte at a time.
    SlowDrip {
        /// Time between two bytes.
        interval: Duration,
    },
    /// The body never ends.
    EndlessBody,
    /// `OrchestratorBusy` in the segment's result: too many outstanding.
    Busy,
    /// `OrchestratorCapped`, where the capacity check stands.
    Capped,
    /// On a segment `expired auth token`, where the token check stands; GetOrchestrator hands out tokens that are already old.
    ExpiredToken,
    /// The offer asks for uploads to storage of its own.
    WantsStorage,
    /// The offer names this as its `transcoder`; empty means that it takes no work.
    WrongTranscoder {
        /// A port where nobody listens unless given.
        uri: String,
    },
    /// The offer names an Ethereum address, other in every answer.
    WrongAddress,
    /// The offer's ticket parameters have expired. This and the next two change nothing off-chain.
    StaleTickets,
    /// The offer's ticket parameters name no block at which they expire.
    EndlessTickets,
    /// The offer's tickets are to be made out to an address, other in every answer.
    WrongRecipient,
    /// A session's next price is twice the one that it began with. Off-chain there is none.
    DoubledPrice,
}

/// How often a rule applies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// To every request.
    Always,
    /// To this share of the requests, in 0 to 1, drawn from the profile's seed.
    Probability(f64),
    /// To the next so many requests, then never again.
    Next(u32),
}

/// One failure: what, on which requests, how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What goes wrong.
    pub kind: Kind,
    /// On which requests; never empty.
    pub on: Vec<Method>,
    /// How often.
    pub when: When,
}

const ALL: &[Method] = &[
    Method::GetOrchestrator,
    Method::Segment,
    Method::Download,
    Method::EndSession,
];

// === impl Kind ===

impl Kind {
    /// The requests that can fail this way.
    #[must_use]
    pub fn applies_to(&self) -> &'static [Method] {
        use Method::{Download, GetOrchestrator, Segment};
        match self {
            Self::Refuse | Self::Disconnect | Self::HangBeforeHeaders | Self::Status { .. } => ALL,
            Self::HangAfterHeaders
            | Self::ResetMidBody
            | Self::SlowDrip { .. }
            | Self::EndlessBody => &[GetOrchestrator, Segment, Download],
            Self::GarbageResult
            | Self::Capped
            | Self::ExpiredToken
            | Self::WantsStorage
            | Self::WrongTranscoder { .. }
            | Self::WrongAddress
            | Self::StaleTickets
            | Self::EndlessTickets
            | Self::WrongRecipient => &[GetOrchestrator, Segment],
            Self::Error { .. } | Self::FewerRenditions | Self::Busy | Self::DoubledPrice => {
                &[Segment]
            }
            Self::CorruptRendition | Self::MissingRendition => &[Download],
        }
    }
}

// === impl Rule ===

impl Rule {
    /// The failure on every request that can have it.
    #[must_use]
    pub fn always(kind: Kind) -> Self {
        let on = kind.applies_to().to_vec();
        Self {
            kind,
            on,
            when: When::Always,
        }
    }

    /// The failure on the next `count` requests that can have it.
    #[must_use]
    pub fn next(kind: Kind, count: u32) -> Self {
        Self {
            when: When::Next(count),
            ..Self::always(kind)
        }
    }

    /// The failure on a share of the requests, in 0 to 1.
    #[must_use]
    pub fn probability(kind: Kind, share: f64) -> Self {
        Self {
            when: When::Probability(share),
            ..Self::always(kind)
        }
    }

    /// Limits the rule to one kind of request. A request that cannot fail this way stays unharmed.
    #[must_use]
    pub fn on(self, method: Method) -> Self {
        Self {
            on: vec![method],
            ..self
        }
    }

    /// Whether it closes the listening socket.
    pub(crate) fn closes_the_port(&self) -> bool {
        self.kind == Kind::Refuse && self.when == When::Always && self.on == ALL
    }
}
