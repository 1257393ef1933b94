//! Leaves out orchestrators that fail too often.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// What `configure` asks for, and what it read from the settings.
#[derive(Debug)]
pub struct {{type}} {
    rate: Numbers,
    samples: Counts,
    least: f64,
    enough: u64,
    failing: Cause,
}

impl Policy for {{type}} {
    // Once in every instance: read the settings of bundle.toml, ask for columns by name.
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            rate: plan.numbers("success-rate"),
            samples: plan.counts("samples"),
            least: settings.number("least", 0.9, 0.0..=1.0),
            enough: settings.count("enough", 10, 0..=10_000).into(),
            failing: plan.cause("fails too often"),
        }
    }
}

impl Selection for {{type}} {
    // For every job: `get` is None where nobody knows, and a newcomer deserves a chance.
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        let known = |row: Row<'_>| row.or(self.samples, 0) >= self.enough;
        let excluded = candidates.exclude(|row| {
            let rate = row.get(self.rate)?;
            // The number is shown beside the cause when a decision is explained.
            (known(row) && rate < self.least).then_some(self.failing.value(rate))
        });
        excluded.verdict()
    }
}

export!({{type}}, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Table};

    use super::*;

    fn table() -> Table {
        Table::new()
            .numbers("success-rate", [Some(1.0), Some(0.5), Some(0.5), None])
            .counts("samples", [100, 100, 2, 0])
    }

    #[test]
    fn who_is_known_to_fail_is_left_out() {
        let outcome = testing::selection::<{{type}}>([]).judge(&table());
        assert_eq!(outcome.order, [0, 2, 3]);
        assert_eq!(outcome.excluded, [(1, "fails too often".to_owned())]);
    }

    #[test]
    fn how_often_is_too_often_is_a_setting() {
        let settings = [("least", pointsman_sdk::Value::Number(0.4))];
        let outcome = testing::selection::<{{type}}>(settings).judge(&table());
        assert_eq!(outcome.order, [0, 1, 2, 3]);
    }
}
