//! What failed, what came late, and where time is not continuous.

use bytes::Bytes;
use pointsman_media::hls::{Deadlines, Facts, Late, Number, RenditionSegment};

use crate::stage::{Stage, config, rendition, segment, source_bytes};

#[test]
fn a_failed_segment_is_a_gap_and_a_discontinuity_in_every_playlist() {
    let mut stage = Stage::new(config());
    stage.whole(0);
    let lost = stage.source(1);
    stage.failed(lost);
    stage.whole(2);
    stage.whole(3);
    assert_eq!(stage.listing("a"), "0/0: 0 1! *2 3");
    assert_eq!(stage.listing("b"), "0/0: 0 1! *2 3");
    assert_eq!(stage.listing("source"), "0/0: 0 1 *2 3");
    assert_eq!(stage.playout.segment("a", lost), None);
    assert!(stage.playout.segment("source", lost).is_some());
    assert_eq!(stage.playout.counts().gaps, 1);
}

#[test]
fn a_run_of_gaps_is_one_discontinuity() {
    let mut stage = Stage::new(config());
    stage.whole(0);
    for sequence in 1..4 {
        let lost = stage.source(sequence);
        stage.failed(lost);
    }
    stage.whole(4);
    assert_eq!(stage.listing("a"), "1/0: 1! *2! 3! 4");
    assert_eq!(stage.listing("source"), "1/0: 1 *2 3 4");
    let lost = stage.source(5);
    stage.failed(lost);
    stage.whole(6);
    assert_eq!(
        stage.listing("a"),
        "3/1: 3! 4 5! *6",
        "the next run has its own"
    );
}

#[test]
fn a_discontinuity_of_the_source_serves_the_gap_it_falls_on() {
    let mut stage = Stage::new(config());
    stage.whole(0);
    let mut jump = segment(source_bytes(1), 2000);
    jump.discontinuity = true;
    let lost = stage.announce(1, jump).expect("in turn");
    stage.failed(lost);
    stage.whole(2);
    assert_eq!(stage.listing("a"), "0/0: 0 *1! 2");
}

#[test]
fn a_missing_rendition_is_a_gap_of_its_own() {
    let mut stage = Stage::new(config());
    stage.whole(0);
    let half = stage.source(1);
    let empty = RenditionSegment {
        bytes: Bytes::new(),
        facts: Facts::default(),
    };
    let now = stage.instant();
    let back = vec![Some(empty), rendition("b", half)];
    assert_eq!(stage.playout.done(half, back, now), Ok(()));
    stage.whole(2);
    assert_eq!(stage.listing("a"), "0/0: 0 1! *2");
    assert_eq!(stage.listing("b"), "0/0: 0 1 *2");
    assert_eq!(stage.listing("source"), "0/0: 0 1 *2");
    assert_eq!(stage.playout.counts().gaps, 1);
}

#[test]
fn renditions_that_take_turns_to_fail_share_their_discontinuities() {
    let mut stage = Stage::new(config());
    for sequence in 0..4 {
        let number = stage.source(sequence);
        let name = ["a", "b"][sequence as usize % 2];
        let mut back = vec![rendition("a", number), rendition("b", number)];
        back[usize::from(name == "a")] = None;
        let now = stage.instant();
        assert_eq!(stage.playout.done(number, back, now), Ok(()));
    }
    stage.source(4);
    assert_eq!(stage.listing("a"), "0/0: 0 *1! 2 *3!");
    assert_eq!(stage.listing("b"), "0/0: 0! *1 2! *3");
    assert_eq!(stage.listing("source"), "1/0: *1 2 *3 4");
}

#[test]
fn the_hard_deadline_is_a_gap_and_what_comes_later_is_late() {
    let mut stage = Stage::new(config());
    stage.whole(0);
    let slow = stage.source(1);
    stage.pass(2000);
    let next = stage.source(2);
    stage.done(next);
    stage.pass(3999);
    assert_eq!(stage.listing("a"), "0/0: 0");
    let deadline = stage.playout.next_deadline();
    stage.pass(1);
    assert_eq!(deadline, Some(stage.instant()));
    assert_eq!(stage.listing("a"), "0/0: 0 1! *2");
    let now = stage.instant();
    let back = vec![rendition("a", slow), rendition("b", slow)];
    assert_eq!(stage.playout.done(slow, back, now), Err(Late));
    stage.playout.failed(slow, now);
    assert_eq!(stage.listing("a"), "0/0: 0 1! *2", "nothing is inserted");
    assert_eq!(stage.playout.segment("a", slow), None);
    assert_eq!(stage.playout.counts().late, 1);
    assert_eq!(stage.playout.done(Number(99), vec![], now), Err(Late));
}

#[test]
fn a_result_after_its_deadline_counts_while_its_predecessor_holds_it_back() {
    let mut stage = Stage::new(config());
    let first = stage.source(0);
    let now = stage.instant();
    let deadlines = Deadlines {
        soft: now,
        hard: now,
    };
    let hasty = segment(source_bytes(1), 2000);
    let second = stage.playout.source(1, hasty, deadlines, now);
    stage.pass(1000);
    stage.done(second.expect("in turn"));
    stage.done(first);
    assert_eq!(stage.listing("a"), "0/0: 0 1");
}

#[test]
fn discontinuities_are_counted_as_they_leave() {
    let mut stage = Stage::new(config());
    for sequence in 0..3 {
        stage.whole(sequence);
    }
    let mut jump = segment(source_bytes(3), 2000);
    jump.discontinuity = true;
    let third = stage.announce(3, jump).expect("in turn");
    stage.done(third);
    let mut seen = vec![stage.listing("a")];
    for sequence in 4..9 {
        stage.whole(sequence);
        seen.push(stage.listing("a"));
    }
    let expected = [
        "0/0: 0 1 2 *3",
        "1/0: 1 2 *3 4",
        "2/0: 2 *3 4 5",
        "3/0: *3 4 5 6",
        "4/1: 4 5 6 7",
        "5/1: 5 6 7 8",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn the_first_segment_of_a_stream_is_no_discontinuity() {
    let mut stage = Stage::new(config());
    let mut first = segment(source_bytes(0), 2000);
    first.discontinuity = true;
    let first = stage.announce(0, first).expect("in turn");
    stage.done(first);
    assert_eq!(stage.listing("a"), "0/0: 0");
}

#[test]
fn gaps_say_version_8_and_the_version_never_changes() {
    let mut stage = Stage::new(config());
    stage.whole(0);
    let version = |stage: &mut Stage, name| stage.media(name).and_then(|media| media.version);
    assert_eq!(version(&mut stage, "a"), Some(8));
    let lost = stage.source(1);
    stage.failed(lost);
    assert_eq!(version(&mut stage, "a"), Some(8));
    assert_eq!(version(&mut stage, "source"), Some(3), "it never has a gap");
}
