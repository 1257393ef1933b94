//! Written by `pointsman policy bench`: the policy without its component, asked one question many times.

use std::hint::black_box;
use std::time::{Duration, Instant};

use pointsman_sdk::byoc::Request;
use pointsman_sdk::failover::{Attempt, Blame, Failure};
#[allow(unused_imports)]
use pointsman_sdk::{Column, Fact, Job, Setting, Table, Value};

const HOOK: &str = "{{hook}}";

fn main() {
    let path = std::env::args().nth(1).expect("the question's file");
    let bytes = std::fs::read(path).expect("the question");
    let mut words = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
    let mut next = move || words.next().expect("a whole question");
    let (rows, columns, facts) = (next(), next(), next());
    let mut column = || {
        let kind = next();
        let values: Vec<u64> = (0..rows).map(|_| next()).collect();
        match kind {
            0 => Column::Numbers(values.into_iter().map(f64::from_bits).collect()),
            1 => Column::Counts(values),
            2 => Column::Marks(values.into_iter().map(|mark| mark as u8).collect()),
            _ => Column::Symbols(values),
        }
    };
    let columns: Vec<Column> = (0..columns).map(|_| column()).collect();
    let mut fact = || match (next(), next()) {
        (1, bits) => Fact::Number(f64::from_bits(bits)),
        (2, value) => Fact::Count(value),
        (3, value) => Fact::Mark(value == 1),
        (4, value) => Fact::Symbol(value),
        _ => Fact::Unknown,
    };
    let facts: Vec<Fact> = (0..facts).map(|_| fact()).collect();
    let transcode = pointsman_sdk::symbol("transcode");
    let job = Job {
        now_ms: 1_700_000_000_000,
        seed: 1,
        workload: transcode,
        capability: transcode,
        model: 0,
        affinity: 7,
        deadline_ms: 6000,
        units: 1280 * 720 * 60,
        facts,
    };
    let failure = Failure { blame: Blame::Orchestrator, kind: 5, retry_safe: true, http_status: 500, retry_after_ms: 0 };
    let failed =
        [Attempt { candidate: 1, row: Some(0), started_ms: 0, elapsed_ms: 700, running: false, failure: Some(failure) }];
    let request = Request {
        capability: "image".to_owned(),
        path: "/v1/generate?fast=1".to_owned(),
        parameters: "{\"steps\":30}".to_owned(),
        labels: vec![("tier".to_owned(), "free".to_owned())],
    };
    let settings = vec![{{settings}}];
    let stage = policy::pointsman_native().stage(HOOK, settings).expect("the policy has the hook");
    let stage = stage.expect("the settings are those of the bundle");
    let table = Table { rows: rows as u32, columns };
    // A component is handed copies, too.
    let ask = || match HOOK {
        "selection" => drop(black_box(stage.judge(black_box(&job), table.clone()))),
        "byoc" => drop(black_box(stage.route(black_box(&job), &request))),
        _ => drop(black_box(stage.on_failure(black_box(&job), &failed, table.clone()))),
    };
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(50) {
        ask();
    }
    let (mut times, began) = (Vec::new(), Instant::now());
    while times.len() < 200_000 && (began.elapsed() < Duration::from_millis(400) || times.len() < 30) {
        let started = Instant::now();
        ask();
        times.push(started.elapsed().as_nanos());
    }
    times.sort_unstable();
    println!("{}", times[times.len() / 2] as f64 / 1000.0);
}
