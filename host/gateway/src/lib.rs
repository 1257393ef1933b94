//! The `pointsman` program as a library, so that tests can call what the binary calls.
//!
//! `main` parses ([`cli::parse`]), hands the command over and turns the result into an exit code; everything else is here.

#![forbid(unsafe_code)]

pub mod admin;
pub mod cli;
pub mod command;
pub mod config;
pub mod demo;
pub mod gateway;
pub mod ingest;
mod logging;
mod metrics;
pub mod money;
pub mod playback;
pub mod policies;
mod recording;
mod sources;
pub mod streams;
pub mod tls;
pub mod wallet;
