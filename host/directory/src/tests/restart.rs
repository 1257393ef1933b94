use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::column::TABLE;
use pointsman_facts::failure::Class;
use pointsman_facts::{Blame, Candidates, Column, Failure, FailureKind, Symbol, Values, Workload};
use pointsman_wire::net::Capabilities;
use tempfile::TempDir;
use tokio::time::sleep;

use super::fake::{Does, Fakes, NOW_MS, answers, id, offer, start};
use crate::clock::Clock;
use crate::directory::{Directory, Settings};
use crate::history::Outcome;
use crate::prober::Ask;
use crate::rest::Rest;
use crate::source::Sources;
use crate::view::Query;

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);
const NAMES: [&str; 5] = ["a", "b", "c", "d", "dead"];

fn settings(folder: &TempDir) -> Settings {
    Settings {
        database: Some(folder.path().join("directory.db")),
        ..Settings::default()
    }
}

/// Every value of every column that outlives a process, exactly: floats as their bits.
fn everything(directory: &Directory) -> Vec<(String, Vec<u64>)> {
    let classes = Class::ALL.map(|class| format!("error-rate/{}", class.name()));
    let names = TABLE
        .iter()
        .map(|entry| entry.name.replace("<key>", "tier"));
    let plain = names.filter(|name| name != "error-rate/<class>" && name != "probe-ms");
    let mut columns = Vec::new();
    for name in plain.chain(classes) {
        let column = Column::parse(&name).expect("a name of the table");
        for (workload, model) in [(Workload::Transcode, ""), (Workload::Llm, "m")] {
            let view = directory.candidates(&Query {
                workload,
                model: Symbol::of(model),
                required: Arc::new(Capabilities::default()),
                incumbent: None,
                hints: Arc::default(),
            });
            let values = match view.values(&column) {
                Values::Numbers(values) => values.iter().map(|value| value.to_bits()).collect(),
                Values::Counts(values) | Values::Symbols(values) => values.to_vec(),
                Values::Marks(values) => values.iter().copied().map(u64::from).collect(),
            };
            columns.push((format!("{name} {workload:?}"), values));
        }
    }
    columns
}

/// Attempts of both kinds on all of `NAMES`, each a little different.
fn attempts(directory: &Directory, rounds: u32) {
    let failures = [
        Failure::new(Blame::Network, FailureKind::Reset, "gone"),
        Failure::new(Blame::Orchestrator, FailureKind::Busy, "full"),
        Failure::new(Blame::Input, FailureKind::BadInput, "no key frames"),
    ];
    for (round, (place, name)) in
        (0..rounds).flat_map(|i| NAMES.iter().enumerate().map(move |n| (i, n)))
    {
        let step = round * 7 + u32::try_from(place).expect("a few") * 13;
        let elapsed = Duration::from_micros(40_000 + u64::from(step * step % 9973) * 17);
        let (workload, model) = match step % 3 {
            0 => (Workload::Llm, Symbol::of("m")),
            _ => (Workload::Transcode, Symbol::UNKNOWN),
        };
        let running = directory.begin(id(name), workload, model);
        match step % 11 {
            case @ (3 | 5 | 9) => running.finish(Outcome::Failure {
                failure: &failures[(case % 3) as usize],
                elapsed,
            }),
            _ => running.finish(Outcome::Success {
                elapsed,
                duration: Some(2 * SECOND),
            }),
        }
    }
}

/// The same database opened by a new process at the same moment, with orchestrators that do not answer.
async fn again(database: PathBuf, now_ms: u64) -> Directory {
    let fakes = Fakes::answering(&[]);
    NAMES.iter().for_each(|name| fakes.set(name, Does::Hangs));
    let sources = Sources {
        list: NAMES.iter().map(|name| super::fake::uri(name)).collect(),
        ..Sources::default()
    };
    let settings = Settings {
        sources,
        database: Some(database),
        clock: Clock::starting_at(now_ms),
        ..Settings::default()
    };
    Directory::start(settings, fakes as Arc<dyn Ask>)
        .await
        .expect("it starts again")
}

#[tokio::test(start_paused = true)]
async fn every_column_is_the_same_after_a_restart() {
    let folder = TempDir::new().expect("a folder");
    let fakes = Fakes::answering(&NAMES[..4]);
    fakes.set("b", answers(offer("b", 12)));
    let first = start(&fakes, &NAMES, settings(&folder)).await;
    first.settled(LONG).await;
    attempts(&first, 90);
    sleep(20 * SECOND).await;
    attempts(&first, 3);
    assert_eq!(first.rest(id("c"), LONG), Rest::Granted(LONG));
    sleep(5 * SECOND).await;
    first.shutdown().await;
    first.publish();
    let (before, now_ms) = (everything(&first), first.clock().unix_ms());
    drop(first);

    let second = again(folder.path().join("directory.db"), now_ms).await;
    assert_eq!(second.clock().unix_ms(), now_ms, "no time has passed");
    let after = everything(&second);
    assert_eq!(before, after);
    let known = |name: &str| {
        let column = after
            .iter()
            .find(|(of, _)| of == &format!("{name} Transcode"));
        column.expect("a column").1.clone()
    };
    assert!(
        known("latency-ms/p95")
            .iter()
            .all(|bits| !f64::from_bits(*bits).is_nan())
    );
    assert_eq!(
        known("rest-ms").iter().filter(|ms| **ms == 55_000).count(),
        1
    );
    assert_eq!(known("fit").iter().filter(|mark| **mark == 1).count(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_outlives_a_process_that_is_killed() {
    let folder = TempDir::new().expect("a folder");
    let fakes = Fakes::answering(&NAMES[..4]);
    let first = start(&fakes, &NAMES, settings(&folder)).await;
    first.settled(LONG).await;
    attempts(&first, 5);
    sleep(6 * SECOND).await;
    // A kill: the database as it is at this moment, without a farewell.
    let copy = TempDir::new().expect("a folder");
    for suffix in ["", "-wal"] {
        let name = format!("directory.db{suffix}");
        std::fs::copy(folder.path().join(&name), copy.path().join(&name)).expect("copied");
    }
    first.publish();
    let before = everything(&first);
    let second = again(copy.path().join("directory.db"), first.clock().unix_ms()).await;
    assert_eq!(before, everything(&second));
}

#[tokio::test(start_paused = true)]
async fn old_facts_are_not_believed_but_old_speed_is() {
    let folder = TempDir::new().expect("a folder");
    let fakes = Fakes::answering(&NAMES[..4]);
    let first = start(&fakes, &NAMES, settings(&folder)).await;
    first.settled(LONG).await;
    attempts(&first, 5);
    first.shutdown().await;
    let an_hour_later = NOW_MS + 3_600_000;
    let second = again(folder.path().join("directory.db"), an_hour_later).await;
    let column = |name: &str| {
        let columns = everything(&second);
        let found = columns
            .into_iter()
            .find(|(of, _)| of == &format!("{name} Transcode"));
        found.expect("a column").1
    };
    assert!(column("fit").iter().all(|mark| *mark == 2), "not asked yet");
    assert!(
        column("samples").iter().all(|count| *count == 0),
        "forgiven"
    );
    assert!(
        column("latency-ms/p50")
            .iter()
            .all(|bits| !f64::from_bits(*bits).is_nan())
    );
}

#[tokio::test(start_paused = true)]
async fn a_database_that_cannot_be_read_costs_the_history_and_not_the_start() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(
        folder.path().join("directory.db"),
        b"not a database".repeat(99),
    )
    .expect("written");
    let fakes = Fakes::answering(&["a"]);
    let directory = start(&fakes, &["a"], settings(&folder)).await;
    assert_eq!(directory.settled(LONG).await.usable, 1);
    let aside = format!("directory.db.unreadable-{NOW_MS}");
    assert!(folder.path().join(aside).exists());
}

#[tokio::test(start_paused = true)]
async fn an_orchestrator_that_comes_back_is_remembered() {
    let fakes = Fakes::answering(&["a"]);
    let directory = start(&fakes, &["a"], Settings::default()).await;
    directory.settled(LONG).await;
    attempts(&directory, 5);
    fakes.set("a", Does::Hangs);
    let before = directory.list().remove(0);
    for list in [vec![], vec![super::fake::uri("a")]] {
        let known = crate::source::merge(
            &Sources {
                list,
                ..Sources::default()
            },
            &[],
            &Default::default(),
        );
        let stop = directory.core.stop.clone();
        let now_ms = directory.clock().unix_ms();
        directory.core.table.lock().replace(known, now_ms, &stop);
        directory.publish();
    }
    let after = directory.list().remove(0);
    assert_eq!((after.usable, after.price), (before.usable, before.price));
    assert_eq!(after.history[0].samples, before.history[0].samples);
}
