//! Gives each job to the cheapest orchestrator.
//!
//! # Contract
//!
//! Orders by price, cheapest first and unknown last; or scores, so that other stages can weigh in. Every segment of a stream is asked
//! about, so the stream's own orchestrator counts as cheaper by `keep-margin`: a session, and the credit in it, is not given up
//! for the last percent. Equal prices keep their order, which the seed has shuffled.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// Orders or scores by price.
#[derive(Debug)]
pub struct LowestPrice {
    price: Numbers,
    incumbent: Marks,
    /// What the incumbent's price is multiplied by.
    stay: f64,
    scores: bool,
}

// === impl LowestPrice ===

impl Policy for LowestPrice {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let price = match settings.choice("of", &["quoted", "effective"]) {
            0 => "price",
            _ => "price/effective",
        };
        Self {
            price: plan.numbers(price),
            incumbent: plan.marks("incumbent"),
            stay: 1.0 / (1.0 + settings.number("keep-margin", 0.1, 0.0..=1000.0)),
            scores: settings.choice("as", &["order", "score"]) == 1,
        }
    }
}

impl Selection for LowestPrice {
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        let prices = candidates.numbers(self.price);
        let incumbents = candidates.marks(self.incumbent);
        let price = |row: Row<'_>| {
            let (price, holds) = at(prices, incumbents, row);
            if holds { price * self.stay } else { price }
        };
        if !self.scores {
            return candidates.order_by(|row| (price(row), !at(prices, incumbents, row).1));
        }
        let least = candidates.iter().map(price).fold(f64::INFINITY, f64::min);
        // Unknown makes NaN, which scores 0.
        candidates.score(|row| match price(row) {
            cheapest if cheapest <= least => 1.0,
            dear => least / dear,
        })
    }
}

fn at(prices: &[f64], incumbents: &[u8], row: Row<'_>) -> (f64, bool) {
    let place = row.index() as usize;
    (prices[place], incumbents[place] == 1)
}

export!(LowestPrice, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Table};

    use super::*;

    fn order(settings: &[(&'static str, pointsman_sdk::Value)], table: &Table) -> Vec<u32> {
        testing::selection::<LowestPrice>(settings.iter().cloned())
            .judge(table)
            .order
    }

    #[test]
    fn the_cheapest_is_first_and_the_unknown_last() {
        let prices = [Some(3.0), None, Some(1.0), Some(0.0), Some(3.0)];
        assert_eq!(
            order(&[], &Table::new().numbers("price", prices)),
            [3, 2, 0, 4, 1]
        );
    }

    #[test]
    fn a_stream_stays_until_another_is_cheaper_by_the_margin() {
        let table = |price| {
            Table::new()
                .numbers("price", [1.0, price])
                .marks("incumbent", [false, true])
        };
        assert_eq!(order(&[], &table(1.09)), [1, 0]);
        assert_eq!(order(&[], &table(1.11)), [0, 1]);
        let at_once = [("keep-margin", 0.into())];
        assert_eq!(
            order(&at_once, &table(1.0)),
            [1, 0],
            "of equals it is first"
        );
        assert_eq!(order(&at_once, &table(1.01)), [0, 1]);
    }

    #[test]
    fn an_effective_price_counts_failures() {
        let table = Table::new()
            .numbers("price", [1.0, 2.0])
            .numbers("price/effective", [4.0, 2.0]);
        assert_eq!(order(&[("of", testing::text("effective"))], &table), [1, 0]);
    }

    #[test]
    fn a_score_is_the_least_price_as_a_share_of_the_own() {
        let scores = |prices: [Option<f64>; 3]| {
            let policy = testing::selection::<LowestPrice>([("as", testing::text("score"))]);
            match policy.judge(&Table::new().numbers("price", prices)).verdict {
                Verdict::Score(scoring) => scoring.scores,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(scores([Some(4.0), Some(2.0), None]), [0.5, 1.0, 0.0]);
        assert_eq!(scores([Some(4.0), Some(0.0), Some(0.0)]), [0.0, 1.0, 1.0]);
        assert_eq!(scores([None; 3]), [0.0; 3]);
    }
}
