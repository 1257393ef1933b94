//! The tables, and how older files are brought up to them.

use rusqlite::Connection;

/// Marks a ledger (`application_id`): "Pldg".
pub(super) const APPLICATION: u32 = 0x506c_6467;

/// One step a version; a file with `user_version` n has had the first n.
const STEPS: &[&str] = &[
    // Amounts are decimal text: wei, or wei+parts of 2^256 - 1.
    "
    CREATE TABLE meta (
        one    INTEGER PRIMARY KEY CHECK (one = 1),
        run    INTEGER NOT NULL, -- openings so far: the upper bits of attempts' ids
        epoch  INTEGER NOT NULL, -- stops that were not clean: where unknown hashes' nonces begin
        clean  INTEGER NOT NULL, -- 1 when closed
        boot   TEXT,             -- the machine's start that it was last opened in
        folded INTEGER NOT NULL  -- attempts up to this id are in sums
    ) STRICT;
    INSERT INTO meta VALUES (1, 0, 0, 1, NULL, 0);
    CREATE TABLE attempts (
        id           INTEGER PRIMARY KEY,
        at_ms        INTEGER NOT NULL, -- since 1970
        sender       BLOB NOT NULL,
        recipient    BLOB NOT NULL,
        session      TEXT NOT NULL,
        job          TEXT NOT NULL,
        rand_hash    BLOB NOT NULL,
        first_nonce  INTEGER NOT NULL,
        tickets      INTEGER NOT NULL, -- 0: a cover
        ticket_value TEXT NOT NULL,
        value        TEXT NOT NULL,    -- of all tickets
        face_value   TEXT NOT NULL,
        end          INTEGER NOT NULL  -- 0 open, 1 accepted, 2 refused, 3 lost, 4 unsent, 5 unconfirmed
    ) STRICT;
    CREATE INDEX attempts_by_hash ON attempts (rand_hash);
    CREATE INDEX attempts_by_job ON attempts (job);
    CREATE INDEX unconfirmed ON attempts (id) WHERE end = 5;
    CREATE TABLE sums (
        day       INTEGER NOT NULL, -- since 1970, UTC; 0: all that are not kept one by one
        recipient BLOB NOT NULL,
        key       TEXT NOT NULL,    -- '': no API key
        end       INTEGER NOT NULL,
        payments  INTEGER NOT NULL,
        tickets   INTEGER NOT NULL,
        value     TEXT NOT NULL,
        PRIMARY KEY (day, recipient, key, end)
    ) STRICT, WITHOUT ROWID;
    ",
    // API keys, kinds of work, covers.
    "
    ALTER TABLE attempts ADD COLUMN key TEXT;
    ALTER TABLE attempts ADD COLUMN workload TEXT NOT NULL DEFAULT '';
    ALTER TABLE attempts ADD COLUMN units INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE sums ADD COLUMN units INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE covers (
        id        INTEGER PRIMARY KEY,
        amount    TEXT NOT NULL,
        sender    BLOB NOT NULL,
        recipient BLOB NOT NULL,
        session   TEXT NOT NULL,
        job       TEXT NOT NULL,
        key       TEXT,
        workload  TEXT NOT NULL
    ) STRICT;
    ",
];

/// The newest layout.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// The layout of an open file.
pub(super) fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings a file of layout `from` up to `to`, in one transaction.
pub(super) fn migrate(connection: &Connection, from: i64, to: i64) -> Result<(), rusqlite::Error> {
    let transaction = connection.unchecked_transaction()?;
    let done = usize::try_from(from).unwrap_or(0);
    let steps = usize::try_from(to - from).unwrap_or(0);
    for step in STEPS.iter().skip(done).take(steps) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", to)?;
    transaction.commit()
}
