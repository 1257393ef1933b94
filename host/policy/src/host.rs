//! The policy host: asks the active generation, falls back when it is faulty, writes down what was decided.
//!
//! # Contract
//!
//! [`Host::select`] always answers, in microseconds, on the caller's thread: an order, or a refusal that says why. It
//! reads the active generation once; whatever is activated meanwhile concerns the next decision. [`Host::load`] does everything slow
//! (check, compile, configure) and changes nothing; [`Host::activate`] and [`Host::rollback`] are a pointer swap. So a
//! bundle that fails a check never becomes active, and no decision is lost to a swap.
//!
//! # Faults
//!
//! The first fault of any stage ends the chain for that job, and the *whole* chain falls back as the bundle's `on-failure`
//! says: half a chain of one generation and half of another would be a policy that nobody wrote. A fault in a `required` stage always refuses.
//! A generation that faults repeatedly is quarantined, and the one before it takes over; where there is none it stays, job by
//! job on its fallback, since nothing better can be put in its place.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use pointsman_facts::{Candidates, Column, Job, Kept, Values};

use crate::bundle::{Bundle, OnFailure};
use crate::chain::byoc::{Call, RouteOutcome, Terms};
use crate::chain::{Chain, Failed, Hedge, Outcome, Refusal};
use crate::decision::{Decision, DecisionLog, Fallback};
use crate::engine::{Allocation, Engine, EngineError};
use crate::fault::Fault;
use crate::fault::plain;
use crate::generation::{Generation, GenerationInfo};
use crate::history::{History, NothingBefore};
use crate::limits::Limits;
use crate::load::{LoadError, Loaded};
use crate::metrics::Metrics;
use crate::native::NativeBundle;
use crate::observe::{Observed, Observer, Watched};
use crate::route::{self, Route, RouteLog, Routed};

/// How the host is set up.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// What a policy may use up.
    pub limits: Limits,
    /// How instances get their memory.
    pub allocation: Allocation,
    /// Most decisions kept in memory.
    pub decisions: NonZeroUsize,
    /// Most bytes they may hold together, about.
    pub decision_bytes: usize,
    /// When a generation is taken out.
    pub quarantine: Quarantine,
    /// Whether a candidate of unknown price passes under a hard ceiling: yes where nobody quotes prices, no where money is paid.
    pub unpriced_passes: bool,
    /// Generations kept to roll back to, besides the active one.
    pub keep: NonZeroUsize,
}

/// How many faults are too many.
#[derive(Clone, Copy, Debug)]
pub struct Quarantine {
    /// So many faults …
    pub faults: NonZeroUsize,
    /// … within so long, by the jobs' clocks.
    pub within: Duration,
}

/// Loads, asks and swaps policies. Cheap to clone: all clones are one host.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    engine: Engine,
    twins: Option<Arc<dyn NativeBundle>>,
    pub(crate) active: ArcSwap<Active>,
    pub(crate) history: Mutex<History>,
    log: DecisionLog,
    routes: RouteLog,
    observer: OnceLock<Arc<dyn Observer>>,
    metrics: Metrics,
}

/// What a decision reads once.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) current: Arc<Generation>,
    pub(crate) previous: Option<Arc<Generation>>,
}

/// The answer to one job: who is tried in which order, or why nobody is.
#[derive(Clone, Debug)]
pub struct Selection {
    /// What was decided. Attempts are recorded here.
    pub decision: Arc<Decision>,
    /// The generation that was asked; the job's failover asks it too.
    pub generation: Arc<Generation>,
    /// Ends the watch when the last copy is gone.
    _watched: Option<Arc<Watched>>,
}

/// An outcome, and how it came about.
struct Answered<'a> {
    outcome: Outcome,
    fault: Option<Fault>,
    fallback: Option<Fallback>,
    /// Who answered in the end.
    chain: &'a Chain,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        const fn some(count: usize) -> NonZeroUsize {
            NonZeroUsize::new(count).expect("above zero")
        }
        Self {
            limits: Limits::default(),
            allocation: Allocation::default(),
            decisions: some(4096),
            decision_bytes: 32 << 20,
            quarantine: Quarantine {
                faults: some(5),
                within: Duration::from_secs(60),
            },
            unpriced_passes: true,
            keep: some(3),
        }
    }
}

// === impl Selection ===

impl Selection {
    /// Rows of the candidates, best first: the failover list. Empty when the job is refused.
    #[must_use]
    pub fn order(&self) -> &[u32] {
        self.decision.order()
    }

    /// When a slow first attempt may be doubled.
    #[must_use]
    pub fn hedge(&self) -> Hedge {
        self.decision.hedge
    }

    /// Why nobody gets the job.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.decision.refusal.as_ref()
    }
}

// === impl Host ===

impl Host {
    /// A host without a policy: it refuses every job until one is activated. Metrics go to the recorder that is
    /// installed when this is called.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the engine or its ticker cannot start.
    pub fn new(config: Config, twins: Option<Arc<dyn NativeBundle>>) -> Result<Self, EngineError> {
        let engine = Engine::new(config.allocation)?;
        let shared = Arc::new_cyclic(|weak| Shared {
            config,
            engine,
            twins,
            active: ArcSwap::from_pointee(Active {
                current: Arc::new(Generation::none(weak.clone())),
                previous: None,
            }),
            history: Mutex::default(),
            log: DecisionLog::new(config.decisions, config.decision_bytes),
            routes: RouteLog::default(),
            observer: OnceLock::new(),
            metrics: Metrics::new(),
        });
        Ok(Self { shared })
    }

    /// Checks, compiles and configures `bundle`: tens of milliseconds a component, blocking. Nothing changes yet.
    ///
    /// # Errors
    ///
    /// [`LoadError`], saying what to mend.
    pub fn load(&self, bundle: &Bundle) -> Result<Loaded, LoadError> {
        let shared = &self.shared;
        let twins = shared.twins.as_deref();
        Loaded::wasm(bundle, &shared.engine, &shared.config.limits, twins)
    }

    /// Loads `bundle` with its native twins in place of its components, for comparison.
    ///
    /// # Errors
    ///
    /// [`LoadError`] when a component has no twin or refuses its settings.
    pub fn load_native(&self, bundle: &Bundle) -> Result<Loaded, LoadError> {
        Loaded::native(bundle, self.shared.twins.as_deref())
    }

    /// Makes `loaded` the active generation and returns its number. `origin` says where it came from, for the listing.
    pub fn activate(&self, loaded: Loaded, origin: impl Into<String>) -> u64 {
        self.shared
            .activate(loaded, origin.into(), Arc::downgrade(&self.shared))
    }

    /// Brings back the generation before the active one and returns its number.
    ///
    /// # Errors
    ///
    /// [`NothingBefore`] when there is none.
    pub fn rollback(&self) -> Result<u64, NothingBefore> {
        self.shared.rollback()
    }

    /// Every generation that is still known, newest first.
    #[must_use]
    pub fn generations(&self) -> Vec<GenerationInfo> {
        self.shared.history.lock().list()
    }

    /// The active generation; its number is 0 as long as nothing was activated.
    #[must_use]
    pub fn active(&self) -> Arc<Generation> {
        Arc::clone(&self.shared.active.load().current)
    }

    /// The last decisions.
    #[must_use]
    pub fn decisions(&self) -> &DecisionLog {
        &self.shared.log
    }

    /// Lets `observer` look on from now on. There is one: `false`, and nothing changes, when there was one before.
    pub fn observe(&self, observer: Arc<dyn Observer>) -> bool {
        self.shared.observer.set(observer).is_ok()
    }

    /// Asks the byoc chain what a call of a custom container may ask for, before candidates are looked up. Without a byoc stage the call goes on as it
    /// came.
    #[must_use]
    pub fn route(&self, job: &Job, request: &Call) -> Routed {
        let started = Instant::now();
        let active = self.shared.active.load();
        self.shared.route(&active, job, request, started)
    }

    /// The last `most` calls that were routed, newest first.
    #[must_use]
    pub fn routes(&self, most: usize) -> Vec<Arc<Route>> {
        self.shared.routes.latest(most)
    }

    /// Decides who gets `job`.
    #[must_use]
    pub fn select(&self, job: &Job, candidates: &dyn Candidates) -> Selection {
        let started = Instant::now();
        let active = self.shared.active.load();
        let generation = Arc::clone(&active.current);
        generation.decisions.fetch_add(1, Ordering::Relaxed);
        let kept = self.shared.kept(job, candidates);
        let candidates: &dyn Candidates = match &kept {
            Some(kept) => &**kept,
            None => candidates,
        };
        let answered = self.shared.answer(&active, job, candidates);
        let decision = self
            .shared
            .record(job, candidates, &generation, answered, started);
        let watched = kept.and_then(|candidates| {
            let observed = Observed {
                job: job.clone(),
                candidates,
                generation: Arc::clone(&generation),
                decision: Arc::clone(&decision),
                unpriced_passes: self.shared.config.unpriced_passes,
            };
            let observer = Arc::clone(self.shared.observer.get()?);
            Some(Arc::new(Watched::new(observer, observed)))
        });
        Selection {
            decision,
            generation,
            _watched: watched,
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("active", &self.active())
            .finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    /// The candidates as they are now, where somebody looks on.
    fn kept(&self, job: &Job, candidates: &dyn Candidates) -> Option<Arc<dyn Kept>> {
        let observer = self.observer.get()?;
        observer.watches(job).then(|| candidates.keep()).flatten()
    }

    fn answer<'a>(
        &self,
        active: &'a Active,
        job: &Job,
        candidates: &dyn Candidates,
    ) -> Answered<'a> {
        let generation = &*active.current;
        let chain = &generation.chain;
        if generation.is_none() {
            return Answered {
                outcome: Outcome::refused(nothing_active()),
                fault: None,
                fallback: None,
                chain,
            };
        }
        let passes = self.config.unpriced_passes;
        let failed = match chain.select(job, candidates, passes) {
            Ok(outcome) => {
                return Answered {
                    outcome,
                    fault: None,
                    fallback: None,
                    chain,
                };
            }
            Err(failed) => failed,
        };
        generation.faulted(&failed.fault, job.now_ms);
        let passes = self.config.unpriced_passes;
        let instead = self.instead(active, &failed, |chain| {
            chain.select(job, candidates, passes)
        });
        let (fallback, outcome, chain) = instead.unwrap_or_else(|| {
            let refusal = generation.refusal(&failed.fault);
            (Fallback::Reject, Outcome::refused(refusal), chain)
        });
        Metrics::fallback(fallback);
        Answered {
            outcome,
            fault: Some(failed.fault),
            fallback: Some(fallback),
            chain,
        }
    }

    fn route(&self, active: &Active, job: &Job, request: &Call, started: Instant) -> Routed {
        let generation = &active.current;
        let refused = |refusal| RouteOutcome::refused(Terms::new(job, request), refusal);
        let (outcome, fault, fallback) = if generation.is_none() {
            (refused(nothing_active()), None, None)
        } else {
            match generation.chain.route(job, request) {
                Ok(outcome) => (outcome, None, None),
                Err(failed) => {
                    generation.faulted(&failed.fault, job.now_ms);
                    let instead = self.instead(active, &failed, |chain| chain.route(job, request));
                    let (fallback, outcome) = match instead {
                        Some((fallback, outcome, _)) => (fallback, outcome),
                        None => (Fallback::Reject, refused(generation.refusal(&failed.fault))),
                    };
                    Metrics::fallback(fallback);
                    (outcome, Some(failed.fault), Some(fallback))
                }
            }
        };
        Metrics::called(outcome.refusal.is_some());
        let dropped = outcome.steps.iter().flat_map(|step| &step.dropped);
        dropped.for_each(|&reason| Metrics::widening(reason));
        let terms = outcome.terms;
        let record = Arc::new(Route {
            id: self.routes.number(),
            job: job.id.clone(),
            at_ms: job.now_ms,
            took: started.elapsed(),
            generation: generation.number(),
            asked: plain(request.capability.clone(), route::MAX_NAME),
            capability: plain(terms.capability.clone(), route::MAX_NAME),
            steps: outcome.steps,
            only: terms.only.iter().map(Vec::len).min(),
            ignored: terms.ignore.len(),
            max_price: terms.job.max_price,
            timeout_ms: terms.job.deadline_ms,
            refusal: outcome.refusal,
            fault,
            fallback,
            fuel: outcome.fuel,
        });
        self.routes.push(Arc::clone(&record));
        Routed {
            terms,
            record,
            generation: Arc::clone(generation),
        }
    }

    /// What the fallback says; `None` where the job is to be refused.
    fn instead<'a, T>(
        &self,
        active: &'a Active,
        failed: &Failed,
        ask: impl FnOnce(&Chain) -> Result<T, Failed>,
    ) -> Option<(Fallback, T, &'a Chain)> {
        if failed.required {
            return None;
        }
        let (fallback, chain) = match active.current.on_failure {
            OnFailure::Reject => return None,
            OnFailure::Default => (Fallback::Native, active.current.native.as_ref()?),
            OnFailure::Previous => {
                let previous = active.previous.as_deref()?;
                (Fallback::Previous(previous.number()), &previous.chain)
            }
        };
        match ask(chain) {
            Ok(outcome) => Some((fallback, outcome, chain)),
            Err(again) => {
                Metrics::fault(&again.fault);
                tracing::debug!("the fallback is faulty too: {}", again.fault);
                None
            }
        }
    }

    fn record(
        &self,
        job: &Job,
        candidates: &dyn Candidates,
        generation: &Generation,
        answered: Answered<'_>,
        started: Instant,
    ) -> Arc<Decision> {
        let outcome = answered.outcome;
        outcome
            .drops
            .iter()
            .for_each(|drop| Metrics::dropped(drop.reason));
        let ids = ids(candidates);
        let took = started.elapsed();
        self.metrics
            .decided(outcome.refusal.is_some(), took.as_secs_f64());
        let decision = Arc::new(Decision {
            id: self.log.number(),
            job: job.id.clone(),
            workload: job.workload,
            affinity: job.affinity,
            sequence: job.sequence,
            seed: job.seed,
            at_ms: job.now_ms,
            took,
            generation: generation.number(),
            snapshot: candidates.snapshot(),
            hedge: outcome.hedge,
            refusal: outcome.refusal,
            fault: answered.fault,
            fallback: answered.fallback,
            fuel: outcome.fuel,
            ids,
            order: outcome.order,
            scores: outcome.scores,
            excluded: outcome.excluded,
            relaxed: outcome.relaxed,
            drops: outcome.drops,
            legend: Arc::clone(&answered.chain.legend),
            attempts: Mutex::default(),
        });
        self.log.push(Arc::clone(&decision));
        decision
    }

    /// Tells the metrics which generation is active now.
    pub(crate) fn announce(&self, generation: &Generation) {
        self.metrics.activated(generation.number());
    }
}

fn nothing_active() -> Refusal {
    Refusal::host("no-policy", "no routing policy is active")
}

fn ids(candidates: &dyn Candidates) -> Box<[u64]> {
    let rows = candidates.rows();
    match candidates.values(&Column::Id) {
        Values::Symbols(symbols) if symbols.len() == rows => symbols.into_owned().into(),
        _ => (0..rows).map(|row| candidates.id(row).0).collect(),
    }
}

/// Wall clock, unix ms, for listings only.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
