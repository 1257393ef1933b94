//! The words host and policies share: columns, job facts, failures, symbols and exact prices.
//!
//! # Contract
//!
//! A policy asks for facts *by name* and gets them *by position*. This crate owns the names: what exists, of which
//! [`Kind`] and unit it is, and what "unknown" looks like. Who knows the values ([`Candidates`]) and who carries them
//! into a component are other crates' business; neither wasmtime nor the network is known here.
//!
//! Names grow, types do not. A component built years ago must still load, and wasmtime compares types structurally, so
//! a new fact is a new row in [`column::TABLE`] or [`job::TABLE`], never a new field or enum case in the WIT.
#![forbid(unsafe_code)]

pub mod candidates;
pub mod column;
pub mod failure;
pub mod hints;
pub mod job;
pub mod name;
pub mod price;
pub mod symbol;
pub mod values;
pub mod workload;

pub use candidates::{Candidates, Kept};
pub use column::Column;
pub use failure::{Blame, Failure, FailureKind};
pub use hints::Hints;
pub use job::{Fact, Job, JobFact};
pub use name::{Name, Names};
pub use price::Price;
pub use symbol::Symbol;
pub use values::{Kind, Values};
pub use workload::Workload;
