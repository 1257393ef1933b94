//! Draws orchestrators by price, stake and chance, as go-livepeer does.
//!
//! # Contract
//!
//! Of `n` candidates the first is `i` with the probability of go-livepeer's `ProbabilitySelectionAlgorithm` (`server/selection_algorithm.go`):
//!
//! ```text
//! P(i) = Wprice * e^(-price(i) / F) / sum + Wstake * stake(i) / sum + Wrandom / n
//! ```
//!
//! and each further one by the same rule over those that are left, sums made anew: what go-livepeer does when a session fails and it
//! selects again. Before the draw those below the minimum performance score are left out, unless that is all of them. The stream's own
//! orchestrator comes first while it keeps up, as there; its price ceiling is the stage `price-ceiling`.
//!
//! # The same distribution, faster
//!
//! Drawing one of the three terms first and then a candidate inside it is the same distribution, and needs no sum over all candidates for
//! every place of the order. It does not hold where a sum is zero: go-livepeer then counts that term as 1 for *every* candidate, walks
//! them in random order, and stops where the running sum passes its draw. So does this policy, over the order that the seed has shuffled.
//!
//! # Where it differs
//!
//! A price that nobody quotes has no part in the price term (go-livepeer fails on one), and candidates that share a recipient are drawn
//! apart (go-livepeer keeps one of them).
#![deny(unsafe_code)]

use pointsman_sdk::draw::{Tree, exp};
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Exclusion, Ranking};

/// go-livepeer's draw.
#[derive(Debug)]
pub struct Probability {
    weights: Weights,
    min_perf_score: f64,
    keep_latency: f64,
    price: Option<Numbers>,
    stake: Option<Numbers>,
    perf: Option<Numbers>,
    incumbent: Marks,
    rest: Counts,
    latency: Numbers,
    poor: Cause,
}

/// How much each term counts.
#[derive(Clone, Copy, Debug)]
struct Weights {
    price: f64,
    stake: f64,
    random: f64,
    price_exp_factor: f64,
}

/// How far from 1 the weights may sum, as in go-livepeer.
const TOLERANCE: f64 = 0.0001;

/// So that the draws do not follow the shuffle, which comes from the same seed.
const DRAW: u64 = symbol("go-livepeer-probability");

/// The candidates not yet drawn.
struct Left {
    rows: Vec<u32>,
    /// Of each candidate drawn from, its place in `rows`.
    places: Vec<u32>,
    prices: Tree,
    stakes: Tree,
}

// === impl Probability ===

impl Policy for Probability {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let weights = Weights {
            price: settings.number("price", 0.0, 0.0..=1.0),
            stake: settings.number("stake", 0.7, 0.0..=1.0),
            random: settings.number("random", 0.3, 0.0..=1.0),
            price_exp_factor: settings.number("price-exp-factor", 100.0, 1e-6..=1e12),
        };
        if (weights.price + weights.stake + weights.random - 1.0).abs() > TOLERANCE {
            settings.problem("price", "price, stake and random must sum to 1");
        }
        let min_perf_score = settings.number("min-perf-score", 0.0, 0.0..=1.0);
        Self {
            price: (weights.price > 0.0).then(|| plan.numbers("price")),
            stake: (weights.stake > 0.0).then(|| plan.numbers("stake")),
            perf: (min_perf_score > 0.0).then(|| plan.numbers("score/perf")),
            incumbent: plan.marks("incumbent"),
            rest: plan.counts("rest-ms"),
            latency: plan.numbers("latency-score"),
            poor: plan.cause("performance score below the minimum"),
            keep_latency: settings.number("keep-latency", 1.0, 0.0..=1000.0),
            min_perf_score,
            weights,
        }
    }
}

impl Selection for Probability {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        let (rows, excluded) = self.able(candidates);
        let factor = self.weights.price_exp_factor;
        let prices = self.tree(self.price, &rows, candidates, |price| exp(-price / factor));
        let stakes = self.tree(self.stake, &rows, candidates, |stake| stake);
        let mut order = Vec::with_capacity(rows.len());
        let mut left = Left::new(rows, candidates.len(), prices, stakes);
        let mut rng = Rng::new(job.seed ^ DRAW);
        let mut kept = self.kept(candidates).filter(|row| left.rows.contains(row));
        while !left.rows.is_empty() {
            let row = kept
                .take()
                .unwrap_or_else(|| self.weights.draw(&mut rng, &left));
            left.remove(row);
            order.push(row);
        }
        Verdict::Order(Ranking { excluded, order })
    }
}

impl Probability {
    /// Those whose performance is good enough; all when nobody's is. An unknown score counts as 0.
    fn able(&self, candidates: &Candidates) -> (Vec<u32>, Vec<Exclusion>) {
        let every = || (0..candidates.len()).collect();
        let Some(perf) = self.perf else {
            return (every(), Vec::new());
        };
        let score = |row: u32| candidates.row(row).or(perf, 0.0);
        let (able, poor): (Vec<u32>, Vec<u32>) =
            (0..candidates.len()).partition(|&row| score(row) >= self.min_perf_score);
        if able.is_empty() {
            return (every(), Vec::new());
        }
        let exclude = |row| self.poor.value(score(row)).at(row);
        (able, poor.into_iter().map(exclude).collect())
    }

    /// The weights of `rows` in one term.
    fn tree(
        &self,
        column: Option<Numbers>,
        rows: &[u32],
        candidates: &Candidates,
        weight: impl Fn(f64) -> f64,
    ) -> Tree {
        let mut weights = vec![0.0; candidates.len() as usize];
        if let Some(column) = column {
            let values = candidates.numbers(column);
            for &row in rows {
                let weight = weight(values[row as usize]);
                if weight > 0.0 && weight.is_finite() {
                    weights[row as usize] = weight;
                }
            }
        }
        Tree::new(&weights)
    }

    /// The stream's own orchestrator, while it keeps up with the stream.
    fn kept(&self, candidates: &Candidates) -> Option<u32> {
        let row = candidates.iter().find(|row| row.yes(self.incumbent))?;
        let good = row.or(self.rest, 0) == 0 && row.or(self.latency, 0.0) <= self.keep_latency;
        good.then_some(row.index())
    }
}

// === impl Weights ===

impl Weights {
    fn draw(&self, rng: &mut Rng, left: &Left) -> u32 {
        let (term, place) = (rng.unit(), rng.unit());
        let (prices, stakes) = (left.prices.total(), left.stakes.total());
        let nothing = |weight: f64, sum: f64| weight > 0.0 && sum <= 0.0;
        if nothing(self.price, prices) || nothing(self.stake, stakes) {
            return self.walk(term, left);
        }
        let tree = if term < self.price {
            &left.prices
        } else if term < self.price + self.stake {
            &left.stakes
        } else {
            return left.rows[(place * left.rows.len() as f64) as usize];
        };
        u32::try_from(tree.draw(place)).unwrap_or(left.rows[0])
    }

    /// go-livepeer's own way: the first at which the running sum reaches `drawn`.
    fn walk(&self, drawn: f64, left: &Left) -> u32 {
        let share = |tree: &Tree, row: u32| match tree.total() {
            sum if sum > 0.0 => tree.weight(row as usize) / sum,
            _ => 1.0,
        };
        let even = self.random / left.rows.len() as f64;
        let mut sum = 0.0;
        let reached = left.rows.iter().find(|&&row| {
            sum += self.price * share(&left.prices, row);
            sum += self.stake * share(&left.stakes, row) + even;
            drawn <= sum
        });
        *reached.unwrap_or(&left.rows[0])
    }
}

// === impl Left ===

impl Left {
    /// `rows` of `all`.
    fn new(rows: Vec<u32>, all: u32, prices: Tree, stakes: Tree) -> Self {
        let mut places = vec![0; all as usize];
        for (place, &row) in (0..).zip(&rows) {
            places[row as usize] = place;
        }
        Self {
            rows,
            places,
            prices,
            stakes,
        }
    }

    fn remove(&mut self, row: u32) {
        self.prices.remove(row as usize);
        self.stakes.remove(row as usize);
        let place = self.places[row as usize];
        self.rows.swap_remove(place as usize);
        if let Some(&moved) = self.rows.get(place as usize) {
            self.places[moved as usize] = place;
        }
    }
}

export!(Probability, settings = "settings.schema.json");

#[cfg(test)]
mod tests;
