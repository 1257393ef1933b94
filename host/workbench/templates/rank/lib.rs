//! Orders by price, but keeps a stream where it is while that orchestrator does well.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// What `configure` asks for, and what it read from the settings.
#[derive(Debug)]
pub struct {{type}} {
    incumbent: Marks,
    rest: Counts,
    price: Prices,
    ms: Numbers,
    stay_ms: f64,
}

impl Policy for {{type}} {
    // Once in every instance: read the settings of bundle.toml, ask for columns by name.
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            incumbent: plan.marks("incumbent"),
            rest: plan.counts("rest-ms"),
            price: plan.prices("price"),
            ms: plan.numbers("latency-ms/p50"),
            stay_ms: settings.count("stay-ms", 1000, 0..=60_000).into(),
        }
    }
}

impl Selection for {{type}} {
    // For every segment of every stream. The order is also the list that failover walks down.
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        let stays = |row: Row<'_>| {
            row.yes(self.incumbent) && row.or(self.rest, 0) == 0 && row.or(self.ms, 0.0) <= self.stay_ms
        };
        // Least key first, piece by piece: resting ones last, then who stays, then the cheapest; false is before true,
        // unknown after known, and equals stay shuffled.
        candidates.order_by(|row| (row.get(self.rest), !stays(row), row.get(self.price), row.get(self.ms)))
    }
}

export!({{type}}, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Table};

    use super::*;

    fn order(table: Table) -> Vec<u32> {
        let table = table.prices([(3, 1), (1, 1), (2, 1)]);
        testing::selection::<{{type}}>([]).judge(&table).order
    }

    #[test]
    fn the_cheapest_is_first() {
        assert_eq!(order(Table::new()), [1, 2, 0]);
    }

    #[test]
    fn a_stream_stays_where_it_is_while_that_does_well() {
        let incumbent = Table::new().marks("incumbent", [true, false, false]);
        assert_eq!(order(incumbent.clone()), [0, 1, 2]);
        let slow = incumbent.clone().numbers("latency-ms/p50", [1500.0, 1.0, 1.0]);
        assert_eq!(order(slow), [1, 2, 0]);
        let resting = incumbent.counts("rest-ms", [5000, 0, 0]);
        assert_eq!(order(resting), [1, 2, 0]);
    }
}
