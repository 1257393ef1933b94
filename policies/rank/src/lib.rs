//! Says which of the candidates that are left is best: a score of latency, history and stake.
//!
//! # Contract
//!
//! Scores every row, so that an operator's further stages can add to it. The incumbent is kept while it is in good standing:
//! not resting, recent results good, fast enough for live video. Equals are left in the order they came in, which the seed has
//! shuffled: that is what spreads streams over equals, and what makes every decision the same when it is asked again.
//!
//! A weight of 0 asks for no column.
#![deny(unsafe_code)]

mod incumbent;
mod weighted;

use pointsman_sdk::prelude::*;

use incumbent::Incumbent;
use weighted::Weighted;

/// The last stage of the default chain.
#[derive(Debug)]
pub struct Rank(Weighted);

// === impl Rank ===

impl Policy for Rank {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let options = weighted::Options::read(settings);
        let incumbent = Incumbent::configure(settings, plan);
        Self(Weighted::configure(options, incumbent, plan))
    }
}

impl Selection for Rank {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        self.0.judge(job, candidates)
    }
}

export!(Rank, settings = "settings.schema.json");
