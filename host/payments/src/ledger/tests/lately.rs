//! What was spent lately, to the minute, across openings.

use super::super::Lately;
use super::*;

const MINUTE_MS: u64 = 60_000;

fn lately(engine: &Engine, time: &Time) -> (Amount, Amount) {
    let now_ms = time.0.load(Ordering::SeqCst);
    let Lately { hour, day } = engine.book.accounts.lock().recent.lately(now_ms);
    (hour, day)
}

#[test]
fn a_payment_counts_for_an_hour_and_for_a_day() {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let mut engine = engine(&folder.path().join("ledger"), time.options());
    assert_eq!(lately(&engine, &time), (Amount::ZERO, Amount::ZERO));
    one(&mut engine, draft(3, 1)).expect("no cap");
    time.pass(30 * MINUTE_MS);
    one(&mut engine, draft(4, 1)).expect("no cap");
    assert_eq!(lately(&engine, &time), (worth(7), worth(7)));
    time.pass(31 * MINUTE_MS);
    assert_eq!(lately(&engine, &time), (worth(4), worth(7)));
    time.pass(23 * HOUR_MS);
    assert_eq!(lately(&engine, &time), (Amount::ZERO, worth(4)));
    time.pass(HOUR_MS);
    assert_eq!(lately(&engine, &time), (Amount::ZERO, Amount::ZERO));
}

#[test]
fn what_never_left_does_not_count_and_what_may_have_does() {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let mut engine = engine(&folder.path().join("ledger"), time.options());
    for (tickets, end) in [
        (1, End::Accepted),
        (2, End::Refused),
        (4, End::Lost),
        (8, End::Unsent),
    ] {
        let issued = one(&mut engine, draft(tickets, 1)).expect("no cap");
        settle(&mut engine, issued.attempt, end);
    }
    assert_eq!(lately(&engine, &time), (worth(7), worth(7)));
}

#[test]
fn it_is_the_same_after_another_opening() {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let path = folder.path().join("ledger");
    let mut first = engine(&path, time.options());
    for (tickets, end) in [(1, End::Accepted), (2, End::Unsent), (4, End::Accepted)] {
        let issued = one(&mut first, draft(tickets, 1)).expect("no cap");
        settle(&mut first, issued.attempt, end);
        time.pass(50 * MINUTE_MS);
    }
    let before = lately(&first, &time);
    assert_eq!(before, (worth(4), worth(5)));
    drop(first);
    assert_eq!(lately(&engine(&path, time.options()), &time), before);
    time.pass(25 * HOUR_MS);
    let none = (Amount::ZERO, Amount::ZERO);
    assert_eq!(lately(&engine(&path, time.options()), &time), none);
}
