//! The streams this gateway carries.
//!
//! # Contract
//!
//! A name belongs to one stream at a time. [`Streams::get_or_open`] is how an HTTP push joins or starts one; whoever opens a name
//! first decides its renditions. A push does not join a stream that comes by RTMP, whose key it has not shown. A stream ends when its
//! publisher does, or after [`Limits::idle`] without a push, and tells its orchestrators so; until it is closed, or its name is
//! wanted again, or too many others have ended since, its playlists can be read.

mod facts;
mod format;
mod live;
mod stats;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pointsman_media::hls::ConfigError;
use pointsman_media::name::StreamName;
use pointsman_workloads::transcode::Transcoder;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub use live::{Incoming, Live, LiveSpec, Origin};
pub use stats::Summary;

/// How many streams there may be, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// RTMP and pushed streams together.
    pub sessions: NonZeroUsize,
    /// A pushed stream without a segment for longer is over.
    pub idle: Duration,
    /// What players see.
    pub playlists: PlaylistSettings,
    /// Whether anything is transcoded; otherwise streams have their source alone.
    pub transcode: bool,
}

/// How much of a stream players see.
#[derive(Clone, Copy, Debug)]
pub struct PlaylistSettings {
    /// Segments listed.
    pub window: usize,
    /// Segments kept, the listed ones among them.
    pub keep: usize,
    /// Bytes that they may have, renditions included.
    pub bytes: usize,
}

/// Every stream by name.
pub struct Streams {
    transcoder: Arc<Transcoder>,
    limits: Limits,
    by_name: Mutex<HashMap<StreamName, Arc<Live>>>,
    closing: TaskTracker,
}

/// How long farewells may take when the gateway stops.
const FAREWELLS: Duration = Duration::from_secs(3);

/// Why a stream was not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The limit is reached.
    #[error("this gateway carries {0} streams already, which is its limit (--max-sessions)")]
    TooMany(usize),
    /// Somebody publishes under this name.
    #[error("a stream of this name is live already")]
    Taken,
    /// The gateway is shutting down.
    #[error("this gateway is shutting down")]
    Closing,
    /// No playlist can be made of it.
    #[error("{0}")]
    Playlists(#[from] ConfigError),
}

// === impl Streams ===

impl Streams {
    /// No stream yet.
    #[must_use]
    pub fn new(transcoder: Arc<Transcoder>, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            transcoder,
            limits,
            by_name: Mutex::default(),
            closing: TaskTracker::new(),
        })
    }

    /// The stream of that name.
    #[must_use]
    pub fn get(&self, name: &StreamName) -> Option<Arc<Live>> {
        self.by_name.lock().get(name).cloned()
    }

    /// Every stream, by name.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Live>> {
        let mut all: Vec<_> = self.by_name.lock().values().cloned().collect();
        all.sort_by(|a, b| a.name().cmp(b.name()));
        all
    }

    /// The pushed stream of that name, or the one that `spec` describes if there is none.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn get_or_open(
        &self,
        name: &StreamName,
        spec: impl FnOnce() -> LiveSpec,
    ) -> Result<Arc<Live>, OpenError> {
        let mut by_name = self.by_name.lock();
        match self.joinable(&by_name, name)? {
            Some(live) => Ok(live),
            None => self.insert(&mut by_name, spec()),
        }
    }

    /// Whether [`get_or_open`](Self::get_or_open) would answer with a stream now.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn check(&self, name: &StreamName) -> Result<(), OpenError> {
        self.joinable(&self.by_name.lock(), name).map(drop)
    }

    /// How many streams there may be at once.
    #[must_use]
    pub fn most(&self) -> NonZeroUsize {
        self.limits.sessions
    }

    /// The stream that a push of `name` joins. `None`: there is none, and room for one more.
    fn joinable(
        &self,
        by_name: &HashMap<StreamName, Arc<Live>>,
        name: &StreamName,
    ) -> Result<Option<Arc<Live>>, OpenError> {
        match by_name.get(name).filter(|live| !live.is_over()) {
            Some(live) if live.origin() == Origin::Push => Ok(Some(live.clone())),
            Some(_) => Err(OpenError::Taken),
            None => self.vacancy(by_name).map(|()| None),
        }
    }

    fn vacancy(&self, by_name: &HashMap<StreamName, Arc<Live>>) -> Result<(), OpenError> {
        if self.closing.is_closed() {
            return Err(OpenError::Closing);
        }
        let carried = by_name.values().filter(|live| !live.is_over()).count();
        if carried >= self.limits.sessions.get() {
            return Err(OpenError::TooMany(carried));
        }
        Ok(())
    }

    /// A new stream under a name that nobody uses. One that has ended makes room.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(&self, spec: LiveSpec) -> Result<Arc<Live>, OpenError> {
        let mut by_name = self.by_name.lock();
        if by_name.get(&spec.name).is_some_and(|live| !live.is_over()) {
            return Err(OpenError::Taken);
        }
        self.insert(&mut by_name, spec)
    }

    fn insert(
        &self,
        by_name: &mut HashMap<StreamName, Arc<Live>>,
        mut spec: LiveSpec,
    ) -> Result<Arc<Live>, OpenError> {
        if !self.limits.transcode {
            spec.profiles.clear();
        }
        self.vacancy(by_name)?;
        self.make_room(by_name);
        let name = spec.name.clone();
        let live = Live::new(spec, self.transcoder.clone(), self.limits.playlists)?;
        let live = Arc::new(live);
        if let Some(over) = by_name.insert(name.clone(), live.clone()) {
            self.farewell(over);
        }
        live.span().in_scope(
            || tracing::info!(stream = name.as_str(), origin = ?live.origin(), "stream started"),
        );
        metrics::counter!("pointsman_streams_started_total").increment(1);
        metrics::gauge!("pointsman_streams").increment(1.0);
        Ok(live)
    }

    /// Streams that have ended stay readable for a while; whoever opens and ends many at once does not fill the memory with them: as many
    /// as may be live, and the one longest idle goes first.
    fn make_room(&self, by_name: &mut HashMap<StreamName, Arc<Live>>) {
        let over = by_name.values().filter(|live| live.is_over());
        if over.clone().count() < self.limits.sessions.get() {
            return;
        }
        let oldest = over.max_by_key(|live| live.idle()).cloned();
        if let Some(oldest) = oldest {
            by_name.remove(oldest.name());
            self.farewell(oldest);
        }
    }

    /// Ends a stream: its name is free, its orchestrators hear of it.
    pub fn close(&self, live: &Arc<Live>) {
        let mut by_name = self.by_name.lock();
        if by_name
            .get(live.name())
            .is_some_and(|open| Arc::ptr_eq(open, live))
        {
            by_name.remove(live.name());
            self.farewell(live.clone());
        }
    }

    fn farewell(&self, live: Arc<Live>) {
        let span = live.span().clone();
        span.in_scope(|| tracing::info!(stream = live.name().as_str(), "stream ended"));
        metrics::gauge!("pointsman_streams").decrement(1.0);
        self.closing
            .spawn(async move { live.end().await }.instrument(span));
    }

    /// Closes pushed streams that have been idle for too long. Call it now and then.
    pub fn sweep(&self) {
        for live in self.list() {
            if live.origin() == Origin::Push && live.idle() > self.limits.idle {
                self.close(&live);
            }
        }
    }

    /// Opens no more streams and waits until none is live.
    pub async fn drain(&self) {
        self.closing.close();
        while !self.by_name.lock().is_empty() {
            self.sweep();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Opens no more streams and ends those that are live; waits a little for the farewells to their orchestrators.
    pub async fn close_all(&self) {
        self.closing.close();
        for live in self.list() {
            self.close(&live);
        }
        let _ = tokio::time::timeout(FAREWELLS, self.closing.wait()).await;
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams")
            .field("open", &self.by_name.lock().len())
            .finish_non_exhaustive()
    }
}
