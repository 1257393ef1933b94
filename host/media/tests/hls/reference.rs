//! The rules of the module's documentation, written for reading: nothing is ever forgotten and everything is
//! derived from the beginning each time.

use std::collections::BTreeMap;

/// What a playlist should say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) target: u64,
    pub(crate) sequence: u64,
    pub(crate) discontinuity_sequence: u64,
    pub(crate) items: Vec<Row>,
    pub(crate) ended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) number: u64,
    pub(crate) millis: u64,
    pub(crate) discontinuity: bool,
    pub(crate) gap: bool,
    /// Milliseconds after the stream began.
    pub(crate) date: u64,
}

#[derive(Clone, Debug)]
struct Announced {
    since: u64,
    hard: u64,
    millis: u64,
    jump: bool,
    start: u64,
    attempts: usize,
    /// Which of the two renditions are there; None: awaited.
    good: Option<[bool; 2]>,
}

pub(crate) struct Reference {
    pub(crate) window: usize,
    pub(crate) keep: usize,
    pub(crate) in_flight: usize,
    pub(crate) reorder: u64,
    pub(crate) target: u64,
    announced: BTreeMap<u64, Announced>,
    /// The timeline: numbers in the order of their positions.
    placed: Vec<u64>,
    /// So many of them are listed in the renditions.
    settled: usize,
    ended: bool,
}

impl Reference {
    pub(crate) fn new(window: usize, keep: usize, in_flight: usize, reorder: u64) -> Self {
        Self {
            window,
            keep,
            in_flight,
            reorder,
            target: 2,
            announced: BTreeMap::new(),
            placed: Vec::new(),
            settled: 0,
            ended: false,
        }
    }

    /// Whether it is accepted.
    pub(crate) fn announce(&mut self, number: u64, millis: u64, jump: bool, now: u64) -> bool {
        if self.ended || self.has_passed(number) {
            return false;
        }
        let fresh = Announced {
            since: now,
            hard: now + 6000,
            millis,
            jump,
            start: now,
            attempts: 0,
            good: None,
        };
        let announced = self.announced.entry(number).or_insert(fresh);
        announced.attempts += 1;
        if announced.good == Some([false, false]) {
            announced.good = None;
            announced.attempts = 1;
        }
        self.advance(now);
        true
    }

    fn has_passed(&self, number: u64) -> bool {
        let listed = self.placed[..self.settled].contains(&number);
        let beyond = self.placed.last().is_some_and(|&last| number < last);
        listed || (beyond && !self.placed.contains(&number))
    }

    /// Whether it came in time.
    pub(crate) fn settle(&mut self, number: u64, good: [bool; 2], now: u64) -> bool {
        if self.has_passed(number) || !self.announced.contains_key(&number) {
            return false;
        }
        if let Some(announced) = self.announced.get_mut(&number)
            && announced.good.is_none_or(|good| good == [false, false])
        {
            if good != [false, false] {
                announced.good = Some(good);
            } else if announced.good.is_none() {
                announced.attempts -= 1;
                if announced.attempts == 0 {
                    announced.good = Some([false, false]);
                }
            }
        }
        self.advance(now);
        true
    }

    pub(crate) fn end(&mut self, now: u64) {
        self.ended = true;
        self.advance(now);
    }

    fn waiting(&self) -> Vec<u64> {
        let placed = |number: &&u64| !self.placed.contains(number);
        self.announced.keys().filter(placed).copied().collect()
    }

    pub(crate) fn advance(&mut self, now: u64) {
        loop {
            let waiting = self.waiting();
            let hurried = waiting.len() > self.in_flight;
            if let Some(number) = self.placed.get(self.settled) {
                let announced = self.announced.get_mut(number).expect("announced");
                if announced.good.is_none() && !hurried && now < announced.hard {
                    return;
                }
                announced.good.get_or_insert([false, false]);
                self.settled += 1;
                continue;
            }
            let Some(&next) = waiting.first() else {
                return;
            };
            let follows = next == self.placed.last().map_or(0, |last| last + 1);
            let since = |number| self.announced[number].since;
            let waited = waiting
                .iter()
                .any(|number| now - since(number) >= self.reorder);
            if !(follows || waited || hurried || self.ended) {
                return;
            }
            self.placed.push(next);
        }
    }

    fn item(&self, position: usize) -> &Announced {
        &self.announced[&self.placed[position]]
    }

    fn jumps(&self, position: usize) -> bool {
        self.item(position).jump || self.placed[position] != self.placed[position - 1] + 1
    }

    /// Of every position. It is tagged when time jumps there, or when the one before it ends a run of gaps without a
    /// tag.
    fn discontinuities(&self) -> Vec<bool> {
        let mut tags: Vec<bool> = vec![];
        for position in 0..self.placed.len() {
            let owed = |rendition: usize| {
                let gap = |at: &usize| self.item(*at).good.is_some_and(|good| !good[rendition]);
                let mut run = (0..position).rev().take_while(gap).peekable();
                run.peek().is_some() && !run.any(|at| tags[at])
            };
            let tag = position > 0 && (self.jumps(position) || owed(0) || owed(1));
            tags.push(tag);
        }
        tags
    }

    fn date(&self, position: usize) -> u64 {
        let start = self.item(position).start;
        if position == 0 {
            return start;
        }
        let end = self.date(position - 1) + self.item(position - 1).millis;
        if self.jumps(position) {
            end.max(start)
        } else {
            end
        }
    }

    /// Of the source (None) or a rendition.
    pub(crate) fn playlist(&self, rendition: Option<usize>) -> Option<Expected> {
        let end = rendition.map_or(self.placed.len(), |_| self.settled);
        if end == 0 {
            return None;
        }
        let millis = |range: std::ops::Range<usize>| -> u64 {
            range.map(|position| self.item(position).millis).sum()
        };
        let target = |placed: usize| {
            let seconds = |position| (self.item(position).millis + 500) / 1000;
            (0..placed).map(seconds).fold(self.target, u64::max)
        };
        let mut from = 0;
        for to in 1..=end {
            while to - from > self.window
                && (millis(from + 1..to) >= 3000 * target(to) || to - from >= self.keep)
            {
                from += 1;
            }
        }
        let tags = self.discontinuities();
        let row = |position: usize| Row {
            number: self.placed[position],
            millis: self.item(position).millis,
            discontinuity: tags[position],
            gap: rendition.is_some_and(|rendition| {
                let good = self.item(position).good;
                good.is_none_or(|good| !good[rendition])
            }),
            date: self.date(position),
        };
        Some(Expected {
            target: target(self.placed.len()),
            sequence: from as u64,
            discontinuity_sequence: tags[..from].iter().filter(|&&tag| tag).count() as u64,
            items: (from..end).map(row).collect(),
            ended: self.ended && self.settled == self.placed.len() && self.waiting().is_empty(),
        })
    }

    /// Numbers that can be fetched.
    pub(crate) fn kept(&self, rendition: Option<usize>) -> Vec<u64> {
        let end = rendition.map_or(self.placed.len(), |_| self.settled);
        let from = self.placed.len().saturating_sub(self.keep);
        let there = |position: &usize| {
            rendition.is_none_or(|rendition| {
                let good = self.item(*position).good;
                good.is_some_and(|good| good[rendition])
            })
        };
        (from.min(end)..end)
            .filter(there)
            .map(|position| self.placed[position])
            .collect()
    }

    /// The number of the last position.
    pub(crate) fn last(&self) -> Option<u64> {
        self.placed.last().copied()
    }
}
