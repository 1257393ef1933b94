//! Why money was not moved.

use alloy::primitives::{Address, B256, U256};

use crate::rpc::RpcError;
#[cfg(doc)]
use crate::wallet::Fees;

/// Why a deed is not done.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// Nothing is known of the chain: where the TicketBroker is, for one.
    #[error("nothing is known of the chain yet: no transaction can be made")]
    NoChain,
    /// No node answers; nothing was sent.
    #[error("nothing was sent: {0}")]
    Rpc(#[from] RpcError),
    /// The contract refuses.
    #[error("the contract refuses: {0}")]
    Refused(String),
    /// Gas costs more than allowed.
    #[error("gas costs {needed} wei now, the cap is {cap}: wait, or raise the cap")]
    TooDear {
        /// Base fee and tip.
        needed: u128,
        /// [`Fees::cap`].
        cap: u128,
    },
    /// The limit of gas is under what the deed uses: it would fail and be paid for.
    #[error(
        "the transaction uses about {needed} gas, the limit is {limit}: raise the limit, or set none"
    )]
    TooLittleGas {
        /// By the node's reckoning.
        needed: u64,
        /// [`Fees::gas`].
        limit: u64,
    },
    /// The account cannot pay.
    #[error("{account} has {balance} wei; {value} wei and up to {fees} wei of fees are needed")]
    NotEnough {
        /// Whose.
        account: Address,
        /// What it has.
        balance: U256,
        /// What is to be moved.
        value: U256,
        /// The most that gas can cost.
        fees: U256,
    },
    /// The key does not sign.
    #[error("the transaction cannot be signed")]
    Signing,
    /// It is in a block and did nothing.
    #[error("transaction {hash} is in block {block} and was reverted; its fee is paid")]
    Reverted {
        /// Of the transaction.
        hash: B256,
        /// Where it is.
        block: u64,
    },
    /// It may or may not happen.
    #[error(
        "transaction {hash} is in no block yet ({why}): it may still be; look at the account before trying again"
    )]
    Unknown {
        /// Of the last one sent.
        hash: B256,
        /// What was seen.
        why: String,
    },
}
