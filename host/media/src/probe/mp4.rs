//! A walk over the boxes of an MP4: tracks, their sizes, durations and sample counts (ISO/IEC 14496-12).

use super::boxes::{Boxes, at, number};
use super::fragments::Fragments;
use super::{AudioCodec, Container, Probe, Video, VideoCodec, seconds};
use crate::h264::{self, Sps};

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
    fragments: Fragments,
    boxes: Boxes,
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
            duration: seconds(walk.ticks(timed), timed.time_scale).filter(|time| !time.is_zero()),
            video: video.map(|track| walk.video(track)),
            audio: audio.map(|track| audio_codec(track.entry)),
        },
        cut_short: walk.boxes.cut_short,
    })
}

// === impl Walk ===

impl Walk {
    fn file(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((name, body)) = self.boxes.next(&mut rest) {
            match &name {
                b"moov" => self.moov(body),
                b"moof" => self.fragments.fragment(&mut self.boxes, body),
                _ => {}
            }
        }
    }

    fn moov(&mut self, mut rest: &[u8]) {
        while let Some((name, body)) = self.boxes.next(&mut rest) {
            match &name {
                b"trak" if self.tracks.len() < 32 => {
                    let mut track = Track::default();
                    self.within_track(body, &mut track, 0);
                    self.tracks.push(track);
                }
                b"mvex" => self.fragments.defaults(&mut self.boxes, body),
                _ => {}
            }
        }
    }

    /// `trak`, and the boxes in it that only hold others.
    fn within_track(&mut self, mut rest: &[u8], track: &mut Track, depth: u8) {
        while let Some((name, body)) = self.boxes.next(&mut rest) {
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
        let Some((name, body)) = self.boxes.next(&mut rest) else {
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
        while let Some((name, body)) = self.boxes.next(&mut children) {
            if &name == b"avcC" {
                let length = at(body, 6).map(|length| usize::from(u16::from_be_bytes(length)));
                track.sps = length
                    .and_then(|length| body.get(8..8 + length))
                    .map(<[u8]>::to_vec);
            }
        }
    }

    /// The track's length, fragments included.
    fn ticks(&self, track: &Track) -> u64 {
        track
            .duration
            .saturating_add(self.fragments.of(track.id).ticks)
    }

    fn video(&self, track: &Track) -> Video {
        let frames = track
            .samples
            .saturating_add(self.fragments.of(track.id).count);
        let ticks = self.ticks(track);
        let picture = track.sps.as_deref().and_then(Sps::read);
        let counted = (ticks > 0 && frames > 0)
            .then(|| f64::from(frames) * f64::from(track.time_scale) / ticks as f64);
        Video {
            codec: video_codec(track.entry),
            resolution: match &picture {
                Some(sps) => Some((sps.width, sps.height)),
                None => track.resolution,
            },
            pixels: picture.as_ref().map(|sps| sps.pixels),
            frames,
            frame_rate: picture.and_then(|sps| sps.frame_rate).or(counted),
            codec_string: track.sps.as_deref().and_then(h264::codec_string),
        }
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
