//! Who may publish under which name.
//!
//! # Contract
//!
//! A name has one seat and a seat one publisher. A second publisher is refused while the first is heard; with the same key it takes over
//! at once from a connection that has been silent for [`Settings::silence`](super::Settings::silence), and continues a stream whose
//! publisher has gone, within the grace. The segmenter belongs to the seat and not to the connection, so numbers and timestamps run on.
//! Each publisher has a turn; what one whose turn is over still sends is not taken.
//!
//! In go-livepeer a second publisher ends both streams, and a reconnect starts again at zero.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pointsman_media::name::{StreamKey, StreamName};
use pointsman_media::segmenter::{Segment, Segmenter};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Settings;
use crate::streams::{Live, LiveSpec, OpenError, Streams};

/// Every seat by name.
#[derive(Debug)]
pub(super) struct Seats {
    streams: Arc<Streams>,
    settings: Settings,
    /// Cancelled when no publisher can come back.
    drain: CancellationToken,
    by_name: Mutex<HashMap<StreamName, Arc<Seat>>>,
}

#[derive(Debug)]
struct Seat {
    live: Arc<Live>,
    key: StreamKey,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    segmenter: Segmenter,
    /// Counts the publishers.
    turn: u64,
    /// Who publishes; `None` within the grace.
    publisher: Option<Publisher>,
}

#[derive(Debug)]
struct Publisher {
    heard: Instant,
    leave: CancellationToken,
}

/// A publisher's place. Give it back with [`Place::leave`]; dropped, as by a panic, it is free again without its tail.
#[derive(Debug)]
pub(super) struct Place {
    seats: Arc<Seats>,
    seat: Arc<Seat>,
    turn: u64,
    /// Cancelled when another connection takes over.
    pub(super) leave: CancellationToken,
}

/// How long playlists stay readable after ENDLIST.
const LINGER: Duration = Duration::from_secs(30);
/// How long they stay readable even while the gateway drains: players reload within a target duration.
const LAST_READS: Duration = Duration::from_secs(3);

// === impl Seats ===

impl Seats {
    pub(super) fn new(streams: Arc<Streams>, settings: Settings, drain: CancellationToken) -> Self {
        Self {
            streams,
            settings,
            drain,
            by_name: Mutex::default(),
        }
    }

    /// Takes the seat of `name`, opening the stream with `spec` if nobody has.
    pub(super) fn take(
        self: &Arc<Self>,
        name: &StreamName,
        key: &StreamKey,
        spec: impl FnOnce() -> LiveSpec,
    ) -> Result<Place, OpenError> {
        let mut by_name = self.by_name.lock();
        if let Some(seat) = by_name.get(name) {
            return if seat.key == *key {
                seat.clone().sit(self)
            } else {
                Err(OpenError::Taken)
            };
        }
        let seat = Arc::new(Seat {
            live: self.streams.open(spec())?,
            key: key.clone(),
            held: Mutex::new(Held {
                segmenter: Segmenter::new(self.settings.segmenter),
                turn: 0,
                publisher: None,
            }),
        });
        by_name.insert(name.clone(), seat.clone());
        seat.sit(self)
    }

    async fn expire(self: Arc<Self>, seat: Arc<Seat>, turn: u64) {
        self.wait(self.settings.grace).await;
        {
            let mut by_name = self.by_name.lock();
            if seat.held.lock().turn != turn {
                return;
            }
            seat.live.finish();
            by_name.remove(seat.live.name());
        }
        self.wait(LINGER).await;
        tokio::time::sleep(LAST_READS).await;
        self.streams.close(&seat.live);
    }

    async fn wait(&self, time: Duration) {
        let _ = self
            .drain
            .run_until_cancelled(tokio::time::sleep(time))
            .await;
    }

    /// Ends every stream that waits for its publisher.
    pub(super) fn close_all(&self) {
        for (_, seat) in self.by_name.lock().drain() {
            seat.live.finish();
            self.streams.close(&seat.live);
        }
    }
}

// === impl Seat ===

impl Seat {
    fn sit(self: Arc<Self>, seats: &Arc<Seats>) -> Result<Place, OpenError> {
        let leave = CancellationToken::new();
        let mut held = self.held.lock();
        if let Some(publisher) = &held.publisher {
            if publisher.heard.elapsed() < seats.settings.silence {
                return Err(OpenError::Taken);
            }
            publisher.leave.cancel();
        }
        held.publisher = Some(Publisher {
            heard: Instant::now(),
            leave: leave.clone(),
        });
        held.turn += 1;
        if held.turn > 1 {
            held.segmenter.resume();
        }
        let turn = held.turn;
        drop(held);
        Ok(Place {
            seats: seats.clone(),
            seat: self,
            turn,
            leave,
        })
    }
}

// === impl Place ===

impl Place {
    /// Gives the place back. `last` gets the tail; the stream waits for the grace, then ends.
    pub(super) fn leave(self, last: impl FnOnce(&Arc<Live>, Vec<Segment>)) {
        // Before the seat is free: whoever takes it next comes after the tail.
        if let Some(tail) = self.segment(Segmenter::finish) {
            last(&self.seat.live, tail);
        }
    }

    pub(super) fn live(&self) -> &Arc<Live> {
        &self.seat.live
    }

    /// Lets `work` use the segmenter; `None` when the turn is over.
    pub(super) fn segment<T>(&self, work: impl FnOnce(&mut Segmenter) -> T) -> Option<T> {
        let mut held = self.seat.held.lock();
        if held.turn != self.turn {
            return None;
        }
        if let Some(publisher) = &mut held.publisher {
            publisher.heard = Instant::now();
        }
        Some(work(&mut held.segmenter))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.seat.held.lock();
        if held.turn == self.turn {
            held.publisher = None;
            drop(held);
            // None while the runtime itself is going down.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(self.seats.clone().expire(self.seat.clone(), self.turn));
            }
        }
    }
}
