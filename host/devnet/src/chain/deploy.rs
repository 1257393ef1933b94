//! Deploying the contracts.

use alloy::primitives::{Address, B256, Bytes, FixedBytes, I256, U256, address, keccak256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolConstructor;
use serde_json::json;

use super::abi::{
    BondingManager, Controller, Lens, Multicall3, PriceFeed, RoundsManager, ServiceRegistry,
    TicketBroker,
};
use super::{Rpc, RpcError, Settings};

/// Where the second registry, that of AI, is on every network.
pub const AI_SERVICE_REGISTRY: Address = address!("04C0b249740175999E5BF5c9ac1dA92431EF34C5");
/// Where Multicall3 is on nearly every network.
pub const MULTICALL3: Address = address!("cA11bde05977b3631167028862bE2a173976CA11");

/// Where the contracts are.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Contracts {
    /// Knows the others by name.
    pub controller: Address,
    /// Rounds.
    pub rounds_manager: Address,
    /// Orchestrators, stake, fees.
    pub bonding_manager: Address,
    /// Service URIs.
    pub service_registry: Address,
    /// Service URIs for AI; not in the Controller.
    pub ai_service_registry: Address,
    /// Deposits, reserves, tickets.
    pub ticket_broker: Address,
    /// ETH in USD.
    pub price_feed: Address,
    /// Of the devnet: what an orchestrator asks.
    pub lens: Address,
}

/// The Controller's key of a contract.
#[must_use]
pub fn contract_id(name: &str) -> B256 {
    keccak256(name)
}

/// Deploys all of them and enters them in the Controller.
pub(super) async fn deploy(
    rpc: &Rpc,
    deployer: &PrivateKeySigner,
    settings: &Settings,
) -> Result<Contracts, RpcError> {
    let create = async |code: &Bytes, arguments: Vec<u8>| -> Result<Address, RpcError> {
        let input = [code.as_ref(), &arguments].concat().into();
        let receipt = rpc.transact(deployer, None, U256::ZERO, input).await?;
        receipt
            .contract_address
            .ok_or_else(|| RpcError::Nonsense("a contract without an address".to_owned()))
    };
    let number = U256::from::<u64>;
    let controller = create(&Controller::BYTECODE, Vec::new()).await?;
    let rounds_manager = RoundsManager::constructorCall {
        controller_: controller,
        roundLength_: number(settings.round_length.get()),
        roundLockAmount_: number(100_000),
        firstRound_: number(settings.first_round.get()),
    };
    let bonding_manager = BondingManager::constructorCall {
        controller_: controller,
        poolMaxSize: number(settings.pool_size),
    };
    let ticket_broker = TicketBroker::constructorCall {
        controller_: controller,
        unlockPeriod_: number(settings.unlock_period),
        ticketValidityPeriod_: number(settings.ticket_validity),
    };
    let price_feed = PriceFeed::constructorCall {
        answer_: I256::try_from(settings.usd_per_eth)
            .unwrap_or(I256::MAX)
            .saturating_mul(I256::try_from(100_000_000).unwrap_or(I256::MAX)),
    };
    let lens = Lens::constructorCall {
        controller_: controller,
    };
    let contracts = Contracts {
        controller,
        rounds_manager: create(&RoundsManager::BYTECODE, rounds_manager.abi_encode()).await?,
        bonding_manager: create(&BondingManager::BYTECODE, bonding_manager.abi_encode()).await?,
        service_registry: create(&ServiceRegistry::BYTECODE, Vec::new()).await?,
        ai_service_registry: AI_SERVICE_REGISTRY,
        ticket_broker: create(&TicketBroker::BYTECODE, ticket_broker.abi_encode()).await?,
        price_feed: create(&PriceFeed::BYTECODE, price_feed.abi_encode()).await?,
        lens: create(&Lens::BYTECODE, lens.abi_encode()).await?,
    };
    for (name, address) in [
        ("RoundsManager", contracts.rounds_manager),
        ("BondingManager", contracts.bonding_manager),
        ("ServiceRegistry", contracts.service_registry),
        ("TicketBroker", contracts.ticket_broker),
        (LENS, contracts.lens),
    ] {
        let call = Controller::setContractInfoCall {
            id: contract_id(name),
            contractAddress: address,
            gitCommitHash: FixedBytes::ZERO,
        };
        rpc.send(deployer, controller, U256::ZERO, &call).await?;
    }
    copy_code(rpc, contracts.service_registry, AI_SERVICE_REGISTRY).await?;
    if settings.multicall {
        let made = create(&Multicall3::BYTECODE, Vec::new()).await?;
        copy_code(rpc, made, MULTICALL3).await?;
    }
    Ok(contracts)
}

/// The lens' name in the Controller.
pub(crate) const LENS: &str = "DevnetLens";

/// Puts the code of one contract at another address as well.
async fn copy_code(rpc: &Rpc, from: Address, to: Address) -> Result<(), RpcError> {
    let code: Bytes = rpc.request("eth_getCode", json!([from, "latest"])).await?;
    rpc.request("anvil_setCode", json!([to, code])).await
}
