//! History as columns, one set for every kind of work.

use pointsman_facts::failure::Class;
use pointsman_facts::{Column, Symbol, Values};

use crate::history::{History, Key, Stats, Work};

/// The statistics of one kind of work, in the order of a snapshot's rows.
#[derive(Clone, Debug)]
pub(crate) struct PastColumns {
    /// When all of it was last computed, unix ms. Attempts are forgotten with time, so it has to be, now and then.
    pub(crate) computed_ms: u64,
    p50: Vec<f64>,
    p95: Vec<f64>,
    score: Vec<f64>,
    pub(crate) success: Vec<f64>,
    samples: Vec<u64>,
    errors: [Vec<f64>; Class::ALL.len()],
}

// === impl PastColumns ===

impl PastColumns {
    /// The columns of work nobody has done.
    pub(crate) fn blank(rows: usize) -> Self {
        let unknown = || vec![f64::NAN; rows];
        Self {
            computed_ms: 0,
            p50: unknown(),
            p95: unknown(),
            score: unknown(),
            success: unknown(),
            samples: vec![0; rows],
            errors: std::array::from_fn(|_| unknown()),
        }
    }

    /// The columns of `work` as of `now_ms`, for rows with these identities.
    pub(crate) fn of(history: &History, work: Work, ids: &[u64], now_ms: u64) -> Self {
        let mut columns = Self::blank(ids.len());
        columns.computed_ms = now_ms;
        for (row, &id) in ids.iter().enumerate() {
            let orchestrator = Symbol(id);
            if let Some(stats) = history.stats(Key { orchestrator, work }, now_ms) {
                columns.set(row, &stats);
            }
        }
        columns
    }

    pub(crate) fn set(&mut self, row: usize, stats: &Stats) {
        self.p50[row] = stats.p50;
        self.p95[row] = stats.p95;
        self.score[row] = stats.score;
        self.success[row] = stats.success;
        self.samples[row] = stats.samples;
        for (column, &share) in self.errors.iter_mut().zip(&stats.errors) {
            column[row] = share;
        }
    }

    /// The column, if it is one of history.
    pub(crate) fn values(&self, column: &Column) -> Option<Values<'_>> {
        let numbers = match column {
            Column::LatencyP50 => &self.p50,
            Column::LatencyP95 => &self.p95,
            Column::LatencyScore => &self.score,
            Column::SuccessRate => &self.success,
            Column::Samples => return Some(Values::Counts((&*self.samples).into())),
            Column::ErrorRate(class) => {
                &self.errors[Class::ALL.iter().position(|known| known == class)?]
            }
            _ => return None,
        };
        Some(Values::Numbers((&**numbers).into()))
    }
}
