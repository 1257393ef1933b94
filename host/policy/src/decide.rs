//! One decision, from the question to its record.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use parking_lot::Mutex;
use pointsman_facts::{Candidates, Column, Job, Kept, Values};

use crate::bundle::OnFailure;
use crate::chain::{Chain, Failed, Manner, Outcome, Refusal};
use crate::decision::{Decision, Fallback};
use crate::fault::{Fault, Hook};
use crate::generation::Generation;
use crate::host::{Active, Selection, Shared};
use crate::metrics::Metrics;
use crate::observe::Watch;
use crate::purity::{self, Again};
use crate::trial::{Asked, Counted, Shadow};

/// An outcome, and how it came about.
struct Answered<'a> {
    outcome: Outcome,
    fault: Option<Fault>,
    fallback: Option<Fallback>,
    /// Who answered in the end.
    chain: &'a Chain,
}

/// How much more rarely than selections failover is asked, about.
const RARER: u32 = 100;

// === impl Active ===

impl Active {
    /// Who decides about `job`, and whether that is the canary.
    pub(crate) fn asked(&self, job: &Job) -> (&Arc<Generation>, bool) {
        match &self.canary {
            Some(canary) if canary.has(job) => (&canary.generation, true),
            _ => (&self.current, false),
        }
    }

    /// The canary, or the active generation.
    pub(crate) fn decides(&self, on_canary: bool) -> &Generation {
        match &self.canary {
            Some(canary) if on_canary => &canary.generation,
            _ => &self.current,
        }
    }
}

// === impl Shared ===

impl Shared {
    /// Decides who gets `job`, which `before` was about too.
    pub(crate) fn select(
        &self,
        active: &Active,
        job: Arc<Job>,
        candidates: &dyn Candidates,
        before: Option<&Selection>,
        started: Instant,
    ) -> Selection {
        let (generation, on_canary) = active.asked(&job);
        let number = generation.decisions.fetch_add(1, Ordering::Relaxed);
        let observer = self
            .observer
            .get()
            .filter(|observer| observer.watches(&job));
        let shadow = active
            .shadow
            .as_ref()
            .filter(|shadow| !on_canary && shadow.wants(&job));
        let checked = self.samples(Hook::Selection, number);
        let keep = observer.is_some() || shadow.is_some() || checked;
        let kept = keep.then(|| candidates.keep()).flatten();
        let candidates: &dyn Candidates = match &kept {
            Some(kept) => &**kept,
            None => candidates,
        };
        let mut manner = Manner::warm(checked && kept.is_some());
        let answered = self.answer(active, on_canary, &job, candidates, &mut manner);
        let decision = self.record(&job, candidates, (generation, on_canary), answered, started);
        if let (Some(kept), Some(marks)) = (&kept, manner.marks) {
            self.check_again(&job, kept, generation, &decision, marks);
        }
        if let Some(shadow) = shadow {
            self.put_to_shadow(shadow, &job, kept.as_ref(), &decision);
        }
        let watch = kept.zip(observer).map(|(candidates, observer)| Watch {
            observer: Arc::clone(observer),
            job,
            candidates,
            unpriced_passes: self.config.unpriced_passes,
        });
        let counted = match before.and_then(|before| before.counted.as_ref()) {
            Some(counted) => {
                counted.again(Arc::clone(&decision));
                Some(Arc::clone(counted))
            }
            None => active.canary.as_ref().map(|canary| {
                let (canary, decision) = (Arc::clone(canary), Arc::clone(&decision));
                Arc::new(Counted::new(canary, on_canary, decision, self.this.clone()))
            }),
        };
        Selection {
            decision,
            generation: Arc::clone(generation),
            watch,
            counted,
        }
    }

    /// Whether the question of that number to `hook` is asked again.
    pub(crate) fn samples(&self, hook: Hook, number: u64) -> bool {
        self.config.purity_sample.is_some_and(|one_in| {
            let one_in = match hook {
                Hook::Selection | Hook::Byoc => one_in.get(),
                Hook::Failover => one_in.get().div_ceil(RARER),
            };
            let one_in = u64::from(one_in);
            number % one_in == one_in - 1
        })
    }

    /// Has fresh instances asked the same in the background. A decision with a fault was counted already.
    fn check_again(
        &self,
        job: &Arc<Job>,
        candidates: &Arc<dyn Kept>,
        generation: &Arc<Generation>,
        decision: &Decision,
        marks: Vec<u64>,
    ) {
        if decision.fault.is_some() || generation.is_none() {
            return;
        }
        let passes = self.config.unpriced_passes;
        self.check(Again {
            job: Arc::clone(job),
            what: purity::Asked::Selection(Arc::clone(candidates), passes),
            generation: Arc::clone(generation),
            marks,
        });
    }

    /// Has it checked in the background, if there is room.
    pub(crate) fn check(&self, again: Again) {
        let counts = Arc::clone(&self.purity);
        if !self.background.offer(move || again.check(&counts)) {
            self.purity.dropped.fetch_add(1, Ordering::Relaxed);
            Metrics::checked("dropped");
        }
    }

    /// Has the shadow asked the same in the background. Where the active generation was faulty there is nothing to compare with.
    fn put_to_shadow(
        &self,
        shadow: &Arc<Shadow>,
        job: &Arc<Job>,
        candidates: Option<&Arc<dyn Kept>>,
        decision: &Arc<Decision>,
    ) {
        if decision.fault.is_some() {
            return;
        }
        let Some(candidates) = candidates else {
            shadow.dropped();
            return;
        };
        let asked = Asked {
            job: Arc::clone(job),
            candidates: Arc::clone(candidates),
            decision: Arc::clone(decision),
            unpriced_passes: self.config.unpriced_passes,
        };
        let queued = Arc::clone(shadow);
        if !self.background.offer(move || queued.compare(&asked)) {
            shadow.dropped();
        }
    }

    fn answer<'a>(
        &self,
        active: &'a Active,
        on_canary: bool,
        job: &Job,
        candidates: &dyn Candidates,
        manner: &mut Manner,
    ) -> Answered<'a> {
        let generation = active.decides(on_canary);
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
        let failed = match chain.select(job, candidates, passes, manner) {
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
        let instead = self.instead(active, on_canary, &failed, |chain| {
            chain.select(job, candidates, passes, &mut Manner::default())
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

    /// What the fallback says; `None` where the job is to be refused.
    pub(crate) fn instead<'a, T>(
        &self,
        active: &'a Active,
        on_canary: bool,
        failed: &Failed,
        ask: impl FnOnce(&Chain) -> Result<T, Failed>,
    ) -> Option<(Fallback, T, &'a Chain)> {
        if failed.required {
            return None;
        }
        let generation = active.decides(on_canary);
        let (fallback, chain) = match generation.on_failure {
            OnFailure::Reject => return None,
            OnFailure::Default => (Fallback::Native, generation.native.as_ref()?),
            OnFailure::Previous => {
                // Before a canary is who decides for the others.
                let previous = if on_canary {
                    &*active.current
                } else {
                    active.previous.as_deref()?
                };
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
        (generation, canary): (&Generation, bool),
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
            hints: job.wishes().map(Box::new),
            seed: job.seed,
            at_ms: job.now_ms,
            took,
            generation: generation.number(),
            canary,
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

pub(crate) fn nothing_active() -> Refusal {
    Refusal::host("no-policy", "no routing policy is active")
}

fn ids(candidates: &dyn Candidates) -> Box<[u64]> {
    let rows = candidates.rows();
    match candidates.values(&Column::Id) {
        Values::Symbols(symbols) if symbols.len() == rows => symbols.into_owned().into(),
        _ => (0..rows).map(|row| candidates.id(row).0).collect(),
    }
}
