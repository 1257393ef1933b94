//! Whatever a policy answers: the host does not panic, and what it promises holds.

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use pointsman_facts::{Job, Name, Names, Price};
use pointsman_policy::wit::{self, Change, Exclusion, Ranking, Refusal, Routing, Scoring, Verdict};
use pointsman_policy::{Call, Host};
use proptest::collection::vec;
use proptest::prelude::*;
use support::scripted::Scripted;
use support::{Made, Rows, job};

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..=1.0, any::<f64>()]
}

fn row() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..8u32, 1 => any::<u32>()]
}

fn exclusions() -> impl Strategy<Value = Vec<Exclusion>> {
    let one = (
        row(),
        prop_oneof![4 => 0..2u16, 1 => any::<u16>()],
        number(),
    );
    let one = one.prop_map(|(row, reason, value)| Exclusion { row, reason, value });
    vec(one, 0..6)
}

fn refusal() -> impl Strategy<Value = Refusal> {
    let message = prop_oneof![".{0,20}", "x{1000,1100}"];
    (any::<u16>(), 0..4u16, message).prop_map(|(status, reason, message)| Refusal {
        status,
        reason,
        message,
    })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let scoring = (exclusions(), vec(number(), 0..9));
    let ranking = (exclusions(), vec(row(), 0..9));
    prop_oneof![
        1 => Just(Verdict::Abstain),
        1 => any::<u32>().prop_map(Verdict::Hedge),
        4 => exclusions().prop_map(Verdict::Exclude),
        4 => scoring.prop_map(|(excluded, scores)| Verdict::Score(Scoring { excluded, scores })),
        4 => ranking.prop_map(|(excluded, order)| Verdict::Order(Ranking { excluded, order })),
        1 => refusal().prop_map(Verdict::Reject),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-c]{0,2}",
        2 => "https?://[A-C]\\.test(:443)?/?",
        1 => "0x[0-9a-fA-F]{40}",
        1 => "\\PC{0,8}",
        1 => "x{1020,1030}",
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let price = (0..9u64, 0..3u64).prop_map(|(num, den)| wit::Price { num, den });
    (
        proptest::option::of(name()),
        vec(name(), 0..4),
        prop_oneof![vec(name(), 0..4), vec(Just(String::new()), 60..70)],
        proptest::option::of(price),
        proptest::option::of(any::<u32>()),
        vec((name(), name()), 0..4),
    )
        .prop_map(
            |(capability, only, ignore, max_price, timeout_ms, labels)| Change {
                capability,
                only,
                ignore,
                max_price,
                timeout_ms,
                labels,
            },
        )
}

fn routing() -> impl Strategy<Value = Routing> {
    prop_oneof![
        1 => Just(Routing::Abstain),
        8 => change().prop_map(Routing::Change),
        1 => refusal().prop_map(Routing::Reject),
    ]
}

/// Two stages of each hook that say whatever stands here.
struct Puppets {
    host: Host,
    verdicts: Arc<Mutex<[Verdict; 2]>>,
    routings: Arc<Mutex<[Routing; 2]>>,
}

impl Puppets {
    fn new() -> Self {
        let verdicts = Arc::new(Mutex::new([Verdict::Abstain, Verdict::Abstain]));
        let routings = Arc::new(Mutex::new([Routing::Abstain, Routing::Abstain]));
        let causes: &[(&str, Option<u16>)] = &[("one", Some(0)), ("two", None)];
        let script = (0..2).fold(Scripted::default(), |script, n| {
            let (said, routed) = (Arc::clone(&verdicts), Arc::clone(&routings));
            script
                .stage(&format!("judge-{n}"), &["latency-ms/p50"], causes, {
                    move |_, _| said.lock()[n].clone()
                })
                .router(&format!("route-{n}"), move |_, _| routed.lock()[n].clone())
        });
        let made = Made::new("reject")
            .native("judge-0", "")
            .native("judge-1", "on-empty = \"skip\"\nweight = 2.0");
        let made = made.stage("byoc", "route-0", b"\0asm", "");
        Self {
            host: script.host(made.stage("byoc", "route-1", b"\0asm", "")),
            verdicts,
            routings,
        }
    }
}

/// Eight rows, of which row 6 is unfit, row 7 too expensive.
fn rows() -> Rows {
    Rows {
        fit: vec![1, 1, 1, 2, 1, 1, 0, 1],
        price: (1..=8).map(|num| (num, 1)).collect(),
        ..Rows::slower(8)
    }
}

#[test]
fn no_verdict_breaks_a_selection() {
    let puppets = Puppets::new();
    let rows = rows();
    let asked = |seed| Job {
        max_price: Price::new(7, 1),
        price_is_hard: true,
        ..job(seed)
    };
    proptest!(ProptestConfig::with_cases(2000), |(seed: u64, first in verdict(), second in verdict())| {
        *puppets.verdicts.lock() = [first, second];
        let selection = puppets.host.select(asked(seed), &rows);
        let decision = &selection.decision;
        let order = selection.order();
        let distinct: BTreeSet<u32> = order.iter().copied().collect();
        prop_assert_eq!(distinct.len(), order.len(), "nobody twice");
        prop_assert!(order.iter().all(|row| *row < 6), "no bad index, nobody unfit or too expensive: {:?}", order);
        prop_assert_eq!(order.is_empty(), selection.refusal().is_some());
        prop_assert!(decision.fault.is_none() || selection.refusal().is_some(), "reject means reject");
        for place in 0..order.len() {
            prop_assert!(decision.score(place).is_none_or(f64::is_finite));
        }
        if let Some(refusal) = selection.refusal() {
            prop_assert!((400..600).contains(&refusal.status));
            prop_assert!(refusal.message.len() <= 1024);
            prop_assert!(!refusal.message.contains(char::is_control));
        }
        prop_assert!(decision.exclusions().all(|gone| !order.contains(&gone.row)));
        prop_assert!(serde_json::to_string(&**decision).is_ok());
    });
}

fn named(text: &str) -> Name {
    text.parse().expect("a name")
}

#[test]
fn no_routing_widens_a_call() {
    let puppets = Puppets::new();
    let asked = Job {
        max_price: Price::new(4, 1),
        ..job(1)
    };
    let call = Call {
        capability: "a".into(),
        path: "/".into(),
        parameters: "{}".into(),
        only: vec![named("a"), named("b")],
        ignore: vec![named("c")],
    };
    proptest!(ProptestConfig::with_cases(2000), |(first in routing(), second in routing())| {
        *puppets.routings.lock() = [first.clone(), Routing::Abstain];
        let alone = puppets.host.route(&asked, &call);
        *puppets.routings.lock() = [first, second];
        let both = puppets.host.route(&asked, &call);
        let routed = [(&asked.max_price, asked.deadline_ms), (&alone.terms.job.max_price, alone.terms.job.deadline_ms)];
        for (price, deadline) in routed {
            if alone.record.fault.is_some() || both.record.fault.is_some() {
                break;
            }
            prop_assert!(both.terms.job.max_price <= *price);
            prop_assert!((1..=deadline).contains(&both.terms.job.deadline_ms));
        }
        for name in ["a", "b", "c", "d", "https://a.test"] {
            let names = Names { id: named(name).symbol(), ..Names::default() };
            let admitted = |terms: &pointsman_policy::Terms| terms.admits(names);
            prop_assert!(both.record.fault.is_some() || !admitted(&both.terms) || admitted(&alone.terms));
            prop_assert!(!admitted(&both.terms) || ["a", "b"].contains(&name), "the application's own list");
        }
        prop_assert!(both.terms.job.labels.iter().all(|(key, _)| !key.is_empty() && *key == key.to_lowercase()));
        prop_assert!(both.record.fault.is_none() || both.refusal().is_some(), "reject means reject");
        prop_assert!(serde_json::to_string(&*both.record).is_ok());
    });
}
