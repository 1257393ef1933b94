//! Every way a policy can go wrong: the class of the fault, the fallback taken, and that the next decision is good.

mod support;

use std::num::NonZeroU32;

use pointsman_facts::{Blame, Failure, FailureKind, Symbol};
use pointsman_policy::bundle::Bundle;
use pointsman_policy::component::ComponentError;
use pointsman_policy::{
    AttemptView, Bargain, Config, Fallback, FaultKind, Host, Limits, LoadError, Patience, Recovery,
    Remaining, State,
};
use support::{Made, Rows, activate, component, config, core_module, host, job};

/// Generation 1 answers by latency, generation 2 is `faulty`: what became of three jobs.
#[track_caller]
fn falls_back(faulty: &str, kind: FaultKind) {
    let host = host(&Made::new("reject").select("score-latency", "").bundle());
    activate(&host, &Made::new("previous").select(faulty, "").bundle());
    let rows = Rows::slower(5);
    for seed in [1, 3, 5] {
        let selection = host.select(job(seed), &rows);
        let decision = &selection.decision;
        let fault = decision.fault.as_ref().expect("a fault");
        assert_eq!(fault.kind, kind, "{fault}");
        assert_eq!(&*fault.stage, faulty);
        assert_eq!(decision.generation, 2);
        assert_eq!(decision.fallback, Some(Fallback::Previous(1)));
        assert_eq!(selection.order(), [4, 3, 2, 1, 0], "generation 1's answer");
    }
    host.rollback().expect("generation 1 is there");
    let selection = host.select(job(9), &rows);
    assert_eq!(selection.decision.fault, None);
    assert_eq!(selection.order(), [4, 3, 2, 1, 0]);
}

#[test]
fn a_trap() {
    falls_back("trap", FaultKind::Trap);
}

#[test]
fn an_endless_loop() {
    falls_back("endless-loop", FaultKind::OutOfFuel);
}

#[test]
fn a_memory_bomb() {
    falls_back("memory-bomb", FaultKind::Memory);
}

#[test]
fn a_deep_recursion() {
    let limits = Limits {
        fuel_base: std::num::NonZeroU64::new(1 << 40).expect("above zero"),
        ..config().limits
    };
    let host = Host::new(Config { limits, ..config() }, None).expect("an engine");
    activate(
        &host,
        &Made::new("previous").select("deep-recursion", "").bundle(),
    );
    let decision = host.select(job(1), &Rows::slower(2)).decision.clone();
    assert_eq!(
        decision.fault.as_ref().expect("a fault").kind,
        FaultKind::Trap
    );
}

#[test]
fn a_row_out_of_range() {
    falls_back("out-of-range-row", FaultKind::BadIndex);
}

#[test]
fn a_reason_out_of_range() {
    falls_back("bad-reason", FaultKind::BadIndex);
}

#[test]
fn a_duplicate_row() {
    falls_back("duplicate-row", FaultKind::DuplicateRow);
}

#[test]
fn a_duplicate_exclusion() {
    falls_back("duplicate-exclusion", FaultKind::DuplicateRow);
}

#[test]
fn a_wrong_length() {
    falls_back("wrong-length", FaultKind::WrongLength);
}

#[test]
fn a_nan_score() {
    falls_back("nan-score", FaultKind::NanScore);
}

#[test]
fn a_score_out_of_range() {
    falls_back("score-range", FaultKind::ScoreRange);
}

#[test]
fn a_huge_list() {
    falls_back("huge-list", FaultKind::TooLarge);
}

#[test]
fn a_list_out_of_bounds() {
    falls_back("out-of-bounds-list", FaultKind::Malformed);
}

#[test]
fn text_that_is_none() {
    falls_back("bad-text", FaultKind::Malformed);
}

/// Fuel would stop the loop first, so here there is plenty of it; the clock is real.
#[test]
fn a_loop_that_fuel_does_not_stop_is_stopped_by_the_clock() {
    let limits = Limits {
        fuel_base: std::num::NonZeroU64::MAX,
        ticks: NonZeroU32::MIN,
        ..Limits::default()
    };
    let host = Host::new(Config { limits, ..config() }, None).expect("an engine");
    activate(
        &host,
        &Made::new("previous").select("endless-loop", "").bundle(),
    );
    let selection = host.select(job(1), &Rows::slower(2));
    let fault = selection.decision.fault.as_ref().expect("a fault");
    assert_eq!(fault.kind, FaultKind::OutOfTime);
    assert_eq!(selection.decision.fallback, Some(Fallback::Reject));
}

#[test]
fn an_instance_is_replaced_after_a_trap() {
    let host = host(
        &Made::new("previous")
            .select("trap-on-odd-seed", "")
            .bundle(),
    );
    let rows = Rows::slower(3);
    for seed in (0..40).map(|n| n * 1000) {
        let odd = host.select(job(seed + 1), &rows);
        assert_eq!(
            odd.decision.fault.as_ref().expect("odd").kind,
            FaultKind::Trap
        );
        assert_eq!(odd.refusal().expect("refused").cause, "policy-fault");
        assert!(odd.order().is_empty());
        let even = host.select(job(seed), &rows);
        assert_eq!(even.decision.fault, None);
        assert_eq!(even.order().len(), 3);
    }
}

#[test]
fn at_first_start_there_is_nothing_to_fall_back_to() {
    let host = host(&Made::new("previous").select("trap", "").bundle());
    let selection = host.select(job(1), &Rows::slower(3));
    assert_eq!(selection.decision.fallback, Some(Fallback::Reject));
    let refusal = selection.refusal().expect("refused");
    assert_eq!(refusal.status, 503);
    assert!(refusal.message.contains("trap"), "{}", refusal.message);
}

#[test]
fn a_fault_of_a_required_stage_refuses_the_job() {
    let host = host(&Made::new("reject").select("abstain", "").bundle());
    let bundle = Made::new("previous")
        .select("abstain", "")
        .select("trap", "required = true")
        .bundle();
    activate(&host, &bundle);
    let selection = host.select(job(1), &Rows::slower(3));
    assert_eq!(selection.decision.fallback, Some(Fallback::Reject));
    assert!(selection.refusal().is_some());
}

#[test]
fn a_fallback_that_is_faulty_too_refuses_the_job() {
    let host = host(&Made::new("reject").select("trap", "").bundle());
    activate(
        &host,
        &Made::new("previous").select("nan-score", "").bundle(),
    );
    let selection = host.select(job(1), &Rows::slower(3));
    let fault = selection.decision.fault.as_ref().expect("a fault");
    assert_eq!(
        fault.kind,
        FaultKind::NanScore,
        "the active generation's fault is told"
    );
    assert_eq!(selection.decision.fallback, Some(Fallback::Reject));
}

#[test]
fn repeated_faults_roll_back() {
    let host = host(&Made::new("reject").select("score-latency", "").bundle());
    activate(&host, &Made::new("previous").select("trap", "").bundle());
    let rows = Rows::slower(3);
    let faults = config().quarantine.faults.get();
    for n in 0..faults {
        assert_eq!(host.active().number(), 2, "after {n} faults");
        let _ = host.select(job(n as u64), &rows);
    }
    assert_eq!(host.active().number(), 1);
    let listed = host.generations();
    assert_eq!((listed[0].number, listed[0].state), (2, State::Quarantined));
    assert_eq!(listed[0].faults, faults as u64);
    assert_eq!(
        listed[0].last_fault.as_ref().expect("a fault").kind,
        FaultKind::Trap
    );
    assert_eq!((listed[1].number, listed[1].state), (1, State::Active));
    assert_eq!(host.select(job(1), &rows).decision.generation, 1);
}

#[test]
fn rare_faults_do_not_roll_back() {
    let host = host(&Made::new("reject").select("score-latency", "").bundle());
    activate(&host, &Made::new("previous").select("trap", "").bundle());
    for minute in 0..20 {
        let mut job = job(minute);
        job.now_ms += minute * 61_000 / 4;
        let _ = host.select(job.clone(), &Rows::slower(3));
    }
    assert_eq!(host.active().number(), 2);
}

#[test]
fn repeated_faults_without_a_generation_before_stay_on_the_fallback() {
    let host = host(&Made::new("previous").select("trap", "").bundle());
    for seed in 0..20 {
        assert!(host.select(job(seed), &Rows::slower(3)).refusal().is_some());
    }
    assert_eq!(host.active().state(), State::Active);
}

fn refused(bundle: &Bundle) -> LoadError {
    let host = Host::new(config(), None).expect("an engine");
    let error = host.load(bundle).expect_err("a bad bundle");
    assert_eq!(host.active().number(), 0, "nothing became active");
    error
}

fn refused_component(bytes: &[u8]) -> ComponentError {
    let bundle = Made::new("reject")
        .stage("selection", "bad", bytes, "")
        .bundle();
    match refused(&bundle) {
        LoadError::Component { component, cause } => {
            assert_eq!(component, "bad.wasm");
            cause
        }
        other => panic!("expected a component's error, got {other}"),
    }
}

#[test]
fn what_is_no_policy_is_refused_before_it_is_compiled() {
    assert_eq!(refused_component(b"#!/bin/sh\n"), ComponentError::NotWasm);
    assert_eq!(
        refused_component(&core_module("trap")),
        ComponentError::CoreModule
    );
    assert!(matches!(
        refused_component(&component("wasi-import")),
        ComponentError::Import { .. }
    ));
    assert!(matches!(
        refused_component(&component("missing-export")),
        ComponentError::MissingExport { .. }
    ));
    assert!(matches!(
        refused_component(&component("wrong-version")),
        ComponentError::Version { .. }
    ));
}

#[test]
fn functions_of_other_types_are_refused() {
    let bytes = component("wrong-types");
    let error = refused(
        &Made::new("reject")
            .stage("selection", "bad", &bytes, "")
            .bundle(),
    );
    assert!(
        matches!(&error, LoadError::Faulty { .. } | LoadError::Compile { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("bad.wasm"), "{error}");
}

#[test]
fn a_policy_can_refuse_its_settings() {
    let error = refused(&Made::new("reject").select("configure-refuses", "").bundle());
    assert_eq!(
        error.to_string(),
        "configure-refuses.wasm refuses its settings: weight: no"
    );
}

#[test]
fn a_policy_that_fails_in_configure_is_refused() {
    for (name, wanted) in [
        ("configure-traps", FaultKind::Trap),
        ("configure-loops", FaultKind::OutOfFuel),
    ] {
        match refused(&Made::new("reject").select(name, "").bundle()) {
            LoadError::Faulty { kind, .. } => assert_eq!(kind, wanted, "{name}"),
            other => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn a_policy_that_wants_too_much_memory_from_the_start_is_refused() {
    let error = refused(&Made::new("reject").select("large-memory", "").bundle());
    assert!(error.to_string().contains("memory"), "{error}");
    let tight = "[limits]\nmemory-kib = 64";
    match refused(&Made::new("reject").select("abstain", tight).bundle()) {
        LoadError::Faulty { kind, .. } => assert_eq!(kind, FaultKind::Memory),
        other => panic!("{other}"),
    }
}

#[test]
fn an_unknown_column_refuses_the_load_and_names_the_nearest() {
    let error = refused(&Made::new("reject").select("unknown-column", "").bundle());
    let text = error.to_string();
    assert!(
        text.starts_with("unknown-column.wasm: no column is called"),
        "{text}"
    );
    assert!(text.contains("latency-ms/p50"), "{text}");
}

#[test]
fn an_optional_unknown_column_is_unknown_everywhere() {
    let host = host(&Made::new("reject").select("optional-column", "").bundle());
    let selection = host.select(job(1), &Rows::slower(3));
    assert_eq!(selection.decision.fault, None);
    assert_eq!(selection.decision.score(0), Some(1.0));
}

#[test]
fn limits_can_be_tightened_only() {
    let loose = Made::new("reject")
        .select("abstain", "[limits]\nfuel-base = 300000")
        .bundle();
    let error = refused(&loose);
    assert!(error.to_string().contains("limits.fuel-base"), "{error}");
    let tight = Made::new("previous")
        .select("abstain", "[limits]\nfuel-base = 1\nfuel-row = 1")
        .bundle();
    let selection = host(&tight).select(job(1), &Rows::slower(3));
    let fault = selection.decision.fault.as_ref().expect("a fault");
    assert_eq!(fault.kind, FaultKind::OutOfFuel);
}

fn failed() -> Failure {
    Failure::new(Blame::Orchestrator, FailureKind::Busy, "OrchestratorBusy")
}

fn attempts(failure: &Failure) -> [AttemptView<'_>; 2] {
    let attempt = AttemptView {
        candidate: Symbol(1000),
        row: None,
        started_ms: 0,
        elapsed_ms: 400,
        running: false,
        failure: None,
    };
    [
        attempt,
        AttemptView {
            failure: Some(failure),
            ..attempt
        },
    ]
}

#[test]
fn faulty_failover_leaves_it_to_the_host_unless_it_must_not() {
    let (failure, rows) = (failed(), Rows::slower(3));
    let remaining = Remaining {
        candidates: &rows,
        rows: &[2, 1],
    };
    for (guest, kind) in [
        ("failover-trap", FaultKind::Trap),
        ("failover-bad-row", FaultKind::BadIndex),
    ] {
        let made = |on_failure| {
            Made::new(on_failure)
                .select("abstain", "")
                .rescue(guest, "")
        };
        let generation = host(&made("previous").bundle()).active();
        let remedy = generation.on_failure(&job(1), &attempts(&failure), remaining);
        assert_eq!(remedy.value.recovery, Recovery::Abstain);
        assert_eq!(remedy.fault.expect("a fault").kind, kind);
        let patience = generation.on_slow(&job(1), &attempts(&failure), remaining);
        assert_eq!(patience.value, Patience::Abstain);
        assert_eq!(patience.fault.expect("a fault").kind, kind);
        let price = pointsman_facts::Price::FREE;
        let bargain = generation.on_price_change(&job(1), price, price, remaining);
        assert_eq!(bargain.value, Bargain::Abstain);
        assert_eq!(bargain.fault.expect("a fault").kind, kind);

        let generation = host(&made("reject").bundle()).active();
        let remedy = generation.on_failure(&job(1), &attempts(&failure), remaining);
        assert!(
            matches!(remedy.value.recovery, Recovery::Stop(_)),
            "{remedy:?}"
        );
    }
}

#[test]
fn faulty_failover_falls_back_to_the_generation_before() {
    let (failure, rows) = (failed(), Rows::slower(3));
    let remaining = Remaining {
        candidates: &rows,
        rows: &[2, 1],
    };
    let good = Made::new("reject")
        .select("abstain", "")
        .rescue("failover-next", "");
    let host = host(&good.bundle());
    let bad = Made::new("previous")
        .select("abstain", "")
        .rescue("failover-trap", "");
    activate(&host, &bad.bundle());
    let remedy = host
        .active()
        .on_failure(&job(1), &attempts(&failure), remaining);
    assert_eq!(remedy.value.recovery, Recovery::Next(1));
    assert_eq!(remedy.fault.expect("a fault").kind, FaultKind::Trap);
    assert_eq!(remedy.stage.as_deref(), Some("failover-next"));
}
