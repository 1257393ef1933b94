//! Orders that are drawn: better ones first more often, and not always.
//!
//! # Contract
//!
//! A draw takes a generator, usually [`Job::rng`](crate::Job::rng), and nothing else that is random: the same seed gives the same order, natively
//! and as a component, to the last bit. The whole order is drawn, not only its first: it is also the list that
//! failover walks down.
//!
//! # Why draw at all
//!
//! Always taking the best sends every stream to one orchestrator until it is no longer the best, and nobody learns anything of the
//! others. A draw spreads the load in proportion, and gives newcomers a history.

mod exp;
mod tree;

pub use exp::exp;
pub use tree::Tree;

use core::cmp::Reverse;

use crate::keep::sorted;
use crate::{Candidates, Kept, Rng, Row, SortKey as _, Verdict};

/// Weights beyond this weigh no more: a sum of all of them must stay finite.
const HEAVIEST: f64 = 1e290;

// === impl Candidates ===

impl Candidates {
    /// Orders all by draws; see [`Kept::weighted_by`].
    pub fn weighted_by(&self, rng: Rng, weight: impl FnMut(Row<'_>) -> f64) -> Verdict {
        self.all().weighted_by(rng, weight)
    }

    /// Orders all by draws; see [`Kept::softmax`].
    pub fn softmax(
        &self,
        rng: Rng,
        temperature: f64,
        score: impl FnMut(Row<'_>) -> f64,
    ) -> Verdict {
        self.all().softmax(rng, temperature, score)
    }
}

// === impl Kept ===

impl Kept<'_> {
    /// Draws an order of those still in: each place goes to one of the rest, with a probability in proportion to its weight.
    ///
    /// Those whose weight is not above zero come last, in the order they came.
    #[must_use]
    pub fn weighted_by(self, mut rng: Rng, mut weight: impl FnMut(Row<'_>) -> f64) -> Verdict {
        let weights = self.each(|row| {
            let given = weight(row);
            if given > 0.0 {
                given.min(HEAVIEST)
            } else {
                0.0
            }
        });
        let places: Vec<u32> = (0..weights.len() as u32).collect();
        let drawn = draw(&mut rng, &places, &weights);
        self.ordered(&drawn)
    }

    /// Draws an order of those still in, by scores of any size: of two, the better is drawn first with odds of
    /// e^(difference / temperature) to one.
    ///
    /// So a temperature of a tenth of a usual difference nearly always takes the best, and ten times of it hardly looks. At 0, or below,
    /// the best comes first always. One that is more than 700 temperatures below the best comes after all that are not, by its score; one whose
    /// score is NaN comes last.
    #[must_use]
    pub fn softmax(
        self,
        mut rng: Rng,
        temperature: f64,
        mut score: impl FnMut(Row<'_>) -> f64,
    ) -> Verdict {
        let scores = self.each(&mut score);
        let greatest = |score: &f64| (!score.is_nan()).then_some(Reverse(*score)).key();
        let mut places = sorted(&scores.iter().map(greatest).collect::<Vec<_>>());
        let best = places
            .first()
            .map_or(f64::NAN, |&place| scores[place as usize]);
        if temperature > 0.0 {
            let weight = |&place: &u32| {
                let score = scores[place as usize];
                // Not by the difference, which is none where both are infinite.
                if score >= best {
                    1.0
                } else {
                    exp((score - best) / temperature).max(0.0)
                }
            };
            let weights: Vec<f64> = places.iter().map(weight).collect();
            places = draw(&mut rng, &places, &weights);
        }
        self.ordered(&places)
    }
}

/// Draws all of `items` by their weights, none below zero; those without one stay in order, at the end.
fn draw(rng: &mut Rng, items: &[u32], weights: &[f64]) -> Vec<u32> {
    let mut tree = Tree::new(weights);
    let mut drawn = Vec::with_capacity(items.len());
    while tree.total() > 0.0 {
        let place = tree.draw(rng.unit());
        tree.remove(place);
        drawn.push(items[place]);
    }
    let light = items
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight <= 0.0);
    drawn.extend(light.map(|(item, _)| *item));
    drawn
}

#[cfg(test)]
mod tests;
