//! The running ledger: threads, handles, callers that go away.

use std::collections::HashSet;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[tokio::test]
async fn closing_and_opening_again_changes_nothing() {
    let (folder, time) = (folder(), Time::new());
    let path = folder.path().join("ledger");
    let first = ledger(&path, time.options());
    for (tickets, end) in [
        (1, End::Accepted),
        (2, End::Refused),
        (3, End::Lost),
        (4, End::Unsent),
    ] {
        let keyed = Draft {
            key: Some(format!("key {tickets}")),
            ..draft(tickets, 1)
        };
        let issued = first.draft(keyed).await.expect("issued");
        first.settle(issued.attempt, end);
    }
    first.flush().await.expect("flushed");
    let before = first.totals();
    assert_eq!(before.all_time.spend(), worth(6));
    assert_eq!(before.all_time.payments, 3);
    assert_eq!(before.keys.len(), 3, "the fourth paid nothing");
    first.close().await.expect("closed");

    let second = ledger(&path, time.options());
    let after = second.totals();
    assert_eq!(after, before);
    let next = second.draft(draft(1, 1)).await.expect("issued");
    assert_eq!(next.first_nonce, 11, "right after the last");
    let unknown = second.draft(draft(1, 2)).await.expect("issued");
    assert_eq!(unknown.first_nonce, 1, "a new hash begins at 1");
}

#[tokio::test]
async fn what_is_open_when_it_is_closed_is_unconfirmed_afterwards() {
    let (folder, time) = (folder(), Time::new());
    let path = folder.path().join("ledger");
    let first = ledger(&path, time.options());
    let open = first.draft(draft(5, 1)).await.expect("issued");
    assert_eq!(first.totals().all_time.open, worth(5));
    first.close().await.expect("closed");
    let totals = ledger(&path, time.options()).totals();
    assert_eq!(totals.all_time.unconfirmed, worth(5));
    assert_eq!(totals.unconfirmed.len(), 1);
    assert_eq!(totals.unconfirmed[0].attempt, open.attempt);
    assert_eq!(totals.unconfirmed[0].session, "session");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everyone_gets_nonces_of_their_own() {
    let (folder, time) = (folder(), Time::new());
    let ledger = ledger(&folder.path().join("ledger"), time.options());
    let tasks = (0..40_u8).map(|task| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            let mut nonces = Vec::new();
            for _ in 0..10 {
                let issued = ledger.draft(draft(3, task % 4)).await;
                // Ten times ten tasks of three fit a hash; none is refused.
                let issued = issued.expect("issued");
                let all = issued.first_nonce..issued.first_nonce + issued.count;
                nonces.extend(all.map(|nonce| (task % 4, nonce)));
                ledger.settle(issued.attempt, End::Accepted);
            }
            nonces
        })
    });
    let mut seen = HashSet::new();
    for nonces in futures::future::join_all(tasks).await {
        for nonce in nonces.expect("a task") {
            assert!(seen.insert(nonce), "{nonce:?} twice");
        }
    }
    assert_eq!(seen.len(), 1200);
    ledger.flush().await.expect("flushed");
    assert_eq!(ledger.totals().all_time.accepted, worth(1200));
}

#[tokio::test]
async fn the_six_hundred_and_first_ticket_needs_fresh_parameters() {
    let (folder, time) = (folder(), Time::new());
    let ledger = ledger(&folder.path().join("ledger"), time.options());
    ledger.draft(draft(599, 1)).await.expect("issued");
    let error = ledger.draft(draft(2, 1)).await.expect_err("too many");
    assert!(
        error.to_string().starts_with("599 of 600 nonces are used"),
        "{error}"
    );
    let last = ledger.draft(draft(1, 1)).await.expect("issued");
    assert_eq!(last.first_nonce, 600);
}

#[tokio::test]
async fn a_caller_that_is_gone_has_paid_nothing() {
    let (folder, time) = (folder(), Time::new());
    let ledger = ledger(&folder.path().join("ledger"), time.options());
    for _ in 0..50 {
        // Polled once: the draft is on its way to the writer, the answer is taken by nobody.
        let mut drafting = Box::pin(ledger.draft(draft(1, 1)));
        let first = futures::poll!(drafting.as_mut());
        if let std::task::Poll::Ready(issued) = first {
            ledger.settle(issued.expect("issued").attempt, End::Unsent);
        }
    }
    // Those come back through the queue, and so does this: twice, since they are sent back from the first.
    ledger.flush().await.expect("flushed");
    ledger.flush().await.expect("flushed");
    let sum = ledger.totals().all_time;
    assert_eq!((sum.open, sum.spend()), (Amount::ZERO, Amount::ZERO));
}

#[tokio::test]
async fn a_payment_that_is_none_is_not_entered() {
    let (folder, time) = (folder(), Time::new());
    let ledger = ledger(&folder.path().join("ledger"), time.options());
    let long = "x".repeat(513);
    let most = Ratio::from_integer(BigInt::from(2).pow(256));
    let wrong = [
        draft(0, 1),
        draft(601, 1),
        draft(u32::MAX, 1),
        Draft {
            session: long.clone(),
            ..draft(1, 1)
        },
        Draft {
            job: long.clone(),
            ..draft(1, 1)
        },
        Draft {
            key: Some(long),
            ..draft(1, 1)
        },
        Draft {
            expected_value: -Ratio::from_integer(BigInt::from(1)),
            ..draft(1, 1)
        },
        Draft {
            expected_value: most.clone(),
            ..draft(1, 1)
        },
        Draft {
            expected_value: most / BigInt::from(2),
            ..draft(2, 1)
        },
    ];
    for draft in wrong {
        let error = ledger.draft(draft).await.expect_err("not a payment");
        assert!(matches!(error, LedgerError::Invalid(_)), "{error}");
    }
    assert_eq!(ledger.totals(), Totals::default());
}

#[tokio::test]
async fn a_closed_ledger_says_so() {
    let (folder, time) = (folder(), Time::new());
    let ledger = ledger(&folder.path().join("ledger"), time.options());
    let handle = ledger.clone();
    ledger.close().await.expect("closed");
    assert_eq!(handle.draft(draft(1, 1)).await, Err(LedgerError::Closed));
    assert_eq!(handle.flush().await, Err(LedgerError::Closed));
    assert_eq!(handle.close().await, Err(LedgerError::Closed));
}

#[tokio::test]
async fn settling_twice_counts_once() {
    let (folder, time) = (folder(), Time::new());
    let ledger = ledger(&folder.path().join("ledger"), time.options());
    let issued = ledger.draft(draft(1, 1)).await.expect("issued");
    ledger.settle(issued.attempt, End::Accepted);
    ledger.settle(issued.attempt, End::Unsent);
    ledger.flush().await.expect("flushed");
    assert_eq!(ledger.totals().all_time.accepted, worth(1));
}

#[test]
fn an_attempt_that_nobody_settles_is_lost_after_an_hour() {
    let (folder, time) = (folder(), Time::new());
    let mut engine = engine(&folder.path().join("ledger"), time.options());
    one(&mut engine, draft(1, 1)).expect("issued");
    time.pass(HOUR_MS - 1);
    engine.tidy();
    assert_eq!(totals(&engine, &time).all_time.open, worth(1));
    time.pass(1);
    engine.tidy();
    assert_eq!(totals(&engine, &time).all_time.lost, worth(1));
}

#[test]
fn only_a_sessions_first_payment_waits_for_the_disk() {
    let (folder, time) = (folder(), Time::new());
    let mut engine = engine(&folder.path().join("ledger"), time.options());
    let covered = |engine: &mut Engine, draft| {
        let placed = engine.batch(vec![draft]).remove(0);
        placed.expect("issued").covered
    };
    assert!(!covered(&mut engine, draft(1, 1)));
    assert!(
        !covered(&mut engine, draft(1, 2)),
        "the cover is not synced"
    );
    engine.synced(engine.written());
    assert!(covered(&mut engine, draft(2, 3)));
    assert!(!covered(&mut engine, draft(1, 4)), "more than the cover");
    engine.synced(engine.written());
    assert!(covered(&mut engine, draft(6, 5)), "twice what it was");
    let other = Draft {
        session: "other".to_owned(),
        ..draft(1, 6)
    };
    assert!(!covered(&mut engine, other));
    engine.synced(engine.written());
    time.pass(60_000);
    engine.tidy();
    assert!(
        !covered(&mut engine, draft(1, 7)),
        "given back after a minute"
    );
}

#[test]
fn without_covers_every_payment_waits() {
    let (folder, time) = (folder(), Time::new());
    let options = Options {
        cover: U256::ZERO,
        ..time.options()
    };
    let mut engine = engine(&folder.path().join("ledger"), options);
    for _ in 0..3 {
        let placed = engine.batch(vec![draft(1, 1)]).remove(0);
        assert!(!placed.expect("issued").covered);
        engine.synced(engine.written());
    }
}
