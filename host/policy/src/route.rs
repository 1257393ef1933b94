//! What was decided about a call of a custom container before candidates were looked up: the answer, and its record.
//!
//! A [`Route`] is to the byoc chain what a decision is to selection, and smaller: it tells which stage tightened what, what was dropped because it
//! would have widened, and why a call was refused. Names of orchestrators are counted and not kept, since an answer may hold many.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pointsman_facts::{Job, Price};
use serde::Serialize;

use crate::chain::byoc::{Call, RouteOutcome, Step, Terms};
use crate::chain::{Manner, Refusal};
use crate::decide::nothing_active;
use crate::decision::Fallback;
use crate::fault::{Fault, Hook, plain};
use crate::generation::Generation;
use crate::host::{Active, Shared};
use crate::metrics::Metrics;
use crate::purity::{Again, Asked};

/// The answer to one call: how it may be routed, or why it is not.
#[derive(Clone, Debug)]
pub struct Routed {
    /// What to select for: the job tightened, and who may get it.
    pub terms: Terms,
    /// What was decided.
    pub record: Arc<Route>,
    /// The generation that was asked.
    pub generation: Arc<Generation>,
}

/// One call routed.
#[derive(Clone, Debug, Serialize)]
pub struct Route {
    /// Its number in this process, from 1.
    pub id: u64,
    /// The job's name.
    pub job: String,
    /// When, unix ms.
    pub at_ms: u64,
    /// How long deciding took.
    #[serde(serialize_with = "micros", rename = "took_us")]
    pub took: Duration,
    /// The generation that was asked.
    pub generation: u64,
    /// The capability that was asked for, cut to 256 bytes.
    pub asked: String,
    /// The capability to use.
    pub capability: String,
    /// What each stage said, in the order asked.
    pub steps: Vec<Step>,
    /// How many orchestrators may get the job by the shortest list; `None`: any.
    pub only: Option<usize>,
    /// How many may not.
    pub ignored: usize,
    /// The ceiling that is left.
    pub max_price: Option<Price>,
    /// The time that is left, ms.
    pub timeout_ms: u32,
    /// Why nobody gets it.
    pub refusal: Option<Refusal>,
    /// What was wrong with a policy.
    pub fault: Option<Fault>,
    /// Who answered in its place.
    pub fallback: Option<Fallback>,
    /// Fuel that all stages used together; 0 natively.
    pub fuel: u64,
}

/// The last of them.
#[derive(Debug, Default)]
pub(crate) struct RouteLog {
    last: AtomicU64,
    kept: Mutex<VecDeque<Arc<Route>>>,
}

/// Records kept; each is some hundred bytes, its strings are cut.
const MOST: usize = 1024;
/// Longest name in a record, bytes.
const MAX_NAME: usize = 256;

// === impl Routed ===

impl Routed {
    /// Why nobody gets the job.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.record.refusal.as_ref()
    }
}

// === impl RouteLog ===

impl RouteLog {
    pub(crate) fn number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn push(&self, route: Arc<Route>) {
        let mut kept = self.kept.lock();
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(route);
    }

    /// Newest first.
    pub(crate) fn latest(&self, most: usize) -> Vec<Arc<Route>> {
        self.kept.lock().iter().rev().take(most).cloned().collect()
    }
}

// === impl Shared ===

impl Shared {
    /// Asks the byoc chain about `request`.
    pub(crate) fn route(
        &self,
        active: &Active,
        job: &Job,
        request: &Call,
        started: Instant,
    ) -> Routed {
        let (generation, on_canary) = active.asked(job);
        let id = self.routes.number();
        let mut manner = Manner::warm(self.samples(Hook::Byoc, id) && generation.chain.has_byoc());
        let refused = |refusal| RouteOutcome::refused(Terms::new(job, request), refusal);
        let (outcome, fault, fallback) = if generation.is_none() {
            (refused(nothing_active()), None, None)
        } else {
            match generation.chain.route(job, request, &mut manner) {
                Ok(outcome) => (outcome, None, None),
                Err(failed) => {
                    generation.faulted(&failed.fault, job.now_ms);
                    let instead = self.instead(active, on_canary, &failed, |chain| {
                        chain.route(job, request, &mut Manner::default())
                    });
                    let (fallback, outcome) = match instead {
                        Some((fallback, outcome, _)) => (fallback, outcome),
                        None => (Fallback::Reject, refused(generation.refusal(&failed.fault))),
                    };
                    Metrics::fallback(fallback);
                    (outcome, Some(failed.fault), Some(fallback))
                }
            }
        };
        if let Some(marks) = manner.marks.filter(|_| fault.is_none()) {
            self.check(Again {
                job: Arc::new(job.clone()),
                what: Asked::Byoc(request.clone()),
                generation: Arc::clone(generation),
                marks,
            });
        }
        Metrics::called(outcome.refusal.is_some());
        let dropped = outcome.steps.iter().flat_map(|step| &step.dropped);
        dropped.for_each(|&reason| Metrics::widening(reason));
        let terms = outcome.terms;
        let record = Arc::new(Route {
            id,
            job: job.id.clone(),
            at_ms: job.now_ms,
            took: started.elapsed(),
            generation: generation.number(),
            asked: plain(request.capability.clone(), MAX_NAME),
            capability: plain(terms.capability.clone(), MAX_NAME),
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
}

fn micros<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(took.as_secs_f64() * 1e6)
}
