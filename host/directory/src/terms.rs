//! Whether an orchestrator's terms can be met.

use std::fmt;
use std::sync::Arc;

use pointsman_wire::net::OrchestratorInfo;

/// Judges the terms of an offer: why an orchestrator can never be paid on them, or `None`. Whoever pays hands it in, since nothing
/// here knows tickets; what will pass by itself (a stale block, an empty deposit) is not its business. Called on every answer: it must be
/// quick and must not block.
#[derive(Clone)]
pub struct Terms(Arc<Judge>);

type Judge = dyn Fn(&OrchestratorInfo) -> Option<String> + Send + Sync;

// === impl Terms ===

impl Terms {
    /// Terms judged by `judge`.
    #[must_use]
    pub fn new(
        judge: impl Fn(&OrchestratorInfo) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(judge))
    }

    pub(crate) fn judge(&self, info: &OrchestratorInfo) -> Option<String> {
        (self.0)(info)
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Terms(..)")
    }
}
