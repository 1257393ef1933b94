//! A key in memory.
//!
//! It lives here and nowhere else: behind one `Arc`, never copied out, never printed, overwritten with zeros when the last
//! handle is dropped (the signing key does that itself). Opening the keystore is the chain's business.
//!
//! A signature takes tens of microseconds, and a payment may have hundreds of tickets, so the task yields now and then:
//! a large payment does not hold up the streams of its thread.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use pointsman_wire::sign::{self, Address, PrivateKeySigner};

use super::{Batch, SignError, Signed, Signer};

/// Signatures between two yields: about a millisecond.
const RUN: u32 = 16;

/// Signs with a private key.
#[derive(Clone)]
pub struct Key(Arc<PrivateKeySigner>);

// === impl Key ===

impl Key {
    /// Takes a key over.
    #[must_use]
    pub fn new(key: PrivateKeySigner) -> Self {
        Self(Arc::new(key))
    }
}

impl Signer for Key {
    fn address(&self) -> Address {
        self.0.address()
    }

    fn sign_message(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature = sign::sign(&*self.0, message);
        Ok(signature.map_err(|error| failed(&error))?.to_vec())
    }

    fn sign_tickets<'a>(
        &'a self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Signed>, SignError>> {
        Box::pin(async move {
            let mut signed = Vec::with_capacity(batch.count as usize);
            for made in 0..batch.count {
                if made > 0 && made.is_multiple_of(RUN) {
                    tokio::task::yield_now().await;
                }
                let nonce = batch.first_nonce.saturating_add(made);
                let ticket = batch.params.ticket(self.address(), nonce, batch.expiration);
                let signature = ticket.sign(&*self.0).map_err(|error| failed(&error))?;
                signed.push((nonce, signature));
            }
            Ok(signed)
        })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.address())
    }
}

fn failed(error: &dyn fmt::Display) -> SignError {
    SignError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, U256};
    use pointsman_wire::sign::orchestrator_request_message;
    use pointsman_wire::ticket::{Expiration, Params};

    use super::*;
    use crate::signer::Nobody;

    fn key() -> Key {
        Key::new(PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).expect("a key"))
    }

    fn batch(first_nonce: u32, count: u32) -> Batch {
        Batch {
            params: Params {
                recipient: Address::repeat_byte(2),
                face_value: U256::from(5),
                win_prob: U256::from(6),
                recipient_rand_hash: B256::repeat_byte(3),
                seed: U256::from(7),
                expiration_block: 8,
                expiration: None,
            },
            expiration: Expiration {
                round: 9,
                block_hash: B256::repeat_byte(4),
            },
            first_nonce,
            count,
        }
    }

    #[tokio::test]
    async fn each_ticket_of_a_batch_has_its_nonce_and_its_signature() {
        let (key, batch) = (key(), batch(41, 50));
        let signed = key.sign_tickets(&batch).await.expect("signatures");
        let nonces: Vec<u32> = signed.iter().map(|&(nonce, _)| nonce).collect();
        assert_eq!(nonces, (41..91).collect::<Vec<u32>>());
        for (nonce, signature) in signed {
            let ticket = batch.params.ticket(key.address(), nonce, batch.expiration);
            assert_eq!(ticket.verify(&signature), Ok(()));
            assert_eq!(ticket.expiration.round, 9);
        }
    }

    #[test]
    fn a_request_is_signed_as_published_and_the_key_is_not_shown() {
        let key = key();
        let message = orchestrator_request_message(key.address());
        let signature = key.sign_message(message.as_bytes()).expect("a signature");
        assert_eq!(
            hex::encode(signature),
            "f43599799a5e0e37c926e84208112385030179cba9b7fbe255758615229836243295b04081924e7fa6a4236cca49532205a0eb896adaf9e5127ca861627104321c"
        );
        let shown = format!("{key:?}");
        assert_eq!(shown, "Key(0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1)");
    }

    #[tokio::test]
    async fn nobody_signs_nothing() {
        assert!(Nobody.address().is_zero());
        assert_eq!(Nobody.sign_message(b"a segment"), Ok(Vec::new()));
        let tickets = Nobody.sign_tickets(&batch(1, 1)).await;
        assert_eq!(tickets, Err(SignError::Nobody));
    }
}
