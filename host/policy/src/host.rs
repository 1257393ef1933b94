//! The policy host: asks the active generation, falls back when it is faulty, writes down what was decided.
//!
//! # Contract
//!
//! [`Host::select`] always answers, in microseconds, on the caller's thread: an order, or a refusal that says why. It
//! reads the active generation once; whatever is activated meanwhile concerns the next decision. [`Host::load`] does everything slow
//! (check, compile, configure) and changes nothing; [`Host::activate`] and [`Host::rollback`] are a pointer swap. So a
//! bundle that fails a check never becomes active, and no decision is lost to a swap. A bundle can be tried first: `trial`.
//!
//! # Faults
//!
//! The first fault of any stage ends the chain for that job, and the *whole* chain falls back as the bundle's `on-failure`
//! says: half a chain of one generation and half of another would be a policy that nobody wrote. A fault in a `required` stage always refuses.
//! A generation that faults repeatedly is quarantined, and the one before it takes over; where there is none it stays, job by
//! job on its fallback, since nothing better can be put in its place.

use std::sync::{Arc, OnceLock, Weak};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use pointsman_facts::{Candidates, Job};

use crate::background::Background;
use crate::bundle::Bundle;
use crate::chain::byoc::Call;
use crate::chain::{Hedge, Refusal};
use crate::config::Config;
use crate::decision::{Decision, DecisionLog};
use crate::engine::{Engine, EngineError};
use crate::generation::{Generation, GenerationInfo};
use crate::history::{History, NothingBefore};
use crate::load::{LoadError, Loaded};
use crate::metrics::Metrics;
use crate::native::NativeBundle;
use crate::observe::{Observer, Watch};
use crate::purity;
use crate::route::{Route, RouteLog, Routed};
use crate::trial::{Canary, Counted, Shadow};

/// Loads, asks and swaps policies. Cheap to clone: all clones are one host.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    /// This, for those that outlive a call.
    pub(crate) this: Weak<Self>,
    engine: Arc<Engine>,
    twins: Option<Arc<dyn NativeBundle>>,
    pub(crate) active: ArcSwap<Active>,
    pub(crate) history: Mutex<History>,
    pub(crate) log: DecisionLog,
    pub(crate) routes: RouteLog,
    pub(crate) observer: OnceLock<Arc<dyn Observer>>,
    pub(crate) metrics: Metrics,
    pub(crate) background: Background,
    pub(crate) purity: Arc<purity::Counts>,
}

/// What a decision reads once.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) current: Arc<Generation>,
    pub(crate) previous: Option<Arc<Generation>>,
    pub(crate) shadow: Option<Arc<Shadow>>,
    pub(crate) canary: Option<Arc<Canary>>,
}

/// The answer to one job: who is tried in which order, or why nobody is. When it is dropped the job has ended.
#[derive(Debug)]
pub struct Selection {
    /// What was decided. Attempts are recorded here.
    pub decision: Arc<Decision>,
    /// The generation that was asked; the job's failover asks it too.
    pub generation: Arc<Generation>,
    pub(crate) watch: Option<Watch>,
    /// Counts the outcome then, while a canary runs.
    pub(crate) counted: Option<Arc<Counted>>,
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

impl Drop for Selection {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.take() {
            watch.end(&self.generation, &self.decision);
        }
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
        let cache = config.cache.as_deref();
        let cache = cache.map(|folder| (folder, config.cache_bytes));
        let engine = Arc::new(Engine::new(config.allocation, cache)?);
        let background = Background::start().map_err(|error| EngineError::of(&error))?;
        let shared = Arc::new_cyclic(|weak| Shared {
            this: weak.clone(),
            background,
            purity: Arc::default(),
            log: DecisionLog::new(config.decisions, config.decision_bytes),
            config,
            engine,
            twins,
            active: ArcSwap::from_pointee(Active {
                current: Arc::new(Generation::none(weak.clone())),
                previous: None,
                shadow: None,
                canary: None,
            }),
            history: Mutex::default(),
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
        self.shared.activate(loaded, origin.into())
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
    pub fn select(&self, job: impl Into<Arc<Job>>, candidates: &dyn Candidates) -> Selection {
        let started = Instant::now();
        let (job, active) = (job.into(), self.shared.active.load());
        self.shared.select(&active, job, candidates, None, started)
    }

    /// Decides again who gets the job that `before` was about, over candidates of now. It is a decision of its own, under whatever is active by now; only a
    /// canary's outcomes count the job once, by what both came to.
    #[must_use]
    pub fn select_again(
        &self,
        job: impl Into<Arc<Job>>,
        candidates: &dyn Candidates,
        before: &Selection,
    ) -> Selection {
        let started = Instant::now();
        let (job, active) = (job.into(), self.shared.active.load());
        self.shared
            .select(&active, job, candidates, Some(before), started)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("active", &self.active())
            .finish_non_exhaustive()
    }
}

/// Wall clock, unix ms, for listings only.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
