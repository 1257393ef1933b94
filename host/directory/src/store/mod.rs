//! The directory's memory across restarts: an SQLite database.
//!
//! # Contract
//!
//! What is loaded equals what was saved, to the last bit: the ranking after a restart is the one before. Nothing in here is
//! worth refusing to start for: a database that cannot be read is moved aside, with a warning that says where, and an
//! empty one takes its place. Only a folder that cannot be written stops the start, since the operator must know.
//!
//! Facts are stored as the orchestrator sent them (less its secrets) and judged again when loaded, so a newer version
//! needs no conversion to judge them better. Money is not here; it has its own, stricter, database.

mod rows;
mod schema;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use tracing::warn;

pub(crate) use rows::{OrchestratorRow, Rows};

/// Longest wait for another process that holds the database.
const BUSY: Duration = Duration::from_secs(5);

/// Why the directory has no memory.
#[derive(Debug, thiserror::Error)]
#[error("the directory's database {} cannot be used: {cause}", path.display())]
pub struct StoreError {
    /// The file.
    pub path: PathBuf,
    /// What SQLite or the file system says.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

/// An open database. Every call blocks.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    path: PathBuf,
}

// === impl StoreError ===

impl StoreError {
    pub(crate) fn new(
        path: &Path,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            cause: cause.into(),
        }
    }
}

// === impl Store ===

impl Store {
    /// Opens `path`, or an empty database in its place, and what it holds.
    pub(crate) fn open(path: &Path, now_ms: u64) -> Result<(Self, Rows), StoreError> {
        let cause = match Self::try_open(path) {
            Ok(opened) => return Ok(opened),
            Err(cause) => cause,
        };
        if !path.exists() || !schema::is_unreadable(&cause) {
            return Err(StoreError::new(path, cause));
        }
        let aside = set_aside(path, now_ms).map_err(|cause| StoreError::new(path, cause))?;
        warn!(
            path = %path.display(), aside = %aside.display(),
            "the directory's database cannot be read and was moved aside; history starts anew: {cause}"
        );
        Self::try_open(path).map_err(|cause| StoreError::new(path, cause))
    }

    /// Writes `rows` over what was saved of the same orchestrators and records.
    pub(crate) fn save(&mut self, rows: &Rows) -> Result<(), StoreError> {
        rows::save(&mut self.connection, rows).map_err(|cause| StoreError::new(&self.path, cause))
    }

    /// Drops what was last seen or touched before `before_ms`.
    pub(crate) fn purge(&mut self, before_ms: u64) -> Result<(), StoreError> {
        rows::purge(&mut self.connection, before_ms)
            .map_err(|cause| StoreError::new(&self.path, cause))
    }

    fn try_open(path: &Path) -> Result<(Self, Rows), rusqlite::Error> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        schema::prepare(&mut connection)?;
        let rows = rows::load(&connection)?;
        let path = path.to_owned();
        Ok((Self { connection, path }, rows))
    }
}

/// Renames the database and what SQLite keeps beside it.
fn set_aside(path: &Path, now_ms: u64) -> std::io::Result<PathBuf> {
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let aside = beside(&format!(".unreadable-{now_ms}"));
    std::fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm"] {
        let from = beside(suffix);
        if from.exists() {
            std::fs::rename(from, beside(&format!(".unreadable-{now_ms}{suffix}")))?;
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests;
