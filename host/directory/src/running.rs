//! An attempt, from its start to its outcome.

use std::sync::Arc;

use pointsman_facts::failure::Class;
use pointsman_facts::{Symbol, Workload};

use crate::core::Core;
use crate::history::{Key, Outcome, Work};
use crate::orchestrator::{InFlight, Orchestrator};

/// An attempt that runs: it counts as in flight as long as this is held.
///
/// Dropped without [`Running::finish`] it was cancelled, which says nothing about the orchestrator.
#[derive(Debug)]
#[must_use = "dropping it says that the attempt was cancelled"]
pub struct Running {
    core: Arc<Core>,
    key: Key,
    orchestrator: Option<Arc<Orchestrator>>,
    _in_flight: Option<InFlight>,
}

// === impl Running ===

impl Running {
    pub(crate) fn new(core: &Arc<Core>, id: Symbol, workload: Workload, model: Symbol) -> Self {
        let orchestrator = core.orchestrator(id);
        Self {
            core: Arc::clone(core),
            key: Key {
                orchestrator: id,
                work: Work { workload, model },
            },
            _in_flight: orchestrator.as_ref().map(Orchestrator::start),
            orchestrator,
        }
    }

    /// Records how the attempt ended. After a fault that says the orchestrator may be gone, it is probed at once.
    pub fn finish(self, outcome: Outcome<'_>) {
        if let Outcome::Failure { failure, .. } = outcome
            && failure.is_fault()
            && matches!(
                failure.kind.class(),
                Class::Connect | Class::Reset | Class::Timeout
            )
            && let Some(orchestrator) = &self.orchestrator
        {
            orchestrator.poke();
        }
        self.core.attempted(self.key, &outcome);
    }
}
