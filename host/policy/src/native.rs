//! Policies linked natively: the twin behind `on-failure = "default"`, and the yardstick of the benchmarks.
//!
//! The twin is the same policy crates, so it gives the same answers; it needs no engine and cannot run out of fuel. Who
//! knows those crates injects it: this crate knows none of them. Its answers pass the same checks as a component's.

use crate::bundle::Setting;
use crate::fault::Hook;
use crate::wit::{
    Attempt, Bargain, Job, Patience, Plan, Price, Problem, Recovery, Remedy, Request, Routing,
    Table, Verdict,
};

/// Natively linked policies, by the name of their component.
pub trait NativeBundle: Send + Sync {
    /// The policy called `component` (file name without `.wasm`), configured for `hook` with `settings`.
    ///
    /// `None`: there is no such policy. `Some(Err(_))`: it refuses the settings.
    fn stage(
        &self,
        component: &str,
        hook: Hook,
        settings: &[Setting],
    ) -> Option<Result<Box<dyn NativeStage>, Vec<Problem>>>;
}

/// One configured policy. It implements what it was configured for; the rest abstains.
///
/// Calls come from many threads at once, and an answer must follow from the arguments alone.
pub trait NativeStage: Send + Sync {
    /// What the hook wants to be given, and its causes.
    fn plan(&self) -> Plan;

    /// See `selection.judge` in `wit/policy.wit`.
    fn judge(&self, job: &Job<'_>, candidates: &Table<'_>) -> Verdict {
        let _ = (job, candidates);
        Verdict::Abstain
    }

    /// See `byoc.route`.
    fn route(&self, job: &Job<'_>, request: &Request<'_>) -> Routing {
        let _ = (job, request);
        Routing::Abstain
    }

    /// See `failover.on-failure`.
    fn on_failure(&self, job: &Job<'_>, attempts: &[Attempt], remaining: &Table<'_>) -> Remedy {
        let _ = (job, attempts, remaining);
        Remedy {
            rest_ms: 0,
            recovery: Recovery::Abstain,
        }
    }

    /// See `failover.on-slow`.
    fn on_slow(&self, job: &Job<'_>, attempts: &[Attempt], remaining: &Table<'_>) -> Patience {
        let _ = (job, attempts, remaining);
        Patience::Abstain
    }

    /// See `failover.on-price-change`.
    fn on_price_change(
        &self,
        job: &Job<'_>,
        before: Price,
        after: Price,
        remaining: &Table<'_>,
    ) -> Bargain {
        let _ = (job, before, after, remaining);
        Bargain::Abstain
    }
}
