//! Decisions are asked again of fresh instances: who remembers is found out, who does not is left alone.

mod support;

use std::num::NonZeroU32;
use std::sync::Arc;

use pointsman_facts::{Blame, Failure, FailureKind, Price};
use pointsman_policy::{Call, Config, FaultKind, Generation, Hook, Host, Remaining, State};
use support::{Made, Rows, activate, attempt, config, eventually, job};

/// A host that asks every decision again.
fn checking() -> Host {
    let config = Config {
        purity_sample: Some(NonZeroU32::MIN),
        ..config()
    };
    Host::new(config, None).expect("an engine")
}

#[test]
fn a_policy_that_counts_its_calls_is_caught_and_taken_out() {
    let host = checking();
    activate(
        &host,
        &Made::new("reject").select("score-latency", "").bundle(),
    );
    let counting = Made::new("previous")
        .select("exclude-slow", "")
        .select("counts-calls", "");
    activate(&host, &counting.bundle());
    // Instances are asked in turn, so that one of them is soon asked a second time.
    let rows = Rows::slower(3);
    for seed in 0..200 {
        assert_eq!(host.select(job(seed), &rows).decision.fault, None);
    }
    eventually("it is taken out", || host.active().number() == 1);
    let listed = host.generations();
    let counting = &listed[0];
    assert_eq!((counting.number, counting.state), (2, State::Quarantined));
    let fault = counting.last_fault.as_ref().expect("a fault");
    assert_eq!(fault.kind, FaultKind::Impure);
    assert_eq!(&*fault.stage, "counts-calls", "not the stage before it");
    eventually("the fifth is counted", || {
        host.trials().purity.different >= 5
    });
}

#[test]
fn pure_policies_answer_the_same_again() {
    let host = checking();
    let pure = Made::new("reject")
        .select("exclude-slow", "on-empty = \"skip\"")
        .select("score-latency", "");
    activate(&host, &pure.bundle());
    let rows = Rows::slower(5);
    for seed in 0..100 {
        let _ = host.select(job(seed), &rows);
    }
    let done = |host: &Host| host.trials().purity;
    eventually("all are checked", || {
        done(&host).same + done(&host).dropped == 100
    });
    assert_eq!(done(&host).different, 0);
    assert_eq!(host.generations()[0].faults, 0);
}

#[test]
fn one_in_so_many_is_checked() {
    let config = Config {
        purity_sample: NonZeroU32::new(10),
        ..config()
    };
    let host = Host::new(config, None).expect("an engine");
    activate(&host, &Made::new("reject").select("abstain", "").bundle());
    let rows = Rows::slower(2);
    for seed in 0..95 {
        let _ = host.select(job(seed), &rows);
    }
    eventually("nine are checked", || host.trials().purity.same == 9);
}

#[test]
fn a_router_that_counts_its_calls_is_caught_too() {
    let host = checking();
    let counting = Made::new("previous").select("abstain", "");
    let counting = counting
        .route("byoc-tighten", "")
        .route("byoc-counts-calls", "");
    activate(&host, &counting.bundle());
    let call = Call {
        capability: "video".to_owned(),
        path: "/".to_owned(),
        parameters: "{}".to_owned(),
        ..Call::default()
    };
    for seed in 0..50 {
        assert_eq!(host.route(&job(seed), &call).record.fault, None);
    }
    eventually("it is found out", || host.trials().purity.different > 0);
    let fault = host.generations()[0].last_fault.clone().expect("a fault");
    assert_eq!((fault.kind, fault.hook), (FaultKind::Impure, Hook::Byoc));
    assert_eq!(&*fault.stage, "byoc-counts-calls");
}

#[test]
fn failover_that_counts_its_calls_is_caught_at_each_of_its_hooks() {
    type Ask = fn(&Arc<Generation>, u64, Remaining<'_>);
    let failure = |generation: &Arc<Generation>, seed, remaining: Remaining<'_>| {
        let reset = Failure::new(Blame::Network, FailureKind::Reset, "");
        let attempts = [attempt(Some(&reset))];
        let _ = generation.on_failure(&job(seed), &attempts, remaining);
    };
    let slow = |generation: &Arc<Generation>, seed, remaining: Remaining<'_>| {
        let _ = generation.on_slow(&job(seed), &[attempt(None)], remaining);
    };
    let price = |generation: &Arc<Generation>, seed, remaining: Remaining<'_>| {
        let free = Price::FREE;
        let _ = generation.on_price_change(&job(seed), free, free, remaining);
    };
    for ask in [failure as Ask, slow, price] {
        let host = checking();
        let counting = Made::new("reject")
            .select("abstain", "")
            .rescue("failover-counts-calls", "");
        activate(&host, &counting.bundle());
        let generation = host.active();
        let rows = Rows::slower(3);
        let remaining = Remaining {
            candidates: &rows,
            rows: &[2, 0],
        };
        for seed in 0..50 {
            ask(&generation, seed, remaining);
        }
        eventually("it is found out", || host.trials().purity.different > 0);
        let fault = host.generations()[0].last_fault.clone().expect("a fault");
        assert_eq!(
            (fault.kind, fault.hook),
            (FaultKind::Impure, Hook::Failover)
        );
        assert_eq!(&*fault.stage, "failover-counts-calls");
    }
}

#[test]
fn pure_failover_answers_the_same_again() {
    let host = checking();
    let pure = Made::new("reject")
        .select("abstain", "")
        .rescue("failover-kind", "")
        .rescue("failover-next", "");
    activate(&host, &pure.bundle());
    let generation = host.active();
    let rows = Rows::slower(4);
    let remaining = Remaining {
        candidates: &rows,
        rows: &[3, 1],
    };
    for seed in 0..20 {
        let reset = Failure::new(Blame::Network, FailureKind::Reset, "");
        let attempts = [attempt(Some(&reset))];
        let _ = generation.on_failure(&job(seed), &attempts, remaining);
        let _ = generation.on_slow(&job(seed), &[attempt(None)], remaining);
        let _ = generation.on_price_change(&job(seed), Price::FREE, Price::FREE, remaining);
    }
    let done = || host.trials().purity;
    eventually("all are checked", || done().same + done().dropped == 60);
    assert_eq!(done().different, 0);
}

#[test]
fn failover_is_checked_a_hundred_times_as_often() {
    let config = Config {
        purity_sample: NonZeroU32::new(500),
        ..config()
    };
    let host = Host::new(config, None).expect("an engine");
    let made = Made::new("reject").select("abstain", "");
    activate(&host, &made.rescue("failover-next", "").bundle());
    let generation = host.active();
    let rows = Rows::slower(2);
    let remaining = Remaining {
        candidates: &rows,
        rows: &[0],
    };
    for seed in 0..18 {
        let _ = generation.on_slow(&job(seed), &[attempt(None)], remaining);
    }
    eventually("three are checked", || host.trials().purity.same == 3);
}
