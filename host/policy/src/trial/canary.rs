//! The canary: it decides for a share, and its outcomes are held against the rest.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use pointsman_facts::{Blame, Job};

use super::{CanaryReport, EndReason, Share, Side};
use crate::config::CanaryRule;
use crate::decision::Decision;
use crate::generation::Generation;
use crate::host::{Shared, now_ms};
use crate::metrics::Metrics;

/// A generation that decides for a share.
#[derive(Debug)]
pub(crate) struct Canary {
    pub(crate) generation: Arc<Generation>,
    share: Share,
    rule: CanaryRule,
    since_ms: u64,
    sides: Mutex<Sides>,
}

#[derive(Debug, Default)]
struct Sides {
    canary: Tally,
    active: Tally,
}

/// Outcomes of one side.
#[derive(Debug, Default)]
struct Tally {
    ok: u64,
    failed: u64,
    /// The last of them, oldest first; true: failed.
    recent: VecDeque<bool>,
}

/// What an outcome means for the canary.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// It goes on.
    Well,
    /// It is too much worse than the active generation: in words.
    Worse(String),
}

/// Counts a job's outcome when the last that holds it is gone: once, however many decisions it took.
#[derive(Debug)]
pub(crate) struct Counted {
    canary: Arc<Canary>,
    /// The canary decided it.
    ours: bool,
    decisions: Mutex<Vec<Arc<Decision>>>,
    host: Weak<Shared>,
}

/// Outcomes that a canary is judged by: it may turn bad after a thousand good ones.
const RECENT: usize = 256;

// === impl Canary ===

impl Canary {
    pub(super) fn new(generation: Arc<Generation>, share: Share, rule: CanaryRule) -> Self {
        Self {
            generation,
            share,
            rule,
            since_ms: now_ms(),
            sides: Mutex::default(),
        }
    }

    /// Whether it decides about `job`.
    pub(crate) fn has(&self, job: &Job) -> bool {
        self.share.has(job.affinity, self.generation.number())
    }

    /// Takes in how a job ended that the canary, or the active generation, decided.
    fn count(&self, ours: bool, ok: bool) -> Verdict {
        Metrics::tried(ours, ok);
        let mut sides = self.sides.lock();
        if ours {
            sides.canary.add(ok);
        } else {
            sides.active.add(ok);
        }
        let outcomes = sides.canary.recent.len();
        let (canary, active) = (sides.canary.rate(), sides.active.rate());
        if outcomes < self.rule.outcomes.get() as usize || canary - active <= self.rule.worse {
            return Verdict::Well;
        }
        Verdict::Worse(format!(
            "{:.1} % of its last {outcomes} jobs failed, and {:.1} % of the active generation's last {}",
            canary * 100.0,
            active * 100.0,
            sides.active.recent.len()
        ))
    }

    pub(super) fn report(&self) -> CanaryReport {
        let info = self.generation.info();
        let sides = self.sides.lock();
        CanaryReport {
            generation: info.number,
            name: info.name,
            version: info.version,
            share: self.share.get(),
            since_ms: self.since_ms,
            canary: sides.canary.side(),
            active: sides.active.side(),
            faults: info.faults,
            last_fault: info.last_fault,
        }
    }
}

// === impl Tally ===

impl Tally {
    fn add(&mut self, ok: bool) {
        if ok {
            self.ok += 1;
        } else {
            self.failed += 1;
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(!ok);
    }

    /// The share of failures. A side without outcomes has none, so a canary that has all the traffic is held against perfection.
    #[expect(clippy::cast_precision_loss, reason = "at most 256 outcomes")]
    fn rate(&self) -> f64 {
        let failed = self.recent.iter().filter(|failed| **failed).count();
        failed as f64 / self.recent.len().max(1) as f64
    }

    fn side(&self) -> Side {
        Side {
            ok: self.ok,
            failed: self.failed,
            failure_rate: self.rate(),
        }
    }
}

// === impl Counted ===

impl Counted {
    pub(crate) fn new(
        canary: Arc<Canary>,
        ours: bool,
        decision: Arc<Decision>,
        host: Weak<Shared>,
    ) -> Self {
        Self {
            canary,
            ours,
            decisions: Mutex::new(vec![decision]),
            host,
        }
    }

    /// The same job was decided again.
    pub(crate) fn again(&self, decision: Arc<Decision>) {
        self.decisions.lock().push(decision);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some(ok) = ended(self.decisions.get_mut()) else {
            return;
        };
        if let Verdict::Worse(detail) = self.canary.count(self.ours, ok)
            && let Some(host) = self.host.upgrade()
        {
            host.roll_back(self.canary.generation.number(), EndReason::Worse, &detail);
        }
    }
}

/// Whether the job of `decisions` ended well; `None` where none of them says anything of who chose.
fn ended(decisions: &[Arc<Decision>]) -> Option<bool> {
    let told = decisions.iter().filter_map(|decision| told(decision));
    told.reduce(|one, other| one || other)
}

/// Whether `decision` brought a result; `None` where it says nothing of who chose: nobody was known, it was cancelled, or its failures were the
/// input's or this gateway's.
fn told(decision: &Decision) -> Option<bool> {
    if let Some(refusal) = &decision.refusal {
        return (!refusal.knows_nobody()).then_some(false);
    }
    let attempts = decision.attempts.lock();
    if attempts.iter().any(|attempt| attempt.outcome.is_ok()) {
        return Some(true);
    }
    let telling = |failure: &pointsman_facts::Failure| match failure.blame {
        Blame::Input | Blame::Gateway => false,
        Blame::Orchestrator | Blame::Payment | Blame::Network => true,
    };
    let mut failures = attempts
        .iter()
        .filter_map(|attempt| attempt.outcome.as_ref().err());
    failures.any(telling).then_some(false)
}
