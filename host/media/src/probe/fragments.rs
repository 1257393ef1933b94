//! The samples of a fragmented MP4: how many, and how long (ISO/IEC 14496-12, 8.8).

use super::boxes::{Boxes, number};

/// Flags of `tfhd` and `trun`: which optional fields are there.
const TFHD_BASE_OFFSET: u32 = 0x01;
const TFHD_DESCRIPTION: u32 = 0x02;
const TFHD_DURATION: u32 = 0x08;
const TRUN_DATA_OFFSET: u32 = 0x001;
const TRUN_FIRST_FLAGS: u32 = 0x004;
const TRUN_DURATION: u32 = 0x100;
/// Size, flags and composition time of each sample.
const TRUN_OTHERS: [u32; 3] = [0x200, 0x400, 0x800];

/// What all fragments say of one track.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Samples {
    pub(super) track: u32,
    pub(super) count: u32,
    /// In the track's time scale.
    pub(super) ticks: u64,
}

/// What is gathered over all fragments.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    /// Default sample durations, by track.
    defaults: Vec<(u32, u32)>,
    samples: Vec<Samples>,
}

// === impl Fragments ===

impl Fragments {
    /// Reads `mvex`.
    pub(super) fn defaults(&mut self, boxes: &mut Boxes, mut rest: &[u8]) {
        while let Some((name, body)) = boxes.next(&mut rest) {
            if &name == b"trex"
                && let Some(default) = number(body, 4).zip(number(body, 12))
            {
                self.defaults.push(default);
            }
        }
    }

    /// Reads `moof`.
    pub(super) fn fragment(&mut self, boxes: &mut Boxes, mut rest: &[u8]) {
        while let Some((name, body)) = boxes.next(&mut rest) {
            if &name == b"traf" {
                self.track(boxes, body);
            }
        }
    }

    /// What the fragments hold of a track.
    pub(super) fn of(&self, track: u32) -> Samples {
        let all = self.samples.iter().filter(|samples| samples.track == track);
        all.fold(Samples::default(), |sum, samples| Samples {
            track,
            count: sum.count.saturating_add(samples.count),
            ticks: sum.ticks.saturating_add(samples.ticks),
        })
    }

    fn track(&mut self, boxes: &mut Boxes, mut rest: &[u8]) {
        let (mut track, mut duration) = (0, 0);
        while let Some((name, body)) = boxes.next(&mut rest) {
            match &name {
                b"tfhd" => (track, duration) = self.read_tfhd(body).unwrap_or_default(),
                b"trun" => {
                    let (count, ticks) = read_trun(body, duration).unwrap_or_default();
                    self.samples.push(Samples {
                        track,
                        count,
                        ticks,
                    });
                }
                _ => {}
            }
        }
    }

    /// Track and default sample duration.
    fn read_tfhd(&self, body: &[u8]) -> Option<(u32, u32)> {
        let (flags, track) = (number(body, 0)?, number(body, 4)?);
        if flags & TFHD_DURATION == 0 {
            let of_track = self.defaults.iter().find(|(id, _)| *id == track);
            return Some((track, of_track.map_or(0, |(_, duration)| *duration)));
        }
        let skipped = [(TFHD_BASE_OFFSET, 8), (TFHD_DESCRIPTION, 4)];
        let present = skipped.iter().filter(|(flag, _)| flags & flag != 0);
        let offset = present.fold(8, |offset, (_, length)| offset + length);
        Some((track, number(body, offset)?))
    }
}

/// Samples and their ticks.
fn read_trun(body: &[u8], default: u32) -> Option<(u32, u64)> {
    let (flags, count) = (number(body, 0)?, number(body, 4)?);
    if flags & TRUN_DURATION == 0 {
        return Some((count, u64::from(count) * u64::from(default)));
    }
    let has = |flag: u32| usize::from(flags & flag != 0);
    let start = 8 + 4 * (has(TRUN_DATA_OFFSET) + has(TRUN_FIRST_FLAGS));
    let entry = 4 + 4 * TRUN_OTHERS.map(has).iter().sum::<usize>();
    let entries = body.get(start..)?.chunks_exact(entry);
    let durations = entries.take(count as usize).map(|entry| number(entry, 0));
    let ticks = durations.flatten().map(u64::from).sum();
    Some((count, ticks))
}
