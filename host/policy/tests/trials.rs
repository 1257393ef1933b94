//! Shadow and canary: who is in, what is compared, when a canary is rolled back, and what ends a trial.

mod support;

use std::time::Duration;

use pointsman_facts::{Blame, Failure, FailureKind, Job, Symbol};
use pointsman_policy::wit::{Refusal, Verdict};
use pointsman_policy::{
    AttemptRecord, EndReason, FaultKind, Host, Loaded, Selection, Share, State, TrialError,
    TrialKind,
};
use support::scripted::{Scripted, numbers, order};
use support::{Made, Rows, activate, eventually, host, job};

/// Policies that choose the fastest, the slowest, nobody; and one that panics.
fn script() -> Scripted {
    let by_latency = |reversed: bool| {
        move |_: &pointsman_policy::wit::Job<'_>, table: &pointsman_policy::wit::Table<'_>| {
            let latency = numbers(table, 0);
            let mut rows: Vec<u32> = (0..table.rows).collect();
            rows.sort_by(|a, b| latency[*a as usize].total_cmp(&latency[*b as usize]));
            if reversed {
                rows.reverse();
            }
            order(rows)
        }
    };
    let latency = &["latency-ms/p50"];
    Scripted::default()
        .stage("fastest", latency, &[], by_latency(false))
        .stage("slowest", latency, &[], by_latency(true))
        .stage("closed", &[], &[("closed", None)], |_, _| {
            Verdict::Reject(Refusal {
                status: 503,
                reason: 0,
                message: "closed".into(),
            })
        })
        .stage("panics", &[], &[], |_, _| panic!("as it must"))
}

fn load(host: &Host, policy: &str, on_failure: &str) -> Loaded {
    let bundle = Made::new(on_failure).native(policy, "").bundle();
    host.load_native(&bundle).expect("natively")
}

/// A host on which "fastest" is active, as generation 1.
fn fastest() -> Host {
    script().host(Made::new("reject").native("fastest", ""))
}

/// A job of the stream `affinity`.
fn of(affinity: u64) -> Job {
    Job {
        affinity,
        ..job(affinity)
    }
}

/// Ends the job of `selection`.
fn end(selection: Selection, outcome: Result<(), Failure>) {
    selection.decision.record_attempt(AttemptRecord {
        candidate: Symbol(1000),
        started_ms: 0,
        elapsed: Duration::from_millis(5),
        hedge: false,
        outcome,
    });
    drop(selection);
}

fn failed(blame: Blame) -> Result<(), Failure> {
    Err(Failure::new(blame, FailureKind::Reset, "reset"))
}

fn all() -> Share {
    Share::ALL
}

fn half() -> Share {
    Share::new(0.5).expect("a share")
}

#[test]
fn a_shadow_is_compared_and_never_heard() {
    let host = fastest();
    let slowest = load(&host, "slowest", "reject");
    assert_eq!(host.shadow(slowest, all(), "test"), Ok(2));
    let rows = Rows::slower(4);
    for affinity in 0..20 {
        let selection = host.select(of(affinity), &rows);
        assert_eq!(selection.order(), [0, 1, 2, 3]);
        assert_eq!(selection.generation.number(), 1);
    }
    let report = || host.trials().shadow.expect("a shadow");
    eventually("all are compared", || report().compared == 20);
    let report = report();
    assert_eq!((report.agreed, report.agreement), (0, Some(0.0)));
    assert_eq!(report.rank_correlation, Some(-1.0));
    assert_eq!(report.latency_change_ms, Some(30.0), "40 ms for 10");
    assert_eq!(report.price_change, None, "nobody quotes one");
    assert_eq!((report.faults, report.dropped), (0, 0));
    let json = serde_json::to_value(host.trials()).expect("JSON");
    assert_eq!(json["shadow"]["compared"], 20);
    assert_eq!(host.generations()[0].state, State::Shadow);
}

#[test]
fn a_shadow_that_agrees_refuses_or_faults_is_told_apart() {
    let rows = Rows::slower(3);
    let host = fastest();
    let shadow = |policy: &str| {
        let loaded = load(&host, policy, "reject");
        host.shadow(loaded, all(), "test").expect("one is active");
        let _ = host.select(of(1), &rows);
        let done = || host.trials().shadow.expect("a shadow");
        eventually("it was asked", || done().compared + done().faults == 1);
        done()
    };
    let same = shadow("fastest");
    assert_eq!((same.agreed, same.rank_correlation), (1, Some(1.0)));
    let closed = shadow("closed");
    assert_eq!((closed.agreed, closed.refused_alone), (0, 1));
    let faulty = shadow("panics");
    assert_eq!(
        faulty.last_fault.map(|fault| fault.kind),
        Some(FaultKind::Trap)
    );
    assert_eq!(host.active().info().faults, 0, "its faults are its own");
    assert_eq!(host.active().number(), 1);
    let ended = host.trials().ended;
    assert_eq!(ended.len(), 2);
    assert!(
        ended
            .iter()
            .all(|ended| ended.reason == EndReason::Replaced)
    );
}

#[test]
fn a_canary_decides_for_its_share_of_the_streams() {
    let host = fastest();
    let slowest = load(&host, "slowest", "reject");
    assert_eq!(host.canary(slowest, half(), "test"), Ok(2));
    let rows = Rows::slower(4);
    let mut canaries = 0;
    for affinity in 0..400 {
        let first = host.select(of(affinity), &rows);
        let on_canary = first.decision.canary;
        assert_eq!(first.decision.generation, if on_canary { 2 } else { 1 });
        assert_eq!(first.generation.number(), first.decision.generation);
        assert_eq!(first.order()[0], if on_canary { 3 } else { 0 });
        let next = Job {
            seed: 99,
            ..of(affinity)
        };
        let next = host.select(next.clone(), &rows);
        assert_eq!(next.decision.canary, on_canary, "never by segment");
        canaries += u32::from(on_canary);
    }
    assert!((150..250).contains(&canaries), "{canaries} of 400");
    let json = serde_json::to_value(&*host.decisions().latest(1)[0]).expect("JSON");
    assert!(json["canary"].is_boolean());
}

/// Ends `jobs` on each side of a half-share canary, of which so many in ten fail there and here.
fn run(host: &Host, jobs: u32, canary_fails: u32, active_fails: u32) {
    let rows = Rows::slower(4);
    let (mut canary, mut active) = (0, 0);
    for affinity in 0.. {
        if canary >= jobs && active >= jobs || host.trials().canary.is_none() {
            return;
        }
        let selection = host.select(of(affinity), &rows);
        let (count, fails) = if selection.decision.canary {
            (&mut canary, canary_fails)
        } else {
            (&mut active, active_fails)
        };
        let outcome = if *count % 10 < fails {
            failed(Blame::Orchestrator)
        } else {
            Ok(())
        };
        *count += 1;
        end(selection, outcome);
    }
}

#[test]
fn a_canary_that_is_worse_is_rolled_back_by_itself() {
    let host = fastest();
    let slowest = load(&host, "slowest", "reject");
    host.canary(slowest, half(), "test").expect("one is active");
    run(&host, 200, 3, 1);
    let trials = host.trials();
    assert!(trials.canary.is_none());
    let ended = &trials.ended[0];
    assert_eq!(
        (ended.generation, ended.kind, ended.reason),
        (2, TrialKind::Canary, EndReason::Worse)
    );
    let report = ended.canary.as_ref().expect("a canary's");
    let outcomes = report.canary.ok + report.canary.failed;
    assert!(outcomes >= 30, "{outcomes} outcomes");
    assert!(ended.detail.contains('%'), "{}", ended.detail);
    assert_eq!(host.generations()[0].state, State::Quarantined);
    let rows = Rows::slower(4);
    assert!((0..50).all(|affinity| host.select(of(affinity), &rows).order()[0] == 0));
}

#[test]
fn a_canary_that_is_no_worse_stays() {
    let host = fastest();
    let slowest = load(&host, "slowest", "reject");
    host.canary(slowest, half(), "test").expect("one is active");
    run(&host, 200, 3, 3);
    let canary = host.trials().canary.expect("it runs on");
    assert!(canary.canary.ok >= 130 && canary.canary.failed >= 50);
    assert!((canary.canary.failure_rate - canary.active.failure_rate).abs() <= 0.05);
}

#[test]
fn what_says_nothing_of_the_choice_is_no_outcome() {
    let host = fastest();
    let loaded = load(&host, "fastest", "reject");
    host.canary(loaded, all(), "test").expect("one is active");
    let rows = Rows::slower(2);
    for affinity in 0..40 {
        drop(host.select(of(affinity), &rows)); // Cancelled.
        end(host.select(of(affinity), &rows), failed(Blame::Input));
        end(host.select(of(affinity), &rows), failed(Blame::Gateway));
        let nobody = host.select(of(affinity), &Rows::default());
        assert!(nobody.refusal().is_some());
    }
    let canary = host.trials().canary.expect("it runs on").canary;
    assert_eq!((canary.ok, canary.failed), (0, 0));
    end(host.select(of(1), &rows), Ok(()));
    let canary = host.trials().canary.expect("it runs on").canary;
    assert_eq!((canary.ok, canary.failed), (1, 0), "and this is");
}

#[test]
fn a_job_that_is_ranked_twice_counts_once_by_what_it_came_to() {
    let host = fastest();
    let loaded = load(&host, "fastest", "reject");
    host.canary(loaded, all(), "test").expect("one is active");
    let rows = Rows::slower(3);
    let record = |selection: &Selection, outcome| {
        selection.decision.record_attempt(AttemptRecord {
            candidate: Symbol(1000),
            started_ms: 0,
            elapsed: Duration::from_millis(5),
            hedge: false,
            outcome,
        });
    };
    let mut told = (0, 0);
    for second in [Ok(()), failed(Blame::Orchestrator), failed(Blame::Input)] {
        let mut selection = host.select(of(7), &rows);
        record(&selection, failed(Blame::Orchestrator));
        let again = host.select_again(of(7), &rows, &selection);
        assert_ne!(again.decision.id, selection.decision.id);
        drop(std::mem::replace(&mut selection, again));
        let canary = host.trials().canary.expect("it runs on").canary;
        assert_eq!((canary.ok, canary.failed), told, "it has not ended");
        match second {
            Ok(()) => told.0 += 1,
            Err(_) => told.1 += 1,
        }
        record(&selection, second);
        drop(selection);
        let canary = host.trials().canary.expect("it runs on").canary;
        assert_eq!((canary.ok, canary.failed), told);
    }
    let first = host.select(of(7), &rows);
    record(&first, failed(Blame::Orchestrator));
    drop(host.select_again(of(7), &Rows::default(), &first));
    drop(first);
    told.1 += 1;
    let canary = host.trials().canary.expect("it runs on").canary;
    assert_eq!((canary.ok, canary.failed), told, "nobody was left");
}

#[test]
fn a_faulty_canary_falls_back_to_the_active_one_and_is_rolled_back() {
    let host = fastest();
    let loaded = load(&host, "panics", "previous");
    host.canary(loaded, all(), "test").expect("one is active");
    let rows = Rows::slower(3);
    for affinity in 0..5 {
        let selection = host.select(of(affinity), &rows);
        assert_eq!(selection.order(), [0, 1, 2], "the active one's answer");
        assert_eq!(selection.decision.canary, affinity < 3);
    }
    assert_eq!(host.trials().ended[0].reason, EndReason::Faulty);
    assert_eq!(host.active().number(), 1);
    assert_eq!(host.active().info().faults, 0);
}

#[test]
fn a_promoted_canary_is_active_and_can_be_rolled_back() {
    let host = fastest();
    assert_eq!(host.promote(), Err(TrialError::NoCanary));
    let shadow = load(&host, "fastest", "reject");
    host.shadow(shadow, all(), "test").expect("one is active");
    let canary = load(&host, "slowest", "reject");
    assert_eq!(host.canary(canary, half(), "test"), Ok(3));
    assert_eq!(host.promote(), Ok(3));
    assert_eq!(host.active().number(), 3);
    let trials = host.trials();
    assert!(trials.shadow.is_none() && trials.canary.is_none());
    let ended: Vec<_> = trials.ended.iter().map(|end| end.reason).collect();
    assert_eq!(ended, [EndReason::Superseded, EndReason::Promoted]);
    assert_eq!(host.select(of(1), &Rows::slower(2)).order(), [1, 0]);
    assert_eq!(host.rollback(), Ok(1));
    assert_eq!(host.select(of(1), &Rows::slower(2)).order(), [0, 1]);
}

#[test]
fn whatever_changes_the_active_one_ends_both() {
    let host = fastest();
    let begin = || {
        let load = |policy| load(&host, policy, "reject");
        host.shadow(load("slowest"), all(), "test").expect("active");
        host.canary(load("slowest"), all(), "test").expect("active");
    };
    let ended = || {
        let trials = host.trials();
        assert!(trials.shadow.is_none() && trials.canary.is_none());
        trials.ended[0].reason
    };
    begin();
    let in_flight = host.select(of(1), &Rows::slower(2));
    assert!(in_flight.decision.canary);
    host.activate(load(&host, "fastest", "reject"), "test");
    assert_eq!(ended(), EndReason::Superseded);
    end(in_flight, Ok(()));
    assert!(!host.select(of(1), &Rows::slower(2)).decision.canary);
    begin();
    host.rollback().expect("one before");
    assert_eq!(ended(), EndReason::Superseded);
    begin();
    assert_eq!(host.stop(), 2);
    assert_eq!(ended(), EndReason::Stopped);
    assert_eq!(host.stop(), 0);
    let states = host.generations();
    let active = states.iter().filter(|info| info.state == State::Active);
    assert_eq!(active.count(), 1);
}

#[test]
fn nothing_can_be_tried_against_nothing() {
    let host = script().twins();
    let refused = host.shadow(load(&host, "fastest", "reject"), all(), "test");
    assert_eq!(refused, Err(TrialError::NothingActive));
    let refused = host.canary(load(&host, "fastest", "reject"), all(), "test");
    assert_eq!(refused, Err(TrialError::NothingActive));
    assert!(host.generations().is_empty());
}

#[test]
fn components_are_tried_too() {
    let host = host(&Made::new("reject").select("score-latency", "").bundle());
    let load = |guest| {
        let bundle = Made::new("previous").select(guest, "").bundle();
        host.load(&bundle).expect("a good bundle")
    };
    host.shadow(load("score-latency"), all(), "test")
        .expect("active");
    host.canary(load("trap"), half(), "test").expect("active");
    let rows = Rows::slower(5);
    for affinity in 0..60 {
        let selection = host.select(of(affinity), &rows);
        assert_eq!(selection.order(), [4, 3, 2, 1, 0], "whoever answers");
    }
    assert_eq!(host.trials().ended[0].reason, EndReason::Faulty);
    let report = || host.trials().shadow.expect("a shadow");
    eventually("the rest is compared", || {
        report().compared + report().dropped > 50
    });
    assert_eq!(report().agreement, Some(1.0));
    activate(&host, &Made::new("reject").select("abstain", "").bundle());
}
