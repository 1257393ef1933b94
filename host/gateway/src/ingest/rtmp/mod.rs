//! RTMP ingest: a publisher's connection becomes the segments of a stream.
//!
//! # Contract
//!
//! One task a connection; a panic or a malformed byte ends that connection and nothing else. A publisher is let in only after the
//! webhook agreed, under a name that nobody uses ([`seats`]), and is told no before its media is read otherwise. A connection
//! that ends leaves its stream waiting for the [grace](Settings::grace): the same name and key continue it behind a discontinuity.
//!
//! Why a connection was closed from here is logged, and counted in `pointsman_rtmp_closed_total` by reason; connections that are open
//! are `pointsman_rtmp_connections`.
//!
//! # Bounds
//!
//! | What | Bound | Beyond it |
//! |---|---|---|
//! | from the connection to the wish to publish | 10 s, then the webhook's own time | closed, `not-published` |
//! | connections that do not publish yet | one a [session](Settings::sessions) and 16; of one address [16](Settings::waiting_per_address) | closed at once, `limit` |
//! | connections that publish | one a session, pushed streams included | refused, `refused-full` |
//! | a peer that does not read | 5 s a write | closed, `slow-reader` |
//! | nothing comes | 30 s | closed, `silent` |
//! | something comes, and no segment of it | 2 min | closed, `no-segment` |
//! | no key frame | 20 s of the stream's time; pictures before the first one are dropped | closed, `no-key-frame` |
//! | bytes of a segment | `--max-segment-bytes` | closed, `segment-too-large` |
//! | a message, and unfinished ones together | 8 MB, 128 kB before the wish to publish ([`pointsman_media::rtmp`]) | closed, `too-long` or `malformed` |
//! | segments of a stream under way | 8 ([`room`]) | the publisher is not read on |
//!
//! One place for each session among those that do not publish yet, because all publishers may come back at once, as after a restart; and
//! who takes over a stream needs none of the sessions' own places, since the stream has one already.

mod connection;
mod error;
mod room;
pub mod seats;
mod strangers;

use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use pointsman_media::segmenter;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::renditions::Renditions;
use super::webhook::Webhook;
use crate::streams::Streams;
use connection::Connection;
use error::Error;
use seats::Seats;
use strangers::{Stranger, Strangers};

/// How RTMP publishers are treated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Renditions of streams whose terms name none.
    pub default_profiles: Renditions,
    /// Where segments are cut.
    pub segmenter: segmenter::Config,
    /// How long a stream waits for its publisher to come back.
    pub grace: Duration,
    /// After this much silence a connection gives way to a new one with the same name and key.
    pub silence: Duration,
    /// Streams there may be at once.
    pub sessions: NonZeroU32,
    /// Connections of one address that do not publish yet.
    pub waiting_per_address: NonZeroU32,
}

/// Takes RTMP publishers. One a gateway.
#[derive(Debug)]
pub struct Rtmp {
    webhook: Webhook,
    settings: Settings,
    seats: Arc<Seats>,
    /// Places for connections that do not publish yet.
    strangers: Strangers,
    drain: CancellationToken,
}

/// How long a peer may take until it asks to publish: some round trips.
const PUBLISH_WITHIN: Duration = Duration::from_secs(10);
/// How long a peer may take to read an answer. All of them together fit into a socket's buffers.
const WRITE_WITHIN: Duration = Duration::from_secs(5);
/// How long a peer that was refused, or has finished, may take to go by itself.
const GOODBYE: Duration = Duration::from_secs(1);
/// A connection that sends nothing at all for longer is closed; encoders send several messages a second.
const MAX_SILENCE: Duration = Duration::from_secs(30);
/// A publisher of whose media no segment comes for longer is closed. The longest segment that may be asked for is 30 s, which
/// a slow uplink may stretch.
const MAX_WITHOUT_SEGMENT: Duration = Duration::from_secs(120);
/// Connections that do not publish yet, beyond one a session.
const STRANGERS: usize = 16;
/// How often it is logged that connections are turned away: there may be thousands.
const LOG_EVERY: Duration = Duration::from_secs(10);

// === impl Rtmp ===

impl Rtmp {
    /// An ingest that opens its streams in `streams`, until `drain`.
    #[must_use]
    pub fn new(
        streams: Arc<Streams>,
        webhook: Webhook,
        settings: Settings,
        drain: CancellationToken,
    ) -> Arc<Self> {
        let places = settings.sessions.get() as usize + STRANGERS;
        Arc::new(Self {
            seats: Arc::new(Seats::new(streams, settings.clone(), drain.clone())),
            strangers: Strangers::new(places, settings.waiting_per_address),
            webhook,
            settings,
            drain,
        })
    }

    /// Takes connections from `listener`, and serves those until they end or `stop`.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let connections = TaskTracker::new();
        let mut logged: Option<Instant> = None;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.drain.cancelled() => break,
            };
            match accepted {
                Ok((socket, peer)) => {
                    let stranger = match self.strangers.enter(peer.ip()) {
                        Ok(stranger) => stranger,
                        Err(crowded) => {
                            if logged.is_none_or(|at| at.elapsed() >= LOG_EVERY) {
                                logged = Some(Instant::now());
                                tracing::warn!(%peer, reason = "limit", "RTMP connection refused: {crowded}");
                            }
                            closed("limit");
                            continue;
                        }
                    };
                    let (rtmp, stop) = (self.clone(), stop.clone());
                    connections.spawn(async move {
                        watch(peer, rtmp.connection(socket, stranger, &stop)).await;
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: waiting helps, spinning does not.
                    tracing::warn!(%error, "cannot accept RTMP connections");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        connections.close();
        connections.wait().await;
        self.seats.close_all();
    }

    async fn connection(
        &self,
        socket: TcpStream,
        stranger: Stranger,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        socket.set_nodelay(true)?;
        Connection::new(self, socket, stranger)?.run(stop).await
    }
}

/// Says and counts how a connection ends; a panic too is one's own end only.
async fn watch(peer: SocketAddr, connection: impl Future<Output = Result<(), Error>>) {
    tracing::debug!(%peer, "RTMP connection");
    let open = metrics::gauge!("pointsman_rtmp_connections");
    open.increment(1.0);
    let ended = AssertUnwindSafe(connection).catch_unwind().await;
    open.decrement(1.0);
    match ended {
        Ok(Ok(())) => tracing::debug!(%peer, "RTMP connection ended"),
        Ok(Err(error)) => {
            let reason = error.class();
            tracing::warn!(%peer, reason, %error, "RTMP connection closed");
            closed(reason);
        }
        Err(_) => {
            tracing::error!(%peer, reason = "panic", "RTMP connection closed: a fault of this program, please report it");
            closed("panic");
        }
    }
}

fn closed(reason: &'static str) {
    metrics::counter!("pointsman_rtmp_closed_total", "reason" => reason).increment(1);
}

#[cfg(test)]
mod tests;
