//! What each policy costs: microseconds natively and as a component, and fuel. `cargo bench -p pointsman-default-bundle`, and behind
//! `--` the names of policies for only these.

#[path = "../tests/policies/ask.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod ask;
#[path = "../tests/policies/guest.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod guest;
#[path = "../../policy/benches/support/quantile.rs"]
mod quantile;

use std::hint::black_box;
use std::time::Instant;

use pointsman_default_bundle::{natives, stage};
use pointsman_facts::{Column as Name, values::Kind};
use pointsman_sdk::byoc::Request;
use pointsman_sdk::failover::{Attempt, Blame, Failure};
use pointsman_sdk::{Column, Fact, Job, Rng, Setting, Table, kind, symbol};

const ROUNDS: usize = 2000;

/// One policy, one table.
struct Cost {
    native_us: f64,
    component_us: f64,
    fuel: u64,
}

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    println!(
        "{:24} {:9} {:>6} {:>10} {:>12} {:>8}",
        "policy", "hook", "rows", "native µs", "component µs", "fuel"
    );
    for native in natives().iter().map(|native| native()) {
        let policy = native.describe().name;
        if !wanted.is_empty() && !wanted.contains(&policy) {
            continue;
        }
        for hook in native.hooks() {
            // A call of a container is routed before there are candidates.
            let tables: &[u32] = if hook == "byoc" {
                &[0]
            } else {
                &[10, 100, 1000]
            };
            for &rows in tables {
                let cost = match hook {
                    "failover" => failover(&policy, rows),
                    "byoc" => byoc(&policy),
                    _ => selection(&policy, rows),
                };
                println!(
                    "{policy:24} {hook:9} {rows:>6} {:>10.2} {:>12.2} {:>8}",
                    cost.native_us, cost.component_us, cost.fuel
                );
            }
        }
    }
}

fn selection(policy: &str, rows: u32) -> Cost {
    let settings = working(policy);
    let native = stage(policy, "selection", settings.clone())
        .expect("it is there")
        .expect("defaults are right");
    let plan = native.plan();
    let (job, table) = question(&plan.columns, &plan.facts, rows);
    let native_us = median(|| {
        let table = table.clone();
        let start = Instant::now();
        black_box(native.judge(&job, table));
        start
    });
    let (mut store, selector) = guest::selector(policy, &settings);
    let (their_job, their_table) = (guest::job(&job), guest::table(&table));
    let hook = selector.pointsman_policy_selection();
    let mut fuel = 0;
    let component_us = median(|| {
        store.set_fuel(guest::fuel(rows)).expect("fuel is on");
        let start = Instant::now();
        black_box(hook.call_judge(&mut store, &their_job, &their_table)).expect("it answers");
        fuel = guest::fuel(rows) - store.get_fuel().expect("fuel is on");
        start
    });
    Cost {
        native_us,
        component_us,
        fuel,
    }
}

/// What a call costs that a rule is about.
fn byoc(policy: &str) -> Cost {
    let settings = working(policy);
    let native = stage(policy, "byoc", settings.clone())
        .expect("it is there")
        .expect("settings are right");
    let (job, _) = question(&[], &native.plan().facts, 0);
    let request = Request {
        capability: "image".to_owned(),
        path: "/v1/generate".to_owned(),
        parameters: "{}".to_owned(),
        labels: vec![("tier".to_owned(), "nyc".to_owned())],
    };
    let native_us = median(|| {
        let start = Instant::now();
        black_box(native.route(&job, &request));
        start
    });
    let (mut store, router) = guest::router(policy, &settings);
    let (their_job, their_request) = (guest::job(&job), guest::request(&request));
    let hook = router.pointsman_policy_byoc();
    let mut fuel = 0;
    let component_us = median(|| {
        store.set_fuel(guest::fuel(0)).expect("fuel is on");
        let start = Instant::now();
        black_box(hook.call_route(&mut store, &their_job, &their_request)).expect("it answers");
        fuel = guest::fuel(0) - store.get_fuel().expect("fuel is on");
        start
    });
    Cost {
        native_us,
        component_us,
        fuel,
    }
}

/// The defaults; where these do nothing, the first settings that the tests vary.
fn working(policy: &str) -> Vec<Setting> {
    let idle = [
        "allow-block",
        "byoc-rules",
        "naap-plan",
        "region",
        "spend-budget",
    ];
    let mut varied = ask::varied().into_iter();
    let found = varied.find(|(known, _)| *known == policy && idle.contains(known));
    found.map_or_else(Vec::new, |(_, settings)| settings)
}

/// What a failure costs: the question that every failover stage is asked.
fn failover(policy: &str, rows: u32) -> Cost {
    let settings = working(policy);
    let native = stage(policy, "failover", settings.clone())
        .expect("it is there")
        .expect("defaults are right");
    let plan = native.plan();
    let (job, table) = question(&plan.columns, &plan.facts, rows);
    let failed = [Attempt {
        candidate: 1,
        row: Some(0),
        started_ms: 0,
        elapsed_ms: 300,
        running: false,
        failure: Some(Failure {
            blame: Blame::Network,
            kind: kind::RESET,
            retry_safe: true,
            http_status: 0,
            retry_after_ms: 0,
        }),
    }];
    let native_us = median(|| {
        let table = table.clone();
        let start = Instant::now();
        black_box(native.on_failure(&job, &failed, table));
        start
    });
    let (mut store, rescuer) = guest::rescuer(policy, &settings);
    let (their_job, their_table) = (guest::job(&job), guest::table(&table));
    let their_failed = failed.each_ref().map(guest::attempt);
    let hook = rescuer.pointsman_policy_failover();
    let mut fuel = 0;
    let component_us = median(|| {
        store.set_fuel(guest::fuel(rows)).expect("fuel is on");
        let start = Instant::now();
        black_box(hook.call_on_failure(&mut store, &their_job, &their_failed, &their_table))
            .expect("it answers");
        fuel = guest::fuel(rows) - store.get_fuel().expect("fuel is on");
        start
    });
    Cost {
        native_us,
        component_us,
        fuel,
    }
}

/// The median time of a question, µs. `ask` gives when it started.
fn median(mut ask: impl FnMut() -> Instant) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| ask().elapsed().as_secs_f64() * 1e6)
        .collect();
    quantile::median(&mut times)
}

fn question(columns: &[String], facts: &[String], rows: u32) -> (Job, Table) {
    let mut rng = Rng::new(rows.into());
    let columns = columns
        .iter()
        .map(|name| column(&mut rng, name, rows))
        .collect();
    let fact = |name: &String| match name.trim_start_matches('?') {
        "max-price" => Fact::Number(2000.0),
        "soft-ms" | "segment-ms" => Fact::Count(2000),
        "spend/hour" => Fact::Number(600.0),
        _ => Fact::Unknown,
    };
    let job = Job {
        now_ms: 1_700_000_000_000,
        seed: 1,
        workload: symbol("transcode"),
        capability: symbol("transcode"),
        model: symbol("image"),
        affinity: 1,
        deadline_ms: 6000,
        units: 0,
        facts: facts.iter().map(fact).collect(),
    };
    (job, Table { rows, columns })
}

/// Mostly good candidates, as in a network that works.
fn column(rng: &mut Rng, name: &str, rows: u32) -> Column {
    let name = name.strip_prefix('?').unwrap_or(name);
    let kind = Name::parse(name).map_or(Kind::Numbers, |name| name.kind());
    match (name, kind) {
        ("rest-ms" | "in-flight", _) => {
            Column::Counts((0..rows).map(|_| u64::from(rng.below(10) / 9)).collect())
        }
        // As of a job without hints.
        ("fit/why", _) => Column::Counts((0..rows).map(|_| u64::from(rng.below(5) == 0)).collect()),
        ("hint/place", _) => Column::Counts(vec![u64::MAX; rows as usize]),
        ("incumbent", _) => Column::Marks(vec![0; rows as usize]),
        (_, Kind::Marks) => Column::Marks((0..rows).map(|_| u8::from(rng.below(5) > 0)).collect()),
        (_, Kind::Counts) => {
            Column::Counts((0..rows).map(|_| u64::from(1 + rng.below(1000))).collect())
        }
        (_, Kind::Numbers) => Column::Numbers((0..rows).map(|_| rng.unit() * 1000.0).collect()),
        (_, Kind::Symbols) => Column::Symbols((0..rows).map(|_| rng.next()).collect()),
    }
}
