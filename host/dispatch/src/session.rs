//! The sessions of one stream.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use pointsman_facts::{Failure, Symbol};

/// A stream's sessions, one an orchestrator at most, kept from segment to segment.
///
/// Segments of one stream run at the same time: those that choose the same orchestrator share one session, and the first
/// opens it while the others wait for it.
pub struct Sessions<S> {
    slots: Mutex<Slots<S>>,
}

struct Slots<S> {
    open: HashMap<Symbol, Arc<Slot<S>>>,
    incumbent: Option<Symbol>,
}

struct Slot<S>(tokio::sync::Mutex<Option<Arc<S>>>);

// === impl Sessions ===

impl<S> Sessions<S> {
    /// No session yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The orchestrator that did this stream's last job well.
    #[must_use]
    pub fn incumbent(&self) -> Option<Symbol> {
        self.slots.lock().incumbent
    }

    pub(crate) fn succeeded(&self, orchestrator: Symbol) {
        self.slots.lock().incumbent = Some(orchestrator);
    }

    /// The session with `orchestrator`, opened by `open` when there is none or it is `expired`.
    pub(crate) async fn acquire<F>(
        &self,
        orchestrator: Symbol,
        expired: impl Fn(&S) -> bool,
        open: impl FnOnce() -> F,
    ) -> Result<Arc<S>, Failure>
    where
        F: Future<Output = Result<S, Failure>>,
    {
        let slot = self.slot(orchestrator);
        let mut held = slot.0.lock().await;
        if let Some(session) = held.as_ref().filter(|session| !expired(session)) {
            return Ok(session.clone());
        }
        let session = Arc::new(open().await?);
        *held = Some(session.clone());
        Ok(session)
    }

    /// The sessions that are open and not being renewed at this moment.
    pub(crate) fn open(&self) -> Vec<(Symbol, Arc<S>)> {
        let slots = self.slots.lock();
        let held = slots.open.iter().filter_map(|(&id, slot)| {
            let session = slot.0.try_lock().ok()?.clone()?;
            Some((id, session))
        });
        held.collect()
    }

    /// Forgets `session`, so that the next attempt opens a new one; a newer session stays.
    pub(crate) async fn forget(&self, orchestrator: Symbol, session: &Arc<S>) {
        let slot = self.slot(orchestrator);
        let mut held = slot.0.lock().await;
        if held
            .as_ref()
            .is_some_and(|newest| Arc::ptr_eq(newest, session))
        {
            *held = None;
        }
    }

    /// Every open session, for closing them at the end of the stream; none stays.
    pub async fn drain(&self) -> Vec<Arc<S>> {
        let slots = std::mem::take(&mut *self.slots.lock()).open;
        let mut sessions = Vec::new();
        for slot in slots.into_values() {
            sessions.extend(slot.0.lock().await.take());
        }
        sessions
    }

    fn slot(&self, orchestrator: Symbol) -> Arc<Slot<S>> {
        let mut slots = self.slots.lock();
        slots.open.entry(orchestrator).or_default().clone()
    }
}

impl<S> Default for Sessions<S> {
    fn default() -> Self {
        Self {
            slots: Mutex::default(),
        }
    }
}

impl<S> fmt::Debug for Sessions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.slots.lock();
        f.debug_struct("Sessions")
            .field("open", &slots.open.len())
            .field("incumbent", &slots.incumbent)
            .finish()
    }
}

// === impl Slots ===

impl<S> Default for Slots<S> {
    fn default() -> Self {
        Self {
            open: HashMap::new(),
            incumbent: None,
        }
    }
}

// === impl Slot ===

impl<S> Default for Slot<S> {
    fn default() -> Self {
        Self(tokio::sync::Mutex::new(None))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn segments_that_start_together_open_one_session() {
        let (sessions, opened) = (Sessions::<usize>::new(), AtomicUsize::new(0));
        let acquire = || {
            sessions.acquire(
                Symbol(1),
                |_| false,
                || async {
                    tokio::task::yield_now().await;
                    Ok(opened.fetch_add(1, Ordering::SeqCst))
                },
            )
        };
        let (a, b) = tokio::join!(acquire(), acquire());
        assert!(Arc::ptr_eq(&a.unwrap(), &b.unwrap()));
        assert_eq!(opened.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_is_open_is_agreed_and_not_being_renewed() {
        let sessions = Sessions::<u8>::new();
        let open = || {
            let mut open: Vec<_> = sessions
                .open()
                .iter()
                .map(|(id, session)| (*id, **session))
                .collect();
            open.sort_unstable();
            open
        };
        for (id, session) in [(Symbol(1), 1), (Symbol(2), 2)] {
            let agreed = sessions.acquire(id, |_| false, || async move { Ok(session) });
            agreed.await.unwrap();
        }
        assert_eq!(open(), [(Symbol(1), 1), (Symbol(2), 2)]);
        let renewed = sessions.acquire(
            Symbol(1),
            |_| true,
            || async {
                assert_eq!(open(), [(Symbol(2), 2)]);
                Ok(3)
            },
        );
        renewed.await.unwrap();
        assert_eq!(open(), [(Symbol(1), 3), (Symbol(2), 2)]);
    }

    #[tokio::test]
    async fn forgetting_an_old_session_keeps_the_newer_one() {
        let sessions = Sessions::<u8>::new();
        let old = sessions
            .acquire(Symbol(1), |_| false, || async { Ok(1) })
            .await
            .unwrap();
        let new = sessions
            .acquire(Symbol(1), |_| true, || async { Ok(2) })
            .await
            .unwrap();
        sessions.forget(Symbol(1), &old).await;
        let held = sessions
            .acquire(Symbol(1), |_| false, || async { Ok(3) })
            .await
            .unwrap();
        assert!(Arc::ptr_eq(&held, &new));
        assert_eq!(sessions.drain().await.len(), 1);
    }
}
