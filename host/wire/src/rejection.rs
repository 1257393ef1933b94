//! What an orchestrator says when it does not do the job, as cases instead of text.
//!
//! # Contract
//!
//! go-livepeer refuses in prose: an HTTP status with a line of text, an `error` in a 200, a gRPC status. This is the one
//! place that reads such text; everything above acts on a [`Rejection`]. Texts match whole or by their fixed beginning,
//! never by a word inside, because some of them quote strangers (webhooks, ffmpeg). What matches nothing is
//! [`Rejection::Other`], shortened.
//!
//! A case says what was said, not what to do: whose fault it is, and whether to retry, is decided where attempts are made.

use std::fmt;

use crate::limits::MAX_REFUSAL_BYTES;

/// What an orchestrator said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// It takes no more sessions: `OrchestratorCapped`, or `insufficient capacity` for AI jobs.
    Capped,
    /// Five segments of this session are with it already: `OrchestratorBusy`.
    Busy,
    /// The session's token is too old: renew it and send again.
    TokenExpired,
    /// The token is not of this process: the orchestrator restarted, or the token was altered. Renew it and send again.
    TokenInvalid,
    /// There was no token.
    TokenMissing,
    /// The segment's signature is not the payment's sender's. Also what an on-chain orchestrator says to an off-chain gateway.
    SegmentSignature,
    /// The signature of GetOrchestrator is not the address's.
    RequestSignature,
    /// The job's capabilities are not all its own.
    Incompatible,
    /// It cannot read the segment header, or a value in it.
    BadOrder,
    /// The body is not what the header's hash says: damaged on the way.
    BodyMismatch,
    /// The body named an address that it could not download.
    BodyUnreachable,
    /// The media cannot be transcoded, by anyone: one of [`INPUT_FAULTS`].
    Input(&'static str),
    /// It has no transcoder, or none that fits.
    NoTranscoder,
    /// Its transcoder took too long.
    TranscoderTimeout,
    /// Its transcoder returned another number of renditions than asked for.
    Mismatched,
    /// Its transcoder returned an empty rendition.
    EmptyRendition,
    /// The session's credit does not cover one ticket's expected value.
    InsufficientBalance,
    /// The sender's reserve is too small for tickets, or there is no deposit.
    InsufficientReserve,
    /// The ticket parameters are too old: renew the session and send again.
    TicketParamsExpired,
    /// The payment was refused for another reason.
    Payment(PaymentFault),
    /// The orchestrator's own webhook refused the gateway.
    Unauthorised,
    /// It does not know the method: no orchestrator, or of another age.
    Unsupported,
    /// It failed, without saying how: `Internal Server Error`, gRPC `INTERNAL` or `UNAVAILABLE`.
    Internal,
    /// Anything else.
    Other {
        /// Where it was said.
        origin: Origin,
        /// What was said, at most 4 kB and without control characters.
        text: String,
    },
}

/// Where something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// In an HTTP answer with this status.
    Http(u16),
    /// In the `error` of a result.
    Result,
    /// In a gRPC status with this code.
    Grpc(i32),
}

/// Why a payment was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentFault {
    /// The header is no payment.
    Malformed,
    /// A nonce was used before.
    NonceSeen,
    /// 600 nonces were used with one recipient-rand hash.
    NonceLimit,
    /// A ticket's signature is not the sender's.
    TicketSignature,
    /// A ticket is for someone else.
    TicketRecipient,
    /// A ticket is from no one.
    TicketSender,
    /// Ticket parameters, price and session do not belong together.
    RecipientRand,
    /// The price sent along is none.
    ExpectedPrice,
    /// The sender's deposit and reserve are about to be unlocked.
    Unlocking,
    /// The orchestrator could not look the sender up.
    SenderInfo,
    /// The recipient is not active in this round.
    Inactive,
}

/// Errors that say the media is at fault, to the letter. The same media fails everywhere, so trying another
/// orchestrator only costs time.
pub const INPUT_FAULTS: [&str; 19] = [
    "Unsupported input pixel format",
    "Error initializing filtergraph",
    "Too many outputs",
    "Unsupported input codec",
    "No keyframes in input",
    "Unrecoverable state, restart process",
    "Encoded frames runaway",
    "Decoder not found",
    "Demuxer not found",
    "Encoder not found",
    "Muxer not found",
    "Option not found",
    "Invalid argument",
    "TranscoderInvalidResolution",
    "TranscoderInvalidVideo",
    "TranscoderUnrecognizedFormat",
    "TranscoderUnrecognizedProfile",
    "TranscoderInvalidGOP",
    "TranscoderIncompatibleDevices",
];

/// Texts that are always the same.
const WHOLE: [(&str, Rejection); 29] = {
    use Rejection::*;
    [
        ("OrchestratorCapped", Capped),
        ("Invalid orchestrator request: OrchestratorCapped", Capped),
        ("insufficient capacity", Capped),
        ("Insufficient capacity", Capped),
        ("OrchestratorBusy", Busy),
        ("expired auth token", TokenExpired),
        ("invalid auth token", TokenInvalid),
        ("Invalid auth token", TokenInvalid),
        ("missing auth token", TokenMissing),
        ("ErrSegSig", SegmentSignature),
        (
            "Invalid orchestrator request: orchestrator req sig check failed",
            RequestSignature,
        ),
        ("incompatible capabilities", Incompatible),
        ("ErrorSegEncoding", BadOrder),
        ("unrecognized profile output format", BadOrder),
        ("unrecognized encoder profile", BadOrder),
        ("unrecognized video codec", BadOrder),
        ("invalid duration", BadOrder),
        ("ErrTranscoderUnavailable", NoTranscoder),
        ("no transcoders available", NoTranscoder),
        (
            "no transcoders can provide requested capabilities",
            NoTranscoder,
        ),
        ("Remote transcoder took too long", TranscoderTimeout),
        ("MismatchedSegments", Mismatched),
        ("ZeroSegments", EmptyRendition),
        ("Insufficient balance", InsufficientBalance),
        ("insufficient sender reserve", InsufficientReserve),
        ("TicketParams expired", TicketParamsExpired),
        (
            "invalid ticket signature",
            Payment(PaymentFault::TicketSignature),
        ),
        (
            "invalid ticket recipient",
            Payment(PaymentFault::TicketRecipient),
        ),
        ("invalid ticket sender", Payment(PaymentFault::TicketSender)),
    ]
};

/// Texts that go on with something particular.
const BEGINNINGS: [(&str, Rejection); 11] = {
    use Rejection::*;
    [
        ("proto:", BadOrder),
        ("base64 decode error:", Payment(PaymentFault::Malformed)),
        (
            "protobuf unmarshal error:",
            Payment(PaymentFault::Malformed),
        ),
        (
            "invalid ticket senderNonce: already seen",
            Payment(PaymentFault::NonceSeen),
        ),
        (
            "invalid ticket senderNonce: too many values",
            Payment(PaymentFault::NonceLimit),
        ),
        (
            "invalid recipientRand for ticket recipientRandHash",
            Payment(PaymentFault::RecipientRand),
        ),
        (
            "invalid expected price sent with payment",
            Payment(PaymentFault::ExpectedPrice),
        ),
        (
            "could not get sender info",
            Payment(PaymentFault::SenderInfo),
        ),
        (
            "deposit and reserve for sender",
            Payment(PaymentFault::Unlocking),
        ),
        ("Insufficient balance", InsufficientBalance),
        ("authentication failed:", Unauthorised),
    ]
};

/// gRPC codes that say enough.
const GRPC_UNAUTHENTICATED: i32 = 16;
const GRPC_UNAVAILABLE: i32 = 14;
const GRPC_INTERNAL: i32 = 13;
const GRPC_UNIMPLEMENTED: i32 = 12;

// === impl Rejection ===

impl Rejection {
    /// Reads an HTTP answer other than 200.
    #[must_use]
    pub fn http(status: u16, body: &[u8]) -> Self {
        let text = clean(body);
        if let Some(known) = known(&text) {
            return known;
        }
        match (status, text.as_str()) {
            // Check 13: the only 403 in Go's own words.
            (403, "Forbidden") => Self::BodyMismatch,
            (400, "BadRequest") => Self::BodyUnreachable,
            (500, "Internal Server Error") => Self::Internal,
            _ => Self::Other {
                origin: Origin::Http(status),
                text,
            },
        }
    }

    /// Reads the `error` of a result.
    #[must_use]
    pub fn in_band(error: &str) -> Self {
        let text = clean(error.as_bytes());
        known(&text).unwrap_or(Self::Other {
            origin: Origin::Result,
            text,
        })
    }

    /// Reads a gRPC status. The code is almost always 2, `UNKNOWN`, and the text says what is meant.
    #[must_use]
    pub fn grpc(code: i32, message: &str) -> Self {
        let text = clean(message.as_bytes());
        if let Some(known) = known(&text) {
            return known;
        }
        match code {
            GRPC_UNIMPLEMENTED => Self::Unsupported,
            GRPC_INTERNAL | GRPC_UNAVAILABLE => Self::Internal,
            GRPC_UNAUTHENTICATED => Self::Unauthorised,
            _ => Self::Other {
                origin: Origin::Grpc(code),
                text,
            },
        }
    }

    /// Whether it only has no room now: no fault.
    #[must_use]
    pub fn is_capacity(&self) -> bool {
        matches!(self, Self::Capped | Self::Busy)
    }

    /// Whether a renewed session may be served by the same orchestrator.
    #[must_use]
    pub fn asks_for_renewal(&self) -> bool {
        matches!(
            self,
            Self::TokenExpired
                | Self::TokenInvalid
                | Self::TokenMissing
                | Self::TicketParamsExpired
                | Self::Payment(
                    PaymentFault::NonceSeen
                        | PaymentFault::NonceLimit
                        | PaymentFault::RecipientRand
                )
        )
    }

    /// Whether no orchestrator will do better with this media.
    #[must_use]
    pub fn is_input(&self) -> bool {
        matches!(self, Self::Input(_))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Capped => "takes no more sessions",
            Self::Busy => "has too many segments of this session",
            Self::TokenExpired => "the auth token has expired",
            Self::TokenInvalid => "the auth token is not its own",
            Self::TokenMissing => "the auth token is missing",
            Self::SegmentSignature => "the segment's signature is not the sender's",
            Self::RequestSignature => "the request's signature is not the gateway's",
            Self::Incompatible => "lacks a capability of the job",
            Self::BadOrder => "cannot read the segment header",
            Self::BodyMismatch => "received other bytes than were hashed",
            Self::BodyUnreachable => "could not download the segment",
            Self::Input(text) => return write!(f, "cannot transcode the media: {text}"),
            Self::NoTranscoder => "has no transcoder for the job",
            Self::TranscoderTimeout => "its transcoder took too long",
            Self::Mismatched => "its transcoder returned a wrong number of renditions",
            Self::EmptyRendition => "its transcoder returned an empty rendition",
            Self::InsufficientBalance => "the session's credit is too low",
            Self::InsufficientReserve => "the sender's reserve is too low",
            Self::TicketParamsExpired => "the ticket parameters have expired",
            Self::Payment(fault) => return write!(f, "refused the payment: {}", fault.text()),
            Self::Unauthorised => "does not serve this gateway",
            Self::Unsupported => "does not know the method",
            Self::Internal => "failed without a reason",
            Self::Other { text, .. } if text.is_empty() => "refused without a reason",
            Self::Other { text, .. } => return write!(f, "said: {text}"),
        })
    }
}

impl std::error::Error for Rejection {}

// === impl PaymentFault ===

impl PaymentFault {
    fn text(self) -> &'static str {
        match self {
            Self::Malformed => "it is malformed",
            Self::NonceSeen => "a nonce was used before",
            Self::NonceLimit => "too many nonces for one recipient-rand hash",
            Self::TicketSignature => "a ticket's signature is wrong",
            Self::TicketRecipient => "a ticket's recipient is wrong",
            Self::TicketSender => "a ticket's sender is missing",
            Self::RecipientRand => "ticket parameters and price do not belong together",
            Self::ExpectedPrice => "the expected price is invalid",
            Self::Unlocking => "the sender's funds are about to be unlocked",
            Self::SenderInfo => "the sender could not be looked up",
            Self::Inactive => "the recipient is not active in this round",
        }
    }
}

fn known(text: &str) -> Option<Rejection> {
    if let Some(fault) = INPUT_FAULTS.iter().find(|&&fault| fault == text) {
        return Some(Rejection::Input(fault));
    }
    if let Some((_, rejection)) = WHOLE.iter().find(|(whole, _)| *whole == text) {
        return Some(rejection.clone());
    }
    let mut beginnings = BEGINNINGS.iter();
    if let Some((_, rejection)) = beginnings.find(|(start, _)| text.starts_with(start)) {
        return Some(rejection.clone());
    }
    // "orchestrator 0x… is inactive in round …, cannot process payments"
    let inactive = text.starts_with("orchestrator 0x") && text.contains(" is inactive in round ");
    inactive.then_some(Rejection::Payment(PaymentFault::Inactive))
}

/// A stranger's text: cut, valid, trimmed, on one line.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_REFUSAL_BYTES)]);
    let line = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().map(line).collect()
}
