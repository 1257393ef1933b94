//! Tightens everything there is for one tier, refuses another, and has no opinion on the rest.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

struct Line {
    most: Option<Price>,
    ceiling: PriceFact,
    closed: Cause,
}

impl Policy for Line {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            most: settings.price("most"),
            ceiling: plan.price_fact("max-price"),
            closed: plan.cause("closed to this tier"),
        }
    }
}

impl Byoc for Line {
    fn route(&self, job: &Job, request: &Request) -> Routing {
        match request.label("tier") {
            Some("free") => {
                let change = Change::new()
                    .capability(&[&request.capability, "-small"].concat())
                    .only(["https://a.example:8935", "https://b.example:8935"])
                    .ignore(["0x00000000000000000000000000000000000000aa"])
                    .timeout_ms(job.deadline_ms / 2)
                    .label("path", &request.path)
                    .label("parameters", &request.parameters);
                match (self.most, job.price(self.ceiling)) {
                    (Some(most), Some(ceiling)) => change.max_price(most.min(ceiling)).into(),
                    _ => change.into(),
                }
            }
            Some("none") => self.closed.refuse(403, "not for this tier").into(),
            _ => Routing::Abstain,
        }
    }
}

export!(Line: Byoc);
