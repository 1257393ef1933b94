//! The failover hooks: the first opinion wins, and rows are places among what remains.

mod support;

use std::time::Duration;

use pointsman_facts::{Blame, Failure, FailureKind, Price};
use pointsman_policy::{Bargain, Patience, Recovery, Remaining};
use support::{Made, Rows, attempt, host, job};

fn failed(kind: FailureKind) -> Failure {
    Failure::new(Blame::Network, kind, "")
}

#[test]
fn every_hook_gets_its_answer() {
    let made = Made::new("reject")
        .select("abstain", "")
        .rescue("failover-next", "");
    let generation = host(&made.bundle()).active();
    let rows = Rows::slower(5);
    let remaining = Remaining {
        candidates: &rows,
        rows: &[4, 2],
    };
    let failure = failed(FailureKind::Reset);
    let attempts = [attempt(Some(&failure))];
    let remedy = generation.on_failure(&job(1), &attempts, remaining);
    assert_eq!(remedy.value.rest, Duration::from_secs(1));
    assert_eq!(remedy.value.recovery, Recovery::Next(1));
    assert_eq!(remedy.stage.as_deref(), Some("failover-next"));
    let slow = generation.on_slow(&job(1), &[attempt(None)], remaining);
    assert_eq!(slow.value, Patience::Hedge(0));
    let bargain = generation.on_price_change(&job(1), Price::FREE, Price::FREE, remaining);
    assert_eq!(bargain.value, Bargain::Accept);
}

#[test]
fn the_first_opinion_wins() {
    let made = Made::new("reject")
        .select("abstain", "")
        .rescue("failover-kind", "")
        .rescue("failover-next", "");
    let generation = host(&made.bundle()).active();
    let rows = Rows::slower(2);
    let remaining = Remaining {
        candidates: &rows,
        rows: &[0, 1],
    };
    for kind in [FailureKind::Connect, FailureKind::Internal] {
        let (first, last) = (failed(FailureKind::Busy), failed(kind));
        let attempts = [attempt(Some(&first)), attempt(Some(&last))];
        let remedy = generation.on_failure(&job(1), &attempts, remaining);
        let pause = Duration::from_millis(kind as u64);
        assert_eq!(
            remedy.value.recovery,
            Recovery::RetrySame(pause),
            "it reads the last kind"
        );
    }
    let slow = generation.on_slow(&job(1), &[attempt(None)], remaining);
    assert_eq!(slow.value, Patience::Hedge(0), "the first abstains here");
    assert_eq!(slow.stage.as_deref(), Some("failover-next"));
}

#[test]
fn without_an_opinion_the_host_decides() {
    let generation = host(&Made::new("reject").select("abstain", "").bundle()).active();
    let rows = Rows::slower(1);
    let remaining = Remaining {
        candidates: &rows,
        rows: &[0],
    };
    let failure = failed(FailureKind::Reset);
    let remedy = generation.on_failure(&job(1), &[attempt(Some(&failure))], remaining);
    assert_eq!(remedy.value.recovery, Recovery::Abstain);
    assert_eq!((remedy.stage, remedy.fault), (None, None));
}

#[test]
fn rows_that_are_no_candidates_leave_it_to_the_host() {
    let made = Made::new("reject")
        .select("abstain", "")
        .rescue("failover-next", "");
    let generation = host(&made.bundle()).active();
    let rows = Rows::slower(2);
    let remaining = Remaining {
        candidates: &rows,
        rows: &[7, 0],
    };
    let failure = failed(FailureKind::Reset);
    let remedy = generation.on_failure(&job(1), &[attempt(Some(&failure))], remaining);
    assert_eq!(remedy.value.recovery, Recovery::Abstain);
}
