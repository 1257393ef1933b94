//! What a client is told when a push is not done.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use pointsman_dispatch::{StopReason, Stopped};
use pointsman_facts::{Blame, Failure};

use crate::streams::OpenError;

/// Why a push is not done.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) message: String,
    /// When to come again, where that is known to help, in seconds.
    pub(super) retry_after: Option<u32>,
}

pub(super) fn refuse(status: StatusCode, message: impl Into<String>) -> Refused {
    Refused {
        status,
        message: message.into(),
        retry_after: None,
    }
}

pub(super) fn unprocessable(message: String) -> Refused {
    refuse(StatusCode::UNPROCESSABLE_ENTITY, message)
}

// === impl Refused ===

impl Refused {
    /// There is no room for the segment.
    pub(super) fn full() -> Self {
        let message = "pushed segments fill the memory that they may take up together: send this one again shortly, or push less at \
                       once; the operator can raise it with --max-sessions or --max-segment-bytes";
        Self {
            retry_after: Some(1),
            ..refuse(StatusCode::SERVICE_UNAVAILABLE, message)
        }
    }
}

impl From<OpenError> for Refused {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Closing => refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            OpenError::Playlists(_) => refuse(StatusCode::BAD_REQUEST, error.to_string()),
            OpenError::TooMany(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            OpenError::Taken => refuse(
                StatusCode::FORBIDDEN,
                format!("{error}, over RTMP: push under another name, or end that stream first"),
            ),
        }
    }
}

impl From<&Stopped> for Refused {
    fn from(stopped: &Stopped) -> Self {
        let status = match stopped.reason {
            StopReason::NoOrchestrators | StopReason::Unpaid => StatusCode::SERVICE_UNAVAILABLE,
            StopReason::Rejected => stopped
                .status
                .and_then(|status| StatusCode::from_u16(status).ok())
                .unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            StopReason::Failed if stopped.failure.as_ref().is_some_and(is_ours) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            StopReason::Input | StopReason::Failed | StopReason::Deadline => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
        };
        let message = match stopped.reason {
            StopReason::NoOrchestrators => format!("No sessions available: {stopped}"),
            _ => stopped.to_string(),
        };
        refuse(status, message)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.message + "\n").into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

fn is_ours(failure: &Failure) -> bool {
    failure.blame == Blame::Gateway
}
