//! The sessions of a running orchestrator.
//!
//! A session begins with its first segment, not with the offer that named it, and ends by EndTranscodingSession or when
//! unused for 70 s. Its segments are worked on one after the other; five may be outstanding, the running one included.
//! Whether it is idle is looked at when somebody asks, at most 64 times an idle time: no task keeps watch.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pointsman_wire::limits::MAX_IN_FLIGHT;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::body::Parts;
use crate::store::Store;

/// The sessions of one run of an orchestrator.
#[derive(Debug)]
pub(crate) struct Sessions {
    idle: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    open: HashMap<String, Arc<Session>>,
    swept: Instant,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    turn: Semaphore,
    state: Mutex<Use>,
}

#[derive(Debug)]
struct Use {
    outstanding: usize,
    last: Instant,
    /// `None` when the session has ended.
    store: Option<Store>,
}

/// Why a segment finds no place. `Display` is what go-livepeer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoPlace {
    /// Too many sessions.
    #[error("OrchestratorCapped")]
    Capped,
    /// Too many segments of this session.
    #[error("OrchestratorBusy")]
    Busy,
}

/// A place in a session's queue, given back on drop.
#[derive(Debug)]
pub(crate) struct Place(Arc<Session>);

// === impl Sessions ===

impl Sessions {
    pub(crate) fn new(idle: Duration) -> Self {
        Self {
            idle,
            state: Mutex::new(State {
                open: HashMap::new(),
                swept: Instant::now(),
            }),
        }
    }

    /// Whether a segment of session `id`, or of a new one for `None`, would find a place among `capacity` sessions.
    pub(crate) fn admit(&self, id: Option<&str>, capacity: usize) -> Result<(), NoPlace> {
        let mut state = self.state.lock();
        state.sweep(self.idle);
        let known = id.is_some_and(|id| state.open.contains_key(id));
        if known || state.open.len() < capacity {
            return Ok(());
        }
        Err(NoPlace::Capped)
    }

    /// Takes a place for a segment, opening the session if it is new.
    pub(crate) fn enter(&self, id: &str, capacity: usize) -> Result<Place, NoPlace> {
        let mut state = self.state.lock();
        state.sweep(self.idle);
        let session = match state.open.get(id) {
            Some(session) => session.clone(),
            None if state.open.len() >= capacity => return Err(NoPlace::Capped),
            None => {
                let session = Arc::new(Session::new());
                state.open.insert(id.to_owned(), session.clone());
                session
            }
        };
        // Under the lock of all sessions, so that the session cannot be swept in between.
        session.clone().take_place()
    }

    /// Ends a session, if it is open; its renditions are gone.
    pub(crate) fn end(&self, id: &str) {
        if let Some(session) = self.state.lock().open.remove(id) {
            session.state.lock().store = None;
        }
    }

    /// A rendition that is still kept.
    pub(crate) fn rendition(&self, id: &str, rendition: &str, file: &str) -> Option<Parts> {
        let session = {
            let mut state = self.state.lock();
            state.sweep(self.idle);
            state.open.get(id)?.clone()
        };
        let state = session.state.lock();
        state.store.as_ref()?.get(rendition, file)
    }

    /// Sessions open now.
    pub(crate) fn open(&self) -> usize {
        let mut state = self.state.lock();
        state.sweep(self.idle);
        state.open.len()
    }
}

// === impl State ===

impl State {
    fn sweep(&mut self, idle: Duration) {
        let now = Instant::now();
        if now.duration_since(self.swept) < idle / 64 {
            return;
        }
        self.swept = now;
        self.open.retain(|_, session| {
            let mut state = session.state.lock();
            let keep = state.outstanding > 0 || now.duration_since(state.last) < idle;
            if !keep {
                state.store = None;
            }
            keep
        });
    }
}

// === impl Session ===

impl Session {
    fn new() -> Self {
        Self {
            turn: Semaphore::new(1),
            state: Mutex::new(Use {
                outstanding: 0,
                last: Instant::now(),
                store: Some(Store::default()),
            }),
        }
    }

    fn take_place(self: Arc<Self>) -> Result<Place, NoPlace> {
        {
            let mut state = self.state.lock();
            if state.outstanding >= MAX_IN_FLIGHT {
                return Err(NoPlace::Busy);
            }
            state.outstanding += 1;
        }
        Ok(Place(self))
    }
}

// === impl Place ===

impl Place {
    /// Waits for the segments before this one, in the order in which they asked.
    pub(crate) async fn turn(&self) -> SemaphorePermit<'_> {
        let turn = self.0.turn.acquire().await;
        turn.expect("the semaphore is never closed")
    }

    /// Keeps a rendition; false when the session has ended meanwhile.
    pub(crate) fn store(&self, rendition: &str, file: &str, data: Parts) -> bool {
        let mut state = self.0.state.lock();
        let Some(store) = &mut state.store else {
            return false;
        };
        store.put(rendition, file, data);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.outstanding -= 1;
        state.last = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(70);

    #[tokio::test(start_paused = true)]
    async fn the_sixth_segment_finds_it_busy_and_the_next_session_finds_it_full() {
        let sessions = Sessions::new(IDLE);
        let mut places: Vec<Place> = (0..5)
            .map(|_| sessions.enter("a", 1).expect("a place"))
            .collect();
        assert_eq!(sessions.enter("a", 1).err(), Some(NoPlace::Busy));
        assert_eq!(
            sessions.admit(Some("a"), 1),
            Ok(()),
            "a known session passes"
        );
        assert_eq!(sessions.admit(Some("b"), 1), Err(NoPlace::Capped));
        assert_eq!(sessions.admit(None, 1), Err(NoPlace::Capped));
        assert_eq!(sessions.enter("b", 1).err(), Some(NoPlace::Capped));
        places.pop();
        assert!(sessions.enter("a", 1).is_ok());
        sessions.end("a");
        assert!(sessions.enter("b", 1).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_session_ends_and_a_working_one_does_not() {
        let sessions = Sessions::new(IDLE);
        let place = sessions.enter("a", 1).expect("a place");
        assert!(place.store("p", "0.ts", Parts::default()));
        tokio::time::advance(10 * IDLE).await;
        assert_eq!(sessions.open(), 1, "its segment is still worked on");
        drop(place);
        tokio::time::advance(IDLE - Duration::from_secs(1)).await;
        assert!(sessions.rendition("a", "p", "0.ts").is_some());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(sessions.open(), 0);
        assert!(sessions.rendition("a", "p", "0.ts").is_none());
    }

    #[tokio::test]
    async fn what_comes_after_the_end_is_not_kept() {
        let sessions = Sessions::new(IDLE);
        let place = sessions.enter("a", 1).expect("a place");
        sessions.end("a");
        assert!(!place.store("p", "0.ts", Parts::default()));
        let again = sessions
            .enter("a", 1)
            .expect("a new session of the same name");
        assert!(again.store("p", "0.ts", Parts::default()));
    }

    #[tokio::test]
    async fn segments_take_turns() {
        let sessions = Sessions::new(IDLE);
        let first = sessions.enter("a", 1).expect("a place");
        let second = sessions.enter("a", 1).expect("a place");
        let turn = first.turn().await;
        let waiting = second.turn();
        tokio::pin!(waiting);
        assert!(futures_pending(&mut waiting).await);
        drop(turn);
        drop(waiting.await);
    }

    async fn futures_pending<F: Future>(future: &mut std::pin::Pin<&mut F>) -> bool {
        std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending()))
            .await
    }
}
