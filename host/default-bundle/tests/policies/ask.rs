//! Settings and questions for every policy of the library.

use pointsman_facts::{Column as Name, values::Kind};
use pointsman_sdk::byoc::Request;
use pointsman_sdk::failover::{Attempt, Blame, Failure};
use pointsman_sdk::{Column, Fact, Job, Rng, Setting, Table, Value, symbol};

/// Places and label values that settings name, unknown and another.
const WORDS: [&str; 5] = ["fra", "ams", "nyc", "", "sin"];

/// A plan that uses every part of the format.
const PLAN: &str = r#"{
    "capabilities": ["image", "upscale"], "topN": 7, "sortBy": "slaScore", "slaMinScore": 0.3,
    "slaWeights": { "latency": 0.5, "swapRate": 0.25 },
    "filters": { "gpuRamGbMin": 8, "gpuRamGbMax": 2900, "priceMax": 2900, "maxAvgLatencyMs": 2900, "maxSwapRatio": 0.95 }
}"#;

/// A setting.
pub(crate) fn set(key: &str, value: impl Into<Value>) -> Setting {
    Setting {
        key: key.to_owned(),
        value: value.into(),
    }
}

/// A setting that is a string.
pub(crate) fn text(key: &str, value: &str) -> Setting {
    // A plan is compared with nothing, and is not ASCII.
    let symbol = if value.len() < 64 { symbol(value) } else { 1 };
    set(key, Value::Text((value.to_owned(), symbol)))
}

fn texts(key: &str, values: &[&str]) -> Setting {
    let values = values
        .iter()
        .map(|value| ((*value).to_owned(), symbol(value)));
    set(key, Value::Texts(values.collect()))
}

/// The settings without which a policy does not load.
pub(crate) fn needed(policy: &str) -> Vec<Setting> {
    match policy {
        "naap-plan" => vec![text("plan", PLAN)],
        "byoc-rules" => vec![set("timeout-ms", 5000)],
        _ => Vec::new(),
    }
}

/// Settings that make a policy do all it can. With the defaults every policy is asked anyway.
pub(crate) fn varied() -> Vec<(&'static str, Vec<Setting>)> {
    let identities = |key| {
        texts(
            key,
            &["https://o1:8935", "https://o2:8935", "https://o7:8935"],
        )
    };
    vec![
        (
            "allow-block",
            vec![
                identities("block"),
                texts("allow-regions", &["fra", "ams", "nyc"]),
                text("label", "tier"),
                texts("block-labels", &["nyc"]),
            ],
        ),
        (
            "byoc-rules",
            vec![
                texts("capabilities", &["image", "ups*"]),
                texts("when-labels", &["tier=n*"]),
                text("use", "small"),
                identities("only"),
                identities("ignore"),
                text("max-price", "1200/7"),
                texts("add-labels", &["lane=slow", "Place=ams"]),
            ],
        ),
        (
            "byoc-rules",
            vec![
                texts("paths", &["/v1/*", "/"]),
                texts("when-labels", &["tier"]),
                text("reject", "not sold"),
                set("status", 402),
            ],
        ),
        ("capability", vec![set("skip-resting", false)]),
        (
            "failover-hedging",
            vec![text("after", "p95"), set("factor", 0.5), set("copies", 3)],
        ),
        (
            "failover-standard",
            vec![set("rest-ms", 0), set("copies", 4)],
        ),
        (
            "go-livepeer-probability",
            vec![
                set("price", 0.2),
                set("stake", 0.5),
                set("min-perf-score", 0.5),
            ],
        ),
        (
            "least-busy",
            vec![text("by", "capacity-free"), set("skip-full", false)],
        ),
        (
            "lowest-latency",
            vec![text("of", "p95"), set("explore", 0.5), set("step-ms", 1)],
        ),
        ("lowest-price", vec![text("as", "score")]),
        ("lowest-price", vec![text("of", "effective")]),
        (
            "naap-plan",
            vec![text("plan", PLAN), text("unknown", "exclude")],
        ),
        ("power-of-two", vec![text("by", "wait"), set("keep", false)]),
        ("power-of-two", vec![text("by", "price")]),
        ("price-ceiling", vec![text("unknown", "exclude")]),
        ("rank", vec![set("stake", 0.5), set("step", 0.0001)]),
        (
            "region",
            vec![
                texts("prefer", &["ams", "fra"]),
                text("near", "from"),
                texts("avoid", &["nyc"]),
            ],
        ),
        (
            "region",
            vec![
                texts("prefer", &["ams", "fra"]),
                set("strict", true),
                texts("require", &["ams", "fra", "sin"]),
                text("label", "place"),
            ],
        ),
        (
            "spend-budget",
            vec![
                set("per-hour", 900),
                set("per-day", 1500),
                set("start", 0.1),
            ],
        ),
        (
            "spend-budget",
            vec![set("per-day", 1500), text("spent", "reject")],
        ),
        ("sticky", vec![set("max-in-flight", 500)]),
    ]
}

/// A value that is now and then unknown.
fn sometimes<T>(rng: &mut Rng, unknown: T, known: impl FnOnce(&mut Rng) -> T) -> T {
    if rng.below(10) == 0 {
        unknown
    } else {
        known(rng)
    }
}

fn word(rng: &mut Rng) -> u64 {
    symbol(WORDS[rng.below(5) as usize])
}

/// A column as a host might hand it over. One that no host has yet is made of numbers.
pub(crate) fn column(rng: &mut Rng, name: &str, rows: u32) -> Column {
    let rows = 0..rows;
    let name = name.strip_prefix('?').unwrap_or(name);
    let kind = Name::parse(name).map_or(Kind::Numbers, |name| name.kind());
    match (name, kind) {
        ("id", _) => {
            // The host's rows are distinct, in any order.
            let first = u64::from(rng.below(1000));
            let id = |row: u32| symbol(&format!("https://o{}:8935", u64::from(row) ^ first));
            Column::Symbols(rows.map(id).collect())
        }
        (_, Kind::Numbers) => {
            let scale = if name.contains("rate") || name.contains("score") {
                1.2
            } else {
                3000.0
            };
            Column::Numbers(
                rows.map(|_| sometimes(rng, f64::NAN, |rng| rng.unit() * scale))
                    .collect(),
            )
        }
        (_, Kind::Counts) => {
            let mut count = |_| {
                sometimes(rng, u64::MAX, |rng| {
                    u64::from(rng.below(2) * rng.below(2000))
                })
            };
            Column::Counts(rows.map(&mut count).collect())
        }
        (_, Kind::Marks) => Column::Marks(
            rows.map(|_| sometimes(rng, 2, |rng| u8::from(rng.below(4) > 0)))
                .collect(),
        ),
        (_, Kind::Symbols) => Column::Symbols(rows.map(|_| word(rng)).collect()),
    }
}

/// A random question with these columns and so many facts.
pub(crate) fn question(rng: &mut Rng, columns: &[String], facts: usize) -> (Job, Table) {
    let rows = [0, 1, 2, 10, 100, 400][rng.below(6) as usize];
    let job = Job {
        now_ms: rng.next() >> 24,
        seed: rng.next(),
        workload: symbol("transcode"),
        capability: symbol("transcode"),
        model: symbol(["", "image", "upscale"][rng.below(3) as usize]),
        affinity: rng.next(),
        deadline_ms: rng.below(10_000),
        units: rng.next(),
        facts: (0..facts).map(|_| fact(rng)).collect(),
    };
    let columns = columns.iter().map(|name| column(rng, name, rows)).collect();
    (job, Table { rows, columns })
}

fn fact(rng: &mut Rng) -> Fact {
    match rng.below(5) {
        0 => Fact::Unknown,
        1 => Fact::Number(rng.unit() * 1800.0),
        2 => Fact::Symbol(word(rng)),
        3 => Fact::Mark(rng.below(2) == 0),
        _ => Fact::Count(u64::from(rng.below(2000))),
    }
}

/// A random call of a container.
pub(crate) fn request(rng: &mut Rng) -> Request {
    let mut pick = |words: &[&str]| words[rng.below(words.len() as u32) as usize].to_owned();
    let capability = pick(&["image", "images", "upscale", "video"]);
    let path = pick(&["/", "/?fast=1", "/v1/generate?fast=1", "/v2"]);
    let labels = [
        ("tier".to_owned(), pick(&WORDS)),
        ("team".to_owned(), pick(&WORDS)),
    ];
    let some = rng.below(3) as usize;
    Request {
        capability,
        path,
        parameters: "{}".to_owned(),
        labels: labels.into_iter().take(some).collect(),
    }
}

/// Some random attempts on the first rows.
pub(crate) fn attempts(rng: &mut Rng, rows: u32) -> Vec<Attempt> {
    let count = rng.below(4);
    let attempt = |place| Attempt {
        candidate: rng.next(),
        row: (rng.below(4) > 0 && rows > 0).then(|| place % rows.max(1)),
        started_ms: rng.below(500),
        elapsed_ms: rng.below(900),
        running: rng.below(3) == 0,
        failure: (rng.below(4) > 0).then(|| Failure {
            blame: [
                Blame::Orchestrator,
                Blame::Input,
                Blame::Gateway,
                Blame::Payment,
                Blame::Network,
            ][rng.below(5) as usize],
            kind: rng.below(24) as u16,
            retry_safe: rng.below(4) > 0,
            http_status: 500,
            retry_after_ms: rng.below(3) * rng.below(100_000),
        }),
    };
    (0..count).map(attempt).collect()
}
