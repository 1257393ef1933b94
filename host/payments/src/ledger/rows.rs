//! Attempts, covers and ends as they are written and read.

use std::sync::Arc;

use alloy::primitives::{Address, B256};
use rusqlite::{Connection, Row as Record, named_params};

use super::Amount;
use super::accounts::{Part, Unconfirmed};
use super::attempt::{AttemptId, Line, Row, State};
use super::nonces::Used;
use super::recent::Recent;

type Result<T> = std::result::Result<T, rusqlite::Error>;

/// A value in the file that is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("a {0} that cannot be read")]
struct Unreadable(&'static str);

/// Writes an attempt that is open.
pub(super) fn insert(connection: &Connection, row: &Row) -> Result<()> {
    let draft = &row.draft;
    let mut insert = connection.prepare_cached(
        "INSERT INTO attempts (id, at_ms, sender, recipient, session, job, rand_hash, first_nonce, tickets,
            ticket_value, value, face_value, end, key, workload, units)
         VALUES (:id, :at, :sender, :recipient, :session, :job, :hash, :nonce, :tickets,
            :ticket_value, :value, :face_value, 0, :key, :workload, :units)",
    )?;
    insert.execute(named_params! {
        ":id": row.id.0,
        ":at": integer(row.line.at_ms),
        ":sender": draft.sender.as_slice(),
        ":recipient": draft.recipient.as_slice(),
        ":session": draft.session,
        ":job": draft.job,
        ":hash": draft.rand_hash.as_slice(),
        ":nonce": row.first_nonce,
        ":tickets": draft.tickets,
        ":ticket_value": row.ticket_value.text(),
        ":value": row.line.value.text(),
        ":face_value": draft.face_value.to_string(),
        ":key": draft.key,
        ":workload": draft.workload,
        ":units": integer(draft.units),
    })?;
    Ok(())
}

/// Writes a cover for the session of an attempt.
pub(super) fn cover(connection: &Connection, id: i64, amount: Amount, row: &Row) -> Result<()> {
    let draft = &row.draft;
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO covers (id, amount, sender, recipient, session, job, key, workload)
         VALUES (:id, :amount, :sender, :recipient, :session, :job, :key, :workload)",
    )?;
    insert.execute(named_params! {
        ":id": id,
        ":amount": amount.text(),
        ":sender": draft.sender.as_slice(),
        ":recipient": draft.recipient.as_slice(),
        ":session": draft.session,
        ":job": draft.job,
        ":key": draft.key,
        ":workload": draft.workload,
    })?;
    Ok(())
}

/// Takes a cover back.
pub(super) fn uncover(connection: &Connection, id: i64) -> Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM covers WHERE id = ?1")?;
    delete.execute([id]).map(drop)
}

/// Writes how an open attempt ended.
pub(super) fn end(connection: &Connection, attempt: AttemptId, state: State) -> Result<()> {
    let mut update =
        connection.prepare_cached("UPDATE attempts SET end = ?2 WHERE id = ?1 AND end = 0")?;
    update.execute([attempt.0, state as i64]).map(drop)
}

/// The nonces used with a hash.
pub(super) fn used(connection: &Connection, hash: &B256) -> Result<Used> {
    let mut query = connection.prepare_cached(
        "SELECT coalesce(max(first_nonce + tickets - 1), 0), coalesce(sum(tickets), 0)
         FROM attempts WHERE rand_hash = ?1 AND tickets > 0",
    )?;
    query.query_row([hash.as_slice()], |row| {
        Ok(Used {
            last: row.get(0)?,
            count: row.get(1)?,
        })
    })
}

/// What a job has spent.
pub(super) fn spent_by(connection: &Connection, job: &str) -> Result<Amount> {
    let mut query =
        connection.prepare_cached("SELECT value FROM attempts WHERE job = ?1 AND end != 4")?;
    let values = query.query_map([job], |row| amount(row, 0))?;
    values
        .into_iter()
        .try_fold(Amount::ZERO, |sum, value| Ok(sum.saturating_add(value?)))
}

/// Attempts after an id, in order, for sums.
pub(super) fn lines(
    connection: &Connection,
    after: AttemptId,
    mut each: impl FnMut(AttemptId, Line, State) -> bool,
) -> Result<()> {
    let mut query = connection.prepare_cached(
        "SELECT id, at_ms, recipient, key, tickets, units, value, end FROM attempts WHERE id > ?1 ORDER BY id",
    )?;
    let mut records = query.query([after.0])?;
    while let Some(row) = records.next()? {
        let line = Line {
            at_ms: natural(row, 1)?,
            recipient: address(row, 2)?,
            key: row.get::<_, Option<Box<str>>>(3)?.map(Arc::from),
            tickets: row.get(4)?,
            units: natural(row, 5)?,
            value: amount(row, 6)?,
        };
        if !each(AttemptId(row.get(0)?), line, state(row, 7)?) {
            break;
        }
    }
    Ok(())
}

/// What was spent since `begins_ms`, folded or not.
pub(super) fn since(connection: &Connection, begins_ms: u64) -> Result<Recent> {
    // By id, since that is the order of time and there is no other.
    let mut query =
        connection.prepare("SELECT at_ms, value FROM attempts WHERE end != 4 ORDER BY id DESC")?;
    let mut records = query.query([])?;
    let mut recent = Recent::default();
    while let Some(row) = records.next()? {
        let at_ms = natural(row, 0)?;
        if at_ms < begins_ms {
            break;
        }
        recent.add(at_ms, amount(row, 1)?);
    }
    Ok(recent)
}

/// The sums of attempts that are folded.
pub(super) fn sums(
    connection: &Connection,
    mut each: impl FnMut(u32, Address, Option<Arc<str>>, State, Part),
) -> Result<()> {
    let mut query = connection
        .prepare("SELECT day, recipient, key, end, payments, tickets, units, value FROM sums")?;
    let mut records = query.query([])?;
    while let Some(row) = records.next()? {
        let key: Box<str> = row.get(2)?;
        let key = (!key.is_empty()).then(|| Arc::from(key));
        let part = part(row, 4)?;
        each(row.get(0)?, address(row, 1)?, key, state(row, 3)?, part);
    }
    Ok(())
}

/// The four columns of a sum, from `at` on: payments, tickets, units, value.
pub(super) fn part(row: &Record<'_>, at: usize) -> Result<Part> {
    Ok(Part {
        payments: natural(row, at)?,
        tickets: natural(row, at + 1)?,
        units: natural(row, at + 2)?,
        value: amount(row, at + 3)?,
    })
}

/// What was open when the ledger stopped.
pub(super) fn unconfirmed(connection: &Connection) -> Result<Vec<Unconfirmed>> {
    let mut query = connection.prepare(
        "SELECT id, at_ms, recipient, sender, session, job, key, tickets, value
         FROM attempts WHERE end = 5 ORDER BY id",
    )?;
    let rows = query.query_map([], |row| {
        Ok(Unconfirmed {
            attempt: AttemptId(row.get(0)?),
            at_ms: natural(row, 1)?,
            recipient: address(row, 2)?,
            sender: address(row, 3)?,
            session: row.get(4)?,
            job: row.get(5)?,
            key: row.get(6)?,
            tickets: row.get(7)?,
            value: amount(row, 8)?,
        })
    })?;
    rows.collect()
}

/// SQLite's integers end at 2^63 - 1.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn natural(row: &Record<'_>, at: usize) -> Result<u64> {
    u64::try_from(row.get::<_, i64>(at)?).map_err(|_| unreadable(at, "number"))
}

fn amount(row: &Record<'_>, at: usize) -> Result<Amount> {
    let text = row.get_ref(at)?.as_str()?;
    Amount::parse(text).ok_or_else(|| unreadable(at, "amount"))
}

pub(super) fn address(row: &Record<'_>, at: usize) -> Result<Address> {
    let bytes = row.get_ref(at)?.as_blob()?;
    Address::try_from(bytes).map_err(|_| unreadable(at, "address"))
}

pub(super) fn state(row: &Record<'_>, at: usize) -> Result<State> {
    State::from_number(row.get(at)?).ok_or_else(|| unreadable(at, "state"))
}

fn unreadable(at: usize, what: &'static str) -> rusqlite::Error {
    let cause = Box::new(Unreadable(what));
    rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, cause)
}
