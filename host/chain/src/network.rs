//! Which chain, and where on it the contracts are found.

use alloy::primitives::{Address, address};

/// Multicall3, at the same address on every chain that has it.
pub const MULTICALL3: Address = address!("cA11bde05977b3631167028862bE2a173976CA11");

/// A chain with Livepeer's contracts. Everything but the Controller and what is not registered there is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// As operators write it.
    pub name: String,
    /// `eth_chainId` of its nodes. `None`: whatever the first endpoint says.
    pub chain_id: Option<u64>,
    /// Knows the other contracts.
    pub controller: Address,
    /// The service registry of AI orchestrators: in no Controller.
    pub ai_registry: Option<Address>,
    /// The Chainlink aggregator for prices in another currency than ETH.
    pub price_feed: Option<Address>,
}

/// There is no such network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// A network of one's own needs its Controller.
    #[error(
        "network {0:?} is not known here: give its Controller's address with --eth-controller, or use arbitrum-one-mainnet"
    )]
    NoController(String),
    /// A network that is no more.
    #[error("network {0:?} is no longer served by Livepeer: the live one is arbitrum-one-mainnet")]
    Gone(String),
    /// The known networks' Controllers are fixed.
    #[error(
        "network {name:?} has its Controller at {known}, not at {given}: leave --eth-controller out, or name the network otherwise"
    )]
    OtherController {
        /// The network.
        name: String,
        /// Where it is.
        known: Address,
        /// What was given.
        given: Address,
    },
}

// === impl Network ===

impl Network {
    /// The live network: Arbitrum One.
    pub const ARBITRUM_ONE: &str = "arbitrum-one-mainnet";

    /// The network of this name. Any name is taken for a chain of one's own if a Controller is given.
    ///
    /// # Errors
    ///
    /// [`NetworkError`], which says what to give.
    pub fn named(name: &str, controller: Option<Address>) -> Result<Self, NetworkError> {
        let known = Self::arbitrum_one();
        match (name, controller) {
            (Self::ARBITRUM_ONE, None) => Ok(known),
            (Self::ARBITRUM_ONE, Some(given)) if given == known.controller => Ok(known),
            (Self::ARBITRUM_ONE, Some(given)) => Err(NetworkError::OtherController {
                name: name.to_owned(),
                known: known.controller,
                given,
            }),
            ("mainnet" | "rinkeby" | "arbitrum-one-rinkeby", None) => {
                Err(NetworkError::Gone(name.to_owned()))
            }
            (_, None) => Err(NetworkError::NoController(name.to_owned())),
            (_, Some(controller)) => Ok(Self {
                name: name.to_owned(),
                chain_id: None,
                controller,
                // The same address everywhere; whether there is anything is seen on the chain.
                ai_registry: known.ai_registry,
                price_feed: None,
            }),
        }
    }

    fn arbitrum_one() -> Self {
        Self {
            name: Self::ARBITRUM_ONE.to_owned(),
            chain_id: Some(42161),
            controller: address!("D8E8328501E9645d16Cf49539efC04f734606ee4"),
            ai_registry: Some(address!("04C0b249740175999E5BF5c9ac1dA92431EF34C5")),
            price_feed: Some(address!("639Fe6ab55C921f74e7fac1ee960C0B6293ba612")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Address = address!("5FbDB2315678afecb367f032d93F642f64180aa3");

    #[test]
    fn a_name_or_a_controller_is_enough() {
        let live = Network::named("arbitrum-one-mainnet", None).unwrap();
        assert_eq!(live.chain_id, Some(42161));
        let own = Network::named("devnet", Some(OWN)).unwrap();
        assert_eq!((own.controller, own.chain_id), (OWN, None));
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        let error = |name, controller| Network::named(name, controller).unwrap_err().to_string();
        assert!(error("devnet", None).contains("--eth-controller"));
        assert!(error("mainnet", None).contains("arbitrum-one-mainnet"));
        assert!(error("arbitrum-one-mainnet", Some(OWN)).contains("0xD8E8"));
    }
}
