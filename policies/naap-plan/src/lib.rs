//! Runs a discovery plan of NaaP's orchestrator leaderboard, on live data and for every job.
//!
//! # Contract
//!
//! The setting `plan` is the JSON that NaaP's API takes and gives. Its order of work is kept: hard filters, SLA score, minimum score, sort,
//! topN; so are its defaults, its rounding to three decimals, and what unknown is worth in a score (a half). Jobs whose capability and
//! model are both not in the plan are none of its business: no opinion.
//!
//! # Where the numbers come from
//!
//! | NaaP | here |
//! |---|---|
//! | best and average latency | `latency-ms/p50`, as measured by this gateway for the workload |
//! | swap ratio | 1 − `success-rate`: the share of attempts that made a stream leave |
//! | price | `price`, wei per unit |
//! | avail | `capacity-free` |
//! | GPU memory | `gpu/memory-gb`, on hosts that have it |
//!
//! # Why the unknown passes a filter
//!
//! NaaP leaves out rows without a measurement, and can: others measure for it. Here an orchestrator that is left out until it
//! is measured would never be, so the unknown passes unless `unknown = "exclude"`.
#![deny(unsafe_code)]

mod plan;

use pointsman_sdk::prelude::*;
use pointsman_sdk::{Exclusion, Ranking};

use plan::{DiscoveryPlan, SortBy};

/// A plan, ready to run.
#[derive(Debug)]
pub struct NaapPlan {
    /// None: the settings are wrong, and the host has been told.
    run: Option<Run>,
}

#[derive(Debug)]
struct Run {
    capabilities: Vec<Symbol>,
    filters: Vec<Filter>,
    unknown_passes: bool,
    /// Of latency, swap rate and price; None: no SLA score.
    weights: Option<[f64; 3]>,
    min_score: Option<f64>,
    sort: Option<SortBy>,
    top: usize,
    latency: Numbers,
    success: Numbers,
    price: Numbers,
    avail: Counts,
    /// Of a stream that stays: its orchestrator and whether that rests.
    kept: Option<(Marks, Counts)>,
    below: Cause,
    behind: Cause,
    unmeasured: Cause,
}

/// One hard filter: a number within a bound.
#[derive(Debug)]
struct Filter {
    column: Numbers,
    /// Of swap ratios: 1 - the column.
    inverted: bool,
    bound: Bound,
    cause: Cause,
}

#[derive(Debug)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// One row that is still in.
#[derive(Clone, Copy, Debug)]
struct Rated {
    row: u32,
    score: f64,
    /// Least is best.
    key: f64,
}

/// What a plan has as topN when it says nothing.
const DEFAULT_TOP_N: u32 = 10;

// === impl NaapPlan ===

impl Policy for NaapPlan {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let json = settings.text("plan");
        let unknown_passes = settings.choice("unknown", &["pass", "exclude"]) == 0;
        let keep = settings.flag("keep", true);
        let json = json.map(|json| json.text).unwrap_or_default();
        match DiscoveryPlan::parse(&json) {
            Ok(discovery) => Self {
                run: Some(Run::new(&discovery, unknown_passes, keep, plan)),
            },
            Err(problem) => {
                settings.problem("plan", problem);
                Self { run: None }
            }
        }
    }
}

impl Selection for NaapPlan {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        match &self.run {
            Some(run) if run.is_about(job) => run.judge(candidates),
            _ => Verdict::Abstain,
        }
    }
}

// === impl Run ===

impl Run {
    fn new(
        discovery: &DiscoveryPlan<'_>,
        unknown_passes: bool,
        keep: bool,
        plan: &mut Plan,
    ) -> Self {
        let names = discovery.capabilities.iter();
        Self {
            capabilities: names.map(|name| symbol(name)).collect(),
            filters: filters(discovery, plan),
            unknown_passes,
            weights: discovery.scores().then(|| discovery.weights()),
            min_score: discovery.sla_min_score,
            sort: discovery.sort_by,
            top: discovery.top_n.unwrap_or(DEFAULT_TOP_N) as usize,
            latency: plan.numbers("latency-ms/p50"),
            success: plan.numbers("success-rate"),
            price: plan.numbers("price"),
            avail: plan.counts("capacity-free"),
            kept: keep.then(|| (plan.marks("incumbent"), plan.counts("rest-ms"))),
            below: plan.cause("SLA score below the plan's minimum"),
            behind: plan.cause("not among the plan's topN"),
            unmeasured: plan.cause("what the plan filters by is not known"),
        }
    }

    fn is_about(&self, job: &Job) -> bool {
        let named = |name: Symbol| name != 0 && self.capabilities.contains(&name);
        named(job.capability) || named(job.model)
    }

    fn judge(&self, candidates: &Candidates) -> Verdict {
        let mut excluded = Vec::new();
        let mut rated = Vec::new();
        for row in candidates.iter() {
            match self
                .filters
                .iter()
                .find_map(|filter| self.fails(filter, row))
            {
                Some(exclusion) => excluded.push(exclusion),
                None => rated.push(Rated {
                    row: row.index(),
                    score: 0.0,
                    key: 0.0,
                }),
            }
        }
        self.rate(candidates, &mut rated);
        if let Some(least) = self.min_score {
            let below = rated.extract_if(.., |rated| rated.score < least);
            excluded.extend(below.map(|rated| self.below.value(rated.score).at(rated.row)));
        }
        self.sort(candidates, &mut rated);
        if let Some(place) = self.stays(candidates, &rated) {
            rated[..=place].rotate_right(1);
        }
        let behind = rated.split_off(self.top.min(rated.len()));
        excluded.extend(behind.iter().map(|rated| self.behind.at(rated.row)));
        let order = rated.iter().map(|rated| rated.row).collect();
        Verdict::Order(Ranking { excluded, order })
    }

    fn fails(&self, filter: &Filter, row: Row<'_>) -> Option<Exclusion> {
        let Some(value) = row.get(filter.column) else {
            return (!self.unknown_passes).then(|| self.unmeasured.at(row.index()));
        };
        let value = if filter.inverted { 1.0 - value } else { value };
        let passes = match filter.bound {
            Bound::AtLeast(least) => value >= least,
            Bound::AtMost(most) => value <= most,
        };
        (!passes).then(|| filter.cause.value(value).at(row.index()))
    }

    /// The SLA scores: of each number its place between the worst and the best of all rows that are in, weighted.
    fn rate(&self, candidates: &Candidates, rated: &mut [Rated]) {
        let Some(weights) = self.weights else { return };
        // A success rate is better when it is higher; as a swap ratio it would only be turned twice.
        let terms = [
            (self.latency, false),
            (self.success, true),
            (self.price, false),
        ];
        for ((column, higher), weight) in terms.into_iter().zip(weights) {
            let values = candidates.numbers(column);
            let known = || {
                let values = rated.iter().map(|rated| values[rated.row as usize]);
                values.filter(|value| !value.is_nan())
            };
            let (least, most) = (
                known().fold(f64::INFINITY, f64::min),
                known().fold(f64::NEG_INFINITY, f64::max),
            );
            for rated in &mut *rated {
                let value = values[rated.row as usize];
                let place = (value - least) / (most - least);
                rated.score += weight
                    * match value {
                        unknown if unknown.is_nan() => 0.5,
                        _ if least == most => 1.0,
                        _ if higher => place,
                        _ => 1.0 - place,
                    };
            }
        }
        for rated in rated {
            rated.score = (rated.score * 1000.0 + 0.5).floor() / 1000.0;
        }
    }

    /// Best first; equals stay as they came. Without `sortBy` by score, and without scores as the stages before left it.
    fn sort(&self, candidates: &Candidates, rated: &mut [Rated]) {
        for rated in &mut *rated {
            let row = candidates.row(rated.row);
            rated.key = match self.sort {
                None | Some(SortBy::SlaScore) => -rated.score,
                Some(SortBy::Latency) => row.or(self.latency, f64::INFINITY),
                Some(SortBy::Price) => row.or(self.price, 0.0),
                Some(SortBy::SwapRate) => row.get(self.success).map_or(f64::INFINITY, |rate| -rate),
                Some(SortBy::Avail) => -(row.or(self.avail, 0) as f64),
            };
        }
        rated.sort_by(|a, b| a.key.total_cmp(&b.key));
    }

    /// The place of the stream's own orchestrator, when it is good enough to stay.
    fn stays(&self, candidates: &Candidates, rated: &[Rated]) -> Option<usize> {
        let (incumbent, rest) = self.kept?;
        rated.iter().take(self.top).position(|rated| {
            let row = candidates.row(rated.row);
            row.yes(incumbent) && row.or(rest, 0) == 0
        })
    }
}

/// The filters that the plan sets.
fn filters(discovery: &DiscoveryPlan<'_>, plan: &mut Plan) -> Vec<Filter> {
    let wanted = discovery.filters.unwrap_or_default();
    let mut filters = Vec::new();
    let mut add = |bound: Option<Bound>, column, inverted, cause| {
        if let Some(bound) = bound {
            filters.push(Filter {
                column: plan.numbers(column),
                inverted,
                bound,
                cause: plan.cause(cause),
            });
        }
    };
    let gpu = "?gpu/memory-gb";
    let (least, most) = (wanted.gpu_ram_gb_min, wanted.gpu_ram_gb_max);
    add(
        least.map(Bound::AtLeast),
        gpu,
        false,
        "GPU memory below the plan's gpuRamGbMin, GB",
    );
    add(
        most.map(Bound::AtMost),
        gpu,
        false,
        "GPU memory above the plan's gpuRamGbMax, GB",
    );
    let most = wanted.price_max.map(Bound::AtMost);
    add(
        most,
        "price",
        false,
        "price above the plan's priceMax, wei per unit",
    );
    let most = wanted.max_avg_latency_ms.map(Bound::AtMost);
    add(
        most,
        "latency-ms/p50",
        false,
        "latency above the plan's maxAvgLatencyMs, ms",
    );
    let most = wanted.max_swap_ratio.map(Bound::AtMost);
    add(
        most,
        "success-rate",
        true,
        "swap ratio above the plan's maxSwapRatio",
    );
    filters
}

export!(NaapPlan, settings = "settings.schema.json");

#[cfg(test)]
mod tests;
