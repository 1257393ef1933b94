//! Who signs: a key in this process, a remote signer, or nobody.
//!
//! # Contract
//!
//! A [`Signer`] has one address for the life of the process, since orchestrators bind ticket parameters to it. It signs
//! messages (requests and segments) and tickets; what one kind cannot sign is an error that says so, never a signature that
//! no orchestrator takes.
//!
//! | kind | requests | segments | tickets |
//! |---|---|---|---|
//! | [`Key`] | yes | yes | yes |
//! | [`Remote`](crate::remote::Remote) | yes, a signature that it gave once | by [a call of its own](crate::remote::Remote::sign_segment) | only as a whole payment |
//! | [`Nobody`] | empty | empty | no: off-chain nothing is paid |

mod key;

pub use key::Key;

use std::fmt;

use futures::future::BoxFuture;
use pointsman_wire::sign::{Address, SIGNATURE_BYTES};
use pointsman_wire::ticket::{Expiration, Params};

/// A nonce, and the signature of the ticket that has it.
pub type Signed = (u32, [u8; SIGNATURE_BYTES]);

/// Signs for one address.
pub trait Signer: fmt::Debug + Send + Sync {
    /// Who pays; zero for nobody.
    fn address(&self) -> Address;

    /// Signs a request or a segment, as 65 bytes, or as none where nobody signs.
    ///
    /// # Errors
    ///
    /// When this kind does not sign that.
    fn sign_message(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;

    /// Signs tickets that differ in their nonce only.
    ///
    /// # Errors
    ///
    /// When this kind signs no tickets.
    fn sign_tickets<'a>(
        &'a self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Signed>, SignError>>;
}

/// Tickets to sign: nonces `first_nonce` to `first_nonce + count - 1`.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// What they say.
    pub params: Params,
    /// Their round, where the parameters name none.
    pub expiration: Expiration,
    /// Nonce of the first.
    pub first_nonce: u32,
    /// How many.
    pub count: u32,
}

/// Why there is no signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The gateway is off-chain.
    #[error("the gateway has no key, so it pays nothing: give it a keystore or a remote signer")]
    Nobody,
    /// A remote signer does not sign this.
    #[error("a remote signer does not sign {0}: give the gateway a keystore for such jobs")]
    Remote(&'static str),
    /// The key failed.
    #[error("the key cannot sign: {0}")]
    Failed(String),
}

/// Off-chain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

// === impl Nobody ===

impl Signer for Nobody {
    fn address(&self) -> Address {
        Address::ZERO
    }

    fn sign_message(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(Vec::new())
    }

    fn sign_tickets<'a>(&'a self, _: &'a Batch) -> BoxFuture<'a, Result<Vec<Signed>, SignError>> {
        Box::pin(async { Err(SignError::Nobody) })
    }
}
