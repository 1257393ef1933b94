//! The kinds of job.

use serde::{Deserialize, Serialize};

use crate::Symbol;

/// What kind of work a job is. Policies see [`Workload::symbol`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// A live video segment into renditions.
    Transcode,
    /// A real-time stream through an AI pipeline.
    Realtime,
    /// One AI request, one answer.
    BatchAi,
    /// A chat completion.
    Llm,
    /// A call to a custom container.
    Byoc,
}

// === impl Workload ===

impl Workload {
    /// Every workload.
    pub const ALL: [Self; 5] = [
        Self::Transcode,
        Self::Realtime,
        Self::BatchAi,
        Self::Llm,
        Self::Byoc,
    ];

    /// The name in configuration, metrics and recordings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transcode => "transcode",
            Self::Realtime => "realtime",
            Self::BatchAi => "batch-ai",
            Self::Llm => "llm",
            Self::Byoc => "byoc",
        }
    }

    /// The name as a policy gets it.
    #[must_use]
    pub fn symbol(self) -> Symbol {
        Symbol::of(self.name())
    }
}
