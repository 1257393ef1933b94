//! What was recorded, asked again.

#[allow(dead_code, reason = "shared with other tests")]
mod support;

use std::path::PathBuf;

use pointsman_facts::{Candidates, Column, Job};
use pointsman_policy::Host;
use pointsman_recording::{Bounds, Reader, Verdict, replay};
use support::town::{Town, differences};
use support::{bundle_of, default_bundle, host, recorder, traffic, twins};
use tempfile::TempDir;

const DECISIONS: u64 = 3000;

/// A folder with `count` decisions of the default bundle; `also` is called with each.
fn recorded(count: u64, also: impl FnMut(&Town, &Job, &Verdict)) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    // Small files, so that replay crosses from one to the next.
    let bounds = Bounds {
        file_bytes: 10_000,
        ..Bounds::default()
    };
    let recorder = recorder(folder.path(), bounds);
    traffic(&recorder, count, also);
    recorder.close();
    folder
}

fn open(folder: &TempDir) -> Reader {
    Reader::open(&[folder.path().to_owned()]).expect("recordings")
}

#[test]
fn everything_that_went_in_and_came_out_is_there() {
    let mut live = Vec::new();
    let folder = recorded(600, |town, job, verdict| {
        live.push((town.clone(), job.clone(), verdict.clone()));
    });
    let mut reader = open(&folder);
    let mut read = 0;
    for (recorded, (town, job, verdict)) in reader.by_ref().zip(&live) {
        read += 1;
        assert_eq!(recorded.job, *job);
        assert_eq!(differences(&recorded.candidates, town), [] as [String; 0]);
        assert_eq!(recorded.candidates.snapshot(), town.snapshot());
        assert!(
            recorded.verdict.same(verdict),
            "{:?}\n{verdict:?}",
            recorded.verdict
        );
        assert_eq!(recorded.policy.name, "default");
        assert_eq!(
            recorded.policy.digest,
            default_bundle().digest().to_string()
        );
        let attempts = &recorded.attempts;
        assert_eq!(attempts.len(), verdict.order.len().min(2));
        if let Some(first) = attempts.first() {
            let failure = first.outcome.as_ref().expect_err("the first one fails");
            assert_eq!(failure.detail, "broken pipe");
            assert_eq!(first.elapsed.as_micros(), 1234);
            assert!(recorded.addresses.get(first.candidate).is_some());
        }
    }
    assert_eq!(read, 600);
    assert_eq!(reader.remarks(), []);
    assert!(std::fs::read_dir(folder.path()).expect("a folder").count() > 1);
}

#[test]
fn the_same_bundle_decides_the_same_to_the_last_bit() {
    let folder = recorded(DECISIONS, |_, _, _| {});
    let report = replay(open(&folder), &default_bundle(), Some(twins())).expect("it loads");
    assert_eq!((report.decisions, report.identical), (DECISIONS, DECISIONS));
    assert!(report.recorded[0].same && report.recorded.len() == 1);
    let work = &report.workloads[0];
    assert_eq!(work.same_first, DECISIONS);
    for one in &work.orchestrators {
        assert_eq!(one.first[0], one.first[1], "{one:?}");
    }
    assert!(
        work.excluded
            .iter()
            .all(|one| one.candidates[0] == one.candidates[1])
    );
    assert!(!work.excluded.is_empty(), "something was excluded at all");
    let text = report.to_string();
    assert!(
        text.contains("every one the same to the last bit"),
        "{text}"
    );
}

#[test]
fn a_bundle_that_reads_what_the_active_one_never_did_decides_as_it_would_have_then() {
    let other = bundle_of(
        "other",
        &[
            ("region", "{ label = \"tier\", prefer = [\"gold\"] }"),
            ("rank", "{ latency = 0, history = 0.1, stake = 1.0 }"),
        ],
    );
    let there: Host = host(&other);
    let mut then = Vec::new();
    let (mut by_default, mut by_other) = (Default::default(), Default::default());
    let folder = recorded(1500, |town, job, verdict| {
        by_default = std::mem::take(&mut *town.asked.lock());
        then.push((
            Verdict::of(&there.select(job.clone(), town).decision),
            verdict.clone(),
        ));
        by_other = std::mem::take(&mut *town.asked.lock());
    });
    for column in [Column::Label("tier".to_owned()), Column::Stake] {
        let name = column.to_string();
        assert!(
            !by_default.contains(&name),
            "{name} is asked for by the default bundle"
        );
        assert!(
            by_other.contains(&name),
            "{name} is not asked for by the other"
        );
    }
    let mut read = 0;
    for (recorded, (would_have, _)) in open(&folder).zip(&then) {
        let again = there.select(recorded.job.clone(), &recorded.candidates);
        assert!(
            Verdict::of(&again.decision).same(would_have),
            "{}",
            recorded.id
        );
        read += 1;
    }
    assert_eq!(read, 1500);

    let report = replay(open(&folder), &other, None).expect("it loads");
    let first = |verdict: &Verdict| verdict.order.first().copied();
    let kept = then
        .iter()
        .filter(|(other, default)| first(other) == first(default));
    assert_eq!(report.workloads[0].same_first, kept.count() as u64);
    let same = then.iter().filter(|(other, default)| other.same(default));
    assert_eq!(report.identical, same.count() as u64);
    assert!(report.workloads[0].same_first < 1500, "another policy");
    assert!(!report.recorded[0].same);
    let text = report.to_string();
    assert!(
        text.contains("1500 decisions") && text.contains("  https://") && text.contains(".test "),
        "{text}"
    );
}

#[test]
fn what_would_have_changed_is_said_in_orchestrators_and_money() {
    let folder = recorded(400, |_, _, _| {});
    let cheapest = bundle_of("cheapest", &[("capability", "{}"), ("lowest-price", "{}")]);
    let report = replay(open(&folder), &cheapest, None).expect("it loads");
    let work = &report.workloads[0];
    let [before, after] = work.price.mean;
    assert!(
        after.expect("prices") < before.expect("prices"),
        "{:?}",
        work.price
    );
    assert!(work.latency_ms.known.iter().all(|&known| known > 0));
    let firsts = |side: usize| {
        work.orchestrators
            .iter()
            .map(|one| one.first[side])
            .sum::<u64>()
    };
    let refused = |side: usize| work.refused.iter().map(|one| one.jobs[side]).sum::<u64>();
    for side in [0, 1] {
        assert_eq!(firsts(side) + refused(side), 400);
    }
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["bundle"]["name"], "cheapest");
    assert_eq!(json["workloads"][0]["workload"], "transcode");
    assert!(
        json["workloads"][0]["price"]["median"][0]
            .as_str()
            .is_some_and(|price| price.contains('/'))
    );
}

#[test]
fn a_report_does_not_depend_on_how_the_work_was_shared() {
    let folder = recorded(300, |_, _, _| {});
    let cheapest = bundle_of("cheapest", &[("lowest-price", "{}")]);
    let one = || {
        let report = replay(open(&folder), &cheapest, None).expect("it loads");
        serde_json::to_string(&report).expect("JSON")
    };
    assert_eq!(one(), one());
}

#[test]
fn folders_without_recordings_say_where_to_look() {
    let empty = tempfile::tempdir().expect("a folder");
    let error = Reader::open(&[empty.path().to_owned()]).expect_err("nothing there");
    assert!(error.to_string().contains("--record on"), "{error}");
    let error = Reader::open(&[PathBuf::from("/nonexistent")]).expect_err("nothing there");
    assert!(error.to_string().contains("/nonexistent"), "{error}");
}
