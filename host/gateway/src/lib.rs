//! The `pointsman` program as a library, so that tests can call what the binary calls.
//!
//! `main` parses ([`cli::parse`]), hands the command over and turns the result into an exit code; everything else is here.

#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
