//! The devnet's contracts: types and creation code, out of the artifacts that `make contracts` writes.
//!
//! Made from the artifacts and not from a second description, so that what is called is what was compiled.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::too_many_arguments,
    reason = "generated from the contracts, which are documented where they are written"
)]

use alloy::sol;

sol!(Controller, "contracts/artifacts/Controller.json");
sol!(RoundsManager, "contracts/artifacts/RoundsManager.json");
sol!(BondingManager, "contracts/artifacts/BondingManager.json");
sol!(ServiceRegistry, "contracts/artifacts/ServiceRegistry.json");
sol!(TicketBroker, "contracts/artifacts/TicketBroker.json");
sol!(PriceFeed, "contracts/artifacts/PriceFeed.json");
sol!(Multicall3, "contracts/artifacts/Multicall3.json");
sol!(Lens, "contracts/artifacts/Lens.json");
