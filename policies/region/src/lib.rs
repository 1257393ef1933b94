//! Requires, avoids and prefers regions, or any other label of the orchestrators.
//!
//! # Contract
//!
//! `require` and `avoid` leave out; an orchestrator of which nobody says where it is passes `avoid`, and `require` only when `unknown`
//! is "pass". `near` and `prefer` make tiers: the place that the application names in its own label, then each of `prefer`, then
//! the rest. Tiers are scores by default, so that a much better orchestrator farther away can win; with `strict` they are an order, and inside
//! a tier stays what the stages before made of it.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;
use pointsman_sdk::{Exclusion, Ranking, Scoring};

/// Filters by place, and scores or orders by it.
#[derive(Debug)]
pub struct Region {
    place: Symbols,
    require: Vec<Symbol>,
    avoid: Vec<Symbol>,
    prefer: Vec<Symbol>,
    near: Option<JobFact>,
    unknown_passes: bool,
    strict: Option<(Counts, Numbers)>,
    elsewhere: Cause,
    avoided: Cause,
    nowhere: Cause,
}

// === impl Region ===

impl Policy for Region {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let symbols = |texts: Vec<Text>| texts.into_iter().map(|text| text.symbol).collect();
        let place = match settings.text("label") {
            None => plan.symbols("region"),
            Some(key) => plan.symbols(&label(&key.text)),
        };
        let near = settings.text("near");
        let strict = settings.flag("strict", false);
        Self {
            require: symbols(settings.texts("require")),
            avoid: symbols(settings.texts("avoid")),
            prefer: symbols(settings.texts("prefer")),
            near: near.map(|key| plan.fact(&label(&key.text))),
            unknown_passes: settings.choice("unknown", &["exclude", "pass"]) == 1,
            strict: strict.then(|| (plan.counts("position"), plan.numbers("score/sum"))),
            elsewhere: plan.cause_of("in none of the required places", place),
            avoided: plan.cause_of("in a place to avoid", place),
            nowhere: plan.cause("nobody says in which place"),
            place,
        }
    }
}

impl Selection for Region {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        let places = candidates.symbols(self.place);
        let mut excluded = Vec::new();
        for (row, &place) in (0..).zip(places) {
            excluded.extend(self.exclusion(place).map(|cause: Cause| cause.at(row)));
        }
        let near = self.near.and_then(|near| job.symbol(near));
        if self.prefer.is_empty() && near.is_none() {
            return Verdict::Exclude(excluded);
        }
        let tiers = places.iter().map(|&place| self.tier(place, near));
        match self.strict {
            None => Verdict::Score(Scoring {
                excluded,
                scores: self.scores(tiers),
            }),
            Some(before) => self.in_order(before, &tiers.collect::<Vec<_>>(), candidates, excluded),
        }
    }
}

impl Region {
    fn exclusion(&self, place: Symbol) -> Option<Cause> {
        let unknown = place == 0;
        if !unknown && self.avoid.contains(&place) {
            Some(self.avoided)
        } else if self.require.is_empty() || self.require.contains(&place) {
            None
        } else if unknown {
            (!self.unknown_passes).then_some(self.nowhere)
        } else {
            Some(self.elsewhere)
        }
    }

    /// 0 is best: where the application is; then the places of `prefer`; last the rest.
    fn tier(&self, place: Symbol, near: Option<Symbol>) -> usize {
        if place != 0 && near == Some(place) {
            return 0;
        }
        let preferred = self.prefer.iter().position(|&preferred| preferred == place);
        1 + preferred.unwrap_or(self.prefer.len())
    }

    /// Evenly from 1 for the best tier that there can be to 0 for the rest.
    fn scores(&self, tiers: impl Iterator<Item = usize>) -> Vec<f64> {
        let best = usize::from(self.near.is_none());
        let steps = 1 + self.prefer.len() - best;
        tiers
            .map(|tier| (1 + self.prefer.len() - tier) as f64 / steps as f64)
            .collect()
    }

    fn in_order(
        &self,
        (position, sum): (Counts, Numbers),
        tiers: &[usize],
        candidates: &Candidates,
        excluded: Vec<Exclusion>,
    ) -> Verdict {
        let verdict = candidates.order_by(|row| {
            let before = (row.get(position), row.get(sum).map(Reverse));
            (tiers[row.index() as usize] as u32, before.0, before.1)
        });
        match verdict {
            // Exclusion beats order.
            Verdict::Order(Ranking { order, .. }) => Verdict::Order(Ranking { excluded, order }),
            other => other,
        }
    }
}

/// The name of a label's column or job fact.
fn label(key: &str) -> String {
    let mut name = String::from("label/");
    name.push_str(key);
    name
}

export!(Region, settings = "settings.schema.json");

#[cfg(test)]
mod tests;
