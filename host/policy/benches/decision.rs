//! What a decision costs: the default chain as components, and natively, in one run.
//!
//! `cargo bench -p pointsman-policy`. Everything is in it that a gateway pays: shuffle, columns, three stages with
//! their limits on, the host's own checks, the record. Rounds of the two alternate, since machines change their speed; compare
//! the ratio between runs and not the microseconds.
//!
//! Then how decisions per second grow from one core to two, which need two that are idle.
//!
//! And what a start costs: from a bundle in memory to its first decision, with nothing compiled and from the compiled cache; and a fresh instance.

#[path = "../tests/support/fleet.rs"]
mod fleet;
#[path = "support/job.rs"]
mod job;
#[path = "support/quantile.rs"]
mod quantile;
#[path = "../tests/support/twin.rs"]
mod twin;

use std::hint::black_box;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use fleet::Fleet;
use job::job;
use pointsman_policy::vectors::Rig;
use pointsman_policy::{Config, Hook, Host, Limits};
use quantile::{median, quantile};
use twin::{default_bundle, twins};

/// The budget, µs: rows, p50, p99.
const BUDGET: [(usize, f64, Option<f64>); 3] =
    [(10, 4.0, None), (100, 9.0, Some(20.0)), (1000, 60.0, None)];
const ROUNDS: usize = 60;
/// Time of one side in a round.
const ROUND: Duration = Duration::from_millis(8);

fn main() {
    let host = || Host::new(Config::default(), Some(twins())).expect("an engine");
    let (wasm, native) = (host(), host());
    let started = Instant::now();
    let loaded = wasm
        .load(&default_bundle())
        .expect("the embedded bundle loads");
    println!("loaded in {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    wasm.activate(loaded, "bench");
    let loaded = native.load_native(&default_bundle()).expect("it has twins");
    native.activate(loaded, "bench");

    println!("decision, default chain, µs");
    println!("  rows |  wasm p50    p99  p99.9 | native p50    p99 | ratio |  fuel | budget");
    for (rows, p50, p99) in BUDGET {
        let fleet = Fleet::new(rows, 7, 2);
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        round(&wasm, &fleet, 0);
        round(&native, &fleet, 0);
        for n in 1..=ROUNDS {
            let (mut a, mut b) = (round(&wasm, &fleet, n), round(&native, &fleet, n));
            ratios.push(median(&mut a) / median(&mut b));
            ours.append(&mut a);
            theirs.append(&mut b);
        }
        let decision = &wasm.decisions().latest(1)[0];
        assert!(decision.fault.is_none() && !decision.order().is_empty());
        let (half, rare) = (median(&mut ours), quantile(&mut ours, 0.99));
        let verdict = if half < p50 && p99.is_none_or(|most| rare < most) {
            "met"
        } else {
            "MISSED"
        };
        let most = p99.map_or(String::new(), |most| format!(", p99 {most}"));
        println!(
            "{rows:>6} | {half:>9.2} {rare:>6.2} {:>6.1} | {:>10.2} {:>6.2} | {:>5.2} | {:>5} | p50 {p50}{most}: {verdict}",
            quantile(&mut ours, 0.999),
            median(&mut theirs),
            quantile(&mut theirs, 0.99),
            median(&mut ratios),
            decision.fuel,
        );
    }
    cores(&wasm);
    starts();
    instances();
}

/// Decisions that two cores make in the time in which one makes one, at least.
const SCALES: f64 = 1.5;
/// Time of so many threads in a round.
const TURN: Duration = Duration::from_millis(40);

/// Decisions per second on one core and on two, through one host.
fn cores(host: &Host) {
    println!("decisions per second, default chain");
    println!("  rows | one core  two cores | ratio | budget");
    for (rows, ..) in BUDGET {
        let fleet = Fleet::new(rows, 7, 2);
        let (mut one, mut two, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..ROUNDS / 2 {
            let mut turns = [1, 2];
            if n % 2 == 1 {
                turns.reverse();
            }
            let mut rates = turns.map(|threads| (threads, rate(host, &fleet, threads)));
            rates.sort_by_key(|(threads, _)| *threads);
            let [(_, alone), (_, both)] = rates;
            ratios.push(both / alone);
            one.push(alone);
            two.push(both);
        }
        let ratio = median(&mut ratios);
        let verdict = if ratio > SCALES { "met" } else { "MISSED" };
        println!(
            "{rows:>6} | {:>8.0} {:>10.0} | {ratio:>5.2} | over {SCALES}: {verdict}",
            median(&mut one),
            median(&mut two),
        );
    }
}

/// Decisions per second of `threads` threads together, over [`TURN`].
fn rate(host: &Host, fleet: &Fleet, threads: u64) -> f64 {
    let start = Barrier::new(threads as usize);
    let decide = |thread: u64| {
        let (mut job, mut decided) = (job(thread << 48), 0u32);
        start.wait();
        let began = Instant::now();
        while began.elapsed() < TURN {
            job.seed += 1;
            black_box(host.select(job.clone(), fleet));
            decided += 1;
        }
        f64::from(decided) / began.elapsed().as_secs_f64()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn({
                    let decide = &decide;
                    move || decide(thread)
                })
            })
            .collect();
        let rates = threads.into_iter().map(|thread| thread.join());
        rates.map(|rate| rate.expect("it decides")).sum()
    })
}

/// From a bundle to its first decision, ms: cold and from the compiled cache.
const START: [f64; 2] = [400.0, 10.0];
/// A fresh instance, configured, µs.
const FRESH: f64 = 45.0;

fn starts() {
    println!("load to first decision, default bundle, ms");
    let folder = tempfile::tempdir().expect("a folder");
    let mut cold: Vec<_> = (0..5)
        .map(|n| start(&folder.path().join(n.to_string())))
        .collect();
    let kept = folder.path().join("0");
    let mut cached: Vec<_> = (0..31).map(|_| start(&kept)).collect();
    let figures = [("cold", &mut cold), ("cached", &mut cached)];
    for ((name, times), budget) in figures.into_iter().zip(START) {
        let half = median(times);
        let verdict = if half < budget { "met" } else { "MISSED" };
        println!("{name:>6} | p50 {half:>7.2} | budget {budget}: {verdict}");
    }
}

/// A host of its own loads the default bundle with that cache: ms from there to the first decision.
fn start(cache: &Path) -> f64 {
    let config = Config {
        cache: Some(cache.to_owned()),
        ..Config::default()
    };
    let host = Host::new(config, Some(twins())).expect("an engine");
    let (bundle, fleet) = (default_bundle(), Fleet::new(100, 7, 2));
    let started = Instant::now();
    let loaded = host.load(&bundle).expect("the embedded bundle loads");
    host.activate(loaded, "bench");
    let selection = host.select(job(1), &fleet);
    let took = started.elapsed().as_secs_f64() * 1e3;
    assert!(selection.decision.fault.is_none());
    took
}

fn instances() {
    println!("a fresh instance, configured, on demand, µs");
    let (rig, bundle) = (Rig::new().expect("an engine"), default_bundle());
    for stage in &bundle.manifest().selection {
        let file = bundle.files().find(|(name, _)| *name == stage.component);
        let (name, bytes) = file.expect("it is in the bundle");
        let subject = rig
            .subject(
                name,
                bytes,
                Hook::Selection,
                &stage.settings,
                Limits::default(),
            )
            .expect("a good stage");
        let fresh = || {
            let started = Instant::now();
            drop(black_box(subject.fresh().expect("as before")));
            started.elapsed().as_secs_f64() * 1e6
        };
        let mut times: Vec<_> = (0..2000).map(|_| fresh()).collect();
        let half = median(&mut times);
        let verdict = if half < FRESH { "met" } else { "MISSED" };
        println!("{name:>20} | p50 {half:>6.1} | budget {FRESH}: {verdict}");
    }
}

/// Decisions for [`ROUND`], each with a seed of its own: µs each.
fn round(host: &Host, fleet: &Fleet, n: usize) -> Vec<f64> {
    let mut times = Vec::new();
    let mut job = job((n as u64) << 32);
    let began = Instant::now();
    while began.elapsed() < ROUND {
        job.seed += 1;
        let asked = Arc::new(job.clone());
        let started = Instant::now();
        black_box(host.select(asked, fleet));
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    times
}
