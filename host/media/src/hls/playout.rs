//! The state machine of one stream: announcements and results in, playlists and segments out.

use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::warn;

use super::config::Names;
use super::ladder::Ladder;
use super::media::{self, Track};
use super::numbering::Numbering;
use super::outcome::Outcome;
use super::timeline::{Standing, Timeline};
use super::waiting::{Announced, Waiting};
use super::{Config, ConfigError, Deadlines, Number, RenditionSegment, SOURCE, SourceSegment};

use crate::probe::Container;

/// The playlists of one live stream (see the [module](super)). Share it behind one mutex; every call is short.
#[derive(Debug)]
pub struct Playout {
    config: Config,
    names: Names,
    numbering: Numbering,
    waiting: Waiting,
    timeline: Timeline,
    ladder: Ladder,
    /// Rendered media playlists by track; None after a change.
    rendered: Vec<Option<Bytes>>,
    /// A media playlist has been read: players hold its target duration.
    read: bool,
    ended: bool,
    /// Ended, and everything announced has been listed.
    complete: bool,
    version: u64,
    counts: Counts,
}

/// What has happened to a stream so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Positions listed in the source playlist.
    pub listed: u64,
    /// Positions listed with at least one rendition missing.
    pub gaps: u64,
    /// Results that came after their gap was listed.
    pub late: u64,
    /// Announcements whose turn had passed.
    pub passed: u64,
    /// Positions that left early, because of [`Config::bytes`].
    pub early: u64,
}

/// Why a segment is not going to be listed. Whether its renditions are still wanted (a pusher that waits for them) is
/// the caller's affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// [`Playout::end`] came before.
    #[error("the stream has ended")]
    Ended,
    /// MP4 segments are not listed.
    #[error("only MPEG-TS segments are listed")]
    Container,
    /// No bytes.
    #[error("the segment is empty")]
    Empty,
    /// It is listed already, or its successors are.
    #[error("its turn in the playlists has passed")]
    Passed,
    /// The publisher has used up all numbers.
    #[error("the sequence number is too large: begin again at 0 under another stream name")]
    Exhausted,
}

/// The result came too late: a gap has been listed in its place, or the segment was never announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the renditions came after their gap was listed")]
pub struct Late;

// === impl Playout ===

impl Playout {
    /// A stream without segments.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says which name or number to change.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let names = config.checked()?;
        Ok(Self {
            numbering: Numbering::default(),
            waiting: Waiting::default(),
            timeline: Timeline::new(&config),
            ladder: Ladder::new(&config),
            rendered: vec![None; names.playlists.len()],
            read: false,
            ended: false,
            complete: false,
            version: 0,
            counts: Counts::default(),
            names,
            config,
        })
    }

    /// Announces source segment `sequence` (the publisher's number) and that its renditions are being made. Returns its
    /// [`Number`] for [`Playout::done`] or [`Playout::failed`]; it is `sequence` unless the publisher has begun anew.
    /// Announcing the same bytes again is another attempt: the segment fails when all have.
    ///
    /// # Errors
    ///
    /// [`Refused`]: nothing is awaited, and `done` and `failed` have nothing to say about it.
    pub fn source(
        &mut self,
        sequence: u64,
        segment: SourceSegment,
        deadlines: Deadlines,
        now: Instant,
    ) -> Result<Number, Refused> {
        if self.ended {
            return Err(Refused::Ended);
        }
        if segment.container != Container::MpegTs {
            return Err(Refused::Container);
        }
        if segment.bytes.is_empty() {
            return Err(Refused::Empty);
        }
        let number = self.admit(sequence, &segment.bytes)?;
        if let Some(outcome) = self.outcome(number) {
            outcome.again();
        } else {
            self.ladder.announce(deadlines.soft);
            let announced = Announced {
                segment,
                outcome: Outcome::awaited(),
                hard: deadlines.hard,
                since: now,
            };
            self.waiting.insert(number, announced);
        }
        self.advance(now);
        Ok(number)
    }

    /// The renditions of `number`, in configured order; None, empty or left out is missing and becomes a gap. The first
    /// result stands. With all of them missing it is [`Playout::failed`].
    ///
    /// # Errors
    ///
    /// [`Late`] when nothing of it will be listed.
    pub fn done(
        &mut self,
        number: Number,
        renditions: Vec<Option<RenditionSegment>>,
        now: Instant,
    ) -> Result<(), Late> {
        let wanted = self.config.renditions.len();
        let Some(outcome) = self.outcome(number) else {
            self.counts.late += 1;
            return Err(Late);
        };
        outcome.back(renditions, wanted);
        self.advance(now);
        Ok(())
    }

    /// One attempt at `number` failed for good. Without effect when its gap is listed already. Where the publisher may
    /// yet send it again (a push answered with 503), say nothing: the hard deadline settles it.
    pub fn failed(&mut self, number: Number, now: Instant) {
        if let Some(outcome) = self.outcome(number) {
            outcome.failed();
            self.advance(now);
        }
    }

    /// Lists what has waited long enough. Call it at [`Playout::next_deadline`]; sooner does no harm.
    pub fn expire(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When time alone will next change something.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let turn = if self.timeline.is_even() {
            self.waiting.turn_at(self.config.reorder)
        } else {
            self.timeline.hard()
        };
        let due = self.ladder.due().filter(|_| self.timeline.last().is_some());
        turn.into_iter().chain(due).min()
    }

    /// No segment follows. What was announced is still listed as it is settled; then comes `EXT-X-ENDLIST`.
    pub fn end(&mut self, now: Instant) {
        self.ended = true;
        self.advance(now);
    }

    /// Ended, and every playlist is final.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The master playlist; always the same once it is there. None: answer 404.
    #[must_use]
    pub fn master(&self) -> Option<Bytes> {
        self.ladder.master().cloned()
    }

    /// The media playlist of a rendition, or of `source`. None: no such rendition, or nothing listed yet: answer 404.
    /// Rendered when it is read first after a change.
    pub fn media(&mut self, rendition: &str) -> Option<Bytes> {
        let track = self.track(rendition)?;
        if media::listed(&self.timeline, track).to == 0 {
            return None;
        }
        self.read = true;
        let (timeline, complete) = (&self.timeline, self.complete);
        let name = self.names.playlists.get(track)?;
        let rendered = self.rendered.get_mut(track)?;
        Some(
            rendered
                .get_or_insert_with(|| media::render(timeline, track, name, complete))
                .clone(),
        )
    }

    /// A segment that is listed, or was until lately. None: answer 404.
    #[must_use]
    pub fn segment(&self, rendition: &str, number: Number) -> Option<Bytes> {
        media::segment(&self.timeline, self.track(rendition)?, number)
    }

    /// Grows with every change that a reader can see.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What has happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn track(&self, rendition: &str) -> Option<Track> {
        if rendition == SOURCE {
            return Some(0);
        }
        let renditions = &self.config.renditions;
        let index = renditions.iter().position(|spec| spec.name == rendition);
        index.map(|index| index + 1)
    }

    fn outcome(&mut self, number: Number) -> Option<&mut Outcome> {
        match self.waiting.outcome(number) {
            Some(outcome) => Some(outcome),
            None => self.timeline.outcome(number),
        }
    }

    /// The number to list `sequence` under.
    fn admit(&mut self, sequence: u64, bytes: &Bytes) -> Result<Number, Refused> {
        let number = self.numbering.number(sequence).ok_or(Refused::Exhausted)?;
        match self.timeline.standing(number, bytes) {
            Standing::Ahead | Standing::Awaited => Ok(number),
            Standing::Passed => {
                self.counts.passed += 1;
                Err(Refused::Passed)
            }
            Standing::Anew => {
                let highest = self.waiting.highest().or(self.timeline.last());
                let highest = highest.unwrap_or(number);
                let begun = self.numbering.begin(sequence, highest);
                begun.ok_or(Refused::Exhausted)
            }
        }
    }

    /// Lists all that can be listed now.
    fn advance(&mut self, now: Instant) {
        loop {
            // Half of the bytes, so that what waits cannot push out all that is listed.
            let hurried = self.waiting.len() > self.config.in_flight
                || self.waiting.bytes() > self.config.bytes / 2;
            if !self.settle((!hurried).then_some(now)) && !self.place(now, hurried) {
                break;
            }
        }
        self.shrink();
        let even = self.timeline.is_even() && self.waiting.len() == 0;
        if self.ended && even && !self.complete {
            self.complete = true;
            self.changed(0..self.rendered.len());
        }
        let listed = self.timeline.last().is_some();
        if listed
            && self
                .ladder
                .appear(&self.config, &self.names, now, self.complete)
        {
            self.version += 1;
        }
    }

    fn shrink(&mut self) {
        let most = self.config.bytes.saturating_sub(self.waiting.bytes());
        let gone = self.timeline.shrink(most);
        if gone == 0 {
            return;
        }
        if self.counts.early == 0 {
            let (stream, bytes) = (&self.config.name, self.config.bytes);
            warn!(%stream, bytes, "segments are too large for all of them to be kept: the oldest leave the playlists early");
        }
        self.counts.early += gone;
        self.changed(0..self.rendered.len());
    }

    fn settle(&mut self, now: Option<Instant>) -> bool {
        let Some((millis, renditions)) = self.timeline.settle(now) else {
            return false;
        };
        self.counts.gaps += u64::from(renditions.iter().any(Option::is_none));
        self.ladder.measure_renditions(millis, &renditions);
        self.changed(1..self.rendered.len());
        true
    }

    fn place(&mut self, now: Instant, hurried: bool) -> bool {
        if !self.timeline.is_even() {
            return false;
        }
        let reorder = if hurried || self.ended {
            Duration::ZERO
        } else {
            self.config.reorder
        };
        let turn = self.waiting.take_turn(self.timeline.last(), reorder, now);
        let Some((number, announced)) = turn else {
            return false;
        };
        let begins = self.numbering.begins(number);
        let target = self.timeline.target();
        self.ladder.measure_source(&announced.segment);
        self.timeline.place(number, announced, begins);
        self.counts.listed += 1;
        self.changed(0..1);
        if self.timeline.target() > target {
            self.changed(1..self.rendered.len());
            if self.read {
                let (stream, target) = (&self.config.name, self.timeline.target());
                warn!(%stream, target, "a segment is longer than the target duration: raised it");
            }
        }
        true
    }

    fn changed(&mut self, tracks: Range<Track>) {
        self.version += 1;
        if let Some(rendered) = self.rendered.get_mut(tracks) {
            rendered.fill(None);
        }
    }
}
