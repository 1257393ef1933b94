//! How an orchestrator stands: what it answered last, and whether it still answers.

use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::Failure;
use serde::Serialize;

use crate::admission::Admission;
use crate::facts::{Facts, Unusable};
use crate::store::OrchestratorRow;

/// Probes failed in a row after which an orchestrator counts as silent. One may be the network's.
const SILENT_AFTER: u32 = 2;

/// What was seen longer ago than this, ms, is not believed after a restart: it must answer first.
const BELIEVED_MS: u64 = 10 * 60 * 1000;

/// Whether an orchestrator answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// It has not answered yet, and not failed to often enough to say more.
    Unasked,
    /// It answers.
    Answers,
    /// It gave no answer, or only a refusal, several times in a row.
    Silent,
}

/// What a probe or a session found out. Times are unix ms.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) facts: Option<Arc<Facts>>,
    /// Why it is not used, whatever else its facts say.
    pub(crate) barred: Option<Unusable>,
    pub(crate) answered_ms: Option<u64>,
    /// Probes failed in a row.
    pub(crate) failures: u32,
    /// Why the last failed probe failed.
    pub(crate) error: Option<String>,
    /// Whether a probe has come back since the start.
    pub(crate) tried: bool,
    pub(crate) probed_ms: Option<u64>,
    pub(crate) round_trip: Option<RoundTrip>,
}

/// How long the last answered probe took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoundTrip {
    /// Until the connection stood, where none stood already.
    pub(crate) connect: Option<Duration>,
    /// From the question to the answer.
    pub(crate) rpc: Duration,
}

// === impl Standing ===

impl Standing {
    pub(crate) fn reach(&self) -> Reach {
        match (self.failures >= SILENT_AFTER, &self.facts) {
            (true, _) => Reach::Silent,
            (false, Some(_)) => Reach::Answers,
            (false, None) => Reach::Unasked,
        }
    }

    /// Whether some job could go there.
    pub(crate) fn is_usable(&self) -> bool {
        self.reach() == Reach::Answers && self.unusable().is_none()
    }

    /// Why no job can go there though it answers.
    pub(crate) fn unusable(&self) -> Option<&Unusable> {
        let facts = self.facts.as_ref();
        self.barred.as_ref().or(facts?.unusable.as_ref())
    }

    /// Holds what it claims to be against who it may be.
    pub(crate) fn admit(&mut self, admission: &Admission) {
        let facts = self.facts.as_ref();
        self.barred = facts.and_then(|facts| admission.judge(&facts.claim()));
    }

    /// It answered with `facts`.
    pub(crate) fn answered(&mut self, facts: Facts, now_ms: u64) {
        if self.facts.as_deref() != Some(&facts) {
            self.facts = Some(Arc::new(facts));
        }
        self.answered_ms = Some(now_ms);
        self.failures = 0;
        self.error = None;
    }

    /// A probe failed. Being told "full" is an answer: what is known stays.
    pub(crate) fn failed(&mut self, failure: &Failure) {
        self.error = Some(failure.to_string());
        if failure.is_fault() {
            self.failures = self.failures.saturating_add(1);
        } else {
            self.failures = 0;
        }
    }

    /// What was saved, as far as it can still be believed.
    pub(crate) fn restored(row: &OrchestratorRow, now_ms: u64) -> Self {
        let believed = now_ms.saturating_sub(row.seen_ms) < BELIEVED_MS;
        if !believed {
            return Self::default();
        }
        let facts = row.info.as_deref().and_then(Facts::decode);
        Self {
            facts: facts.map(Arc::new),
            answered_ms: row.answered_ms,
            failures: row.failures,
            error: row.error.clone(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use pointsman_facts::{Blame, FailureKind};
    use pointsman_wire::net::OrchestratorInfo;

    use super::*;

    fn answered() -> Standing {
        let mut standing = Standing::default();
        standing.answered(Facts::of(&OrchestratorInfo::default(), None), 0);
        standing
    }

    #[test]
    fn one_lost_probe_silences_nobody_and_one_answer_gives_the_voice_back() {
        let lost = Failure::new(Blame::Network, FailureKind::Connect, "refused");
        let mut standing = answered();
        standing.failed(&lost);
        assert_eq!(standing.reach(), Reach::Answers);
        standing.failed(&lost);
        assert_eq!(standing.reach(), Reach::Silent);
        standing.answered(Facts::of(&OrchestratorInfo::default(), None), 0);
        assert_eq!(standing.reach(), Reach::Answers);
    }

    #[test]
    fn being_full_is_an_answer() {
        let full = Failure::new(Blame::Orchestrator, FailureKind::Capped, "no room");
        let mut standing = answered();
        (0..9).for_each(|_| standing.failed(&full));
        assert_eq!(standing.reach(), Reach::Answers);
    }
}
