//! Room for pushed segments: how many bytes all of them may take up together.
//!
//! # Contract
//!
//! An upload [`Held::grow`]s by every piece before it keeps it, and gives all of it back when it is dropped: after the segment is
//! answered, not after it is read, because it is in memory until then. What does not fit waits, for [`PATIENCE`] in all, and is refused.
//! Pieces are counted as they arrive and not by `Content-Length`: a length that is only promised would let one client with a few
//! headers lock out everyone else. While a segment is read, the buffers of its connection count too: they grow with the pieces.
//!
//! Segments of streams that are not open yet share a half. Anyone can begin a stream where there is no webhook; those that run must
//! not starve for it.
//!
//! # Why nothing hangs
//!
//! Uploads hold room while they wait for more, so all of them can come to wait for each other. None waits for longer than
//! [`PATIENCE`]: the first to give up frees all it held, which goes to the others in the order in which they began to wait. Room is
//! taken from the half first and from the whole second, always in this order, so the two cannot wait for each other.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

/// How long a segment waits for room, all its pieces together. Live media that is older is of no use to viewers; its pusher had better drop it.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Largest segments that there is room for, however few streams there may be.
const AT_LEAST: usize = 4;
/// Streams that share the room of one largest segment. Largest segments are rare: at the default of 64 MiB a stream has 4 MiB, which
/// is two seconds at 16 Mb/s.
const STREAMS_EACH: usize = 16;

/// What the buffers of a connection come to at most, in bytes: hyper's grow to 400 KiB, and there is one piece ahead.
const BUFFERS: usize = 1 << 20;
/// Refused segments that are read on at once. They are not kept, but their connections' buffers are.
const FAREWELLS: usize = 64;

/// The room of a gateway.
#[derive(Debug)]
pub(super) struct Room {
    whole: Arc<Semaphore>,
    /// For streams that are not open yet.
    half: Arc<Semaphore>,
    farewells: Semaphore,
}

/// What one segment takes up.
#[derive(Debug)]
pub(super) struct Held {
    whole: Share,
    half: Option<Share>,
    /// Bytes of it that are its connection's buffers.
    buffers: usize,
    /// What is left of it.
    patience: Duration,
}

/// There is no room, and has not been for all of [`PATIENCE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

#[derive(Debug)]
struct Share {
    of: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

// === impl Room ===

impl Room {
    /// Room for segments of at most `segment` bytes in `streams` streams.
    pub(super) fn new(segment: usize, streams: NonZeroUsize) -> Self {
        let segments = streams.get().div_ceil(STREAMS_EACH).max(AT_LEAST);
        Self::of(segment.saturating_add(BUFFERS).saturating_mul(segments))
    }

    /// Room for so many bytes.
    pub(super) fn of(bytes: usize) -> Self {
        let bytes = bytes.min(Semaphore::MAX_PERMITS);
        Self {
            whole: Arc::new(Semaphore::new(bytes)),
            half: Arc::new(Semaphore::new(bytes / 2)),
            farewells: Semaphore::new(FAREWELLS),
        }
    }

    /// What nobody holds, in bytes.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.whole.available_permits()
    }

    /// Nothing held yet, for a segment of a stream that is open.
    pub(super) fn for_stream(&self) -> Held {
        Held {
            whole: Share::of(&self.whole),
            half: None,
            buffers: 0,
            patience: PATIENCE,
        }
    }

    /// Nothing held yet, for a segment that would open a stream.
    pub(super) fn for_newcomer(&self) -> Held {
        Held {
            whole: Share::of(&self.whole),
            half: Some(Share::of(&self.half)),
            buffers: 0,
            patience: PATIENCE,
        }
    }

    /// A place among the refused segments that are read on. `None`: there are enough.
    pub(super) fn farewell(&self) -> Option<SemaphorePermit<'_>> {
        self.farewells.try_acquire().ok()
    }
}

// === impl Held ===

impl Held {
    /// Takes room for a piece of `bytes` more.
    ///
    /// # Errors
    ///
    /// [`Full`] once it has waited for [`PATIENCE`] in all. What was held before still is.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let buffers = bytes.saturating_mul(2).min(BUFFERS).max(self.buffers);
        self.take(bytes.saturating_add(buffers - self.buffers))
            .await?;
        self.buffers = buffers;
        Ok(())
    }

    /// Takes `bytes`, as [`grow`](Self::grow) without buffers.
    pub(super) async fn take(&mut self, bytes: usize) -> Result<(), Full> {
        let started = Instant::now();
        let taken = async {
            if let Some(half) = &mut self.half {
                half.grow(bytes).await?;
            }
            self.whole.grow(bytes).await
        };
        let taken = timeout(self.patience, taken).await.unwrap_or(Err(Full));
        self.patience = self.patience.saturating_sub(started.elapsed());
        taken
    }

    /// All of it has come: the buffers are empty.
    pub(super) fn arrived(&mut self) {
        let buffers = std::mem::take(&mut self.buffers);
        for share in self.half.iter_mut().chain([&mut self.whole]) {
            share.shrink(buffers);
        }
    }

    /// The stream is open: others may use the half again.
    pub(super) fn settle(&mut self) {
        self.half = None;
    }
}

// === impl Share ===

impl Share {
    fn of(semaphore: &Arc<Semaphore>) -> Self {
        Self {
            of: semaphore.clone(),
            held: None,
        }
    }

    async fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let permits = u32::try_from(bytes).map_err(|_| Full)?;
        let more = self.of.clone().acquire_many_owned(permits);
        let more = more.await.map_err(|_| Full)?;
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }

    fn shrink(&mut self, bytes: usize) {
        drop(self.held.as_mut().and_then(|held| held.split(bytes)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Room for four segments of 1000 bytes; newcomers have half of it.
    fn room() -> Room {
        Room::of(4000)
    }

    #[test]
    fn it_grows_with_the_streams_but_is_never_less_than_a_few_segments() {
        let bytes = |streams| Room::new(1000, NonZeroUsize::new(streams).expect("some")).free();
        let segments = |count| count * (1000 + BUFFERS);
        assert_eq!([1, 10, 64].map(bytes), [4; 3].map(segments));
        assert_eq!([65, 160, 1600].map(bytes), [5, 10, 100].map(segments));
        let endless = Room::new(usize::MAX, NonZeroUsize::MAX);
        assert_eq!(endless.free(), Semaphore::MAX_PERMITS);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_fit_is_refused_and_what_is_given_back_fits_again() {
        let room = room();
        let mut first = room.for_stream();
        assert_eq!(first.take(4000).await, Ok(()));
        let mut second = room.for_stream();
        assert_eq!(second.take(1).await, Err(Full));
        drop(first);
        assert_eq!(second.take(4000).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gets_what_another_gives_back() {
        let room = room();
        let mut first = room.for_stream();
        assert_eq!(first.take(4000).await, Ok(()));
        let mut second = room.for_stream();
        let give_back = async move {
            tokio::time::sleep(PATIENCE / 2).await;
            drop(first);
        };
        let (grown, ()) = tokio::join!(second.take(10), give_back);
        assert_eq!(grown, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn all_pieces_of_a_segment_share_one_patience() {
        let room = room();
        let mut others = [(); 4].map(|()| room.for_stream());
        for one in &mut others {
            assert_eq!(one.take(1000).await, Ok(()));
        }
        let mut segment = room.for_stream();
        let growing = async {
            let started = Instant::now();
            while segment.take(1000).await.is_ok() {}
            started.elapsed()
        };
        let give_back = async {
            for one in others {
                tokio::time::sleep(PATIENCE * 2 / 5).await;
                drop(one);
            }
        };
        let (waited, ()) = tokio::join!(growing, give_back);
        assert!(waited < PATIENCE * 6 / 5, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connections_buffers_count_while_its_segment_is_read() {
        let room = room();
        for mut segment in [room.for_stream(), room.for_newcomer()] {
            for (piece, free) in [(100, 3700), (50, 3650), (200, 3250)] {
                assert_eq!(segment.grow(piece).await, Ok(()));
                assert_eq!(room.free(), free, "{piece}");
            }
            segment.arrived();
            assert_eq!(room.free(), 4000 - 350);
            segment.settle();
            drop(segment);
            assert_eq!(room.free(), 4000);
        }
        assert_eq!(room.half.available_permits(), 2000);
        let large = Room::of(8 * BUFFERS);
        let mut segment = large.for_stream();
        assert_eq!(segment.grow(4 * BUFFERS).await, Ok(()));
        assert_eq!(large.free(), 3 * BUFFERS, "they do not grow for ever");
    }

    #[tokio::test(start_paused = true)]
    async fn newcomers_never_fill_what_running_streams_need() {
        let room = room();
        let mut newcomers = [(); 3].map(|()| room.for_newcomer());
        assert_eq!(newcomers[0].take(1000).await, Ok(()));
        assert_eq!(newcomers[1].take(1000).await, Ok(()));
        assert_eq!(newcomers[2].take(1).await, Err(Full));
        let mut running = room.for_stream();
        assert_eq!(running.take(2000).await, Ok(()));
        drop(running);
        newcomers[0].settle();
        assert_eq!(newcomers[2].take(1000).await, Ok(()), "one of them runs");
        let mut running = room.for_stream();
        assert_eq!(running.take(1001).await, Err(Full), "it still takes room");
    }

    #[tokio::test(start_paused = true)]
    async fn segments_that_wait_for_each_other_do_not_hang() {
        let room = room();
        let mut held = [(); 4].map(|()| room.for_stream());
        for one in &mut held {
            assert_eq!(one.take(1000).await, Ok(()));
        }
        let rest = held.map(|mut one| async move { one.take(500).await });
        let grown = futures::future::join_all(rest).await;
        assert!(grown.contains(&Ok(())), "{grown:?}");
        assert_eq!(room.free(), 4000, "nothing is lost");
    }
}
