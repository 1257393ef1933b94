//! Who the gateway is towards orchestrators, and what it pays them with.
//!
//! # Contract
//!
//! Off-chain the gateway is nobody: the address is zero, nothing is signed, payments are empty. On a chain it is the holder of a key:
//! its requests are signed (one signature for all of them, made once), its jobs are signed and paid. Everything a kind of job needs of
//! money goes through here; how segments, requests or streams are paid is theirs.

use std::fmt;
use std::sync::Arc;

use pointsman_directory::Terms;
use pointsman_payments::params::{self, Unpayable};
use pointsman_payments::purse::{Offer, Purse};
use pointsman_payments::signer::SignError;
use pointsman_payments::standing::{CannotPay, Standing};
use pointsman_wire::net::{Capabilities, OrchestratorInfo, OrchestratorRequest};
use pointsman_wire::sign::{Address, orchestrator_request_message};

/// The gateway's identity. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Account(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: Address,
    signature: Vec<u8>,
    paying: Option<Paying>,
}

/// What pays.
pub(crate) struct Paying {
    pub(crate) purse: Purse,
    standing: Box<dyn Fn() -> Standing + Send + Sync>,
}

// === impl Account ===

impl Account {
    /// Nobody: pays nothing.
    #[must_use]
    pub fn offchain() -> Self {
        Self(Arc::new(Inner {
            address: Address::ZERO,
            signature: Vec::new(),
            paying: None,
        }))
    }

    /// The owner of `purse`; `standing` says how it stands on the chain, from memory.
    ///
    /// # Errors
    ///
    /// When its key does not sign.
    pub fn paying(
        purse: Purse,
        standing: impl Fn() -> Standing + Send + Sync + 'static,
    ) -> Result<Self, SignError> {
        let address = purse.signer().address();
        let message = orchestrator_request_message(address);
        let signature = purse.signer().sign_message(message.as_bytes())?;
        Ok(Self(Arc::new(Inner {
            address,
            signature,
            paying: Some(Paying {
                purse,
                standing: Box::new(standing),
            }),
        })))
    }

    /// What orchestrators are asked: for everything, or for a job with these capabilities.
    #[must_use]
    pub fn request(&self, capabilities: Option<Capabilities>) -> OrchestratorRequest {
        OrchestratorRequest {
            address: self.0.address.to_vec(),
            sig: self.0.signature.clone(),
            capabilities,
            ..Default::default()
        }
    }

    /// What the directory needs to leave out those who ask for tickets that are never made. `None` off-chain.
    #[must_use]
    pub fn terms(&self) -> Option<Terms> {
        let account = self.clone();
        let judge = move |info: &OrchestratorInfo| account.paying_with()?.never(info);
        self.paying_with().map(|_| Terms::new(judge))
    }

    /// Why nobody can be paid now. `None` also off-chain.
    #[must_use]
    pub fn trouble(&self) -> Option<CannotPay> {
        let standing = self.paying_with()?.standing();
        standing.check(Default::default()).err()
    }

    /// Signs a job's message; off-chain empty, and then it is not made.
    pub(crate) fn sign(&self, message: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>, SignError> {
        match &self.0.paying {
            Some(paying) => paying.purse.signer().sign_message(&message()),
            None => Ok(Vec::new()),
        }
    }

    pub(crate) fn paying_with(&self) -> Option<&Paying> {
        self.0.paying.as_ref()
    }
}

// === impl Paying ===

impl Paying {
    pub(crate) fn standing(&self) -> Standing {
        (self.standing)()
    }

    /// Why an orchestrator cannot be paid on its terms, as far as it lies with them alone.
    fn never(&self, info: &OrchestratorInfo) -> Option<String> {
        let offer = match Offer::read(info) {
            Ok(offer) => offer,
            Err(error) => return Some(error.to_string()),
        };
        let checked = params::check(offer.params(), 1, &self.standing(), self.purse.limits());
        match checked {
            Err(
                error @ (Unpayable::Missing
                | Unpayable::Unreadable(_)
                | Unpayable::NoExpiration
                | Unpayable::Certain(_)
                | Unpayable::TicketValue { .. }),
            ) => Some(error.to_string()),
            // Too old by now, or a matter of our own money: that is said when it is paid.
            _ => None,
        }
    }
}

impl fmt::Debug for Paying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paying").field("purse", &self.purse).finish_non_exhaustive()
    }
}
