//! Reads everything that is known of the chain, as of one block.
//!
//! # Contract
//!
//! [`Reader::everything`] asks for the whole state anew instead of applying events to an old one. So a reorg, a removed log, or a log that a lagging
//! node never showed, costs at most a reading too few until the next, and never a wrong sum. For 100 orchestrators it is three requests with
//! Multicall3 and a list from before, one more with a walk on the node, and a hundred and one more where a node allows neither.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use alloy::primitives::{Address, B256, Bytes, U256};
use serde_json::json;

use crate::abi::{BondingManager, Controller, RoundsManager, ServiceRegistry, TicketBroker};
use crate::contracts::Contracts;
use crate::error::ChainError;
use crate::feed::{FeedAsks, Reported};
use crate::pool::{Followed, Links, MAX_POOL, PoolError, sized, walk_code, walked};
use crate::rpc::{Call, RpcError};
use crate::state::{Broker, Orchestrator, Round, Sender};
use crate::uri::ServiceUri;
use crate::views::{Ask, Plan, Readings, ViewError, Views};

/// New members of a known list that are asked for one by one; with more, the list is walked anew.
const MAX_NEW: usize = 1;

/// Reads the contracts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) views: Views<'a>,
    pub(crate) contracts: Contracts,
    pub(crate) sender: Option<Address>,
    pub(crate) feed: Option<Address>,
    /// The node runs creation code in a call. Cleared by the first refusal.
    pub(crate) walks: &'a AtomicBool,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) round: Round,
    pub(crate) broker: Broker,
    pub(crate) pool_size: u64,
    pub(crate) total_stake: U256,
    pub(crate) orchestrators: Vec<Orchestrator>,
    pub(crate) sender: Option<Sender>,
    /// `RoundsManager.blockNum()`.
    pub(crate) block_num: u64,
    pub(crate) feed: Option<Result<Reported, ViewError>>,
}

type FirstCall = BondingManager::getFirstTranscoderInPoolCall;
type NextCall = BondingManager::getNextTranscoderInPoolCall;

/// The views of one orchestrator's row.
struct RowAsks {
    address: Address,
    facts: Ask<BondingManager::getTranscoderCall>,
    stake: Ask<BondingManager::transcoderTotalStakeCall>,
    active: Ask<BondingManager::isActiveTranscoderCall>,
    uris: [Option<Ask<ServiceRegistry::getServiceURICall>>; 2],
}

// === impl Reader ===

impl Reader<'_> {
    /// Everything as of block `at`. `before` is what was known: a list to verify and URIs to keep where one cannot be read.
    pub(crate) async fn everything(
        &self,
        at: u64,
        before: &[Orchestrator],
    ) -> Result<Reading, ChainError> {
        let Contracts {
            controller,
            bonding_manager: bonding,
            rounds_manager: rounds,
            ticket_broker: broker,
            ..
        } = self.contracts;
        let mut plan = Plan::default();
        let current = plan.ask(rounds, &RoundsManager::currentRoundCall {});
        let last = plan.ask(rounds, &RoundsManager::lastInitializedRoundCall {});
        let initialized = plan.ask(rounds, &RoundsManager::currentRoundInitializedCall {});
        let locked = plan.ask(rounds, &RoundsManager::currentRoundLockedCall {});
        let start = plan.ask(rounds, &RoundsManager::currentRoundStartBlockCall {});
        let length = plan.ask(rounds, &RoundsManager::roundLengthCall {});
        let block_num = plan.ask(rounds, &RoundsManager::blockNumCall {});
        let pool_size = plan.ask(bonding, &BondingManager::getTranscoderPoolSizeCall {});
        let total = plan.ask(bonding, &BondingManager::getTotalBondedCall {});
        let unlock = plan.ask(broker, &TicketBroker::unlockPeriodCall {});
        let validity = plan.ask(broker, &TicketBroker::ticketValidityPeriodCall {});
        let paused = plan.ask(controller, &Controller::pausedCall {});
        let sender = self.ask_sender(&mut plan);
        let feed = self.feed.map(|feed| FeedAsks::new(&mut plan, feed));
        let first = plan.ask(bonding, &FirstCall {});
        let known: Vec<(Address, Ask<NextCall>)> = before
            .iter()
            .filter(|one| one.in_pool)
            .map(|one| (one.address, plan.ask(bonding, &next_of(one.address))))
            .collect();
        let got = self.views.read(plan, at).await?;

        let pool_size = number("the pool's size", got.get(&pool_size)?)?;
        let mut links = Links::new(got.get(&first)?);
        for (member, ask) in &known {
            links.link(*member, got.get(ask)?);
        }
        let pool = self.pool(links, pool_size, at).await?;
        let last_initialized = number("the last round", got.get(&last)?)?;
        let (orchestrators, hashes) = self.rows(&pool, before, last_initialized, at).await?;
        Ok(Reading {
            round: Round {
                current: number("the round", got.get(&current)?)?,
                last_initialized,
                hash: hashes[0],
                previous_hash: hashes[1],
                initialized: got.get(&initialized)?,
                locked: got.get(&locked)?,
                start_block: number("the round's first block", got.get(&start)?)?,
                length: number("the round's length", got.get(&length)?)?,
            },
            broker: Broker {
                unlock_period: number("the unlock period", got.get(&unlock)?)?,
                ticket_validity: number("the ticket validity", got.get(&validity)?)?,
                paused: got.get(&paused)?,
            },
            pool_size,
            total_stake: got.get(&total)?,
            orchestrators,
            sender: sender.map(|ask| self.sender_of(&got, &ask)).transpose()?,
            block_num: number("the L1 block", got.get(&block_num)?)?,
            feed: feed.map(|asks| asks.read(&got)),
        })
    }

    /// The sender's money alone.
    pub(crate) async fn sender(&self, at: u64) -> Result<Option<Sender>, ChainError> {
        let mut plan = Plan::default();
        let Some(ask) = self.ask_sender(&mut plan) else {
            return Ok(None);
        };
        let got = self.views.read(plan, at).await?;
        Ok(Some(self.sender_of(&got, &ask)?))
    }

    /// The price feed alone.
    pub(crate) async fn feed(
        &self,
        at: u64,
    ) -> Result<Option<Result<Reported, ViewError>>, RpcError> {
        let mut plan = Plan::default();
        let Some(asks) = self.feed.map(|feed| FeedAsks::new(&mut plan, feed)) else {
            return Ok(None);
        };
        let got = self.views.read(plan, at).await?;
        Ok(Some(asks.read(&got)))
    }

    fn ask_sender(&self, plan: &mut Plan) -> Option<Ask<TicketBroker::getSenderInfoCall>> {
        let call = TicketBroker::getSenderInfoCall {
            sender: self.sender?,
        };
        Some(plan.ask(self.contracts.ticket_broker, &call))
    }

    fn sender_of(
        &self,
        got: &Readings,
        ask: &Ask<TicketBroker::getSenderInfoCall>,
    ) -> Result<Sender, ViewError> {
        let info = got.get(ask)?;
        Ok(Sender {
            address: self.sender.unwrap_or_default(),
            deposit: info.sender.deposit,
            withdraw_round: info.sender.withdrawRound,
            reserve: info.reserve.fundsRemaining,
            claimed: info.reserve.claimedInCurrentRound,
        })
    }

    /// The pool's members in order, the cheapest way that works.
    async fn pool(&self, mut links: Links, size: u64, at: u64) -> Result<Vec<Address>, ChainError> {
        if size > MAX_POOL as u64 {
            return Err(PoolError::TooLong.into());
        }
        let mut asked = 0;
        loop {
            let missing = match links.follow()? {
                Followed::Whole(list) => return Ok(sized(list, size)?),
                Followed::Missing(missing) => missing,
            };
            let unknown = size.saturating_sub(links.len() as u64);
            let walk = asked == MAX_NEW || unknown > MAX_NEW as u64;
            if walk && self.walks.load(Ordering::Relaxed) {
                match self.walk(at).await {
                    Ok(list) => return Ok(sized(list, size)?),
                    Err(error @ ChainError::Rpc(RpcError::Down(_))) => return Err(error),
                    Err(error) => {
                        tracing::debug!(%error, "the list of orchestrators is read one by one");
                        self.walks.store(false, Ordering::Relaxed);
                    }
                }
            }
            let mut plan = Plan::default();
            let next = plan.ask(self.contracts.bonding_manager, &next_of(missing));
            // Multicall3 would gain nothing.
            let alone = Views {
                multicall: false,
                ..self.views
            };
            links.link(missing, alone.read(plan, at).await?.get(&next)?);
            asked += 1;
        }
    }

    async fn walk(&self, at: u64) -> Result<Vec<Address>, ChainError> {
        let code = walk_code(self.contracts.bonding_manager);
        let params = json!([{ "data": code }, format!("{at:#x}")]);
        let answer = self.views.rpc.call(Call::new("eth_call", params)).await?;
        Ok(walked(&answer.parse::<Bytes>("bytes")?)?)
    }

    /// A row for each member of `pool` and each of `before` that is still active, and the hashes of the last two rounds.
    async fn rows(
        &self,
        pool: &[Address],
        before: &[Orchestrator],
        last: u64,
        at: u64,
    ) -> Result<(Vec<Orchestrator>, [B256; 2]), ChainError> {
        let members: HashSet<Address> = pool.iter().copied().collect();
        let old: HashMap<Address, &Orchestrator> =
            before.iter().map(|one| (one.address, one)).collect();
        let left = before.iter().map(|one| one.address);
        let left = left.filter(|address| !members.contains(address));
        let mut plan = Plan::default();
        let rounds = self.contracts.rounds_manager;
        let hash_of = |round: u64| RoundsManager::blockHashForRoundCall {
            round: U256::from(round),
        };
        let hash = plan.ask(rounds, &hash_of(last));
        let previous = last.checked_sub(1);
        let previous = previous.map(|round| plan.ask(rounds, &hash_of(round)));
        let asks: Vec<RowAsks> = pool
            .iter()
            .copied()
            .chain(left)
            .map(|address| RowAsks::new(&mut plan, &self.contracts, address))
            .collect();
        let got = self.views.read(plan, at).await?;
        let previous = previous.map(|ask| got.get(&ask)).transpose()?;
        let hashes = [got.get(&hash)?, previous.unwrap_or_default()];
        let mut rows = Vec::with_capacity(asks.len());
        for ask in &asks {
            let row = ask.read(&got, members.contains(&ask.address), old.get(&ask.address))?;
            if row.in_pool || row.active {
                rows.push(row);
            }
        }
        Ok((rows, hashes))
    }
}

// === impl RowAsks ===

impl RowAsks {
    fn new(plan: &mut Plan, contracts: &Contracts, address: Address) -> Self {
        let bonding = contracts.bonding_manager;
        let facts = BondingManager::getTranscoderCall {
            transcoder: address,
        };
        let stake = BondingManager::transcoderTotalStakeCall {
            transcoder: address,
        };
        let active = BondingManager::isActiveTranscoderCall {
            transcoder: address,
        };
        let uri = ServiceRegistry::getServiceURICall { addr: address };
        let registries = [contracts.service_registry, contracts.ai_registry];
        Self {
            address,
            facts: plan.ask(bonding, &facts),
            stake: plan.ask(bonding, &stake),
            active: plan.ask(bonding, &active),
            uris: registries.map(|registry| registry.map(|registry| plan.ask(registry, &uri))),
        }
    }

    fn read(
        &self,
        got: &Readings,
        in_pool: bool,
        before: Option<&&Orchestrator>,
    ) -> Result<Orchestrator, ViewError> {
        let facts = got.get(&self.facts)?;
        let uri = |which: usize, before: Option<&ServiceUri>| match &self.uris[which] {
            None => ServiceUri::Unset,
            Some(ask) => match (got.get(ask), before) {
                (Ok(text), _) => text.into(),
                (Err(_), Some(before @ ServiceUri::Text(_))) => before.clone(),
                (Err(error), _) => ServiceUri::Unreadable(error.to_string()),
            },
        };
        Ok(Orchestrator {
            address: self.address,
            in_pool,
            active: got.get(&self.active)?,
            stake: got.get(&self.stake)?,
            activation_round: facts.activationRound.saturating_to(),
            deactivation_round: facts.deactivationRound.saturating_to(),
            last_reward_round: facts.lastRewardRound.saturating_to(),
            reward_cut: facts.rewardCut.saturating_to(),
            fee_share: facts.feeShare.saturating_to(),
            uri: uri(0, before.map(|one| &one.uri)),
            ai_uri: uri(1, before.map(|one| &one.ai_uri)),
        })
    }
}

fn next_of(transcoder: Address) -> NextCall {
    NextCall { transcoder }
}

/// A count that fits.
fn number(what: &'static str, value: U256) -> Result<u64, ChainError> {
    value.try_into().map_err(|_| ChainError::Number {
        what,
        value: value.to_string(),
    })
}
