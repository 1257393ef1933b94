//! Excludes what costs too much.
//!
//! # Contract
//!
//! A price above the job's ceiling is out, a price equal to it is in, and the comparison is exact: by integers, where the ceiling is
//! known as a fraction. Without a ceiling the stage has no opinion. A price that nobody quotes passes, as off-chain, unless the
//! operator excludes it. The host checks the ceiling again after the chain; this stage is what gives the reason.
//!
//! # Why floats first
//!
//! Comparing fractions takes a multiplication of 128 bits, which a component does by hand. A float is wrong by less than one part in
//! 10^15, so only prices that close to the ceiling need it.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// The second stage of the default chain.
#[derive(Debug)]
pub struct PriceCeiling {
    price: Prices,
    ceiling: JobFact,
    exact: (JobFact, JobFact),
    exclude_unknown: bool,
    above: Cause,
    unknown: Cause,
}

/// How near to the ceiling, relative to it, a float cannot be trusted.
const NEAR: f64 = 1e-12;

// === impl PriceCeiling ===

impl Policy for PriceCeiling {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            price: plan.prices("price"),
            ceiling: plan.fact("max-price"),
            exact: (plan.fact("?max-price/num"), plan.fact("?max-price/den")),
            exclude_unknown: settings.choice("unknown", &["pass", "exclude"]) == 1,
            above: plan.cause("price above the ceiling, wei per unit"),
            unknown: plan.cause("price unknown"),
        }
    }
}

impl Selection for PriceCeiling {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        let Some(ceiling) = job.number(self.ceiling) else {
            return Verdict::Abstain;
        };
        let exact = job
            .count(self.exact.0)
            .zip(job.count(self.exact.1))
            .and_then(|(num, den)| Price::new(num, den));
        let (surely_in, surely_out) = (ceiling * (1.0 - NEAR), ceiling * (1.0 + NEAR));
        let (nums, dens) = (
            candidates.counts(self.price.num),
            candidates.counts(self.price.den),
        );
        let mut excluded = Vec::new();
        for (row, (&num, &den)) in (0..).zip(nums.iter().zip(dens)) {
            if num == u64::MAX || den == u64::MAX || den == 0 {
                if self.exclude_unknown {
                    excluded.push(self.unknown.at(row));
                }
                continue;
            }
            let quoted = Price { num, den };
            let price = quoted.to_f64();
            if price > surely_in
                && (price > surely_out || exact.map_or(price > ceiling, |exact| quoted > exact))
            {
                excluded.push(self.above.value(price).at(row));
            }
        }
        Verdict::Exclude(excluded)
    }
}

export!(PriceCeiling, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Job, Table};

    use super::*;

    fn left(ceiling: (u64, u64), prices: &[Option<(u64, u64)>], unknown: &str) -> Vec<u32> {
        let (num, den) = ceiling;
        let job = Job::new()
            .number("max-price", num as f64 / den as f64)
            .count("max-price/num", num)
            .count("max-price/den", den);
        let policy =
            testing::selection::<PriceCeiling>([("unknown", testing::text(unknown))]).job(job);
        policy
            .judge(&Table::new().prices(prices.iter().copied()))
            .order
    }

    #[test]
    fn prices_are_compared_exactly() {
        let huge = u64::MAX - 1;
        type Case<'a> = ((u64, u64), &'a [Option<(u64, u64)>], &'a [u32]);
        let cases: &[Case<'_>] = &[
            (
                (1000, 1),
                &[
                    Some((500, 1)),
                    Some((1500, 1)),
                    Some((1000, 1)),
                    Some((2000, 2)),
                ],
                &[0, 2, 3],
            ),
            (
                (1, 3),
                &[
                    Some((2, 6)),
                    Some((333_333_333, 1_000_000_000)),
                    Some((1, 2)),
                ],
                &[0, 1],
            ),
            // As floats these two are one and the same.
            (
                (huge, huge - 1),
                &[Some((huge, huge - 1)), Some((huge - 1, huge - 2))],
                &[0],
            ),
            ((0, 1), &[Some((0, 7)), Some((1, huge))], &[0]),
            ((1000, 1), &[None, Some((5, 0))], &[0, 1]),
            ((1000, 1), &[], &[]),
        ];
        for (ceiling, prices, order) in cases {
            assert_eq!(
                left(*ceiling, prices, "pass"),
                *order,
                "{ceiling:?} {prices:?}"
            );
        }
    }

    #[test]
    fn without_the_exact_ceiling_a_price_equal_to_it_still_passes() {
        let policy =
            testing::selection::<PriceCeiling>([]).job(Job::new().number("max-price", 1.0 / 3.0));
        assert_eq!(
            policy.judge(&Table::new().prices([(1, 3), (2, 3)])).order,
            [0]
        );
    }

    #[test]
    fn unknown_prices_are_the_operators_choice() {
        let prices = [None, Some((5, 0)), Some((1, 1))];
        assert_eq!(left((1, 1), &prices, "pass"), [0, 1, 2]);
        assert_eq!(left((1, 1), &prices, "exclude"), [2]);
    }

    #[test]
    fn without_a_ceiling_there_is_no_opinion() {
        let policy = testing::selection::<PriceCeiling>([]);
        assert_eq!(
            policy.judge(&Table::new().prices([(9, 1)])).verdict,
            Verdict::Abstain
        );
    }

    #[test]
    fn a_cause_says_what_the_price_was() {
        let policy =
            testing::selection::<PriceCeiling>([]).job(Job::new().number("max-price", 2.0));
        let outcome = policy.judge(&Table::new().prices([(7, 2)]));
        assert_eq!(
            outcome.excluded,
            [(0, "price above the ceiling, wei per unit".to_owned())]
        );
        let Verdict::Exclude(excluded) = outcome.verdict else {
            panic!("it only excludes")
        };
        assert!((excluded[0].value - 3.5).abs() < f64::EPSILON);
    }
}
