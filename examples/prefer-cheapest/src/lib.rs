//! Cheapest first: resting orchestrators last, equal prices by latency, unknown prices after known ones.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

policy! {
    struct PreferCheapest {
        fit: Marks = "fit", rest: Counts = "rest-ms",
        price: Prices = "price", ms: Numbers = "latency-ms/p50",
        unfit: Cause = "cannot do this job",
    }
}

impl Selection for PreferCheapest {
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        let able = candidates.keep(|row| row.yes(self.fit), self.unfit);
        able.order_by(|row| (row.get(self.rest), row.get(self.price), row.get(self.ms)))
    }
}

export!(PreferCheapest);

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Table};

    use super::*;

    #[test]
    fn the_cheapest_that_can_do_it_is_first() {
        let table = Table::new()
            .marks("fit", [true, true, false, true, true])
            .prices([Some((3, 2)), Some((1, 1)), Some((1, 9)), None, Some((2, 2))])
            .numbers("latency-ms/p50", [10.0, 90.0, 10.0, 10.0, 40.0])
            .counts("rest-ms", [0, 0, 0, 0, 0]);
        let outcome = testing::selection::<PreferCheapest>([]).judge(&table);
        assert_eq!(outcome.order, [4, 1, 0, 3]);
        assert_eq!(outcome.excluded, [(2, "cannot do this job".to_owned())]);
    }

    #[test]
    fn one_that_rests_is_last_however_cheap() {
        let table = Table::new()
            .marks("fit", [true, true])
            .prices([(1, 9), (5, 1)])
            .counts("rest-ms", [800, 0]);
        assert_eq!(
            testing::selection::<PreferCheapest>([]).judge(&table).order,
            [1, 0]
        );
    }
}
