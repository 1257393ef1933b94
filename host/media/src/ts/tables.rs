//! PAT and PMT, each in one packet.

use super::{
    AUDIO_PID, PACKET, PAT_PID, PMT_PID, SYNC, TYPE_AAC, TYPE_H264, VIDEO_PID, packet::next_counter,
};

const PROGRAM: u16 = 1;

/// Appends the program association table.
pub(super) fn write_pat(out: &mut Vec<u8>, counter: &mut u8) {
    let [high, low] = (0xE000 | PMT_PID).to_be_bytes();
    let [program_high, program_low] = PROGRAM.to_be_bytes();
    // Transport stream 1, version 0, in force, section 0 of 0.
    let body = [0, 1, 0xC1, 0, 0, program_high, program_low, high, low];
    write_section(out, PAT_PID, counter, 0x00, &body);
}

/// Appends the program map table. `version` has to differ when `audio` has changed.
pub(super) fn write_pmt(out: &mut Vec<u8>, counter: &mut u8, version: u8, audio: bool) {
    let mut body = Vec::with_capacity(32);
    body.extend_from_slice(&PROGRAM.to_be_bytes());
    body.extend_from_slice(&[0xC1 | (version & 0x1F) << 1, 0, 0]);
    body.extend_from_slice(&(0xE000 | VIDEO_PID).to_be_bytes()); // the clock reference is with the video
    body.extend_from_slice(&[0xF0, 0]);
    let tracks = [(TYPE_H264, VIDEO_PID), (TYPE_AAC, AUDIO_PID)];
    for (kind, pid) in &tracks[..if audio { 2 } else { 1 }] {
        body.push(*kind);
        body.extend_from_slice(&(0xE000 | pid).to_be_bytes());
        body.extend_from_slice(&[0xF0, 0]);
    }
    write_section(out, PMT_PID, counter, 0x02, &body);
}

/// One section in one packet: `body` is what stands between the section's length and its checksum.
fn write_section(out: &mut Vec<u8>, pid: u16, counter: &mut u8, table: u8, body: &[u8]) {
    let start = out.len();
    let [high, low] = (0x4000 | pid).to_be_bytes();
    out.extend_from_slice(&[SYNC, high, low, 0x10 | next_counter(counter), 0]);
    let section = out.len();
    let [high, low] = (0xB000 | (body.len() + 4) as u16).to_be_bytes();
    out.extend_from_slice(&[table, high, low]);
    out.extend_from_slice(body);
    let checksum = crc32(&out[section..]);
    out.extend_from_slice(&checksum.to_be_bytes());
    out.resize(start + PACKET, 0xFF);
}

/// The checksum of PSI sections (ISO/IEC 13818-1, annex A). Two dozen bytes a segment: no table needed.
fn crc32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_the_one_of_mpeg() {
        assert_eq!(super::crc32(b"123456789"), 0x0376_E6E7);
    }
}
