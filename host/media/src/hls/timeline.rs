//! The positions of a stream: what is listed in every playlist, what is kept, and where time is not continuous.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use super::numbering::STRAGGLERS;
use super::outcome::Outcome;
use super::waiting::Announced;
use super::{Config, Number, RenditionSegment};

/// One position.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) number: Number,
    pub(super) source: Bytes,
    pub(super) renditions: Renditions,
    pub(super) millis: u64,
    /// Wall clock of the first frame.
    pub(super) date: SystemTime,
    /// Tagged as a discontinuity.
    pub(super) discontinuity: bool,
    /// Discontinuity sequence number: the tags up to and with this position's.
    pub(super) discontinuities: u64,
    hard: Instant,
    /// Of the source and the renditions that are listed.
    bytes: usize,
}

/// The renditions of a position.
#[derive(Debug)]
pub(super) enum Renditions {
    Awaited(Outcome),
    /// One per configured rendition; None is a gap.
    Listed(Vec<Option<Bytes>>),
}

/// Positions `from..to` of a playlist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// All positions that are kept.
#[derive(Debug)]
pub(super) struct Timeline {
    /// At most `keep`, numbers rising.
    items: VecDeque<Item>,
    /// Of all of them.
    bytes: usize,
    /// The position of the first of them.
    first: u64,
    source: Listed,
    /// All renditions share it. Ends where the source does or one position before.
    renditions: Listed,
    /// Seconds; never falls.
    target: u64,
    window: usize,
    keep: usize,
    discontinuities: u64,
    /// The next position must carry a discontinuity, because a gap was listed.
    owed: bool,
    /// Of each rendition: a discontinuity has been listed, or is owed, since its last good segment.
    marked: Vec<bool>,
}

/// Where a number stands that is announced.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Beyond the timeline.
    Ahead,
    /// It has this position, with the same bytes, and its renditions are still awaited.
    Awaited,
    /// It has its position, with the same bytes, or its turn has passed.
    Passed,
    /// Other bytes have its position, or it is too far back for a straggler.
    Anew,
}

// === impl Timeline ===

impl Timeline {
    pub(super) fn new(config: &Config) -> Self {
        let target = millis(config.target_duration).div_ceil(1000).max(1);
        Self {
            items: VecDeque::with_capacity(config.keep + 1),
            bytes: 0,
            first: 0,
            source: Listed::default(),
            renditions: Listed::default(),
            target,
            window: config.window,
            keep: config.keep,
            discontinuities: 0,
            owed: false,
            marked: vec![false; config.renditions.len()],
        }
    }

    pub(super) fn target(&self) -> u64 {
        self.target
    }

    pub(super) fn source(&self) -> Listed {
        self.source
    }

    pub(super) fn renditions(&self) -> Listed {
        self.renditions
    }

    /// Nothing that has a position awaits its renditions.
    pub(super) fn is_even(&self) -> bool {
        self.renditions.to == self.source.to
    }

    pub(super) fn last(&self) -> Option<Number> {
        self.items.back().map(|item| item.number)
    }

    /// The items of a playlist, oldest first.
    pub(super) fn items(&self, listed: Listed) -> impl Iterator<Item = &Item> {
        let index = |position: u64| (position - self.first) as usize;
        self.items.range(index(listed.from)..index(listed.to))
    }

    pub(super) fn find(&self, number: Number) -> Option<&Item> {
        let index = self
            .items
            .binary_search_by_key(&number, |item| item.number)
            .ok()?;
        self.items.get(index)
    }

    pub(super) fn standing(&self, number: Number, bytes: &Bytes) -> Standing {
        let (Some(oldest), Some(newest)) = (self.items.front(), self.items.back()) else {
            return Standing::Ahead;
        };
        if number > newest.number {
            return Standing::Ahead;
        }
        match self.find(number) {
            Some(item) if item.source != *bytes => Standing::Anew,
            Some(item) => match item.renditions {
                Renditions::Awaited(_) => Standing::Awaited,
                Renditions::Listed(_) => Standing::Passed,
            },
            None if number > oldest.number => Standing::Passed,
            None if newest.number.0 - number.0 <= STRAGGLERS => Standing::Passed,
            None => Standing::Anew,
        }
    }

    /// The outcome of a number that has a position, while its renditions are awaited.
    pub(super) fn outcome(&mut self, number: Number) -> Option<&mut Outcome> {
        let item = self.items.back_mut()?;
        match &mut item.renditions {
            Renditions::Awaited(outcome) if item.number == number => Some(outcome),
            _ => None,
        }
    }

    /// When the renditions that are awaited become gaps.
    pub(super) fn hard(&self) -> Option<Instant> {
        let item = self.items.back()?;
        matches!(item.renditions, Renditions::Awaited(_)).then_some(item.hard)
    }

    /// Lists the next position in the source playlist. Only while [`Timeline::is_even`].
    pub(super) fn place(&mut self, number: Number, announced: Announced, begins: bool) {
        let segment = announced.segment;
        let last = self.items.back();
        let jump = segment.discontinuity
            || begins
            || last.is_some_and(|last| last.number.0.checked_add(1) != Some(number.0));
        let discontinuity = last.is_some() && (jump || self.owed);
        let start = within_calendar(segment.start);
        let date = match last.map(Item::end) {
            None => start,
            Some(end) if jump => end.max(start),
            Some(end) => end,
        };
        self.owed = false;
        self.discontinuities += u64::from(discontinuity);
        let millis = millis(segment.duration);
        self.target = self.target.max((millis + 500) / 1000);
        let bytes = segment.bytes.len();
        self.bytes += bytes;
        self.items.push_back(Item {
            bytes,
            number,
            source: segment.bytes,
            renditions: Renditions::Awaited(announced.outcome),
            millis,
            date,
            discontinuity,
            discontinuities: self.discontinuities,
            hard: announced.hard,
        });
        self.source.to += 1;
        self.source = self.slid(self.source);
        if self.items.len() > self.keep {
            self.drop_first();
        }
    }

    /// Lets the oldest positions go, listed or not, while all of them have more than `most` bytes. What every playlist ends with stays.
    /// Returns how many went.
    pub(super) fn shrink(&mut self, most: usize) -> u64 {
        let awaited = self
            .items
            .back()
            .is_some_and(|item| matches!(item.renditions, Renditions::Awaited(_)));
        let least = if awaited { 2 } else { 1 };
        let before = self.first;
        while self.bytes > most && self.items.len() > least {
            self.drop_first();
        }
        for listed in [&mut self.source, &mut self.renditions] {
            listed.from = listed.from.max(self.first);
        }
        self.first - before
    }

    fn drop_first(&mut self) {
        if let Some(item) = self.items.pop_front() {
            self.bytes -= item.bytes;
            self.first += 1;
        }
    }

    /// Lists the awaited position in the rendition playlists, with gaps for what is missing, when it is settled, its
    /// deadline has passed, or `now` is None. Returns its duration in milliseconds and its renditions.
    pub(super) fn settle(
        &mut self,
        now: Option<Instant>,
    ) -> Option<(u64, Vec<Option<RenditionSegment>>)> {
        let wanted = self.marked.len();
        let item = self.items.back_mut()?;
        let Renditions::Awaited(outcome) = &mut item.renditions else {
            return None;
        };
        let expired = now.is_none_or(|now| now >= item.hard);
        if !(outcome.is_settled() || expired || wanted == 0) {
            return None;
        }
        let renditions = std::mem::replace(outcome, Outcome::Failed).into_renditions(wanted);
        for (rendition, marked) in renditions.iter().zip(&mut self.marked) {
            *marked |= item.discontinuity;
            self.owed |= rendition.is_none() && !*marked;
            *marked = rendition.is_none();
        }
        let bytes =
            |rendition: &Option<RenditionSegment>| rendition.as_ref().map(|r| r.bytes.clone());
        item.renditions = Renditions::Listed(renditions.iter().map(bytes).collect());
        let more: usize = renditions.iter().flatten().map(|r| r.bytes.len()).sum();
        item.bytes += more;
        self.bytes += more;
        let millis = item.millis;
        self.renditions.to += 1;
        self.renditions = self.slid(self.renditions);
        Some((millis, renditions))
    }

    /// Removes positions beyond the window from a playlist, as long as three target durations stay; and whatever
    /// memory does not hold.
    fn slid(&self, mut listed: Listed) -> Listed {
        let mut total: u64 = self.items(listed).map(|item| item.millis).sum();
        while listed.len() > self.window {
            let first = self.items(listed).next().map_or(0, |item| item.millis);
            if total - first < 3 * 1000 * self.target && listed.len() < self.keep {
                break;
            }
            total -= first;
            listed.from += 1;
        }
        listed
    }
}

// === impl Listed ===

impl Listed {
    fn len(self) -> usize {
        (self.to - self.from) as usize
    }
}

// === impl Item ===

impl Item {
    fn end(&self) -> SystemTime {
        let end = self.date.checked_add(Duration::from_millis(self.millis));
        within_calendar(end.unwrap_or(self.date))
    }
}

/// Rounded to milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from((duration.as_micros() + 500) / 1000).unwrap_or(u64::MAX / 1_000_000)
}

/// Dates that have four digits in their year, as RFC 3339 wants.
fn within_calendar(date: SystemTime) -> SystemTime {
    let latest = SystemTime::UNIX_EPOCH + Duration::from_secs(253_000_000_000);
    date.clamp(SystemTime::UNIX_EPOCH, latest)
}
