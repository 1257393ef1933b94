//! For authors of Pointsman routing policies.
//!
//! A policy is a plain Rust type that implements [`Selection`], [`Byoc`] or [`Failover`], or several of them, and one line that exports
//! it. This is a whole one; it gives each job to the cheapest orchestrator that can do it:
//!
//! ```
//! use pointsman_sdk::prelude::*;
//!
//! policy! {
//!     struct Cheapest { fit: Marks = "fit", price: Prices = "price", unfit: Cause = "cannot do this job" }
//! }
//!
//! impl Selection for Cheapest {
//!     fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
//!         candidates.keep(|row| row.yes(self.fit), self.unfit).order_by(|row| row.get(self.price))
//!     }
//! }
//!
//! export!(Cheapest);
//! ```
//!
//! # How it works
//!
//! [`Policy::configure`] runs once in every fresh instance; [`policy!`] writes it for policies without settings. There the policy
//! reads its [`Settings`] and asks the [`Plan`] for the facts it wants *by name*; it gets handles, and only what was asked for is
//! ever handed over. The hook then reads
//! [`Candidates`] by handle. A wrong setting, or one that nothing reads, is a problem that the operator sees when the
//! bundle is loaded, so `configure` itself cannot fail. Every name is listed in `wit/README.md`.
//!
//! # Purity
//!
//! The answer to a question depends on the question and on what `configure` built, and on nothing else. There is no
//! clock and no randomness but [`Job::now_ms`](bindings::about::pointsman::policy::types::Job::now_ms) and the seed
//! ([`Job::rng`]). That is what makes decisions explainable and replayable, and the host checks it.
//!
//! # Testing
//!
//! A policy is an ordinary library: [`testing`] makes tables by hand and plain `cargo test` runs them. The component's exports
//! exist on `wasm32` only, so that any number of policies can be linked into one native program.
#![deny(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod bindings;
pub mod byoc;
mod candidates;
pub mod component;
pub mod draw;
pub mod failover;
mod job;
mod keep;
pub mod kind;
pub mod log;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
mod plan;
mod policy;
mod price;
mod rng;
mod selection;
mod settings;
mod sort;
mod symbol;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod text;

pub use bindings::policy::{Description, Problem, Setting, Value};
pub use bindings::selection::{Ranking, Scoring, Verdict};
pub use bindings::types::{Column, Exclusion, Fact, Job, Price, Refusal, Table};
pub use byoc::Byoc;
pub use candidates::{Candidates, Row};
pub use failover::Failover;
pub use keep::Kept;
pub use plan::{
    Because, Cause, Counts, Handle, JobFact, Marks, Numbers, Plan, PriceFact, Prices, Symbols,
};
pub use policy::{Ask, Policy};
pub use rng::Rng;
pub use selection::Selection;
pub use settings::{Known, Settings, Text};
pub use sort::{Last, SortKey};
pub use symbol::{Symbol, symbol};

/// Everything a policy usually needs: `use pointsman_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::byoc::{Byoc, Change, Request, Routing};
    pub use crate::failover::{
        Attempt, Bargain, Blame, Failover, Failure, Patience, Recovery, Remedy,
    };
    pub use crate::{
        Because, Candidates, Cause, Counts, Fact, Job, JobFact, Marks, Numbers, Plan, Policy,
        Price, PriceFact, Prices, Rng, Row, Selection, Settings, Symbol, Symbols, Text, Verdict,
        symbol,
    };
    pub use crate::{export, policy};
    pub use core::cmp::Reverse;
}
