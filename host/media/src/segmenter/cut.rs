//! The cutting.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::open::Open;
use super::timeline::Timeline;
use super::{Config, Error, Segment, duration, ticks};
use crate::flv::{AudioConfig, AudioFrame, TICKS, VideoUnit};
use crate::ts::Mux;

/// How long sound that belongs before a cut is waited for.
const AUDIO_WAIT: i64 = TICKS / 5;
/// Sound that is this far behind is not waited for at all.
const AUDIO_SILENT: i64 = TICKS;
/// Sound gathered into one PES packet.
const AUDIO_BATCH: i64 = TICKS * 8 / 100;

/// Cuts one stream. See the [module](super).
#[derive(Debug)]
pub struct Segmenter {
    config: Config,
    mux: Mux,
    timeline: Timeline,
    sequence: u64,
    current: Option<Open>,
    /// Cut, but waiting for its last sound: with its end.
    closing: Option<(Open, i64)>,
    /// Sound not yet written: ahead of the newest picture, or gathered.
    waiting: VecDeque<AudioFrame>,
    waiting_bytes: usize,
    audio: Option<Arc<AudioConfig>>,
    last_audio: Option<i64>,
    last_idr: Option<i64>,
    /// Between the last two IDR pictures.
    gop: Option<i64>,
    /// Since when an IDR picture is missing, in the times of its epoch.
    without_idr: Option<(u32, i64)>,
    /// The next segment is a discontinuity.
    broken: bool,
    /// Size of the last segment.
    expected: usize,
}

// === impl Segmenter ===

impl Segmenter {
    /// A stream before its first unit.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            mux: Mux::new(),
            timeline: Timeline::new(),
            sequence: 0,
            current: None,
            closing: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            audio: None,
            last_audio: None,
            last_idr: None,
            gop: None,
            without_idr: None,
            broken: false,
            expected: 0,
        }
    }

    /// Takes a picture; answers the segments it completes, seldom more than one.
    ///
    /// # Errors
    ///
    /// [`Error`]: the stream ends; [`Segmenter::finish`] still gives what there is.
    pub fn video(&mut self, mut unit: VideoUnit) -> Result<Vec<Segment>, Error> {
        let mut done = Vec::new();
        self.check_gop(unit.epoch, unit.dts, unit.idr)?;
        if !unit.idr && (self.current.is_none() || self.timeline.is_forgotten()) {
            return Ok(done);
        }
        let new_epoch = self.timeline.place(&mut unit);
        if new_epoch && self.sequence + u64::from(self.current.is_some()) > 0 {
            self.broken = true;
        }
        if unit.idr && self.cuts_at(&unit, new_epoch) {
            self.cut(&unit, &mut done);
        }
        self.write_audio(unit.dts, AUDIO_BATCH);
        if let Some(current) = &mut self.current {
            current.write_video(&mut self.mux, &unit);
        }
        self.close_if_complete(unit.dts, &mut done);
        self.check_size()?;
        Ok(done)
    }

    /// Takes a sound; answers the segment whose last one it was, if any. Sound before the first picture is dropped.
    ///
    /// # Errors
    ///
    /// [`Error`]: the stream ends; [`Segmenter::finish`] still gives what there is.
    pub fn audio(&mut self, mut frame: AudioFrame) -> Result<Vec<Segment>, Error> {
        let mut done = Vec::new();
        self.check_gop(frame.epoch, frame.pts, false)?;
        self.audio = Some(Arc::clone(&frame.config));
        if self.current.is_none() {
            return Ok(done);
        }
        let Some(pts) = self.timeline.audio(frame.epoch, frame.pts) else {
            return Ok(done);
        };
        frame.pts = self.last_audio.map_or(pts, |last| pts.max(last + 1));
        self.last_audio = Some(frame.pts);
        self.waiting_bytes += frame.data.len() + mem::size_of::<AudioFrame>();
        self.waiting.push_back(frame);
        self.close_if_complete(i64::MIN, &mut done);
        self.check_size()?;
        Ok(done)
    }

    /// The stream ended, or the connection broke: answers the tail.
    pub fn finish(&mut self) -> Vec<Segment> {
        let mut done = Vec::new();
        self.close(&mut done);
        self.write_audio(i64::MAX, 0);
        self.without_idr = None;
        if let Some(current) = self.current.take() {
            self.complete(current, self.timeline.end(), &mut done);
        }
        done
    }

    /// A new connection continues the stream, after [`Segmenter::finish`]: it goes on at the new connection's first IDR
    /// picture, with a discontinuity.
    pub fn resume(&mut self) {
        self.timeline.forget_epoch();
        self.audio = None;
        self.last_idr = None;
        self.gop = None;
        self.without_idr = None;
        self.broken = self.next_sequence() > 0 || self.current.is_some();
    }

    /// The number the next segment will have.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether an IDR picture has been missing for too long. `time` is of `epoch`: unplaced.
    fn check_gop(&mut self, epoch: u32, time: i64, idr: bool) -> Result<(), Error> {
        match self.without_idr {
            Some((since_epoch, since)) if since_epoch == epoch && !idr => {
                let waited = time - since;
                if waited > ticks(self.config.max_gop) {
                    return Err(Error::NoKeyFrame {
                        waited: duration(waited),
                        target: self.config.target,
                    });
                }
            }
            _ => self.without_idr = Some((epoch, time)),
        }
        Ok(())
    }

    fn check_size(&self) -> Result<(), Error> {
        let open = self.current.as_ref().map_or(0, Open::len);
        let closing = self.closing.as_ref().map_or(0, |(open, _)| open.len());
        let max = self.config.max_bytes;
        if open.max(closing) + self.waiting_bytes > max {
            return Err(Error::TooLarge { max });
        }
        Ok(())
    }

    /// Whether an IDR picture, already placed, begins a segment.
    fn cuts_at(&mut self, unit: &VideoUnit, new_epoch: bool) -> bool {
        if let Some(last) = self.last_idr.filter(|_| !new_epoch) {
            self.gop = Some(unit.pts - last);
        }
        self.last_idr = Some(unit.pts);
        let Some(current) = &self.current else {
            return true;
        };
        let elapsed = unit.pts - current.start_pts;
        let changed = *current.video != *unit.config;
        self.broken |= changed && current.video.sps != unit.config.sps;
        if elapsed <= 0 {
            return false;
        }
        if changed || self.broken {
            return true;
        }
        let missing = ticks(self.config.target) - elapsed;
        missing <= self.timeline.frame() / 2 || self.gop.is_some_and(|gop| missing <= gop - missing)
    }

    /// Ends the current segment at an IDR picture, and begins the next.
    fn cut(&mut self, unit: &VideoUnit, done: &mut Vec<Segment>) {
        self.close(done);
        let broken = mem::take(&mut self.broken);
        let expected = self.expected + self.expected / 8;
        let audio = self.audio.clone();
        let next = Open::new(&mut self.mux, unit, audio, broken, expected);
        if let Some(current) = self.current.replace(next) {
            self.closing = Some((current, unit.pts));
        }
    }

    /// Completes the segment that was cut when its last sound is there, or need not be waited for.
    fn close_if_complete(&mut self, dts: i64, done: &mut Vec<Segment>) {
        let Some((_, end)) = self.closing else {
            return;
        };
        let heard = self.last_audio.unwrap_or(i64::MIN);
        if heard >= end || heard < end - AUDIO_SILENT || dts >= end + AUDIO_WAIT {
            self.close(done);
        }
    }

    fn close(&mut self, done: &mut Vec<Segment>) {
        if let Some((mut open, end)) = self.closing.take() {
            let frames = self.take_waiting(|frame| frame.pts < end);
            open.write_audio(&mut self.mux, &frames);
            self.complete(open, end, done);
        }
    }

    fn complete(&mut self, open: Open, end: i64, done: &mut Vec<Segment>) {
        let segment = open.close(self.sequence, end);
        self.sequence += 1;
        self.expected = segment.bytes.len();
        done.push(segment);
    }

    /// Writes the sound that is not ahead of `dts`, once the oldest is `batch` behind. What is ahead may belong behind
    /// a cut that nobody knows of yet.
    fn write_audio(&mut self, dts: i64, batch: i64) {
        if self.closing.is_some() {
            return;
        }
        let due = self.waiting.front();
        if due.is_none_or(|frame| frame.pts > dts.saturating_sub(batch)) {
            return;
        }
        let frames = self.take_waiting(|frame| frame.pts <= dts);
        if let Some(current) = &mut self.current {
            current.write_audio(&mut self.mux, &frames);
        }
    }

    fn take_waiting(&mut self, due: impl Fn(&AudioFrame) -> bool) -> Vec<AudioFrame> {
        let count = self.waiting.partition_point(due);
        let frames: Vec<AudioFrame> = self.waiting.drain(..count).collect();
        let bytes = |frame: &AudioFrame| frame.data.len() + mem::size_of::<AudioFrame>();
        self.waiting_bytes -= frames.iter().map(bytes).sum::<usize>();
        frames
    }
}
