//! The ledger: what was paid, to whom, for what, on disk before it leaves.
//!
//! # Contract
//!
//! Nothing is signed before [`draft`](Ledger::draft) returned an [`Issued`]; whoever got one says how it ended with
//! [`settle`](Ledger::settle). Then, whatever happens to the process or the machine at whatever moment:
//!
//! 1. **No nonce repeats** with a recipient's rand hash.
//! 2. **Spend is never less** than what left, in total, per recipient and per session.
//! 3. **The rest is listed.** Spend is what ended for certain plus the attempts that were open, each listed as
//!    [`Unconfirmed`]. After the death of the process these are exactly the attempts whose rows are written and whose ends are not; an end is
//!    in the commit after it was told, and [`flush`](Ledger::flush) waits for that. Reservations are not attempts and are not listed. After a
//!    loss of power, see below.
//! 4. Closing and opening again changes no sum and uses no nonce.
//! 5. [Caps] hold over what left or may have left, under way included. Reaching one refuses the payment that would pass it and touches
//!    nothing that was paid before.
//!
//! A full disk refuses drafts and loses nothing; when there is room, the next draft is taken. Ends are kept in memory until they can be
//! written.
//!
//! # What must be on disk before a ticket leaves
//!
//! To list open attempts *exactly*, each attempt must leave its own mark before its tickets leave: the disk cannot otherwise differ between
//! a ticket that was sent and one that was not. For a mark to outlive the process it need only be **written**: the operating
//! system keeps it. To outlive the machine it must be **synced**, which takes the disk's time, a thousand times longer. So
//! nobody can have both an exact list after a power loss and payments that do not wait for the disk. The design asks that no request
//! waits; hence every attempt is written as a row of its own before it leaves, synced just after, and what a power loss could take
//! away in between is on disk *beforehand*, in two reservations:
//!
//! - **Nonces**, by epochs. Every start after an unclean stop begins an epoch, synced before anything else. In epoch *e* a hash that the
//!   file does not know begins at nonce 600·*e* + 1 (1 for a ledger that never crashed, as go-livepeer begins), a known hash after its last
//!   or there, whichever is higher. A recipient takes 600 nonces a hash, so does the ledger, so the epochs' ranges are disjoint, and
//!   rows that were lost cannot be repeated. One block for all hashes there will ever be: orchestrators send new parameters with every
//!   answer, so a block a hash would be a sync a payment.
//! - **Spend**, by [covers]. A session that pays has a row that says how much it may pay ahead of the disk: twice its payment, at most
//!   [`Options::cover`]. While its unsynced payments fit under that, they leave as soon as they are written; otherwise they wait for
//!   the next sync, which serves all that wait. A session's first payment waits, together with its cover. Covers are given back a minute after the
//!   last payment.
//!
//! When the ledger was not closed, the kernel's boot id tells which it was. The same: everything written is there, covers are void, the list is
//! exact. Another, or none to be had: rows may be missing, so each cover is entered as an unconfirmed attempt of its amount
//! ([`Unconfirmed::tickets`] is 0). That is the shortest list there can be: each entry is a session of the last minute that may have paid
//! that much, and no disk could say whether it did. It errs by at most `cover` a session, upwards. With `cover` 0 every payment
//! waits for its sync, and the list is exact after a power loss too.
//!
//! Proof: `tests/crash.rs` here cuts a seeded, single-threaded ledger at thousands of points, copies its two files as a dead process
//! (as they are) or a lost machine leaves them (the log cut or scrambled at any byte after the last sync), opens the copy and holds it against
//! what had left; `tests/ledger_kill.rs` of the crate kills a real process under load.
//!
//! # Why a thread that syncs, and not `synchronous=FULL`
//!
//! `FULL` syncs inside the commit, while nobody else can write: every draft then waits for the sync before it, covered or not. Here commits
//! only write (`NORMAL`, which never lets a power loss harm the file, only shorten it) and another thread syncs the log, as `FULL` would.
//! Whoever waits for the disk is answered after a sync that began after the commit: the same promise. Opening, migrating and closing,
//! where nobody is in a hurry, use `FULL`.
//!
//! # What it does not promise
//!
//! A file restored from a backup knows nothing of what was paid since. A disk that reports a sync it did not do, or a volume taken
//! from a running machine, can lose more than a cover; nonces hold even then, unless the last opening is lost too. A sync that fails stops all payments until the ledger
//! is opened again, since what is on disk is unknown after it.
//!
//! Protocol: `payments` §1.3 (nonces), §4 (balances).
//!
//! [Caps]: Caps
//! [covers]: Options::cover

mod accounts;
mod amount;
mod attempt;
mod book;
mod covers;
mod engine;
mod error;
mod file;
mod nonces;
mod options;
mod recent;
mod recovery;
mod rows;
mod schema;
mod syncer;
mod upkeep;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, mpsc};

use parking_lot::Mutex;
use tokio::sync::oneshot;

pub use accounts::{Sum, Totals, Unconfirmed};
pub use amount::Amount;
pub use attempt::{AttemptId, Draft, End, Issued};
pub use error::{Cap, LedgerError, Reached};
pub use options::{Caps, Clock, Options};
pub use recent::Lately;

use accounts::Accounts;
use engine::Engine;
use file::Disk;
use writer::{Command, Reply};

/// The open ledger. Clones are handles to the same one; when the last is dropped it closes by itself, unless the process ends first.
#[derive(Clone)]
pub struct Ledger {
    commands: mpsc::Sender<Command>,
    accounts: Arc<Mutex<Accounts>>,
    options: Options,
}

// === impl Ledger ===

impl Ledger {
    /// Opens the ledger at `path`, or begins one where there is no file; a lock file stands beside it. Blocks, for the time of a few syncs and of reading
    /// the last attempts.
    ///
    /// # Errors
    ///
    /// [`InUse`](LedgerError::InUse) by another gateway; [`Foreign`](LedgerError::Foreign), [`Damaged`](LedgerError::Damaged) or
    /// [`Newer`](LedgerError::Newer) files, which are left as they are; [`Disk`](LedgerError::Disk).
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, LedgerError> {
        Self::open_on(path.as_ref(), options, Disk::Real)
    }

    /// Enters a payment. When it returns, nonces `first_nonce..first_nonce + count` are this attempt's alone and it is safe to sign and send.
    /// Dropped before that, nothing is entered, or as unsent.
    ///
    /// # Errors
    ///
    /// [`NoncesSpent`](LedgerError::NoncesSpent): take fresh parameters. [`Cap`](LedgerError::Cap): do not pay.
    /// [`Disk`](LedgerError::Disk), [`Closed`](LedgerError::Closed), [`Invalid`](LedgerError::Invalid). Nothing may leave after any of them.
    pub async fn draft(&self, draft: Draft) -> Result<Issued, LedgerError> {
        let (reply, answer) = Reply::new(self.commands.clone());
        let command = Command::Draft(Box::new(draft), reply);
        self.commands
            .send(command)
            .map_err(|_| LedgerError::Closed)?;
        let delivery = answer.await.map_err(|_| LedgerError::Closed)??;
        delivery.take().ok_or(LedgerError::Closed)
    }

    /// Says how an attempt ended. Does not wait. An attempt that has ended already stays as it is; one that is never settled is
    /// [`Lost`](End::Lost) after an hour.
    pub fn settle(&self, attempt: AttemptId, end: End) {
        // A closed ledger lists it as unconfirmed when it is opened again.
        let _ = self.commands.send(Command::End(attempt, end));
    }

    /// Waits until everything drafted and settled before is on disk.
    ///
    /// # Errors
    ///
    /// [`Disk`](LedgerError::Disk) or [`Closed`](LedgerError::Closed).
    pub async fn flush(&self) -> Result<(), LedgerError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Flush(reply));
        sent.map_err(|_| LedgerError::Closed)?;
        answer.await.map_err(|_| LedgerError::Closed)?
    }

    /// The sums as they stand now. What was settled a moment ago may still be counted as open.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.accounts.lock().totals(self.options.now_ms())
    }

    /// What was spent in the last hour and day. It takes some microseconds.
    #[must_use]
    pub fn lately(&self) -> Lately {
        self.accounts.lock().recent.lately(self.options.now_ms())
    }

    /// Replaces the caps, for drafts from now on.
    pub fn set_caps(&self, caps: Caps) {
        // Nothing is drafted with a closed ledger.
        let _ = self.commands.send(Command::Caps(caps));
    }

    /// Writes everything and closes; other handles get [`Closed`](LedgerError::Closed) from then on.
    ///
    /// # Errors
    ///
    /// [`Disk`](LedgerError::Disk) when not all could be written: the next start treats it as a crash.
    pub async fn close(self) -> Result<(), LedgerError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Close(reply));
        sent.map_err(|_| LedgerError::Closed)?;
        answer.await.map_err(|_| LedgerError::Closed)?
    }

    fn open_on(path: &Path, options: Options, disk: Disk) -> Result<Self, LedgerError> {
        let engine = Engine::open(path, options.clone(), disk)?;
        let accounts = Arc::clone(&engine.book.accounts);
        let (commands, inbox) = mpsc::channel();
        writer::start(engine, inbox)?;
        Ok(Self {
            commands,
            accounts,
            options,
        })
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
