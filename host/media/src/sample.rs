//! Made-up streams for tests: FLV tag bodies of a publisher that is under full control.

use bytes::Bytes;

use crate::flv::{AudioFrame, Reader, VideoUnit};

/// 1280x720, High, level 3.1, 30 frames a second, as x264 writes it.
pub(crate) const SPS_720P30: &[u8] = &[
    0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00,
    0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
];
/// 640x360, High 4:4:4, level 3.0, 25 frames a second.
pub(crate) const SPS_360P25: &[u8] = &[
    0x67, 0xf4, 0x00, 0x1e, 0x91, 0x9b, 0x28, 0x14, 0x05, 0xff, 0x13, 0x80, 0x88, 0x00, 0x00, 0x03,
    0x00, 0x08, 0x00, 0x00, 0x03, 0x01, 0x90, 0x78, 0xb1, 0x6c, 0xb0,
];
pub(crate) const PPS: &[u8] = &[0x68, 0xeb, 0xe3, 0xc4, 0x48, 0x44];
/// AAC-LC, 48 kHz, stereo.
pub(crate) const AAC_48K_STEREO: &[u8] = &[0x11, 0x90];

/// A video header: lengths of 4 bytes.
pub(crate) fn avc_header(sps: &[u8], pps: &[u8]) -> Bytes {
    avc_header_sized(4, sps, pps)
}

pub(crate) fn avc_header_sized(length_size: u8, sps: &[u8], pps: &[u8]) -> Bytes {
    let mut body = vec![0x17, 0, 0, 0, 0];
    body.extend([1, sps[1], sps[2], sps[3], 0xFC | (length_size - 1), 0xE1]);
    body.extend((sps.len() as u16).to_be_bytes());
    body.extend(sps);
    body.push(1);
    body.extend((pps.len() as u16).to_be_bytes());
    body.extend(pps);
    body.into()
}

/// A picture of the given NAL units. `composition` in ms.
pub(crate) fn avc_picture(composition: i32, length_size: usize, nals: &[&[u8]]) -> Bytes {
    let idr = nals
        .iter()
        .any(|nal| nal.first().is_some_and(|first| first & 0x1F == 5));
    let mut body = vec![if idr { 0x17 } else { 0x27 }, 1];
    body.extend(&composition.to_be_bytes()[1..]);
    for nal in nals {
        body.extend(&(nal.len() as u32).to_be_bytes()[4 - length_size..]);
        body.extend(*nal);
    }
    body.into()
}

/// A slice NAL unit of `length` bytes. Its content is no H.264, but has no start codes in it.
pub(crate) fn slice(idr: bool, length: usize) -> Vec<u8> {
    let mut nal = vec![if idr { 0x65 } else { 0x41 }];
    nal.extend((1..length).map(|at| (at % 251) as u8 | 4));
    nal
}

pub(crate) fn aac_header(config: &[u8]) -> Bytes {
    [&[0xAF, 0], config].concat().into()
}

pub(crate) fn aac_frame(length: usize) -> Bytes {
    let mut body = vec![0xAF, 1];
    body.extend((0..length).map(|at| at as u8));
    body.into()
}

/// A publisher whose tags go through a [`Reader`]: 25 pictures a second, IDR every `gop` of them.
#[derive(Debug)]
pub(crate) struct Encoder {
    pub(crate) reader: Reader,
    pub(crate) gop: usize,
    /// Milliseconds that pictures are presented after they are decoded.
    pub(crate) composition: i32,
    pub(crate) picture_bytes: usize,
    frame: usize,
    start: u32,
}

// === impl Encoder ===

impl Encoder {
    /// Headers for video and, if wanted, audio are already through. `start`: the first timestamp, ms.
    pub(crate) fn new(gop: usize, audio: bool, start: u32) -> Self {
        let mut reader = Reader::new();
        let header = avc_header(SPS_360P25, PPS);
        reader.video(start, &header).expect("a valid header");
        if audio {
            let header = aac_header(AAC_48K_STEREO);
            reader.audio(start, &header).expect("a valid header");
        }
        Self {
            reader,
            gop,
            composition: 80,
            picture_bytes: 400,
            frame: 0,
            start,
        }
    }

    /// The next picture, 40 ms after the last.
    pub(crate) fn picture(&mut self) -> VideoUnit {
        let idr = self.frame.is_multiple_of(self.gop);
        let time = self.time();
        self.frame += 1;
        let tag = avc_picture(self.composition, 4, &[&slice(idr, self.picture_bytes)]);
        let unit = self.reader.video(time, &tag).expect("a valid picture");
        unit.expect("a picture after its header")
    }

    /// A sound with the timestamp of the next picture, plus `offset` ms.
    pub(crate) fn sound(&mut self, offset: i32) -> Option<AudioFrame> {
        let time = self.time().wrapping_add_signed(offset);
        self.reader
            .audio(time, &aac_frame(200))
            .expect("a valid frame")
    }

    /// The next picture's timestamp, ms.
    pub(crate) fn time(&self) -> u32 {
        self.start.wrapping_add(40 * self.frame as u32)
    }
}
