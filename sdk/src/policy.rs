//! What every policy has: its settings and its plan.

use crate::{Cause, Counts, JobFact, Marks, Numbers, Plan, PriceFact, Prices, Settings, Symbols};

/// A policy: what it reads from its settings, and what it asks for. [`Selection`](crate::Selection), [`Byoc`](crate::Byoc) and
/// [`Failover`](crate::Failover) say what it answers.
///
/// A policy without settings writes it with [`policy!`](crate::policy!).
pub trait Policy: Sized {
    /// Reads the settings and asks for facts. Runs once in every instance; the value is then asked many times.
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self;
}

/// What a field of [`policy!`](crate::policy!) can be.
pub trait Ask {
    /// Asks `plan` for `what`: the name of a column or job fact, or the text of a cause.
    fn ask(plan: &mut Plan, what: &str) -> Self;
}

macro_rules! ask {
    ($($handle:ty, $method:ident;)+) => {
        $(impl Ask for $handle {
            fn ask(plan: &mut Plan, what: &str) -> Self {
                plan.$method(what)
            }
        })+
    };
}

ask! {
    Numbers, numbers;
    Counts, counts;
    Marks, marks;
    Symbols, symbols;
    Prices, prices;
    JobFact, fact;
    PriceFact, price_fact;
    Cause, cause;
}

/// Declares a policy without settings: each field with the name of what it asks for.
///
/// ```
/// use pointsman_sdk::prelude::*;
///
/// policy! {
///     /// Leaves out what is full.
///     pub struct NotFull {
///         free: Counts = "capacity-free",
///         full: Cause = "no capacity left",
///     }
/// }
///
/// impl Selection for NotFull {
///     fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
///         candidates.keep(|row| row.get(self.free) != Some(0), self.full).verdict()
///     }
/// }
/// ```
#[macro_export]
macro_rules! policy {
    ($(#[$attribute:meta])* $visibility:vis struct $policy:ident {
        $($(#[$about:meta])* $field:ident : $handle:ty = $what:expr),* $(,)?
    }) => {
        $(#[$attribute])*
        #[derive(Debug)]
        $visibility struct $policy {
            $($(#[$about])* $field: $handle,)*
        }

        impl $crate::Policy for $policy {
            fn configure(_: &mut $crate::Settings, plan: &mut $crate::Plan) -> Self {
                // A policy may ask for nothing at all.
                let _ = &plan;
                Self { $($field: $crate::Ask::ask(plan, $what),)* }
            }
        }
    };
}
