//! Random lives of a stream, against the reference and before the observer.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use m3u8_rs::MediaSegment;
use pointsman_media::hls::{Config, Number, RenditionSegment};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::observer::Observer;
use crate::reference::{Expected, Reference, Row};
use crate::stage::{START, Stage, config, is_gap, number, rendition, segment, source_bytes};

#[derive(Clone, Debug)]
enum Step {
    /// A segment `ahead - 3` after the highest so far.
    Announce {
        ahead: u64,
        millis: u64,
        jump: bool,
    },
    /// A result for one of the latest announcements.
    Settle {
        back: u64,
        good: [bool; 2],
    },
    Pass(u64),
    End,
}

fn step() -> impl Strategy<Value = Step> {
    let millis = prop_oneof![6 => Just(2000), 2 => 100_u64..2400, 1 => 2400_u64..5000];
    let ahead = prop_oneof![6 => Just(4_u64), 3 => 0_u64..8];
    let good = prop_oneof![4 => Just([true, true]), 1 => any::<[bool; 2]>()];
    prop_oneof![
        30 => (ahead, millis, prop::bool::weighted(0.1))
            .prop_map(|(ahead, millis, jump)| Step::Announce { ahead, millis, jump }),
        30 => (0_u64..5, good).prop_map(|(back, good)| Step::Settle { back, good }),
        10 => (0_u64..4000).prop_map(Step::Pass),
        1 => Just(Step::End),
    ]
}

fn expected_of(stage: &mut Stage, name: &str) -> Option<Expected> {
    let media = stage.media(name)?;
    let row = |segment: &MediaSegment| Row {
        number: number(segment),
        millis: (f64::from(segment.duration) * 1000.0).round() as u64,
        discontinuity: segment.discontinuity,
        gap: is_gap(segment),
        date: segment
            .program_date_time
            .expect("a date")
            .timestamp_millis() as u64
            - START,
    };
    Some(Expected {
        target: media.target_duration,
        sequence: media.media_sequence,
        discontinuity_sequence: media.discontinuity_sequence,
        items: media.segments.iter().map(row).collect(),
        ended: media.end_list,
    })
}

fn agree(stage: &mut Stage, reference: &Reference, highest: u64) {
    for (name, index) in [("source", None), ("a", Some(0)), ("b", Some(1))] {
        assert_eq!(
            expected_of(stage, name),
            reference.playlist(index),
            "{name}"
        );
        let kept: Vec<u64> = (0..=highest + 8)
            .filter(|&number| stage.playout.segment(name, Number(number)).is_some())
            .collect();
        assert_eq!(kept, reference.kept(index), "{name} keeps");
    }
}

/// What an orchestrator returns of `number` when only `good` renditions are right.
fn result(number: Number, good: [bool; 2]) -> Vec<Option<RenditionSegment>> {
    let names = ["a", "b"].into_iter().zip(good);
    names
        .map(|(name, good)| good.then(|| rendition(name, number)).flatten())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn every_life_of_a_stream_is_the_reference_s(
        window in 3_usize..6,
        extra in 1_usize..6,
        in_flight in 1_usize..8,
        reorder in prop_oneof![Just(0_u64), Just(2000), 0_u64..5000],
        steps in vec(step(), 1..100),
    ) {
        let keep = window + extra;
        let mut reference = Reference::new(window, keep, in_flight, reorder);
        let mut stage = Stage::new(Config {
            window,
            keep,
            in_flight,
            reorder: Duration::from_millis(reorder),
            ..config()
        });
        let mut observer = Observer::default();
        let mut highest = 0;
        for step in steps {
            match step {
                Step::Announce { ahead, millis, jump } => {
                    let mut number = (highest + ahead).saturating_sub(3);
                    if reference.last().is_none() && ahead == 4 {
                        number = 0;
                    }
                    highest = highest.max(number);
                    let mut segment = segment(source_bytes(number), millis);
                    segment.discontinuity = jump;
                    segment.start =
                        SystemTime::UNIX_EPOCH + Duration::from_millis(START + stage.now);
                    let ours = stage.announce(number, segment);
                    let accepted = reference.announce(number, millis, jump, stage.now);
                    prop_assert_eq!(ours.ok(), accepted.then_some(Number(number)));
                }
                Step::Settle { back, good } => {
                    let number = highest.saturating_sub(back);
                    let (now, result) = (stage.instant(), result(Number(number), good));
                    let ours = stage.playout.done(Number(number), result, now);
                    let in_time = reference.settle(number, good, stage.now);
                    prop_assert_eq!(ours.is_ok(), in_time);
                }
                Step::Pass(millis) => {
                    stage.pass(millis);
                    reference.advance(stage.now);
                }
                Step::End => {
                    stage.end();
                    reference.end(stage.now);
                }
            }
            observer.look(&mut stage);
            agree(&mut stage, &reference, highest);
        }
    }

    /// Whatever a hostile publisher sends: the playlists stay right, and everything is settled in the end.
    #[test]
    fn any_numbers_at_all_keep_the_playlists_right(
        steps in vec((prop_oneof![0_u64..40, any::<u64>(), (u64::MAX - 40)..], 0_u8..3, 0_u64..3000, 0_u8..4), 1..80),
        bytes in prop_oneof![0_usize..100, Just(usize::MAX)],
    ) {
        let mut stage = Stage::new(Config { bytes, ..config() });
        let mut observer = Observer::default();
        let mut numbers = vec![];
        for (sequence, bytes, pass, outcome) in steps {
            let bytes = Bytes::from(vec![bytes; 3]);
            let announced = stage.announce(sequence, segment(bytes, 2000));
            numbers.extend(announced);
            observer.look(&mut stage);
            let now = stage.instant();
            if let Some(&number) = numbers.get(numbers.len() / 2) {
                match outcome {
                    0 => stage.playout.failed(number, now),
                    1 => drop(stage.playout.done(number, result(number, [true, true]), now)),
                    2 => drop(stage.playout.done(number, result(number, [true, false]), now)),
                    _ => {}
                }
            }
            observer.look(&mut stage);
            stage.pass(pass);
            observer.look(&mut stage);
        }
        stage.end();
        while let Some(deadline) = stage.playout.next_deadline() {
            let left = deadline.saturating_duration_since(stage.instant());
            prop_assert!(left <= Duration::from_secs(6));
            let before = stage.playout.version();
            stage.pass(u64::try_from(left.as_millis()).unwrap_or(0));
            prop_assert!(stage.playout.version() > before, "a deadline that changes nothing");
            observer.look(&mut stage);
        }
        prop_assert!(stage.playout.is_complete());
    }
}
