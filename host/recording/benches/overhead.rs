//! What recording adds to a decision: the default chain over a real directory's candidates, with and without a recorder, in one run.
//!
//! `cargo bench -p pointsman-recording`. "decided" is what a job waits for; "end" is what follows when the job is over: the
//! record goes to the recorder. The writer's own thread is in neither, but it shares the machine. Rounds of the two sides alternate, since machines change their speed: the
//! ratio is the median over rounds. Between rounds the writer catches up, as it does between real jobs.
//!
//! Everyone has some history, and one in ten runs an attempt. What a job waits for: the candidates are kept before the chain is asked, which reads every
//! orchestrator once where the chain would have twice, and the view and the job are copied, into memory that this thread frees itself.

#[path = "../../policy/benches/support/quantile.rs"]
mod quantile;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_default_bundle as embedded;
use pointsman_directory::{Ask, Asking, Clock, Directory, Outcome, Query, Running, Sources, View};
use pointsman_facts::{Candidates, Job, Price, Symbol, Workload};
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
use quantile::median;

/// The most that recording may add to a decision.
const BUDGET: f64 = 0.05;
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

#[tokio::main]
async fn main() {
    println!("what recording adds to a decision, default chain, us");
    println!(
        "  rows | decided without    with  ratio | end without    with  more | file bytes | budget {:.0} %",
        BUDGET * 100.0
    );
    for rows in [10, 100, 1000] {
        let directory = directory(rows).await;
        let busy = (0..rows).step_by(10).map(|row| begin(&directory, row));
        let _busy: Vec<_> = busy.collect();
        let folder = tempfile::tempdir().expect("a folder");
        let (plain, watched) = (host(), host());
        let recorder =
            Recorder::start(Settings::new(folder.path().to_owned())).expect("a recorder");
        let recorder = Arc::new(recorder);
        assert!(watched.observe(recorder.clone()));
        let mut sums = [const { [const { Vec::new() }; 3] }; 2];
        round(&plain, &view(&directory), 0);
        round(&watched, &view(&directory), 0);
        for n in 1..=ROUNDS {
            std::thread::sleep(CATCH_UP);
            // A publication now and then, as with real attempts: new history to write.
            attempt(&directory, n % rows);
            directory.publish();
            let view = view(&directory);
            let mut sides = [(&plain, Default::default()), (&watched, Default::default())];
            if n % 2 == 0 {
                sides.reverse();
            }
            for (host, times) in &mut sides {
                *times = round(host, &view, n);
            }
            if n % 2 == 0 {
                sides.reverse();
            }
            let [(_, a), (_, b)]: [(_, [Vec<f64>; 2]); 2] = sides;
            for ((sum, mut a), mut b) in sums.iter_mut().zip(a).zip(b) {
                sum[2].push(median(&mut b) / median(&mut a));
                sum[0].append(&mut a);
                sum[1].append(&mut b);
            }
        }
        recorder.close();
        let read = Reader::open(&[folder.path().to_owned()])
            .expect("recordings")
            .count();
        assert_eq!(read, (ROUNDS + 1) * DECISIONS, "nothing is dropped");
        let files = std::fs::read_dir(folder.path()).expect("a folder");
        let bytes: u64 = files
            .map(|file| file.and_then(|file| file.metadata()).expect("there").len())
            .sum();
        let [decided, ended] = sums.map(|sums| sums.map(|mut all| median(&mut all)));
        let verdict = if decided[2] < 1.0 + BUDGET {
            "met"
        } else {
            "MISSED"
        };
        println!(
            "{rows:>6} | {:>15.2} {:>7.2} {:>6.3} | {:>11.2} {:>7.2} {:>5.2} | {:>10} | {verdict}",
            decided[0],
            decided[1],
            decided[2],
            ended[0],
            ended[1],
            ended[1] - ended[0],
            bytes / read as u64,
        );
    }
}

/// One round of decisions, each with a seed of its own: us until decided, us at the job's end.
fn round(host: &Host, view: &View, n: usize) -> [Vec<f64>; 2] {
    let mut job = job((n as u64) << 32);
    let mut times = [Vec::with_capacity(DECISIONS), Vec::with_capacity(DECISIONS)];
    for _ in 0..DECISIONS {
        job.seed += 1;
        let started = Instant::now();
        let selection = black_box(host.select(black_box(&job), view));
        let decided = started.elapsed();
        let over = Instant::now();
        drop(selection);
        let ended = over.elapsed();
        times[0].push(decided.as_secs_f64() * 1e6);
        times[1].push(ended.as_secs_f64() * 1e6);
    }
    times
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
    let usable = view(&directory).rows();
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

fn view(directory: &Directory) -> View {
    directory.candidates(&Query {
        workload: Workload::Transcode,
        model: Symbol::UNKNOWN,
        required: Arc::new(Capabilities::default()),
        incumbent: Some(pointsman_directory::identity(&uri(3))),
        hints: Arc::default(),
    })
}

fn job(seed: u64) -> Job {
    Job {
        id: "stream/1".to_owned(),
        now_ms: 1_700_000_000_000,
        seed,
        workload: Workload::Transcode,
        capability: Symbol::of("transcode"),
        model: Symbol::UNKNOWN,
        affinity: 7,
        deadline_ms: 6000,
        soft_ms: 2000,
        units: 0,
        segment_ms: Some(2000),
        sequence: Some(1),
        max_price: Price::new(1100, 1),
        price_is_hard: true,
        retries_left: 3,
        hedges_left: 1,
        labels: BTreeMap::new(),
        hints: pointsman_facts::Hints::default(),
    }
}
