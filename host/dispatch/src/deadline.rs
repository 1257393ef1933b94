//! How long a job may take.

use std::time::Duration;

/// The two deadlines of a job, from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// What the application hopes for; attempts and hedges are timed against it.
    pub soft: Duration,
    /// After it the result is worthless: nothing is sent any more.
    pub hard: Duration,
}

// === impl Deadlines ===

impl Deadlines {
    /// A segment of a live stream: one duration to keep up, three before players run dry.
    #[must_use]
    pub fn live(segment: Duration) -> Self {
        Self {
            soft: segment,
            hard: segment * 3,
        }
    }

    /// A segment pushed by an application that waits for the answer: the timeout go-livepeer's clients know.
    #[must_use]
    pub fn pushed(segment: Duration) -> Self {
        Self {
            soft: segment,
            hard: (segment * 4).max(Duration::from_secs(8)),
        }
    }
}
