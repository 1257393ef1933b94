//! What opening does about how the ledger stopped. One transaction: it is done or it will be done.
//!
//! | stopped | what the file lacks | what is done |
//! |---|---|---|
//! | closed | nothing | attempts that were open are unconfirmed |
//! | process died | nothing that was written | the same; covers are void; unknown hashes' nonces begin 600 higher |
//! | power lost, or nobody knows | what was not synced | the same, and every cover is an unconfirmed attempt of its amount |

use rusqlite::{Connection, params};

use super::attempt::AttemptId;
use super::rows::integer;

/// How it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// By closing it.
    Closed,
    /// The process died, the machine did not.
    Died,
    /// The machine was started since, or that cannot be known.
    PowerLost,
}

/// What the new run begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) stop: Stop,
    pub(super) epoch: i64,
    /// The last id in use, or the one before the run's first.
    pub(super) last_id: AttemptId,
    /// Attempts up to here are in the sums.
    pub(super) folded: AttemptId,
    /// Attempts, covers among them, that are unconfirmed now and were not before.
    pub(super) unconfirmed: u64,
}

/// Begins a run.
pub(super) fn begin(
    connection: &Connection,
    boot: Option<&str>,
    now_ms: u64,
) -> Result<Run, rusqlite::Error> {
    let transaction = connection.unchecked_transaction()?;
    let (run, epoch, clean, before, folded) = transaction.query_row(
        "SELECT run, epoch, clean, boot, folded FROM meta",
        [],
        |row| {
            let before: Option<String> = row.get(3)?;
            let (run, epoch): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok((run, epoch, row.get::<_, bool>(2)?, before, row.get(4)?))
        },
    )?;
    let stop = match (clean, boot) {
        (true, _) => Stop::Closed,
        (false, Some(boot)) if before.as_deref() == Some(boot) => Stop::Died,
        (false, _) => Stop::PowerLost,
    };
    let (run, epoch) = (run + 1, epoch + i64::from(stop != Stop::Closed));

    let unsettled = "UPDATE attempts SET end = 5 WHERE id > ?1 AND end = 0";
    let mut unconfirmed = transaction.execute(unsettled, [folded])?;
    let first = AttemptId::before(run);
    let mut last_id = first;
    if stop == Stop::PowerLost {
        let covers = transaction.execute(
            "INSERT INTO attempts (id, at_ms, sender, recipient, session, job, rand_hash, first_nonce, tickets,
                ticket_value, value, face_value, end, key, workload, units)
             SELECT ?1 + row_number() OVER (ORDER BY id), ?2, sender, recipient, session, job, zeroblob(32), 0, 0,
                amount, amount, '0', 5, key, workload, 0 FROM covers",
            params![first.0, integer(now_ms)],
        )?;
        unconfirmed += covers;
        last_id = AttemptId(first.0 + integer(covers as u64));
    }
    transaction.execute("DELETE FROM covers", [])?;
    transaction.execute(
        "UPDATE meta SET run = ?1, epoch = ?2, clean = 0, boot = ?3",
        params![run, epoch, boot],
    )?;
    transaction.commit()?;
    Ok(Run {
        stop,
        epoch,
        last_id,
        folded: AttemptId(folded),
        unconfirmed: unconfirmed as u64,
    })
}

/// Ends a run. What it wrote before must be synced with this at the latest.
pub(super) fn finish(connection: &Connection) -> Result<(), rusqlite::Error> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute("DELETE FROM covers", [])?;
    transaction.execute("UPDATE meta SET clean = 1", [])?;
    transaction.commit()
}
