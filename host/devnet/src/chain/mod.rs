//! A chain for development and tests: anvil with our own contracts of the Livepeer protocol's interface.
//!
//! # Contract
//!
//! [`Chain::start`] gives a chain of its own: a process, a port, contracts freshly deployed, round 3 (unless told
//! otherwise) initialized and the round before with a hash, so that tickets can be made, signed and redeemed at once. It
//! ends with its handle. Without [`Settings::block_time`] a block is made for each transaction and at [`Chain::mine`], and
//! for no other reason: nothing happens by the clock, and a test that asks twice gets the same answer.
//!
//! # Why our own contracts
//!
//! The real ones need a token, inflation, bonding and a treasury before the first ticket. Ours have the same functions,
//! events and refusals where a gateway or an orchestrator meets them, take the recorded redemptions of the real ones, and a
//! few knobs: stake by decree, an L1 of another height, a round without a hash. `contracts/` holds their sources;
//! `make contracts` compiles them, and a test proves that the committed artifacts are what they compile to.
//!
//! Protocol: `chain` §2 and §6.

pub mod abi;
mod account;
mod anvil;
mod deploy;
mod l1;
mod rpc;

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, B256, I256, U64, U256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use serde_json::{Value, json};

use crate::orchestrator::Orchestrator;
use crate::payments::ChainProfile;
use abi::{BondingManager, Lens, PriceFeed, RoundsManager, ServiceRegistry, TicketBroker};

pub use abi::Lens::Standing;
pub use account::{DEPLOYER, GATEWAY, key};
pub use anvil::{Anvil, AnvilError};
pub use deploy::{AI_SERVICE_REGISTRY, Contracts, MULTICALL3, contract_id};
pub use l1::L1Proxy;
pub use rpc::{Log, Receipt, Rpc, RpcError};

pub(crate) use deploy::LENS;

/// What a chain begins with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Between two blocks; `None`: a block for each transaction and none besides. Whole seconds.
    pub block_time: Option<Duration>,
    /// Blocks of a round.
    pub round_length: NonZeroU64,
    /// Number of the round it begins in; it and the one before have hashes.
    pub first_round: NonZeroU64,
    /// Rounds between unlocking and withdrawing.
    pub unlock_period: u64,
    /// Rounds in which a ticket can be redeemed.
    pub ticket_validity: u64,
    /// Most orchestrators in the pool.
    pub pool_size: u64,
    /// What the price feed says.
    pub usd_per_eth: u32,
    /// Whether Multicall3 is where it always is.
    pub multicall: bool,
}

/// A running chain. Dropping it ends it.
#[derive(Debug)]
pub struct Chain {
    rpc: Arc<Rpc>,
    contracts: Contracts,
    deployer: PrivateKeySigner,
    /// One transaction of the deployer at a time.
    knobs: tokio::sync::Mutex<()>,
    _anvil: Anvil,
}

/// A sender's money, as the TicketBroker tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// Wei that tickets are paid from first.
    pub deposit: U256,
    /// From which round it can be withdrawn; 0: it is not being unlocked.
    pub withdraw_round: u64,
    /// Wei that tickets are paid from when the deposit is used up.
    pub reserve: U256,
    /// Wei of the reserve that was claimed in this round.
    pub claimed_in_round: U256,
}

/// Why there is no chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No anvil.
    #[error(transparent)]
    Anvil(#[from] AnvilError),
    /// It does not do what it should.
    #[error(transparent)]
    Rpc(#[from] RpcError),
}

/// What anvil's accounts have, and what [`Chain::endow`] is mostly called with: 10 000 ETH.
pub const PLENTY: U256 = U256::from_limbs([0x19e0_c9ba_b240_0000, 0x21e, 0, 0]);

// === impl Chain ===

impl Chain {
    /// Starts anvil and deploys the contracts.
    ///
    /// # Errors
    ///
    /// When there is no anvil, or it does not start.
    pub async fn start(settings: Settings) -> Result<Self, ChainError> {
        // The base fee of 7 wei is as low as it stays what it is in empty blocks.
        let arguments = ["--chain-id", "31337", "--base-fee", "7"];
        let arguments = arguments.map(str::to_owned);
        let anvil = Anvil::start(&arguments).await?;
        let rpc = Arc::new(Rpc::new(anvil.url())?);
        let deployer = key(DEPLOYER);
        let contracts = deploy::deploy(&rpc, &deployer, &settings).await?;
        if let Some(time) = settings.block_time {
            let seconds = json!([time.as_secs().max(1)]);
            let _: Value = rpc.request("evm_setAutomine", json!([false])).await?;
            let _: Value = rpc.request("evm_setIntervalMining", seconds).await?;
        }
        Ok(Self {
            rpc,
            contracts,
            deployer,
            knobs: tokio::sync::Mutex::new(()),
            _anvil: anvil,
        })
    }

    /// The node's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        self.rpc.url()
    }

    /// What a devnet's profile has to say so that its orchestrators are on this chain.
    #[must_use]
    pub fn profile(&self) -> ChainProfile {
        ChainProfile {
            rpc: self.url().to_owned(),
            controller: self.contracts.controller,
        }
    }

    /// The node, to ask what has no method here.
    #[must_use]
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Where the contracts are.
    #[must_use]
    pub fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    // --- blocks and rounds ---

    /// The number of the newest block, which is L1's too unless [`with_l1`](Self::with_l1) said otherwise.
    ///
    /// # Errors
    ///
    /// As all here: when the node does not answer or a contract reverts.
    pub async fn block(&self) -> Result<u64, RpcError> {
        let number: U64 = self.rpc.request("eth_blockNumber", json!([])).await?;
        Ok(number.to())
    }

    /// Makes this many empty blocks.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn mine(&self, blocks: u64) -> Result<(), RpcError> {
        let blocks = json!([U64::from(blocks)]);
        let _: Value = self.rpc.request("anvil_mine", blocks).await?;
        Ok(())
    }

    /// The last round that was initialized.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn round(&self) -> Result<u64, RpcError> {
        let call = RoundsManager::lastInitializedRoundCall {};
        let round = self.rpc.call(self.contracts.rounds_manager, &call).await?;
        Ok(round.saturating_to())
    }

    /// Mines to the first block of the next round, and initializes it there. Returns its number.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn next_round(&self) -> Result<u64, RpcError> {
        let rounds = self.contracts.rounds_manager;
        let start = RoundsManager::currentRoundStartBlockCall {};
        let length = RoundsManager::roundLengthCall {};
        let now = RoundsManager::blockNumCall {};
        loop {
            let (start, length, now) = tokio::try_join!(
                self.rpc.call(rounds, &start),
                self.rpc.call(rounds, &length),
                self.rpc.call(rounds, &now),
            )?;
            let missing = (start + length).saturating_sub(now);
            // L1 may be slower than this chain: what is missing is looked at again.
            self.mine(missing.saturating_to()).await?;
            let current = RoundsManager::currentRoundCall {};
            if self.rpc.call(rounds, &current).await? > U256::from(self.round().await?) {
                break;
            }
        }
        self.turn(rounds, &RoundsManager::initializeRoundCall {})
            .await?;
        self.round().await
    }

    /// Gives a round another hash; zero is none, as it happens on Arbitrum.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn set_round_hash(&self, round: u64, hash: B256) -> Result<(), RpcError> {
        let round = U256::from(round);
        let call = RoundsManager::setBlockHashForRoundCall { round, hash };
        self.turn(self.contracts.rounds_manager, &call).await?;
        Ok(())
    }

    /// From now on the contracts count blocks of an L1 at block `origin`, one to `ratio` of this chain; the round stays. The
    /// URL of what is returned gives the chain with L1's number in every block, as on Arbitrum.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn with_l1(&self, origin: u64, ratio: NonZeroU64) -> Result<L1Proxy, RpcError> {
        let call = RoundsManager::setL1Call {
            origin: U256::from(origin),
            ratio: U256::from(ratio.get()),
        };
        let since = self.turn(self.contracts.rounds_manager, &call).await?;
        let l1 = l1::L1 {
            origin,
            ratio: ratio.get(),
            since: since.block_number.to(),
        };
        L1Proxy::start(self.rpc.clone(), l1).await
    }

    /// What the price feed answers: USD for an ETH in units of 1e-8, as of `updated_at`, unix seconds.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn set_price_feed(&self, answer: i64, updated_at: u64) -> Result<(), RpcError> {
        let call = PriceFeed::setCall {
            answer_: I256::try_from(answer).unwrap_or(I256::MAX),
            updatedAt: U256::from(updated_at),
        };
        self.turn(self.contracts.price_feed, &call).await?;
        Ok(())
    }

    // --- orchestrators ---

    /// Puts an orchestrator in the pool with this stake, in LPT wei, active from this round on, and its service URI in the
    /// registry.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn activate(
        &self,
        orchestrator: Address,
        stake: U256,
        uri: &str,
    ) -> Result<(), RpcError> {
        let call = BondingManager::activateCall {
            transcoder: orchestrator,
            stake,
            round: U256::from(self.round().await?),
        };
        self.turn(self.contracts.bonding_manager, &call).await?;
        self.set_service_uri(self.contracts.service_registry, orchestrator, uri)
            .await
    }

    /// Puts a devnet orchestrator in the pool, and gives it money for gas. Does nothing to one that is off-chain.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn enlist(&self, orchestrator: &Orchestrator, stake: U256) -> Result<(), RpcError> {
        let Some(address) = orchestrator.address() else {
            return Ok(());
        };
        self.endow(address, PLENTY).await?;
        self.activate(address, stake, orchestrator.uri()).await
    }

    /// Takes an orchestrator out of the pool; it is inactive from this round on.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn deactivate(&self, orchestrator: Address) -> Result<(), RpcError> {
        let call = BondingManager::deactivateCall {
            transcoder: orchestrator,
            round: U256::from(self.round().await?),
        };
        self.turn(self.contracts.bonding_manager, &call).await?;
        Ok(())
    }

    /// Enters any text as an orchestrator's service URI, in either registry.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn set_service_uri(
        &self,
        registry: Address,
        orchestrator: Address,
        uri: &str,
    ) -> Result<(), RpcError> {
        let call = ServiceRegistry::setServiceURIForCall {
            addr: orchestrator,
            serviceURI: uri.to_owned(),
        };
        self.turn(registry, &call).await?;
        Ok(())
    }

    /// What an orchestrator earned and has not withdrawn, in wei.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn fees(&self, orchestrator: Address) -> Result<U256, RpcError> {
        let call = BondingManager::pendingFeesCall {
            transcoder: orchestrator,
            _1: U256::ZERO,
        };
        self.rpc.call(self.contracts.bonding_manager, &call).await
    }

    // --- money ---

    /// Sets the balance of an address, in wei.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn endow(&self, address: Address, wei: U256) -> Result<(), RpcError> {
        let _: Value = self
            .rpc
            .request("anvil_setBalance", json!([address, wei]))
            .await?;
        Ok(())
    }

    /// Adds to a sender's deposit and reserve, in wei, out of its own account.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn fund(
        &self,
        sender: &PrivateKeySigner,
        deposit: U256,
        reserve: U256,
    ) -> Result<(), RpcError> {
        let call = TicketBroker::fundDepositAndReserveCall { deposit, reserve };
        let broker = self.contracts.ticket_broker;
        self.rpc
            .send(sender, broker, deposit + reserve, &call)
            .await?;
        Ok(())
    }

    /// A sender's money.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn sender(&self, sender: Address) -> Result<SenderInfo, RpcError> {
        let call = TicketBroker::getSenderInfoCall { addr: sender };
        let info = self.rpc.call(self.contracts.ticket_broker, &call).await?;
        Ok(SenderInfo {
            deposit: info.sender.deposit,
            withdraw_round: info.sender.withdrawRound.saturating_to(),
            reserve: info.reserve.fundsRemaining,
            claimed_in_round: info.reserve.claimedInCurrentRound,
        })
    }

    /// All that an orchestrator has to know about a sender.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub async fn standing(
        &self,
        sender: Address,
        recipient: Address,
    ) -> Result<Standing, RpcError> {
        let call = Lens::standingCall { sender, recipient };
        self.rpc.call(self.contracts.lens, &call).await
    }

    /// The owner turns a knob.
    async fn turn<C: SolCall>(&self, contract: Address, call: &C) -> Result<Receipt, RpcError> {
        let _alone = self.knobs.lock().await;
        self.rpc
            .send(&self.deployer, contract, U256::ZERO, call)
            .await
    }
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        let number = |n| NonZeroU64::new(n).unwrap_or(NonZeroU64::MIN);
        Self {
            block_time: None,
            round_length: number(1000),
            first_round: number(3),
            unlock_period: 2,
            ticket_validity: 2,
            pool_size: 100,
            usd_per_eth: 3000,
            multicall: true,
        }
    }
}
