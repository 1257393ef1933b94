//! What the byoc chain makes of its stages' answers, and every way one can go wrong.

mod support;

use std::collections::BTreeMap;

use pointsman_facts::{Job, Name, Names, Price, Symbol};
use pointsman_policy::wit::{self, Change, Refusal, Routing};
use pointsman_policy::{Call, Fallback, FaultKind, Routed, Tightening, Widening};
use support::scripted::Scripted;
use support::{Made, activate, host, job};

const A: &str = "https://a.example:8935";
const B: &str = "https://b.example:8935";

fn call(capability: &str) -> Call {
    Call {
        capability: capability.to_owned(),
        path: "/v1/generate?fast=1".to_owned(),
        parameters: "{}".to_owned(),
        ..Call::default()
    }
}

fn nothing() -> Change {
    Change {
        capability: None,
        only: Vec::new(),
        ignore: Vec::new(),
        max_price: None,
        timeout_ms: None,
        labels: Vec::new(),
    }
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

/// The orchestrator at `uri`, which signs with `address` if that is one.
fn at(uri: &str, address: &str) -> Names {
    Names {
        id: name(uri).symbol(),
        address: address.parse().map(Name::symbol).unwrap_or_default(),
    }
}

/// Two stages that answer `first` and `second` about a call with `job`.
fn two(first: Change, second: Change, job: &Job, call: &Call) -> Routed {
    let script = Scripted::default()
        .stage("idle", &[], &[], |_, _| wit::Verdict::Abstain)
        .router("first", move |_, _| Routing::Change(first.clone()))
        .router("second", move |_, _| Routing::Change(second.clone()));
    let made = Made::new("reject").native("idle", "");
    let made = ["first", "second"]
        .into_iter()
        .fold(made, |made, name| made.stage("byoc", name, b"\0asm", ""));
    script.host(made).route(job, call)
}

#[test]
fn without_a_stage_a_call_goes_on_as_it_came() {
    let host = host(&Made::new("reject").select("abstain", "").bundle());
    let asked = Call {
        only: vec![name(A)],
        ignore: vec![name(B)],
        ..call("video")
    };
    let routed = host.route(&job(1), &asked);
    assert_eq!(routed.refusal(), None);
    assert_eq!(routed.terms.job, job(1));
    assert_eq!(routed.terms.capability, "video");
    assert!(routed.terms.admits(at("https://A.example:8935/", "")));
    assert!(
        !routed.terms.admits(at(B, "")),
        "ignored, and not on the list"
    );
    assert_eq!(host.routes(9).len(), 1);
}

#[test]
fn what_one_stage_tightened_no_later_one_widens() {
    let first = Change {
        capability: Some("small".into()),
        max_price: Some(wit::Price { num: 1, den: 2 }),
        timeout_ms: Some(0),
        labels: vec![("Tier".into(), "free".into())],
        ..nothing()
    };
    let second = Change {
        capability: Some("large".into()),
        max_price: Some(wit::Price { num: 2, den: 3 }),
        timeout_ms: Some(2),
        labels: vec![
            ("tier".into(), "gold".into()),
            ("team".into(), "red".into()),
        ],
        ..nothing()
    };
    let labels = BTreeMap::from([("tier".to_owned(), "the application's".to_owned())]);
    let asked = Job { labels, ..job(1) };
    let routed = two(first, second, &asked, &call("video"));
    let terms = &routed.terms;
    assert_eq!(terms.capability, "small");
    assert_eq!(terms.job.capability, Symbol::of("small"));
    assert_eq!(terms.job.max_price, Price::new(1, 2));
    assert!(terms.job.price_is_hard, "selection cannot pass it either");
    assert_eq!((terms.job.deadline_ms, terms.job.soft_ms), (1, 1));
    assert_eq!(terms.job.labels["tier"], "free");
    assert_eq!(terms.job.labels["team"], "red");
    let steps = &routed.record.steps;
    assert_eq!(steps[0].dropped, []);
    assert_eq!(
        steps[1].dropped,
        [
            Widening::CapabilitySettled,
            Widening::LabelSet,
            Widening::PriceAbove,
            Widening::TimeoutLonger
        ]
    );
    assert_eq!(steps[1].tightened, [Tightening::Labels]);
}

#[test]
fn the_operators_price_and_time_are_not_passed_either() {
    let asked = Job {
        max_price: Price::new(1, 1),
        ..job(1)
    };
    let more = Change {
        max_price: Some(wit::Price { num: 3, den: 2 }),
        timeout_ms: Some(asked.deadline_ms + 1),
        ..nothing()
    };
    let routed = two(more, nothing(), &asked, &call("video"));
    assert_eq!(routed.terms.job, asked);
    assert_eq!(
        routed.record.steps[0].dropped,
        [Widening::PriceAbove, Widening::TimeoutLonger]
    );
}

#[test]
fn lists_are_intersected_and_joined() {
    let only = |names: &[&str]| Change {
        only: list(names),
        ..nothing()
    };
    let address = "0x1111111111111111111111111111111111111111";
    let routed = two(only(&[A, B]), only(&[address]), &job(1), &call("video"));
    assert_eq!(routed.refusal(), None);
    assert!(routed.terms.admits(at(A, &address.to_uppercase())));
    assert!(!routed.terms.admits(at(A, "")), "every list must name it");

    let ignore = |name: &str| Change {
        ignore: list(&[name]),
        ..nothing()
    };
    let routed = two(ignore(A), ignore(B), &job(1), &call("video"));
    assert!(!routed.terms.admits(at(A, "")) && !routed.terms.admits(at(B, "")));
    assert!(routed.terms.admits(at("https://c.example", "")));

    let routed = two(only(&[A]), only(&[B]), &job(1), &call("video"));
    let refusal = routed.refusal().expect("nobody is on both");
    assert!(refusal.leaves_nobody());
    assert_eq!(refusal.stage.as_deref(), Some("second"));
}

#[test]
fn uri_address_and_id_name_the_same_orchestrator() {
    let address = "0x2222222222222222222222222222222222222222";
    let id = name(A).symbol().to_string();
    for named in [
        A,
        "A.example",
        &id,
        address,
        "0X2222222222222222222222222222222222222222",
    ] {
        let only = Change {
            only: list(&[named]),
            ..nothing()
        };
        let ignore = Change {
            ignore: list(&[named]),
            ..nothing()
        };
        let terms = two(only, nothing(), &job(1), &call("video")).terms;
        assert!(terms.admits(at(A, address)), "{named}");
        assert!(!terms.admits(at(B, "")), "{named}");
        let terms = two(ignore, nothing(), &job(1), &call("video")).terms;
        assert!(!terms.admits(at(A, address)), "{named}");
        assert!(terms.admits(at(B, "")), "{named}");
    }
}

#[test]
fn who_is_named_by_what_is_no_name_is_dropped_and_opens_nothing() {
    let change = |only: &[&str], ignore: &[&str]| Change {
        only: list(only),
        ignore: list(ignore),
        ..nothing()
    };
    let routed = two(
        change(&[A, "two words"], &["ftp://b.example"]),
        nothing(),
        &job(1),
        &call("video"),
    );
    assert_eq!(routed.record.steps[0].dropped, [Widening::Nameless]);
    assert!(routed.terms.admits(at(A, "")) && !routed.terms.admits(at(B, "")));
    let routed = two(
        change(&["two words"], &[]),
        nothing(),
        &job(1),
        &call("video"),
    );
    assert!(routed.refusal().is_some_and(|it| it.leaves_nobody()));
}

#[test]
fn a_stage_sees_what_those_before_left() {
    let script = Scripted::default()
        .stage("idle", &[], &[], |_, _| wit::Verdict::Abstain)
        .router("first", |_, _| {
            Routing::Change(Change {
                capability: Some("small".into()),
                timeout_ms: Some(500),
                labels: vec![("tier".into(), "free".into())],
                ..nothing()
            })
        })
        .router("second", |job, request| {
            assert_eq!(
                (job.deadline_ms, job.capability),
                (500, Symbol::of("small").0)
            );
            assert_eq!(request.capability, "small");
            assert_eq!(request.path, "/v1/generate?fast=1");
            assert_eq!(request.labels, [("tier", "free")]);
            Routing::Reject(Refusal {
                status: 402,
                reason: 0,
                message: "pay first".into(),
            })
        })
        .router("third", |_, _| panic!("a refusal ends it"));
    let made = Made::new("reject").native("idle", "");
    let made = ["first", "second", "third"]
        .into_iter()
        .fold(made, |made, name| made.stage("byoc", name, b"\0asm", ""));
    let routed = script.host(made).route(&job(1), &call("video"));
    let refusal = routed.refusal().expect("refused");
    assert_eq!((refusal.status, refusal.cause.as_str()), (402, "no"));
    assert_eq!(refusal.stage.as_deref(), Some("second"));
    assert!(!refusal.leaves_nobody());
    assert_eq!(routed.record.steps.len(), 2);
}

#[test]
fn a_component_tightens_and_refuses() {
    let made = Made::new("reject").select("abstain", "");
    let host = host(&made.route("byoc-tighten", "").bundle());
    let asked = job(1);
    let routed = host.route(&asked, &call("video"));
    assert_eq!(routed.record.fault, None);
    assert_eq!(routed.terms.capability, "gpu");
    assert_eq!(routed.terms.job.max_price, Price::new(2, 1));
    assert_eq!(routed.terms.job.deadline_ms, asked.deadline_ms / 2);
    assert!(routed.record.fuel > 0);

    let made = Made::new("reject").select("abstain", "");
    activate(&host, &made.route("byoc-reject", "").bundle());
    let routed = host.route(&asked, &call("video"));
    let refusal = routed.refusal().expect("it refuses");
    assert_eq!((refusal.status, refusal.cause.as_str()), (403, "slow"));
    assert_eq!(refusal.message, "not sold here");
    let json = serde_json::to_value(&*host.routes(1)[0]).expect("JSON");
    assert_eq!(json["refusal"]["stage"], "byoc-reject");
    assert_eq!(json["generation"], 2);
}

/// Generation 1 tightens, generation 2 is `faulty`: who answers, by what its manifest says.
#[track_caller]
fn falls_back(faulty: &str, kind: FaultKind) {
    let made = |on_failure| Made::new(on_failure).select("abstain", "");
    let host = host(&made("reject").route("byoc-tighten", "").bundle());
    activate(&host, &made("previous").route(faulty, "").bundle());
    let routed = host.route(&job(1), &call("video"));
    let fault = routed.record.fault.as_ref().expect("a fault");
    assert_eq!((fault.kind, &*fault.stage), (kind, faulty), "{fault}");
    assert_eq!(routed.record.fallback, Some(Fallback::Previous(1)));
    assert_eq!(routed.terms.capability, "gpu", "generation 1's answer");

    let gate = made("previous").route(faulty, "required = true").bundle();
    activate(&host, &gate);
    let routed = host.route(&job(1), &call("video"));
    assert_eq!(routed.record.fallback, Some(Fallback::Reject));
    let refusal = routed.refusal().expect("refused");
    assert_eq!(refusal.cause, "policy-fault");
    assert_eq!(host.generations()[0].faults, 1, "counted");
}

#[test]
fn a_trap() {
    falls_back("byoc-trap", FaultKind::Trap);
}

#[test]
fn an_endless_loop() {
    falls_back("byoc-loop", FaultKind::OutOfFuel);
}

#[test]
fn a_memory_bomb() {
    falls_back("byoc-memory-bomb", FaultKind::Memory);
}

#[test]
fn a_reason_out_of_range() {
    falls_back("byoc-bad-reason", FaultKind::BadIndex);
}

#[test]
fn text_that_is_none() {
    falls_back("byoc-bad-text", FaultKind::Malformed);
}

#[test]
fn a_price_that_is_none() {
    falls_back("byoc-bad-price", FaultKind::BadPrice);
}

#[test]
fn a_list_that_is_too_long() {
    falls_back("byoc-long-list", FaultKind::TooLarge);
}

#[test]
fn a_list_out_of_bounds() {
    falls_back("byoc-huge-list", FaultKind::Malformed);
}

#[test]
fn a_string_that_is_too_long() {
    falls_back("byoc-long-string", FaultKind::TooLarge);
}

#[test]
fn a_gate_that_traps_opens_for_nobody() {
    let made = Made::new("previous").select("abstain", "");
    let host = host(&made.route("byoc-trap", "").bundle());
    let routed = host.route(&job(1), &call("video"));
    assert!(routed.refusal().is_some(), "there is nothing before it");
}
