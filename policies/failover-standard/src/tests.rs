use pointsman_sdk::testing::{self, Job, Table};

use super::*;

fn failure(blame: Blame, kind: u16) -> Failure {
    Failure {
        blame,
        kind,
        retry_safe: blame != Blame::Input,
        http_status: 0,
        retry_after_ms: 0,
    }
}

/// An attempt on `row` that took 100 ms and failed, or is still running.
fn attempt(row: u32, failure: Option<Failure>) -> Attempt {
    Attempt {
        candidate: u64::from(row) + 1,
        row: Some(row),
        started_ms: 100 * row,
        elapsed_ms: 100,
        running: failure.is_none(),
        failure,
    }
}

fn policy() -> testing::Subject<Standard> {
    testing::failover::<Standard>([])
}

fn stopped(recovery: &Recovery) -> Option<u16> {
    match recovery {
        Recovery::Stop(refusal) => Some(refusal.status),
        _ => None,
    }
}

#[test]
fn each_failure_gets_its_remedy() {
    use Blame::{Network, Orchestrator, Payment};
    let cases = [
        (failure(Network, kind::CONNECT), 10_000, Recovery::Next(1)),
        (
            failure(Orchestrator, kind::HEADER_TIMEOUT),
            10_000,
            Recovery::Next(1),
        ),
        (
            failure(Orchestrator, kind::GARBAGE),
            10_000,
            Recovery::Next(1),
        ),
        (failure(Orchestrator, kind::BUSY), 0, Recovery::Next(1)),
        (failure(Orchestrator, kind::CAPPED), 0, Recovery::Next(1)),
        (
            failure(Orchestrator, kind::TOKEN),
            0,
            Recovery::RetrySame(0),
        ),
        (failure(Orchestrator, kind::SESSION), 0, Recovery::Next(1)),
        (failure(Orchestrator, kind::STORAGE), 0, Recovery::Next(1)),
        (failure(Payment, kind::PAYMENT), 0, Recovery::Next(1)),
        (failure(Orchestrator, 999), 10_000, Recovery::Next(1)),
    ];
    for (failure, rest_ms, recovery) in cases {
        let remedy = policy().on_failure(&[attempt(0, Some(failure))], &Table::of(2));
        assert_eq!(remedy, Remedy { rest_ms, recovery }, "{failure:?}");
    }
}

#[test]
fn what_no_other_can_mend_stops_with_a_status() {
    let unsafe_reset = Failure {
        retry_safe: false,
        ..failure(Blame::Network, kind::RESET)
    };
    let cases = [
        (failure(Blame::Input, kind::BAD_INPUT), 422, 0),
        (failure(Blame::Gateway, kind::INTERNAL), 500, 0),
        (unsafe_reset, 502, 10_000),
    ];
    for (failure, status, rest_ms) in cases {
        let remedy = policy().on_failure(&[attempt(0, Some(failure))], &Table::of(3));
        assert_eq!(
            (stopped(&remedy.recovery), remedy.rest_ms),
            (Some(status), rest_ms),
            "{failure:?}"
        );
    }
}

#[test]
fn a_token_is_refreshed_once() {
    let token = || Some(failure(Blame::Orchestrator, kind::TOKEN));
    let again = [attempt(0, token()), attempt(0, token())];
    assert_eq!(
        policy().on_failure(&again, &Table::of(2)).recovery,
        Recovery::Next(1)
    );
    let another = [attempt(0, token()), attempt(1, token())];
    assert_eq!(
        policy().on_failure(&another, &Table::of(2)).recovery,
        Recovery::RetrySame(0)
    );
}

#[test]
fn the_next_is_the_best_that_was_not_tried() {
    let reset = || Some(failure(Blame::Network, kind::RESET));
    let attempts = [attempt(1, reset()), attempt(0, reset())];
    assert_eq!(
        policy().on_failure(&attempts, &Table::of(4)).recovery,
        Recovery::Next(2)
    );
    let gone = Attempt {
        row: None,
        ..attempt(0, reset())
    };
    assert_eq!(
        policy().on_failure(&[gone], &Table::of(1)).recovery,
        Recovery::Next(0)
    );
}

#[test]
fn a_lone_orchestrator_is_asked_again_while_there_is_time() {
    let on = |kind, deadline_ms| {
        let policy = policy().job(Job::new().deadline_ms(deadline_ms));
        policy
            .on_failure(
                &[attempt(0, Some(failure(Blame::Orchestrator, kind)))],
                &Table::of(1),
            )
            .recovery
    };
    assert_eq!(on(kind::SERVER_ERROR, 2000), Recovery::RetrySame(250));
    assert_eq!(on(kind::BUSY, 2000), Recovery::RetrySame(250));
    assert_eq!(stopped(&on(kind::BUSY, 400)), Some(503), "too late");
    assert_eq!(
        stopped(&on(kind::INCOMPATIBLE, 2000)),
        Some(503),
        "waiting does not mend it"
    );
}

#[test]
fn without_retries_it_stops() {
    let policy = policy().job(Job::new().count("retries-left", 0));
    let remedy = policy.on_failure(
        &[attempt(0, Some(failure(Blame::Network, kind::RESET)))],
        &Table::of(3),
    );
    assert_eq!(
        (stopped(&remedy.recovery), remedy.rest_ms),
        (Some(503), 10_000),
        "it still rests"
    );
}

#[test]
fn an_orchestrator_that_asks_to_be_left_alone_is_within_reason() {
    let rest = |retry_after_ms| {
        let busy = Failure {
            retry_after_ms,
            ..failure(Blame::Orchestrator, kind::BUSY)
        };
        policy()
            .on_failure(&[attempt(0, Some(busy))], &Table::of(2))
            .rest_ms
    };
    assert_eq!((rest(3000), rest(u32::MAX)), (3000, 60_000));
}

#[test]
fn the_attempt_that_failed_last_counts_not_the_one_that_began_last() {
    let slow = Attempt {
        elapsed_ms: 5000,
        ..attempt(0, Some(failure(Blame::Input, kind::BAD_INPUT)))
    };
    let quick = attempt(1, Some(failure(Blame::Network, kind::RESET)));
    assert_eq!(
        stopped(&policy().on_failure(&[slow, quick], &Table::of(3)).recovery),
        Some(422)
    );
    assert_eq!(
        policy()
            .on_failure(&[attempt(0, None)], &Table::of(1))
            .recovery,
        Recovery::Abstain
    );
}

#[test]
fn a_slow_attempt_is_doubled_once_if_that_is_allowed() {
    let running = attempt(0, None);
    assert_eq!(
        policy().on_slow(&[running], &Table::of(2)),
        Patience::Hedge(1)
    );
    let wait = Patience::Wait(10_000);
    assert_eq!(
        policy().on_slow(&[running, attempt(1, None)], &Table::of(3)),
        wait
    );
    assert_eq!(
        policy().on_slow(&[running], &Table::of(1)),
        wait,
        "there is no other"
    );
    let spent = policy().job(Job::new().count("hedges-left", 0));
    assert_eq!(spent.on_slow(&[running], &Table::of(2)), wait);
}

#[test]
fn a_price_may_double_but_not_pass_the_ceiling() {
    let price = |num, den| Price::new(num, den).expect("a denominator above zero");
    let capped = || policy().job(Job::new().number("max-price", 1.5));
    let two = Table::of(2);
    assert_eq!(
        policy().on_price_change(price(1, 3), price(2, 3), &two),
        Bargain::Accept
    );
    assert_eq!(
        policy().on_price_change(price(1, 3), price(200_001, 300_000), &two),
        Bargain::Next(0)
    );
    assert_eq!(
        policy().on_price_change(price(2, 1), price(1, 1), &two),
        Bargain::Accept
    );
    assert_eq!(
        capped().on_price_change(price(1, 1), price(3, 2), &two),
        Bargain::Accept
    );
    assert_eq!(
        capped().on_price_change(price(1, 1), price(8, 5), &two),
        Bargain::Next(0)
    );
    let alone = policy().on_price_change(price(1, 1), price(3, 1), &Table::of(0));
    assert!(matches!(alone, Bargain::Stop(refusal) if refusal.status == 503));
}
