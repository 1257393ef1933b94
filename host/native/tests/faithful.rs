//! What a stage is asked and what it answers arrive whole on the other side.

use std::sync::{Arc, Mutex};

use pointsman_facts::Symbol;
use pointsman_native::{Configured, Native};
use pointsman_policy::bundle::{Setting, Value};
use pointsman_policy::{Hook, NativeBundle, NativeStage, wit};
use pointsman_sdk as sdk;
use sdk::bindings::about::exports::pointsman::policy::policy::{Cause, Plan};
use sdk::failover as rescue;

/// Everything a stage was asked, as text, and what it answers.
#[derive(Clone, Default)]
struct Parrot {
    heard: Arc<Mutex<Vec<String>>>,
    verdict: Arc<Mutex<Option<sdk::Verdict>>>,
    recovery: Arc<Mutex<Option<rescue::Recovery>>>,
    patience: Arc<Mutex<Option<rescue::Patience>>>,
    bargain: Arc<Mutex<Option<rescue::Bargain>>>,
    routing: Arc<Mutex<Option<sdk::byoc::Routing>>>,
}

impl Parrot {
    fn hear(&self, what: String) {
        self.heard.lock().expect("no panic").push(what);
    }

    fn heard(&self) -> String {
        self.heard.lock().expect("no panic").pop().expect("asked")
    }

    fn stage(&self) -> Box<dyn NativeStage> {
        let parrot = self.clone();
        let native = Native::new(move |_: &str, _: &str, _| -> Option<Configured> {
            Some(Ok(Box::new(parrot.clone())))
        });
        native
            .stage("parrot", Hook::Selection, &[])
            .expect("known")
            .unwrap_or_else(|problems| panic!("{problems:?}"))
    }
}

fn take<T>(answer: &Mutex<Option<T>>) -> T {
    answer.lock().expect("no panic").take().expect("an answer")
}

fn give<T>(slot: &Mutex<Option<T>>, answer: T) {
    *slot.lock().expect("no panic") = Some(answer);
}

impl sdk::native::Stage for Parrot {
    fn describe(&self) -> sdk::Description {
        unreachable!("the host describes components only")
    }

    fn plan(&self) -> Plan {
        Plan {
            columns: vec!["fit".to_owned(), "stake".to_owned()],
            facts: vec!["sequence".to_owned()],
            causes: vec![
                Cause {
                    text: "poor".to_owned(),
                    column: Some(1),
                },
                Cause {
                    text: "no".to_owned(),
                    column: None,
                },
            ],
        }
    }

    fn known(&self) -> &[sdk::Known] {
        &[]
    }

    fn judge(&self, job: &sdk::Job, candidates: sdk::Table) -> sdk::Verdict {
        self.hear(format!("{job:?} {candidates:?}"));
        take(&self.verdict)
    }

    fn route(&self, job: &sdk::Job, request: &sdk::byoc::Request) -> sdk::byoc::Routing {
        self.hear(format!("{job:?} {request:?}"));
        take(&self.routing)
    }

    fn on_failure(
        &self,
        job: &sdk::Job,
        attempts: &[rescue::Attempt],
        remaining: sdk::Table,
    ) -> rescue::Remedy {
        self.hear(format!("{job:?} {attempts:?} {remaining:?}"));
        rescue::Remedy {
            rest_ms: 7,
            recovery: take(&self.recovery),
        }
    }

    fn on_slow(
        &self,
        job: &sdk::Job,
        attempts: &[rescue::Attempt],
        remaining: sdk::Table,
    ) -> rescue::Patience {
        self.hear(format!("{job:?} {attempts:?} {remaining:?}"));
        take(&self.patience)
    }

    fn on_price_change(
        &self,
        job: &sdk::Job,
        before: sdk::Price,
        after: sdk::Price,
        remaining: sdk::Table,
    ) -> rescue::Bargain {
        self.hear(format!(
            "{job:?} {}/{} {}/{} {remaining:?}",
            before.num, before.den, after.num, after.den
        ));
        take(&self.bargain)
    }
}

const FACTS: [wit::Fact; 5] = [
    wit::Fact::Unknown,
    wit::Fact::Number(1.5),
    wit::Fact::Count(2),
    wit::Fact::Mark(true),
    wit::Fact::Symbol(3),
];
const COLUMNS: [wit::Column<'static>; 4] = [
    wit::Column::Numbers(&[0.25, 0.5]),
    wit::Column::Counts(&[4, 5]),
    wit::Column::Marks(&[0, 2]),
    wit::Column::Symbols(&[6, 7]),
];
const TABLE: wit::Table<'static> = wit::Table {
    rows: 2,
    columns: &COLUMNS,
};

fn asked() -> wit::Job<'static> {
    wit::Job {
        now_ms: 11,
        seed: 12,
        workload: 13,
        capability: 14,
        model: 15,
        affinity: 16,
        deadline_ms: 17,
        units: 18,
        facts: &FACTS,
    }
}

fn job() -> sdk::Job {
    sdk::Job {
        now_ms: 11,
        seed: 12,
        workload: 13,
        capability: 14,
        model: 15,
        affinity: 16,
        deadline_ms: 17,
        units: 18,
        facts: vec![
            sdk::Fact::Unknown,
            sdk::Fact::Number(1.5),
            sdk::Fact::Count(2),
            sdk::Fact::Mark(true),
            sdk::Fact::Symbol(3),
        ],
    }
}

fn table() -> sdk::Table {
    sdk::Table {
        rows: 2,
        columns: vec![
            sdk::Column::Numbers(vec![0.25, 0.5]),
            sdk::Column::Counts(vec![4, 5]),
            sdk::Column::Marks(vec![0, 2]),
            sdk::Column::Symbols(vec![6, 7]),
        ],
    }
}

#[test]
fn the_lookup_gets_component_hook_and_settings() {
    let symbol = Symbol(9);
    let values = [
        ("bool", Value::Bool(true)),
        ("integer", Value::Integer(-3)),
        ("number", Value::Number(0.5)),
        ("text", Value::Text("eu".to_owned(), symbol)),
        ("texts", Value::Texts(vec![("us".to_owned(), symbol)])),
        ("numbers", Value::Numbers(vec![1.0, 2.0])),
    ];
    let settings = values.map(|(key, value)| Setting {
        key: key.to_owned(),
        value,
    });
    let native = Native::new(|component: &str, hook: &str, settings: Vec<sdk::Setting>| {
        assert_eq!((component, hook), ("rank.wasm", "failover"));
        let values: Vec<_> = settings.into_iter().map(|s| (s.key, s.value)).collect();
        let text = |text: &str| (text.to_owned(), 9);
        let expected = [
            ("bool", sdk::Value::Bool(true)),
            ("integer", sdk::Value::Integer(-3)),
            ("number", sdk::Value::Number(0.5)),
            ("text", sdk::Value::Text(text("eu"))),
            ("texts", sdk::Value::Texts(vec![text("us")])),
            ("numbers", sdk::Value::Numbers(vec![1.0, 2.0])),
        ];
        assert_eq!(values, expected.map(|(key, value)| (key.to_owned(), value)));
        let problem = sdk::Problem {
            key: "text".to_owned(),
            message: "not a region".to_owned(),
        };
        Some(Err::<Box<dyn sdk::native::Stage>, _>(vec![problem]))
    });
    let problems = native
        .stage("rank.wasm", Hook::Failover, &settings)
        .expect("known")
        .err()
        .expect("refused");
    let [problem] = problems.as_slice() else {
        panic!("one problem: {problems:?}")
    };
    assert_eq!(problem.key, "text");
    assert_eq!(problem.message, "not a region");
    let none = Native::new(|_: &str, _: &str, _| -> Option<Configured> { None });
    assert!(none.stage("rank.wasm", Hook::Failover, &[]).is_none());
}

#[test]
fn the_plan_keeps_its_order() {
    let plan = Parrot::default().stage().plan();
    assert_eq!(plan.columns, ["fit", "stake"]);
    assert_eq!(plan.facts, ["sequence"]);
    let causes: Vec<_> = plan
        .causes
        .iter()
        .map(|cause| (cause.text.as_str(), cause.column))
        .collect();
    assert_eq!(causes, [("poor", Some(1)), ("no", None)]);
}

#[test]
fn a_verdict_comes_back_as_it_was_said() {
    let theirs = || sdk::Exclusion {
        row: 1,
        reason: 2,
        value: 0.5,
    };
    let ours = || wit::Exclusion {
        row: 1,
        reason: 2,
        value: 0.5,
    };
    let cases = [
        (sdk::Verdict::Abstain, wit::Verdict::Abstain),
        (
            sdk::Verdict::Exclude(vec![theirs()]),
            wit::Verdict::Exclude(vec![ours()]),
        ),
        (
            sdk::Verdict::Score(sdk::Scoring {
                excluded: vec![theirs()],
                scores: vec![0.1, 0.2],
            }),
            wit::Verdict::Score(wit::Scoring {
                excluded: vec![ours()],
                scores: vec![0.1, 0.2],
            }),
        ),
        (
            sdk::Verdict::Order(sdk::Ranking {
                excluded: vec![theirs()],
                order: vec![1, 0],
            }),
            wit::Verdict::Order(wit::Ranking {
                excluded: vec![ours()],
                order: vec![1, 0],
            }),
        ),
        (sdk::Verdict::Hedge(80), wit::Verdict::Hedge(80)),
        (
            sdk::Verdict::Reject(their_refusal()),
            wit::Verdict::Reject(our_refusal()),
        ),
    ];
    let parrot = Parrot::default();
    for (theirs, ours) in cases {
        give(&parrot.verdict, theirs);
        let answer = parrot.stage().judge(&asked(), &TABLE);
        assert_eq!(format!("{answer:?}"), format!("{ours:?}"));
        assert_eq!(parrot.heard(), format!("{:?} {:?}", job(), table()));
    }
}

fn their_refusal() -> sdk::Refusal {
    sdk::Refusal {
        status: 503,
        reason: 1,
        message: "later".to_owned(),
    }
}

fn our_refusal() -> wit::Refusal {
    wit::Refusal {
        status: 503,
        reason: 1,
        message: "later".to_owned(),
    }
}

/// An attempt a side for each blame, and one without a failure.
fn attempts() -> (Vec<wit::Attempt>, Vec<rescue::Attempt>) {
    let blames = [
        (wit::Blame::Orchestrator, rescue::Blame::Orchestrator),
        (wit::Blame::Input, rescue::Blame::Input),
        (wit::Blame::Gateway, rescue::Blame::Gateway),
        (wit::Blame::Payment, rescue::Blame::Payment),
        (wit::Blame::Network, rescue::Blame::Network),
    ];
    let failed = blames.map(|(ours, theirs)| {
        let ours = wit::Failure {
            blame: ours,
            kind: 8,
            retry_safe: true,
            http_status: 503,
            retry_after_ms: 900,
        };
        let theirs = rescue::Failure {
            blame: theirs,
            kind: 8,
            retry_safe: true,
            http_status: 503,
            retry_after_ms: 900,
        };
        (Some(ours), Some(theirs))
    });
    let pair = |(ours, theirs)| {
        let ours = wit::Attempt {
            candidate: 21,
            row: Some(1),
            started_ms: 22,
            elapsed_ms: 23,
            running: true,
            failure: ours,
        };
        let theirs = rescue::Attempt {
            candidate: 21,
            row: Some(1),
            started_ms: 22,
            elapsed_ms: 23,
            running: true,
            failure: theirs,
        };
        (ours, theirs)
    };
    failed.into_iter().chain([(None, None)]).map(pair).unzip()
}

#[test]
fn a_remedy_and_patience_come_back_as_they_were_said() {
    let (ours, theirs) = attempts();
    let heard = format!("{:?} {theirs:?} {:?}", job(), table());
    let parrot = Parrot::default();
    let recoveries = [
        (rescue::Recovery::Abstain, wit::Recovery::Abstain),
        (rescue::Recovery::RetrySame(5), wit::Recovery::RetrySame(5)),
        (rescue::Recovery::Next(1), wit::Recovery::Next(1)),
        (rescue::Recovery::Rerank, wit::Recovery::Rerank),
        (
            rescue::Recovery::Stop(their_refusal()),
            wit::Recovery::Stop(our_refusal()),
        ),
    ];
    for (said, expected) in recoveries {
        give(&parrot.recovery, said);
        let remedy = parrot.stage().on_failure(&asked(), &ours, &TABLE);
        assert_eq!(remedy.rest_ms, 7);
        assert_eq!(format!("{:?}", remedy.recovery), format!("{expected:?}"));
        assert_eq!(parrot.heard(), heard);
    }
    let patiences = [
        (rescue::Patience::Abstain, wit::Patience::Abstain),
        (rescue::Patience::Wait(5), wit::Patience::Wait(5)),
        (rescue::Patience::Hedge(1), wit::Patience::Hedge(1)),
        (rescue::Patience::Abandon, wit::Patience::Abandon),
    ];
    for (said, expected) in patiences {
        give(&parrot.patience, said);
        let patience = parrot.stage().on_slow(&asked(), &ours, &TABLE);
        assert_eq!(format!("{patience:?}"), format!("{expected:?}"));
        assert_eq!(parrot.heard(), heard);
    }
}

#[test]
fn a_bargain_comes_back_as_it_was_said() {
    let parrot = Parrot::default();
    let bargains = [
        (rescue::Bargain::Abstain, wit::Bargain::Abstain),
        (rescue::Bargain::Accept, wit::Bargain::Accept),
        (rescue::Bargain::Renegotiate, wit::Bargain::Renegotiate),
        (rescue::Bargain::Next(1), wit::Bargain::Next(1)),
        (
            rescue::Bargain::Stop(their_refusal()),
            wit::Bargain::Stop(our_refusal()),
        ),
    ];
    for (said, expected) in bargains {
        give(&parrot.bargain, said);
        let (before, after) = (wit::Price { num: 1, den: 2 }, wit::Price { num: 3, den: 4 });
        let bargain = parrot
            .stage()
            .on_price_change(&asked(), before, after, &TABLE);
        assert_eq!(format!("{bargain:?}"), format!("{expected:?}"));
        assert_eq!(parrot.heard(), format!("{:?} 1/2 3/4 {:?}", job(), table()));
    }
}

#[test]
fn a_routing_comes_back_as_it_was_said() {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let change = sdk::byoc::Change {
        capability: Some("small".into()),
        only: vec!["https://a.test".into()],
        ignore: vec!["https://b.test".into(), "0x1".into()],
        max_price: Some(sdk::Price { num: 1, den: 2 }),
        timeout_ms: Some(3),
        labels: vec![pair("tier", "free")],
    };
    let expected = wit::Change {
        capability: Some("small".into()),
        only: vec!["https://a.test".into()],
        ignore: vec!["https://b.test".into(), "0x1".into()],
        max_price: Some(wit::Price { num: 1, den: 2 }),
        timeout_ms: Some(3),
        labels: vec![pair("tier", "free")],
    };
    let refused = sdk::Refusal {
        status: 402,
        reason: 1,
        message: "pay".into(),
    };
    let refusal = wit::Refusal {
        status: 402,
        reason: 1,
        message: "pay".into(),
    };
    let cases = [
        (sdk::byoc::Routing::Abstain, wit::Routing::Abstain),
        (
            sdk::byoc::Routing::Change(change),
            wit::Routing::Change(expected),
        ),
        (
            sdk::byoc::Routing::Reject(refused),
            wit::Routing::Reject(refusal),
        ),
    ];
    let parrot = Parrot::default();
    let stage = parrot.stage();
    let request = wit::Request {
        capability: "video",
        path: "/v1?fast=1",
        parameters: "{}",
        labels: &[("tier", "gold"), ("team", "red")],
    };
    let heard = sdk::byoc::Request {
        capability: "video".into(),
        path: "/v1?fast=1".into(),
        parameters: "{}".into(),
        labels: vec![pair("tier", "gold"), pair("team", "red")],
    };
    for (said, expected) in cases {
        give(&parrot.routing, said);
        assert_eq!(stage.route(&asked(), &request), expected);
        assert_eq!(parrot.heard(), format!("{:?} {heard:?}", job()));
    }
}
