//! Whether a segment is coded differently from the one before it, so that orchestrators must start their decoders anew.
//!
//! # Contract
//!
//! A segment is compared with its predecessor by number among those that came lately, whatever the order in which they come; where
//! there is none, as when a publisher begins anew, with the last one that came. So a late segment does not make its successors
//! look changed, and one that is sent again because it failed is answered as it was the first time: nobody has seen its format yet.
//!
//! go-livepeer compares with whatever came last, and forgets the change when the segment that made it fails.

use std::collections::VecDeque;

use parking_lot::Mutex;
use pointsman_media::hls::{Codec, Facts, Size};

/// Segments that are remembered: more than are under way of one stream.
const REMEMBERED: usize = 32;

/// How the last segments of a stream were coded.
#[derive(Debug, Default)]
pub(super) struct Formats(Mutex<VecDeque<Seen>>);

#[derive(Debug)]
struct Seen {
    sequence: u64,
    format: Format,
}

/// What a decoder is set up for.
#[derive(Debug, PartialEq)]
struct Format {
    size: Option<Size>,
    video: Codec,
    audio: Codec,
}

// === impl Formats ===

impl Formats {
    /// Whether segment `sequence` differs from its predecessor. The first one does not.
    pub(super) fn changes(&self, sequence: u64, facts: &Facts) -> bool {
        let format = Format::of(facts);
        let mut seen = self.0.lock();
        seen.retain(|one| one.sequence != sequence);
        let predecessor = seen
            .iter()
            .filter(|one| one.sequence < sequence)
            .max_by_key(|one| one.sequence)
            .or(seen.back());
        let changed = predecessor.is_some_and(|one| one.format != format);
        if seen.len() >= REMEMBERED {
            seen.pop_front();
        }
        seen.push_back(Seen { sequence, format });
        changed
    }
}

// === impl Format ===

impl Format {
    fn of(facts: &Facts) -> Self {
        Self {
            size: facts.size,
            video: facts.video.clone(),
            audio: facts.audio.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(width: u32) -> Facts {
        Facts {
            size: Some(Size { width, height: 2 }),
            ..Facts::default()
        }
    }

    /// Which of these segments (number, width) are told to be changed.
    fn changed<const N: usize>(segments: [(u64, u32); N]) -> [bool; N] {
        let formats = Formats::default();
        segments.map(|(sequence, width)| formats.changes(sequence, &facts(width)))
    }

    #[test]
    fn the_segment_that_differs_is_told_and_its_successors_are_not() {
        assert_eq!(
            changed([(0, 4), (1, 4), (2, 8), (3, 8), (4, 4)]),
            [false, false, true, false, true]
        );
    }

    #[test]
    fn the_order_of_arrival_makes_no_difference() {
        assert_eq!(
            changed([(0, 4), (2, 8), (1, 4), (3, 8)]),
            [false, true, false, false]
        );
    }

    #[test]
    fn a_changed_segment_that_is_sent_again_is_still_changed() {
        assert_eq!(
            changed([(0, 4), (1, 8), (1, 8), (1, 8), (2, 8)]),
            [false, true, true, true, false]
        );
    }

    #[test]
    fn a_new_beginning_follows_what_came_last() {
        assert_eq!(
            changed([(100, 4), (101, 8), (0, 8), (1, 8), (2, 4)]),
            [false, true, false, false, true]
        );
        assert_eq!(changed([(100, 4), (0, 8), (1, 8)]), [false, true, false]);
    }

    #[test]
    fn codecs_count_and_the_frame_rate_does_not() {
        let formats = Formats::default();
        let mut facts = facts(4);
        assert!(!formats.changes(0, &facts));
        facts.frame_rate = pointsman_media::hls::FrameRate::new(25, 1);
        assert!(!formats.changes(1, &facts));
        facts.audio = Codec::Absent;
        assert!(formats.changes(2, &facts));
        facts.video = Codec::Named("avc1.64001e".to_owned());
        assert!(formats.changes(3, &facts));
    }

    #[test]
    fn a_bounded_number_is_remembered() {
        let formats = Formats::default();
        for sequence in 0..1000 {
            formats.changes(sequence, &facts(4));
        }
        assert_eq!(formats.0.lock().len(), REMEMBERED);
    }
}
