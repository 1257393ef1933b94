//! Room for pushed segments: how many bytes all of them may take up together.
//!
//! # Contract
//!
//! An upload [`Held::grow`]s by every piece before it keeps it, and gives all of it back when it is dropped: after the segment is
//! answered, not after it is read, because it is in memory until then. What does not fit waits, for [`PATIENCE`] in all, and is refused.
//! Pieces are counted as they arrive and not by `Content-Length`: a length that is only promised would let one client with a few
//! headers lock out everyone else.
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

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// How long a segment waits for room, all its pieces together. Live media that is older is of no use to viewers; its pusher had better drop it.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Largest segments that there is room for, however few streams there may be.
const AT_LEAST: usize = 4;
/// Streams that share the room of one largest segment. Largest segments are rare: at the default of 64 MiB a stream has 4 MiB, which
/// is two seconds at 16 Mb/s.
const STREAMS_EACH: usize = 16;

/// The room of a gateway.
#[derive(Debug)]
pub(super) struct Room {
    whole: Arc<Semaphore>,
    /// For streams that are not open yet.
    half: Arc<Semaphore>,
}

/// What one segment takes up.
#[derive(Debug)]
pub(super) struct Held {
    whole: Share,
    half: Option<Share>,
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
        let bytes = segment.saturating_mul(segments).min(Semaphore::MAX_PERMITS);
        Self {
            whole: Arc::new(Semaphore::new(bytes)),
            half: Arc::new(Semaphore::new(bytes / 2)),
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
            patience: PATIENCE,
        }
    }

    /// Nothing held yet, for a segment that would open a stream.
    pub(super) fn for_newcomer(&self) -> Held {
        Held {
            whole: Share::of(&self.whole),
            half: Some(Share::of(&self.half)),
            patience: PATIENCE,
        }
    }
}

// === impl Held ===

impl Held {
    /// Takes `bytes` more.
    ///
    /// # Errors
    ///
    /// [`Full`] once it has waited for [`PATIENCE`] in all. What was held before still is.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let started = Instant::now();
        let grown = async {
            if let Some(half) = &mut self.half {
                half.grow(bytes).await?;
            }
            self.whole.grow(bytes).await
        };
        let grown = timeout(self.patience, grown).await.unwrap_or(Err(Full));
        self.patience = self.patience.saturating_sub(started.elapsed());
        grown
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
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Room for four segments of 1000 bytes; newcomers have half of it.
    fn room() -> Room {
        Room::new(1000, NonZeroUsize::MIN)
    }

    #[test]
    fn it_grows_with_the_streams_but_is_never_less_than_a_few_segments() {
        let bytes = |streams| Room::new(1000, NonZeroUsize::new(streams).expect("some")).free();
        assert_eq!([1, 10, 64].map(bytes), [4000; 3]);
        assert_eq!([65, 160, 1600].map(bytes), [5000, 10_000, 100_000]);
        let endless = Room::new(usize::MAX, NonZeroUsize::MAX);
        assert_eq!(endless.free(), Semaphore::MAX_PERMITS);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_fit_is_refused_and_what_is_given_back_fits_again() {
        let room = room();
        let mut first = room.for_stream();
        assert_eq!(first.grow(4000).await, Ok(()));
        let mut second = room.for_stream();
        assert_eq!(second.grow(1).await, Err(Full));
        drop(first);
        assert_eq!(second.grow(4000).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gets_what_another_gives_back() {
        let room = room();
        let mut first = room.for_stream();
        assert_eq!(first.grow(4000).await, Ok(()));
        let mut second = room.for_stream();
        let give_back = async move {
            tokio::time::sleep(PATIENCE / 2).await;
            drop(first);
        };
        let (grown, ()) = tokio::join!(second.grow(10), give_back);
        assert_eq!(grown, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn all_pieces_of_a_segment_share_one_patience() {
        let room = room();
        let mut others = [(); 4].map(|()| room.for_stream());
        for one in &mut others {
            assert_eq!(one.grow(1000).await, Ok(()));
        }
        let mut segment = room.for_stream();
        let growing = async {
            let started = Instant::now();
            while segment.grow(1000).await.is_ok() {}
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
    async fn newcomers_never_fill_what_running_streams_need() {
        let room = room();
        let mut newcomers = [(); 3].map(|()| room.for_newcomer());
        assert_eq!(newcomers[0].grow(1000).await, Ok(()));
        assert_eq!(newcomers[1].grow(1000).await, Ok(()));
        assert_eq!(newcomers[2].grow(1).await, Err(Full));
        let mut running = room.for_stream();
        assert_eq!(running.grow(2000).await, Ok(()));
        drop(running);
        newcomers[0].settle();
        assert_eq!(newcomers[2].grow(1000).await, Ok(()), "one of them runs");
        let mut running = room.for_stream();
        assert_eq!(running.grow(1001).await, Err(Full), "it still takes room");
    }

    #[tokio::test(start_paused = true)]
    async fn segments_that_wait_for_each_other_do_not_hang() {
        let room = room();
        let mut held = [(); 4].map(|()| room.for_stream());
        for one in &mut held {
            assert_eq!(one.grow(1000).await, Ok(()));
        }
        let rest = held.map(|mut one| async move { one.grow(500).await });
        let grown = futures::future::join_all(rest).await;
        assert!(grown.contains(&Ok(())), "{grown:?}");
        assert_eq!(room.free(), 4000, "nothing is lost");
    }
}
