//! Hours of traffic, recorded as it runs and decided again afterwards.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::{Candidates, FailureKind};
use pointsman_native::Native;
use pointsman_policy::Bundle;
use pointsman_policy::bundle::MAX_COMPONENT;
use pointsman_recording::{Reader, Recorder, Settings, replay};
use tokio::time::sleep;

use crate::world::{Does, SEGMENT, World};
use crate::{ALL, fails};

const SEGMENTS: u64 = 3000;

#[tokio::test(start_paused = true)]
async fn hours_of_traffic_are_decided_again_to_the_last_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Arc::new(
        Recorder::start(Settings {
            // All of it happens in a moment.
            queue: NonZeroUsize::new(1 << 14).expect("above zero"),
            ..Settings::new(folder.path().to_owned())
        })
        .expect("a recorder"),
    );
    let world = World::of(&ALL).await;
    assert!(world.dispatcher.policy().observe(recorder.clone()));
    let mut good = 0;
    for sequence in 0..SEGMENTS {
        // Somebody else is slow, or fails, every now and then.
        let name = ALL[(sequence / 40) as usize % ALL.len()];
        world.set(
            name,
            [match sequence % 40 {
                0..8 => fails(FailureKind::Reset),
                8..12 => Does::Hang,
                twelfth => Does::Answer(Duration::from_millis(100 + 10 * twelfth)),
            }],
        );
        good += u64::from(world.segment(sequence).await.is_ok());
        sleep(SEGMENT / 4).await;
    }
    assert!(good > SEGMENTS / 2, "{good}");
    recorder.close();

    let open = || Reader::open(&[folder.path().to_owned()]).expect("recordings");
    let (mut decisions, mut attempts, mut snapshots) = (0, 0, std::collections::BTreeSet::new());
    for recorded in open() {
        decisions += 1;
        attempts += recorded.attempts.len();
        snapshots.insert(recorded.candidates.snapshot());
    }
    assert!(decisions >= SEGMENTS, "{decisions}");
    assert!(
        attempts as u64 > SEGMENTS,
        "the failed ones too: {attempts}"
    );
    assert!(snapshots.len() > 100, "the directory did not stand still");

    let files = pointsman_default_bundle::bundle()
        .iter()
        .map(|&(name, bytes)| (name.to_owned(), bytes.to_vec()));
    let bundle = Bundle::from_files(files, MAX_COMPONENT).expect("the default bundle");
    let twins = Arc::new(Native::new(pointsman_default_bundle::stage));
    let report = replay(open(), &bundle, Some(twins)).expect("it loads");
    assert_eq!((report.decisions, report.identical), (decisions, decisions));
    assert!(report.remarks.is_empty());
    let firsts = report.workloads[0].orchestrators.len();
    assert!(firsts > 1, "the stream moved");
}
