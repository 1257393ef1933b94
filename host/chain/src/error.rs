//! Why the chain cannot be read, in words for operators.

use alloy::primitives::Address;

use crate::pool::PoolError;
use crate::rpc::{EndpointError, RpcError};
use crate::snapshot::SnapshotError;
use crate::views::ViewError;

/// Why the chain could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// No endpoint was given.
    #[error("no RPC endpoint: give at least one URL with --eth-url")]
    NoEndpoint,
    /// An endpoint cannot be used.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The HTTP client did not start.
    #[error("the HTTP client for RPC does not start: {0}")]
    Client(String),
    /// No node answers.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// There is no Controller where one should be.
    #[error(
        "{address} is not a Livepeer Controller on this chain ({error}): check --eth-controller and the network"
    )]
    Controller {
        /// Where it was looked for.
        address: Address,
        /// What it said.
        error: ViewError,
    },
    /// The Controller does not know a contract.
    #[error("the Controller {controller} has no {name}: check --eth-controller")]
    NotRegistered {
        /// Who was asked.
        controller: Address,
        /// For what.
        name: &'static str,
    },
    /// A contract does not answer as it must.
    #[error("a contract does not answer as it must: {0}")]
    View(#[from] ViewError),
    /// The list of orchestrators is none.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// A number of the chain is larger than it can be.
    #[error("the chain says {what} is {value}: that cannot be")]
    Number {
        /// Of what.
        what: &'static str,
        /// As it was given.
        value: String,
    },
    /// The node has no newest block.
    #[error("the node has no newest block")]
    NoHead,
    /// The node's head is not believed (yet).
    #[error(
        "the node says its newest block is {said}, after {last}: not believed until it is seen again"
    )]
    Doubtful {
        /// The node's word.
        said: u64,
        /// What is followed.
        last: u64,
    },
    /// The head does not move.
    #[error(
        "the newest block has been {number} for {seconds} s: the nodes have stopped following the chain"
    )]
    Stalled {
        /// The newest block.
        number: u64,
        /// For how long.
        seconds: u64,
    },
    /// The file of the last state.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Nothing is known of the chain yet.
    #[error("nothing is known of the chain after {seconds} s: {why}")]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// The last error.
        why: String,
    },
}
