//! A stream's state: the signer's memory, kept by the gateway under the signer's signature.

use alloy::primitives::Signature;
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use pointsman_wire::amount::Ratio;
use serde::{Deserialize, Serialize};

use super::ask::{Bytes, Refused};

/// As it travels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Blob {
    #[serde(rename = "State", default)]
    state: Bytes,
    #[serde(rename = "Sig", default)]
    signature: Bytes,
}

/// As it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    #[serde(rename = "StateID")]
    pub(super) id: String,
    #[serde(rename = "PMSessionID")]
    pub(super) rand_hash: String,
    #[serde(rename = "LastUpdate")]
    pub(super) updated: String,
    #[serde(rename = "OrchestratorAddress")]
    pub(super) orchestrator: String,
    #[serde(rename = "App")]
    pub(super) app: String,
    #[serde(rename = "SenderNonce")]
    pub(super) nonce: u32,
    #[serde(rename = "Balance")]
    pub(super) balance: String,
    #[serde(rename = "InitialPricePerUnit")]
    pub(super) price: i64,
    #[serde(rename = "InitialPixelsPerUnit")]
    pub(super) units: i64,
    #[serde(rename = "Type")]
    pub(super) kind: String,
    #[serde(rename = "SequenceNumber")]
    pub(super) sequence: u64,
}

// === impl Blob ===

impl Blob {
    /// Go sends an empty state for none.
    pub(super) fn is_empty(&self) -> bool {
        self.state.0.is_empty() && self.signature.0.is_empty()
    }

    pub(super) fn seal(state: &State, key: &PrivateKeySigner) -> Result<Self, Refused> {
        let bytes = serde_json::to_vec(state).map_err(|_| Refused::Internal)?;
        let signature = key
            .sign_message_sync(&bytes)
            .map_err(|_| Refused::Internal)?;
        Ok(Self {
            state: Bytes(bytes),
            signature: Bytes(signature.as_bytes().to_vec()),
        })
    }

    /// What is in it, if this key has sealed it.
    pub(super) fn open(&self, key: &PrivateKeySigner) -> Result<State, Refused> {
        let sealed = Signature::from_raw(&self.signature.0)
            .ok()
            .and_then(|signature| signature.recover_address_from_msg(&self.state.0).ok());
        if sealed != Some(key.address()) {
            return Err(Refused::bad("invalid sig"));
        }
        serde_json::from_slice(&self.state.0).map_err(|_| Refused::bad("invalid state"))
    }
}

// === impl State ===

impl State {
    pub(super) fn balance(&self) -> Result<Ratio, Refused> {
        self.balance
            .parse()
            .map_err(|_| Refused::bad("invalid state"))
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, hex};

    use super::*;

    #[test]
    fn the_seal_is_as_published() {
        let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).expect("a key");
        let bytes =
            br#"{"StateID":"abcd1234","PMSessionID":"","LastUpdate":"2026-01-01T00:00:00Z"}"#;
        let signature = key.sign_message_sync(bytes).expect("a signature");
        assert_eq!(
            hex::encode(signature.as_bytes()),
            "8a7236967b0c353f4471768d1fb9e1cbb1cef19470d629eb8fc2e4cf9dbb324c475f7d2d1ef6a5fb3e7c61edeb0e71f82ed75380b46ca354d378da9259d7b1a21b"
        );
        let other = Blob {
            state: Bytes(b"{}".to_vec()),
            signature: Bytes(signature.as_bytes().to_vec()),
        };
        assert_eq!(other.open(&key), Err(Refused::bad("invalid sig")));
        let mine = Blob {
            state: Bytes(bytes.to_vec()),
            ..other
        };
        assert_eq!(mine.open(&key), Err(Refused::bad("invalid state")));
    }
}
