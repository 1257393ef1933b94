//! A walk over the boxes of an MP4: tracks, their sizes, durations and sample counts (ISO/IEC 14496-12).

use super::{AudioCodec, Container, Probe, Video, VideoCodec, seconds};
use crate::h264::{self, Sps};

/// Most boxes looked at, so that a file of empty boxes costs little.
const MAX_BOXES: usize = 20_000;

/// A file read.
#[derive(Debug)]
pub(super) struct Movie {
    pub(super) probe: Probe,
    /// A box reaches past the end of the file.
    pub(super) cut_short: bool,
}

/// One `trak`.
#[derive(Clone, Debug, Default)]
struct Track {
    id: u32,
    handler: [u8; 4],
    /// Ticks a second, and ticks.
    time_scale: u32,
    duration: u64,
    samples: u32,
    entry: [u8; 4],
    resolution: Option<(u32, u32)>,
    sps: Option<Vec<u8>>,
}

/// What is gathered on the way.
#[derive(Debug, Default)]
struct Walk {
    tracks: Vec<Track>,
    /// Samples of fragments, by track.
    fragments: Vec<(u32, u32)>,
    boxes: usize,
    cut_short: bool,
}

pub(super) fn probe(bytes: &[u8]) -> Option<Movie> {
    let mut walk = Walk::default();
    walk.file(bytes);
    let find = |handler: &[u8; 4]| walk.tracks.iter().find(|track| &track.handler == handler);
    let (video, audio) = (find(b"vide"), find(b"soun"));
    let timed = video.or(audio)?;
    Some(Movie {
        probe: Probe {
            container: Container::Mp4,
            duration: seconds(timed.duration, timed.time_scale).filter(|time| !time.is_zero()),
            video: video.map(|track| walk.video(track)),
            audio: audio.map(|track| audio_codec(track.entry)),
        },
        cut_short: walk.cut_short,
    })
}

// === impl Walk ===

impl Walk {
    fn file(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((name, body)) = self.next_box(&mut rest) {
            match &name {
                b"moov" => self.moov(body),
                b"moof" => self.moof(body),
                _ => {}
            }
        }
    }

    fn moov(&mut self, mut rest: &[u8]) {
        while let Some((name, body)) = self.next_box(&mut rest) {
            if &name == b"trak" && self.tracks.len() < 32 {
                let mut track = Track::default();
                self.within_track(body, &mut track, 0);
                self.tracks.push(track);
            }
        }
    }

    /// `trak`, and the boxes in it that only hold others.
    fn within_track(&mut self, mut rest: &[u8], track: &mut Track, depth: u8) {
        while let Some((name, body)) = self.next_box(&mut rest) {
            match &name {
                b"mdia" | b"minf" | b"stbl" if depth < 3 => {
                    self.within_track(body, track, depth + 1);
                }
                b"tkhd" => track.id = read_tkhd(body).unwrap_or_default(),
                b"mdhd" => (track.time_scale, track.duration) = read_mdhd(body).unwrap_or_default(),
                // The first one: QuickTime has another further in, for the data.
                b"hdlr" if depth == 1 => track.handler = at(body, 8).unwrap_or_default(),
                b"stsz" | b"stz2" => track.samples = number(body, 8).unwrap_or_default(),
                b"stsd" => self.stsd(body.get(8..).unwrap_or_default(), track),
                _ => {}
            }
        }
    }

    /// The first sample entry.
    fn stsd(&mut self, mut rest: &[u8], track: &mut Track) {
        let Some((name, body)) = self.next_box(&mut rest) else {
            return;
        };
        track.entry = name;
        if &track.handler != b"vide" {
            return;
        }
        // Also for encrypted or unknown entries: the size stands where every visual entry has it.
        let size = |offset| at::<2>(body, offset).map(|side| u32::from(u16::from_be_bytes(side)));
        track.resolution = size(24).zip(size(26)).filter(|(w, h)| *w > 0 && *h > 0);
        let mut children = body.get(78..).unwrap_or_default();
        while let Some((name, body)) = self.next_box(&mut children) {
            if &name == b"avcC" {
                let length = at(body, 6).map(|length| usize::from(u16::from_be_bytes(length)));
                track.sps = length
                    .and_then(|length| body.get(8..8 + length))
                    .map(<[u8]>::to_vec);
            }
        }
    }

    fn moof(&mut self, mut rest: &[u8]) {
        while let Some((name, mut body)) = self.next_box(&mut rest) {
            let mut id = 0;
            while &name == b"traf"
                && let Some((name, body)) = self.next_box(&mut body)
            {
                match &name {
                    b"tfhd" => id = number(body, 4).unwrap_or_default(),
                    b"trun" => self
                        .fragments
                        .push((id, number(body, 4).unwrap_or_default())),
                    _ => {}
                }
            }
        }
    }

    fn video(&self, track: &Track) -> Video {
        let of_track = self.fragments.iter().filter(|(id, _)| *id == track.id);
        let frames = of_track.fold(track.samples, |sum, (_, count)| sum.saturating_add(*count));
        let picture = track.sps.as_deref().and_then(Sps::read);
        let counted = (track.duration > 0 && frames > 0)
            .then(|| f64::from(frames) * f64::from(track.time_scale) / track.duration as f64);
        Video {
            codec: video_codec(track.entry),
            resolution: match &picture {
                Some(sps) => Some((sps.width, sps.height)),
                None => track.resolution,
            },
            pixels: picture.as_ref().map(|sps| sps.pixels),
            frames,
            frame_rate: counted.or(picture.and_then(|sps| sps.frame_rate)),
            codec_string: track.sps.as_deref().and_then(h264::codec_string),
        }
    }

    /// Takes the next box off the front: its name and body.
    fn next_box<'a>(&mut self, rest: &mut &'a [u8]) -> Option<([u8; 4], &'a [u8])> {
        let (head, tail) = rest.split_first_chunk::<8>()?;
        self.boxes += 1;
        if self.boxes > MAX_BOXES {
            return None;
        }
        let name = [head[4], head[5], head[6], head[7]];
        let (header, length) = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            0 => (8, rest.len() as u64), // to the end of the file
            1 => (
                16,
                tail.first_chunk()
                    .map_or(u64::MAX, |large| u64::from_be_bytes(*large)),
            ),
            length => (8, u64::from(length)),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length < header || length > rest.len() {
            self.cut_short = true;
        }
        let (this, next) = rest.split_at(length.clamp(header.min(rest.len()), rest.len()));
        *rest = next;
        Some((name, &this[header.min(this.len())..]))
    }
}

fn video_codec(entry: [u8; 4]) -> VideoCodec {
    match &entry {
        b"avc1" | b"avc3" => VideoCodec::H264,
        b"hvc1" | b"hev1" => VideoCodec::Hevc,
        b"vp08" => VideoCodec::Vp8,
        b"vp09" => VideoCodec::Vp9,
        _ => VideoCodec::Other(u32::from_be_bytes(entry)),
    }
}

fn audio_codec(entry: [u8; 4]) -> AudioCodec {
    match &entry {
        b"mp4a" => AudioCodec::Aac,
        b"Opus" => AudioCodec::Opus,
        b".mp3" => AudioCodec::Mpeg,
        b"ac-3" | b"ec-3" => AudioCodec::Ac3,
        _ => AudioCodec::Other(u32::from_be_bytes(entry)),
    }
}

/// The track's ID, behind times of 32 or 64 bits.
fn read_tkhd(body: &[u8]) -> Option<u32> {
    match body.first()? {
        1 => number(body, 20),
        _ => number(body, 12),
    }
}

/// Time scale and duration. A duration of all ones is unknown.
fn read_mdhd(body: &[u8]) -> Option<(u32, u64)> {
    match body.first()? {
        1 => {
            let duration = u64::from_be_bytes(at(body, 24)?);
            Some((number(body, 20)?, duration)).filter(|_| duration != u64::MAX)
        }
        _ => {
            let duration = number(body, 16)?;
            Some((number(body, 12)?, duration.into())).filter(|_| duration != u32::MAX)
        }
    }
}

fn number(body: &[u8], offset: usize) -> Option<u32> {
    at(body, offset).map(u32::from_be_bytes)
}

fn at<const N: usize>(body: &[u8], offset: usize) -> Option<[u8; N]> {
    body.get(offset..)?.first_chunk().copied()
}
