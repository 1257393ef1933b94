//! Which generation is active, which were before, and how one takes the place of another.
//!
//! Activation, rollback and quarantine are one move: the stack of generations changes under a lock that no decision
//! takes, then one pointer is swapped. Only generations that a rollback can reach keep their code; of older ones a line in the
//! listing is left.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use crate::chain::Chain;
use crate::generation::{Generation, GenerationInfo, State};
use crate::host::{Active, Shared, now_ms};
use crate::load::Loaded;
use crate::metrics::Metrics;
use crate::trial::{Canary, EndReason, Ended, Shadow};

/// The generations there are and were.
#[derive(Debug, Default)]
pub(crate) struct History {
    last_number: u64,
    /// Good ones in order of activation; the last is active.
    stack: Vec<Arc<Generation>>,
    /// What is left of the others, oldest first.
    gone: VecDeque<GenerationInfo>,
    pub(crate) shadow: Option<Arc<Shadow>>,
    pub(crate) canary: Option<Arc<Canary>>,
    /// Trials that are over, oldest first.
    pub(crate) ended: VecDeque<Ended>,
}

/// There is no generation to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no generation before the active one to go back to")]
pub struct NothingBefore;

/// Lines kept of generations whose code is gone.
const MAX_GONE: usize = 32;
/// Trials that are over and still told of.
const MAX_ENDED: usize = 16;

// === impl History ===

impl History {
    /// Newest first.
    pub(crate) fn list(&self) -> Vec<GenerationInfo> {
        let shadow = self.shadow.iter().map(|shadow| &shadow.generation);
        let canary = self.canary.iter().map(|canary| &canary.generation);
        let kept = self.stack.iter().chain(shadow).chain(canary);
        let kept = kept.map(|generation| generation.info());
        let mut all: Vec<_> = kept.chain(self.gone.iter().cloned()).collect();
        all.sort_by_key(|info| std::cmp::Reverse(info.number));
        all
    }

    pub(crate) fn active(&self) -> Option<&Arc<Generation>> {
        self.stack.last()
    }

    pub(crate) fn ended(&mut self, trial: Ended) {
        if self.ended.len() == MAX_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(trial);
    }

    pub(crate) fn retire(&mut self, generation: &Generation, state: State) {
        generation.set_state(state);
        generation.chain.cool();
        self.gone.push_back(generation.info());
        if self.gone.len() > MAX_GONE {
            self.gone.pop_front();
        }
    }

    /// Takes the active one off, if there is one below it.
    fn pop(&mut self, state: State) -> Option<Arc<Generation>> {
        if self.stack.len() < 2 {
            return None;
        }
        let popped = self.stack.pop()?;
        self.retire(&popped, state);
        Some(popped)
    }

    /// What decisions read.
    fn top(&self) -> Option<Active> {
        let (current, below) = self.stack.split_last()?;
        Some(Active {
            current: Arc::clone(current),
            previous: below.last().cloned(),
            shadow: self.shadow.clone(),
            canary: self.canary.clone(),
        })
    }
}

// === impl Shared ===

impl Shared {
    pub(crate) fn activate(&self, loaded: Loaded, origin: String) -> u64 {
        let mut history = self.history.lock();
        let generation = self.number(&mut history, loaded, origin);
        self.push(&mut history, generation)
    }

    /// A generation of `loaded`, with the next number.
    pub(crate) fn number(
        &self,
        history: &mut History,
        loaded: Loaded,
        origin: String,
    ) -> Arc<Generation> {
        history.last_number += 1;
        let number = history.last_number;
        Arc::new(Generation::new(number, origin, loaded, self.this.clone()))
    }

    /// Makes `generation` the active one.
    pub(crate) fn push(&self, history: &mut History, generation: Arc<Generation>) -> u64 {
        if let Some(before) = history.stack.last() {
            before.chain.cool();
        }
        history.stack.push(generation);
        if history.stack.len() > self.config.keep.get() + 1 {
            let oldest = history.stack.remove(0);
            history.retire(&oldest, State::Retired);
        }
        self.swap(history)
    }

    pub(crate) fn rollback(&self) -> Result<u64, NothingBefore> {
        let mut history = self.history.lock();
        history.pop(State::Retired).ok_or(NothingBefore)?;
        Ok(self.swap(&mut history))
    }

    /// Rolls back from generation `number` for its faults, unless it is not active any more.
    pub(crate) fn quarantine(&self, number: u64) {
        let mut history = self.history.lock();
        let Some(active) = history.stack.last().map(Arc::clone) else {
            return;
        };
        if active.number() != number {
            return;
        }
        if history.pop(State::Quarantined).is_none() {
            if !active.told.swap(true, Ordering::Relaxed) {
                tracing::error!(
                    generation = number,
                    "policies are faulty again and again, and there is no generation to go back to"
                );
            }
            return;
        }
        Metrics::quarantined();
        let back = self.swap(&mut history);
        tracing::error!(
            generation = number,
            back_to = back,
            "a generation was quarantined for repeated faults"
        );
    }

    /// Makes the top of the stack what decisions see, and returns its number. Trials were against what was there before: they end.
    fn swap(&self, history: &mut History) -> u64 {
        self.end_all(history, EndReason::Superseded);
        let Some(active) = history.top() else {
            return 0;
        };
        active.current.set_activated(now_ms());
        if let Some(previous) = &active.previous {
            previous.set_state(State::Previous);
        }
        let number = active.current.number();
        tracing::info!(
            generation = number,
            bundle = active.current.name(),
            version = active.current.version(),
            "policy activated"
        );
        self.announce(&active.current);
        self.active.store(Arc::new(active));
        number
    }

    /// Lets decisions see a trial that began or ended.
    pub(crate) fn publish(&self, history: &History) {
        if let Some(active) = history.top() {
            self.active.store(Arc::new(active));
        }
    }

    /// Who answers in place of generation `number`.
    pub(crate) fn last_good(&self, number: u64) -> Option<Arc<Generation>> {
        let active = self.active.load();
        if active.current.number() == number {
            return active.previous.clone();
        }
        Some(Arc::clone(&active.current)).filter(|current| !current.is_none())
    }
}

// === impl Generation ===

impl Generation {
    /// What is active before anything was activated: it refuses every job.
    pub(crate) fn none(host: Weak<Shared>) -> Self {
        Self::new(0, String::new(), Loaded::none(), host)
    }

    /// Whether this is [`Generation::none`].
    pub(crate) fn is_none(&self) -> bool {
        self.number() == 0
    }
}

impl Loaded {
    fn none() -> Self {
        Self {
            manifest: crate::bundle::Manifest {
                name: "none".to_owned(),
                version: "0".to_owned(),
                on_failure: crate::bundle::OnFailure::Reject,
                selection: Vec::new(),
                byoc: Vec::new(),
                failover: Vec::new(),
                limits: crate::limits::Tighter::default(),
                vectors: None,
            },
            digest: crate::bundle::Digest([0; 32]),
            chain: Chain::new(Vec::new(), Vec::new(), Vec::new(), Vec::new()),
            native: None,
            about: Vec::new(),
        }
    }
}
