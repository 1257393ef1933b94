//! Questions with known answers, and components asked one by one, without a chain around them.
//!
//! # Contract
//!
//! A [`Subject`] is one component with its hook and settings, checked, compiled and configured exactly as a stage of a loaded bundle
//! is, under the same limits. An [`Asked`] of it is one instance; [`Asked::ask`] puts a [`Question`] to it and checks the answer
//! as the chain would, so whatever is a fault in a gateway is one here. What is missing is the chain: nobody shuffled, excluded or
//! ordered before. That makes an answer a function of the component and the question alone, which is what golden vectors, a
//! conformance suite and a benchmark of one stage need.

mod question;
mod subject;

pub use question::{Answer, Job, Question, Table, What};
pub use subject::{Answered, Asked, Rig, Subject};
