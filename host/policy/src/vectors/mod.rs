//! Questions with known answers, and components asked one by one, without a chain around them.
//!
//! # Contract
//!
//! A [`Subject`] is one component with its hook and settings, checked, compiled and configured exactly as a stage of a loaded bundle
//! is, under the same limits. An [`Asked`] of it is one instance; [`Asked::ask`] puts a [`Question`] to it and checks the answer
//! as the chain would, so whatever is a fault in a gateway is one here. What is missing is the chain: nobody shuffled, excluded or
//! ordered before. That makes an answer a function of the component and the question alone, which is what golden vectors, a
//! conformance suite and a benchmark of one stage need.
//!
//! A [`Vector`] is a question with the answer that somebody recorded: the sdk's tests, which ask the policy natively. [`Vectors::put`] asks
//! the components of a bundle the same. The format is in `sdk/README.md`.

mod line;
mod question;
mod run;
mod shown;
mod subject;

pub use line::Vector;
pub use question::{Answer, Job, Question, Request, Table, What};
pub(crate) use run::golden;
pub use run::{Component, MAX_VECTORS, Miss, Outcome, VectorError, Vectors, Why};
pub use subject::{Answered, Asked, Rig, Subject};
