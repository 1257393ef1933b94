//! What one policy made of a decision, as far as reports go.

use std::collections::BTreeMap;
use std::sync::Arc;

use pointsman_facts::{Candidates, Column, Price, Symbol};

use crate::read::Rows;
use crate::verdict::Verdict;

/// One side of a comparison.
pub(super) struct Side {
    pub(super) first: Option<First>,
    pub(super) refused: Option<String>,
    pub(super) faulty: bool,
    /// By stage and cause.
    pub(super) excluded: BTreeMap<(Arc<str>, Arc<str>), u64>,
}

/// The first choice, with what was known of it then.
pub(super) struct First {
    pub(super) id: Symbol,
    pub(super) price: Option<Price>,
    /// Median of its answer times, ms.
    pub(super) latency: Option<f64>,
    /// Share of its attempts that failed.
    pub(super) failures: Option<f64>,
}

// === impl Side ===

impl Side {
    pub(super) fn of(verdict: &Verdict, candidates: &Rows) -> Self {
        let mut excluded = BTreeMap::new();
        for one in &verdict.excluded {
            let key = (Arc::clone(&one.stage), Arc::clone(&one.cause));
            *excluded.entry(key).or_default() += 1;
        }
        for (_, reason) in &verdict.dropped {
            *excluded
                .entry(("host".into(), Arc::clone(reason)))
                .or_default() += 1;
        }
        let first = verdict.order.first().map(|&row| {
            let success = candidates.number(&Column::SuccessRate, row);
            First {
                id: candidates.id(row as usize),
                price: candidates.price(row),
                latency: candidates.number(&Column::LatencyP50, row),
                failures: success.map(|share| 1.0 - share),
            }
        });
        Self {
            first,
            refused: verdict
                .refusal
                .as_ref()
                .map(|refusal| refusal.cause.clone()),
            faulty: verdict.fault.is_some(),
            excluded,
        }
    }
}
