//! The contract's types as the host uses them; `wit/policy.wit` documents each.
//!
//! A native stage is asked with the same values as a component, so that the two can be held against each other.

pub use crate::bindings::exports::pointsman::policy::byoc::{Change, Request, Routing};
pub use crate::bindings::exports::pointsman::policy::failover::{
    Attempt, Bargain, Blame, Failure, Patience, Recovery, Remedy,
};
pub use crate::bindings::exports::pointsman::policy::policy::{Cause, Description, Plan, Problem};
pub use crate::bindings::exports::pointsman::policy::selection::{Ranking, Scoring, Verdict};
pub use crate::bindings::pointsman::policy::types::{
    Column, Exclusion, Fact, Job, Price, Refusal, Table,
};
