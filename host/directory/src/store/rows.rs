//! Rows in and out. A row that does not make sense is left out, with a warning; the others count.

use pointsman_facts::{Symbol, Workload};
use pointsman_wire::uri::ServiceUri;
use rusqlite::{Connection, Row, named_params};
use tracing::warn;

use crate::history::{Key, RecordRow, Work};
use crate::source::identity;

/// What is kept of an orchestrator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OrchestratorRow {
    pub(crate) uri: ServiceUri,
    /// When this row last changed, unix ms.
    pub(crate) seen_ms: u64,
    pub(crate) answered_ms: Option<u64>,
    pub(crate) failures: u32,
    pub(crate) error: Option<String>,
    /// Its last answer, encoded, without secrets.
    pub(crate) info: Option<Vec<u8>>,
    /// Until when it rests, unix ms; 0 when it does not.
    pub(crate) rest_ms: u64,
}

/// What is saved or loaded at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) orchestrators: Vec<OrchestratorRow>,
    pub(crate) records: Vec<RecordRow>,
}

// === impl Rows ===

impl Rows {
    pub(crate) fn is_empty(&self) -> bool {
        self.orchestrators.is_empty() && self.records.is_empty()
    }
}

pub(super) fn save(connection: &mut Connection, rows: &Rows) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction()?;
    {
        let mut put = transaction.prepare_cached(
            "INSERT OR REPLACE INTO orchestrator
                VALUES (:id, :uri, :seen, :answered, :failures, :error, :info, :rest)",
        )?;
        for row in &rows.orchestrators {
            put.execute(named_params! {
                ":id": identity(&row.uri).0.cast_signed(),
                ":uri": row.uri.as_str(),
                ":seen": time(row.seen_ms),
                ":answered": row.answered_ms.map(time),
                ":failures": row.failures,
                ":error": row.error,
                ":info": row.info,
                ":rest": time(row.rest_ms),
            })?;
        }
        let mut put = transaction.prepare_cached(
            "INSERT OR REPLACE INTO history
                VALUES (:orchestrator, :workload, :model, :touched, :score, :latencies, :judged, :attempts, :faults)",
        )?;
        for row in &rows.records {
            let faults = serde_json::to_string(&row.faults).expect("faults are plain data");
            put.execute(named_params! {
                ":orchestrator": row.key.orchestrator.0.cast_signed(),
                ":workload": row.key.work.workload.name(),
                ":model": row.key.work.model.0.cast_signed(),
                ":touched": time(row.touched_ms),
                ":score": row.score,
                ":latencies": row.latencies,
                ":judged": row.judged,
                ":attempts": row.all,
                ":faults": faults,
            })?;
        }
    }
    transaction.commit()
}

pub(super) fn purge(connection: &mut Connection, before_ms: u64) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction()?;
    let before = time(before_ms);
    transaction.execute("DELETE FROM orchestrator WHERE seen_ms < ?1", [before])?;
    transaction.execute("DELETE FROM history WHERE touched_ms < ?1", [before])?;
    transaction.commit()
}

pub(super) fn load(connection: &Connection) -> Result<Rows, rusqlite::Error> {
    let mut rows = Rows::default();
    let mut skipped = 0_u32;
    let mut query = connection.prepare("SELECT * FROM orchestrator")?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        match orchestrator(row)? {
            Some(row) => rows.orchestrators.push(row),
            None => skipped += 1,
        }
    }
    let mut query = connection.prepare("SELECT * FROM history")?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        match record(row)? {
            Some(row) => rows.records.push(row),
            None => skipped += 1,
        }
    }
    if skipped > 0 {
        warn!("{skipped} rows of the directory's database make no sense and are left out");
    }
    Ok(rows)
}

fn orchestrator(row: &Row<'_>) -> Result<Option<OrchestratorRow>, rusqlite::Error> {
    let Ok(uri) = row.get::<_, String>("uri")?.parse::<ServiceUri>() else {
        return Ok(None);
    };
    if row.get::<_, i64>("id")? != identity(&uri).0.cast_signed() {
        return Ok(None);
    }
    Ok(Some(OrchestratorRow {
        uri,
        seen_ms: unsigned(row.get("seen_ms")?),
        answered_ms: row.get::<_, Option<i64>>("answered_ms")?.map(unsigned),
        failures: row.get("failures")?,
        error: row.get("error")?,
        info: row.get("info")?,
        rest_ms: unsigned(row.get("rest_ms")?),
    }))
}

fn record(row: &Row<'_>) -> Result<Option<RecordRow>, rusqlite::Error> {
    let name: String = row.get("workload")?;
    let workload = Workload::ALL.into_iter().find(|known| known.name() == name);
    let faults: String = row.get("faults")?;
    let (Some(workload), Ok(faults)) = (workload, serde_json::from_str(&faults)) else {
        return Ok(None);
    };
    Ok(Some(RecordRow {
        key: Key {
            orchestrator: symbol(row.get("orchestrator")?),
            work: Work {
                workload,
                model: symbol(row.get("model")?),
            },
        },
        touched_ms: unsigned(row.get("touched_ms")?),
        score: row.get("score")?,
        latencies: row.get("latencies")?,
        judged: row.get("judged")?,
        all: row.get("attempts")?,
        faults,
    }))
}

/// SQLite's integers are signed; a symbol keeps its bits, a time is far from the sign.
fn symbol(stored: i64) -> Symbol {
    Symbol(stored.cast_unsigned())
}

fn time(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn unsigned(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}
