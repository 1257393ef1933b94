//! Vectors: what tests write down when `POINTSMAN_VECTORS` names a folder.

use std::path::Path;
use std::process::Command;

use pointsman_sdk::prelude::*;
use pointsman_sdk::testing::{self, Table};

policy! { struct Full { free: Counts = "capacity-free", full: Cause = "no capacity left" } }

impl Selection for Full {
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        candidates
            .keep(|row| row.get(self.free) != Some(0), self.full)
            .verdict()
    }
}

impl Byoc for Full {
    fn route(&self, _: &Job, request: &Request) -> Routing {
        Change::new()
            .label("path", &request.path)
            .timeout_ms(7)
            .into()
    }
}

impl Failover for Full {
    fn on_failure(&self, _: &Job, attempts: &[Attempt], _: &Candidates) -> Remedy {
        Remedy {
            rest_ms: attempts.len() as u32,
            recovery: Recovery::Next(0),
        }
    }
}

export!(Full: Selection + Byoc + Failover);

const JOB: &str = r#""job":{"now-ms":1700000000000,"seed":1,"workload":"1ca959f09d69a9cf","capability":"1ca959f09d69a9cf","model":"0000000000000000","affinity":1,"deadline-ms":10000,"units":0,"facts":[]}"#;

/// Asked by a process of its own, so that nobody else's environment changes.
#[test]
#[ignore = "a part of the test below"]
fn asked() {
    let table = Table::new().counts("capacity-free", [Some(3), Some(0), None]);
    let selection = testing::selection::<Full>([]);
    let outcome = selection.judge(&table);
    assert_eq!(selection.judge(&table).order, outcome.order);

    let request = Request {
        path: "/a\"b".to_owned(),
        ..testing::request("video")
    };
    testing::byoc::<Full>([]).route(&request);

    let failover = testing::failover::<Full>([]);
    let price = Price { num: 1, den: 3 };
    let attempt = Attempt {
        candidate: 0xff,
        row: None,
        started_ms: 1,
        elapsed_ms: 2,
        running: false,
        failure: None,
    };
    for _ in 0..3 {
        failover.on_failure(&[attempt], &Table::new());
    }
    failover.on_price_change(price, price, &Table::of(1));
}

/// As above: a test of many draws.
#[test]
#[ignore = "a part of the test below"]
fn drawn() {
    for seed in 0..1000 {
        let job = testing::Job::new().seed(seed);
        testing::selection::<Full>([]).job(job).judge(&Table::new());
    }
}

/// The lines that the test `name` writes in a process of its own.
fn lines(name: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("vectors-{name}"));
    // Left by an earlier run.
    let _ = std::fs::remove_dir_all(&folder);
    let asking = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", name, "--ignored"])
        .env("POINTSMAN_VECTORS", &folder)
        .output()
        .expect("this test runs");
    assert!(asking.status.success(), "{asking:?}");

    let files: Vec<_> = std::fs::read_dir(&folder).expect("a folder").collect();
    let [Ok(file)] = files.as_slice() else {
        panic!("one process, one policy, one file: {files:?}")
    };
    let name = file.file_name().into_string().expect("a plain name");
    assert!(
        name.starts_with("pointsman-sdk-") && name.ends_with(".jsonl"),
        "{name}"
    );
    let text = std::fs::read_to_string(file.path()).expect("it is there");
    assert!(text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_place_that_asks_a_thousand_times_is_written_down_with_its_first_questions() {
    let lines = lines("drawn");
    assert_eq!(lines.len(), 64);
    assert!(lines[63].contains("\"seed\":63,"), "{}", lines[63]);
}

#[test]
fn every_question_is_one_line_and_the_readme_shows_it_to_the_byte() {
    let lines = lines("asked");
    let [judged, routed, failed, changed] = lines.as_slice() else {
        panic!("four questions, two of them more than once: {lines:#?}")
    };

    let readme = include_str!("../README.md");
    let shown = readme
        .lines()
        .find(|line| line.starts_with("{\"vector\":"))
        .expect("the README shows one");
    assert_eq!(
        *judged,
        shown.replace("\"policy\":\"full\"", "\"policy\":\"pointsman-sdk\"")
    );
    let head = |hook: &str, function: &str| {
        format!(
            r#"{{"vector":1,"policy":"pointsman-sdk","hook":"{hook}","function":"{function}","settings":[],"plan":{{"columns":["capacity-free"],"facts":[],"causes":[{{"text":"no capacity left","column":null}}]}},"question":{{{JOB},"#
        )
    };
    assert_eq!(
        *routed,
        head("byoc", "route")
            + r#""request":{"capability":"video","path":"/a\"b","parameters":"{}","labels":[]}},"answer":{"change":{"capability":null,"only":[],"ignore":[],"max-price":null,"timeout-ms":7,"labels":[["path","/a\"b"]]}}}"#
    );
    assert_eq!(
        *failed,
        head("failover", "on-failure")
            + r#""attempts":[{"candidate":"00000000000000ff","row":null,"started-ms":1,"elapsed-ms":2,"running":false,"failure":null}],"remaining":{"rows":0,"columns":[{"counts":[]}]}},"answer":{"rest-ms":1,"recovery":{"next":0}}}"#
    );
    assert_eq!(
        *changed,
        head("failover", "on-price-change")
            + r#""before":{"num":1,"den":3},"after":{"num":1,"den":3},"remaining":{"rows":1,"columns":[{"counts":[18446744073709551615]}]}},"answer":"abstain"}"#
    );
}
