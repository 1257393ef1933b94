//! Logs, as reasons to read again.
//!
//! # Contract
//!
//! A log is never applied; it only says which part of the state is out of date ([`Dirt`]). Each poll asks for the last [`OVERLAP`] blocks once more, up
//! to the newest: a node that lagged at one poll shows the log at a later one. [`Seen`] remembers logs by block hash and index, so each is
//! acted on once; one that was there and is gone (a reorg), or comes back marked as removed, is a reason as well.

use std::collections::HashMap;

use alloy::primitives::{Address, B256, U64};
use alloy::sol_types::SolEvent;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::abi::{BondingManager, Controller, RoundsManager, ServiceRegistry, TicketBroker};
use crate::contracts::Contracts;
use crate::state::Orchestrator;

/// Blocks that are asked for again: 16 s of Arbitrum.
pub(crate) const OVERLAP: u64 = 64;

/// Most logs that are remembered. More in so few blocks mean that everything must be read anyway.
const MAX_SEEN: usize = 10_000;

/// What is out of date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dirt {
    /// Where the contracts are.
    pub(crate) contracts: bool,
    /// Anything.
    pub(crate) all: bool,
    /// The sender's money.
    pub(crate) sender: bool,
}

/// A log as nodes write it. Its data are not needed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Log {
    address: Address,
    topics: Vec<B256>,
    block_number: U64,
    block_hash: B256,
    log_index: U64,
    #[serde(default)]
    removed: bool,
}

/// Whose logs mean what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch<'a> {
    pub(crate) contracts: &'a Contracts,
    pub(crate) sender: Option<Address>,
    pub(crate) orchestrators: &'a [Orchestrator],
}

/// The logs of the overlap.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    logs: HashMap<(B256, u64), (u64, Dirt)>,
}

// === impl Dirt ===

impl Dirt {
    pub(crate) const SENDER: Self = Self {
        contracts: false,
        all: false,
        sender: true,
    };

    pub(crate) const ALL: Self = Self {
        contracts: false,
        all: true,
        sender: true,
    };

    pub(crate) const CONTRACTS: Self = Self {
        contracts: true,
        all: true,
        sender: true,
    };

    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            contracts: self.contracts || other.contracts,
            all: self.all || other.all,
            sender: self.sender || other.sender,
        }
    }
}

// === impl Watch ===

impl Watch<'_> {
    /// The filter of `eth_getLogs` from block `from` to the newest.
    pub(crate) fn filter(&self, from: u64) -> Value {
        let Contracts {
            controller,
            bonding_manager,
            rounds_manager,
            ticket_broker,
            service_registry,
            ai_registry,
        } = *self.contracts;
        let mut addresses = vec![controller, bonding_manager, rounds_manager, ticket_broker];
        addresses.extend(service_registry);
        addresses.extend(ai_registry);
        let topics = [
            Controller::SetContractInfo::SIGNATURE_HASH,
            RoundsManager::NewRound::SIGNATURE_HASH,
            BondingManager::TranscoderActivated::SIGNATURE_HASH,
            BondingManager::TranscoderDeactivated::SIGNATURE_HASH,
            BondingManager::TranscoderUpdate::SIGNATURE_HASH,
            ServiceRegistry::ServiceURIUpdate::SIGNATURE_HASH,
            TicketBroker::DepositFunded::SIGNATURE_HASH,
            TicketBroker::ReserveFunded::SIGNATURE_HASH,
            TicketBroker::ReserveClaimed::SIGNATURE_HASH,
            TicketBroker::WinningTicketTransfer::SIGNATURE_HASH,
            TicketBroker::Unlock::SIGNATURE_HASH,
            TicketBroker::UnlockCancelled::SIGNATURE_HASH,
            TicketBroker::Withdrawal::SIGNATURE_HASH,
        ];
        json!([{
            "address": addresses,
            "fromBlock": format!("{from:#x}"),
            "toBlock": "latest",
            "topics": [topics],
        }])
    }

    /// What `log` makes out of date. Nodes may send what was not asked for.
    fn dirt(&self, log: &Log) -> Dirt {
        let contracts = self.contracts;
        let Some(&topic) = log.topics.first() else {
            return Dirt::default();
        };
        // The account that is indexed first, where one is.
        let whose = log.topics.get(1).map(|word| Address::from_word(*word));
        let registry = Some(log.address);
        if log.address == contracts.controller {
            match topic {
                Controller::SetContractInfo::SIGNATURE_HASH => Dirt::CONTRACTS,
                _ => Dirt::default(),
            }
        } else if log.address == contracts.ticket_broker {
            // Money of others is not ours to follow.
            match whose {
                Some(whose) if Some(whose) == self.sender => Dirt::SENDER,
                _ => Dirt::default(),
            }
        } else if registry == contracts.service_registry || registry == contracts.ai_registry {
            // Anybody may register anything as often as they like; only orchestrators' entries count.
            let ours = |whose| self.orchestrators.iter().any(|one| one.address == whose);
            match whose {
                Some(whose) if ours(whose) => Dirt::ALL,
                _ => Dirt::default(),
            }
        } else if log.address == contracts.bonding_manager
            || log.address == contracts.rounds_manager
        {
            Dirt::ALL
        } else {
            Dirt::default()
        }
    }
}

// === impl Seen ===

impl Seen {
    /// What the answer to a query from block `from` on makes out of date. `head` is the newest block the node told of beside it.
    pub(crate) fn take(&mut self, watch: &Watch<'_>, logs: &[Log], from: u64, head: u64) -> Dirt {
        let mut dirt = Dirt::default();
        let mut there = HashMap::new();
        for log in logs {
            let at = log.block_number.to::<u64>();
            let means = watch.dirt(log);
            if means == Dirt::default() || at < from {
                continue;
            }
            let key = (log.block_hash, log.log_index.to::<u64>());
            match log.removed {
                true => dirt = dirt.or(means),
                false => {
                    there.insert(key, (at, means));
                }
            }
        }
        let gone =
            |key: &(B256, u64), at: u64| at >= from && at <= head && !there.contains_key(key);
        for (_, &(_, means)) in self.logs.iter().filter(|(key, (at, _))| gone(key, *at)) {
            dirt = dirt.or(means);
        }
        for (key, (_, means)) in &there {
            if !self.logs.contains_key(key) {
                dirt = dirt.or(*means);
            }
        }
        // What the node does not reach yet is kept; what lies before the overlap is not asked for again.
        self.logs.retain(|_, (at, _)| *at > head);
        self.logs.extend(there);
        if self.logs.len() > MAX_SEEN {
            self.logs.clear();
            return Dirt::ALL;
        }
        dirt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Orchestrator;
    use crate::uri::ServiceUri;
    use alloy::primitives::U256;

    const SENDER: Address = Address::repeat_byte(0x51);
    const MEMBER: Address = Address::repeat_byte(0x0a);

    fn contracts() -> Contracts {
        Contracts {
            controller: Address::repeat_byte(1),
            bonding_manager: Address::repeat_byte(2),
            rounds_manager: Address::repeat_byte(3),
            ticket_broker: Address::repeat_byte(4),
            service_registry: Some(Address::repeat_byte(5)),
            ai_registry: None,
        }
    }

    fn member() -> Orchestrator {
        Orchestrator {
            address: MEMBER,
            in_pool: true,
            active: true,
            stake: U256::ZERO,
            activation_round: 0,
            deactivation_round: 0,
            last_reward_round: 0,
            reward_cut: 0,
            fee_share: 0,
            uri: ServiceUri::Unset,
            ai_uri: ServiceUri::Unset,
        }
    }

    fn log(address: Address, topic: B256, whose: Address, at: u64) -> Log {
        Log {
            address,
            topics: vec![topic, whose.into_word()],
            block_number: U64::from(at),
            block_hash: B256::from(U256::from(at)),
            log_index: U64::ZERO,
            removed: false,
        }
    }

    fn deposit(whose: Address, at: u64) -> Log {
        let topic = TicketBroker::DepositFunded::SIGNATURE_HASH;
        log(contracts().ticket_broker, topic, whose, at)
    }

    /// What each of the answers, with its first block and head, makes out of date.
    fn taken(answers: &[(&[Log], u64, u64)]) -> Vec<Dirt> {
        let (contracts, orchestrators) = (contracts(), [member()]);
        let watch = Watch {
            contracts: &contracts,
            sender: Some(SENDER),
            orchestrators: &orchestrators,
        };
        let mut seen = Seen::default();
        let take = |(logs, from, head): &(&[Log], u64, u64)| seen.take(&watch, logs, *from, *head);
        answers.iter().map(take).collect()
    }

    #[test]
    fn a_log_counts_once_however_often_it_is_shown() {
        let mine = [deposit(SENDER, 10)];
        let got = taken(&[(&mine, 0, 12), (&mine, 0, 14), (&mine, 5, 16)]);
        assert_eq!(got, [Dirt::SENDER, Dirt::default(), Dirt::default()]);
    }

    #[test]
    fn a_log_that_a_lagging_node_left_out_counts_when_it_is_shown() {
        let mine = [deposit(SENDER, 10)];
        let got = taken(&[(&[], 0, 12), (&mine, 0, 14)]);
        assert_eq!(got, [Dirt::default(), Dirt::SENDER]);
    }

    #[test]
    fn a_log_that_is_gone_or_removed_counts_again() {
        let mine = [deposit(SENDER, 10)];
        let got = taken(&[(&mine, 0, 12), (&[], 0, 13), (&[], 0, 14)]);
        assert_eq!(got, [Dirt::SENDER, Dirt::SENDER, Dirt::default()]);
        let mut removed = deposit(SENDER, 10);
        removed.removed = true;
        let got = taken(&[(&mine, 0, 12), (&[removed], 0, 13)]);
        assert_eq!(got, [Dirt::SENDER, Dirt::SENDER]);
    }

    #[test]
    fn a_log_beyond_a_lagging_nodes_head_is_not_gone() {
        let mine = [deposit(SENDER, 10)];
        let got = taken(&[(&mine, 0, 12), (&[], 0, 9), (&mine, 0, 12)]);
        assert_eq!(got, [Dirt::SENDER, Dirt::default(), Dirt::default()]);
    }

    #[test]
    fn a_log_that_left_the_overlap_is_not_gone() {
        let mine = [deposit(SENDER, 10)];
        let got = taken(&[(&mine, 0, 12), (&[], 11, 90)]);
        assert_eq!(got, [Dirt::SENDER, Dirt::default()]);
    }

    #[test]
    fn only_what_concerns_this_gateway_counts() {
        let contracts = contracts();
        let registry = contracts.service_registry.unwrap();
        let uri = ServiceRegistry::ServiceURIUpdate::SIGNATURE_HASH;
        let round = RoundsManager::NewRound::SIGNATURE_HASH;
        let set = Controller::SetContractInfo::SIGNATURE_HASH;
        let stranger = Address::repeat_byte(0x99);
        for (log, want) in [
            (deposit(stranger, 1), Dirt::default()),
            (log(registry, uri, MEMBER, 1), Dirt::ALL),
            (log(registry, uri, stranger, 1), Dirt::default()),
            (log(contracts.rounds_manager, round, stranger, 1), Dirt::ALL),
            (log(contracts.controller, set, stranger, 1), Dirt::CONTRACTS),
            (log(stranger, round, MEMBER, 1), Dirt::default()),
        ] {
            assert_eq!(
                taken(&[(std::slice::from_ref(&log), 0, 2)]),
                [want],
                "{log:?}"
            );
        }
    }

    #[test]
    fn a_flood_is_not_remembered() {
        let logs: Vec<Log> = (0..=MAX_SEEN as u64)
            .map(|at| deposit(SENDER, at))
            .collect();
        assert_eq!(taken(&[(&logs, 0, 1 << 30)]), [Dirt::ALL]);
    }
}
