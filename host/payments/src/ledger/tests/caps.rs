//! Each cap says its own name and numbers, and refuses what would pass it, nothing else.

use super::super::Cap;
use super::*;

const LIMIT: U256 = U256::from_limbs([100, 0, 0, 0]);

/// The cap of an error, with what was spent and wanted.
fn reached(result: Result<Issued, LedgerError>) -> (Cap, Amount, Amount) {
    match result {
        Err(LedgerError::Cap { cap, numbers }) if numbers.limit == LIMIT => {
            (cap, numbers.spent, numbers.wanted)
        }
        other => panic!("not a cap: {other:?}"),
    }
}

fn open(change: impl FnOnce(&mut Caps)) -> (tempfile::TempDir, Time, Engine) {
    let (folder, time) = (tempfile::tempdir().expect("a folder"), Time::new());
    let options = Options {
        caps: caps(change),
        ..time.options()
    };
    let engine = engine(&folder.path().join("ledger"), options);
    (folder, time, engine)
}

#[test]
fn a_ticket_is_worth_no_more_than_its_cap() {
    let (_folder, _, mut engine) = open(|caps| caps.ticket = Some(LIMIT));
    let dear = Draft {
        expected_value: Ratio::new(BigInt::from(301), BigInt::from(3)),
        ..draft(1, 1)
    };
    let (cap, spent, wanted) = reached(one(&mut engine, dear.clone()));
    assert_eq!((cap, spent), (Cap::Ticket, Amount::ZERO));
    assert_eq!(wanted.to_ratio(), dear.expected_value);
    one(&mut engine, draft(600, 1)).expect("any number of small ones");
}

#[test]
fn a_payment_is_worth_no_more_than_its_cap() {
    let (_folder, _, mut engine) = open(|caps| caps.payment = Some(LIMIT));
    let over = reached(one(&mut engine, draft(10, 1)));
    assert_eq!(over, (Cap::Payment, Amount::ZERO, worth(10)));
    for _ in 0..3 {
        one(&mut engine, draft(9, 1)).expect("each of them is under it");
    }
}

#[test]
fn a_job_stops_at_its_cap_and_others_go_on() {
    let (_folder, _, mut engine) = open(|caps| caps.job = Some(LIMIT));
    one(&mut engine, draft(6, 1)).expect("62 of 100");
    assert_eq!(
        reached(one(&mut engine, draft(4, 1))),
        (Cap::Job, worth(6), worth(4))
    );
    one(&mut engine, draft(3, 1)).expect("93 of 100");
    let other = Draft {
        job: "other".to_owned(),
        ..draft(6, 1)
    };
    one(&mut engine, other).expect("its own hundred");
}

#[test]
fn a_jobs_spend_is_known_after_a_restart_and_a_rest() {
    let (folder, time, mut engine) = open(|caps| caps.job = Some(LIMIT));
    one(&mut engine, draft(9, 1)).expect("93 of 100");
    time.pass(HOUR_MS / 2);
    engine.tidy();
    reached(one(&mut engine, draft(1, 1)));
    engine.close().expect("closed");
    let options = Options {
        caps: caps(|caps| caps.job = Some(LIMIT)),
        ..time.options()
    };
    let mut engine = super::engine(&folder.path().join("ledger"), options);
    let (cap, spent, _) = reached(one(&mut engine, draft(1, 1)));
    assert_eq!((cap, spent), (Cap::Job, worth(9)));
}

#[test]
fn a_key_has_its_own_day() {
    let (_folder, time, mut engine) = open(|caps| caps.key_day = Some(LIMIT));
    let keyed = |key: &str, tickets| Draft {
        key: Some(key.to_owned()),
        ..draft(tickets, 1)
    };
    one(&mut engine, keyed("a", 9)).expect("93 of 100");
    let over = reached(one(&mut engine, keyed("a", 1)));
    assert_eq!(over, (Cap::KeyDay, worth(9), worth(1)));
    one(&mut engine, keyed("b", 9)).expect("another key");
    one(&mut engine, draft(60, 1)).expect("no key at all");
    time.pass(24 * HOUR_MS - 1);
    reached(one(&mut engine, keyed("a", 1)));
    time.pass(1);
    one(&mut engine, keyed("a", 9)).expect("midnight, UTC");
}

#[test]
fn the_day_stops_everyone_and_the_next_begins_anew() {
    let (_folder, time, mut engine) = open(|caps| caps.day = Some(LIMIT));
    time.pass(23 * HOUR_MS);
    let first = one(&mut engine, draft(9, 1)).expect("93 of 100");
    let other = Draft {
        key: Some("other".to_owned()),
        job: "other".to_owned(),
        ..draft(1, 2)
    };
    let over = reached(one(&mut engine, other));
    assert_eq!(over, (Cap::Day, worth(9), worth(1)));
    time.pass(HOUR_MS);
    one(&mut engine, draft(9, 1)).expect("the next day");
    settle(&mut engine, first.attempt, End::Unsent);
    let over = reached(one(&mut engine, draft(1, 1)));
    assert_eq!(over.1, worth(9), "yesterday's returns are not today's");
}

#[test]
fn what_never_left_is_given_back_and_a_refusal_is_not() {
    let (_folder, _, mut engine) = open(|caps| {
        caps.day = Some(LIMIT);
        caps.job = Some(LIMIT);
    });
    let first = one(&mut engine, draft(9, 1)).expect("93 of 100");
    settle(&mut engine, first.attempt, End::Unsent);
    let second = one(&mut engine, draft(9, 1)).expect("the same again");
    assert_eq!(second.first_nonce, 10, "the nonces are gone all the same");
    settle(&mut engine, second.attempt, End::Refused);
    reached(one(&mut engine, draft(1, 1)));
}

#[test]
fn a_cap_set_later_holds_from_then_on() {
    let (_folder, _, mut engine) = open(|_| {});
    one(&mut engine, draft(9, 1)).expect("no caps");
    engine.book.caps = caps(|caps| caps.job = Some(LIMIT));
    let (cap, spent, _) = reached(one(&mut engine, draft(1, 1)));
    assert_eq!((cap, spent), (Cap::Job, worth(9)));
}

#[test]
fn a_refused_draft_leaves_no_trace() {
    let (_folder, time, mut engine) = open(|caps| caps.day = Some(LIMIT));
    let before = totals(&engine, &time);
    let commits = engine.written();
    reached(one(&mut engine, draft(10, 1)));
    assert_eq!(totals(&engine, &time), before);
    assert_eq!(engine.written(), commits);
    let issued = one(&mut engine, draft(9, 1)).expect("under it");
    assert_eq!(issued.first_nonce, 1);
}

#[test]
fn an_operator_reads_the_numbers() {
    let (_folder, _, mut engine) = open(|caps| caps.day = Some(LIMIT));
    one(&mut engine, draft(9, 1)).expect("93 of 100");
    let error = one(&mut engine, draft(1, 1)).expect_err("over it");
    assert_eq!(
        error.to_string(),
        "the cap per day (UTC) is 100 wei: 93 are spent, 10.333 more were wanted"
    );
}
