//! The body of a push: read whole, or thrown away.
//!
//! # Contract
//!
//! Memory is taken piece by piece and only where there is [room](super::room) for it. A client that stalls is let go: for longer than
//! [`IDLE`] no segment is on its way, and one that takes longer than [`LONGEST`] comes too late for any viewer, however steadily it
//! drips. Both are answered like a body that was cut off (500), which clients send again.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::StreamExt;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, StatusCode};
use pointsman_wire::limits::MAX_SEGMENT_DURATION;
use tokio::time::{Instant, timeout, timeout_at};

use super::refusal::{Refused, refuse};
use super::room::Held;

/// A segment on its way in.
pub(super) struct Upload {
    body: BodyDataStream,
    /// By the client's word.
    length: Option<usize>,
    /// Nothing is on its way: the client waits until it is asked to go on, which reading does, or it has stalled.
    quiet: bool,
}

/// How long nothing may come. A constant: it only has to be longer than what a lost packet or two take to be sent again, and shorter
/// than what a live stream can make good; neither depends on the gateway.
const IDLE: Duration = Duration::from_secs(10);
/// How long a segment may take in all: as long as the longest one lasts.
const LONGEST: Duration = MAX_SEGMENT_DURATION;
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
            quiet: headers.contains_key(EXPECT),
        }
    }

    /// Whether it is at most `most` bytes by the client's word.
    pub(super) fn check(&self, most: usize) -> Result<(), Refused> {
        match self.length {
            Some(length) if length > most => Err(too_large(most)),
            _ => Ok(()),
        }
    }

    /// The segment, if it is at most `most` bytes. `held` grows by its bytes.
    pub(super) async fn read(&mut self, most: usize, held: &mut Held) -> Result<Bytes, Refused> {
        self.check(most)?;
        self.quiet = false;
        let end = Instant::now() + LONGEST;
        let mut whole = Vec::new();
        while let Some(chunk) = self.next(end).await? {
            if whole.len() + chunk.len() > most {
                return Err(too_large(most));
            }
            held.grow(chunk.len()).await.map_err(|_| Refused::full())?;
            whole.extend_from_slice(&chunk);
        }
        held.arrived();
        Ok(whole.into())
    }

    async fn next(&mut self, end: Instant) -> Result<Option<Bytes>, Refused> {
        let idle = Instant::now() + IDLE;
        let Ok(chunk) = timeout_at(idle.min(end), self.body.next()).await else {
            self.quiet = true;
            return Err(broken(if idle < end {
                format!("nothing came for {} s", IDLE.as_secs())
            } else {
                format!("it took longer than {} s", LONGEST.as_secs())
            }));
        };
        chunk.transpose().map_err(|error| broken(error.to_string()))
    }

    /// Reads on and keeps nothing, so that the client sees its answer: a connection that is closed while more comes in is reset,
    /// and takes an answer that is not read yet along.
    pub(super) async fn discard(mut self) {
        if self.quiet {
            return;
        }
        let rest = async { while self.body.next().await.is_some_and(|chunk| chunk.is_ok()) {} };
        // Who sends on for longer may miss the answer.
        let _ = timeout(PATIENCE, rest).await;
    }
}

fn too_large(most: usize) -> Refused {
    let message = format!("the segment is larger than {most} bytes (--max-segment-bytes)");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, message)
}

fn broken(why: impl std::fmt::Display) -> Refused {
    let message = format!("the segment broke off: {why}");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, message)
}

#[cfg(test)]
mod tests;
