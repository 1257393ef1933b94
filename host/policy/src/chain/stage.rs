//! One stage: a policy with its settings, as a component or natively.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::merge::Rules;
use crate::bundle::OnEmpty;
use crate::engine::{Instance, Pool};
use crate::fault::{Cause, Fault, FaultKind, Hook};
use crate::native::NativeStage;
use crate::plan::Resolved;

/// A stage of a chain.
pub(crate) struct Stage {
    pub(crate) name: Arc<str>,
    pub(crate) hook: Hook,
    pub(crate) required: bool,
    pub(crate) on_empty: OnEmpty,
    pub(crate) weight: f64,
    pub(crate) plan: Resolved,
    pub(crate) runner: Runner,
}

/// Who answers.
pub(crate) enum Runner {
    Wasm(Box<Pool>),
    Native(Box<dyn NativeStage>),
}

/// An accepted answer, and the fuel it took: 0 natively.
pub(crate) struct Answered<T> {
    pub(crate) answer: T,
    pub(crate) fuel: u64,
}

// === impl Stage ===

impl Stage {
    pub(crate) fn rules(&self, place: u16) -> Rules {
        Rules {
            stage: place,
            weight: self.weight,
            on_empty: self.on_empty,
            causes: self.plan.causes.len(),
        }
    }

    /// Asks the policy over `rows` rows; what it says counts once `accept` has checked it. An instance whose answer is not accepted
    /// is not used again. `fresh`: a component is asked through an instance that was never asked, which is then gone.
    pub(crate) fn ask<A, T>(
        &self,
        rows: usize,
        fresh: bool,
        wasm: impl FnOnce(&mut Instance) -> Result<A, Cause>,
        native: impl FnOnce(&dyn NativeStage) -> A,
        accept: impl FnOnce(A) -> Result<T, Cause>,
    ) -> Result<Answered<T>, Fault> {
        let answered = match &self.runner {
            Runner::Wasm(pool) if fresh => pool.checkout_fresh().and_then(|mut lease| {
                let answer = accept(wasm(&mut lease)?)?;
                let fuel = lease.fuel_used(rows);
                Ok(Answered { answer, fuel })
            }),
            Runner::Wasm(pool) => pool.checkout().and_then(|mut lease| {
                let answer = accept(wasm(&mut lease)?)?;
                let fuel = lease.fuel_used(rows);
                lease.keep();
                Ok(Answered { answer, fuel })
            }),
            Runner::Native(stage) => catch_unwind(AssertUnwindSafe(|| native(&**stage)))
                .map_err(|_| Cause::new(FaultKind::Trap, "the native policy panicked"))
                .and_then(accept)
                .map(|answer| Answered { answer, fuel: 0 }),
        };
        answered.map_err(|cause| cause.at(&self.name, self.hook))
    }

    /// Lets go of what only speed needs.
    pub(crate) fn cool(&self) {
        if let Runner::Wasm(pool) = &self.runner {
            pool.cool();
        }
    }
}
