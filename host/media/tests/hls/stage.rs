//! A stream on a clock that tests set, with renditions `a` and `b`, and what it lists written so that it can be read.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use m3u8_rs::{MediaPlaylist, MediaSegment};
use pointsman_media::hls::{
    Config, Deadlines, Facts, Number, Playout, Refused, RenditionSegment, RenditionSpec,
    SourceSegment,
};
use pointsman_media::probe::Container;

/// 2026-01-02T03:04:05Z.
pub(crate) const START: u64 = 1_767_323_045_000;

pub(crate) struct Stage {
    pub(crate) playout: Playout,
    zero: Instant,
    /// Milliseconds since the stream began.
    pub(crate) now: u64,
}

pub(crate) fn spec(name: &str, width: u32, height: u32, bitrate: u64) -> RenditionSpec {
    RenditionSpec {
        name: name.to_owned(),
        width,
        height,
        bitrate,
        fps: None,
    }
}

/// Window 4, keep 8, target 2 s.
pub(crate) fn config() -> Config {
    let renditions = vec![spec("a", 426, 240, 600_000), spec("b", 640, 360, 1_200_000)];
    Config {
        window: 4,
        keep: 8,
        ..Config::new("tiny".to_owned(), renditions, Duration::from_secs(2))
    }
}

/// Bytes that tell which segment they are.
pub(crate) fn source_bytes(sequence: u64) -> Bytes {
    Bytes::from(format!("source {sequence}"))
}

pub(crate) fn segment(bytes: Bytes, millis: u64) -> SourceSegment {
    SourceSegment {
        bytes,
        container: Container::MpegTs,
        duration: Duration::from_millis(millis),
        start: SystemTime::UNIX_EPOCH + Duration::from_millis(START),
        discontinuity: false,
        facts: Facts::default(),
    }
}

pub(crate) fn rendition(name: &str, number: Number) -> Option<RenditionSegment> {
    Some(RenditionSegment {
        bytes: Bytes::from(format!("{name} {}", number.0)),
        facts: Facts::default(),
    })
}

impl Stage {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            playout: Playout::new(config).expect("a good config"),
            zero: Instant::now(),
            now: 0,
        }
    }

    pub(crate) fn instant(&self) -> Instant {
        self.at(self.now)
    }

    fn at(&self, millis: u64) -> Instant {
        self.zero + Duration::from_millis(millis)
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, millis: u64) {
        self.now += millis;
        self.playout.expire(self.instant());
    }

    /// Announces, with deadlines 2 and 6 s from now.
    pub(crate) fn announce(
        &mut self,
        sequence: u64,
        segment: SourceSegment,
    ) -> Result<Number, Refused> {
        let deadlines = Deadlines {
            soft: self.at(self.now + 2000),
            hard: self.at(self.now + 6000),
        };
        self.playout
            .source(sequence, segment, deadlines, self.instant())
    }

    /// Announces the usual two seconds.
    pub(crate) fn source(&mut self, sequence: u64) -> Number {
        self.announce(sequence, segment(source_bytes(sequence), 2000))
            .expect("a segment whose turn has not passed")
    }

    pub(crate) fn done(&mut self, number: Number) {
        let back = vec![rendition("a", number), rendition("b", number)];
        let now = self.instant();
        self.playout.done(number, back, now).expect("in time");
    }

    pub(crate) fn failed(&mut self, number: Number) {
        let now = self.instant();
        self.playout.failed(number, now);
    }

    /// Announces and returns in one go.
    pub(crate) fn whole(&mut self, sequence: u64) -> Number {
        let number = self.source(sequence);
        self.done(number);
        number
    }

    pub(crate) fn end(&mut self) {
        let now = self.instant();
        self.playout.end(now);
    }

    pub(crate) fn media(&mut self, rendition: &str) -> Option<MediaPlaylist> {
        let text = self.playout.media(rendition)?;
        let parsed = m3u8_rs::parse_media_playlist_res(&text);
        Some(parsed.expect("a media playlist"))
    }

    /// A playlist in one line: `media sequence/discontinuity sequence: numbers`, `*` before a discontinuity, `!`
    /// after a gap, `.` at the end of the stream.
    pub(crate) fn listing(&mut self, rendition: &str) -> String {
        let Some(media) = self.media(rendition) else {
            return "-".to_owned();
        };
        let mut line = format!("{}/{}:", media.media_sequence, media.discontinuity_sequence);
        for segment in &media.segments {
            line += if segment.discontinuity { " *" } else { " " };
            line += &number(segment).to_string();
            line += if is_gap(segment) { "!" } else { "" };
        }
        line + if media.end_list { " ." } else { "" }
    }
}

pub(crate) fn number(segment: &MediaSegment) -> u64 {
    let (_, file) = segment.uri.split_once('/').expect("a folder");
    let number = file.strip_suffix(".ts").expect("a TS segment");
    number.parse().expect("a number")
}

pub(crate) fn is_gap(segment: &MediaSegment) -> bool {
    segment.unknown_tags.iter().any(|tag| tag.tag == "X-GAP")
}
