//! RTMP ingest: a publisher's connection becomes the segments of a stream.
//!
//! # Contract
//!
//! One task a connection; a panic or a malformed byte ends that connection and nothing else. A publisher is let in only after the
//! webhook agreed, under a name that nobody uses ([`seats`]), and is told no before its media is read otherwise. A connection
//! that ends leaves its stream waiting for the [grace](Settings::grace): the same name and key continue it behind a discontinuity.

mod connection;
pub mod seats;

use std::sync::Arc;
use std::time::Duration;

use pointsman_media::segmenter;
use pointsman_wire::profile::Profile;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::webhook::Webhook;
use crate::streams::Streams;
use connection::Connection;
use seats::Seats;

/// How RTMP publishers are treated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Renditions of streams whose terms name none.
    pub default_profiles: Vec<Profile>,
    /// Where segments are cut.
    pub segmenter: segmenter::Config,
    /// How long a stream waits for its publisher to come back.
    pub grace: Duration,
    /// After this much silence a connection gives way to a new one with the same name and key.
    pub silence: Duration,
}

/// Takes RTMP publishers. One a gateway.
#[derive(Debug)]
pub struct Rtmp {
    webhook: Webhook,
    settings: Settings,
    seats: Arc<Seats>,
    drain: CancellationToken,
}

/// A connection that sends nothing at all for longer is closed; encoders send several messages a second.
const DEAD_AFTER: Duration = Duration::from_secs(30);

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
        Arc::new(Self {
            seats: Arc::new(Seats::new(streams, settings.clone(), drain.clone())),
            webhook,
            settings,
            drain,
        })
    }

    /// Takes connections from `listener`, and serves those until they end or `stop`.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let connections = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.drain.cancelled() => break,
            };
            match accepted {
                Ok((socket, peer)) => {
                    let (rtmp, stop) = (self.clone(), stop.clone());
                    connections.spawn(async move {
                        tracing::debug!(%peer, "RTMP connection");
                        match Connection::new(&rtmp, socket).run(&stop).await {
                            Ok(()) => tracing::debug!(%peer, "RTMP connection ended"),
                            Err(error) => tracing::warn!(%peer, %error, "RTMP connection closed"),
                        }
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
}
