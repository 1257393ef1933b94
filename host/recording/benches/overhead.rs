//! What recording adds to a decision: the default chain over a real directory's candidates, with and without a recorder, in one run.
//!
//! `cargo bench -p pointsman-recording`. "decided" is what a job waits for, from the question for its candidates to their order. "end" is what follows
//! when the job is over: the record goes to the recorder, and what the decision made is freed. The budget is for both together. The writer's own thread is
//! in neither, but it shares the machine. Rounds of the two sides alternate, since machines change their speed: each share is the median over
//! rounds. Between rounds the writer catches up, as it does between real jobs.
//!
//! Everyone has some history, and one in ten runs an attempt.
//!
//! Where nothing can be timed, instructions can be counted: `with 10` and `without 10` after the program's name decide among ten, with a recorder and
//! without, and `valgrind --tool=callgrind --toggle-collect='*Bench*round*'` counts what those decisions take.
//!
//! Then how many decisions a second one core makes, and two, with and without, in bursts that the writer has time to write.

#[path = "../../policy/benches/support/job.rs"]
mod job;
#[path = "../../policy/benches/support/quantile.rs"]
mod quantile;

use std::hint::black_box;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use job::job;
use pointsman_default_bundle as embedded;
use pointsman_directory::{Ask, Asking, Clock, Directory, Outcome, Query, Running, Sources};
use pointsman_facts::{Candidates, Symbol, Workload};
use pointsman_native::Native;
use pointsman_policy::bundle::MAX_COMPONENT;
use pointsman_policy::{Bundle, Config, Host};
use pointsman_recording::{Reader, Recorder, Settings};
use pointsman_transport::Answer;
use pointsman_wire::ServiceUri;
use pointsman_wire::capabilities::{advertisement, orchestrator_default};
use pointsman_wire::net::{
    AuthToken, Capabilities, OrchestratorInfo, OrchestratorRequest, PriceInfo,
};
use quantile::{median, quantile};

/// The most that recording may add to a decision, percent.
const BUDGET: f64 = 5.0;
const ROUNDS: usize = 60;
/// Decisions of one side in a round.
const DECISIONS: usize = 300;
/// The writer looks every 20 ms.
const CATCH_UP: Duration = Duration::from_millis(45);

/// Everyone answers at once.
struct Network;

impl Ask for Network {
    fn ask<'a>(
        &'a self,
        uri: &'a ServiceUri,
        _: &'a OrchestratorRequest,
        _: Duration,
    ) -> Asking<'a> {
        Box::pin(async move {
            Ok(Answer {
                info: OrchestratorInfo {
                    transcoder: uri.to_string(),
                    capabilities: Some(advertisement(&orchestrator_default(), "0.9.1")),
                    price_info: Some(PriceInfo {
                        price_per_unit: 1 + i64::try_from(uri.as_str().len()).unwrap_or(0),
                        pixels_per_unit: 1,
                        ..PriceInfo::default()
                    }),
                    auth_token: Some(AuthToken {
                        token: vec![1],
                        session_id: "1".to_owned(),
                        expiration: 4_000_000_000,
                    }),
                    ..OrchestratorInfo::default()
                },
                connect: None,
                rpc: Duration::ZERO,
            })
        })
    }
}

/// What one round took, us for each decision.
#[derive(Default)]
struct Times {
    decided: Vec<f64>,
    end: Vec<f64>,
    both: Vec<f64>,
}

/// All rounds of one side.
#[derive(Default)]
struct Side {
    times: Times,
    /// Decisions a second of one thread, and of two together, for each round.
    rates: [Vec<f64>; 2],
}

/// A town of orchestrators, and the two hosts that decide among them.
struct Bench {
    rows: usize,
    directory: Directory,
    _busy: Vec<Running>,
    plain: Host,
    watched: Host,
}

#[tokio::main]
async fn main() {
    if let Some((host, rows)) = counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let (bench, _recorder) = Bench::new(rows, folder.path()).await;
        return bench.count(host == "with");
    }
    let mut rates = Vec::new();
    println!("what recording adds to a decision, default chain, us");
    println!(
        "  rows |  without p50    p99 |  with p50    p99 | decided | end without   with | both together | file bytes | budget"
    );
    for rows in [10, 100, 1000] {
        let folder = tempfile::tempdir().expect("a folder");
        let (bench, recorder) = Bench::new(rows, folder.path()).await;
        let [mut without, mut with] = bench.cost();
        let bursts = bench.bursts(&mut without, &mut with);
        recorder.close();
        let read = Reader::open(&[folder.path().to_owned()])
            .expect("recordings")
            .count();
        assert_eq!(
            read,
            (ROUNDS + 1) * DECISIONS + bursts,
            "nothing is dropped"
        );
        let files = std::fs::read_dir(folder.path()).expect("a folder");
        let bytes: u64 = files
            .map(|file| file.and_then(|file| file.metadata()).expect("there").len())
            .sum();
        let share = |one: &[f64], other: &[f64]| {
            let pairs = one.chunks(DECISIONS).zip(other.chunks(DECISIONS));
            let ratios =
                pairs.map(|(one, other)| median(&mut other.to_vec()) / median(&mut one.to_vec()));
            (median(&mut ratios.collect::<Vec<_>>()) - 1.0) * 100.0
        };
        let decided = share(&without.times.decided, &with.times.decided);
        let both = share(&without.times.both, &with.times.both);
        println!(
            "{rows:>6} | {:>12.2} {:>6.2} | {:>9.2} {:>6.2} | {decided:>+5.1} % | {:>11.2} {:>6.2} | {both:>+11.1} % | {:>10} | under {BUDGET} %: {}",
            median(&mut without.times.decided),
            quantile(&mut without.times.decided, 0.99),
            median(&mut with.times.decided),
            quantile(&mut with.times.decided, 0.99),
            median(&mut without.times.end),
            median(&mut with.times.end),
            bytes / read as u64,
            if both < BUDGET { "met" } else { "MISSED" },
        );
        rates.push((rows, without.rates, with.rates));
    }
    println!("decisions per second, default chain, in bursts");
    println!("  rows | without: one core  two cores  ratio | with: one core  two cores  ratio");
    for (rows, mut without, mut with) in rates {
        let [a, b] = &mut without;
        let [c, d] = &mut with;
        let [a, b, c, d] = [a, b, c, d].map(|rates| median(rates));
        println!(
            "{rows:>6} | {a:>17.0} {b:>10.0} {:>6.2} | {c:>14.0} {d:>10.0} {:>6.2}",
            b / a,
            d / c
        );
    }
}

/// What to decide and nothing else: "with" or "without" a recorder, and among how many.
fn counted() -> Option<(String, usize)> {
    let mut words = std::env::args().skip(1);
    let host = words.find(|word| word == "with" || word == "without")?;
    Some((host, words.next()?.parse().ok()?))
}

// === impl Bench ===

impl Bench {
    async fn new(rows: usize, folder: &Path) -> (Self, Arc<Recorder>) {
        let directory = directory(rows).await;
        let busy = (0..rows).step_by(10).map(|row| begin(&directory, row));
        let bench = Self {
            rows,
            _busy: busy.collect(),
            directory,
            plain: host(),
            watched: host(),
        };
        let recorder = Recorder::start(Settings::new(folder.to_owned())).expect("a recorder");
        let recorder = Arc::new(recorder);
        assert!(bench.watched.observe(recorder.clone()));
        (bench, recorder)
    }

    /// Rounds of one side, for whoever counts its instructions.
    fn count(&self, watched: bool) {
        let host = if watched { &self.watched } else { &self.plain };
        for n in 0..ROUNDS {
            self.between(n);
            self.round(host, n);
        }
    }

    /// Decisions of one side after the other.
    fn cost(&self) -> [Side; 2] {
        let [mut without, mut with] = [Side::default(), Side::default()];
        self.round(&self.plain, 0);
        self.round(&self.watched, 0);
        for n in 1..=ROUNDS {
            self.between(n);
            let mut sides = [(&self.plain, &mut without), (&self.watched, &mut with)];
            if n % 2 == 0 {
                sides.reverse();
            }
            for (host, side) in sides {
                side.times.add(self.round(host, n));
            }
        }
        [without, with]
    }

    /// The same as fast as it goes, on one thread and on two. How many decisions were recorded.
    fn bursts(&self, without: &mut Side, with: &mut Side) -> usize {
        let mut recorded = 0;
        for n in 0..ROUNDS {
            let threads = 1 + n % 2;
            for (host, side) in [(&self.plain, &mut *without), (&self.watched, &mut *with)] {
                self.between(n);
                side.rates[threads - 1].push(self.burst(host, threads));
            }
            recorded += threads * DECISIONS;
        }
        recorded
    }

    /// The writer catches up, and there is a publication, as now and then with real attempts: new history to write.
    fn between(&self, n: usize) {
        std::thread::sleep(CATCH_UP);
        attempt(&self.directory, n % self.rows);
        self.directory.publish();
    }

    #[inline(never)]
    fn round(&self, host: &Host, n: usize) -> Times {
        let (mut job, query) = (job((n as u64) << 32), query());
        let mut times = Times::default();
        for _ in 0..DECISIONS {
            job.seed += 1;
            let asked = Arc::new(job.clone());
            let started = Instant::now();
            let view = self.directory.candidates(&query);
            let selection = black_box(host.select(asked, &view));
            let decided = started.elapsed();
            drop((selection, view));
            let both = started.elapsed();
            let us = |time: Duration| time.as_secs_f64() * 1e6;
            times.decided.push(us(decided));
            times.end.push(us(both - decided));
            times.both.push(us(both));
        }
        times
    }

    /// Decisions a second.
    fn burst(&self, host: &Host, threads: usize) -> f64 {
        let start = Barrier::new(threads);
        let decide = |thread: u64| {
            let (mut job, query) = (job(thread << 48), query());
            start.wait();
            let began = Instant::now();
            for _ in 0..DECISIONS {
                job.seed += 1;
                let view = self.directory.candidates(&query);
                black_box(host.select(job.clone(), &view));
            }
            DECISIONS as f64 / began.elapsed().as_secs_f64()
        };
        std::thread::scope(|scope| {
            let decide = &decide;
            let threads: Vec<_> = (0..threads as u64)
                .map(|thread| scope.spawn(move || decide(thread)))
                .collect();
            let rates = threads.into_iter().map(|thread| thread.join());
            rates.map(|rate| rate.expect("it decides")).sum()
        })
    }
}

// === impl Times ===

impl Times {
    fn add(&mut self, mut round: Self) {
        self.decided.append(&mut round.decided);
        self.end.append(&mut round.end);
        self.both.append(&mut round.both);
    }
}

fn host() -> Host {
    let twins = Arc::new(Native::new(embedded::stage));
    let host = Host::new(Config::default(), Some(twins)).expect("an engine");
    let files = embedded::bundle().iter();
    let files = files.map(|&(name, bytes)| (name.to_owned(), bytes.to_vec()));
    let bundle = Bundle::from_files(files, MAX_COMPONENT).expect("the embedded bundle");
    host.activate(host.load(&bundle).expect("it loads"), "bench");
    host
}

fn uri(row: usize) -> ServiceUri {
    ServiceUri::from_static(&format!("{row}.test")).expect("a URI")
}

async fn directory(rows: usize) -> Directory {
    let settings = pointsman_directory::Settings {
        sources: Sources {
            list: (0..rows).map(uri).collect(),
            ..Sources::default()
        },
        clock: Clock::starting_at(1_700_000_000_000),
        seed: 1,
        ..pointsman_directory::Settings::default()
    };
    let directory = Directory::start(settings, Arc::new(Network))
        .await
        .expect("a directory");
    directory.settled(Duration::from_secs(30)).await;
    for row in 0..rows {
        attempt(&directory, row);
    }
    directory.publish();
    let usable = directory.candidates(&query()).rows();
    assert_eq!(usable, rows);
    directory
}

fn begin(directory: &Directory, row: usize) -> Running {
    let id = pointsman_directory::identity(&uri(row));
    directory.begin(id, Workload::Transcode, Symbol::UNKNOWN)
}

fn attempt(directory: &Directory, row: usize) {
    begin(directory, row).finish(Outcome::Success {
        elapsed: Duration::from_millis(200 + (row as u64 * 37) % 900),
        duration: Some(Duration::from_secs(2)),
    });
}

fn query() -> Query {
    Query {
        workload: Workload::Transcode,
        model: Symbol::UNKNOWN,
        required: Arc::new(Capabilities::default()),
        incumbent: Some(pointsman_directory::identity(&uri(3))),
        hints: Arc::default(),
    }
}
