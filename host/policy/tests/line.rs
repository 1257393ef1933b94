//! The compatibility promise: components built against every version of the line run on this host.
//!
//! They are asked without the policy host's own code, against the WIT as it is: what is held here is that types and names still fit.
//! Then the host loads them.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use pointsman_facts::{Symbol, Workload};
use pointsman_policy::bundle::{Digest, MAX_COMPONENT};
use pointsman_policy::{Bundle, Config, Hook, Host, Limits, component};
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Engine, Store};

mod wit {
    wasmtime::component::bindgen!({ world: "complete", path: "../../wit", additional_derives: [PartialEq] });
}

use wit::exports::pointsman::policy::policy::{Plan, Setting, Value};
use wit::exports::pointsman::policy::{byoc, failover, policy, selection};
use wit::pointsman::policy::types::{Column, Fact, Job, Price, Table};
use wit::pointsman::policy::{log, types};

const LINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests/line");

/// Bytes of the largest; the README of a policy's author promises 40 kB for a filter, and these do more.
const MOST: usize = 60_000;

/// What a component wrote.
#[derive(Default)]
struct Log(Vec<String>);

/// A component of one version.
struct Frozen {
    store: Store<Log>,
    pre: InstancePre<Log>,
    instance: wasmtime::component::Instance,
    plan: Plan,
}

// === impl Log ===

impl log::Host for Log {
    fn enabled(&mut self, _: log::Level) -> bool {
        true
    }

    fn write(&mut self, _: log::Level, message: String) {
        self.0.push(message);
    }
}

impl types::Host for Log {}

// === impl Frozen ===

impl Frozen {
    /// Instantiates and configures it.
    fn new(version: &Path, hook: &str, settings: &[(&str, Value)]) -> Self {
        let engine = Engine::default();
        let component = Component::new(&engine, read(version, hook)).expect("a component");
        let mut linker = Linker::new(&engine);
        log::add_to_linker::<_, HasSelf<Log>>(&mut linker, |log| log).expect("one log");
        let pre = linker
            .instantiate_pre(&component)
            .expect("it imports the log only");
        let mut store = Store::new(&engine, Log::default());
        let instance = pre.instantiate(&mut store).expect("it starts");
        let policy = policy::GuestIndices::new(&pre)
            .and_then(|indices| indices.load(&mut store, &instance))
            .expect("the types of this version still fit");

        let name = format!("line-{hook}");
        let described = policy.call_describe(&mut store).expect("no trap");
        assert_eq!(described.name, name);
        let settings: Vec<Setting> = settings
            .iter()
            .map(|(key, value)| Setting {
                key: (*key).to_owned(),
                value: value.clone(),
            })
            .collect();
        let plan = policy.call_configure(&mut store, hook, &settings);
        let plan = plan.expect("no trap").expect("settings are right");
        Self {
            store,
            pre,
            instance,
            plan,
        }
    }

    fn judge(&mut self, job: &Job, candidates: &Table) -> wasmtime::Result<selection::Verdict> {
        let hook =
            selection::GuestIndices::new(&self.pre)?.load(&mut self.store, &self.instance)?;
        hook.call_judge(&mut self.store, job, candidates)
    }

    fn route(&mut self, job: &Job, request: &byoc::Request) -> byoc::Routing {
        byoc::GuestIndices::new(&self.pre)
            .and_then(|indices| indices.load(&mut self.store, &self.instance))
            .and_then(|hook| hook.call_route(&mut self.store, job, request))
            .expect("the types of this version still fit")
    }

    fn rescue<T>(
        &mut self,
        ask: impl FnOnce(&failover::Guest, &mut Store<Log>) -> wasmtime::Result<T>,
    ) -> T {
        failover::GuestIndices::new(&self.pre)
            .and_then(|indices| indices.load(&mut self.store, &self.instance))
            .and_then(|hook| ask(&hook, &mut self.store))
            .expect("the types of this version still fit")
    }

    /// A job with the facts that it asks for, by name.
    fn job(&self, facts: &[(&str, Fact)]) -> Job {
        let fact = |name: &String| {
            let known = facts.iter().find(|(known, _)| known == name);
            known.map_or(Fact::Unknown, |(_, fact)| *fact)
        };
        Job {
            now_ms: 1_700_000_000_000,
            seed: 1,
            workload: Workload::Transcode.symbol().0,
            capability: Symbol::of("transcode").0,
            model: 0,
            affinity: 7,
            deadline_ms: 6000,
            units: 0,
            facts: self.plan.facts.iter().map(fact).collect(),
        }
    }

    /// The columns that it asks for, by name; others are unknown as an optional name of a later host is.
    fn table(&self, rows: u32, columns: &[(&str, Column)]) -> Table {
        let column = |name: &String| {
            let known = columns.iter().find(|(known, _)| known == name);
            known.map_or_else(
                || Column::Numbers(vec![f64::NAN; rows as usize]),
                |(_, column)| column.clone(),
            )
        };
        Table {
            rows,
            columns: self.plan.columns.iter().map(column).collect(),
        }
    }
}

/// The folder of every version.
fn versions() -> Vec<PathBuf> {
    let folders: Vec<_> = std::fs::read_dir(LINE)
        .expect("the line is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.is_dir())
        .collect();
    assert!(
        folders.iter().any(|folder| folder.ends_with("0.1.0")),
        "{folders:?}"
    );
    folders
}

fn read(version: &Path, hook: &str) -> Vec<u8> {
    let path = version.join(format!("{hook}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(text: &str) -> Value {
    Value::Text((text.to_owned(), Symbol::of(text).0))
}

/// One that can, three that could, one that cannot.
fn candidates(frozen: &Frozen) -> Table {
    let symbols = ["fra", "ams", "fra", "fra", ""].map(|region| Symbol::of(region).0);
    let columns = [
        ("fit", Column::Marks(vec![1, 1, 0, 1, 1])),
        ("price/num", Column::Counts(vec![3, 1, 1, u64::MAX, 2])),
        ("price/den", Column::Counts(vec![2, 1, 1, u64::MAX, 2])),
        (
            "latency-ms/p50",
            Column::Numbers(vec![10.0, 90.0, 10.0, 300.0, 40.0]),
        ),
        ("region", Column::Symbols(symbols.to_vec())),
    ];
    frozen.table(5, &columns)
}

fn judged(version: &Path, verdict: &str) -> (Frozen, wasmtime::Result<selection::Verdict>) {
    let fra = ("fra".to_owned(), Symbol::of("fra").0);
    let settings = [
        ("verdict", text(verdict)),
        ("most", Value::Integer(100)),
        ("regions", Value::Texts(vec![fra])),
    ];
    let mut frozen = Frozen::new(version, "selection", &settings);
    let job = frozen.job(&[
        ("max-price", Fact::Number(1000.0)),
        ("sequence", Fact::Count(7)),
        ("label/tier", Fact::Symbol(Symbol::of("gold").0)),
    ]);
    let table = candidates(&frozen);
    let answer = frozen.judge(&job, &table);
    (frozen, answer)
}

/// Row, place of the cause and value; NaN is no value.
fn excluded(exclusions: &[types::Exclusion]) -> Vec<(u32, u16, Option<f64>)> {
    exclusions
        .iter()
        .map(|out| {
            (
                out.row,
                out.reason,
                Some(out.value).filter(|value| !value.is_nan()),
            )
        })
        .collect()
}

#[test]
fn selection_gives_every_verdict() {
    let out = [(2, 0, None), (3, 1, Some(300.0))];
    for version in versions() {
        for verdict in ["abstain", "exclude", "score", "order", "hedge", "reject"] {
            let (frozen, answer) = judged(&version, verdict);
            assert_eq!(frozen.plan.causes.len(), 2);
            let slow = usize::from(frozen.plan.causes[1].column.expect("it shows a column"));
            assert_eq!(frozen.plan.columns[slow], "latency-ms/p50");
            match (verdict, answer.expect("no trap")) {
                ("abstain", selection::Verdict::Abstain) => {}
                ("exclude", selection::Verdict::Exclude(exclusions)) => {
                    assert_eq!(excluded(&exclusions), out);
                }
                ("score", selection::Verdict::Score(scoring)) => {
                    assert_eq!(excluded(&scoring.excluded), out);
                    assert_eq!(scoring.scores, [1.0, 0.5, 0.0, 0.0, 0.5]);
                }
                ("order", selection::Verdict::Order(ranking)) => {
                    assert_eq!(excluded(&ranking.excluded), out);
                    assert_eq!(ranking.order, [4, 1, 0]);
                }
                ("hedge", selection::Verdict::Hedge(ms)) => assert_eq!(ms, 1071),
                ("reject", selection::Verdict::Reject(refusal)) => {
                    assert_eq!((refusal.status, refusal.reason), (503, 1));
                    assert_eq!(refusal.message, "nobody will do");
                }
                (verdict, other) => panic!("asked for {verdict}, got {other:?}"),
            }
        }
    }
}

#[test]
fn the_message_of_a_panic_reaches_the_hosts_log() {
    for version in versions() {
        let (frozen, answer) = judged(&version, "panic");
        answer.expect_err("a panic is a trap");
        let [message] = frozen.store.data().0.as_slice() else {
            panic!("one message: {:?}", frozen.store.data().0)
        };
        assert!(message.starts_with("panicked at "), "{message}");
        assert!(
            message.ends_with("the message of a panic, 5 rows"),
            "{message}"
        );
    }
}

#[test]
fn byoc_tightens_refuses_and_abstains() {
    for version in versions() {
        let mut frozen = Frozen::new(&version, "byoc", &[("most", text("7/3"))]);
        let job = frozen.job(&[
            ("max-price/num", Fact::Count(2)),
            ("max-price/den", Fact::Count(1)),
        ]);
        let request = |tier: &str| byoc::Request {
            capability: "video".to_owned(),
            path: "/v1/run?fast=1".to_owned(),
            parameters: "{\"a\":1}".to_owned(),
            labels: vec![
                ("team".to_owned(), "red".to_owned()),
                ("tier".to_owned(), tier.to_owned()),
            ],
        };
        let expected = byoc::Change {
            capability: Some("video-small".to_owned()),
            only: vec![
                "https://a.example:8935".to_owned(),
                "https://b.example:8935".to_owned(),
            ],
            ignore: vec!["0x00000000000000000000000000000000000000aa".to_owned()],
            max_price: Some(Price { num: 2, den: 1 }),
            timeout_ms: Some(3000),
            labels: vec![
                ("path".to_owned(), "/v1/run?fast=1".to_owned()),
                ("parameters".to_owned(), "{\"a\":1}".to_owned()),
            ],
        };
        assert_eq!(
            frozen.route(&job, &request("free")),
            byoc::Routing::Change(expected)
        );
        let byoc::Routing::Reject(refusal) = frozen.route(&job, &request("none")) else {
            panic!("it is closed to that tier")
        };
        assert_eq!((refusal.status, refusal.reason), (403, 0));
        assert_eq!(frozen.route(&job, &request("gold")), byoc::Routing::Abstain);
    }
}

#[test]
fn failover_answers_failures_with_every_recovery() {
    use failover::{Attempt, Blame, Failure, Recovery};

    for version in versions() {
        let mut frozen = Frozen::new(&version, "failover", &[("rest-ms", Value::Integer(700))]);
        let job = frozen.job(&[("retries-left", Fact::Count(0))]);
        let remaining = frozen.table(2, &[("warm", Column::Marks(vec![2, 2]))]);
        let mut answered = |blame, kind| {
            let failure = Failure {
                blame,
                kind,
                retry_safe: true,
                http_status: 500,
                retry_after_ms: 40,
            };
            let attempt = Attempt {
                candidate: 9,
                row: Some(0),
                started_ms: 0,
                elapsed_ms: 20,
                running: false,
                failure: Some(failure),
            };
            let remedy = frozen
                .rescue(|hook, store| hook.call_on_failure(store, &job, &[attempt], &remaining));
            assert_eq!(remedy.rest_ms, 700);
            remedy.recovery
        };
        assert_eq!(answered(Blame::Orchestrator, 13), Recovery::RetrySame(40));
        assert_eq!(answered(Blame::Orchestrator, 12), Recovery::Rerank);
        assert_eq!(answered(Blame::Network, 4), Recovery::Next(1));
        let Recovery::Stop(refusal) = answered(Blame::Input, 16) else {
            panic!("nobody can do it")
        };
        assert_eq!((refusal.status, refusal.reason), (422, 0));
        let none = frozen.rescue(|hook, store| hook.call_on_failure(store, &job, &[], &remaining));
        assert_eq!((none.rest_ms, none.recovery), (0, Recovery::Abstain));
    }
}

#[test]
fn failover_answers_slowness_and_prices_with_every_case() {
    use failover::{Attempt, Bargain, Patience};

    for version in versions() {
        let mut frozen = Frozen::new(&version, "failover", &[]);
        let running = Attempt {
            candidate: 9,
            row: None,
            started_ms: 0,
            elapsed_ms: 900,
            running: true,
            failure: None,
        };
        let mut slow = |attempts: &[Attempt], deadline_ms, warm: Vec<u8>| {
            let job = Job {
                deadline_ms,
                ..frozen.job(&[])
            };
            let table = frozen.table(2, &[("warm", Column::Marks(warm))]);
            frozen.rescue(|hook, store| hook.call_on_slow(store, &job, attempts, &table))
        };
        assert_eq!(slow(&[], 5000, vec![1, 1]), Patience::Abstain);
        assert_eq!(slow(&[running], 5000, vec![0, 1]), Patience::Hedge(1));
        assert_eq!(slow(&[running], 5000, vec![0, 2]), Patience::Wait(100));
        assert_eq!(slow(&[running], 900, vec![0, 0]), Patience::Abandon);

        let mut offered = |num, rows| {
            let (job, table) = (
                frozen.job(&[]),
                frozen.table(rows, &[("warm", Column::Marks(vec![2; rows as usize]))]),
            );
            let (before, after) = (Price { num: 2, den: 3 }, Price { num, den: 6 });
            frozen
                .rescue(|hook, store| hook.call_on_price_change(store, &job, before, after, &table))
        };
        assert_eq!(offered(4, 1), Bargain::Accept);
        assert_eq!(offered(8, 1), Bargain::Renegotiate);
        assert_eq!(offered(9, 1), Bargain::Next(0));
        assert!(matches!(offered(9, 0), Bargain::Stop(refusal) if refusal.status == 503));
    }
}

#[test]
fn the_host_takes_them_and_they_are_small() {
    for version in versions() {
        let bytes = |hook: &str| read(&version, hook);
        for hook in ["selection", "byoc", "failover"] {
            let size = bytes(hook).len();
            assert!(size < MOST, "{hook} has {size} bytes");
        }
        for hook in [Hook::Selection, Hook::Byoc, Hook::Failover] {
            assert_eq!(component::check(&bytes(hook.name()), hook), Ok(()));
        }
        let host = Host::new(patient(), None).expect("an engine");
        let loaded = host.load(&bundle(&version)).expect("a good bundle");
        assert!(host.activate(loaded, "test") > 0);
    }
}

/// Limits without a clock: tests run on slow machines too.
fn patient() -> Config {
    Config {
        limits: Limits {
            ticks: NonZeroU32::new(100_000).expect("above zero"),
            ..Limits::default()
        },
        ..Config::default()
    }
}

fn bundle(version: &Path) -> Bundle {
    let mut manifest = "name = \"line\"\nversion = \"1\"\non-failure = \"reject\"\n".to_owned();
    let mut files = Vec::new();
    let stages = [
        ("selection", "{ verdict = \"order\" }"),
        ("byoc", "{ most = \"7/3\" }"),
        ("failover", "{}"),
    ];
    for (hook, settings) in stages {
        let bytes = read(version, hook);
        let digest = Digest::of(&bytes);
        manifest += &format!(
            "[[{hook}]]\ncomponent = \"{hook}.wasm\"\nsha256 = \"{digest}\"\nsettings = {settings}\n"
        );
        files.push((format!("{hook}.wasm"), bytes));
    }
    files.push(("bundle.toml".to_owned(), manifest.into_bytes()));
    Bundle::from_files(files, MAX_COMPONENT).expect("a whole bundle")
}
