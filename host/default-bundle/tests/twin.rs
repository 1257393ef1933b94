//! A component and its native twin, asked the same, say the same; and a component stays within its fuel.

mod guest;

use guest::host::exports::pointsman::policy::selection as theirs;
use guest::rescue::exports::pointsman::policy::failover as rescue;
use pointsman_default_bundle::stage;
use pointsman_facts::{Column as Name, values::Kind};
use pointsman_sdk::failover::{Attempt, Blame, Failure, Recovery};
use pointsman_sdk::{
    Column, Exclusion, Fact, Job, Rng, Setting, Table, Value, Verdict, kind, symbol,
};

fn set(key: &str, value: impl Into<Value>) -> Setting {
    Setting {
        key: key.to_owned(),
        value: value.into(),
    }
}

fn text(key: &str, value: &str) -> Setting {
    set(key, Value::Text((value.to_owned(), symbol(value))))
}

/// A value that is now and then unknown.
fn sometimes<T>(rng: &mut Rng, unknown: T, known: impl FnOnce(&mut Rng) -> T) -> T {
    if rng.below(10) == 0 {
        unknown
    } else {
        known(rng)
    }
}

/// A column as a host might hand it over.
fn column(rng: &mut Rng, name: &str, rows: u32) -> Column {
    let rows = 0..rows;
    let name = name.strip_prefix('?').unwrap_or(name);
    match Name::parse(name)
        .expect("a policy asks for what there is")
        .kind()
    {
        Kind::Numbers => {
            let scale = if name.ends_with("rate") || name == "latency-score" {
                1.2
            } else {
                3000.0
            };
            Column::Numbers(
                rows.map(|_| sometimes(rng, f64::NAN, |rng| rng.unit() * scale))
                    .collect(),
            )
        }
        Kind::Counts => Column::Counts(
            rows.map(|_| {
                sometimes(rng, u64::MAX, |rng| {
                    if rng.below(2) == 0 {
                        0
                    } else {
                        u64::from(rng.below(2000))
                    }
                })
            })
            .collect(),
        ),
        Kind::Marks => Column::Marks(
            rows.map(|_| sometimes(rng, 2, |rng| u8::from(rng.below(4) > 0)))
                .collect(),
        ),
        Kind::Symbols => Column::Symbols(rows.map(|_| rng.next()).collect()),
    }
}

fn question(rng: &mut Rng, columns: &[String], facts: usize) -> (Job, Table) {
    let rows = [0, 1, 2, 10, 100, 400][rng.below(6) as usize];
    let job = Job {
        now_ms: rng.next() >> 24,
        seed: rng.next(),
        workload: symbol("transcode"),
        capability: symbol("transcode"),
        model: 0,
        affinity: rng.next(),
        deadline_ms: rng.below(10_000),
        units: rng.next(),
        facts: (0..facts)
            .map(|_| match rng.below(3) {
                0 => Fact::Unknown,
                1 => Fact::Number(rng.unit() * 10.0),
                _ => Fact::Count(u64::from(rng.below(2000))),
            })
            .collect(),
    };
    let columns = columns.iter().map(|name| column(rng, name, rows)).collect();
    (job, Table { rows, columns })
}

/// As text that is equal for equal answers; NaN included.
fn shown(excluded: &[(u32, u16, f64)]) -> String {
    format!("{excluded:?}")
}

fn ours(verdict: &Verdict) -> String {
    let excluded = |excluded: &[Exclusion]| {
        shown(
            &excluded
                .iter()
                .map(|e| (e.row, e.reason, e.value))
                .collect::<Vec<_>>(),
        )
    };
    match verdict {
        Verdict::Abstain => "abstain".to_owned(),
        Verdict::Exclude(rows) => excluded(rows),
        Verdict::Score(scoring) => format!("{} {:?}", excluded(&scoring.excluded), scoring.scores),
        Verdict::Order(ranking) => format!("{} {:?}", excluded(&ranking.excluded), ranking.order),
        other => panic!("the default policies do not say {other:?}"),
    }
}

fn guests(verdict: &theirs::Verdict) -> String {
    let excluded = |excluded: &[theirs::Exclusion]| {
        shown(
            &excluded
                .iter()
                .map(|e| (e.row, e.reason, e.value))
                .collect::<Vec<_>>(),
        )
    };
    match verdict {
        theirs::Verdict::Abstain => "abstain".to_owned(),
        theirs::Verdict::Exclude(rows) => excluded(rows),
        theirs::Verdict::Score(scoring) => {
            format!("{} {:?}", excluded(&scoring.excluded), scoring.scores)
        }
        theirs::Verdict::Order(ranking) => {
            format!("{} {:?}", excluded(&ranking.excluded), ranking.order)
        }
        other => panic!("the default policies do not say {other:?}"),
    }
}

#[test]
fn selection_answers_alike_and_within_its_fuel() {
    let drawn = || {
        vec![
            text("model", "probability"),
            set("probability.price", 0.2),
            set("probability.stake", 0.5),
            set("probability.min-perf-score", 0.5),
        ]
    };
    let cases = [
        ("capability.wasm", vec![]),
        ("price-ceiling.wasm", vec![]),
        ("price-ceiling.wasm", vec![text("unknown", "exclude")]),
        ("rank.wasm", vec![]),
        ("rank.wasm", vec![set("stake", 0.5), set("step", 0.0001)]),
        ("rank.wasm", drawn()),
    ];
    let mut rng = Rng::new(11);
    for (component, settings) in cases {
        let native = stage(component, "selection", settings.clone())
            .expect("it is there")
            .expect("settings are right");
        let plan = native.plan();
        let (mut store, selector) = guest::selector(component, &settings);
        for _ in 0..150 {
            let (job, table) = question(&mut rng, &plan.columns, plan.facts.len());
            store.set_fuel(guest::fuel(table.rows)).expect("fuel is on");
            let verdict = selector
                .pointsman_policy_selection()
                .call_judge(&mut store, &guest::job(&job), &guest::table(&table))
                .expect("it answers within its fuel");
            assert_eq!(
                guests(&verdict),
                ours(&native.judge(&job, table)),
                "{component} {settings:?}"
            );
        }
        assert!(
            store.data().0.is_empty(),
            "{component} has nothing to say: {:?}",
            store.data().0
        );
    }
}

#[test]
fn a_component_tells_who_stopped_answering_from_who_cannot_do_the_job() {
    let native = stage("capability.wasm", "selection", Vec::new())
        .expect("it is there")
        .expect("defaults are right");
    let plan = native.plan();
    let columns = plan.columns.iter().map(|name| match name.as_str() {
        "fit" => Column::Marks(vec![1, 0, 0, 2]),
        "answers" => Column::Marks(vec![1, 1, 0, 2]),
        _ => Column::Counts(vec![0; 4]),
    });
    let table = Table {
        rows: 4,
        columns: columns.collect(),
    };
    let (mut store, selector) = guest::selector("capability.wasm", &[]);
    let job = question(&mut Rng::new(1), &[], 0).0;
    let verdict = selector
        .pointsman_policy_selection()
        .call_judge(&mut store, &guest::job(&job), &guest::table(&table))
        .expect("it answers");
    let theirs::Verdict::Exclude(excluded) = verdict else {
        panic!("it filters: {verdict:?}")
    };
    let cause = |excluded: &theirs::Exclusion| {
        let cause = &plan.causes[usize::from(excluded.reason)];
        (excluded.row, cause.text.as_str())
    };
    assert_eq!(
        excluded.iter().map(cause).collect::<Vec<_>>(),
        [
            (1, "cannot do this job"),
            (2, "does not answer"),
            (3, "not probed yet")
        ]
    );
}

#[test]
fn failover_answers_alike() {
    let native = stage("failover", "failover", Vec::new())
        .expect("it is there")
        .expect("defaults are right");
    let facts = native.plan().facts.len();
    let (mut store, rescuer) = guest::instantiate("failover.wasm", |store, component, linker| {
        guest::rescue::Rescuer::instantiate(store, component, linker)
            .expect("it imports the log only")
    });
    let plan = rescuer
        .pointsman_policy_policy()
        .call_configure(&mut store, "failover", &[]);
    assert!(matches!(plan, Ok(Ok(_))));
    let mut rng = Rng::new(12);
    for _ in 0..300 {
        let (job, table) = question(&mut rng, &[], facts);
        let number = rng.below(23) as u16;
        let retry_safe = rng.below(4) > 0;
        let failure = Failure {
            blame: Blame::Orchestrator,
            kind: number,
            retry_safe,
            http_status: 500,
            retry_after_ms: 5,
        };
        let attempt = Attempt {
            candidate: 1,
            row: Some(0),
            started_ms: 0,
            elapsed_ms: rng.below(900),
            running: false,
            failure: Some(failure),
        };
        let theirs = rescue::Attempt {
            candidate: 1,
            row: Some(0),
            started_ms: 0,
            elapsed_ms: attempt.elapsed_ms,
            running: false,
            failure: Some(rescue::Failure {
                blame: rescue::Blame::Orchestrator,
                kind: number,
                retry_safe,
                http_status: 500,
                retry_after_ms: 5,
            }),
        };
        store.set_fuel(guest::fuel(table.rows)).expect("fuel is on");
        let remedy = rescuer
            .pointsman_policy_failover()
            .call_on_failure(
                &mut store,
                &guest::job(&job),
                &[theirs],
                &guest::table(&table),
            )
            .expect("it answers within its fuel");
        let ours = native.on_failure(&job, &[attempt], table);
        assert_eq!(remedy.rest_ms, ours.rest_ms);
        assert_eq!(
            format!("{:?}", remedy.recovery),
            format!("{:?}", ours.recovery)
        );
        assert_eq!(
            matches!(ours.recovery, Recovery::RetrySame(0)),
            retry_safe && number == kind::TOKEN
        );
    }
}

#[test]
fn a_panic_reaches_the_log_with_its_reason() {
    let (mut store, selector) = guest::selector("capability.wasm", &[]);
    let job = question(&mut Rng::new(1), &[], 0).0;
    let wrong = Table {
        rows: 1,
        columns: vec![
            Column::Counts(vec![1]),
            Column::Marks(vec![1]),
            Column::Counts(vec![0]),
        ],
    };
    let hook = selector.pointsman_policy_selection();
    let answer = hook.call_judge(&mut store, &guest::job(&job), &guest::table(&wrong));
    assert!(answer.is_err(), "it traps");
    let [message] = store.data().0.as_slice() else {
        panic!("one message: {:?}", store.data().0)
    };
    assert!(
        message.contains("the column \"fit\" holds counts, not marks"),
        "{message}"
    );
}

#[test]
fn a_wrong_setting_is_refused_with_what_to_write() {
    let (mut store, selector) = guest::selector("rank.wasm", &[]);
    let wrong = [
        set("keep-margin", 7),
        set("latncy", 1),
        text("model", "best"),
    ]
    .map(|wrong| guest::setting(&wrong));
    let answer = selector
        .pointsman_policy_policy()
        .call_configure(&mut store, "selection", &wrong);
    let problems = answer.expect("no trap").expect_err("all are wrong");
    let said: Vec<String> = problems
        .into_iter()
        .map(|problem| format!("{}: {}", problem.key, problem.message))
        .collect();
    assert!(
        said.contains(&"keep-margin: must be a number from 0 to 1".to_owned()),
        "{said:?}"
    );
    assert!(
        said.contains(&"model: must be one of: weighted, probability".to_owned()),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|said| said.starts_with("latncy: no such setting; there is:")),
        "{said:?}"
    );
    let answer = selector
        .pointsman_policy_policy()
        .call_configure(&mut store, "byoc", &[]);
    assert!(answer.expect("no trap").is_err(), "it has no such hook");
}
