//! What leaves the list, what leaves memory, and how long a segment is.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use pointsman_media::hls::{Config, Number};

use crate::stage::{START, Stage, config, segment, source_bytes};

/// Announces and returns a segment of `millis`.
fn whole(stage: &mut Stage, sequence: u64, millis: u64) {
    let segment = segment(source_bytes(sequence), millis);
    let number = stage.announce(sequence, segment).expect("in turn");
    stage.done(number);
}

#[test]
fn the_window_slides_and_memory_follows() {
    let mut stage = Stage::new(config());
    for sequence in 0..100 {
        whole(&mut stage, sequence, 2000);
    }
    assert_eq!(stage.listing("source"), "96/0: 96 97 98 99");
    assert_eq!(stage.listing("a"), "96/0: 96 97 98 99");
    for name in ["source", "a", "b"] {
        let kept = |number: &u64| stage.playout.segment(name, Number(*number)).is_some();
        let kept: Vec<_> = (0..101).filter(kept).collect();
        assert_eq!(kept, (92..100).collect::<Vec<_>>(), "{name} keeps 8");
    }
}

#[test]
fn short_segments_stay_until_three_target_durations_remain() {
    let mut stage = Stage::new(config());
    for sequence in 0..4 {
        whole(&mut stage, sequence, 2000);
    }
    for sequence in 4..8 {
        whole(&mut stage, sequence, 1000);
    }
    // 2 + 1 + 1 + 1 + 1 s make three targets of 2 s; four times 1 s would not.
    assert_eq!(stage.listing("a"), "3/0: 3 4 5 6 7");
    for sequence in 8..20 {
        whole(&mut stage, sequence, 100);
    }
    assert_eq!(
        stage.listing("a"),
        "13/0: 13 14 15 16 17 18 19",
        "memory is the limit"
    );
    for sequence in 20..24 {
        whole(&mut stage, sequence, 2000);
    }
    assert_eq!(stage.listing("a"), "20/0: 20 21 22 23");
}

/// A stage that may hold so many bytes. `source N` has 8 of them, its renditions 3 each.
fn tight(bytes: usize) -> Stage {
    Stage::new(Config { bytes, ..config() })
}

#[test]
fn what_is_too_large_to_be_kept_leaves_early() {
    let mut stage = tight(3 * 14);
    for sequence in 0..4 {
        whole(&mut stage, sequence, 2000);
    }
    assert_eq!(
        stage.listing("source"),
        "1/0: 1 2 3",
        "one less than listed"
    );
    assert_eq!(stage.listing("a"), "1/0: 1 2 3");
    assert_eq!(stage.playout.segment("source", Number(0)), None);
    assert_eq!(stage.playout.counts().early, 1);
    let large = segment(Bytes::from(vec![7; 100]), 2000);
    let number = stage.announce(4, large).expect("in turn");
    assert_eq!(stage.listing("source"), "3/0: 3 4", "the last ones stay");
    assert_eq!(stage.listing("a"), "3/0: 3");
    stage.done(number);
    assert_eq!(stage.listing("source"), "4/0: 4");
    assert_eq!(stage.listing("a"), "4/0: 4");
    for sequence in 5..8 {
        whole(&mut stage, sequence, 2000);
    }
    assert_eq!(stage.listing("a"), "5/0: 5 6 7", "and back again");
}

#[test]
fn what_waits_for_its_turn_counts_too_and_waits_for_less_of_it() {
    let mut stage = tight(6 * 14);
    for sequence in 0..3 {
        whole(&mut stage, sequence, 2000);
    }
    // Three after a hole are half of the bytes; the fourth hurries them.
    for sequence in 4..7 {
        whole(&mut stage, sequence, 2000);
    }
    assert_eq!(stage.listing("a"), "0/0: 0 1 2");
    whole(&mut stage, 7, 2000);
    assert_eq!(stage.listing("a"), "3/0: *4 5 6 7");
    assert_eq!(stage.playout.segment("a", Number(0)), None, "it made room");
    assert_eq!(stage.playout.counts().early, 1);
}

#[test]
fn the_target_duration_holds_every_segment_of_the_first_reading() {
    for (millis, target) in [(2000, 2), (2499, 2), (2500, 3), (8340, 8), (0, 2)] {
        let mut stage = Stage::new(config());
        whole(&mut stage, 0, millis);
        let media = stage.media("a").expect("a playlist");
        assert_eq!(media.target_duration, target, "{millis} ms");
    }
}

#[test]
fn a_longer_segment_raises_the_target_duration_once_and_everywhere() {
    let mut stage = Stage::new(config());
    let targets = |stage: &mut Stage| {
        ["source", "a", "b"].map(|name| stage.media(name).map_or(0, |media| media.target_duration))
    };
    whole(&mut stage, 0, 2000);
    assert_eq!(targets(&mut stage), [2, 2, 2]);
    let long = stage.announce(1, segment(source_bytes(1), 4700));
    assert_eq!(targets(&mut stage), [5, 5, 5]);
    stage.done(long.expect("in turn"));
    whole(&mut stage, 2, 2000);
    assert_eq!(targets(&mut stage), [5, 5, 5], "it does not fall");
}

#[test]
fn durations_have_milliseconds() {
    let mut stage = Stage::new(config());
    let mut odd = segment(source_bytes(0), 0);
    odd.duration = Duration::from_micros(2_002_600);
    stage.announce(0, odd).expect("in turn");
    let text = stage.playout.media("source").expect("a playlist");
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(text.contains("#EXTINF:2.003,\nsource/0.ts\n"), "{text}");
}

#[test]
fn dates_follow_from_durations_until_time_jumps() {
    let mut stage = Stage::new(config());
    let arrive = |stage: &mut Stage, sequence, late: u64, discontinuity| {
        let mut segment = segment(source_bytes(sequence), 2000);
        segment.start = SystemTime::UNIX_EPOCH + Duration::from_millis(START + late);
        segment.discontinuity = discontinuity;
        let number = stage.announce(sequence, segment).expect("in turn");
        stage.done(number);
    };
    arrive(&mut stage, 0, 0, false);
    arrive(&mut stage, 1, 2345, false);
    arrive(&mut stage, 2, 30_000, true);
    arrive(&mut stage, 3, 0, true);
    let media = stage.media("a").expect("a playlist");
    let date = |segment: &m3u8_rs::MediaSegment| {
        let date = segment.program_date_time.expect("a date");
        date.timestamp_millis() as u64 - START
    };
    let dates: Vec<_> = media.segments.iter().map(date).collect();
    assert_eq!(dates, [0, 2000, 30_000, 32_000], "and never goes back");
    let text = stage.playout.media("a").expect("a playlist");
    let line = "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:07.000Z\n";
    assert!(String::from_utf8_lossy(&text).contains(line));
}

#[test]
fn clocks_beyond_the_calendar_are_held_at_its_ends() {
    for (start, date) in [
        (
            SystemTime::UNIX_EPOCH - Duration::from_secs(1),
            "1970-01-01T00:00:00.000Z",
        ),
        (
            SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40),
            "9987-04-02T17:46:40.000Z",
        ),
    ] {
        let mut stage = Stage::new(config());
        let mut first = segment(source_bytes(0), 2000);
        first.start = start;
        stage.announce(0, first).expect("in turn");
        let text = stage.playout.media("source").expect("a playlist");
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(text.contains(date), "{text}");
    }
}
