//! Sums over all decisions, and what they say.

use std::collections::BTreeMap;
use std::sync::Arc;

use pointsman_facts::{Price as Exact, Symbol, Workload};
use serde::Serialize;

use super::Compared;
use super::side::Side;
use crate::read::{Policy, Remark};

/// What another bundle would have done with recorded traffic.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The bundle that was asked.
    pub bundle: Bundled,
    /// Decisions that were replayed.
    pub decisions: u64,
    /// Of those, how many came out the same to the last bit: order, scores, exclusions and all.
    pub identical: u64,
    /// When the first and the last were made, unix ms.
    pub from_ms: Option<u64>,
    /// See `from_ms`.
    pub to_ms: Option<u64>,
    /// Under which bundles they were recorded.
    pub recorded: Vec<Under>,
    /// By kind of work.
    pub workloads: Vec<WorkloadReport>,
    /// Files that could not be read to their end.
    pub remarks: Vec<Remark>,
}

/// A bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Bundled {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its digest, 64 hexadecimal digits.
    pub digest: String,
}

/// Decisions that were recorded under one bundle.
#[derive(Clone, Debug, Serialize)]
pub struct Under {
    /// Which.
    #[serde(flatten)]
    pub bundle: Bundled,
    /// Whether it is the one that was asked again. Then every decision should be identical, but for those that ran out of time.
    pub same: bool,
    /// How many decisions.
    pub decisions: u64,
    /// How many came out the same to the last bit.
    pub identical: u64,
}

/// One kind of work.
#[derive(Clone, Debug, Serialize)]
pub struct WorkloadReport {
    /// Which.
    pub workload: Workload,
    /// How many decisions.
    pub decisions: u64,
    /// How many have the same first choice.
    pub same_first: u64,
    /// How often each orchestrator is first, most often before first.
    pub orchestrators: Vec<Orchestrator>,
    /// Price of the first choice, wei per unit.
    pub price: Price,
    /// Median answer time of the first choice, from its own history then; the mean of that, ms.
    pub latency_ms: Stat,
    /// Share of failed attempts of the first choice, likewise.
    pub failure_rate: Stat,
    /// Candidates taken out, by stage and cause.
    pub excluded: Vec<Exclusions>,
    /// Jobs refused, by cause.
    pub refused: Vec<Refusals>,
    /// Decisions in which a policy was faulty.
    pub faults: [u64; 2],
}

/// How often an orchestrator is first: before, after.
#[derive(Clone, Debug, Serialize)]
pub struct Orchestrator {
    /// Its identity, 16 hexadecimal digits.
    pub id: String,
    /// Where it is asked.
    pub address: Option<String>,
    /// Decisions, before and after.
    pub first: [u64; 2],
}

/// Prices before and after.
#[derive(Clone, Debug, Serialize)]
pub struct Price {
    /// The exact median, `num/den`.
    pub median: [Option<String>; 2],
    /// The mean, as a float for people to read.
    pub mean: [Option<f64>; 2],
    /// First choices that quoted a price.
    pub known: [u64; 2],
}

/// A mean before and after.
#[derive(Clone, Debug, Serialize)]
pub struct Stat {
    /// The mean of what is known.
    pub mean: [Option<f64>; 2],
    /// First choices of which it was known.
    pub known: [u64; 2],
}

/// Candidates taken out for one cause.
#[derive(Clone, Debug, Serialize)]
pub struct Exclusions {
    /// The stage; `host` for the host's own invariants.
    pub stage: String,
    /// Its words.
    pub cause: String,
    /// How many, before and after.
    pub candidates: [u64; 2],
}

/// Jobs refused for one cause.
#[derive(Clone, Debug, Serialize)]
pub struct Refusals {
    /// The words of whoever refused.
    pub cause: String,
    /// How many, before and after.
    pub jobs: [u64; 2],
}

/// Sums.
#[derive(Default)]
pub(super) struct Totals {
    decisions: u64,
    identical: u64,
    span: Option<(u64, u64)>,
    under: BTreeMap<Bundled, (bool, u64, u64)>,
    workloads: BTreeMap<Workload, Sums>,
    addresses: BTreeMap<Symbol, String>,
}

#[derive(Default)]
struct Sums {
    decisions: u64,
    same_first: u64,
    first: BTreeMap<Symbol, [u64; 2]>,
    prices: [BTreeMap<Exact, u64>; 2],
    latency: [Mean; 2],
    failures: [Mean; 2],
    excluded: BTreeMap<(Arc<str>, Arc<str>), [u64; 2]>,
    refused: BTreeMap<String, [u64; 2]>,
    faults: [u64; 2],
}

#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: u64,
}

// === impl Totals ===

impl Totals {
    pub(super) fn add(&mut self, one: &Compared, same_bundle: bool) {
        let recorded = &one.recorded;
        let at = recorded.job.now_ms;
        let (from, to) = self.span.unwrap_or((at, at));
        self.span = Some((from.min(at), to.max(at)));
        self.decisions += 1;
        self.identical += u64::from(one.identical);
        let under = self.under.entry(Bundled::of(&recorded.policy)).or_default();
        under.0 = same_bundle;
        under.1 += 1;
        under.2 += u64::from(one.identical);
        for side in [&one.before, &one.after] {
            if let Some(first) = &side.first
                && !self.addresses.contains_key(&first.id)
                && let Some(address) = recorded.addresses.get(first.id)
            {
                self.addresses.insert(first.id, address.to_owned());
            }
        }
        let sums = self.workloads.entry(recorded.job.workload).or_default();
        sums.add(&one.before, &one.after);
    }

    pub(super) fn report(self, bundle: Bundled, remarks: Vec<Remark>) -> Report {
        let addresses = self.addresses;
        Report {
            bundle,
            decisions: self.decisions,
            identical: self.identical,
            from_ms: self.span.map(|span| span.0),
            to_ms: self.span.map(|span| span.1),
            recorded: self
                .under
                .into_iter()
                .map(|(bundle, (same, decisions, identical))| Under {
                    bundle,
                    same,
                    decisions,
                    identical,
                })
                .collect(),
            workloads: self
                .workloads
                .into_iter()
                .map(|(workload, sums)| sums.report(workload, &addresses))
                .collect(),
            remarks,
        }
    }
}

// === impl Sums ===

impl Sums {
    fn add(&mut self, before: &Side, after: &Side) {
        self.decisions += 1;
        let id = |side: &Side| side.first.as_ref().map(|first| first.id);
        self.same_first += u64::from(id(before) == id(after));
        for (place, side) in [before, after].into_iter().enumerate() {
            if let Some(first) = &side.first {
                self.first.entry(first.id).or_default()[place] += 1;
                if let Some(price) = first.price {
                    *self.prices[place].entry(price).or_default() += 1;
                }
                self.latency[place].add(first.latency);
                self.failures[place].add(first.failures);
            }
            for (cause, count) in &side.excluded {
                self.excluded.entry(cause.clone()).or_default()[place] += count;
            }
            if let Some(cause) = &side.refused {
                self.refused.entry(cause.clone()).or_default()[place] += 1;
            }
            self.faults[place] += u64::from(side.faulty);
        }
    }

    fn report(self, workload: Workload, addresses: &BTreeMap<Symbol, String>) -> WorkloadReport {
        let mut orchestrators: Vec<_> = self
            .first
            .into_iter()
            .map(|(id, first)| Orchestrator {
                id: id.to_string(),
                address: addresses.get(&id).cloned(),
                first,
            })
            .collect();
        orchestrators.sort_by_key(|one| std::cmp::Reverse(one.first));
        WorkloadReport {
            workload,
            decisions: self.decisions,
            same_first: self.same_first,
            orchestrators,
            price: Price {
                median: [0, 1]
                    .map(|side| median(&self.prices[side]).map(|price| price.to_string())),
                mean: [0, 1].map(|side| mean(&self.prices[side])),
                known: [0, 1].map(|side| self.prices[side].values().sum()),
            },
            latency_ms: stat(self.latency),
            failure_rate: stat(self.failures),
            excluded: self
                .excluded
                .into_iter()
                .map(|((stage, cause), candidates)| Exclusions {
                    stage: stage.to_string(),
                    cause: cause.to_string(),
                    candidates,
                })
                .collect(),
            refused: self
                .refused
                .into_iter()
                .map(|(cause, jobs)| Refusals { cause, jobs })
                .collect(),
            faults: self.faults,
        }
    }
}

/// The price in the middle; the lower of two.
fn median(prices: &BTreeMap<Exact, u64>) -> Option<Exact> {
    let count: u64 = prices.values().sum();
    let mut left = count.checked_sub(1)? / 2;
    for (price, &times) in prices {
        if left < times {
            return Some(*price);
        }
        left -= times;
    }
    None
}

#[expect(clippy::cast_precision_loss, reason = "a mean for people to read")]
fn mean(prices: &BTreeMap<Exact, u64>) -> Option<f64> {
    let count: u64 = prices.values().sum();
    let sum: f64 = prices
        .iter()
        .map(|(price, &times)| price.to_f64() * times as f64)
        .sum();
    (count > 0).then(|| sum / count as f64)
}

fn stat(sides: [Mean; 2]) -> Stat {
    Stat {
        mean: sides.map(Mean::get),
        known: sides.map(|side| side.count),
    }
}

// === impl Mean ===

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a mean for people to read")]
    fn get(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

// === impl Bundled ===

impl Bundled {
    fn of(policy: &Policy) -> Self {
        Self {
            name: policy.name.clone(),
            version: policy.version.clone(),
            digest: policy.digest.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(of: &[(u64, u64, u64)]) -> BTreeMap<Exact, u64> {
        of.iter()
            .map(|&(num, den, times)| (Exact::new(num, den).expect("a price"), times))
            .collect()
    }

    #[test]
    fn the_median_is_exact_and_counts_every_decision() {
        let some = prices(&[(1, 3, 2), (1, 2, 1), (900, 1, 2)]);
        assert_eq!(median(&some), Exact::new(1, 2));
        assert_eq!(median(&prices(&[(1, 3, 2), (9, 1, 2)])), Exact::new(1, 3));
        assert_eq!(median(&prices(&[])), None);
        assert_eq!(mean(&prices(&[(1, 1, 3), (5, 1, 1)])), Some(2.0));
        assert_eq!(mean(&prices(&[])), None);
    }
}
