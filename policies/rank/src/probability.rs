//! go-livepeer's probability model, drawn into a full order.
//!
//! Of `n` candidates the first is `i` with the probability
//!
//! ```text
//! P(i) = Wprice * e^(-price(i) / F) / sum + Wstake * stake(i) / sum + Wrandom / n
//! ```
//!
//! and each further one by the same rule over those that are left, sums made anew. Drawing one of the three terms first and then
//! a candidate inside it is the same distribution, and needs no sum over all candidates a place.
//!
//! Where go-livepeer divides by a sum of zero it lets the order of a hash map decide; here that term is drawn evenly. A price that nobody
//! quotes has no part in the price term (go-livepeer fails on one), a missing stake counts as none, and candidates that share a recipient
//! stay apart.

use pointsman_sdk::Ranking;
use pointsman_sdk::prelude::*;

use crate::exp::exp;
use crate::incumbent::Incumbent;
use crate::tree::Tree;

/// Settings of this model.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    price: f64,
    stake: f64,
    random: f64,
    price_exp_factor: f64,
    min_perf_score: f64,
}

/// The model.
#[derive(Debug)]
pub(crate) struct Probability {
    options: Options,
    incumbent: Incumbent,
    price: Option<Numbers>,
    stake: Option<Numbers>,
    perf: Option<Numbers>,
    poor: Cause,
}

/// How far from 1 the weights may sum, as in go-livepeer.
const TOLERANCE: f64 = 0.0001;

/// The candidates not yet drawn.
struct Left {
    rows: Vec<u32>,
    /// Of each candidate drawn from, its place in `rows`.
    places: Vec<u32>,
}

// === impl Options ===

impl Options {
    pub(crate) fn read(settings: &mut Settings) -> Self {
        let options = Self {
            price: settings.number("probability.price", 0.0, 0.0..=1.0),
            stake: settings.number("probability.stake", 0.7, 0.0..=1.0),
            random: settings.number("probability.random", 0.3, 0.0..=1.0),
            price_exp_factor: settings.number("probability.price-exp-factor", 100.0, 1e-6..=1e12),
            min_perf_score: settings.number("probability.min-perf-score", 0.0, 0.0..=1.0),
        };
        if (options.price + options.stake + options.random - 1.0).abs() > TOLERANCE {
            settings.problem("probability", "price, stake and random must sum to 1");
        }
        options
    }
}

// === impl Probability ===

impl Probability {
    pub(crate) fn configure(options: Options, incumbent: Incumbent, plan: &mut Plan) -> Self {
        Self {
            price: (options.price > 0.0).then(|| plan.numbers("price")),
            stake: (options.stake > 0.0).then(|| plan.numbers("stake")),
            perf: (options.min_perf_score > 0.0).then(|| plan.numbers("score/perf")),
            poor: plan.cause("performance score below the minimum"),
            incumbent,
            options,
        }
    }

    pub(crate) fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        let all = candidates.len();
        let (rows, excluded) = self.able(candidates);
        let weights = |column: Option<Numbers>, weight: fn(f64, f64) -> f64| {
            let column = column.map(|column| candidates.numbers(column));
            let factor = self.options.price_exp_factor;
            let mut weights = vec![0.0; all as usize];
            if let Some(column) = column {
                for &row in &rows {
                    let weight = weight(column[row as usize], factor);
                    weights[row as usize] = if weight > 0.0 && weight.is_finite() {
                        weight
                    } else {
                        0.0
                    };
                }
            }
            Tree::new(weights.into_iter())
        };
        let mut prices = weights(self.price, |price, factor| exp(-price / factor));
        let mut stakes = weights(self.stake, |stake, _| stake);
        let mut order = Vec::with_capacity(rows.len());
        let mut left = Left::new(rows, all);
        let mut rng = job.rng();
        let mut kept = self
            .incumbent
            .kept(candidates)
            .filter(|row| left.rows.contains(row));
        while !left.rows.is_empty() {
            let row = kept
                .take()
                .unwrap_or_else(|| self.draw(&mut rng, &prices, &stakes, &left));
            prices.remove(row as usize);
            stakes.remove(row as usize);
            left.remove(row);
            order.push(row);
        }
        Verdict::Order(Ranking { excluded, order })
    }

    /// Those whose performance is good enough; all when nobody's is.
    fn able(&self, candidates: &Candidates) -> (Vec<u32>, Vec<pointsman_sdk::Exclusion>) {
        let every = || (0..candidates.len()).collect();
        let Some(perf) = self.perf else {
            return (every(), Vec::new());
        };
        // An unknown score counts as 0.
        let able = |row: &u32| candidates.row(*row).or(perf, 0.0) >= self.options.min_perf_score;
        let (able, poor): (Vec<u32>, Vec<u32>) = (0..candidates.len()).partition(able);
        if able.is_empty() {
            return (every(), Vec::new());
        }
        let exclude = |row| self.poor.value(candidates.row(row).or(perf, 0.0)).at(row);
        (able, poor.into_iter().map(exclude).collect())
    }

    fn draw(&self, rng: &mut Rng, prices: &Tree, stakes: &Tree, left: &Left) -> u32 {
        let (term, place) = (rng.unit(), rng.unit());
        let tree = if term < self.options.price {
            prices
        } else if term < self.options.price + self.options.stake {
            stakes
        } else {
            return left.draw(place);
        };
        match tree.total() > 0.0 {
            true => u32::try_from(tree.draw(place)).expect("a row is a u32"),
            false => left.draw(place),
        }
    }
}

// === impl Left ===

impl Left {
    /// `rows` of `all`.
    fn new(rows: Vec<u32>, all: u32) -> Self {
        let mut places = vec![0; all as usize];
        for (place, &row) in (0..).zip(&rows) {
            places[row as usize] = place;
        }
        Self { rows, places }
    }

    /// The one that `unit`, from [0, 1), falls on.
    fn draw(&self, unit: f64) -> u32 {
        self.rows[(unit * self.rows.len() as f64) as usize]
    }

    fn remove(&mut self, row: u32) {
        let place = self.places[row as usize];
        self.rows.swap_remove(place as usize);
        if let Some(&moved) = self.rows.get(place as usize) {
            self.places[moved as usize] = place;
        }
    }
}

#[cfg(test)]
mod tests;
