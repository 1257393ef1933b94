//! Columns for a stage: asked of the candidates once, gathered in the order of the rows that are left.
//!
//! The candidates' values stand in the directory's row order; a stage sees the shuffled survivors. So each column is
//! copied once per set of survivors, into buffers that the thread keeps, and crosses into the component as one more copy.
//! Stages that see the same survivors share the gathered column.

use std::cell::Cell;

use pointsman_facts::values::{UNKNOWN_COUNT, UNKNOWN_MARK};
use pointsman_facts::{Candidates, Column, Hints, Kind, Symbol, Values};
use smallvec::SmallVec;

use super::merge::Sorting;
use crate::plan::{Resolved, Source};
use crate::wit;

/// The candidates of one decision, each column fetched when it is first needed.
pub(crate) struct Base<'c> {
    candidates: &'c dyn Candidates,
    columns: &'c [Column],
    hints: &'c Hints,
    fetched: SmallVec<[Option<Values<'c>>; 24]>,
    rows: usize,
}

/// What a stage is shown: rows of the candidates, and what the chain knows of them.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) rows: &'a [u32],
    /// The scores so far; `None` where there is no such thing.
    pub(crate) sums: Option<&'a [f64]>,
    /// Whether `rows` is an order that somebody gave.
    pub(crate) ordered: bool,
}

/// Columns as a stage is given them, mostly a few.
pub(crate) type Columns<'a> = SmallVec<[wit::Column<'a>; 16]>;

/// Buffers of one thread.
#[derive(Default)]
pub(crate) struct Scratch {
    /// By place in the chain's columns.
    slots: Vec<Slot>,
    /// Which survivors the slots hold; never the same twice.
    stamp: u64,
    nans: Vec<f64>,
    sums: Vec<f64>,
    places: Vec<u64>,
    /// `fit/why`, and which survivors it is of.
    why: (u64, Vec<u64>),
    /// `hint/place`, where there is one.
    wish: (bool, Vec<u64>),
    /// Counts that nobody knows.
    unknown: Vec<u64>,
    pub(super) sorting: Sorting,
}

#[derive(Default)]
struct Slot {
    stamp: u64,
    kind: Option<Kind>,
    numbers: Vec<f64>,
    /// Counts and symbols.
    counts: Vec<u64>,
    marks: Vec<u8>,
}

// === impl Base ===

impl<'c> Base<'c> {
    pub(crate) fn new(
        candidates: &'c dyn Candidates,
        columns: &'c [Column],
        hints: &'c Hints,
    ) -> Self {
        Self {
            candidates,
            columns,
            hints,
            fetched: columns.iter().map(|_| None).collect(),
            rows: candidates.rows(),
        }
    }

    /// The identity of `row`.
    pub(crate) fn id(&self, row: usize) -> Symbol {
        self.candidates.id(row)
    }

    /// What the application wants.
    pub(crate) fn hints(&self) -> &'c Hints {
        self.hints
    }

    /// Makes sure of the column at `place`, for [`Base::marks`].
    pub(crate) fn fetch(&mut self, place: usize) {
        self.values(place);
    }

    /// The marks at `place`, which were fetched.
    pub(crate) fn marks(&self, place: usize) -> &[u8] {
        match &self.fetched[place] {
            Some(Values::Marks(marks)) => marks,
            _ => &[],
        }
    }

    /// The values of the column at `place`.
    pub(crate) fn values(&mut self, place: usize) -> &Values<'c> {
        let Self {
            candidates,
            columns,
            fetched,
            rows,
            ..
        } = self;
        fetched[place].get_or_insert_with(|| {
            let column = &columns[place];
            let values = candidates.values(column);
            if values.len() == *rows && values.kind() == column.kind() {
                return values;
            }
            // A fault of the directory, not of the policy; rows must not shift because of it.
            tracing::error!(%column, "the directory gave a column of the wrong length or kind");
            Values::unknown(column.kind(), *rows)
        })
    }
}

// === impl Scratch ===

impl Scratch {
    /// Runs `work` with this thread's buffers.
    pub(crate) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        thread_local! {
            static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
        }
        let mut scratch = SCRATCH.take().unwrap_or_default();
        let result = work(&mut scratch);
        SCRATCH.set(Some(scratch));
        result
    }

    /// The rows changed: nothing gathered so far holds.
    pub(crate) fn renew(&mut self) {
        self.stamp += 1;
    }

    /// Gathers what `plan` asks for.
    pub(crate) fn fill(&mut self, plan: &Resolved, base: &mut Base<'_>, view: View<'_>) {
        if self.slots.len() < base.columns.len() {
            self.slots.resize_with(base.columns.len(), Slot::default);
        }
        let count = view.rows.len();
        for source in &plan.sources {
            match *source {
                Source::Fact(place) => {
                    let slot = &mut self.slots[place];
                    if slot.stamp != self.stamp {
                        slot.stamp = self.stamp;
                        slot.gather(base.values(place), view.rows);
                    }
                }
                Source::Why(of) => {
                    let (stamp, why) = &mut self.why;
                    if *stamp != self.stamp {
                        *stamp = self.stamp;
                        of.gather(base, view.rows, why);
                    }
                }
                Source::Wish(of) => {
                    let (wished, places) = &mut self.wish;
                    *wished = of.gather(base, view.rows, places);
                    if !*wished && self.unknown.len() < count {
                        self.unknown.resize(count, UNKNOWN_COUNT);
                    }
                }
                Source::Position => {
                    self.places.clear();
                    if view.ordered {
                        self.places.extend(0..count as u64);
                    } else {
                        self.places.resize(count, UNKNOWN_COUNT);
                    }
                }
                Source::ScoreSum => {
                    self.sums.clear();
                    match view.sums {
                        Some(sums) => self.sums.extend_from_slice(sums),
                        None => self.sums.resize(count, f64::NAN),
                    }
                }
                Source::Unknown => {
                    if self.nans.len() < count {
                        self.nans.resize(count, f64::NAN);
                    }
                }
            }
        }
    }

    /// The columns that [`Scratch::fill`] gathered last, for the same `plan` and its `count` rows.
    pub(crate) fn columns(&self, plan: &Resolved, count: usize) -> Columns<'_> {
        plan.sources
            .iter()
            .map(|source| match *source {
                Source::Fact(place) => self.slots[place].column(),
                Source::Position => wit::Column::Counts(&self.places),
                Source::Why(_) => wit::Column::Counts(&self.why.1),
                Source::Wish(_) if self.wish.0 => wit::Column::Counts(&self.wish.1),
                Source::Wish(_) => wit::Column::Counts(&self.unknown[..count]),
                Source::ScoreSum => wit::Column::Numbers(&self.sums),
                Source::Unknown => wit::Column::Numbers(&self.nans[..count]),
            })
            .collect()
    }
}

// === impl Slot ===

impl Slot {
    fn gather(&mut self, values: &Values<'_>, rows: &[u32]) {
        fn pick<T: Copy>(into: &mut Vec<T>, from: &[T], rows: &[u32]) {
            into.clear();
            into.extend(rows.iter().map(|&row| from[row as usize]));
        }
        self.kind = Some(values.kind());
        match values {
            Values::Numbers(values) => pick(&mut self.numbers, values, rows),
            Values::Counts(values) | Values::Symbols(values) => {
                pick(&mut self.counts, values, rows);
            }
            Values::Marks(values) => pick(&mut self.marks, values, rows),
        }
    }

    fn column(&self) -> wit::Column<'_> {
        match self.kind {
            Some(Kind::Counts) => wit::Column::Counts(&self.counts),
            Some(Kind::Symbols) => wit::Column::Symbols(&self.counts),
            Some(Kind::Marks) => wit::Column::Marks(&self.marks),
            Some(Kind::Numbers) | None => wit::Column::Numbers(&self.numbers),
        }
    }
}

/// The value at `position` of a column as it stands, to be shown later: see [`shown`].
pub(crate) fn bits(column: &wit::Column<'_>, position: usize) -> u64 {
    let bits = match column {
        wit::Column::Numbers(values) => values.get(position).map(|value| value.to_bits()),
        wit::Column::Counts(values) | wit::Column::Symbols(values) => values.get(position).copied(),
        wit::Column::Marks(values) => values.get(position).map(|&mark| mark.into()),
    };
    bits.unwrap_or(UNKNOWN_COUNT)
}

/// A value kept by [`bits`], typed again.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Shown {
    /// Unknown.
    Unknown,
    /// Of a column of numbers.
    Number(f64),
    /// Of a column of counts.
    Count(u64),
    /// Of a column of marks.
    Mark(bool),
    /// Of a column of symbols.
    Symbol(#[serde(serialize_with = "crate::decision::hexadecimal")] u64),
}

/// What `bits` of a column of `kind` mean.
pub(crate) fn shown(kind: Kind, bits: u64) -> Shown {
    match kind {
        Kind::Numbers => match f64::from_bits(bits) {
            value if value.is_nan() => Shown::Unknown,
            value => Shown::Number(value),
        },
        Kind::Counts if bits == UNKNOWN_COUNT => Shown::Unknown,
        Kind::Counts => Shown::Count(bits),
        Kind::Marks if bits < UNKNOWN_MARK.into() => Shown::Mark(bits == 1),
        Kind::Symbols if bits != 0 => Shown::Symbol(bits),
        Kind::Marks | Kind::Symbols => Shown::Unknown,
    }
}
