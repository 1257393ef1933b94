//! The workbench of a policy's author: everything that happens before a gateway sees a bundle.
//!
//! # Contract
//!
//! [`new`] writes a folder in which everything else works without further words. Each of the others takes a bundle as the author has
//! it (a source, a built folder, a single file, or none: the one that the gateway comes with) and answers with a report that is
//! printed for people and serialised for scripts. Nothing here changes a running gateway, and nothing writes into a source but what
//! its name says.
//!
//! A bundle is always judged by the policy host itself, the very code that a gateway loads it with: what passes here
//! loads there.
#![forbid(unsafe_code)]

pub mod bench;
mod check;
mod conformance;
mod error;
mod inspect;
mod kit;
pub mod new;
mod open;
mod synthetic;
pub mod test;

pub use check::{Checked, check};
pub use conformance::{Check, Conformance, conformance};
pub use error::Error;
pub use inspect::{Inspected, Stage, inspect};
pub use open::{Gateway, Opened, Origin, Part, open, parts};
