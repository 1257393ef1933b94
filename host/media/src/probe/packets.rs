//! Transport packets of foreign segments, read tolerantly.

use crate::ts::{PACKET, SYNC};

/// The packets of a segment, in order. After lost sync it goes on at the next place where packets line up.
#[derive(Clone, Debug)]
pub(super) struct Packets<'a> {
    rest: &'a [u8],
    /// How often sync was lost, a packet cut short at the end included.
    pub(super) lost: u32,
}

/// One packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) pid: u16,
    /// A PES packet or a section starts here.
    pub(super) start: bool,
    /// Marked as damaged on its way.
    pub(super) damaged: bool,
    pub(super) counter: u8,
    /// The counter may jump here.
    pub(super) discontinuity: bool,
    /// Empty when there is none.
    pub(super) payload: &'a [u8],
    pub(super) has_payload: bool,
}

/// Where packets begin to line up: a sync byte, and another one a packet on unless the bytes end before.
pub(super) fn first_sync(bytes: &[u8]) -> Option<usize> {
    let lines_up = |at: usize| match bytes.get(at + PACKET) {
        Some(&next) => next == SYNC,
        None => at + PACKET == bytes.len(),
    };
    let window = &bytes[..bytes.len().min(2 * PACKET)];
    (0..window.len()).find(|&at| window[at] == SYNC && lines_up(at))
}

// === impl Packets ===

impl<'a> Packets<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            lost: 0,
        }
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            if let Some((packet, rest)) = self.rest.split_first_chunk::<PACKET>()
                && packet[0] == SYNC
            {
                self.rest = rest;
                return Some(Packet::read(packet));
            }
            self.lost += 1;
            // At least one byte on, at most two packets: linear also over garbage.
            let skipped = first_sync(&self.rest[1..]).map_or(2 * PACKET, |at| at + 1);
            self.rest = self.rest.get(skipped..).unwrap_or_default();
        }
    }
}

// === impl Packet ===

impl<'a> Packet<'a> {
    fn read(bytes: &'a [u8; PACKET]) -> Self {
        let has_payload = bytes[3] & 0x10 != 0;
        let has_field = bytes[3] & 0x20 != 0;
        let field = if has_field {
            usize::from(bytes[4]) + 1
        } else {
            0
        };
        let payload = match has_payload {
            true => bytes.get(4 + field..).unwrap_or_default(),
            false => &[],
        };
        Self {
            pid: u16::from_be_bytes([bytes[1], bytes[2]]) & 0x1FFF,
            start: bytes[1] & 0x40 != 0,
            damaged: bytes[1] & 0x80 != 0,
            counter: bytes[3] & 0x0F,
            discontinuity: has_field && bytes[4] > 0 && bytes[5] & 0x80 != 0,
            payload,
            has_payload,
        }
    }

    /// The section that starts in this packet, as far as it is in it: from its table ID, without its checksum.
    pub(super) fn section(&self) -> Option<&'a [u8]> {
        if !self.start {
            return None;
        }
        let pointer = usize::from(*self.payload.first()?);
        let section = self.payload.get(1 + pointer..)?;
        let length = usize::from(u16::from_be_bytes([*section.get(1)?, *section.get(2)?]) & 0x0FFF);
        // Tables of several packets are cut off: what matters of them stands in front.
        let end = (3 + length).saturating_sub(4).min(section.len());
        section.get(..end)
    }
}

/// The map table's PID of the first program in a PAT.
pub(super) fn read_pat(section: &[u8]) -> Option<u16> {
    if section.first() != Some(&0) {
        return None;
    }
    let programs = section.get(8..)?.chunks_exact(4);
    programs
        .map(|entry| {
            (
                u16::from_be_bytes([entry[0], entry[1]]),
                u16::from_be_bytes([entry[2], entry[3]]) & 0x1FFF,
            )
        })
        .find_map(|(program, pid)| (program != 0).then_some(pid))
}

/// The tracks of a PMT: stream type, PID, descriptors.
pub(super) fn read_pmt(section: &[u8]) -> impl Iterator<Item = (u8, u16, &[u8])> {
    let program_info = |section: &[u8]| {
        (section.first() == Some(&2)).then_some(())?;
        let length = u16::from_be_bytes([*section.get(10)?, *section.get(11)?]) & 0x0FFF;
        Some(12 + usize::from(length))
    };
    let mut rest = program_info(section)
        .and_then(|start| section.get(start..))
        .unwrap_or_default();
    std::iter::from_fn(move || {
        let (head, tail) = rest.split_first_chunk::<5>()?;
        let length = usize::from(u16::from_be_bytes([head[3], head[4]]) & 0x0FFF);
        let descriptors = &tail[..length.min(tail.len())];
        rest = &tail[descriptors.len()..];
        let pid = u16::from_be_bytes([head[1], head[2]]) & 0x1FFF;
        Some((head[0], pid, descriptors))
    })
}
