//! The recorder itself: it never holds anybody up, and keeps its bounds.

#[allow(dead_code, reason = "shared with other tests")]
mod support;

use std::fs;
use std::num::NonZeroUsize;
use std::sync::Arc;

use pointsman_recording::{Bounds, Explanation, Reader, Recorder, Settings, Which};
use support::town::{Town, job};
use support::{decide, default_bundle, host, recorder};

#[test]
fn what_the_queue_has_no_room_for_is_dropped_and_nobody_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::start(Settings {
        queue: NonZeroUsize::MIN,
        ..Settings::new(folder.path().to_owned())
    });
    let recorder = Arc::new(recorder.expect("a recorder"));
    let (host, town) = (host(&default_bundle()), Town::new(5, 1));
    assert!(host.observe(recorder.clone()));
    assert!(!host.observe(recorder.clone()), "there is one already");
    for seed in 0..50 {
        decide(&host, &town, &job(&format!("cam/{seed}"), seed));
    }
    recorder.close();
    let read = Reader::open(&[folder.path().to_owned()])
        .expect("recordings")
        .count();
    assert!((1..=50).contains(&read), "{read}");
    decide(&host, &town, &job("cam/late", 1));
    let again = Reader::open(&[folder.path().to_owned()])
        .expect("recordings")
        .count();
    assert_eq!(read, again, "after its end nothing is recorded");
}

#[test]
fn every_file_can_be_read_alone_and_the_folder_keeps_its_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let bounds = Bounds {
        bytes: 100_000,
        ..Bounds::default()
    };
    let mut town = Town::new(40, 3);
    for run in 0..6 {
        let (host, recorder) = (host(&default_bundle()), recorder(folder.path(), bounds));
        host.observe(recorder.clone());
        for seed in 0..150 {
            town.step();
            decide(&host, &town, &job(&format!("cam{run}/{seed}"), seed));
        }
        recorder.close();
    }
    let mut total = 0;
    let mut runs = std::collections::BTreeSet::new();
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        total += fs::metadata(&path).expect("there").len();
        let mut reader = Reader::open(&[path]).expect("a recording");
        let read: Vec<_> = reader.by_ref().collect();
        assert!(!read.is_empty() && reader.remarks().is_empty());
        runs.extend(
            read.into_iter()
                .map(|one| one.job.id.split('/').next().map(str::to_owned)),
        );
    }
    assert!(total <= 100_000, "{total}");
    assert!(runs.contains(&Some("cam5".to_owned())), "the newest stays");
    assert!(
        !runs.contains(&Some("cam0".to_owned())),
        "the oldest went: {runs:?}"
    );
}

#[test]
fn a_decision_is_explained_like_a_compiler_would() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = recorder(folder.path(), Bounds::default());
    let (host, town) = (host(&default_bundle()), Town::new(8, 5));
    host.observe(recorder.clone());
    for seed in 0..4 {
        decide(&host, &town, &job(&format!("movie/{seed}"), seed));
    }
    recorder.close();
    let open = || Reader::open(&[folder.path().to_owned()]).expect("recordings");
    let found = Explanation::find(&mut open(), &Which::new("movie/2"));
    assert_eq!(found.len(), 1);
    let text = found[0].to_string();
    let first = found[0].ranked.first().expect("somebody is chosen");
    let first = first.who.address.as_deref().expect("an address");
    assert!(
        text.starts_with(&format!("decision 3: movie/2 (transcode) goes to {first}")),
        "{text}"
    );
    for part in [
        "by default 0.1.0 (generation 1)",
        "8 candidates: ",
        "   1 | ",
        "   x | ",
        "capability: cannot do this job",
        "ended after 1 ms: reset",
        "a copy beside a slow one: good after 1 ms",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let by_number = Explanation::find(&mut open(), &Which::new("3"));
    assert_eq!(by_number[0].to_string(), text);
    assert!(Explanation::find(&mut open(), &Which::new("movie/9")).is_empty());

    // From memory it says the same, but for what only recordings keep.
    let live = host.decisions().get(3).expect("in the ring");
    let live = Explanation::of(&live, None, |id| {
        (0..8)
            .find(|&row| support::id(row) == id)
            .map(|row| format!("https://{row}.test"))
    });
    let (live, recorded) = (serde_json::to_value(&live), serde_json::to_value(&found[0]));
    let (live, recorded) = (live.expect("JSON"), recorded.expect("JSON"));
    for same in [
        "decision",
        "job",
        "excluded",
        "dropped",
        "hedge",
        "fuel",
        "candidates",
    ] {
        assert_eq!(live[same], recorded[same], "{same}");
    }
    assert_eq!(live["attempts"].as_array().map(Vec::len), Some(2));
}
