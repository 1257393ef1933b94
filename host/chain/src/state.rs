//! What is known of the chain: one immutable value, replaced as a whole.

use std::sync::Arc;

use alloy::primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};

use crate::contracts::Contracts;
use crate::head::{Head, L1Source};
use crate::uri::ServiceUri;

/// The chain as of one moment. Cheap to clone; never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// `eth_chainId`.
    pub chain_id: u64,
    /// The newest block that is believed. Of L2 on Arbitrum.
    pub head: Head,
    /// The L1 block of that head: what ticket expiry is compared with. The head's own number on a chain that is its own L1.
    pub l1_block: u64,
    /// Where `l1_block` comes from.
    pub l1_source: L1Source,
    /// The block as of which everything below was read.
    pub read_at: u64,
    /// When that was, milliseconds since 1970 by this machine.
    pub read_ms: u64,
    /// Counts readings in which anything but the sender may have changed.
    pub reading: u64,
    /// Where the contracts are.
    pub contracts: Contracts,
    /// The protocol's clock.
    pub round: Round,
    /// The ticket broker's parameters.
    pub broker: Broker,
    /// `getTranscoderPoolSize`: what a sender's reserve is divided by.
    pub pool_size: u64,
    /// `getTotalBonded`: LPT wei of all active stake this round.
    pub total_stake: U256,
    /// The pool, highest stake first, then those that left it and are active until the round ends.
    pub orchestrators: Arc<[Orchestrator]>,
    /// The gateway's own money. `None`: it was not asked for.
    pub sender: Option<Sender>,
}

/// Rounds of the RoundsManager. Blocks are L1 blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// By block number.
    pub current: u64,
    /// The last that somebody initialised: what tickets are made for. Can lag `current`.
    pub last_initialized: u64,
    /// `blockHashForRound(last_initialized)`. Can be zero: then the previous round's must be used.
    pub hash: B256,
    /// `blockHashForRound(last_initialized - 1)`, zero in round 0.
    pub previous_hash: B256,
    /// `current` is initialised: tickets can be redeemed.
    pub initialized: bool,
    /// The end of the round, in which orchestrators cannot change their terms.
    pub locked: bool,
    /// First block of `current`.
    pub start_block: u64,
    /// Blocks a round.
    pub length: u64,
}

/// Parameters of the TicketBroker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broker {
    /// Rounds from unlock to withdrawal.
    pub unlock_period: u64,
    /// Rounds that a ticket can be redeemed in.
    pub ticket_validity: u64,
    /// The Controller is paused: no money moves.
    pub paused: bool,
}

/// One registered orchestrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orchestrator {
    /// Its account, the recipient of tickets.
    pub address: Address,
    /// Member of the pool now. A member that joined this round is active from the next.
    pub in_pool: bool,
    /// Active in the current round: it may work and redeem.
    pub active: bool,
    /// `transcoderTotalStake`, LPT wei.
    pub stake: U256,
    /// First round in which it is active.
    pub activation_round: u64,
    /// First round in which it is no longer; `u64::MAX` while in the pool.
    pub deactivation_round: u64,
    /// Last round for which it called reward.
    pub last_reward_round: u64,
    /// Share of rewards it keeps, parts per million.
    pub reward_cut: u32,
    /// Share of fees it passes to its delegators, parts per million.
    pub fee_share: u32,
    /// By the service registry.
    pub uri: ServiceUri,
    /// By the AI service registry.
    pub ai_uri: ServiceUri,
}

/// A ticket sender's money, all wei: `getSenderInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Whose.
    pub address: Address,
    /// Pays winning tickets first.
    pub deposit: U256,
    /// The round from which it can be withdrawn; 0: not unlocking. Stays after a withdrawal.
    pub withdraw_round: U256,
    /// Pays what the deposit does not, shared among the active orchestrators.
    pub reserve: U256,
    /// Of the reserve, claimed in the current round.
    pub claimed: U256,
}

// === impl State ===

impl State {
    /// The orchestrator with this account.
    #[must_use]
    pub fn orchestrator(&self, address: Address) -> Option<&Orchestrator> {
        self.orchestrators.iter().find(|one| one.address == address)
    }
}
