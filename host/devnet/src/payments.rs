//! The part of a profile that is about money.
//!
//! ```toml
//! [chain]
//! rpc = "http://127.0.0.1:8545"
//! controller = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
//!
//! [[orchestrator]]
//! price = 1000
//!
//! [orchestrator.payments]      # without it the orchestrator is off-chain
//! account = 1                  # whose key it has; see `chain::key`
//! ticket-ev = 8_000_000_000    # wei a ticket is worth
//! max-face-value = 16_000_000_000   # wei a winner pays at most; 0: no limit
//! gas-price = 7                # wei, of which face value and price adjustment are reckoned
//! redeem-gas = 350_000
//! adjust-price = true          # add the cost of redeeming to the price, as a real one does
//! redeem = "at-once"           # "after-expiry" as a real one, or "never"
//! ```
//!
//! With a face value of one wei more than the EV all but one ticket in some thousand millions win.

use alloy::primitives::Address;
use serde::Deserialize;

/// The chain that on-chain orchestrators are on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ChainProfile {
    /// URL of its node, `http`.
    pub rpc: String,
    /// The Controller, which knows the other contracts.
    pub controller: Address,
}

/// What an on-chain orchestrator asks and does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Payments {
    /// Whose key it has: [`chain::key`](crate::chain::key).
    pub account: u32,
    /// What a ticket is worth, in wei.
    pub ticket_ev: u64,
    /// What a winner pays at most, in wei; 0: as much as the sender's reserve and the cost of redeeming say.
    pub max_face_value: u64,
    /// What it takes gas for, in wei.
    pub gas_price: u64,
    /// Gas that it takes redeeming for.
    pub redeem_gas: u64,
    /// Whether the price covers redeeming: times `1 + cost / face value`, cut after three decimals.
    pub adjust_price: bool,
    /// When winners are redeemed.
    pub redeem: Redeem,
}

/// When winners are redeemed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redeem {
    /// As soon as they are received.
    #[default]
    AtOnce,
    /// When the ticket's parameters have expired, some forty L1 blocks later: as a real one.
    AfterExpiry,
    /// Only when somebody says so.
    Never,
}

// === impl Payments ===

impl Default for Payments {
    fn default() -> Self {
        Self {
            account: 1,
            ticket_ev: 8_000_000_000,
            max_face_value: 0,
            gas_price: 7,
            redeem_gas: 350_000,
            adjust_price: true,
            redeem: Redeem::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::profile::tests::documented;

    #[test]
    fn the_whole_format_is_read() {
        let text = documented(include_str!("payments.rs"));
        let profile = Profile::from_toml(&text).expect("the documented profile");
        let recorded = Payments {
            max_face_value: 16_000_000_000,
            ..Payments::default()
        };
        assert_eq!(profile.orchestrators[0].payments, Some(recorded));
        let chain = profile.chain.expect("a chain");
        assert_eq!(chain.rpc, "http://127.0.0.1:8545");
        assert!(!chain.controller.is_zero());
    }

    #[test]
    fn mistakes_name_their_key() {
        let chain = "[chain]\nrpc = \"http://127.0.0.1:1\"\ncontroller = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"\n";
        let with = |key: &str| format!("{chain}[[orchestrator]]\n[orchestrator.payments]\n{key}");
        let (soon, ev) = (with("redeem = \"soon\""), with("ev = 1"));
        for (text, names) in [
            ("[[orchestrator]]\n[orchestrator.payments]", "[chain]"),
            ("[chain]\nrpc = \"x\"\n[[orchestrator]]", "controller"),
            (soon.as_str(), "redeem"),
            (ev.as_str(), "ticket-ev"),
        ] {
            let error = Profile::from_toml(text).expect_err(text).to_string();
            assert!(error.contains(names), "{text}: {error}");
        }
    }
}
