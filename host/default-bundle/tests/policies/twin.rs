//! A component and its native twin, asked the same, say the same; and a component stays within its fuel.

use pointsman_default_bundle::{library, natives, stage};
use pointsman_sdk::native::Stage;
use pointsman_sdk::{Column, Price, Rng, Setting, Table};

use crate::ask::{self, set, text};
use crate::guest;

/// Every policy that has `hook`, with its defaults and with more.
fn cases(hook: &str) -> Vec<(String, Vec<Setting>)> {
    let policies: Vec<String> = natives()
        .iter()
        .map(|native| native())
        .filter(|native| native.hooks().any(|known| known == hook))
        .map(|native| native.describe().name)
        .collect();
    let varied = ask::varied();
    for (policy, _) in &varied {
        assert!(
            library()
                .iter()
                .any(|(file, _)| file.strip_suffix(".wasm") == Some(policy)),
            "{policy} is none of the library"
        );
    }
    for policy in &policies {
        assert!(
            varied.iter().any(|(known, _)| known == policy),
            "{policy} has no settings to vary in tests/ask"
        );
    }
    let plain = policies
        .iter()
        .map(|policy| (policy.clone(), ask::needed(policy)));
    let more = varied
        .into_iter()
        .map(|(policy, settings)| (policy.to_owned(), settings))
        .filter(|(policy, _)| policies.contains(policy));
    plain.chain(more).collect()
}

fn native(policy: &str, hook: &str, settings: &[Setting]) -> Box<dyn Stage> {
    stage(policy, hook, settings.to_vec())
        .expect("it is there")
        .unwrap_or_else(|problems| panic!("{policy}: {problems:?}"))
}

#[test]
fn selection_answers_alike_and_within_its_fuel() {
    let mut rng = Rng::new(11);
    for (policy, settings) in cases("selection") {
        let native = native(&policy, "selection", &settings);
        let plan = native.plan();
        let (mut store, selector) = guest::selector(&policy, &settings);
        let mut abstained = 0;
        for _ in 0..120 {
            let (job, table) = ask::question(&mut rng, &plan.columns, plan.facts.len());
            store.set_fuel(guest::fuel(table.rows)).expect("fuel is on");
            let verdict = selector
                .pointsman_policy_selection()
                .call_judge(&mut store, &guest::job(&job), &guest::table(&table))
                .unwrap_or_else(|error| panic!("{policy} with {} rows: {error:?}", table.rows));
            let ours = format!("{:?}", native.judge(&job, table));
            assert_eq!(format!("{verdict:?}"), ours, "{policy} {settings:?}");
            abstained += u32::from(ours == "Verdict::Abstain");
        }
        assert!(
            settings.is_empty() || abstained < 120,
            "{policy} is never asked what it has an opinion on"
        );
        assert!(
            store.data().0.is_empty(),
            "{policy} has nothing to say: {:?}",
            store.data().0
        );
    }
}

#[test]
fn byoc_answers_alike_and_within_its_fuel() {
    let mut rng = Rng::new(13);
    for (policy, settings) in cases("byoc") {
        let native = native(&policy, "byoc", &settings);
        let facts = native.plan().facts.len();
        let (mut store, router) = guest::router(&policy, &settings);
        let mut abstained = 0;
        for _ in 0..200 {
            let (job, _) = ask::question(&mut rng, &[], facts);
            let request = ask::request(&mut rng);
            store.set_fuel(guest::fuel(0)).expect("fuel is on");
            let there = router
                .pointsman_policy_byoc()
                .call_route(&mut store, &guest::job(&job), &guest::request(&request))
                .expect("it answers within its fuel");
            let here = format!("{:?}", native.route(&job, &request));
            assert_eq!(format!("{there:?}"), here, "{policy} {settings:?}");
            abstained += u32::from(here == "Routing::Abstain");
        }
        assert!(
            settings.len() == 1 || (1..200).contains(&abstained),
            "{policy} {settings:?} answers all calls alike"
        );
    }
}

#[test]
fn failover_answers_alike_and_within_its_fuel() {
    let mut rng = Rng::new(12);
    for (policy, settings) in cases("failover") {
        let native = native(&policy, "failover", &settings);
        let plan = native.plan();
        let (mut store, rescuer) = guest::rescuer(&policy, &settings);
        let hook = rescuer.pointsman_policy_failover();
        for _ in 0..200 {
            let (job, table) = ask::question(&mut rng, &plan.columns, plan.facts.len());
            let attempts = ask::attempts(&mut rng, table.rows);
            let (job_there, table_there) = (guest::job(&job), guest::table(&table));
            let attempts_there: Vec<_> = attempts.iter().map(guest::attempt).collect();
            let fuel = guest::fuel(table.rows);

            store.set_fuel(fuel).expect("fuel is on");
            let there = hook
                .call_on_failure(&mut store, &job_there, &attempts_there, &table_there)
                .expect("it answers within its fuel");
            let here = native.on_failure(&job, &attempts, table.clone());
            assert_eq!(format!("{there:?}"), format!("{here:?}"), "{policy}");

            store.set_fuel(fuel).expect("fuel is on");
            let there = hook
                .call_on_slow(&mut store, &job_there, &attempts_there, &table_there)
                .expect("it answers within its fuel");
            let here = native.on_slow(&job, &attempts, table.clone());
            assert_eq!(format!("{there:?}"), format!("{here:?}"), "{policy}");

            let [before, after] = [rng.next() >> 40, rng.next() >> 40].map(|num| Price {
                num,
                den: u64::from(1 + rng.below(99)),
            });
            store.set_fuel(fuel).expect("fuel is on");
            let there = hook
                .call_on_price_change(
                    &mut store,
                    &job_there,
                    guest::price(before),
                    guest::price(after),
                    &table_there,
                )
                .expect("it answers within its fuel");
            let here = native.on_price_change(&job, before, after, table);
            assert_eq!(format!("{there:?}"), format!("{here:?}"), "{policy}");
        }
    }
}

#[test]
fn a_panic_reaches_the_log_with_its_reason() {
    let plan = native("capability", "selection", &[]).plan();
    let (mut store, selector) = guest::selector("capability", &[]);
    let job = ask::question(&mut Rng::new(1), &[], plan.facts.len()).0;
    let wrong = Table {
        rows: 1,
        columns: plan
            .columns
            .iter()
            .map(|_| Column::Marks(vec![0]))
            .collect(),
    };
    let hook = selector.pointsman_policy_selection();
    let answer = hook.call_judge(&mut store, &guest::job(&job), &guest::table(&wrong));
    assert!(answer.is_err(), "it traps");
    let [message] = store.data().0.as_slice() else {
        panic!("one message: {:?}", store.data().0)
    };
    assert!(
        message.contains("the column \"fit/why\" holds marks, not counts"),
        "{message}"
    );
}

#[test]
fn a_wrong_setting_is_refused_with_what_to_write() {
    let (mut store, selector) = guest::selector("lowest-price", &[]);
    let wrong = [
        set("keep-margin", -7),
        set("latncy", 1),
        text("of", "the best"),
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
        said.contains(&"keep-margin: must be a number from 0 to 1000".to_owned()),
        "{said:?}"
    );
    assert!(
        said.contains(&"of: must be one of: quoted, effective".to_owned()),
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
