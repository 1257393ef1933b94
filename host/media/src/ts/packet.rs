//! PES packets cut into transport packets.

use super::{PACKET, SYNC};

/// Bytes of a packet behind its header.
const BODY: usize = PACKET - 4;

/// What the adaptation field of a PES packet's first transport packet says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Adaptation {
    pub(super) random_access: bool,
    /// Program clock reference, 90 kHz.
    pub(super) pcr: Option<i64>,
}

/// Writes one PES packet, of a length known beforehand, piece by piece.
#[derive(Debug)]
pub(super) struct PesWriter<'a> {
    out: &'a mut Vec<u8>,
    pid: u16,
    counter: &'a mut u8,
    /// For the first packet.
    adaptation: Option<Adaptation>,
    /// Bytes still to come.
    left: usize,
    /// Room in the packet begun.
    room: usize,
}

// === impl PesWriter ===

impl<'a> PesWriter<'a> {
    /// Begins a PES packet of `length` bytes, its own header included.
    pub(super) fn new(
        out: &'a mut Vec<u8>,
        pid: u16,
        counter: &'a mut u8,
        adaptation: Adaptation,
        length: usize,
    ) -> Self {
        out.reserve((length / BODY + 2) * PACKET);
        Self {
            out,
            pid,
            counter,
            adaptation: Some(adaptation),
            left: length,
            room: 0,
        }
    }

    /// Appends a piece. All pieces together are as long as announced.
    pub(super) fn write(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            if self.room == 0 {
                self.begin_packet();
            }
            let (head, tail) = piece.split_at(piece.len().min(self.room));
            self.out.extend_from_slice(head);
            self.room -= head.len();
            self.left -= head.len();
            piece = tail;
        }
    }

    fn begin_packet(&mut self) {
        let first = self.adaptation.take();
        let [high, low] = self.pid.to_be_bytes();
        let start = if first.is_some() { 0x40 } else { 0 };
        let content = first.unwrap_or_default();
        // Length byte, flags, clock reference.
        let field = match content {
            Adaptation { pcr: Some(_), .. } => 8,
            Adaptation {
                random_access: true,
                ..
            } => 2,
            _ => 0,
        };
        // The last packet is filled up within the adaptation field.
        let field = field.max(BODY.saturating_sub(self.left));
        let control = if field > 0 { 0x30 } else { 0x10 };
        let header = [
            SYNC,
            start | high,
            low,
            control | next_counter(self.counter),
        ];
        self.out.extend_from_slice(&header);
        if field > 0 {
            write_adaptation(self.out, content, field);
        }
        self.room = BODY - field;
    }
}

/// Appends a packet that carries nothing but a clock reference, 90 kHz. It does not count for continuity.
pub(super) fn write_pcr(out: &mut Vec<u8>, pid: u16, counter: u8, pcr: i64) {
    let [high, low] = pid.to_be_bytes();
    out.extend_from_slice(&[SYNC, high, low, 0x20 | (counter.wrapping_sub(1) & 0x0F)]);
    let content = Adaptation {
        random_access: false,
        pcr: Some(pcr),
    };
    write_adaptation(out, content, BODY);
}

/// The counter of the packet to be written; the next one is one more, modulo 16.
pub(super) fn next_counter(counter: &mut u8) -> u8 {
    let this = *counter & 0x0F;
    *counter = this + 1;
    this
}

/// Five bytes of PES timestamp (ISO/IEC 13818-1, 2.4.3.7).
pub(super) fn timestamp(marker: u8, time: i64) -> [u8; 5] {
    let time = time as u64;
    [
        marker << 4 | (time >> 29) as u8 & 0x0E | 1,
        (time >> 22) as u8,
        (time >> 14) as u8 | 1,
        (time >> 7) as u8,
        (time << 1) as u8 | 1,
    ]
}

/// An adaptation field of `length` bytes in all, stuffed.
fn write_adaptation(out: &mut Vec<u8>, content: Adaptation, length: usize) {
    let end = out.len() + length;
    out.push((length - 1) as u8);
    if length > 1 {
        let random_access = if content.random_access { 0x40 } else { 0 };
        out.push(random_access | if content.pcr.is_some() { 0x10 } else { 0 });
    }
    if let Some(pcr) = content.pcr {
        // 33 bits at 90 kHz, 6 reserved, 9 of the 27 MHz remainder, which is 0.
        let bits = (pcr as u64 & 0x1_FFFF_FFFF) << 15 | 0x7E00;
        out.extend_from_slice(&bits.to_be_bytes()[2..]);
    }
    out.resize(end, 0xFF);
}
