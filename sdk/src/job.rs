//! The job of one question.

use crate::{Fact, Job, JobFact, Price, PriceFact, Rng, Symbol};

// === impl Job ===

impl Job {
    /// The generator of this decision: the same in every stage and every replay.
    ///
    /// Two stages that draw from it draw the same numbers. Where that matters, give each its own:
    /// `Rng::new(job.seed ^ symbol("my-stage"))`.
    #[must_use]
    pub fn rng(&self) -> Rng {
        Rng::new(self.seed)
    }

    /// A fact, as the host gave it.
    #[must_use]
    pub fn fact(&self, fact: JobFact) -> Fact {
        self.facts
            .get(fact.0 as usize)
            .copied()
            .unwrap_or(Fact::Unknown)
    }

    /// A fact that is a number or a count.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "who wants it exact asks for the count"
    )]
    pub fn number(&self, fact: JobFact) -> Option<f64> {
        match self.fact(fact) {
            Fact::Number(value) => Some(value),
            Fact::Count(value) => Some(value as f64),
            _ => None,
        }
    }

    /// A fact that is a count.
    #[must_use]
    pub fn count(&self, fact: JobFact) -> Option<u64> {
        match self.fact(fact) {
            Fact::Count(value) => Some(value),
            _ => None,
        }
    }

    /// A price that is a fact, exactly.
    #[must_use]
    pub fn price(&self, fact: PriceFact) -> Option<Price> {
        Price::new(self.count(fact.num)?, self.count(fact.den)?)
    }

    /// A fact that is yes or no.
    #[must_use]
    pub fn mark(&self, fact: JobFact) -> Option<bool> {
        match self.fact(fact) {
            Fact::Mark(value) => Some(value),
            _ => None,
        }
    }

    /// A fact that is a string.
    #[must_use]
    pub fn symbol(&self, fact: JobFact) -> Option<Symbol> {
        match self.fact(fact) {
            Fact::Symbol(value) => Some(value),
            _ => None,
        }
    }
}
