//! Reading a stranger's body.

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::http_client::deepest;

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is longer than it may be.
    #[error("the body is over {cap} bytes")]
    TooLarge {
        /// The most that is read.
        cap: usize,
    },
    /// The connection broke.
    #[error("the connection broke within the body: {cause}")]
    Reset {
        /// How.
        cause: String,
    },
}

/// Room made before anything has come: an announced length is only a stranger's word.
const FIRST_ROOM: usize = 256 << 10;

/// Reads a body of at most `cap` bytes. No more than that is ever held.
///
/// # Errors
///
/// [`ReadError`].
pub async fn read_body(mut body: Incoming, cap: usize) -> Result<Bytes, ReadError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > cap {
        return Err(ReadError::TooLarge { cap });
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ReadError::Reset {
            cause: deepest(&error),
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > cap - whole.len() {
            return Err(ReadError::TooLarge { cap });
        }
        if whole.is_empty() && body.is_end_stream() {
            return Ok(data);
        }
        if whole.is_empty() {
            whole.reserve(announced.clamp(data.len(), FIRST_ROOM.max(data.len())));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}
