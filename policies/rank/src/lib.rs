//! Says which of the candidates that are left is best.
//!
//! # Contract
//!
//! Two models, one rule for the stream's own orchestrator. `weighted` scores every row, so that an operator's further stages can add
//! to it; `probability` draws a full order as go-livepeer would. In both, the incumbent is kept while it is in good standing:
//! not resting, recent results good, fast enough for live video. Equals are left in the order they came in, which the seed has
//! shuffled: that is what spreads streams over equals, and what makes every decision the same when it is asked again.
//!
//! A weight of 0 asks for no column.
#![deny(unsafe_code)]

mod exp;
mod incumbent;
mod probability;
mod tree;
mod weighted;

use pointsman_sdk::prelude::*;

use incumbent::Incumbent;
use probability::Probability;
use weighted::Weighted;

/// The last stage of the default chain.
#[derive(Debug)]
pub struct Rank(Model);

#[derive(Debug)]
enum Model {
    Weighted(Weighted),
    Probability(Probability),
}

// === impl Rank ===

impl Policy for Rank {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let model = settings.choice("model", &["weighted", "probability"]);
        let weighted = weighted::Options::read(settings);
        let probability = probability::Options::read(settings);
        let incumbent = Incumbent::configure(settings, plan);
        Self(match model {
            0 => Model::Weighted(Weighted::configure(weighted, incumbent, plan)),
            _ => Model::Probability(Probability::configure(probability, incumbent, plan)),
        })
    }
}

impl Selection for Rank {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        match &self.0 {
            Model::Weighted(model) => model.judge(job, candidates),
            Model::Probability(model) => model.judge(job, candidates),
        }
    }
}

export!(Rank, settings = "settings.schema.json");
