//! What the suite asks a component, from what the component asks for.

use pointsman_facts::{Kind, Values};
use pointsman_policy::Hook;
use pointsman_policy::vectors::{Job, Question, Request, Subject, Table, What};
use pointsman_policy::wit::{Attempt, Blame, Fact, Failure, Price};

use crate::synthetic::{self, Fleet, Random, column};

/// Questions of one sort.
type Sort = (&'static str, Vec<Question>);

/// How a column or fact is filled.
#[derive(Clone, Copy)]
enum Fill {
    Unknown,
    Least,
    Most,
    /// Of a network that works, by that seed.
    Usual(u64),
    /// Anything that the kind can hold, by that seed.
    Wild(u64),
}

/// Rows of the random tables.
const SIZES: [u32; 6] = [1, 2, 3, 10, 47, 200];

/// Every question for `subject`.
pub(super) fn about(subject: &Subject) -> Vec<Sort> {
    let ask = |rows, fill| question(subject, rows, fill);
    let sizes = |fill: fn(u64) -> Fill| {
        (1..)
            .zip(SIZES.repeat(5))
            .flat_map(|(seed, rows)| question(subject, rows, fill(seed)))
            .collect()
    };
    vec![
        ("no candidates", ask(0, Fill::Unknown)),
        ("one candidate", ask(1, Fill::Usual(1))),
        (
            "a thousand candidates, within the limits",
            ask(1000, Fill::Usual(2)),
        ),
        ("nothing is known", ask(10, Fill::Unknown)),
        ("the least that values can be", ask(10, Fill::Least)),
        ("the most that values can be", ask(10, Fill::Most)),
        ("usual candidates", sizes(Fill::Usual)),
        ("any values at all", sizes(Fill::Wild)),
    ]
}

/// What the hook can be asked about one table.
fn question(subject: &Subject, rows: u32, fill: Fill) -> Vec<Question> {
    let plan = subject.plan();
    let columns: Vec<_> = plan
        .columns
        .iter()
        .map(|name| values(name, rows, fill))
        .collect();
    let job = job(&plan.facts, fill);
    let table = || Table {
        rows,
        columns: columns.clone(),
    };
    let whats = match subject.hook() {
        Hook::Selection => vec![What::Judge(table())],
        Hook::Byoc => requests(rows).into_iter().map(What::Route).collect(),
        Hook::Failover => {
            let (before, after) = (
                Price { num: 1, den: 3 },
                Price {
                    num: u64::MAX - 1,
                    den: 1,
                },
            );
            let mut whats: Vec<What> = attempts(rows)
                .into_iter()
                .map(|attempts| What::OnFailure(attempts, table()))
                .collect();
            whats.push(What::OnSlow(vec![running(rows)], table()));
            whats.push(What::OnSlow(vec![running(0), running(rows)], table()));
            whats.push(What::OnPriceChange(before, before, table()));
            whats.push(What::OnPriceChange(before, after, table()));
            whats.push(What::OnPriceChange(after, before, table()));
            whats
        }
    };
    whats
        .into_iter()
        .map(|what| Question {
            job: job.clone(),
            what,
        })
        .collect()
}

/// Requests from none to as much as the contract lets through; `seed` makes the usual ones differ.
fn requests(seed: u32) -> Vec<Request> {
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let text = |letters: usize| "\u{fffd}\"\\ {}".chars().cycle().take(letters).collect();
    vec![
        Request::default(),
        Request {
            capability: format!("image-{seed}"),
            path: "/v1/generate?fast=1".to_owned(),
            parameters: "{\"steps\":30}".to_owned(),
            labels: vec![label("tier", "free"), label("customer", "acme")],
        },
        Request {
            capability: text(100),
            path: text(300),
            parameters: text(300),
            labels: (0..20)
                .map(|n| label(&format!("key-{n}"), "value"))
                .collect(),
        },
    ]
}

/// Failures of each sort, alone and after another.
fn attempts(rows: u32) -> Vec<Vec<Attempt>> {
    let blames = [
        Blame::Orchestrator,
        Blame::Input,
        Blame::Gateway,
        Blame::Payment,
        Blame::Network,
    ];
    let mut all = vec![Vec::new()];
    for (number, blame) in (0_u16..).zip(blames) {
        for safe in [true, false] {
            let failed = Attempt {
                running: false,
                failure: Some(Failure {
                    blame,
                    // Also one that nobody has heard of.
                    kind: if safe { 1 + number * 4 } else { u16::MAX },
                    retry_safe: safe,
                    http_status: if safe { 503 } else { 0 },
                    retry_after_ms: if safe { u32::MAX } else { 0 },
                }),
                ..running(rows)
            };
            all.push(vec![failed]);
            all.push(vec![failed, failed]);
        }
    }
    all
}

/// A running attempt; its orchestrator is the first of `rows`, or none of them.
fn running(rows: u32) -> Attempt {
    Attempt {
        candidate: 1,
        row: (rows > 0).then_some(0),
        started_ms: 0,
        elapsed_ms: 900,
        running: true,
        failure: None,
    }
}

fn values(name: &str, rows: u32, fill: Fill) -> Values<'static> {
    let known = column(name);
    let kind = known
        .as_ref()
        .map_or(Kind::Numbers, pointsman_facts::Column::kind);
    let count = rows as usize;
    let all = |number: f64, bits: u64, mark: u8| match kind {
        Kind::Numbers => Values::Numbers(vec![number; count].into()),
        Kind::Counts => Values::Counts(vec![bits; count].into()),
        Kind::Marks => Values::Marks(vec![mark; count].into()),
        Kind::Symbols => Values::Symbols(vec![bits.max(1); count].into()),
    };
    match (fill, known) {
        (Fill::Unknown, _) | (_, None) => Values::unknown(kind, count),
        (Fill::Least, _) => all(f64::NEG_INFINITY, 0, 0),
        (Fill::Most, _) => all(f64::INFINITY, u64::MAX - 1, 1),
        (Fill::Usual(seed), Some(column)) => Fleet::new(count, &[column], seed).column(name),
        (Fill::Wild(seed), Some(_)) => {
            let mixed = name.bytes().fold(seed, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(byte.into())
            });
            wild(kind, count, &mut Random::new(mixed))
        }
    }
}

fn wild(kind: Kind, count: usize, random: &mut Random) -> Values<'static> {
    let mut words = std::iter::repeat_with(|| random.next()).take(count);
    match kind {
        // Any bits are a float: also subnormal, infinite and NaN ones.
        Kind::Numbers => Values::Numbers(words.map(f64::from_bits).collect::<Vec<_>>().into()),
        Kind::Counts | Kind::Symbols => {
            let shifted: Vec<u64> = words.map(|word| word >> (word % 64)).collect();
            match kind {
                Kind::Counts => Values::Counts(shifted.into()),
                _ => Values::Symbols(shifted.into()),
            }
        }
        Kind::Marks => {
            let marks = words
                .by_ref()
                .map(|word| [0, 1, 2][usize::try_from(word % 3).unwrap_or(0)]);
            Values::Marks(marks.collect::<Vec<_>>().into())
        }
    }
}

fn job(facts: &[String], fill: Fill) -> Job {
    let seed = match fill {
        Fill::Usual(seed) | Fill::Wild(seed) => seed,
        Fill::Unknown | Fill::Least => 0,
        Fill::Most => u64::MAX,
    };
    let mut job = synthetic::asked(&synthetic::job(seed), facts);
    let extreme = |fact: &Fact, number: f64, count: u64, mark: bool| match fact {
        Fact::Number(_) => Fact::Number(number),
        Fact::Count(_) => Fact::Count(count),
        Fact::Mark(_) => Fact::Mark(mark),
        Fact::Symbol(_) => Fact::Symbol(count.max(1)),
        Fact::Unknown => Fact::Unknown,
    };
    match fill {
        Fill::Usual(_) | Fill::Wild(_) => {}
        Fill::Unknown => job.facts.fill(Fact::Unknown),
        Fill::Least => {
            job.facts = job
                .facts
                .iter()
                .map(|fact| extreme(fact, 0.0, 0, false))
                .collect();
            (job.deadline_ms, job.units, job.now_ms) = (0, 0, 0);
        }
        Fill::Most => {
            job.facts = job
                .facts
                .iter()
                .map(|fact| extreme(fact, f64::MAX, u64::MAX, true))
                .collect();
            (job.deadline_ms, job.units, job.now_ms) = (u32::MAX, u64::MAX, u64::MAX);
        }
    }
    job
}
