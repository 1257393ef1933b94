//! What the application would rather have: its list of orchestrators, or what it sorts by.
//!
//! The list goes before all, then the price where that is what counts. Those are orders, since no score of latency and history may outweigh
//! them; among equals the score decides, and with it the stream's own orchestrator. Latency and throughput only weigh
//! the score anew, or a stream would change its orchestrator for every millisecond.

use pointsman_sdk::prelude::*;
use pointsman_sdk::symbol;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Wishes {
    place: Counts,
    sort: JobFact,
}

/// What the application sorts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Price,
    Latency,
    Throughput,
}

// === impl Wishes ===

impl Wishes {
    /// `None`: the operator lets nobody wish.
    pub(crate) fn configure(settings: &mut Settings, plan: &mut Plan) -> Option<Self> {
        settings.flag("hints", true).then(|| Self {
            place: plan.counts("hint/place"),
            sort: plan.fact("hint/sort"),
        })
    }

    pub(crate) fn sort(&self, job: &Job) -> Option<Sort> {
        const PRICE: Symbol = symbol("price");
        const LATENCY: Symbol = symbol("latency");
        const THROUGHPUT: Symbol = symbol("throughput");
        match job.symbol(self.sort)? {
            PRICE => Some(Sort::Price),
            LATENCY => Some(Sort::Latency),
            THROUGHPUT => Some(Sort::Throughput),
            _ => None,
        }
    }

    /// The order that is wished for, if one is.
    pub(crate) fn order(&self, candidates: &Candidates, scores: &[f64]) -> Option<Verdict> {
        let places = candidates.counts(self.place);
        // It is known of all or of none.
        if places.first().is_none_or(|&place| place == u64::MAX) {
            return None;
        }
        Some(candidates.order_by(|row| (row.get(self.place), -scores[row.index() as usize])))
    }
}
