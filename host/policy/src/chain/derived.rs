//! Columns that the chain makes from others and from the job's hints, for the rows that a stage is shown.
//!
//! They say nothing new. But a column costs a copy of every row and a call into the component, and most jobs have no hints: so what an
//! application bars stands in one column beside what the host bars, and what it wishes for in one that is copied from a constant while
//! it wishes for nothing. Recordings hold what these are made from, so a replay makes the same.

use pointsman_facts::hints::Sort;
use pointsman_facts::values::{NO, UNKNOWN_COUNT, YES};
use pointsman_facts::{Column, Values};

use super::gather::Base;
use crate::plan::place;

/// The column `fit/why`: places of what it is made from in the chain's list of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Why {
    fit: usize,
    answers: usize,
    only: usize,
    ignore: usize,
}

/// The column `hint/place`, likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    order: usize,
    price: usize,
}

/// It may do the job.
const MAY: u64 = 0;
const CANNOT: u64 = 1;
const SILENT: u64 = 2;
const IGNORED: u64 = 3;
const NOT_ONLY: u64 = 4;

/// By the mark `fit`, and whether it answers.
const BY_FIT: [[u64; 2]; 3] = [[SILENT, CANNOT], [MAY, MAY], [UNKNOWN_COUNT, UNKNOWN_COUNT]];

// === impl Why ===

impl Why {
    pub(crate) fn new(columns: &mut Vec<Column>) -> Self {
        Self {
            fit: place(Column::Fit, columns),
            answers: place(Column::Answers, columns),
            only: place(Column::HintOnly, columns),
            ignore: place(Column::HintIgnore, columns),
        }
    }

    /// The column of `rows`.
    pub(crate) fn gather(self, base: &mut Base<'_>, rows: &[u32], into: &mut Vec<u64>) {
        base.fetch(self.fit);
        base.fetch(self.answers);
        let (fit, answers) = (base.marks(self.fit), base.marks(self.answers));
        into.clear();
        into.extend(rows.iter().map(|&row| {
            let row = row as usize;
            BY_FIT[usize::from(fit[row].min(2))][usize::from(answers[row] != NO)]
        }));
        let hints = base.hints();
        if !hints.ignore.is_empty() {
            base.fetch(self.ignore);
            bar(into, rows, base.marks(self.ignore), YES, IGNORED);
        }
        if hints.only.is_some() {
            base.fetch(self.only);
            bar(into, rows, base.marks(self.only), NO, NOT_ONLY);
        }
    }
}

/// Bars those who may and have that mark.
fn bar(why: &mut [u64], rows: &[u32], marks: &[u8], mark: u8, cause: u64) {
    for (why, &row) in why.iter_mut().zip(rows) {
        if *why == MAY && marks[row as usize] == mark {
            *why = cause;
        }
    }
}

// === impl Wish ===

impl Wish {
    pub(crate) fn new(columns: &mut Vec<Column>) -> Self {
        Self {
            order: place(Column::HintOrder, columns),
            price: place(Column::Price, columns),
        }
    }

    /// The column of `rows`, all known; `false`, and nothing is gathered, where the application wishes for no order of these.
    pub(crate) fn gather(self, base: &mut Base<'_>, rows: &[u32], into: &mut Vec<u64>) -> bool {
        let hints = base.hints();
        let (listed, by_price) = (!hints.order.is_empty(), hints.sort == Some(Sort::Price));
        if !listed && !by_price {
            return false;
        }
        let mut least = |place: usize, asked: bool| -> Vec<f64> {
            if !asked {
                return vec![0.0; rows.len()];
            }
            let values = base.values(place);
            let known = |&row: &u32| match values {
                Values::Numbers(values) if !values[row as usize].is_nan() => values[row as usize],
                // Whoever is not on the list, or has no price, comes last.
                _ => f64::INFINITY,
            };
            rows.iter().map(known).collect()
        };
        let (order, price) = (least(self.order, listed), least(self.price, by_price));
        if !by_price && order.iter().all(|place| place.is_infinite()) {
            return false;
        }
        let before = |&a: &usize, &b: &usize| {
            let by_order = order[a].total_cmp(&order[b]);
            by_order.then_with(|| price[a].total_cmp(&price[b]))
        };
        let mut places: Vec<usize> = (0..rows.len()).collect();
        places.sort_by(before);
        into.clear();
        into.resize(rows.len(), 0);
        let mut rank = 0;
        for pair in places.windows(2) {
            rank += u64::from(before(&pair[0], &pair[1]).is_lt());
            into[pair[1]] = rank;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use pointsman_facts::{Candidates, Hints, Symbol};

    use super::*;

    struct Five;

    impl Candidates for Five {
        fn snapshot(&self) -> u64 {
            1
        }

        fn rows(&self) -> usize {
            5
        }

        fn id(&self, row: usize) -> Symbol {
            Symbol(row as u64)
        }

        fn values(&self, column: &Column) -> Values<'_> {
            match column {
                Column::Fit => Values::Marks(vec![1, 1, 0, 0, 2].into()),
                Column::Answers => Values::Marks(vec![1, 2, 1, 0, 2].into()),
                Column::HintOnly => Values::Marks(vec![1, 0, 0, 1, 1].into()),
                Column::HintIgnore => Values::Marks(vec![1, 1, 0, 1, 1].into()),
                Column::HintOrder => {
                    Values::Numbers(vec![f64::NAN, 1.0, f64::NAN, 0.0, f64::NAN].into())
                }
                Column::Price => Values::Numbers(vec![2.0, 9.0, 2.0, f64::NAN, 1.0].into()),
                other => Values::unknown(other.kind(), 5),
            }
        }
    }

    fn why(hints: &Hints) -> Vec<u64> {
        let mut columns = Vec::new();
        let (why, mut found) = (Why::new(&mut columns), Vec::new());
        why.gather(
            &mut Base::new(&Five, &columns, hints),
            &[4, 3, 2, 1, 0],
            &mut found,
        );
        found
    }

    fn place_among(hints: &Hints, rows: &[u32]) -> Option<Vec<u64>> {
        let mut columns = Vec::new();
        let (wish, mut found) = (Wish::new(&mut columns), Vec::new());
        let mut base = Base::new(&Five, &columns, hints);
        wish.gather(&mut base, rows, &mut found).then_some(found)
    }

    fn place_of(hints: &Hints) -> Option<Vec<u64>> {
        place_among(hints, &[0, 1, 2, 3, 4])
    }

    #[test]
    fn who_may_is_told_from_who_cannot_and_from_whom_the_application_bars() {
        let fit = [UNKNOWN_COUNT, SILENT, CANNOT];
        let none = Hints::default();
        assert_eq!(why(&none), [&fit[..], &[MAY, MAY]].concat());
        let only = Hints {
            only: Some(vec![Symbol(0)]),
            ..Hints::default()
        };
        assert_eq!(why(&only), [&fit[..], &[NOT_ONLY, MAY]].concat());
        let both = Hints {
            ignore: vec![Symbol(1)],
            ..only
        };
        assert_eq!(why(&both), [&fit[..], &[IGNORED, IGNORED]].concat());
    }

    #[test]
    fn a_place_is_that_of_the_list_and_then_of_the_price_and_equals_share_it() {
        assert_eq!(place_of(&Hints::default()), None);
        let listed = Hints {
            order: vec![Symbol(3), Symbol(1)],
            ..Hints::default()
        };
        assert_eq!(place_of(&listed), Some(vec![2, 1, 2, 0, 2]));
        assert_eq!(place_among(&listed, &[0, 2]), None, "none of its list");
        let cheapest = Hints {
            sort: Some(Sort::Price),
            ..Hints::default()
        };
        assert_eq!(place_of(&cheapest), Some(vec![1, 2, 1, 3, 0]));
        let both = Hints {
            sort: Some(Sort::Price),
            ..listed
        };
        assert_eq!(place_of(&both), Some(vec![3, 1, 3, 0, 2]));
        let quickest = Hints {
            sort: Some(Sort::Latency),
            ..Hints::default()
        };
        assert_eq!(place_of(&quickest), None);
    }
}
