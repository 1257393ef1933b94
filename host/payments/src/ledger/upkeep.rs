//! Keeping the file small: attempts that have ended are added to the sums, old ones are then removed.
//!
//! Adding up and the mark of how far it went are one transaction, so every attempt is in the sums exactly once, or not yet.

use std::collections::HashMap;
use std::sync::Arc;

use alloy::primitives::Address;
use rusqlite::{Connection, OptionalExtension, params};

use super::accounts::Part;
use super::attempt::{AttemptId, State, day};
use super::rows;

/// Most attempts that one step adds up or removes, so that no payment waits long behind it.
const STEP: usize = 2000;

/// What one row of the sums stands for.
type Group = (u32, Address, Option<Arc<str>>, State);

/// Adds the next ended attempts after `folded` to the sums; says how far it went, and whether there is more.
pub(super) fn fold(
    connection: &Connection,
    folded: AttemptId,
) -> Result<(AttemptId, bool), rusqlite::Error> {
    let mut groups: HashMap<Group, Part> = HashMap::new();
    let (mut last, mut seen, mut more) = (folded, 0, false);
    rows::lines(connection, folded, |id, line, state| {
        if state == State::Open {
            return false;
        }
        if seen == STEP {
            more = true;
            return false;
        }
        (last, seen) = (id, seen + 1);
        let group = (line.day(), line.recipient, line.key.clone(), state);
        let part = groups.entry(group).or_default();
        *part = part.plus(Part::from(&line));
        true
    })?;
    if seen == 0 {
        return Ok((folded, false));
    }
    let transaction = connection.unchecked_transaction()?;
    for (group, part) in groups {
        if group.3 != State::Unsent {
            add(&transaction, &group, part)?;
        }
    }
    transaction.execute("UPDATE meta SET folded = ?1", [last.0])?;
    transaction.commit()?;
    Ok((last, more))
}

/// Removes the oldest attempts that are in the sums and from before `before_ms`, and joins the sums of the days before into one.
/// Says whether there is more.
pub(super) fn prune(
    connection: &Connection,
    folded: AttemptId,
    before_ms: u64,
) -> Result<bool, rusqlite::Error> {
    let transaction = connection.unchecked_transaction()?;
    join(&transaction, day(before_ms))?;
    let oldest = oldest(&transaction, folded, before_ms)?;
    let old = oldest.iter().take_while(|(_, old)| *old);
    if let Some((last, _)) = old.clone().last() {
        transaction.execute("DELETE FROM attempts WHERE id <= ?1", [last])?;
    }
    let more = old.count() == STEP;
    transaction.commit()?;
    Ok(more)
}

/// The first attempts, and whether they are from before `before_ms`.
fn oldest(
    connection: &Connection,
    folded: AttemptId,
    before_ms: u64,
) -> Result<Vec<(i64, bool)>, rusqlite::Error> {
    let mut query = connection.prepare_cached(
        "SELECT id, at_ms < ?2 FROM attempts WHERE id <= ?1 ORDER BY id LIMIT ?3",
    )?;
    let values = params![
        folded.0,
        rows::integer(before_ms),
        rows::integer(STEP as u64)
    ];
    let oldest = query.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    oldest.collect()
}

/// Joins the sums of days before `day` into those of day 0.
fn join(connection: &Connection, day: u32) -> Result<(), rusqlite::Error> {
    let mut query = connection.prepare_cached(
        "SELECT recipient, key, end, payments, tickets, units, value FROM sums WHERE day > 0 AND day < ?1",
    )?;
    let mut old = query.query([day])?;
    let mut groups: HashMap<Group, Part> = HashMap::new();
    while let Some(row) = old.next()? {
        let key: Box<str> = row.get(1)?;
        let key = (!key.is_empty()).then(|| Arc::from(key));
        let group = (0, rows::address(row, 0)?, key, rows::state(row, 2)?);
        let part = groups.entry(group).or_default();
        *part = part.plus(rows::part(row, 3)?);
    }
    if groups.is_empty() {
        return Ok(());
    }
    for (group, part) in groups {
        add(connection, &group, part)?;
    }
    connection.execute("DELETE FROM sums WHERE day > 0 AND day < ?1", [day])?;
    Ok(())
}

fn add(
    connection: &Connection,
    (day, recipient, key, state): &Group,
    part: Part,
) -> Result<(), rusqlite::Error> {
    let key = key.as_deref().unwrap_or("");
    let group = params![day, recipient.as_slice(), key, *state as i64];
    let mut query = connection.prepare_cached(
        "SELECT payments, tickets, units, value FROM sums
         WHERE day = ?1 AND recipient = ?2 AND key = ?3 AND end = ?4",
    )?;
    let before = query
        .query_row(group, |row| rows::part(row, 0))
        .optional()?;
    let sum = part.plus(before.unwrap_or_default());
    let mut replace = connection.prepare_cached(
        "INSERT OR REPLACE INTO sums (day, recipient, key, end, payments, tickets, units, value)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    replace.execute(params![
        day,
        recipient.as_slice(),
        key,
        *state as i64,
        rows::integer(sum.payments),
        rows::integer(sum.tickets),
        rows::integer(sum.units),
        sum.value.text(),
    ])?;
    Ok(())
}
