//! From decisions to files, on a thread of its own.

mod encoder;
pub(crate) mod files;
mod queue;
mod versions;

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use metrics::Counter;
use parking_lot::Mutex;
use pointsman_facts::Job;
use pointsman_policy::{Observed, Observer};

use crate::{Share, format};
use encoder::Encoder;
use files::Files;
use queue::Queue;

pub use files::Bounds;

/// How a recorder is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the files go; made if it is not there.
    pub folder: PathBuf,
    /// How much of it there may be.
    pub bounds: Bounds,
    /// Which streams are recorded.
    pub share: Share,
    /// Decisions that may wait to be written; further ones are dropped. Each keeps a snapshot of the directory alive, and so do as many that are
    /// written, for some 40 ms; memory is what bounds it: a thousand candidates in a thousand decisions are some 16 MiB.
    pub queue: NonZeroUsize,
}

/// Writes decisions to files. Dropping it writes what waits and ends its thread.
pub struct Recorder {
    share: Share,
    queue: Arc<Queue>,
    ended: Arc<AtomicBool>,
    writer: Thread,
    thread: Mutex<Option<JoinHandle<()>>>,
    dropped: Counter,
}

/// How often the writer looks. Nobody wakes it: that would be a system call in a job's way.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes of records that make a frame.
const FRAME: usize = 256 << 10;
/// How long records wait for a frame to fill: what a crash can lose.
const WAIT: Duration = Duration::from_secs(1);
/// Pause after the disk refused.
const RETRY: Duration = Duration::from_secs(10);

// === impl Settings ===

impl Settings {
    /// Every stream into `folder`, within the usual bounds.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            bounds: Bounds::default(),
            share: Share::ALL,
            queue: const { NonZeroUsize::new(1024).expect("above zero") },
        }
    }
}

// === impl Recorder ===

impl Recorder {
    /// Starts to record.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made or read, or no thread can be had.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let Settings {
            folder,
            bounds,
            share,
            queue,
        } = settings;
        let queue = Arc::new(Queue::new(queue));
        let ended = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            files: Files::open(&folder, bounds)?,
            encoder: None,
            share,
            waiting_since: None,
            waiting: 0,
            refused: None,
            queue: Arc::clone(&queue),
            ended: Arc::clone(&ended),
            recorded: metrics::counter!("pointsman_recording_decisions_total"),
            bytes: metrics::counter!("pointsman_recording_bytes_total"),
            lost: metrics::counter!("pointsman_recording_dropped_total", "reason" => "disk"),
        };
        let thread = thread::Builder::new()
            .name("recording".to_owned())
            .spawn(move || writer.run())?;
        Ok(Self {
            share,
            queue,
            ended,
            writer: thread.thread().clone(),
            thread: Mutex::new(Some(thread)),
            dropped: metrics::counter!("pointsman_recording_dropped_total", "reason" => "queue"),
        })
    }

    /// Writes what waits and ends. Later decisions are dropped.
    pub fn close(&self) {
        self.ended.store(true, Ordering::Release);
        self.writer.unpark();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the recorder's thread panicked");
        }
    }
}

impl Observer for Recorder {
    fn watches(&self, job: &Job) -> bool {
        self.share.includes(job)
    }

    /// Never waits: what the queue has no room for is dropped and counted.
    fn ended(&self, observed: Observed) {
        if !self.queue.offer(observed) {
            self.dropped.increment(1);
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("share", &self.share)
            .finish_non_exhaustive()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}

/// What the thread has.
struct Writer {
    files: Files,
    /// That of the current file.
    encoder: Option<Encoder>,
    share: Share,
    /// When the oldest record that is not written came.
    waiting_since: Option<Instant>,
    /// Decisions among those records.
    waiting: u64,
    /// When the disk last refused.
    refused: Option<Instant>,
    queue: Arc<Queue>,
    ended: Arc<AtomicBool>,
    recorded: Counter,
    bytes: Counter,
    lost: Counter,
}

// === impl Writer ===

impl Writer {
    fn run(mut self) {
        let mut empty = Vec::new();
        loop {
            let ended = self.ended.load(Ordering::Acquire);
            let waiting = match ended {
                true => self.queue.close(),
                false => self.queue.take(empty),
            };
            waiting.iter().for_each(|observed| self.take(observed));
            empty = self.queue.give_back(waiting);
            empty.clear();
            let waited = self
                .waiting_since
                .is_some_and(|since| since.elapsed() >= WAIT);
            if ended || waited {
                self.flush();
            }
            if ended {
                self.files.close();
                return;
            }
            thread::park_timeout(LOOK);
        }
    }

    fn take(&mut self, observed: &Observed) {
        if self.refused.is_some_and(|when| when.elapsed() < RETRY) {
            self.lost.increment(1);
            return;
        }
        if self.encoder.is_none()
            && let Err(error) = self.begin()
        {
            self.waiting += 1;
            self.refuse(&error);
            return;
        }
        let Some(encoder) = &mut self.encoder else {
            return;
        };
        encoder.decision(observed);
        self.waiting += 1;
        self.waiting_since.get_or_insert_with(Instant::now);
        if encoder.waiting() >= FRAME {
            self.flush();
        }
    }

    /// A file of its own for what follows.
    fn begin(&mut self) -> io::Result<()> {
        self.files.begin()?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.unwrap_or_default().as_millis();
        self.encoder = Some(Encoder::new(format::Begin {
            format: format::VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            started_ms: u64::try_from(since).unwrap_or(u64::MAX),
            share: self.share.get(),
        }));
        Ok(())
    }

    /// Writes what waits.
    fn flush(&mut self) {
        self.waiting_since = None;
        let Some(encoder) = &mut self.encoder else {
            return;
        };
        let records = encoder.take();
        if records.is_empty() {
            return;
        }
        let full = encoder.is_full();
        match self.files.append(&records) {
            Ok(bytes) => {
                self.bytes.increment(bytes);
                self.recorded.increment(std::mem::take(&mut self.waiting));
                self.refused = None;
                if full || self.files.needs_new() {
                    self.files.close();
                    self.encoder = None;
                }
            }
            Err(error) => self.refuse(&error),
        }
    }

    /// The disk takes nothing: what waits is lost, and so is the rest of the file.
    fn refuse(&mut self, error: &io::Error) {
        if self.refused.is_none() {
            tracing::warn!(%error, "decisions cannot be recorded; routing goes on");
        }
        self.lost.increment(std::mem::take(&mut self.waiting));
        self.encoder = None;
        self.waiting_since = None;
        self.refused = Some(Instant::now());
    }
}
