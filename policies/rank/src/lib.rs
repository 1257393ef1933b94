//! Says which of the candidates that are left is best: a score of latency, history and stake.
//!
//! # Contract
//!
//! Scores every row, so that an operator's further stages can add to it. The incumbent is kept while it is in good standing:
//! not resting, recent results good, fast enough for live video. Equals are left in the order they came in, which the seed has
//! shuffled: that is what spreads streams over equals, and what makes every decision the same when it is asked again.
//!
//! An application's hints are followed: its list of orchestrators and its sort by price make an order; sorting by latency or throughput weighs
//! the score anew.
//!
//! A weight of 0 asks for no column.
#![deny(unsafe_code)]

mod incumbent;
mod weighted;
mod wishes;

use pointsman_sdk::Scoring;
use pointsman_sdk::prelude::*;

use incumbent::Incumbent;
use weighted::Weighted;
use wishes::Wishes;

/// The last stage of the default chain.
#[derive(Debug)]
pub struct Rank {
    weighted: Weighted,
    wishes: Option<Wishes>,
}

// === impl Rank ===

impl Policy for Rank {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let options = weighted::Options::read(settings);
        let incumbent = Incumbent::configure(settings, plan);
        Self {
            weighted: Weighted::configure(options, incumbent, plan),
            wishes: Wishes::configure(settings, plan),
        }
    }
}

impl Selection for Rank {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        let sort = self.wishes.as_ref().and_then(|wishes| wishes.sort(job));
        let scores = self.weighted.scores(sort, job, candidates);
        let wishes = self.wishes.as_ref();
        if let Some(order) = wishes.and_then(|wishes| wishes.order(candidates, &scores)) {
            return order;
        }
        Verdict::Score(Scoring {
            excluded: Vec::new(),
            scores,
        })
    }
}

export!(Rank, settings = "settings.schema.json");
