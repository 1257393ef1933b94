//! Why no money may leave, in words for operators.

use std::path::{Path, PathBuf};

use alloy::primitives::{B256, U256};
use rusqlite::ErrorCode;

use super::Amount;

/// Which cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cap {
    /// What one ticket may be worth.
    Ticket,
    /// What the tickets of one payment may be worth together.
    Payment,
    /// What one job may spend.
    Job,
    /// What one API key may spend in a UTC day.
    KeyDay,
    /// What may be spent in a UTC day altogether.
    Day,
}

/// A cap that a payment would pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The cap, in wei.
    pub limit: U256,
    /// What counts towards it so far; 0 for a ticket or payment.
    pub spent: Amount,
    /// What was to be added.
    pub wanted: Amount,
}

/// Why the ledger refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The recipient accepts no more tickets with this hash.
    #[error(
        "{used} of 600 nonces are used with the ticket parameters {rand_hash}, {wanted} more do not fit: fresh ticket parameters are needed"
    )]
    NoncesSpent {
        /// The hash of the recipient's secret.
        rand_hash: B256,
        /// Nonces used with it.
        used: u32,
        /// Tickets asked for.
        wanted: u32,
    },
    /// A cap is reached: this payment does not leave, what was paid goes on.
    #[error(
        "the cap {cap} is {} wei: {} are spent, {} more were wanted",
        numbers.limit, numbers.spent, numbers.wanted
    )]
    Cap {
        /// Which one.
        cap: Cap,
        /// How it stands.
        numbers: Box<Reached>,
    },
    /// A payment that is none.
    #[error("a payment that cannot be entered: {0}")]
    Invalid(&'static str),
    /// The disk does not take it. Nothing leaves until it does.
    #[error("the ledger cannot be written, so nothing is paid: {0}")]
    Disk(String),
    /// Another process has it.
    #[error(
        "the ledger {} is in use{}: one gateway at a time, each with its own data directory",
        path.display(),
        pid.map(|pid| format!(" by process {pid}")).unwrap_or_default()
    )]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who, when that is known.
        pid: Option<u32>,
    },
    /// A file of something else.
    #[error("{} is not a ledger: {why}. It is left as it is; name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        why: String,
    },
    /// A ledger that cannot be believed.
    #[error(
        "the ledger {} is damaged: {why}. It is left as it is; restore it, or move it and its -wal aside to begin a new one, which knows no earlier spend",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A later version wrote it.
    #[error(
        "the ledger {} has layout {found}, this version knows up to {known}: start the version that wrote it, or a later one",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// [`close`](super::Ledger::close) was called.
    #[error("the ledger is closed")]
    Closed,
}

// === impl Cap ===

impl Cap {
    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Payment => "payment",
            Self::Job => "job",
            Self::KeyDay => "key_day",
            Self::Day => "day",
        }
    }
}

impl std::fmt::Display for Cap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ticket => "per ticket",
            Self::Payment => "per payment",
            Self::Job => "per job",
            Self::KeyDay => "per API key and day (UTC)",
            Self::Day => "per day (UTC)",
        })
    }
}

// === impl LedgerError ===

impl LedgerError {
    /// What SQLite says of the file at `path`.
    pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, why) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            // It was recognised as a ledger before SQLite saw it.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path, why }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::InUse { path, pid: None }
            }
            Some(_) => Self::Disk(format!("{}: {why}", path.display())),
            // Not SQLite but a value in a row.
            None => Self::Damaged { path, why },
        }
    }

    /// What the file system says of `path`.
    pub(super) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Disk(format!("{}: {error}", path.display()))
    }
}
