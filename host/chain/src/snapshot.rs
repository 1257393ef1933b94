//! The last state on disk, so that a start without any node still knows the orchestrators.
//!
//! One row a network and Controller, replaced as a whole. A row that this version cannot read is as good as none. Nothing here is needed for
//! safety: money is asked of the chain, and what was signed is in the ledger.

use std::path::Path;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::feed::Quote;
use crate::network::Network;
use crate::state::State;

/// Largest snapshot that is read, bytes: a hundred times that of a full pool.
const MAX_BYTES: i64 = 16 << 20;

/// Changes with the meaning of what is kept.
const FORMAT: i64 = 1;

/// The file of snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    db: Mutex<Connection>,
}

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) state: State,
    pub(crate) quote: Option<Quote>,
}

/// The snapshot's file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "the chain's snapshot {path} cannot be used ({why}): it may be deleted, it is made anew from the chain"
)]
pub struct SnapshotError {
    path: String,
    why: rusqlite::Error,
}

// === impl Snapshots ===

impl Snapshots {
    pub(crate) fn open(path: &Path) -> Result<Self, SnapshotError> {
        let open = || {
            let db = Connection::open(path)?;
            db.busy_timeout(Duration::from_secs(5))?;
            db.pragma_update(None, "journal_mode", "WAL")?;
            db.execute(
                "CREATE TABLE IF NOT EXISTS snapshot (
                    network TEXT NOT NULL, controller TEXT NOT NULL, format INTEGER NOT NULL, kept TEXT NOT NULL,
                    PRIMARY KEY (network, controller)
                ) STRICT",
                [],
            )?;
            Ok(db)
        };
        match open() {
            Ok(db) => Ok(Self { db: Mutex::new(db) }),
            Err(why) => Err(SnapshotError {
                path: path.display().to_string(),
                why,
            }),
        }
    }

    /// What was kept of `network`, if this version can read it.
    pub(crate) fn load(&self, network: &Network) -> Option<Kept> {
        let db = self.db.lock();
        let row = db.query_row(
            "SELECT kept FROM snapshot WHERE network = ?1 AND controller = ?2 AND format = ?3 AND length(kept) <= ?4",
            params![network.name, network.controller.to_string(), FORMAT, MAX_BYTES],
            |row| row.get::<_, String>(0),
        );
        let text = match row.optional() {
            Ok(text) => text?,
            Err(error) => {
                tracing::warn!(%error, "the chain's snapshot is not readable");
                return None;
            }
        };
        let kept: Kept = serde_json::from_str(&text)
            .inspect_err(|error| tracing::warn!(%error, "the chain's snapshot is not readable"))
            .ok()?;
        let other = network.chain_id.is_some_and(|id| id != kept.state.chain_id);
        (!other).then_some(kept)
    }

    pub(crate) fn save(&self, network: &Network, kept: &Kept) -> Result<(), rusqlite::Error> {
        let text = serde_json::to_string(kept)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        self.db.lock().execute(
            "INSERT OR REPLACE INTO snapshot (network, controller, format, kept) VALUES (?1, ?2, ?3, ?4)",
            params![network.name, network.controller.to_string(), FORMAT, text],
        )?;
        Ok(())
    }
}
