//! Slows spending down as an hourly or daily budget runs out.
//!
//! # Contract
//!
//! While less than `start` of the budget is spent, no opinion. From there to the end the dearer candidates are left out, a share that
//! grows evenly: halfway the dearer half. When all is spent, only the cheapest stay, or with `spent = "reject"` the job is
//! refused with 429. With two budgets the one nearer to its end counts. Who quotes no price stays: it costs nothing yet.
//!
//! What was spent comes from the job facts `spend/hour` and `spend/day` in wei, over the last hour and day. Where nobody is paid, or a host
//! does not have them, they are unknown, and unknown is no opinion. Hard caps are the host's in any case: this stage only makes the money last.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// Filters by price as the budget ends.
#[derive(Debug)]
pub struct SpendBudget {
    /// What was spent, and what may be.
    budgets: Vec<(JobFact, f64)>,
    start: f64,
    rejects: bool,
    price: Numbers,
    dear: Cause,
    spent: Cause,
}

/// The most wei a budget can be: a thousand million ETH.
const MOST: f64 = 1e27;

// === impl SpendBudget ===

impl Policy for SpendBudget {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let mut budgets = Vec::new();
        for (key, fact) in [("per-hour", "?spend/hour"), ("per-day", "?spend/day")] {
            let most = settings.number(key, 0.0, 0.0..=MOST);
            if most > 0.0 {
                budgets.push((plan.fact(fact), most));
            }
        }
        Self {
            budgets,
            start: settings.number("start", 0.8, 0.0..=1.0),
            rejects: settings.choice("spent", &["cheapest", "reject"]) == 1,
            price: plan.numbers("price"),
            dear: plan.cause("too dear for what is left of the budget, wei per unit"),
            spent: plan.cause("the budget is spent"),
        }
    }
}

impl Selection for SpendBudget {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        let used = self.budgets.iter().filter_map(|&(spent, most)| {
            let spent = job.number(spent).filter(|spent| *spent >= 0.0)?;
            Some(spent / most)
        });
        let used = used.fold(0.0, f64::max);
        if used >= 1.0 && self.rejects {
            return Verdict::Reject(self.spent.refuse(429, "the spending budget is used up"));
        }
        if used < self.start || used <= 0.0 {
            return Verdict::Abstain;
        }
        let mut prices = candidates.numbers(self.price).to_vec();
        prices.retain(|price| !price.is_nan());
        prices.sort_unstable_by(f64::total_cmp);
        // What may stay, at least one; those of the same price stay together. `start` may be 1: then all is spent here.
        let stay = ((1.0 - used) / (1.0 - self.start)).max(0.0);
        let last = (stay * prices.len() as f64) as usize;
        let Some(&ceiling) = prices.get(last.max(1) - 1).or(prices.last()) else {
            return Verdict::Abstain;
        };
        let out = |row: Row<'_>| {
            let price = row.get(self.price).filter(|&price| price > ceiling)?;
            Some(self.dear.value(price))
        };
        candidates.exclude(out).verdict()
    }
}

export!(SpendBudget, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::Value;
    use pointsman_sdk::testing::{self, Job, Outcome, Table};

    use super::*;

    const DAY: (&str, f64) = ("per-day", 1e18);

    fn judge(settings: &[(&'static str, Value)], job: Job) -> Outcome {
        let prices = [
            Some(40.0),
            Some(10.0),
            None,
            Some(30.0),
            Some(20.0),
            Some(50.0),
        ];
        let policy = testing::selection::<SpendBudget>(settings.iter().cloned()).job(job);
        policy.judge(&Table::new().numbers("price", prices))
    }

    fn spent(share: f64) -> Vec<u32> {
        let settings = [(DAY.0, DAY.1.into()), ("start", 0.5.into())];
        judge(&settings, Job::new().number("spend/day", share * 1e18)).order
    }

    #[test]
    fn the_dearer_go_as_the_budget_does() {
        assert_eq!(spent(0.0), [0, 1, 2, 3, 4, 5]);
        assert_eq!(spent(0.49), [0, 1, 2, 3, 4, 5]);
        assert_eq!(spent(0.5), [0, 1, 2, 3, 4, 5]);
        assert_eq!(spent(0.61), [1, 2, 3, 4]);
        assert_eq!(spent(0.75), [1, 2, 4]);
        assert_eq!(spent(0.95), [1, 2]);
        assert_eq!(spent(1.0), [1, 2]);
        assert_eq!(spent(7.0), [1, 2]);
    }

    #[test]
    fn the_budget_nearer_to_its_end_counts() {
        let settings = [(DAY.0, DAY.1.into()), ("per-hour", 1e17.into())];
        let job = |hour, day| {
            Job::new()
                .number("spend/hour", hour)
                .number("spend/day", day)
        };
        assert_eq!(judge(&settings, job(1e17, 1e17)).order, [1, 2]);
        assert_eq!(judge(&settings, job(1e15, 1e18)).order, [1, 2]);
        assert_eq!(judge(&settings, job(1e15, 1e17)).verdict, Verdict::Abstain);
    }

    #[test]
    fn a_spent_budget_can_refuse_the_job() {
        let settings = [(DAY.0, DAY.1.into()), ("spent", testing::text("reject"))];
        let verdict = judge(&settings, Job::new().number("spend/day", 1e18)).verdict;
        assert!(matches!(verdict, Verdict::Reject(refusal) if refusal.status == 429));
        let nearly = judge(&settings, Job::new().number("spend/day", 0.99e18));
        assert_eq!(nearly.order, [1, 2]);
    }

    #[test]
    fn what_is_not_known_or_not_limited_is_no_opinion() {
        let unknown = judge(&[(DAY.0, DAY.1.into())], Job::new());
        assert_eq!(unknown.verdict, Verdict::Abstain);
        let unlimited = judge(&[], Job::new().number("spend/day", 1e30));
        assert_eq!(unlimited.verdict, Verdict::Abstain);
    }

    #[test]
    fn a_budget_that_binds_only_at_its_end_does_so_at_once() {
        let settings = [(DAY.0, DAY.1.into()), ("start", 1.into())];
        let at = |wei| {
            judge(&settings, Job::new().number("spend/day", wei))
                .order
                .len()
        };
        assert_eq!((at(0.99e18), at(1e18)), (6, 2));
    }
}
