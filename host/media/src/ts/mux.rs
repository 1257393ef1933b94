//! Access units to transport packets.

use super::packet::{Adaptation, PesWriter, timestamp, write_pcr};
use super::{AUDIO_PID, PACKET, VIDEO_PID, tables};
use crate::flv::{AudioFrame, TICKS, VideoUnit};

/// How far the clock reference runs ahead of decoding: the time a decoder has to take a picture in.
const PCR_LEAD: i64 = TICKS / 10;
/// Longest distance between clock references; the standard wants 100 ms.
const PCR_EVERY: i64 = TICKS * 9 / 100;
/// Beyond this, time has jumped and is not filled with clock references.
const PCR_GAP: i64 = 30 * TICKS;
/// Start code and access unit delimiter: any kind of picture follows.
const DELIMITER: [u8; 6] = [0, 0, 0, 1, 9, 0xF0];
const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// Most bytes of audio in one PES packet. Its length has 16 bits; decoders want less.
const MAX_AUDIO_PES: usize = 16 * 1024;
/// Bytes of an ADTS header.
const ADTS: usize = 7;

/// Writes the segments of one stream. See the [module](super).
#[derive(Debug, Default)]
pub struct Mux {
    pat: u8,
    pmt: u8,
    video: u8,
    audio: u8,
    /// Version of the PMT, and whether it lists audio.
    tracks: Option<(u8, bool)>,
    /// The last clock reference of this segment.
    pcr: Option<i64>,
}

// === impl Mux ===

impl Mux {
    /// All counters at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a segment in an empty buffer: PAT, and a PMT with video and, if wanted, audio.
    pub fn begin(&mut self, out: &mut Vec<u8>, audio: bool) {
        let version = self.version(audio);
        self.pcr = None;
        tables::write_pat(out, &mut self.pat);
        tables::write_pmt(out, &mut self.pmt, version, audio);
    }

    /// Lists audio in a segment that began without.
    pub fn add_audio(&mut self, segment: &mut [u8]) {
        let version = self.version(true);
        let Some(pmt) = segment.get_mut(PACKET..2 * PACKET) else {
            return;
        };
        let mut packet = Vec::with_capacity(PACKET);
        tables::write_pmt(&mut packet, &mut (pmt[3] & 0x0F), version, true);
        pmt.copy_from_slice(&packet);
    }

    /// The PMT's version: a new one whenever the tracks listed change.
    fn version(&mut self, audio: bool) -> u8 {
        let version = match self.tracks {
            Some((version, had)) => version + u8::from(had != audio),
            None => 0,
        } % 32;
        self.tracks = Some((version, audio));
        version
    }

    /// Appends one picture, with its parameter sets where it is an IDR picture.
    pub fn video(&mut self, out: &mut Vec<u8>, unit: &VideoUnit) {
        let pcr = unit.dts - PCR_LEAD;
        self.fill_pcr(out, pcr);
        self.pcr = Some(pcr);

        let (sps, pps) = match unit.idr {
            true => (&unit.config.sps[..], &unit.config.pps[..]),
            false => (&[][..], &[][..]),
        };
        let nals = || sps.iter().chain(pps).chain(&unit.nals);
        let picture: usize = nals().map(|nal| START_CODE.len() + nal.len()).sum();
        let adaptation = Adaptation {
            random_access: unit.idr,
            pcr: Some(pcr),
        };
        let (header, length) = pes_header(0xE0, unit.pts, Some(unit.dts), None);
        let header = &header[..length];
        let length = header.len() + DELIMITER.len() + picture;
        let mut pes = PesWriter::new(out, VIDEO_PID, &mut self.video, adaptation, length);
        pes.write(header);
        pes.write(&DELIMITER);
        for nal in nals() {
            pes.write(&START_CODE);
            pes.write(nal);
        }
    }

    /// Appends frames that follow each other without a gap, as few PES packets: only the first frame of each has its time
    /// written.
    pub fn audio(&mut self, out: &mut Vec<u8>, frames: &[AudioFrame]) {
        let mut rest = frames;
        while !rest.is_empty() {
            let mut payload = 0;
            let fitting = rest.iter().take_while(|frame| {
                payload += ADTS + frame.data.len();
                payload <= MAX_AUDIO_PES
            });
            let (frames, tail) = rest.split_at(fitting.count().max(1));
            self.audio_pes(out, frames);
            rest = tail;
        }
    }

    fn audio_pes(&mut self, out: &mut Vec<u8>, frames: &[AudioFrame]) {
        let Some(first) = frames.first() else {
            return;
        };
        let payload = frames.iter().map(|frame| ADTS + frame.data.len()).sum();
        let (header, length) = pes_header(0xC0, first.pts, None, Some(payload));
        let header = &header[..length];
        let adaptation = Adaptation::default();
        let length = header.len() + payload;
        let mut pes = PesWriter::new(out, AUDIO_PID, &mut self.audio, adaptation, length);
        pes.write(header);
        for frame in frames {
            pes.write(&frame.config.adts_header(frame.data.len()));
            pes.write(&frame.data);
        }
    }

    /// At low frame rates, clock references between the pictures.
    fn fill_pcr(&mut self, out: &mut Vec<u8>, until: i64) {
        let Some(mut last) = self.pcr.filter(|last| until - last < PCR_GAP) else {
            return;
        };
        while until - last > PCR_EVERY {
            last += PCR_EVERY;
            write_pcr(out, VIDEO_PID, self.video, last);
        }
    }
}

/// A PES header, and its length. `payload`: its length where it is to be written; video leaves it open.
fn pes_header(stream: u8, pts: i64, dts: Option<i64>, payload: Option<usize>) -> ([u8; 19], usize) {
    let dts = dts.filter(|&dts| dts != pts);
    let times = if dts.is_some() { 10 } else { 5 };
    let length = payload.map_or(0, |payload| (payload + 3 + times) as u16);
    let [high, low] = length.to_be_bytes();
    let flags = if dts.is_some() { 0xC0 } else { 0x80 };
    let mut header = [0; 19];
    // 0x84: the payload begins with the start of an access unit.
    header[..9].copy_from_slice(&[0, 0, 1, stream, high, low, 0x84, flags, times as u8]);
    header[9..14].copy_from_slice(&timestamp(if dts.is_some() { 3 } else { 2 }, pts));
    if let Some(dts) = dts {
        header[14..].copy_from_slice(&timestamp(1, dts));
    }
    (header, 9 + times)
}
