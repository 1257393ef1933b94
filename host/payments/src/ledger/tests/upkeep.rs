//! Adding up and removing change no sum.

use super::*;

const DAY_MS: u64 = 24 * HOUR_MS;

/// Some attempts of every end, with and without keys, on three days; one stays open.
fn busy(engine: &mut Engine, time: &Time) {
    for day in 0..3_u8 {
        for hash in 0..20 {
            let key = (hash % 3 > 0).then(|| format!("key {}", hash % 3));
            let recipient = Address::repeat_byte(hash % 2);
            let draft = Draft {
                key,
                recipient,
                ..draft(u32::from(hash) + 1, day * 20 + hash)
            };
            let issued = one(engine, draft).expect("issued");
            let end = match hash % 5 {
                0 => End::Unsent,
                1 => End::Refused,
                2 => End::Lost,
                _ => End::Accepted,
            };
            settle(engine, issued.attempt, end);
        }
        time.pass(DAY_MS);
    }
}

#[test]
fn adding_up_changes_no_sum_and_no_nonce() {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let path = folder.path().join("ledger");
    let mut engine = engine(&path, time.options());
    busy(&mut engine, &time);
    let open = one(&mut engine, draft(7, 200)).expect("issued");
    one(&mut engine, draft(7, 201)).expect("issued");
    let before = totals(&engine, &time);
    while engine.fold().expect("added up") {}
    assert_eq!(totals(&engine, &time), before);
    settle(&mut engine, open.attempt, End::Accepted);
    while engine.fold().expect("added up") {}
    let before = totals(&engine, &time);
    drop(engine);

    let mut engine = super::engine(&path, time.options());
    let after = totals(&engine, &time);
    assert_eq!(
        after
            .recipients
            .values()
            .map(Sum::spend)
            .collect::<Vec<_>>(),
        before
            .recipients
            .values()
            .map(Sum::spend)
            .collect::<Vec<_>>()
    );
    assert_eq!(after.keys, before.keys);
    assert_eq!(after.all_time.accepted, before.all_time.accepted);
    assert_eq!(
        after.all_time.unconfirmed,
        worth(7),
        "the one that was open"
    );
    let next = one(&mut engine, draft(1, 200)).expect("issued");
    assert!(next.first_nonce > 7);
}

#[test]
fn removing_keeps_every_sum() {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let path = folder.path().join("ledger");
    let options = || Options {
        keep: Duration::from_secs(4 * 24 * 3600),
        ..time.options()
    };
    let mut engine = engine(&path, options());
    busy(&mut engine, &time);
    while engine.fold().expect("added up") {}
    let before = totals(&engine, &time);
    let rows = |engine: &Engine| engine.count("attempts");
    assert_eq!(rows(&engine), 60);

    engine.prune().expect("removed");
    assert_eq!(rows(&engine), 60, "nothing is old yet");
    time.pass(2 * DAY_MS);
    engine.prune().expect("removed");
    assert_eq!(rows(&engine), 40, "the first day is");
    time.pass(10 * DAY_MS);
    engine.prune().expect("removed");
    assert_eq!((rows(&engine), engine.count("sums WHERE day > 0")), (0, 0));
    let after = totals(&engine, &time);
    assert_eq!(after.all_time, before.all_time);
    assert_eq!(
        (&after.recipients, &after.keys),
        (&before.recipients, &before.keys)
    );
    engine.close().expect("closed");

    let engine = super::engine(&path, options());
    let mut after = totals(&engine, &time);
    after.today = before.today;
    after.keys_today = before.keys_today.clone();
    assert_eq!(after, before);
}

#[test]
fn what_is_not_added_up_is_not_removed() {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let mut engine = engine(&folder.path().join("ledger"), time.options());
    one(&mut engine, draft(7, 1)).expect("issued");
    busy(&mut engine, &time);
    while engine.fold().expect("added up") {}
    time.pass(200 * DAY_MS);
    engine.prune().expect("removed");
    assert_eq!(engine.count("attempts"), 61, "the oldest is open");
}

#[test]
fn a_long_log_is_emptied_between_payments() {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let path = folder.path().join("ledger");
    let mut engine = engine(&path, time.options());
    let log = super::super::file::beside(&path, "-wal");
    let length = || std::fs::metadata(&log).expect("a log").len();
    while length() < 4 << 20 {
        engine.batch((0..=255).map(|hash| draft(1, hash)).collect());
    }
    engine.keep(false).expect("kept");
    assert!(length() >= 4 << 20, "somebody waits");
    engine.keep(true).expect("kept");
    assert_eq!(length(), 0);
}
