//! Leaves out orchestrators that fail too often.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// What `configure` asks for, and what it read from the settings.
#[derive(Debug)]
pub struct {{type}} {
    rate: Numbers,
    least: f64,
    failing: Cause,
}

impl Policy for {{type}} {
    // Once in every instance: read the settings of bundle.toml, ask for columns by name.
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            rate: plan.numbers("success-rate"),
            least: f64::from(settings.count("least", 90, 0..=100)) / 100.0,
            failing: plan.cause("fails too often"),
        }
    }
}

impl Selection for {{type}} {
    // For every job. `or` says what counts where nobody knows: a newcomer deserves a chance.
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        candidates.keep(|row| row.or(self.rate, 1.0) >= self.least, self.failing).verdict()
    }
}

export!({{type}}, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::Value;
    use pointsman_sdk::testing::{self, Table};

    use super::*;

    fn table() -> Table {
        Table::new().numbers("success-rate", [Some(1.0), Some(0.5), None])
    }

    #[test]
    fn who_is_known_to_fail_is_left_out() {
        let outcome = testing::selection::<{{type}}>([]).judge(&table());
        assert_eq!(outcome.order, [0, 2]);
        assert_eq!(outcome.excluded, [(1, "fails too often".to_owned())]);
    }

    #[test]
    fn how_often_is_too_often_is_a_setting() {
        let settings = [("least", Value::Integer(40))];
        let outcome = testing::selection::<{{type}}>(settings).judge(&table());
        assert_eq!(outcome.order, [0, 1, 2]);
    }
}
