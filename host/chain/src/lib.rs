//! Ethereum, as far as a Livepeer gateway needs it: contracts, rounds, orchestrators, prices, keys.
//!
//! # Contract
//!
//! [`Chain`] follows one network and publishes what it knows as an immutable [`State`]. Readers take it from memory and never wait for a node; a state
//! may be old, and says how old. When every node is gone the last one stays, and after a restart the snapshot's. Nothing here knows jobs or tickets.
//!
//! State is read anew, never computed from events (see `read`): a reorg, a removed log, a lagging or a lying node cannot leave a wrong sum behind.
//!
//! # Requests
//!
//! A start with 100 orchestrators is six requests: one for the head, one for the contracts' addresses, one for the round, two for the rows, one for the walk of
//! the list. A poll is one. A round, or anything that changes the pool, is three.

#![forbid(unsafe_code)]

mod abi;
mod chain;
mod contracts;
mod error;
mod events;
mod feed;
mod follow;
mod head;
pub mod keystore;
#[cfg(test)]
mod mock;
mod network;
mod pool;
mod read;
pub mod rpc;
mod snapshot;
mod state;
mod uri;
mod views;
mod wallet;

pub use chain::{Chain, Options, Status};
pub use contracts::Contracts;
pub use error::ChainError;
pub use feed::{FeedError, FeedLimits, Quote};
pub use head::{Head, L1Source};
pub use network::{MULTICALL3, Network, NetworkError};
pub use pool::PoolError;
pub use snapshot::SnapshotError;
pub use state::{Broker, Orchestrator, Round, Sender, State};
pub use uri::{MAX_URI, ServiceUri};
pub use views::ViewError;
pub use wallet::{Account, Deed, Done, Fees, Plan, Wallet, WalletError};
