//! Where the contracts are: asked of the Controller, never assumed.

use alloy::primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};

use crate::abi::Controller::getContractCall;
use crate::error::ChainError;
use crate::network::Network;
use crate::views::{Plan, Views};

/// The contracts that a gateway uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contracts {
    /// Knows the others.
    pub controller: Address,
    /// Orchestrators and their stake.
    pub bonding_manager: Address,
    /// Rounds.
    pub rounds_manager: Address,
    /// Deposits, reserves and winning tickets.
    pub ticket_broker: Address,
    /// Service URIs. `None`: not registered on this chain.
    pub service_registry: Option<Address>,
    /// Service URIs of AI orchestrators. `None`: nothing is there on this chain.
    pub ai_registry: Option<Address>,
}

// === impl Contracts ===

impl Contracts {
    /// Asks the network's Controller as of block `at`. `ai`: the AI registry has code on this chain.
    ///
    /// # Errors
    ///
    /// When no node answers, when there is no Controller at the address, or when it does not know a contract without which there is no paying.
    pub(crate) async fn resolve(
        views: Views<'_>,
        network: &Network,
        ai: bool,
        at: u64,
    ) -> Result<Self, ChainError> {
        let controller = network.controller;
        let mut plan = Plan::default();
        let names = [
            "BondingManager",
            "RoundsManager",
            "TicketBroker",
            "ServiceRegistry",
        ];
        let asks = names.map(|name| plan.ask(controller, &getContractCall { id: key(name) }));
        let readings = views.read(plan, at).await?;
        let mut found = [Address::ZERO; 4];
        for (found, ask) in found.iter_mut().zip(&asks) {
            *found = readings.get(ask).map_err(|error| ChainError::Controller {
                address: controller,
                error,
            })?;
        }
        let missing = (0..3).find(|&at| found[at].is_zero());
        if let Some(missing) = missing {
            return Err(ChainError::NotRegistered {
                controller,
                name: names[missing],
            });
        }
        let [bonding_manager, rounds_manager, ticket_broker, registry] = found;
        Ok(Self {
            controller,
            bonding_manager,
            rounds_manager,
            ticket_broker,
            service_registry: (!registry.is_zero()).then_some(registry),
            ai_registry: network.ai_registry.filter(|_| ai),
        })
    }
}

/// A contract's key in the Controller.
fn key(name: &str) -> B256 {
    keccak256(name)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::b256;

    use super::*;

    #[test]
    fn keys_are_hashes_of_names() {
        let broker = b256!("bd1aa3e8d2464256d7fd3dcf645c16418d5d8c51d971f1ad7d57e7b1b5eee239");
        assert_eq!(key("TicketBroker"), broker);
    }
}
