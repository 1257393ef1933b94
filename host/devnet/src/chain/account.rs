//! Keys that everyone knows.
//!
//! The first ten are anvil's own, of the public mnemonic `test test test test test test test test test test test junk`;
//! anvil gives each 10 000 ETH. Those behind are made from their number. None may ever hold real money.

use alloy::primitives::{B256, b256, keccak256};
use alloy::signers::local::PrivateKeySigner;

const ANVIL: [B256; 10] = [
    b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    b256!("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    b256!("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    b256!("7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    b256!("47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
    b256!("8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    b256!("92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    b256!("4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
    b256!("dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"),
    b256!("2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"),
];

/// The account that deploys the contracts, and turns their knobs.
pub const DEPLOYER: u32 = 0;
/// The account that pays, by habit.
pub const GATEWAY: u32 = 2;

/// The key of an account. Accounts from 10 on have no money until somebody gives them some.
#[must_use]
pub fn key(account: u32) -> PrivateKeySigner {
    let bytes = match ANVIL.get(account as usize) {
        Some(bytes) => *bytes,
        None => keccak256(format!("pointsman devnet account {account}")),
    };
    PrivateKeySigner::from_bytes(&bytes).expect("a hash that is below the curve's order")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::address;

    #[test]
    fn the_first_are_anvils_and_the_others_are_all_different() {
        let gateway = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
        assert_eq!(key(GATEWAY).address(), gateway);
        let last = address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720");
        assert_eq!(key(9).address(), last);
        let addresses: std::collections::HashSet<_> = (0..100).map(|n| key(n).address()).collect();
        assert_eq!(addresses.len(), 100);
    }
}
