//! The devnet's chain, and orchestrators that are on it.

mod artifacts;
mod contracts;
mod redemption;
mod support;
