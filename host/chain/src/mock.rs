//! A node over a small chain in memory, for tests: it answers what the crate asks, counts it, and misbehaves on demand.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, I256, U256, keccak256};
use alloy::sol_types::{SolCall, SolEvent, SolValue};
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::abi::{
    Aggregator, BondingManager, Controller, Multicall3, RoundsManager, ServiceRegistry,
    TicketBroker,
};
use crate::network::{MULTICALL3, Network};
use crate::rpc::{Fault, Limits, Rpc, Transport};

pub(crate) const CHAIN: u64 = 31337;
pub(crate) const CONTROLLER: Address = Address::repeat_byte(0xc0);
pub(crate) const BONDING: Address = Address::repeat_byte(0xc1);
pub(crate) const ROUNDS: Address = Address::repeat_byte(0xc2);
pub(crate) const BROKER: Address = Address::repeat_byte(0xc3);
pub(crate) const REGISTRY: Address = Address::repeat_byte(0xc4);
pub(crate) const FEED: Address = Address::repeat_byte(0xc5);
pub(crate) const SENDER: Address = Address::repeat_byte(0x5e);

/// The chain. Everything is as of its head, whichever block is asked about.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) head: u64,
    /// The header field of Arbitrum.
    pub(crate) header_l1: Option<u64>,
    /// `RoundsManager.blockNum()`.
    pub(crate) block_num: u64,
    pub(crate) round: u64,
    pub(crate) pool: Vec<Address>,
    /// `getServiceURI` of the service registry, where not the usual.
    pub(crate) uris: Vec<(Address, String)>,
    pub(crate) ai: bool,
    pub(crate) deposit: u64,
    pub(crate) logs: Vec<Value>,
    /// `ETH / USD` with 8 decimals and when it was updated.
    pub(crate) price: (i64, u64),
    pub(crate) multicall: bool,
    /// Runs creation code in a call.
    pub(crate) walks: bool,
    /// Most calls in a batch.
    pub(crate) batch: usize,
    /// Most views in a Multicall3 before it is out of gas.
    pub(crate) gas: usize,
    pub(crate) refuses_logs: bool,
    /// Set apart from the other branch after a reorg.
    pub(crate) branch: u8,
}

/// What a node does with the next request in place of answering.
#[derive(Clone, Debug)]
pub(crate) enum Mood {
    Fault(Fault),
    Hang,
    Body(&'static str),
    /// Answers from a world of this head.
    Head(u64),
}

/// One node.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) world: Arc<Mutex<World>>,
    moods: Arc<Mutex<VecDeque<Mood>>>,
    /// In place of the moods, for good.
    pub(crate) always: Arc<Mutex<Option<Mood>>>,
    posts: Arc<AtomicU64>,
    chain_id: u64,
}

// === impl World ===

impl World {
    /// `n` orchestrators, everything in order.
    pub(crate) fn of(n: u64) -> Self {
        Self {
            head: 1000,
            header_l1: None,
            block_num: 1000,
            round: 10,
            pool: (1..=n).map(member).collect(),
            uris: Vec::new(),
            ai: true,
            deposit: 7,
            logs: Vec::new(),
            price: (3000, 1_700_000_000),
            multicall: true,
            walks: true,
            batch: usize::MAX,
            gas: usize::MAX,
            refuses_logs: false,
            branch: 0,
        }
    }

    /// Moves on by one block that holds an event.
    pub(crate) fn log<E: SolEvent>(&mut self, address: Address, event: &E) {
        self.step(1);
        let data = event.encode_log_data();
        self.logs.push(json!({
            "address": address,
            "topics": data.topics(),
            "data": data.data,
            "blockNumber": format!("{:#x}", self.head),
            "blockHash": self.hash(self.head),
            "logIndex": "0x0",
            "removed": false,
        }));
    }

    /// Moves on.
    pub(crate) fn step(&mut self, blocks: u64) {
        self.head += blocks;
        self.block_num += blocks;
    }

    pub(crate) fn hash(&self, number: u64) -> B256 {
        keccak256((U256::from(number), U256::from(self.branch)).abi_encode())
    }

    fn answer(&self, call: &Value, chain_id: u64) -> Result<Value, Value> {
        let params = &call["params"];
        match call["method"].as_str().unwrap() {
            "eth_chainId" => Ok(json!(format!("{chain_id:#x}"))),
            "eth_getBlockByNumber" => {
                let mut block = json!({
                    "number": format!("{:#x}", self.head),
                    "hash": self.hash(self.head),
                    "timestamp": "0x6553f100",
                    "baseFeePerGas": "0x7",
                });
                if let Some(l1) = self.header_l1 {
                    block["l1BlockNumber"] = json!(format!("{l1:#x}"));
                }
                Ok(block)
            }
            "eth_getCode" => {
                let there = match params[0].as_str().unwrap().parse::<Address>().unwrap() {
                    MULTICALL3 => self.multicall,
                    _ => self.ai,
                };
                Ok(json!(if there { "0x60" } else { "0x" }))
            }
            "eth_getLogs" if self.refuses_logs => {
                Err(json!({"code": -32601, "message": "no logs here"}))
            }
            "eth_getLogs" => {
                let from = quantity(&params[0]["fromBlock"]);
                let logs = self.logs.iter();
                let logs =
                    logs.filter(|log| (from..=self.head).contains(&quantity(&log["blockNumber"])));
                Ok(json!(logs.collect::<Vec<_>>()))
            }
            "eth_call" => {
                let at = params[1].as_str().unwrap();
                if at != "latest" && quantity(&params[1]) > self.head {
                    return Err(json!({"code": -32000, "message": "header not found"}));
                }
                let data: Bytes = params[0]["data"].as_str().unwrap().parse().unwrap();
                let to = params[0]["to"]
                    .as_str()
                    .map(|to| to.parse::<Address>().unwrap());
                self.view(to, &data).map(|data| json!(data))
            }
            other => Err(json!({"code": -32601, "message": format!("no {other} here")})),
        }
    }

    fn view(&self, to: Option<Address>, data: &[u8]) -> Result<Bytes, Value> {
        let reverted = || json!({"code": 3, "message": "execution reverted"});
        let Some(to) = to else {
            if !self.walks {
                return Err(json!({"code": -32000, "message": "to is required"}));
            }
            let words = std::iter::once(Address::ZERO).chain(self.pool.iter().copied());
            return Ok(words
                .flat_map(|member| member.into_word().0)
                .collect::<Vec<u8>>()
                .into());
        };
        if to == MULTICALL3 {
            let calls = Multicall3::aggregate3Call::abi_decode(data).unwrap().calls;
            if calls.len() > self.gas {
                return Err(json!({"code": -32000, "message": "out of gas"}));
            }
            let results =
                calls
                    .iter()
                    .map(|call| match self.view(Some(call.target), &call.callData) {
                        Ok(data) => Multicall3::Result {
                            success: true,
                            returnData: data,
                        },
                        Err(_) => Multicall3::Result {
                            success: false,
                            returnData: Bytes::new(),
                        },
                    });
            let results: Vec<_> = results.collect();
            return Ok(Multicall3::aggregate3Call::abi_encode_returns(&results).into());
        }
        let number = |value: u64| Ok(U256::from(value).abi_encode().into());
        let flag = |value: bool| Ok(value.abi_encode().into());
        let selector: [u8; 4] = data[..4].try_into().unwrap();
        let word = data.get(4..36);
        let whose = || Address::from_slice(&word.unwrap()[12..]);
        match (to, selector) {
            (CONTROLLER, Controller::pausedCall::SELECTOR) => flag(false),
            (CONTROLLER, Controller::getContractCall::SELECTOR) => {
                let known = [
                    ("BondingManager", BONDING),
                    ("RoundsManager", ROUNDS),
                    ("TicketBroker", BROKER),
                    ("ServiceRegistry", REGISTRY),
                ];
                let found = known
                    .iter()
                    .find(|(name, _)| keccak256(name) == B256::from_slice(word.unwrap()));
                Ok(found
                    .map_or(Address::ZERO, |(_, at)| *at)
                    .abi_encode()
                    .into())
            }
            (
                ROUNDS,
                RoundsManager::currentRoundCall::SELECTOR
                | RoundsManager::lastInitializedRoundCall::SELECTOR,
            ) => number(self.round),
            (ROUNDS, RoundsManager::currentRoundInitializedCall::SELECTOR) => flag(true),
            (ROUNDS, RoundsManager::currentRoundLockedCall::SELECTOR) => flag(false),
            (ROUNDS, RoundsManager::currentRoundStartBlockCall::SELECTOR) => {
                number(self.round * 100)
            }
            (ROUNDS, RoundsManager::roundLengthCall::SELECTOR) => number(100),
            (ROUNDS, RoundsManager::blockNumCall::SELECTOR) => number(self.block_num),
            (ROUNDS, RoundsManager::blockHashForRoundCall::SELECTOR) => {
                Ok(keccak256(word.unwrap()).abi_encode().into())
            }
            (BONDING, BondingManager::getTranscoderPoolSizeCall::SELECTOR) => {
                number(self.pool.len() as u64)
            }
            (BONDING, BondingManager::getTotalBondedCall::SELECTOR) => number(1_000_000),
            (BONDING, BondingManager::getFirstTranscoderInPoolCall::SELECTOR) => Ok(self
                .pool
                .first()
                .copied()
                .unwrap_or_default()
                .abi_encode()
                .into()),
            (BONDING, BondingManager::getNextTranscoderInPoolCall::SELECTOR) => {
                let at = self.pool.iter().position(|one| *one == whose());
                let next = at.and_then(|at| self.pool.get(at + 1)).copied();
                Ok(next.unwrap_or_default().abi_encode().into())
            }
            (BONDING, BondingManager::getTranscoderCall::SELECTOR) => {
                let word = |value: u64| U256::from(value);
                let facts = [
                    word(self.round),
                    word(100_000),
                    word(500_000),
                    word(0),
                    word(2),
                    U256::MAX,
                    word(0),
                    word(0),
                    word(0),
                    word(0),
                ];
                Ok(facts.abi_encode().into())
            }
            (BONDING, BondingManager::transcoderTotalStakeCall::SELECTOR) => {
                Ok((U256::from(10).pow(U256::from(21)) + U256::from(1))
                    .abi_encode()
                    .into())
            }
            (BONDING, BondingManager::isActiveTranscoderCall::SELECTOR) => {
                flag(self.pool.contains(&whose()))
            }
            (REGISTRY, ServiceRegistry::getServiceURICall::SELECTOR) => {
                let set = self
                    .uris
                    .iter()
                    .rev()
                    .find(|(address, _)| *address == whose());
                let uri = set.map_or_else(
                    || format!("https://{}.example:8935", whose()),
                    |(_, uri)| uri.clone(),
                );
                if uri == "REVERTS" {
                    return Err(reverted());
                }
                Ok(uri.abi_encode().into())
            }
            (_, ServiceRegistry::getServiceURICall::SELECTOR) => {
                Ok(String::new().abi_encode().into())
            }
            (
                BROKER,
                TicketBroker::unlockPeriodCall::SELECTOR
                | TicketBroker::ticketValidityPeriodCall::SELECTOR,
            ) => number(2),
            (BROKER, TicketBroker::getSenderInfoCall::SELECTOR) => {
                let words = [self.deposit, 0, 5, 0].map(U256::from);
                Ok(words.abi_encode().into())
            }
            (FEED, Aggregator::decimalsCall::SELECTOR) => number(8),
            (FEED, Aggregator::descriptionCall::SELECTOR) => {
                Ok("ETH / USD".to_owned().abi_encode().into())
            }
            (FEED, Aggregator::latestRoundDataCall::SELECTOR) => {
                let (dollars, updated) = self.price;
                let answer =
                    I256::try_from(dollars).unwrap() * I256::try_from(100_000_000).unwrap();
                Ok((
                    U256::from(1),
                    answer,
                    U256::from(updated),
                    U256::from(updated),
                    U256::from(1),
                )
                    .abi_encode()
                    .into())
            }
            _ => Err(reverted()),
        }
    }
}

// === impl Node ===

impl Node {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world: Arc::new(Mutex::new(world)),
            moods: Arc::default(),
            always: Arc::default(),
            posts: Arc::default(),
            chain_id: CHAIN,
        }
    }

    /// Another node of the same chain.
    pub(crate) fn twin(&self) -> Self {
        Self {
            world: Arc::clone(&self.world),
            ..Self::new(World::of(0))
        }
    }

    pub(crate) fn on_chain(mut self, chain_id: u64) -> Self {
        self.chain_id = chain_id;
        self
    }

    /// What it does with the next requests, one each.
    pub(crate) fn then(&self, moods: impl IntoIterator<Item = Mood>) {
        self.moods.lock().extend(moods);
    }

    /// What it does with every request from now on.
    pub(crate) fn always(&self, mood: Option<Mood>) {
        *self.always.lock() = mood;
    }

    /// Requests since the last time this was asked.
    pub(crate) fn taken(&self) -> u64 {
        self.posts.swap(0, Ordering::SeqCst)
    }

    fn serve(&self, body: &[u8], head: Option<u64>) -> Result<Bytes, Fault> {
        let mut world = self.world.lock().clone();
        world.head = head.unwrap_or(world.head);
        let asked: Value = serde_json::from_slice(body).unwrap();
        let one = |call: &Value| match world.answer(call, self.chain_id) {
            Ok(result) => json!({"jsonrpc": "2.0", "id": call["id"], "result": result}),
            Err(error) => json!({"jsonrpc": "2.0", "id": call["id"], "error": error}),
        };
        let answer = match &asked {
            Value::Array(calls) if calls.len() > world.batch => {
                json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "batch too large"}})
            }
            Value::Array(calls) => calls.iter().map(one).collect(),
            call => one(call),
        };
        Ok(answer.to_string().into_bytes().into())
    }
}

impl Transport for Node {
    fn post(&self, body: bytes::Bytes, most: usize) -> BoxFuture<'_, Result<bytes::Bytes, Fault>> {
        self.posts.fetch_add(1, Ordering::SeqCst);
        let mood = self.always.lock().clone();
        let mood = mood.or_else(|| self.moods.lock().pop_front());
        async move {
            let answer = match mood {
                None => self.serve(&body, None)?.0,
                Some(Mood::Head(head)) => self.serve(&body, Some(head))?.0,
                Some(Mood::Fault(fault)) => return Err(fault),
                Some(Mood::Body(text)) => text.as_bytes().to_vec().into(),
                Some(Mood::Hang) => {
                    tokio::time::sleep(Duration::from_secs(1_000_000)).await;
                    bytes::Bytes::new()
                }
            };
            match answer.len() > most {
                true => Err(Fault::TooLarge(most)),
                false => Ok(answer),
            }
        }
        .boxed()
    }
}

/// The `n`th orchestrator.
pub(crate) fn member(n: u64) -> Address {
    Address::from_word(B256::from(U256::from(0xa000 + n)))
}

/// The network that a [`World`] is.
pub(crate) fn network() -> Network {
    let mut network = Network::named("mock", Some(CONTROLLER)).unwrap();
    network.price_feed = Some(FEED);
    network
}

/// The nodes as one.
pub(crate) fn rpc(nodes: &[&Node]) -> Rpc {
    rpc_with(nodes, Limits::default())
}

pub(crate) fn rpc_with(nodes: &[&Node], limits: Limits) -> Rpc {
    let transport = |(at, node): (usize, &&Node)| {
        let node: Box<dyn Transport> = Box::new((*node).clone());
        (format!("node-{at}"), node)
    };
    Rpc::with_transports(
        nodes.iter().enumerate().map(transport).collect(),
        None,
        limits,
    )
}

fn quantity(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}
