//! Requests for segments and renditions.

use std::error::Error as _;
use std::fmt;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error};

use crate::Connector;

/// Sends requests over pooled HTTP/1.1 connections. Sets no deadline: the caller knows how much time is left.
#[derive(Clone)]
pub struct HttpClient(Client<Connector, Full<Bytes>>);

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The connection broke before the response headers.
    #[error("the connection broke: {0}")]
    Reset(String),
    /// What came is no HTTP.
    #[error("the answer is no HTTP: {0}")]
    Garbage(String),
}

// === impl HttpClient ===

impl HttpClient {
    pub(crate) fn new(client: Client<Connector, Full<Bytes>>) -> Self {
        Self(client)
    }

    /// Sends `request` and waits for the response headers.
    ///
    /// # Errors
    ///
    /// [`HttpError`]. A request may have been acted on even so, unless it is [`HttpError::Connect`].
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, HttpError> {
        self.0
            .request(request)
            .await
            .map_err(|error| classify(&error))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

fn classify(error: &Error) -> HttpError {
    let cause = deepest(error);
    if error.is_connect() {
        return HttpError::Connect(cause);
    }
    let hyper = error
        .source()
        .and_then(|source| source.downcast_ref::<hyper::Error>());
    match hyper {
        Some(error) if error.is_parse() => HttpError::Garbage(cause),
        _ => HttpError::Reset(cause),
    }
}

/// The innermost cause: what the outer layers add is the same every time.
pub(crate) fn deepest(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
