//! From what an orchestrator said to whose fault it was.

use pointsman_facts::{Blame, Failure, FailureKind};
use pointsman_wire::rejection::{Origin, Rejection};
use pointsman_wire::result::ResultError;

/// Judges a refusal. `status` is the HTTP status it came with, 200 for an error inside a result.
pub(super) fn of_rejection(rejection: &Rejection, status: u16) -> Failure {
    use Blame::{Input, Network, Orchestrator, Payment};
    let (blame, kind) = match rejection {
        Rejection::Capped => (Orchestrator, FailureKind::Capped),
        Rejection::Busy => (Orchestrator, FailureKind::Busy),
        Rejection::TokenExpired | Rejection::TokenInvalid | Rejection::TokenMissing => {
            (Orchestrator, FailureKind::Token)
        }
        // An on-chain orchestrator tells an off-chain gateway that its empty signature is wrong: it will not work for us.
        Rejection::SegmentSignature | Rejection::RequestSignature | Rejection::Unauthorised => {
            (Orchestrator, FailureKind::Session)
        }
        Rejection::Incompatible | Rejection::Unsupported => {
            (Orchestrator, FailureKind::Incompatible)
        }
        // It may be older than the profiles that are asked for; another one may know them.
        Rejection::BadOrder => (Orchestrator, FailureKind::Refused),
        Rejection::BodyMismatch | Rejection::BodyUnreachable => (Network, FailureKind::Reset),
        Rejection::Input(_) => (Input, FailureKind::BadInput),
        Rejection::NoTranscoder
        | Rejection::TranscoderTimeout
        | Rejection::Mismatched
        | Rejection::EmptyRendition => (Orchestrator, FailureKind::Transcoder),
        Rejection::InsufficientBalance
        | Rejection::InsufficientReserve
        | Rejection::TicketParamsExpired
        | Rejection::Payment(_) => (Payment, FailureKind::Payment),
        Rejection::Internal => (Orchestrator, FailureKind::ServerError),
        Rejection::Other {
            origin: Origin::Http(500..),
            ..
        } => (Orchestrator, FailureKind::ServerError),
        Rejection::Other {
            origin: Origin::Http(_),
            ..
        } => (Orchestrator, FailureKind::Refused),
        Rejection::Other {
            origin: Origin::Result,
            ..
        } => (Orchestrator, FailureKind::Transcoder),
        Rejection::Other {
            origin: Origin::Grpc(_),
            ..
        } => (Orchestrator, FailureKind::Session),
    };
    let failure = Failure::new(blame, kind, rejection.to_string());
    if status == 200 {
        failure
    } else {
        failure.with_status(status)
    }
}

/// Judges a result that cannot be acted on.
pub(super) fn of_result(error: &ResultError) -> Failure {
    let kind = match error {
        ResultError::TooLarge(_) | ResultError::Garbage(_) | ResultError::Empty => {
            FailureKind::Garbage
        }
        ResultError::Count { .. } | ResultError::Address { .. } | ResultError::Pixels { .. } => {
            FailureKind::BadRendition
        }
    };
    Failure::new(Blame::Orchestrator, kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_is_no_fault_and_poor_media_is_not_tried_elsewhere() {
        for (status, body, kind, blame, fault) in [
            (
                403,
                "OrchestratorCapped\n",
                FailureKind::Capped,
                Blame::Orchestrator,
                false,
            ),
            (
                403,
                "expired auth token\n",
                FailureKind::Token,
                Blame::Orchestrator,
                false,
            ),
            (
                403,
                "incompatible capabilities\n",
                FailureKind::Incompatible,
                Blame::Orchestrator,
                false,
            ),
            (
                500,
                "Internal Server Error\n",
                FailureKind::ServerError,
                Blame::Orchestrator,
                true,
            ),
            (
                502,
                "nobody home",
                FailureKind::ServerError,
                Blame::Orchestrator,
                true,
            ),
        ] {
            let failure = of_rejection(&Rejection::http(status, body.as_bytes()), status);
            assert_eq!((failure.kind, failure.blame), (kind, blame), "{body}");
            assert_eq!(failure.is_fault(), fault, "{body}");
            assert_eq!(failure.http_status, Some(status));
        }
        let input = of_rejection(&Rejection::in_band("TranscoderInvalidVideo"), 200);
        assert_eq!(input.blame, Blame::Input);
        assert!(!input.retry_safe);
    }
}
