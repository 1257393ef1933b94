//! A job by hand.

use crate::{Fact, Plan, symbol};

/// A job by fact name: workload `transcode`, ten seconds left, no other facts.
#[derive(Clone, Debug)]
pub struct Job {
    job: crate::Job,
    facts: Vec<(String, Fact)>,
}

// === impl Job ===

impl Default for Job {
    fn default() -> Self {
        Self::new()
    }
}

impl Job {
    /// The default job.
    #[must_use]
    pub fn new() -> Self {
        let job = crate::Job {
            now_ms: 1_700_000_000_000,
            seed: 1,
            workload: symbol("transcode"),
            capability: symbol("transcode"),
            model: 0,
            affinity: 1,
            deadline_ms: 10_000,
            units: 0,
            facts: Vec::new(),
        };
        Self {
            job,
            facts: Vec::new(),
        }
    }

    /// With this seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.job.seed = seed;
        self
    }

    /// With so many ms left to the hard deadline.
    #[must_use]
    pub fn deadline_ms(mut self, deadline_ms: u32) -> Self {
        self.job.deadline_ms = deadline_ms;
        self
    }

    /// With its fixed fields changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut crate::Job)) -> Self {
        change(&mut self.job);
        self
    }

    /// With a fact that is a float.
    #[must_use]
    pub fn number(self, name: &str, value: f64) -> Self {
        self.fact(name, Fact::Number(value))
    }

    /// With a fact that is a count.
    #[must_use]
    pub fn count(self, name: &str, value: u64) -> Self {
        self.fact(name, Fact::Count(value))
    }

    /// With this fact.
    #[must_use]
    pub fn fact(mut self, name: &str, fact: Fact) -> Self {
        self.facts.retain(|(known, _)| known != name);
        self.facts.push((name.to_owned(), fact));
        self
    }

    pub(super) fn laid_out(&self, plan: &Plan) -> crate::Job {
        let find = |name: &String| {
            let wanted = name.strip_prefix('?').unwrap_or(name);
            self.facts
                .iter()
                .find(|(known, _)| known == wanted)
                .map_or(Fact::Unknown, |(_, fact)| *fact)
        };
        crate::Job {
            facts: plan.facts.iter().map(find).collect(),
            ..self.job.clone()
        }
    }
}
