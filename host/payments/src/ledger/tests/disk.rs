//! A disk that is full, and has room again.

use super::*;

/// Fills the file until it takes no more and gives what was issued before that.
fn fill(engine: &mut Engine) -> (Vec<Issued>, LedgerError) {
    engine.limit(1);
    let mut issued = Vec::new();
    for hash in 0..=255 {
        match one(engine, draft(1, hash)) {
            Ok(next) => issued.push(next),
            Err(error) => return (issued, error),
        }
    }
    panic!("a file that has room for everything");
}

#[test]
fn a_full_disk_stops_payments_until_there_is_room() {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let path = folder.path().join("ledger");
    let mut engine = engine(&path, time.options());
    let (issued, error) = fill(&mut engine);
    assert!(matches!(error, LedgerError::Disk(_)), "{error}");
    let spent = worth(u32::try_from(issued.len()).expect("few"));
    assert_eq!(
        totals(&engine, &time).all_time.open,
        spent,
        "the refused one is not spent"
    );

    for _ in 0..3 {
        one(&mut engine, draft(1, 250)).expect_err("still full");
    }
    for one in &issued {
        settle(&mut engine, one.attempt, End::Accepted);
    }
    assert_eq!(totals(&engine, &time).all_time.accepted, spent);

    engine.limit(100_000);
    let next = one(&mut engine, draft(1, 250)).expect("there is room");
    assert!(next.attempt > issued.last().expect("some").attempt);
    assert!(!engine.owes(), "ends that had no room are written");
    engine.close().expect("closed");

    let engine = super::engine(&path, time.options());
    let after = totals(&engine, &time);
    assert_eq!(after.all_time.accepted, spent);
    assert_eq!(after.unconfirmed.len(), 1, "the one that nobody settled");
}

#[test]
fn what_a_full_disk_refused_leaves_no_nonce_and_no_cap_behind_after_a_crash() {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let path = folder.path().join("ledger");
    let mut engine = engine(&path, time.options());
    let (issued, _) = fill(&mut engine);
    for one in &issued {
        settle(&mut engine, one.attempt, End::Lost);
    }
    let ended = totals(&engine, &time).all_time.lost;
    let owes = engine.owes();
    drop(engine);

    let engine = super::engine(&path, time.options());
    let sum = totals(&engine, &time).all_time;
    assert_eq!(sum.spend(), ended);
    assert_eq!(
        sum.unconfirmed.is_zero(),
        !owes,
        "ends that were not written are unconfirmed"
    );
}

#[tokio::test]
async fn the_running_ledger_goes_on_too() {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let mut engine = engine(&folder.path().join("ledger"), time.options());
    let (_, error) = fill(&mut engine);
    assert!(
        error
            .to_string()
            .starts_with("the ledger cannot be written, so nothing is paid")
    );
    engine.limit(100_000);
    let spent = totals(&engine, &time).all_time.spend();
    let (commands, inbox) = std::sync::mpsc::channel();
    let accounts = Arc::clone(&engine.book.accounts);
    super::super::writer::start(engine, inbox).expect("started");
    let ledger = Ledger {
        commands,
        accounts,
        options: time.options(),
    };
    ledger.draft(draft(1, 1)).await.expect("there is room");
    let sum = ledger.totals().all_time;
    assert_eq!(Some(sum.spend()), spent.checked_add(worth(1)));
}

#[test]
fn after_a_failed_sync_nothing_leaves() {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let path = folder.path().join("ledger");
    let mut engine = engine(&path, time.options());
    let before = one(&mut engine, draft(1, 1)).expect("issued");
    engine.broke("input/output error".to_owned());
    let error = one(&mut engine, draft(1, 1)).expect_err("unknown what is on disk");
    assert!(error.to_string().ends_with("input/output error"), "{error}");
    engine.end(before.attempt, End::Accepted);
    engine.close().expect_err("it cannot say that all is well");
    let engine = super::engine(&path, time.options());
    assert_eq!(totals(&engine, &time).all_time.spend(), worth(1));
}
