//! The plan as NaaP writes it.
//!
//! Field names, ranges and defaults are those of the Orchestrator Leaderboard API (`plugins/orchestrator-leaderboard/docs/how-to-guide.md`
//! and `openapi.yaml` in livepeer/naap). What the API answers besides (`id`, `createdAt`) is taken and not looked at.

use serde::Deserialize;

/// A discovery plan.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiscoveryPlan<'a> {
    /// Pipelines or models; the plan is about jobs of these.
    #[serde(borrow)]
    pub(crate) capabilities: Vec<&'a str>,
    #[serde(rename = "topN")]
    pub(crate) top_n: Option<u32>,
    pub(crate) sort_by: Option<SortBy>,
    pub(crate) sla_weights: Option<SlaWeights>,
    pub(crate) sla_min_score: Option<f64>,
    pub(crate) filters: Option<Filters>,
    pub(crate) enabled: Option<bool>,
}

/// What the best is, best first.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SortBy {
    SlaScore,
    Latency,
    Price,
    SwapRate,
    Avail,
}

/// Weights of the SLA score.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SlaWeights {
    pub(crate) latency: Option<f64>,
    pub(crate) swap_rate: Option<f64>,
    pub(crate) price: Option<f64>,
}

/// Hard filters.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filters {
    pub(crate) gpu_ram_gb_min: Option<f64>,
    pub(crate) gpu_ram_gb_max: Option<f64>,
    pub(crate) price_max: Option<f64>,
    pub(crate) max_avg_latency_ms: Option<f64>,
    pub(crate) max_swap_ratio: Option<f64>,
}

/// NaaP's limits.
const MOST_CAPABILITIES: usize = 50;
const MOST_TOP_N: u32 = 1000;

/// Latency, swap rate, price.
const DEFAULT_WEIGHTS: [f64; 3] = [0.4, 0.3, 0.3];

// === impl DiscoveryPlan ===

impl<'a> DiscoveryPlan<'a> {
    /// Reads a plan.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what it should be.
    pub(crate) fn parse(json: &'a str) -> Result<Self, &'static str> {
        let (plan, _): (Self, usize) = serde_json_core::from_str(json).map_err(|_| {
            "must be a discovery plan as JSON: {\"capabilities\": [\"…\"], \"topN\": 10, …}, with NaaP's names and types"
        })?;
        plan.check()?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), &'static str> {
        let share = |value: Option<f64>| value.is_none_or(|value| (0.0..=1.0).contains(&value));
        let positive = |value: Option<f64>| value.is_none_or(|value| value >= 0.0);
        let plain = |name: &&str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let weights = self.sla_weights.unwrap_or_default();
        let filters = self.filters.unwrap_or_default();
        if self.enabled == Some(false) {
            Err("the plan is disabled; enable it, or leave the stage out")
        } else if !(1..=MOST_CAPABILITIES).contains(&self.capabilities.len())
            || !self.capabilities.iter().all(plain)
        {
            Err("capabilities must be 1 to 50 names of letters, digits, - and _")
        } else if self
            .top_n
            .is_some_and(|top| !(1..=MOST_TOP_N).contains(&top))
        {
            Err("topN must be from 1 to 1000")
        } else if ![
            weights.latency,
            weights.swap_rate,
            weights.price,
            self.sla_min_score,
        ]
        .into_iter()
        .all(share)
        {
            Err("slaWeights and slaMinScore must be from 0 to 1")
        } else if !share(filters.max_swap_ratio)
            || ![filters.gpu_ram_gb_min, filters.gpu_ram_gb_max]
                .into_iter()
                .chain([filters.price_max, filters.max_avg_latency_ms])
                .all(positive)
        {
            Err("filters must not be negative, and maxSwapRatio not above 1")
        } else {
            Ok(())
        }
    }

    /// Whether rows get an SLA score at all.
    pub(crate) fn scores(&self) -> bool {
        self.sla_weights.is_some()
            || self.sla_min_score.is_some()
            || self.sort_by == Some(SortBy::SlaScore)
    }

    /// Weights of latency, swap rate and price, with a sum of 1.
    pub(crate) fn weights(&self) -> [f64; 3] {
        let given = self.sla_weights.unwrap_or_default();
        let mut weights = DEFAULT_WEIGHTS;
        let given = [given.latency, given.swap_rate, given.price];
        for (weight, given) in weights.iter_mut().zip(given) {
            *weight = given.unwrap_or(*weight);
        }
        let sum: f64 = weights.iter().sum();
        if sum > 0.0 {
            weights.map(|weight| weight / sum)
        } else {
            DEFAULT_WEIGHTS
        }
    }
}
