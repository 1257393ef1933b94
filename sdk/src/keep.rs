//! From candidates to a verdict.

use core::cmp::Ordering;

use crate::{
    Because, Candidates, Cause, Exclusion, Ranking, Refusal, Row, Scoring, SortKey, Verdict,
};

/// The candidates that are still in, and why the others are not.
#[derive(Clone, Debug)]
pub struct Kept<'a> {
    candidates: &'a Candidates,
    rows: Vec<u32>,
    excluded: Vec<Exclusion>,
}

// === impl Candidates ===

impl Candidates {
    /// Keeps those that pass `test`; the others are excluded by `cause`.
    pub fn keep(&self, test: impl FnMut(Row<'_>) -> bool, cause: Cause) -> Kept<'_> {
        self.all().keep(test, cause)
    }

    /// Excludes those for which `cause` names one: a [`Cause`], or one with its number ([`Cause::value`]).
    pub fn exclude<B: Into<Because>>(&self, cause: impl FnMut(Row<'_>) -> Option<B>) -> Kept<'_> {
        self.all().exclude(cause)
    }

    /// Orders all, least key first; see [`SortKey`].
    pub fn order_by<K: SortKey>(&self, key: impl FnMut(Row<'_>) -> K) -> Verdict {
        self.all().order_by(key)
    }

    /// Scores all: 1 is best, 0 worst.
    pub fn score(&self, score: impl FnMut(Row<'_>) -> f64) -> Verdict {
        self.all().score(score)
    }

    pub(crate) fn all(&self) -> Kept<'_> {
        Kept {
            candidates: self,
            rows: (0..self.len()).collect(),
            excluded: Vec::new(),
        }
    }
}

// === impl Kept ===

impl Kept<'_> {
    /// Keeps, of those still in, the ones that pass `test`.
    #[must_use]
    pub fn keep(self, mut test: impl FnMut(Row<'_>) -> bool, cause: Cause) -> Self {
        self.exclude(|row| (!test(row)).then_some(cause))
    }

    /// Excludes, of those still in, the ones for which `cause` names one.
    #[must_use]
    pub fn exclude<B: Into<Because>>(
        mut self,
        mut cause: impl FnMut(Row<'_>) -> Option<B>,
    ) -> Self {
        let (candidates, excluded) = (self.candidates, &mut self.excluded);
        self.rows.retain(|&row| match cause(candidates.row(row)) {
            None => true,
            Some(because) => {
                excluded.push(because.into().at(row));
                false
            }
        });
        self
    }

    /// The rows still in.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Orders those still in, least key first. Equal keys keep their order, which the seed has shuffled: so equals share the work.
    #[must_use]
    pub fn order_by<K: SortKey>(self, mut key: impl FnMut(Row<'_>) -> K) -> Verdict {
        let keys = self.each(|row| key(row).key());
        self.ordered(&sorted(&keys))
    }

    /// What `of` says of each row still in.
    pub(crate) fn each<T>(&self, mut of: impl FnMut(Row<'_>) -> T) -> Vec<T> {
        let rows = self.rows.iter();
        rows.map(|&row| of(self.candidates.row(row))).collect()
    }

    /// Those still in, in this order of their places.
    pub(crate) fn ordered(self, places: &[u32]) -> Verdict {
        let order = places.iter().map(|&place| self.rows[place as usize]);
        Verdict::Order(Ranking {
            order: order.collect(),
            excluded: self.excluded,
        })
    }

    /// Scores those still in: 1 is best, 0 worst. Anything outside is brought to the nearer end; NaN counts as 0.
    #[must_use]
    pub fn score(self, mut score: impl FnMut(Row<'_>) -> f64) -> Verdict {
        let mut scores = vec![0.0; self.candidates.len() as usize];
        for &row in &self.rows {
            let given = score(self.candidates.row(row));
            scores[row as usize] = if given > 0.0 { given.min(1.0) } else { 0.0 };
        }
        Verdict::Score(Scoring {
            excluded: self.excluded,
            scores,
        })
    }

    /// Only excludes: those still in keep their order.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        Verdict::Exclude(self.excluded)
    }
}

/// The places of `keys`, least first; equal ones in order.
pub(crate) fn sorted<K: Ord>(keys: &[K]) -> Vec<u32> {
    // Places and not keys are moved: the sort's code grows with what it moves, and keys are often large.
    let mut places: Vec<u32> = (0..keys.len() as u32).collect();
    places.sort_unstable_by(|&a, &b| before(keys, a, b));
    places
}

/// By key, then by place. Not inlined: the sort compares in a dozen places.
#[inline(never)]
fn before<K: Ord>(keys: &[K], a: u32, b: u32) -> Ordering {
    keys[a as usize].cmp(&keys[b as usize]).then(a.cmp(&b))
}

impl From<Kept<'_>> for Verdict {
    fn from(kept: Kept<'_>) -> Self {
        kept.verdict()
    }
}

// === impl Because ===

impl Because {
    /// The exclusion of `row` for this.
    #[must_use]
    pub fn at(self, row: u32) -> Exclusion {
        Exclusion {
            row,
            reason: self.cause.0,
            value: self.value,
        }
    }
}

impl Cause {
    /// The exclusion of `row` for this.
    #[must_use]
    pub fn at(self, row: u32) -> Exclusion {
        Because::from(self).at(row)
    }

    /// No orchestrator will do, or none more: the application gets `status` (400 to 599) and `message`.
    #[must_use]
    pub fn refuse(self, status: u16, message: &str) -> Refusal {
        Refusal {
            status,
            reason: self.0,
            message: message.to_owned(),
        }
    }
}
