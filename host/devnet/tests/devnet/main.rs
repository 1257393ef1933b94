//! A devnet, used over the wire.

mod chain_of_checks;
mod control;
mod failures;
mod golden;
mod life;
mod paid;
mod support;
mod transcoding;
