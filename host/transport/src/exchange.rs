//! Plain HTTP exchanges: uploads of segments, downloads of renditions.

use std::fmt;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::Settings;
use crate::dial::Dialler;
use crate::error::{HttpError, ReadError, causes};
use crate::guard::Guard;

/// Most that is set aside on the word of a `Content-Length`, in bytes.
const MAX_UNVERIFIED: usize = 1 << 20;
/// HTTP/2 receive windows, in bytes: a rendition fits without waiting for the other side's updates.
const WINDOW: u32 = 4 << 20;

/// Pooled HTTP to any `http` or `https` URL. Cheap to clone.
#[derive(Clone)]
pub struct Http(Client<Dialler, Full<Bytes>>);

// === impl Http ===

impl Http {
    pub(crate) fn new(settings: Settings, guard: &Guard) -> Self {
        let dialler = Dialler::http(settings.version, settings.connect_timeout, guard);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(settings.idle)
            .http2_initial_stream_window_size(WINDOW)
            .http2_initial_connection_window_size(4 * WINDOW)
            .build(dialler);
        Self(client)
    }

    /// Sends a request and waits for the response's headers. `Host` and `Content-Length` are filled in.
    ///
    /// Only a request of which nothing was written yet is moved to another connection; anything later is an error, as
    /// it may have been executed. A response that comes before the body was taken is still returned where the
    /// transport lets it through: on HTTP/2 always, on HTTP/1.1 unless the peer resets before its answer was read.
    ///
    /// # Errors
    ///
    /// [`HttpError`]. There is no limit of time but that of dialling.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, HttpError> {
        Ok(self.0.request(request).await?)
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http(..)")
    }
}

/// Reads a body of at most `cap` bytes.
///
/// # Errors
///
/// [`ReadError::TooLarge`] as soon as that is known, by header or by count; [`ReadError::Reset`] when it ends early.
pub async fn read_body(mut body: Incoming, cap: usize) -> Result<Bytes, ReadError> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if expected > cap {
        return Err(ReadError::TooLarge(cap));
    }
    let mut read = Bytes::new();
    let mut more = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ReadError::Reset(causes(&error)))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if read.len() + more.len() + data.len() > cap {
            return Err(ReadError::TooLarge(cap));
        }
        // A body that comes in one piece is not copied.
        if read.is_empty() && more.is_empty() {
            read = data;
            continue;
        }
        if more.is_empty() {
            more.reserve(expected.clamp(
                read.len() + data.len(),
                MAX_UNVERIFIED.max(read.len() + data.len()),
            ));
            more.extend_from_slice(&std::mem::take(&mut read));
        }
        more.extend_from_slice(&data);
    }
    Ok(if more.is_empty() { read } else { more.freeze() })
}
