//! Who may publish under which name.
//!
//! # Contract
//!
//! A name has one seat and a seat one publisher. A second publisher is refused while the first is heard; with the same key it takes over
//! at once from a connection that has been silent for [`Settings::silence`](super::Settings::silence), and continues a stream whose
//! publisher has gone, within the grace. The segmenter belongs to the seat and not to the connection, so numbers and timestamps run on.
//! Each publisher has a turn; what one whose turn is over still sends is not taken. A seat outlives its publisher's panic: the same name
//! and key have it again at once, everybody else after the grace.
//!
//! In go-livepeer a second publisher ends both streams, and a reconnect starts again at zero.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pointsman_media::name::{StreamKey, StreamName};
use pointsman_media::segmenter::{Segment, Segmenter};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::error::Refusal;
use super::room::Room;
use crate::streams::{Live, LiveSpec, OpenError, Origin, Streams};

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
    room: Arc<Room>,
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
}

/// How long playlists stay readable after ENDLIST.
const LINGER: Duration = Duration::from_secs(30);
/// How long they stay readable even while the gateway drains: players reload within a target duration.
const LAST_READS: Duration = Duration::from_secs(3);
/// How often a publisher that waits for [room](Room) counts as heard: below every [`Settings::silence`](super::Settings::silence).
const WAITING: Duration = Duration::from_millis(200);

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

    /// Takes the seat of `name`, opening the stream with `spec` if nobody has. `leave` is cancelled when another connection takes over.
    pub(super) fn take(
        self: &Arc<Self>,
        name: &StreamName,
        key: &StreamKey,
        leave: CancellationToken,
        spec: impl FnOnce() -> LiveSpec,
    ) -> Result<Place, Refusal> {
        let mut by_name = self.by_name.lock();
        if let Some(seat) = by_name.get(name) {
            return if seat.key == *key {
                seat.clone().sit(self, leave)
            } else {
                Err(self.taken())
            };
        }
        let opened = self.streams.open(spec()).map_err(|error| match error {
            OpenError::Taken if self.is_pushed(name) => Refusal::Pushed,
            OpenError::Taken => self.taken(),
            error => Refusal::Open(error),
        });
        let seat = Arc::new(Seat {
            live: opened?,
            key: key.clone(),
            room: Room::new(),
            held: Mutex::new(Held {
                segmenter: Segmenter::new(self.settings.segmenter),
                turn: 0,
                publisher: None,
            }),
        });
        by_name.insert(name.clone(), seat.clone());
        seat.sit(self, leave)
    }

    fn taken(&self) -> Refusal {
        Refusal::Taken {
            silence: self.settings.silence,
        }
    }

    fn is_pushed(&self, name: &StreamName) -> bool {
        let live = self.streams.get(name);
        live.is_some_and(|live| live.origin() == Origin::Push)
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

    #[cfg(test)]
    pub(super) fn streams(&self) -> &Arc<Streams> {
        &self.streams
    }

    #[cfg(test)]
    pub(super) fn room(&self, name: &str) -> Arc<Room> {
        let name: StreamName = name.parse().expect("a name");
        self.by_name.lock()[&name].room.clone()
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
    fn sit(
        self: Arc<Self>,
        seats: &Arc<Seats>,
        leave: CancellationToken,
    ) -> Result<Place, Refusal> {
        let mut held = self.held.lock();
        if let Some(publisher) = &held.publisher {
            if publisher.heard.elapsed() < seats.settings.silence {
                return Err(seats.taken());
            }
            publisher.leave.cancel();
        }
        held.publisher = Some(Publisher {
            heard: Instant::now(),
            leave,
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
        })
    }
}

// === impl Place ===

impl Place {
    /// Sends the tail and gives the place back; the stream waits for the grace, then ends.
    pub(super) fn leave(self) {
        // Before the seat is free: whoever takes it next comes after the tail.
        if let Some(tail) = self.segment(Segmenter::finish) {
            self.forward(tail);
        }
    }

    /// Sends segments to be transcoded, side by side; the playlists put them in order again.
    pub(super) fn forward(&self, segments: Vec<Segment>) {
        for segment in segments {
            let under_way = self.seat.room.enter();
            let carried = self.seat.live.carry(segment.into());
            tokio::spawn(async move {
                // A segment that fails is a gap already, and logged.
                let _ = carried.await;
                drop(under_way);
            });
        }
    }

    /// Whether few enough of the stream's segments are under way to make another one.
    pub(super) fn has_room(&self) -> bool {
        self.seat.room.is_free()
    }

    /// Waits for [room](Self::has_room). Meanwhile the publisher counts as heard: its silence is our doing.
    pub(super) async fn wait_for_room(&self) {
        while timeout(WAITING, self.seat.room.free()).await.is_err() {
            self.segment(|_| ());
        }
        self.segment(|_| ());
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
