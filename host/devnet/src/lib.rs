//! Orchestrators for development and tests: real wire protocol, real transcoding, failures on demand.
//!
//! # Contract
//!
//! [`start`] turns a [`Profile`] into running orchestrators on loopback. Each behaves as a go-livepeer 0.9.1
//! orchestrator: gRPC and HTTP on one TLS port under a self-signed certificate, the checks of a
//! segment in the protocol's order with its statuses and texts, an early 200 and the result behind it, sessions with a
//! queue of five and a capacity, renditions in memory. Segments are transcoded by ffmpeg, or given back as they are.
//!
//! An [`Orchestrator`] can be slow, dear, full, dead or broken in every way of [`failure::Kind`]: from the
//! [`profile`], by [`Orchestrator::set`], or over the [`control`] route.
//! What it was asked is counted ([`Counters`]).
//!
//! Two things a real one does not do: it names a price off-chain when given one, and it can be told not to check hashes.
//!
//! # What is shared with the gateway
//!
//! `wire` alone. Both ends being written from one module could hide a mistake that both make; golden captures of real
//! nodes are replayed against this crate for that reason.
//!
//! # On-chain
//!
//! An orchestrator whose profile has `payments` is on the [`chain`] that the devnet's profile names. It signs, asks for
//! tickets, checks them, keeps balances and redeems winners, as a real one; what it took can be asked
//! ([`Orchestrator::takings`]). Without, nothing of this is there, and it is as it always was.
//!
//! A profile with a [`signer`] has a remote signer on that chain beside them, for gateways without a key.
//!
//! # Where AI will go
//!
//! Another kind of work is another arm of `route` and another executor beside `transcode`.

#![forbid(unsafe_code)]

mod admission;
mod answer;
mod body;
pub mod chain;
mod change;
pub mod control;
mod counters;
mod devnet;
mod download;
pub mod failure;
mod node;
mod offer;
mod orchestrator;
mod pay;
mod payments;
mod port;
mod price;
pub mod profile;
mod recipient;
mod route;
mod rpc;
mod segment;
mod serve;
mod session;
pub mod signer;
mod store;
mod tls;
mod topup;
mod transcode;
mod upload;

pub use change::Change;
pub use counters::Counters;
pub use devnet::{Devnet, Error, start};
pub use orchestrator::{Orchestrator, Status};
pub use payments::{ChainProfile, Payments, Redeem};
pub use price::{Price, PriceError};
pub use profile::{Mode, OrchestratorProfile, Profile, ProfileError};
pub use recipient::Takings;
pub use signer::{Signer, SignerProfile};
pub use tls::TlsError;
