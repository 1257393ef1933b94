//! The master playlist: what is measured until it appears, and its text, which then stays the same.
//!
//! # Bandwidths
//!
//! They are measured (with audio and TS overhead) on what is there when the master appears, often one segment, and
//! cannot be mended later. A stream may begin with a title card, so no variant is listed below what was meant: a
//! rendition not below its encoder's target, the source not below the renditions made from it by scaling down.
//! Otherwise the source would look like the cheapest variant and be played on the poorest links.

use std::fmt::Write as _;
use std::time::Instant;

use bytes::Bytes;

use super::config::Names;
use super::timeline::millis;
use super::{
    Codec, Config, Facts, FrameRate, RenditionSegment, RenditionSpec, Size, SourceSegment,
};

/// The variants of a stream while they are measured, and the master.
#[derive(Debug)]
pub(super) struct Ladder {
    /// When the master appears with what is known. None: no segment was announced.
    due: Option<Instant>,
    source: Measured,
    renditions: Vec<Measured>,
    /// One segment came back whole.
    complete: bool,
    /// Shorter segments say nothing about a peak.
    shortest: u64,
    master: Option<Bytes>,
}

/// What one variant was seen to be.
#[derive(Clone, Debug, Default)]
struct Measured {
    /// Of its first segment. None: not seen.
    facts: Option<Facts>,
    bits: u64,
    millis: u64,
    /// Bits a second of the largest segment.
    peak: u64,
}

/// One `EXT-X-STREAM-INF`.
struct Variant<'a> {
    peak: u64,
    average: Option<u64>,
    size: Option<Size>,
    frame_rate: Option<FrameRate>,
    video: &'a Codec,
    audio: &'a Codec,
}

// === impl Ladder ===

impl Ladder {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            due: None,
            source: Measured::default(),
            renditions: vec![Measured::default(); config.renditions.len()],
            complete: false,
            shortest: millis(config.target_duration) / 2,
            master: None,
        }
    }

    pub(super) fn master(&self) -> Option<&Bytes> {
        self.master.as_ref()
    }

    /// The first segment's soft deadline counts.
    pub(super) fn announce(&mut self, soft: Instant) {
        self.due.get_or_insert(soft);
    }

    /// When the master appears at the latest, while it is not there.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.master.is_none())
    }

    pub(super) fn measure_source(&mut self, segment: &SourceSegment) {
        if self.master.is_none() {
            let (bytes, millis) = (segment.bytes.len(), millis(segment.duration));
            self.source
                .add(bytes, millis, self.shortest, &segment.facts);
        }
    }

    pub(super) fn measure_renditions(&mut self, millis: u64, back: &[Option<RenditionSegment>]) {
        if self.master.is_some() {
            return;
        }
        self.complete |= back.iter().all(Option::is_some);
        for (measured, segment) in self.renditions.iter_mut().zip(back) {
            if let Some(segment) = segment {
                measured.add(segment.bytes.len(), millis, self.shortest, &segment.facts);
            }
        }
    }

    /// Makes the master when a segment has come back whole, or the deadline has passed, or `last` (nothing more will
    /// come). Returns whether it has appeared.
    pub(super) fn appear(
        &mut self,
        config: &Config,
        names: &Names,
        now: Instant,
        last: bool,
    ) -> bool {
        let due = self.due.is_some_and(|due| now >= due);
        if self.master.is_some() || !(self.complete || due || last) {
            return false;
        }
        self.master = Some(self.render(config, names));
        true
    }

    fn render(&self, config: &Config, names: &Names) -> Bytes {
        let source = self.source.facts.clone().unwrap_or_default();
        let ordered: Vec<Facts> = config
            .renditions
            .iter()
            .map(|spec| expected(spec, &source))
            .collect();
        let mut variants = vec![self.source_variant(config, &source)];
        for ((spec, measured), ordered) in
            config.renditions.iter().zip(&self.renditions).zip(&ordered)
        {
            let facts = measured.facts.as_ref().unwrap_or(ordered);
            variants.push(Variant {
                peak: measured.peak_above(spec.bitrate),
                average: measured.mean().map(|mean| mean.max(spec.bitrate)),
                size: facts.size.or(ordered.size),
                frame_rate: facts.frame_rate.or(ordered.frame_rate),
                video: &facts.video,
                audio: &facts.audio,
            });
        }
        let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n");
        for (variant, name) in variants.iter().zip(&names.playlists) {
            variant.write(&mut text);
            let _ = writeln!(text, "{}/{name}.m3u8", names.stream);
        }
        Bytes::from(text)
    }

    fn source_variant<'a>(&self, config: &Config, facts: &'a Facts) -> Variant<'a> {
        let fits = |spec: &RenditionSpec| {
            let area = facts.size.map(Size::area);
            area.is_none_or(|area| spec.size().area() <= area)
        };
        let floor = config
            .renditions
            .iter()
            .zip(&self.renditions)
            .filter(|(spec, _)| fits(spec))
            .map(|(spec, measured)| measured.peak.max(spec.bitrate))
            .max();
        let floor = floor.unwrap_or(0);
        Variant {
            peak: self.source.peak_above(floor),
            average: self.source.mean().map(|mean| mean.max(floor)),
            size: facts.size,
            frame_rate: facts.frame_rate,
            video: &facts.video,
            audio: &facts.audio,
        }
    }
}

// === impl Measured ===

impl Measured {
    fn add(&mut self, bytes: usize, millis: u64, shortest: u64, facts: &Facts) {
        self.facts.get_or_insert_with(|| facts.clone());
        if millis == 0 {
            return;
        }
        let bits = bytes as u64 * 8;
        self.bits += bits;
        self.millis += millis;
        if millis >= shortest {
            self.peak = self.peak.max((bits * 1000).div_ceil(millis));
        }
    }

    fn mean(&self) -> Option<u64> {
        (self.bits * 1000).checked_div(self.millis)
    }

    fn peak_above(&self, floor: u64) -> u64 {
        self.peak.max(self.mean().unwrap_or(0)).max(floor).max(1)
    }
}

// === impl Variant ===

impl Variant<'_> {
    fn write(&self, text: &mut String) {
        let _ = write!(text, "#EXT-X-STREAM-INF:BANDWIDTH={}", self.peak);
        if let Some(average) = self.average {
            let _ = write!(text, ",AVERAGE-BANDWIDTH={average}");
        }
        if let Some(Size { width, height }) = self.size {
            let _ = write!(text, ",RESOLUTION={width}x{height}");
        }
        if let Some(rate) = self.frame_rate.map(FrameRate::thousandths) {
            let _ = write!(text, ",FRAME-RATE={}.{:03}", rate / 1000, rate % 1000);
        }
        if let Some(codecs) = codecs(&[self.video, self.audio]) {
            let _ = write!(text, ",CODECS=\"{codecs}\"");
        }
        text.push('\n');
    }
}

/// The names of all tracks; None when one has no name that can stand in a quoted list.
fn codecs(tracks: &[&Codec]) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let mut names = vec![];
    for track in tracks {
        match track {
            Codec::Absent => {}
            Codec::Named(name) if !name.is_empty() && name.bytes().all(fits) => {
                names.push(name.as_str());
            }
            Codec::Named(_) | Codec::Unknown => return None,
        }
    }
    (!names.is_empty()).then(|| names.join(","))
}

/// What is known of a rendition that nobody has seen: what was ordered, and the audio, which orchestrators copy.
fn expected(spec: &RenditionSpec, source: &Facts) -> Facts {
    let frame_rate = spec.fps.or(source.frame_rate);
    Facts {
        size: Some(spec.size()),
        frame_rate,
        video: Codec::Named(h264(spec.size(), frame_rate)),
        audio: source.audio.clone(),
    }
}

/// The codec to declare for an H.264 rendition that nobody has seen: High profile, which is the highest an orchestrator
/// makes by default, and the lowest level that holds the picture and its rate (H.264 table A-1). Variants with and
/// without CODECS in one master would keep players from switching between them.
fn h264(size: Size, rate: Option<FrameRate>) -> String {
    const LEVELS: [(u8, u64, u64); 6] = [
        (30, 1620, 40_500),
        (31, 3600, 108_000),
        (32, 5120, 216_000),
        (40, 8192, 245_760),
        (42, 8704, 522_240),
        (51, 36_864, 983_040),
    ];
    let blocks = u64::from(size.width.div_ceil(16)) * u64::from(size.height.div_ceil(16));
    let thousandths = rate.map_or(30_000, FrameRate::thousandths);
    let each_second = u128::from(blocks) * u128::from(thousandths) / 1000;
    let level = LEVELS
        .iter()
        .find(|&&(_, frame, second)| blocks <= frame && each_second <= u128::from(second))
        .map_or(52, |&(level, _, _)| level);
    format!("avc1.6400{level:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unseen_rendition_gets_the_lowest_level_that_holds_it() {
        for (width, height, fps, codec) in [
            (426, 240, 30, "avc1.64001e"),
            (1280, 720, 30, "avc1.64001f"),
            (1280, 720, 60, "avc1.640020"),
            (1920, 1080, 30, "avc1.640028"),
            (1920, 1080, 60, "avc1.64002a"),
            (3840, 2160, 30, "avc1.640033"),
            (u32::MAX, u32::MAX, u32::MAX, "avc1.640034"),
        ] {
            let size = Size { width, height };
            assert_eq!(
                h264(size, FrameRate::new(fps, 1)),
                codec,
                "{width}x{height}"
            );
        }
    }

    #[test]
    fn short_segments_count_for_the_mean_only() {
        let mut measured = Measured::default();
        measured.add(250_000, 2000, 1000, &Facts::default());
        measured.add(100_000, 100, 1000, &Facts::default());
        assert_eq!(measured.peak, 1_000_000);
        assert_eq!(measured.mean(), Some(1_333_333));
        assert_eq!(measured.peak_above(0), 1_333_333);
        assert_eq!(Measured::default().mean(), None);
    }

    #[test]
    fn codecs_name_every_track_or_none() {
        let named = |name: &str| Codec::Named(name.to_owned());
        let (video, audio) = (named("avc1.64001f"), named("mp4a.40.2"));
        for (tracks, expected) in [
            ([&video, &audio], Some("avc1.64001f,mp4a.40.2")),
            ([&video, &Codec::Absent], Some("avc1.64001f")),
            ([&Codec::Absent, &audio], Some("mp4a.40.2")),
            ([&Codec::Unknown, &audio], None),
            ([&video, &Codec::Unknown], None),
            ([&Codec::Absent, &Codec::Absent], None),
            ([&video, &named("mp4a\",X=\"y")], None),
            ([&video, &named("")], None),
        ] {
            assert_eq!(codecs(&tracks).as_deref(), expected);
        }
    }
}
