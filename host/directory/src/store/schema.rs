//! The tables, and the version of their layout.

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

/// The layout's version, in `user_version`. A database of another version, older or newer, is set aside: what is
/// in it comes back by itself within minutes.
const VERSION: i64 = 1;

/// Marks a database of ours (`application_id`): "Pdir".
const APPLICATION: i64 = 0x5064_6972;

const TABLES: &str = "
    CREATE TABLE orchestrator (
        id          INTEGER PRIMARY KEY, -- symbol of the URI
        uri         TEXT NOT NULL,
        seen_ms     INTEGER NOT NULL,    -- last change of this row
        answered_ms INTEGER,             -- last answer to a probe or session
        failures    INTEGER NOT NULL,    -- probes failed in a row
        error       TEXT,                -- why the last one failed
        info        BLOB,                -- its last answer: OrchestratorInfo without secrets
        rest_ms     INTEGER NOT NULL     -- rests until then; 0 not
    ) STRICT;
    CREATE TABLE history (
        orchestrator INTEGER NOT NULL,
        workload     TEXT NOT NULL,
        model        INTEGER NOT NULL,
        touched_ms   INTEGER NOT NULL,
        score        REAL,
        latencies    BLOB NOT NULL,
        judged       BLOB NOT NULL,
        attempts     BLOB NOT NULL,
        faults       TEXT NOT NULL,
        PRIMARY KEY (orchestrator, workload, model)
    ) STRICT, WITHOUT ROWID;
";

/// Makes the tables in an empty database and checks those of another.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let pragma = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (tables, application, version) {
        (0, 0, 0) => {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()
        }
        (_, APPLICATION, VERSION) => check(&transaction),
        _ => Err(unreadable(format!(
            "it has layout {version} of application {application:#x}, this program writes layout {VERSION}"
        ))),
    }
}

/// Whether another file in its place would help: a locked or unwritable one would only be locked or unwritable again.
pub(super) fn is_unreadable(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
        )
    )
}

fn check(connection: &Connection) -> Result<(), rusqlite::Error> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(unreadable(verdict))
}

fn unreadable(why: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        Some(why),
    )
}
