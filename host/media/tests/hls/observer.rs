//! A player that reads everything after every step, and knows what RFC 8216 forbids.

use std::collections::BTreeMap;

use bytes::Bytes;
use m3u8_rs::MediaSegment;
use pointsman_media::hls::Number;

use crate::stage::{Stage, is_gap, number};

const NAMES: [&str; 3] = ["source", "a", "b"];

/// What was seen at one position: it may never change.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    uri_number: u64,
    millis: u64,
    gap: bool,
    discontinuities: u64,
    date: i64,
}

#[derive(Default)]
struct Playlist {
    text: Bytes,
    sequence: u64,
    discontinuity_sequence: u64,
    /// One beyond the last position.
    end: u64,
    ended: bool,
    /// Everything ever seen, by position.
    seen: BTreeMap<u64, Seen>,
}

#[derive(Default)]
pub(crate) struct Observer {
    playlists: [Playlist; 3],
    master: Option<Bytes>,
    target: u64,
    version: u64,
}

impl Observer {
    /// Reads everything and panics at a violation.
    pub(crate) fn look(&mut self, stage: &mut Stage) {
        let version = stage.playout.version();
        let mut changed = self.look_at_master(stage);
        for track in 0..NAMES.len() {
            changed |= self.look_at(track, stage);
        }
        assert!(
            version > self.version || !changed,
            "a change without a version"
        );
        self.version = version;
        self.compare();
    }

    fn look_at_master(&mut self, stage: &Stage) -> bool {
        let master = stage.playout.master();
        let changed = master != self.master;
        assert!(!changed || self.master.is_none(), "the master changed");
        if let Some(master) = &master {
            let parsed = m3u8_rs::parse_master_playlist_res(master).expect("a master playlist");
            assert_eq!(parsed.variants.len(), NAMES.len());
        }
        self.master = master;
        changed
    }

    fn look_at(&mut self, track: usize, stage: &mut Stage) -> bool {
        let (name, playlist) = (NAMES[track], &mut self.playlists[track]);
        let Some(text) = stage.playout.media(name) else {
            assert!(playlist.text.is_empty(), "a playlist went away");
            return false;
        };
        if text == playlist.text {
            return false;
        }
        assert!(!playlist.ended, "a change after the end");
        let media = stage.media(name).expect("a playlist");
        assert!(media.target_duration >= self.target, "the target fell");
        self.target = media.target_duration;
        assert!(
            media.media_sequence >= playlist.sequence,
            "the sequence fell"
        );
        assert!(media.discontinuity_sequence >= playlist.discontinuity_sequence);
        let end = media.media_sequence + media.segments.len() as u64;
        assert!(end >= playlist.end, "a segment went away at the end");
        let mut discontinuities = media.discontinuity_sequence;
        for (position, segment) in (media.media_sequence..).zip(&media.segments) {
            discontinuities += u64::from(segment.discontinuity);
            let seen = seen(segment, discontinuities);
            assert!((seen.millis + 500) / 1000 <= media.target_duration);
            let bytes = stage.playout.segment(name, Number(seen.uri_number));
            assert_eq!(bytes.is_none(), seen.gap, "listed and fetchable are one");
            assert!(track > 0 || !seen.gap, "the source has no gaps");
            let before = playlist.seen.insert(position, seen.clone());
            assert!(
                before.is_none_or(|before| before == seen),
                "a position changed"
            );
        }
        playlist.text = text;
        playlist.sequence = media.media_sequence;
        playlist.discontinuity_sequence = media.discontinuity_sequence;
        playlist.end = end;
        playlist.ended = media.end_list;
        true
    }

    /// The same position is the same moment in every playlist.
    fn compare(&self) {
        let [source, renditions @ ..] = &self.playlists;
        for rendition in renditions {
            assert!(rendition.end <= source.end && source.end <= rendition.end + 1);
            for (position, seen) in &rendition.seen {
                let Some(other) = source.seen.get(position) else {
                    continue;
                };
                let gap = seen.gap;
                assert_eq!(
                    *seen,
                    Seen {
                        gap,
                        ..other.clone()
                    }
                );
            }
        }
    }
}

fn seen(segment: &MediaSegment, discontinuities: u64) -> Seen {
    Seen {
        uri_number: number(segment),
        millis: (f64::from(segment.duration) * 1000.0).round() as u64,
        gap: is_gap(segment),
        discontinuities,
        date: segment
            .program_date_time
            .expect("a date")
            .timestamp_millis(),
    }
}
