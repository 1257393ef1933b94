//! One pass over a transport stream.

use super::packets::{Packet, Packets, read_pat, read_pmt};
use super::{AudioCodec, Container, Probe, Video, VideoCodec, seconds};
use crate::flv::TICKS;
use crate::h264::{NAL_SPS, Sps, codec_string, nal_type};
use crate::ts::{PAT_PID, TYPE_AAC, TYPE_H264};

/// Bytes of a picture searched for parameter sets: they stand in front.
const SEARCHED: usize = 2048;
/// Half a turn of the 33-bit counter.
const HALF_TURN: i64 = 1 << 32;

/// What one pass finds.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Packets with a sync byte.
    pub(super) packets: u32,
    /// How often sync was lost.
    pub(super) lost: u32,
    /// Packets marked as damaged, and jumps of the video's continuity counter.
    pub(super) damaged: u32,
    pub(super) video: Option<Track<VideoCodec>>,
    pub(super) audio: Option<Track<AudioCodec>>,
    pub(super) sps: Option<Vec<u8>>,
    /// The beginning of a picture in which no parameter set was found yet.
    head: Vec<u8>,
}

/// A track that the PMT lists.
#[derive(Debug)]
pub(super) struct Track<C> {
    pid: u16,
    pub(super) codec: C,
    /// PES packets.
    pub(super) units: u32,
    /// Earliest and latest presentation time, 90 kHz, continued over a wrap.
    pub(super) span: Option<(i64, i64)>,
    counter: Option<u8>,
}

pub(super) fn probe(bytes: &[u8]) -> Option<Probe> {
    let scan = Scan::new(bytes);
    if scan.video.is_none() && scan.audio.is_none() {
        return None;
    }
    Some(Probe {
        container: Container::MpegTs,
        duration: scan
            .duration()
            .and_then(|ticks| seconds(ticks, TICKS as u32)),
        audio: scan.audio.as_ref().map(|track| track.codec),
        video: scan.video(),
    })
}

// === impl Scan ===

impl Scan {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut scan = Self::default();
        let mut packets = Packets::new(bytes);
        let mut pmt_pid = None;
        for packet in packets.by_ref() {
            scan.packets += 1;
            if packet.damaged {
                scan.damaged += 1;
            } else if packet.pid == PAT_PID {
                pmt_pid = pmt_pid.or_else(|| read_pat(packet.section()?));
            } else if Some(packet.pid) == pmt_pid {
                scan.tracks(&packet);
            } else {
                scan.payload(&packet);
            }
        }
        scan.search_head();
        scan.lost = packets.lost;
        scan
    }

    /// What the scan says of the video.
    pub(super) fn video(&self) -> Option<Video> {
        let track = self.video.as_ref()?;
        let sps = self.sps.as_deref();
        let picture = sps.and_then(Sps::read);
        Some(Video {
            codec: track.codec,
            resolution: picture.as_ref().map(|sps| (sps.width, sps.height)),
            pixels: picture.as_ref().map(|sps| sps.pixels),
            frames: track.units,
            frame_rate: picture
                .and_then(|sps| sps.frame_rate)
                .or_else(|| Some(TICKS as f64 / track.interval()? as f64)),
            codec_string: sps.and_then(codec_string),
        })
    }

    /// From the first picture to the end of the last, 90 kHz; of sound where there is no video.
    pub(super) fn duration(&self) -> Option<u64> {
        match &self.video {
            Some(video) => video.duration(),
            None => self.audio.as_ref()?.duration(),
        }
    }

    fn tracks(&mut self, packet: &Packet<'_>) {
        for (kind, pid, descriptors) in packet.section().into_iter().flat_map(read_pmt) {
            if let Some(codec) = video_codec(kind) {
                self.video.get_or_insert_with(|| Track::new(pid, codec));
            } else if let Some(codec) = audio_codec(kind, descriptors) {
                self.audio.get_or_insert_with(|| Track::new(pid, codec));
            }
        }
    }

    fn payload(&mut self, packet: &Packet<'_>) {
        if let Some(video) = self.video.as_mut().filter(|track| track.pid == packet.pid) {
            self.damaged += u32::from(video.counter_jumps(packet));
            let elementary = video.elementary(packet);
            if video.codec == VideoCodec::H264 && self.sps.is_none() {
                if packet.start {
                    self.search_head();
                }
                let room = SEARCHED.saturating_sub(self.head.len());
                self.head
                    .extend_from_slice(&elementary[..elementary.len().min(room)]);
            }
        } else if let Some(audio) = self.audio.as_mut().filter(|track| track.pid == packet.pid) {
            audio.elementary(packet);
        }
    }

    /// Looks for a sequence parameter set in the beginning of a picture, which is then forgotten.
    fn search_head(&mut self) {
        if self.sps.is_none() {
            let found = nal_units(&self.head).find(|nal| nal_type(nal) == NAL_SPS);
            self.sps = found.map(<[u8]>::to_vec);
        }
        self.head.clear();
    }
}

// === impl Track ===

impl<C> Track<C> {
    fn new(pid: u16, codec: C) -> Self {
        Self {
            pid,
            codec,
            units: 0,
            span: None,
            counter: None,
        }
    }

    /// Whether packets are missing before this one. A packet may come twice.
    fn counter_jumps(&mut self, packet: &Packet<'_>) -> bool {
        if !packet.has_payload {
            return false;
        }
        let last = self.counter.replace(packet.counter);
        let follows = |last: u8| [last, (last + 1) & 0x0F].contains(&packet.counter);
        !packet.discontinuity && last.is_some_and(|last| !follows(last))
    }

    /// The packet's part of the elementary stream, behind a PES header that is counted and read.
    fn elementary<'a>(&mut self, packet: &Packet<'a>) -> &'a [u8] {
        if !packet.start {
            return packet.payload;
        }
        let [0, 0, 1, _, _, _, flags, times, length, ..] = packet.payload else {
            return &[];
        };
        self.units += 1;
        if flags >> 6 == 2
            && times & 0x80 != 0
            && let Some(pts) = packet.payload.get(9..14)
        {
            self.see(read_timestamp(pts));
        }
        let start = 9 + usize::from(*length);
        packet.payload.get(start..).unwrap_or_default()
    }

    fn see(&mut self, pts: i64) {
        let (first, last) = self.span.unwrap_or((pts, pts));
        // The time nearest to what was seen, since 33 bits wrap every 26.5 hours.
        let pts = last + (pts - last + HALF_TURN).rem_euclid(2 * HALF_TURN) - HALF_TURN;
        self.span = Some((first.min(pts), last.max(pts)));
    }

    /// Mean ticks between two units.
    fn interval(&self) -> Option<i64> {
        let (first, last) = self.span?;
        let gaps = i64::from(self.units.checked_sub(1).filter(|&gaps| gaps > 0)?);
        Some((last - first) / gaps).filter(|&interval| interval > 0)
    }

    fn duration(&self) -> Option<u64> {
        let (first, last) = self.span?;
        u64::try_from(last - first + self.interval()?).ok()
    }
}

fn video_codec(kind: u8) -> Option<VideoCodec> {
    match kind {
        TYPE_H264 => Some(VideoCodec::H264),
        0x24 => Some(VideoCodec::Hevc),
        0x01 | 0x02 | 0x10 | 0x21 | 0x33 | 0x42 | 0xD1 | 0xEA => {
            Some(VideoCodec::Other(kind.into()))
        }
        _ => None,
    }
}

fn audio_codec(kind: u8, descriptors: &[u8]) -> Option<AudioCodec> {
    match kind {
        TYPE_AAC | 0x11 => Some(AudioCodec::Aac),
        0x03 | 0x04 => Some(AudioCodec::Mpeg),
        0x81 | 0x87 => Some(AudioCodec::Ac3),
        0x82..=0x86 => Some(AudioCodec::Other(kind.into())),
        0x06 => private_audio(descriptors),
        _ => None,
    }
}

/// Private data is sound when a descriptor says so: 5 registration, 0x6A AC-3, 0x7A E-AC-3.
fn private_audio(mut descriptors: &[u8]) -> Option<AudioCodec> {
    while let [tag, length, rest @ ..] = descriptors {
        let (body, rest) = rest.split_at_checked(usize::from(*length))?;
        match (tag, body) {
            (5, b"Opus") => return Some(AudioCodec::Opus),
            (5, b"AC-3" | b"EAC3") | (0x6A | 0x7A, _) => return Some(AudioCodec::Ac3),
            _ => descriptors = rest,
        }
    }
    None
}

/// The NAL units of an elementary stream, without start codes; the last one may be cut short.
fn nal_units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = start_code(stream).map(|at| &stream[at + 3..]);
    std::iter::from_fn(move || {
        let unit = rest?;
        let end = start_code(unit);
        rest = end.map(|at| &unit[at + 3..]);
        let unit = &unit[..end.unwrap_or(unit.len())];
        // A zero before a start code belongs to the start code.
        Some(unit.strip_suffix(&[0]).unwrap_or(unit))
    })
}

fn start_code(stream: &[u8]) -> Option<usize> {
    stream.windows(3).position(|window| window == [0, 0, 1])
}

fn read_timestamp(bytes: &[u8]) -> i64 {
    let part = |at: usize| i64::from(bytes[at]);
    (part(0) >> 1 & 7) << 30 | part(1) << 22 | (part(2) >> 1) << 15 | part(3) << 7 | part(4) >> 1
}
