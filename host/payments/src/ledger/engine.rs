//! The ledger without its threads: decides, writes, and says what is written; somebody else syncs.
//!
//! Every commit has a number. [`batch`](Engine::batch) writes one; [`synced`](Engine::synced) is told which are on disk. Between the two lies
//! all that a power loss can take, and it takes a tail: SQLite's log is read up to the first frame whose checksum, which runs on from
//! frame to frame, does not hold.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use super::accounts::Accounts;
use super::attempt::{AttemptId, Draft, End, Issued, State};
use super::book::{Book, Entry};
use super::covers::Covers;
use super::file::{self, Disk, Opened};
use super::nonces::Nonces;
use super::recent::Recent;
use super::recovery::{self, Stop};
use super::{Amount, LedgerError, Options, rows, upkeep};

/// The log is emptied at this size when nothing waits, in bytes.
const CHECKPOINT: u64 = 4 << 20;

/// And at this size in any case.
const CHECKPOINT_NOW: u64 = 16 << 20;

/// Ended attempts that are not in the sums; so many are read when the ledger is opened.
const UNFOLDED: usize = 10_000;

/// The least time that attempts are kept: sums are by day.
const KEEP_MS: u64 = 2 * 24 * 3600 * 1000;

/// A draft that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) issued: Issued,
    /// It may leave now; otherwise once its commit is synced.
    pub(super) covered: bool,
}

/// Where tests cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Point {
    /// Decided, nothing is written.
    Decided,
    /// Statements are done, the commit is not.
    Stated,
    /// Committed; nobody has been told.
    Committed,
    /// Attempts are in the sums, or removed.
    Kept,
    /// The log is emptied into the file.
    Checkpointed,
    /// Closed, as far as the file says; the log is still there.
    Finished,
}

/// An open ledger.
pub(super) struct Engine {
    pub(super) book: Book,
    path: PathBuf,
    options: Options,
    disk: Disk,
    opened: Opened,
    log: File,
    written: u64,
    /// Ended in memory, not in the file.
    ends: Vec<(AttemptId, State)>,
    /// Covers that are taken back, in the file not yet.
    uncover: Vec<i64>,
    folded: AttemptId,
    /// Attempts that ended since they were last added up.
    unfolded: usize,
    /// Why nothing is written any more.
    broken: Option<String>,
    #[cfg(test)]
    pub(super) probe: Option<Box<dyn Fn(Point) + Send>>,
}

// === impl Engine ===

impl Engine {
    /// Opens the file and does what its last stop asks for.
    pub(super) fn open(path: &Path, options: Options, disk: Disk) -> Result<Self, LedgerError> {
        let opened = file::open(path, disk)?;
        let sqlite = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
        let connection = &opened.connection;
        let boot = options.boot.as_deref();
        let run = recovery::begin(connection, boot, options.now_ms()).map_err(sqlite)?;
        if run.stop != Stop::Closed {
            tracing::warn!(
                path = %path.display(), unconfirmed = run.unconfirmed,
                power_lost = run.stop == Stop::PowerLost,
                "the ledger was not closed: what was under way counts as spent and is listed as unconfirmed"
            );
        }
        let mut accounts = Accounts::default();
        let mut unfolded = 0;
        rows::sums(connection, |day, recipient, key, state, part| {
            accounts.add(day, recipient, key.as_ref(), state, part);
        })
        .map_err(sqlite)?;
        rows::lines(connection, run.folded, |_, line, state| {
            accounts.enter(&line, state);
            unfolded += 1;
            true
        })
        .map_err(sqlite)?;
        accounts.unconfirmed = rows::unconfirmed(connection).map_err(sqlite)?;
        let begins_ms = Recent::begins_ms(options.now_ms());
        accounts.recent = rows::since(connection, begins_ms).map_err(sqlite)?;
        if disk == Disk::Real {
            // From here on a commit writes, and whoever waits for the disk waits for the syncer.
            let normal = connection.pragma_update(None, "synchronous", "normal");
            normal.map_err(sqlite)?;
        }
        let log = OpenOptions::new().write(true).open(&opened.log);
        let log = log.map_err(|error| LedgerError::io(&opened.log, &error))?;
        let covers = Covers::new(Amount::wei(options.cover));
        let nonces = Nonces::new(run.epoch);
        Ok(Self {
            book: Book::new(accounts, nonces, covers, options.caps, run.last_id),
            path: path.to_owned(),
            options,
            disk,
            opened,
            log,
            written: 0,
            ends: Vec::new(),
            uncover: Vec::new(),
            folded: run.folded,
            unfolded,
            broken: None,
            #[cfg(test)]
            probe: None,
        })
    }

    /// The log, for whoever syncs it.
    pub(super) fn log(&self) -> Result<File, LedgerError> {
        let log = self.log.try_clone();
        log.map_err(|error| LedgerError::io(&self.opened.log, &error))
    }

    /// The number of the last commit.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Ends that are not in the file, because it could not be written.
    pub(super) fn owes(&self) -> bool {
        !self.ends.is_empty()
    }

    /// Enters how an attempt ended; the next batch writes it.
    pub(super) fn end(&mut self, attempt: AttemptId, end: End) {
        self.end_as(attempt, end.into());
    }

    /// Decides drafts in order and writes those that are let through, with the ends entered before, as one commit.
    pub(super) fn batch(&mut self, drafts: Vec<Draft>) -> Vec<Result<Placed, LedgerError>> {
        let now_ms = self.options.now_ms();
        let decided: Vec<Result<Entry, LedgerError>> = drafts
            .into_iter()
            .map(|draft| self.decide(draft, now_ms))
            .collect();
        self.reached(Point::Decided);
        let entries: Vec<&Entry> = decided.iter().flatten().collect();
        let written = self.write(&entries);
        if let Err(error) = &written {
            let attempts: Vec<AttemptId> = entries.iter().map(|entry| entry.row.id).collect();
            self.take_back(&attempts, error);
        }
        decided
            .into_iter()
            .map(|entry| {
                let (entry, ()) = (entry?, written.clone()?);
                Ok(Placed {
                    issued: entry.issued(),
                    covered: entry.place.covered,
                })
            })
            .collect()
    }

    /// Every commit up to this one is on disk.
    pub(super) fn synced(&mut self, commit: u64) {
        self.book.covers.synced(commit);
    }

    /// Syncing failed: what is on disk is unknown, so nothing may leave until the ledger is opened again.
    pub(super) fn broke(&mut self, why: String) {
        self.broken.get_or_insert(why);
    }

    /// Settles what nobody settles and forgets what rests. Now and then.
    pub(super) fn tidy(&mut self) {
        let now_ms = self.options.now_ms();
        for attempt in self.book.overdue(now_ms) {
            self.end_as(attempt, State::Lost);
        }
        self.book.rest(now_ms);
        let idle = self.book.covers.rest(now_ms);
        self.uncover.extend(idle);
        // Not written now, it is written later: what it takes back only ever counted too much.
        let _ = self.write(&[]);
    }

    /// One step of adding up, removing and emptying the log. `idle`: nothing waits. Says whether there is more to do.
    ///
    /// # Errors
    ///
    /// When the disk does not take it; everything is as before.
    pub(super) fn keep(&mut self, idle: bool) -> Result<bool, LedgerError> {
        let mut more = false;
        if self.unfolded >= UNFOLDED && idle || self.unfolded >= 4 * UNFOLDED {
            more = self.fold()?;
        }
        let length = self.log.metadata().map_or(0, |log| log.len());
        if length >= CHECKPOINT && idle || length >= CHECKPOINT_NOW {
            self.checkpoint()?;
        }
        Ok(more)
    }

    /// Adds up ended attempts, a step.
    pub(super) fn fold(&mut self) -> Result<bool, LedgerError> {
        let (folded, more) = self.run(upkeep::fold)?;
        self.folded = folded;
        if !more {
            self.unfolded = 0;
        }
        self.reached(Point::Kept);
        Ok(more)
    }

    /// Removes what is older than it is to be kept, a step.
    pub(super) fn prune(&mut self) -> Result<bool, LedgerError> {
        let keep = u64::try_from(self.options.keep.as_millis()).unwrap_or(u64::MAX);
        let before_ms = self.options.now_ms().saturating_sub(keep.max(KEEP_MS));
        let more = self.run(|connection, folded| upkeep::prune(connection, folded, before_ms))?;
        self.book.accounts.lock().forget(before_ms);
        self.reached(Point::Kept);
        Ok(more)
    }

    /// Moves the log into the file. Everything written is on disk then.
    pub(super) fn checkpoint(&mut self) -> Result<(), LedgerError> {
        let busy = self
            .opened
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                row.get::<_, bool>(0)
            });
        match busy {
            Ok(false) => {
                self.synced(self.written);
                self.reached(Point::Checkpointed);
                Ok(())
            }
            Ok(true) => Ok(()),
            Err(error) => Err(LedgerError::sqlite(&self.path, &error)),
        }
    }

    /// Writes what is owed and marks the file as closed.
    ///
    /// # Errors
    ///
    /// When the disk does not take all of it: the next start treats it as a crash, which loses nothing either.
    pub(super) fn close(mut self) -> Result<(), LedgerError> {
        if let Some(why) = &self.broken {
            return Err(LedgerError::Disk(why.clone()));
        }
        self.write(&[])?;
        let sqlite = |error: rusqlite::Error| LedgerError::sqlite(&self.path, &error);
        let connection = &self.opened.connection;
        if self.disk == Disk::Real {
            let full = connection.pragma_update(None, "synchronous", "full");
            full.map_err(sqlite)?;
        }
        recovery::finish(connection).map_err(sqlite)?;
        self.reached(Point::Finished);
        let closed = self.opened.close();
        closed.map_err(|error| LedgerError::sqlite(&self.path, &error))
    }

    /// A limit on the file, in pages of 4 KiB: a full disk, for tests.
    #[cfg(test)]
    pub(super) fn limit(&self, pages: u32) {
        let connection = &self.opened.connection;
        connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            .expect("a limit");
    }

    /// How many rows a table has, for tests.
    #[cfg(test)]
    pub(super) fn count(&self, rows: &str) -> i64 {
        let connection = &self.opened.connection;
        connection
            .query_row(&format!("SELECT count(*) FROM {rows}"), [], |row| {
                row.get(0)
            })
            .expect("a count")
    }

    /// The attempts that the file holds one by one, for tests.
    #[cfg(test)]
    pub(super) fn attempts(&self) -> std::collections::BTreeSet<AttemptId> {
        let mut all = std::collections::BTreeSet::new();
        rows::lines(&self.opened.connection, AttemptId(0), |id, _, _| {
            all.insert(id)
        })
        .expect("rows");
        all
    }

    fn decide(&mut self, draft: Draft, now_ms: u64) -> Result<Entry, LedgerError> {
        if let Some(why) = &self.broken {
            return Err(LedgerError::Disk(why.clone()));
        }
        let connection = &self.opened.connection;
        let sqlite = |error: rusqlite::Error| LedgerError::sqlite(&self.path, &error);
        if !self.book.nonces.knows(&draft.rand_hash) {
            let used = rows::used(connection, &draft.rand_hash).map_err(sqlite)?;
            self.book.nonces.learn(draft.rand_hash, used, now_ms);
        }
        if self.book.lacks_job(&draft.job) {
            let spent = rows::spent_by(connection, &draft.job).map_err(sqlite)?;
            self.book.learn_job(&draft.job, spent, now_ms);
        }
        self.book.admit(draft, self.written + 1, now_ms)
    }

    fn end_as(&mut self, attempt: AttemptId, state: State) {
        if self.book.end(attempt, state) {
            self.ends.push((attempt, state));
            self.unfolded += 1;
        }
    }

    /// Attempts that could not be written: nothing left, so they never were. The ends entered with them are tried by themselves.
    fn take_back(&mut self, attempts: &[AttemptId], error: &LedgerError) {
        tracing::warn!("{error}");
        self.book.covers.failed(self.written + 1);
        for attempt in attempts {
            self.book.end(*attempt, State::Unsent);
        }
        if !attempts.is_empty() {
            let _ = self.write(&[]);
        }
    }

    fn write(&mut self, entries: &[&Entry]) -> Result<(), LedgerError> {
        if entries.is_empty() && self.ends.is_empty() && self.uncover.is_empty() {
            return Ok(());
        }
        let written = self.try_write(entries);
        written.map_err(|error| LedgerError::sqlite(&self.path, &error))?;
        self.written += 1;
        self.ends.clear();
        self.uncover.clear();
        self.reached(Point::Committed);
        Ok(())
    }

    fn try_write(&self, entries: &[&Entry]) -> Result<(), rusqlite::Error> {
        let transaction = self.opened.connection.unchecked_transaction()?;
        for entry in entries {
            rows::insert(&transaction, &entry.row)?;
            if let Some((id, amount)) = entry.place.write {
                rows::cover(&transaction, id, amount, &entry.row)?;
            }
        }
        for (attempt, state) in &self.ends {
            rows::end(&transaction, *attempt, *state)?;
        }
        for id in &self.uncover {
            rows::uncover(&transaction, *id)?;
        }
        self.reached(Point::Stated);
        transaction.commit()
    }

    fn run<T>(
        &mut self,
        step: impl FnOnce(&rusqlite::Connection, AttemptId) -> Result<T, rusqlite::Error>,
    ) -> Result<T, LedgerError> {
        let done = step(&self.opened.connection, self.folded);
        let done = done.map_err(|error| LedgerError::sqlite(&self.path, &error))?;
        self.written += 1;
        Ok(done)
    }

    fn reached(&self, _point: Point) {
        #[cfg(test)]
        if let Some(probe) = &self.probe {
            probe(_point);
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("path", &self.path)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}
