//! What each stage costs: microseconds natively and as a component, and fuel. `cargo bench -p pointsman-default-bundle`.

#[path = "../tests/guest/mod.rs"]
mod guest;

use std::hint::black_box;
use std::time::Instant;

use pointsman_default_bundle::stage;
use pointsman_facts::{Column as Name, values::Kind};
use pointsman_sdk::{Column, Fact, Job, Rng, Table, symbol};

const ROUNDS: usize = 2000;

fn main() {
    println!(
        "{:16} {:>6} {:>10} {:>12} {:>8}",
        "stage", "rows", "native µs", "component µs", "fuel"
    );
    for component in ["capability.wasm", "price-ceiling.wasm", "rank.wasm"] {
        for rows in [10, 100, 1000] {
            measure(component, rows);
        }
    }
}

fn measure(component: &str, rows: u32) {
    let native = stage(component, "selection", Vec::new())
        .expect("it is there")
        .expect("defaults are right");
    let plan = native.plan();
    let mut rng = Rng::new(rows.into());
    let columns = plan
        .columns
        .iter()
        .map(|name| column(&mut rng, name, rows))
        .collect();
    let table = Table { rows, columns };
    let job = job(plan.facts.iter().map(|name| {
        if name == "max-price" {
            Fact::Number(2000.0)
        } else {
            Fact::Unknown
        }
    }));

    let natively = median(|| {
        let table = table.clone();
        let start = Instant::now();
        black_box(native.judge(&job, table));
        start
    });
    let (mut store, selector) = guest::selector(component, &[]);
    let (their_job, their_table) = (guest::job(&job), guest::table(&table));
    let hook = selector.pointsman_policy_selection();
    let mut fuel = 0;
    let as_component = median(|| {
        store.set_fuel(guest::fuel(rows)).expect("fuel is on");
        let start = Instant::now();
        black_box(hook.call_judge(&mut store, &their_job, &their_table)).expect("it answers");
        fuel = guest::fuel(rows) - store.get_fuel().expect("fuel is on");
        start
    });
    println!("{component:16} {rows:>6} {natively:>10.2} {as_component:>12.2} {fuel:>8}");
}

/// The median time of a question, µs. `ask` gives when it started.
fn median(mut ask: impl FnMut() -> Instant) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| ask().elapsed().as_secs_f64() * 1e6)
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

/// Mostly good candidates, as in a network that works.
fn column(rng: &mut Rng, name: &str, rows: u32) -> Column {
    let name = name.strip_prefix('?').unwrap_or(name);
    match (
        name,
        Name::parse(name)
            .expect("a policy asks for what there is")
            .kind(),
    ) {
        ("rest-ms" | "in-flight", _) => {
            Column::Counts((0..rows).map(|_| u64::from(rng.below(10) / 9)).collect())
        }
        (_, Kind::Marks) => Column::Marks((0..rows).map(|_| u8::from(rng.below(5) > 0)).collect()),
        (_, Kind::Counts) => {
            Column::Counts((0..rows).map(|_| u64::from(1 + rng.below(1000))).collect())
        }
        (_, Kind::Numbers) => Column::Numbers((0..rows).map(|_| rng.unit() * 1000.0).collect()),
        (_, Kind::Symbols) => Column::Symbols((0..rows).map(|_| rng.next()).collect()),
    }
}

fn job(facts: impl Iterator<Item = Fact>) -> Job {
    Job {
        now_ms: 1_700_000_000_000,
        seed: 1,
        workload: symbol("transcode"),
        capability: symbol("transcode"),
        model: 0,
        affinity: 1,
        deadline_ms: 6000,
        units: 0,
        facts: facts.collect(),
    }
}
