//! What is listed when, and under which number.

use std::time::Duration;

use bytes::Bytes;
use pointsman_media::hls::{Config, Deadlines, Late, Number, Refused};

use pointsman_media::probe::Container;

use crate::stage::{Stage, config, rendition, segment, source_bytes};

#[test]
fn the_source_is_listed_at_once_and_renditions_when_they_are_back() {
    let mut stage = Stage::new(config());
    assert_eq!(stage.listing("source"), "-");
    let first = stage.source(0);
    assert_eq!(stage.listing("source"), "0/0: 0");
    assert_eq!(stage.listing("a"), "-", "nothing to play yet");
    stage.done(first);
    assert_eq!(stage.listing("a"), "0/0: 0");
    assert_eq!(stage.listing("b"), "0/0: 0");
    assert_eq!(stage.listing("c"), "-");
    let bytes = stage.playout.segment("b", Number(0));
    assert_eq!(bytes.as_deref(), Some(&b"b 0"[..]));
    assert_eq!(stage.playout.segment("c", Number(0)), None);
}

#[test]
fn results_out_of_order_are_listed_in_order() {
    let mut stage = Stage::new(config());
    let numbers: Vec<_> = (0..4).map(|sequence| stage.source(sequence)).collect();
    stage.done(numbers[2]);
    stage.done(numbers[1]);
    assert_eq!(stage.listing("a"), "-");
    stage.done(numbers[0]);
    assert_eq!(stage.listing("a"), "0/0: 0 1 2");
    assert_eq!(stage.listing("source"), "0/0: 0 1 2 3");
}

#[test]
fn the_source_is_never_more_than_one_segment_ahead() {
    let mut stage = Stage::new(config());
    let first = stage.source(0);
    stage.source(1);
    stage.source(2);
    assert_eq!(stage.listing("source"), "0/0: 0");
    stage.done(first);
    assert_eq!(stage.listing("a"), "0/0: 0");
    assert_eq!(stage.listing("source"), "0/0: 0 1");
}

#[test]
fn a_stream_without_renditions_waits_for_nothing() {
    let mut stage = Stage::new(Config {
        renditions: vec![],
        ..config()
    });
    stage.source(0);
    stage.source(1);
    assert_eq!(stage.listing("source"), "0/0: 0 1");
    assert!(stage.playout.master().is_some());
    assert_eq!(stage.playout.counts().gaps, 0);
    stage.end();
    assert_eq!(stage.listing("source"), "0/0: 0 1 .");
}

#[test]
fn pushes_that_overtake_each_other_keep_their_order() {
    let mut stage = Stage::new(config());
    stage.whole(0);
    stage.whole(2);
    assert_eq!(stage.listing("source"), "0/0: 0");
    stage.pass(1999);
    assert_eq!(stage.listing("source"), "0/0: 0");
    stage.whole(1);
    assert_eq!(stage.listing("source"), "0/0: 0 1 2");
    assert_eq!(stage.listing("a"), "0/0: 0 1 2");
}

#[test]
fn a_number_that_never_comes_is_absent_and_breaks_the_timeline() {
    let mut stage = Stage::new(config());
    stage.whole(0);
    stage.whole(2);
    let deadline = stage.playout.next_deadline();
    stage.pass(2000);
    assert_eq!(deadline, Some(stage.instant()));
    assert_eq!(stage.listing("source"), "0/0: 0 *2");
    assert_eq!(stage.listing("a"), "0/0: 0 *2");
    let late = stage.announce(1, segment(source_bytes(1), 2000));
    assert_eq!(late, Err(Refused::Passed));
    stage.whole(3);
    assert_eq!(stage.listing("a"), "0/0: 0 *2 3");
    assert_eq!(stage.playout.counts().passed, 1);
}

#[test]
fn a_stream_that_begins_elsewhere_waits_once() {
    let mut stage = Stage::new(config());
    stage.whole(58);
    assert_eq!(stage.listing("source"), "-");
    stage.pass(1000);
    stage.whole(57);
    stage.pass(1000);
    assert_eq!(stage.listing("source"), "0/0: 57 58");
    stage.whole(59);
    assert_eq!(stage.listing("source"), "0/0: 57 58 59");
}

#[test]
fn stragglers_are_no_new_beginning() {
    let mut stage = Stage::new(config());
    stage.whole(5);
    stage.pass(2000);
    stage.whole(1000);
    stage.pass(2000);
    assert_eq!(stage.listing("a"), "0/0: 5 *1000");
    for straggler in [6, 500, 992, 999] {
        let late = stage.announce(straggler, segment(source_bytes(straggler), 2000));
        assert_eq!(
            late,
            Err(Refused::Passed),
            "{straggler} has its place between"
        );
    }
    let mut stage = Stage::new(config());
    stage.whole(5);
    stage.pass(2000);
    let late = stage.announce(4, segment(source_bytes(4), 2000));
    assert_eq!(late, Err(Refused::Passed), "4 is just behind");
}

#[test]
fn a_deadline_is_one_at_which_something_changes() {
    let mut stage = Stage::new(Config {
        reorder: Duration::from_secs(5),
        ..config()
    });
    assert_eq!(stage.playout.next_deadline(), None);
    stage.source(1);
    let deadline = stage.playout.next_deadline();
    stage.pass(5000);
    assert_eq!(
        deadline,
        Some(stage.instant()),
        "not the master's: nothing is listed"
    );
    assert_eq!(stage.listing("source"), "0/0: 1");
    assert!(stage.playout.master().is_some());
}

#[test]
fn a_repeat_is_another_attempt() {
    let mut stage = Stage::new(config());
    let first = stage.source(0);
    assert_eq!(stage.source(0), first);
    stage.failed(first);
    assert_eq!(stage.listing("a"), "-", "the second attempt runs");
    stage.done(first);
    assert_eq!(stage.listing("a"), "0/0: 0");
    let again = stage.announce(0, segment(source_bytes(0), 2000));
    assert_eq!(again, Err(Refused::Passed));
    let now = stage.instant();
    let late = stage.playout.done(first, vec![rendition("x", first)], now);
    assert_eq!(late, Err(Late));
    let bytes = stage.playout.segment("a", first);
    assert_eq!(
        bytes.as_deref(),
        Some(&b"a 0"[..]),
        "the first result stands"
    );
}

#[test]
fn a_retry_in_time_mends_a_failure_that_is_not_listed_yet() {
    let mut stage = Stage::new(config());
    let first = stage.source(0);
    let second = stage.source(1);
    stage.failed(second);
    assert_eq!(stage.source(1), second);
    stage.done(second);
    stage.done(first);
    assert_eq!(stage.listing("a"), "0/0: 0 1");
}

/// A publisher that stops after segment `length - 1` and begins again at `first`.
fn restarted(length: u64, first: u64) -> String {
    let mut stage = Stage::new(config());
    for sequence in 0..length {
        stage.whole(sequence);
    }
    for sequence in first..first + 3 {
        let other = Bytes::from(format!("other {sequence}"));
        let number = stage.announce(sequence, segment(other.clone(), 2000));
        let number = number.expect("a new beginning");
        stage.done(number);
        stage.pass(2000);
        assert_eq!(stage.playout.segment("source", number), Some(other));
    }
    stage.listing("b")
}

#[test]
fn a_publisher_that_begins_anew_goes_on_under_new_numbers() {
    for (length, first, listing) in [
        (1, 0, "0/0: 0 *1 2 3"),
        (5, 0, "4/0: 4 *5 6 7"),
        (5, 3, "4/0: 4 *8 9 10"),
        (1000, 0, "999/0: 999 *1000 1001 1002"),
        (1000, 500, "999/0: 999 *1008 1009 1010"),
    ] {
        assert_eq!(restarted(length, first), listing, "{length} then {first}");
    }
}

#[test]
fn a_new_beginning_may_be_out_of_order_too() {
    let mut stage = Stage::new(config());
    for sequence in 0..20 {
        stage.whole(sequence);
    }
    for sequence in [1, 0, 2] {
        let other = Bytes::from(format!("other {sequence}"));
        let number = stage.announce(sequence, segment(other, 2000));
        stage.done(number.expect("a new beginning"));
    }
    assert_eq!(stage.listing("a"), "19/0: 19 *20 21 22");
}

#[test]
fn a_new_beginning_does_not_take_numbers_that_wait() {
    let mut stage = Stage::new(config());
    let first = stage.source(0);
    stage.source(1);
    stage.source(2);
    let other = stage.announce(0, segment(Bytes::from_static(b"other"), 2000));
    assert_eq!(other, Ok(Number(3)));
    for number in [first, Number(1), Number(2), Number(3)] {
        stage.done(number);
    }
    assert_eq!(stage.listing("a"), "0/0: 0 1 2 *3");
}

#[test]
fn the_oldest_becomes_a_gap_when_too_many_wait() {
    let mut stage = Stage::new(Config {
        in_flight: 3,
        ..config()
    });
    let numbers: Vec<_> = (0..4).map(|sequence| stage.source(sequence)).collect();
    assert_eq!(stage.listing("a"), "-");
    stage.source(4);
    assert_eq!(stage.listing("a"), "0/0: 0!");
    stage.done(numbers[1]);
    assert_eq!(stage.listing("a"), "0/0: 0! *1");
}

#[test]
fn what_cannot_be_listed_is_refused() {
    let mut stage = Stage::new(config());
    let mut mp4 = segment(source_bytes(0), 2000);
    mp4.container = Container::Mp4;
    assert_eq!(stage.announce(0, mp4), Err(Refused::Container));
    let empty = segment(Bytes::new(), 2000);
    assert_eq!(stage.announce(0, empty), Err(Refused::Empty));
    stage.end();
    let over = segment(source_bytes(0), 2000);
    assert_eq!(stage.announce(0, over), Err(Refused::Ended));
    assert_eq!(stage.listing("source"), "-");
    assert_eq!(stage.playout.master(), None);
}

#[test]
fn the_largest_numbers_end_a_stream_without_a_panic() {
    let mut stage = Stage::new(config());
    stage.whole(u64::MAX);
    stage.pass(2000);
    assert_eq!(stage.listing("a"), format!("0/0: {}", u64::MAX));
    let anew = stage.announce(0, segment(source_bytes(0), 2000));
    assert_eq!(anew, Err(Refused::Exhausted));
}

#[test]
fn the_end_lists_what_was_announced_and_says_so_once_all_is_settled() {
    let mut stage = Stage::new(config());
    stage.whole(0);
    let last = stage.source(1);
    stage.source(5);
    stage.end();
    assert!(!stage.playout.is_complete());
    assert_eq!(stage.listing("source"), "0/0: 0 1");
    stage.done(last);
    assert_eq!(
        stage.listing("source"),
        "0/0: 0 1 *5",
        "no one else will come"
    );
    assert_eq!(stage.listing("a"), "0/0: 0 1");
    stage.pass(6000);
    assert_eq!(stage.listing("a"), "0/0: 0 1 *5! .");
    assert_eq!(stage.listing("source"), "0/0: 0 1 *5 .");
    assert!(stage.playout.is_complete());
    assert_eq!(stage.playout.next_deadline(), None);
}

#[test]
fn the_version_grows_with_what_can_be_seen_only() {
    let mut stage = Stage::new(config());
    let mut seen = stage.playout.version();
    let mut grown = |stage: &Stage| {
        let before = std::mem::replace(&mut seen, stage.playout.version());
        stage.playout.version() > before
    };
    let first = stage.source(0);
    assert!(grown(&stage), "the source is listed");
    stage.source(1);
    stage.pass(10);
    assert!(!grown(&stage), "it waits for the renditions of the first");
    stage.done(first);
    assert!(grown(&stage));
    stage.listing("a");
    assert!(!grown(&stage), "reading changes nothing");
}

#[test]
fn a_deadline_of_the_past_settles_at_once() {
    let mut stage = Stage::new(config());
    let now = stage.instant();
    let deadlines = Deadlines {
        soft: now,
        hard: now,
    };
    let segment = segment(source_bytes(0), 2000);
    let announced = stage.playout.source(0, segment, deadlines, now);
    assert_eq!(announced, Ok(Number(0)));
    assert_eq!(stage.listing("a"), "0/0: 0!");
}
