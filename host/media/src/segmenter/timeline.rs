//! One timeline that only grows, from clocks that jump.

use crate::flv::{TICKS, VideoUnit};

/// Added to the encoder's times, so that clock references, which run ahead, are not below zero.
const LEAD_IN: i64 = 10 * TICKS;
/// Assumed between pictures until two were seen.
const FRAME: i64 = TICKS / 30;

/// Where the stream stands.
#[derive(Debug)]
pub(super) struct Timeline {
    /// The epoch in force and what is added to its times; `None` after a reconnect.
    epoch: Option<(u32, i64)>,
    /// The newest decoding time.
    last_dts: Option<i64>,
    /// The newest presentation time.
    last_pts: i64,
    /// Between the last two pictures.
    frame: i64,
}

// === impl Timeline ===

impl Timeline {
    pub(super) fn new() -> Self {
        Self {
            epoch: None,
            last_dts: None,
            last_pts: 0,
            frame: FRAME,
        }
    }

    /// The connection changed: the next picture opens a new epoch.
    pub(super) fn forget_epoch(&mut self) {
        self.epoch = None;
    }

    /// Whether the next picture opens an epoch whatever it is.
    pub(super) fn is_forgotten(&self) -> bool {
        self.epoch.is_none()
    }

    /// Puts a picture on the timeline; says whether it opens a new epoch.
    pub(super) fn place(&mut self, unit: &mut VideoUnit) -> bool {
        let known = self.epoch.filter(|(epoch, _)| *epoch == unit.epoch);
        let offset = match (known, self.last_dts) {
            (Some((_, offset)), _) => offset,
            (None, None) => LEAD_IN,
            // Behind the last picture, in decoding and in presentation.
            (None, Some(last)) => (last + self.frame - unit.dts).max(self.end() - unit.pts),
        };
        self.epoch = Some((unit.epoch, offset));
        unit.dts += offset;
        unit.pts += offset;
        if known.is_some()
            && let Some(last) = self.last_dts
        {
            self.frame = (unit.dts - last).clamp(1, TICKS);
        }
        self.last_pts = match self.last_dts {
            Some(_) => self.last_pts.max(unit.pts),
            None => unit.pts,
        };
        self.last_dts = Some(unit.dts);
        known.is_none()
    }

    /// A sound's time on the timeline; `None` when no picture of its epoch was seen.
    pub(super) fn audio(&self, epoch: u32, pts: i64) -> Option<i64> {
        let (_, offset) = self.epoch.filter(|(known, _)| *known == epoch)?;
        Some(pts + offset)
    }

    /// When the last picture ends, in presentation time.
    pub(super) fn end(&self) -> i64 {
        self.last_pts + self.frame
    }

    /// Ticks between the last two pictures.
    pub(super) fn frame(&self) -> i64 {
        self.frame
    }
}
