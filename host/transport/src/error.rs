//! What can go wrong on the way, told apart by what a caller can conclude from it.

use std::error::Error;
use std::time::Duration;

use pointsman_wire::rejection::Rejection;

/// An HTTP exchange without a response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No connection: name, TCP or TLS failed, or took too long. Nothing was sent.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection broke before the response's headers. The request may have been executed.
    #[error("the connection broke: {0}")]
    Reset(String),
    /// What came back is not HTTP.
    #[error("not an HTTP answer: {0}")]
    Garbage(String),
}

/// A body that did not arrive whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Longer than the caller takes. The rest is not read.
    #[error("the body is longer than {0} bytes")]
    TooLarge(usize),
    /// The connection broke in the middle.
    #[error("the connection broke within the body: {0}")]
    Reset(String),
}

/// A gRPC call without an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// No connection: name, TCP, TLS or the HTTP/2 preface failed, or took too long.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection broke before the whole answer was there.
    #[error("the connection broke: {0}")]
    Reset(String),
    /// The answer is not one of a gRPC server, or not the message expected.
    #[error("not a gRPC answer: {0}")]
    Garbage(String),
    /// The answer is longer than a gRPC message may be.
    #[error("the answer is longer than {0} bytes")]
    TooLarge(usize),
    /// No answer in the caller's time.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The orchestrator refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

// === impl HttpError ===

impl From<hyper_util::client::legacy::Error> for HttpError {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        let cause = causes(&error);
        if error.is_connect() {
            return Self::Connect(cause);
        }
        match find::<hyper::Error>(&error) {
            Some(inner) if is_garbage(inner) => Self::Garbage(cause),
            _ => Self::Reset(cause),
        }
    }
}

/// Whether the peer spoke, but not HTTP.
pub(crate) fn is_garbage(error: &hyper::Error) -> bool {
    error.is_parse()
        || find::<h2::Error>(error)
            .is_some_and(|error| !error.is_io() && !error.is_remote() && error.reason().is_some())
}

/// The whole chain of an error on one line, without repeating what a link already says.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<E>() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}
