//! Guests, bundles, jobs and candidates for the tests.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

pub(crate) mod fleet;
pub mod scripted;
pub(crate) mod twin;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pointsman_facts::{Candidates, Column, Failure, Job, Kept, Symbol, Values, Workload};
use pointsman_policy::bundle::{Digest, MAX_COMPONENT};
use pointsman_policy::{AttemptView, Bundle, Config, Host, Limits};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const GUESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests");
const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");

/// The guest of that name as a component; assembled once.
pub fn guest(name: &str) -> Vec<u8> {
    static MADE: LazyLock<Mutex<BTreeMap<String, Vec<u8>>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock();
    if let Some(component) = made.get(name) {
        return component.clone();
    }
    let component = encode(&core_module(name), name);
    made.insert(name.to_owned(), component.clone());
    component
}

/// The guest before it is made a component.
pub fn core_module(name: &str) -> Vec<u8> {
    let text = read(&format!("{name}.wat"));
    let text: String = text
        .lines()
        .map(|line| match line.trim().strip_prefix(";; include ") {
            Some(part) => read(&format!("include/{part}.wat")),
            None => format!("{line}\n"),
        })
        .collect();
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"))
}

/// A guest that is component text.
pub fn component(name: &str) -> Vec<u8> {
    wat::parse_str(read(&format!("components/{name}.wat"))).expect("component text")
}

fn read(file: &str) -> String {
    let path = Path::new(GUESTS).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn encode(module: &[u8], name: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(WIT).expect("the contract");
    let world = match name.split_once('-') {
        Some(("failover", _)) => "rescuer",
        Some(("byoc", _)) => "router",
        _ => "selector",
    };
    let world = resolve
        .select_world(&[package], Some(world))
        .expect("a world of the contract");
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .expect("the world is embedded");
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| encoder.encode())
        .unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// A bundle in the making.
pub struct Made {
    head: String,
    stages: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl Made {
    /// A bundle with that `on-failure`.
    pub fn new(on_failure: &str) -> Self {
        Self {
            head: format!("name = \"made\"\nversion = \"1\"\non-failure = \"{on_failure}\"\n"),
            stages: String::new(),
            files: BTreeMap::new(),
        }
    }

    /// Adds a selection stage that is the guest `name`, with further lines of TOML.
    pub fn select(self, name: &str, more: &str) -> Self {
        self.stage("selection", name, &guest(name), more)
    }

    /// Adds a failover stage.
    pub fn rescue(self, name: &str, more: &str) -> Self {
        self.stage("failover", name, &guest(name), more)
    }

    /// Adds a byoc stage.
    pub fn route(self, name: &str, more: &str) -> Self {
        self.stage("byoc", name, &guest(name), more)
    }

    /// Adds a stage of any bytes.
    pub fn stage(mut self, chain: &str, name: &str, bytes: &[u8], more: &str) -> Self {
        let digest = Digest::of(bytes);
        write!(
            self.stages,
            "[[{chain}]]\ncomponent = \"{name}.wasm\"\nsha256 = \"{digest}\"\n{more}\n"
        )
        .expect("written to a string");
        self.files.insert(format!("{name}.wasm"), bytes.to_vec());
        self
    }

    /// Adds a stage that only ever runs natively.
    pub fn native(self, name: &str, more: &str) -> Self {
        self.stage("selection", name, b"\0asm", more)
    }

    /// Adds golden vectors; no stage can be added after them.
    pub fn golden(mut self, lines: &str) -> Self {
        let digest = Digest::of(lines.as_bytes());
        write!(
            self.stages,
            "[vectors]\nfile = \"golden.jsonl\"\nsha256 = \"{digest}\"\n"
        )
        .expect("written to a string");
        self.files
            .insert("golden.jsonl".to_owned(), lines.as_bytes().to_vec());
        self
    }

    /// The version in the manifest.
    pub fn version(mut self, version: &str) -> Self {
        self.head = self
            .head
            .replace("version = \"1\"", &format!("version = \"{version}\""));
        self
    }

    /// The bundle.
    pub fn bundle(self) -> Bundle {
        let manifest = self.head + &self.stages;
        let files = self.files.into_iter();
        let files = files.chain([("bundle.toml".to_owned(), manifest.into_bytes())]);
        Bundle::from_files(files, MAX_COMPONENT).expect("a whole bundle")
    }
}

/// The default configuration, without a clock: tests run on slow machines too.
pub fn config() -> Config {
    Config {
        limits: Limits {
            ticks: NonZeroU32::new(100_000).expect("above zero"),
            ..Limits::default()
        },
        ..Config::default()
    }
}

/// A host with `bundle` active.
pub fn host(bundle: &Bundle) -> Host {
    let host = Host::new(config(), None).expect("an engine");
    activate(&host, bundle);
    host
}

/// Loads and activates.
pub fn activate(host: &Host, bundle: &Bundle) -> u64 {
    let loaded = host.load(bundle).expect("a good bundle");
    host.activate(loaded, "test")
}

/// A job that is routed by `seed`.
pub fn job(seed: u64) -> Job {
    Job {
        id: format!("cam/{seed}"),
        now_ms: 1_700_000_000_000,
        seed,
        workload: Workload::Transcode,
        capability: Symbol::of("transcode"),
        model: Symbol::UNKNOWN,
        affinity: 7,
        deadline_ms: 6000,
        soft_ms: 2000,
        units: 1280 * 720 * 60,
        segment_ms: Some(2000),
        sequence: Some(seed),
        max_price: None,
        price_is_hard: false,
        retries_left: 3,
        hedges_left: 1,
        spent: None,
        labels: BTreeMap::new(),
        hints: pointsman_facts::Hints::default(),
    }
}

/// An attempt on the first candidate, which runs or has failed.
pub fn attempt(failure: Option<&Failure>) -> AttemptView<'_> {
    AttemptView {
        candidate: Symbol(1000),
        row: Some(0),
        started_ms: 0,
        elapsed_ms: 10,
        running: failure.is_none(),
        failure,
    }
}

/// Candidates with a few facts; what is not given is unknown.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub count: usize,
    pub latency: Vec<f64>,
    pub fit: Vec<u8>,
    pub price: Vec<(u64, u64)>,
}

impl Rows {
    /// `count` rows, of which each is 10 ms slower than the one before, from 10 ms up.
    pub fn slower(count: usize) -> Self {
        Self {
            count,
            latency: (1..=count).map(|row| row as f64 * 10.0).collect(),
            ..Self::default()
        }
    }
}

impl Candidates for Rows {
    fn snapshot(&self) -> u64 {
        42
    }

    fn rows(&self) -> usize {
        self.count
    }

    fn id(&self, row: usize) -> Symbol {
        Symbol(1000 + row as u64)
    }

    fn values(&self, column: &Column) -> Values<'_> {
        let num = |pick: fn(&(u64, u64)) -> u64| {
            Values::Counts(self.price.iter().map(pick).collect::<Vec<_>>().into())
        };
        let values = match column {
            Column::LatencyP50 => Values::Numbers(self.latency.as_slice().into()),
            Column::Fit => Values::Marks(self.fit.as_slice().into()),
            Column::PriceNum => num(|price| price.0),
            Column::PriceDen => num(|price| price.1),
            Column::Id => {
                let ids = (0..self.count).map(|row| self.id(row).0);
                Values::Symbols(ids.collect::<Vec<_>>().into())
            }
            other => Values::unknown(other.kind(), self.count),
        };
        if values.len() == self.count {
            values
        } else {
            Values::unknown(column.kind(), self.count)
        }
    }

    fn keep(&self) -> Option<Arc<dyn Kept>> {
        Some(Arc::new(self.clone()))
    }
}

impl Kept for Rows {
    fn labels(&self) -> Vec<String> {
        Vec::new()
    }

    fn address(&self, _row: usize) -> Option<String> {
        None
    }
}

/// Waits until `done`: what happens in the background takes as long as it takes.
pub fn eventually(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
