//! Files that are not ledgers, not whole, too old or too new. None of them is changed by refusing it.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;

use super::super::{file, schema};
use super::*;

struct Case {
    _folder: tempfile::TempDir,
    path: PathBuf,
    time: Time,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            path: folder.path().join("ledger"),
            _folder: folder,
            time: Time::new(),
        }
    }

    /// A ledger with some attempts in it, closed.
    fn used() -> Self {
        let case = Self::new();
        let mut engine = engine(&case.path, case.time.options());
        for hash in 0..100 {
            let issued = one(&mut engine, draft(1, hash)).expect("issued");
            engine.end(issued.attempt, End::Accepted);
        }
        engine.close().expect("closed");
        case
    }

    fn refused(&self) -> LedgerError {
        let before = fs::read(&self.path).ok();
        let error = refused(&self.path);
        assert_eq!(fs::read(&self.path).ok(), before, "it is left as it is");
        error
    }
}

#[test]
fn a_file_of_something_else_is_refused() {
    let case = Case::new();
    fs::write(&case.path, "host = \"example\"\n".repeat(100)).expect("written");
    let error = case.refused();
    assert!(matches!(error, LedgerError::Foreign { .. }), "{error}");
}

#[test]
fn so_is_a_database_of_something_else() {
    let case = Case::new();
    let other = Connection::open(&case.path).expect("a database");
    other
        .execute_batch("CREATE TABLE attempts (id INTEGER PRIMARY KEY)")
        .expect("a table");
    drop(other);
    let error = case.refused();
    assert!(
        error
            .to_string()
            .contains("is not a ledger: it is a database of another application")
    );
}

#[test]
fn an_empty_file_is_not_taken_for_a_new_ledger() {
    let case = Case::new();
    fs::write(&case.path, "").expect("written");
    let error = case.refused();
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
}

#[test]
fn neither_is_a_log_whose_file_is_gone() {
    let case = Case::new();
    fs::write(file::beside(&case.path, "-wal"), "a log").expect("written");
    let error = case.refused();
    assert!(
        error.to_string().contains("the file itself is not"),
        "{error}"
    );
    assert!(!case.path.exists());
}

#[test]
fn a_file_cut_short_anywhere_is_damaged() {
    let case = Case::used();
    let whole = fs::read(&case.path).expect("read");
    for length in [
        50,
        99,
        100,
        4096,
        5000,
        whole.len() / 2,
        whole.len() - 4096,
        whole.len() - 1,
    ] {
        fs::write(&case.path, &whole[..length]).expect("written");
        let error = case.refused();
        assert!(
            matches!(error, LedgerError::Damaged { .. }),
            "{length}: {error}"
        );
    }
    fs::write(&case.path, &whole).expect("written");
    let engine = engine(&case.path, case.time.options());
    assert_eq!(totals(&engine, &case.time).all_time.accepted, worth(100));
}

#[test]
fn scrambled_pages_are_never_taken_for_sums() {
    let case = Case::used();
    let whole = fs::read(&case.path).expect("read");
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&case.path, bytes).expect("written");
        let error = case.refused();
        assert!(
            matches!(error, LedgerError::Damaged { .. }),
            "{page}: {error}"
        );
    }
}

#[test]
fn a_value_that_makes_no_sense_is_damage() {
    let case = Case::used();
    let ledger = Connection::open(&case.path).expect("a database");
    ledger
        .execute(
            "UPDATE attempts SET value = 'plenty' WHERE first_nonce = 1",
            [],
        )
        .expect("changed");
    drop(ledger);
    let error = refused(&case.path);
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
}

#[test]
fn a_later_layout_is_not_touched() {
    let case = Case::used();
    let ledger = Connection::open(&case.path).expect("a database");
    ledger
        .pragma_update(None, "user_version", 99)
        .expect("changed");
    drop(ledger);
    let error = case.refused();
    assert!(
        error
            .to_string()
            .contains("has layout 99, this version knows up to 2"),
        "{error}"
    );
}

#[test]
fn the_first_layout_is_brought_up_to_date_with_all_it_holds() {
    let case = Case::new();
    file::make(&case.path, Disk::Simulated, 1).expect("an old ledger");
    let old = Connection::open(&case.path).expect("a database");
    old.execute_batch(
        "INSERT INTO attempts VALUES
            (1099511627777, 1767225600000, zeroblob(20), zeroblob(20), 's', 'j', zeroblob(32), 1, 3, '5', '15', '9', 1),
            (1099511627778, 1767225600000, zeroblob(20), zeroblob(20), 's', 'j', zeroblob(32), 4, 2, '5', '10', '9', 0);
         INSERT INTO sums VALUES (3, zeroblob(20), '', 1, 7, 70, '700+1');
         UPDATE meta SET run = 1, clean = 0, boot = 'one'",
    )
    .expect("rows of the time");
    drop(old);

    let mut engine = engine(&case.path, case.time.options());
    let sums = totals(&engine, &case.time);
    assert_eq!(sums.all_time.accepted.floor(), U256::from(715));
    assert_eq!(sums.all_time.unconfirmed, Amount::wei(U256::from(10)));
    assert_eq!((sums.all_time.payments, sums.all_time.tickets), (9, 75));
    let keyed = Draft {
        key: Some("new".to_owned()),
        ..draft(1, 0)
    };
    let next = one(&mut engine, keyed).expect("issued");
    assert_eq!(next.first_nonce, 601, "known up to 5, and a crash since");
    engine.close().expect("closed");
    let connection = Connection::open(&case.path).expect("a database");
    assert_eq!(schema::version(&connection), Ok(schema::VERSION));
}

#[test]
fn a_migration_that_was_cut_begins_again() {
    let case = Case::new();
    file::make(&case.path, Disk::Simulated, 1).expect("an old ledger");
    // What a crash leaves of a transaction in a log: nothing, or all of it.
    let before = fs::read(&case.path).expect("read");
    drop(engine(&case.path, case.time.options()));
    let after = fs::read(&case.path).expect("read");
    for bytes in [before, after] {
        fs::write(&case.path, bytes).expect("written");
        let _ = fs::remove_file(file::beside(&case.path, "-wal"));
        drop(engine(&case.path, case.time.options()));
    }
}

#[test]
fn a_half_made_ledger_is_made_anew() {
    let case = Case::new();
    fs::write(file::beside(&case.path, ".part"), "half").expect("written");
    fs::write(file::beside(&case.path, ".part-wal"), "half").expect("written");
    let engine = engine(&case.path, case.time.options());
    assert_eq!(totals(&engine, &case.time), Totals::default());
    assert!(!file::beside(&case.path, ".part").exists());
}

#[test]
fn two_at_once_are_refused_in_words() {
    let case = Case::used();
    let first = engine(&case.path, case.time.options());
    let error = refused(&case.path);
    assert_eq!(
        error,
        LedgerError::InUse {
            path: case.path.clone(),
            pid: Some(std::process::id()),
        }
    );
    assert!(
        error
            .to_string()
            .ends_with("each with its own data directory")
    );
    drop(first);
    drop(engine(&case.path, case.time.options()));
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let case = Case::new();
    let error = refused(&case.path.join("ledger"));
    assert!(error.to_string().contains("ledger/ledger"), "{error}");
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let case = Case::used();
    let mode = fs::metadata(&case.path)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
