//! The thread that brings the log to the disk, so that the one who writes never waits for it.
//!
//! It syncs the log file itself. That is what SQLite's `synchronous=FULL` does inside each commit: here it is done beside the
//! commits, and one sync serves all that were written before it began.

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;

use super::LedgerError;

/// Somebody who waits until a commit is on disk, told on the syncer's thread.
pub(super) type Waiter = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

/// A commit to bring to the disk.
struct Request {
    commit: u64,
    waiters: Vec<Waiter>,
}

/// What the syncer has done.
#[derive(Debug, Default)]
struct Done {
    commit: AtomicU64,
    broken: OnceLock<String>,
}

/// The writer's end of it. Dropping it ends the thread when what was asked is done.
#[derive(Debug)]
pub(super) struct Syncer {
    requests: mpsc::Sender<Request>,
    done: Arc<Done>,
}

// === impl Syncer ===

impl Syncer {
    /// Starts the thread.
    pub(super) fn start(log: File) -> std::io::Result<Self> {
        let (requests, inbox) = mpsc::channel();
        let done = Arc::new(Done::default());
        let report = Arc::clone(&done);
        thread::Builder::new()
            .name("ledger-sync".to_owned())
            .spawn(move || run(&log, &inbox, &report))?;
        Ok(Self { requests, done })
    }

    /// Asks that everything up to `commit` be brought to the disk.
    pub(super) fn ask(&self, commit: u64, waiters: Vec<Waiter>) {
        let request = Request { commit, waiters };
        if let Err(mpsc::SendError(request)) = self.requests.send(request) {
            answer(request.waiters, &Err(LedgerError::Closed));
        }
    }

    /// The last commit that is on disk, as far as it has been asked for.
    pub(super) fn commit(&self) -> u64 {
        self.done.commit.load(Ordering::Acquire)
    }

    /// Why nothing is brought to the disk any more.
    pub(super) fn broken(&self) -> Option<&str> {
        self.done.broken.get().map(String::as_str)
    }
}

fn run(log: &File, inbox: &mpsc::Receiver<Request>, done: &Done) {
    while let Ok(first) = inbox.recv() {
        let Request {
            mut commit,
            mut waiters,
        } = first;
        for request in inbox.try_iter() {
            commit = commit.max(request.commit);
            waiters.extend(request.waiters);
        }
        let synced = match done.broken.get() {
            Some(why) => Err(LedgerError::Disk(why.clone())),
            None => sync(log, done),
        };
        if synced.is_ok() {
            done.commit.fetch_max(commit, Ordering::Release);
        }
        answer(waiters, &synced);
    }
}

/// After a failed sync the system may have thrown away what it could not write: a later sync that succeeds proves nothing.
fn sync(log: &File, done: &Done) -> Result<(), LedgerError> {
    log.sync_data().map_err(|error| {
        let why = format!(
            "syncing failed ({error}); the gateway must be restarted when the disk is well"
        );
        tracing::error!("the ledger: {why}");
        LedgerError::Disk(done.broken.get_or_init(|| why).clone())
    })
}

fn answer(waiters: Vec<Waiter>, result: &Result<(), LedgerError>) {
    for waiter in waiters {
        waiter(result.clone());
    }
}
