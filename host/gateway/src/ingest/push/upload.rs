//! The body of a push: read whole, or thrown away.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, StatusCode};

use super::{Refused, refuse};

/// A segment on its way in.
pub(super) struct Upload {
    body: BodyDataStream,
    /// By the client's word.
    length: Option<usize>,
    /// The client sends nothing before it is asked to go on, which reading does.
    waits: bool,
}

/// How long a refused segment is read for.
const PATIENCE: Duration = Duration::from_secs(10);

// === impl Upload ===

impl Upload {
    pub(super) fn new(headers: &HeaderMap, body: Body) -> Self {
        let length = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse().ok());
        Self {
            body: body.into_data_stream(),
            length,
            waits: headers.contains_key(EXPECT),
        }
    }

    /// The segment, if it is at most `most` bytes.
    pub(super) async fn read(&mut self, most: usize) -> Result<Bytes, Refused> {
        let failed = |message| refuse(StatusCode::INTERNAL_SERVER_ERROR, message);
        let too_large = || {
            failed(format!(
                "the segment is larger than {most} bytes (--max-segment-bytes)"
            ))
        };
        if self.length.is_some_and(|length| length > most) {
            return Err(too_large());
        }
        self.waits = false;
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.body.next().await {
            let chunk = chunk.map_err(|error| failed(format!("the segment broke off: {error}")))?;
            if whole.len() + chunk.len() > most {
                return Err(too_large());
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// Reads on and keeps nothing, so that the client sees its answer: a connection that is closed while more comes in is reset,
    /// and takes an answer that is not read yet along.
    pub(super) async fn discard(mut self) {
        if self.waits {
            return;
        }
        let rest = async { while self.body.next().await.is_some_and(|chunk| chunk.is_ok()) {} };
        // Who sends on for longer may miss the answer.
        let _ = tokio::time::timeout(PATIENCE, rest).await;
    }
}
