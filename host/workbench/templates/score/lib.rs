//! Scores by price and latency: cheap and quick is good, and the weights say which counts more.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// What `configure` asks for, and what it read from the settings.
#[derive(Debug)]
pub struct {{type}} {
    price: Numbers,
    ms: Numbers,
    cheap: f64,
    quick: f64,
}

impl Policy for {{type}} {
    // Once in every instance: read the settings of bundle.toml, ask for columns by name.
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            price: plan.numbers("price/effective"),
            ms: plan.numbers("latency-ms/p50"),
            cheap: settings.number("cheap", 0.5, 0.0..=1.0),
            quick: settings.number("quick", 0.5, 0.0..=1.0),
        }
    }
}

impl Selection for {{type}} {
    // For every job: a score from 0 to 1 for each candidate. The host adds the scores of all stages by their weights.
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        let least = |of: Numbers| {
            let known = candidates.iter().filter_map(|row| row.get(of));
            known.fold(f64::INFINITY, f64::min)
        };
        let (price, ms) = (least(self.price), least(self.ms));
        let both = (self.cheap + self.quick).max(f64::MIN_POSITIVE);
        candidates.score(|row| {
            // The best has 1, twice as much 0.5; who is unknown is taken for middling.
            let part = |best: f64, of| row.get(of).map_or(0.5, |value| (best + 1e-9) / (value + 1e-9));
            (self.cheap * part(price, self.price) + self.quick * part(ms, self.ms)) / both
        })
    }
}

export!({{type}}, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::Value::Number;
    use pointsman_sdk::testing::{self, Table};

    use super::*;

    /// The first is cheap, the second quick, the third neither.
    fn table() -> Table {
        Table::new()
            .numbers("price/effective", [1.0, 4.0, 4.0])
            .numbers("latency-ms/p50", [800.0, 200.0, 800.0])
    }

    #[test]
    fn the_weights_decide_between_cheap_and_quick() {
        let best = |cheap, quick| {
            let settings = [("cheap", Number(cheap)), ("quick", Number(quick))];
            testing::selection::<{{type}}>(settings).judge(&table()).order[0]
        };
        assert_eq!(best(1.0, 0.0), 0);
        assert_eq!(best(0.0, 1.0), 1);
    }

    #[test]
    fn who_is_neither_is_last() {
        let outcome = testing::selection::<{{type}}>([]).judge(&table());
        assert_eq!(outcome.order[2], 2);
    }

    #[test]
    fn nothing_known_is_no_fault() {
        let outcome = testing::selection::<{{type}}>([]).judge(&Table::of(3));
        assert_eq!(outcome.order.len(), 3);
    }
}
