use std::fs;

use pointsman_facts::{FailureKind, Symbol, Workload};
use tempfile::TempDir;

use super::*;
use crate::history::{Fault, Key, RecordRow, Work};
use crate::source::identity;

fn rows() -> Rows {
    let uri = "https://a.example:8935".parse().expect("a service URI");
    let key = Key {
        orchestrator: identity(&uri),
        work: Work {
            workload: Workload::Transcode,
            model: Symbol(u64::MAX),
        },
    };
    let fault = Fault {
        at_ms: 5,
        kind: FailureKind::Reset,
        elapsed_ms: 7,
        detail: "gone".into(),
    };
    Rows {
        orchestrators: vec![OrchestratorRow {
            uri,
            seen_ms: 9,
            answered_ms: Some(8),
            failures: 1,
            error: Some("refused".into()),
            info: Some(vec![1, 2, 3]),
            rest_ms: 77,
        }],
        records: vec![RecordRow {
            key,
            touched_ms: 6,
            score: Some(0.1 + 0.2),
            latencies: vec![1, 0, 0, 0],
            judged: vec![1, 0, 0, 0, 0, 0, 0, 0, 0],
            all: Vec::new(),
            faults: vec![fault],
        }],
    }
}

fn open(path: &Path) -> (Store, Rows) {
    Store::open(path, 1234).expect("a database")
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("the folder");
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_saved_is_what_is_loaded() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("directory.db");
    let (mut store, empty) = open(&path);
    assert!(empty.is_empty());
    store.save(&rows()).expect("saved");
    store.save(&rows()).expect("saved over");
    drop(store);
    assert_eq!(open(&path).1, rows());
}

#[test]
fn what_is_old_goes() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("directory.db");
    let (mut store, _) = open(&path);
    store.save(&rows()).expect("saved");
    store.purge(6).expect("purged");
    drop(store);
    assert_eq!(open(&path).1, rows(), "neither is older");
    let (mut store, _) = open(&path);
    store.purge(9).expect("purged");
    drop(store);
    let left = open(&path).1;
    assert_eq!((left.orchestrators.len(), left.records.len()), (1, 0));
}

#[test]
fn an_unreadable_file_is_moved_aside_and_not_lost() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("directory.db");
    for (content, name) in [
        (
            b"this is no database, whatever its name says".repeat(200),
            "text",
        ),
        (Vec::from(*b"SQLite format 3\0garbage"), "a torn header"),
    ] {
        fs::write(&path, &content).expect("written");
        let (mut store, loaded) = open(&path);
        assert!(loaded.is_empty(), "{name}");
        store.save(&rows()).expect("the new one works");
        drop(store);
        let aside = folder.path().join("directory.db.unreadable-1234");
        assert_eq!(fs::read(aside).expect("kept"), content, "{name}");
        fs::remove_file(&path).expect("removed");
    }
}

#[test]
fn a_damaged_file_is_noticed() {
    let overwrite = |bytes: &mut Vec<u8>| {
        let from = bytes.len() / 4;
        bytes[from..].fill(0xA5);
    };
    let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2 + 100);
    for damage in [&overwrite as &dyn Fn(&mut Vec<u8>), &cut] {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("directory.db");
        let (mut store, _) = open(&path);
        store.save(&rows()).expect("saved");
        drop(store);
        let mut bytes = fs::read(&path).expect("the file");
        damage(&mut bytes);
        fs::write(&path, bytes).expect("written");
        assert!(open(&path).1.is_empty());
        let names = names(&folder);
        assert!(
            names.iter().any(|name| name.contains("unreadable")),
            "{names:?}"
        );
    }
}

#[test]
fn another_layout_is_moved_aside() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("directory.db");
    drop(open(&path));
    let connection = Connection::open(&path).expect("opens");
    connection
        .pragma_update(None, "user_version", 99)
        .expect("set");
    drop(connection);
    assert!(open(&path).1.is_empty());
    assert!(
        names(&folder)
            .iter()
            .any(|name| name.contains("unreadable"))
    );
}

#[test]
fn a_row_that_makes_no_sense_costs_itself() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("directory.db");
    let (mut store, _) = open(&path);
    store.save(&rows()).expect("saved");
    store
        .connection
        .execute_batch(
            "INSERT INTO orchestrator VALUES (1, 'https://b', 0, NULL, 0, NULL, NULL, 0);
             INSERT INTO orchestrator VALUES (2, 'no uri', 0, NULL, 0, NULL, NULL, 0);
             INSERT INTO history VALUES (1, 'mining', 0, 0, NULL, x'', x'', x'', '[]');
             INSERT INTO history VALUES (1, 'llm', 0, 0, NULL, x'', x'', x'', '{');",
        )
        .expect("inserted");
    drop(store);
    assert_eq!(open(&path).1, rows());
}

#[test]
fn a_folder_that_is_not_there_stops_the_start() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("missing/directory.db");
    let error = Store::open(&path, 0).expect_err("no folder");
    assert!(error.to_string().contains("missing"), "{error}");
}
