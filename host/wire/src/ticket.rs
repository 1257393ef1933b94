//! Tickets: what a sender signs, how a recipient makes parameters and finds its secret again, who wins.
//!
//! # Contract
//!
//! A ticket pays `face_value` wei with probability `win_prob / (2^256 - 1)`. Its hash is that of the contract's
//! `getTicketHash`; the signature is over [`Ticket::digest`], without the inner keccak that other messages have. Seed,
//! expiration block and price are not in the hash: they are in the recipient's HMAC ([`RandSecret`]), so that it knows its
//! own parameters again without remembering them.
//!
//! | offset | bytes | of the preimage |
//! |---|---|---|
//! | 0 | 20 | recipient |
//! | 20 | 20 | sender |
//! | 40 | 32 | face value |
//! | 72 | 32 | winning probability |
//! | 104 | 32 | sender's nonce |
//! | 136 | 32 | hash of the recipient's secret |
//! | 168 | 64 or 0 | round, hash of its first block; absent when both are 0 |
//!
//! Protocol: `payments` §1.

use alloy::primitives::eip191_hash_message;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::amount::{NumberError, Ratio, U256, expected_value, from_bytes, to_bytes};
use crate::net;
use crate::sign::{
    self, Address, B256, SIGNATURE_BYTES, SignatureError, SignerSync, keccak256, verify_digest,
};

/// Nonces that a recipient accepts with one hash of its secret.
pub const MAX_NONCES: u32 = 600;

/// What an orchestrator asks tickets to say, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// Who is paid.
    pub recipient: Address,
    /// What a winner pays, in wei.
    pub face_value: U256,
    /// Of 2^256 - 1.
    pub win_prob: U256,
    /// Hash of the recipient's secret.
    pub recipient_rand_hash: B256,
    /// From which the recipient finds its secret again.
    pub seed: U256,
    /// L1 block at which the parameters no longer hold; 0 is refused by validation, not by reading.
    pub expiration_block: u64,
    /// The round that tickets are bound to; `None` when the orchestrator names none, and then the sender does.
    pub expiration: Option<Expiration>,
}

/// A round that is initialised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expiration {
    /// Its number.
    pub round: u64,
    /// Hash of its first block.
    pub block_hash: B256,
}

/// One ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Who is paid.
    pub recipient: Address,
    /// Who pays.
    pub sender: Address,
    /// What a winner pays, in wei.
    pub face_value: U256,
    /// Of 2^256 - 1.
    pub win_prob: U256,
    /// Never twice with one [`recipient_rand_hash`](Self::recipient_rand_hash).
    pub sender_nonce: u32,
    /// Hash of the recipient's secret.
    pub recipient_rand_hash: B256,
    /// The round it is bound to.
    pub expiration: Expiration,
}

/// What a recipient makes its secrets from.
#[derive(Clone)]
pub struct RandSecret([u8; 32]);

/// Ticket parameters that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// A field of fixed length has another.
    #[error("{field} of {found} bytes instead of {expected}")]
    Length {
        /// Its name.
        field: &'static str,
        /// Its length in the protocol.
        expected: usize,
        /// Its length here.
        found: usize,
    },
    /// A number is too long or too large.
    #[error("{field}: {cause}")]
    Number {
        /// Its name.
        field: &'static str,
        /// What is wrong.
        cause: NumberError,
    },
    /// An expiration block that no chain reaches.
    #[error("an expiration block of 2^64 or more")]
    ExpirationBlock,
    /// A round below 0.
    #[error("a creation round of {0}")]
    Round(i64),
}

/// Whether a signed ticket wins: `keccak(signature || secret) < win_prob`. Only the recipient can know.
#[must_use]
pub fn wins(signature: &[u8], recipient_rand: U256, win_prob: U256) -> bool {
    let mut hasher = sign::Keccak256::new();
    hasher.update(signature);
    hasher.update(recipient_rand.to_be_bytes::<32>());
    U256::from_be_bytes(hasher.finalize().0) < win_prob
}

/// The hash that stands for a recipient's secret until it redeems.
#[must_use]
pub fn rand_hash(recipient_rand: U256) -> B256 {
    keccak256(recipient_rand.to_be_bytes::<32>())
}

/// The probability with which tickets of `face_value` are worth `expected_value`, both in wei, rounded as go-livepeer
/// rounds: up where the low 64 bits of the remainder are not 0. 0 for no face value, certainty where both are equal.
#[must_use]
pub fn win_prob(expected_value: U256, face_value: U256) -> U256 {
    if face_value.is_zero() {
        return U256::ZERO;
    }
    if face_value == expected_value {
        return U256::MAX;
    }
    let (quotient, remainder) = U256::MAX.div_rem(face_value);
    let up = U256::from(u64::from(remainder.as_limbs()[0] != 0));
    expected_value.saturating_mul(quotient.saturating_add(up))
}

// === impl Params ===

impl Params {
    /// Reads parameters as they came. Numbers may have leading zeros; a round without number or hash is none.
    ///
    /// # Errors
    ///
    /// When a field has the wrong length or a number is out of range.
    pub fn read(message: &net::TicketParams) -> Result<Self, ParamsError> {
        let number = |field, bytes: &[u8]| {
            from_bytes(bytes).map_err(|cause| ParamsError::Number { field, cause })
        };
        let expiration_block = number("expiration block", &message.expiration_block)?;
        let expiration = message.expiration_params.as_ref();
        let expiration = expiration.map(Expiration::read).transpose()?;
        Ok(Self {
            recipient: fixed("recipient", &message.recipient)?.into(),
            face_value: number("face value", &message.face_value)?,
            win_prob: number("winning probability", &message.win_prob)?,
            recipient_rand_hash: fixed("recipient rand hash", &message.recipient_rand_hash)?.into(),
            seed: number("seed", &message.seed)?,
            expiration_block: expiration_block
                .try_into()
                .map_err(|_| ParamsError::ExpirationBlock)?,
            expiration: expiration.filter(Expiration::is_complete),
        })
    }

    /// The message, with minimal numbers.
    #[must_use]
    pub fn message(&self) -> net::TicketParams {
        net::TicketParams {
            recipient: self.recipient.to_vec(),
            face_value: to_bytes(self.face_value),
            win_prob: to_bytes(self.win_prob),
            recipient_rand_hash: self.recipient_rand_hash.to_vec(),
            seed: to_bytes(self.seed),
            expiration_block: to_bytes(U256::from(self.expiration_block)),
            expiration_params: self.expiration.map(Expiration::message),
        }
    }

    /// What one ticket is worth, in wei.
    #[must_use]
    pub fn expected_value(&self) -> Ratio {
        expected_value(self.face_value, self.win_prob)
    }

    /// One ticket by these parameters, bound to `expiration` where they name no round.
    #[must_use]
    pub fn ticket(&self, sender: Address, sender_nonce: u32, expiration: Expiration) -> Ticket {
        Ticket {
            recipient: self.recipient,
            sender,
            face_value: self.face_value,
            win_prob: self.win_prob,
            sender_nonce,
            recipient_rand_hash: self.recipient_rand_hash,
            expiration: self.expiration.unwrap_or(expiration),
        }
    }
}

// === impl Expiration ===

impl Expiration {
    /// Reads a round; an absent hash is 0.
    ///
    /// # Errors
    ///
    /// When the number is below 0, or the hash has another length than 32.
    pub fn read(message: &net::TicketExpirationParams) -> Result<Self, ParamsError> {
        let round = message.creation_round;
        let hash = &message.creation_round_block_hash;
        Ok(Self {
            round: u64::try_from(round).map_err(|_| ParamsError::Round(round))?,
            block_hash: match hash.is_empty() {
                true => B256::ZERO,
                false => fixed("creation round block hash", hash)?.into(),
            },
        })
    }

    /// The message.
    #[must_use]
    pub fn message(self) -> net::TicketExpirationParams {
        net::TicketExpirationParams {
            // Rounds are days: none is beyond i64.
            creation_round: i64::try_from(self.round).unwrap_or(i64::MAX),
            creation_round_block_hash: self.block_hash.to_vec(),
        }
    }

    /// The contract's `auxData`: number and hash, or nothing where both are 0.
    #[must_use]
    pub fn aux_data(&self) -> Vec<u8> {
        if *self == Self::default() {
            return Vec::new();
        }
        let round = U256::from(self.round).to_be_bytes::<32>();
        [round, self.block_hash.0].concat()
    }

    fn is_complete(&self) -> bool {
        self.round != 0 && !self.block_hash.is_zero()
    }
}

// === impl Ticket ===

impl Ticket {
    /// What is hashed.
    #[must_use]
    pub fn preimage(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(232);
        bytes.extend(self.recipient);
        bytes.extend(self.sender);
        bytes.extend(self.face_value.to_be_bytes::<32>());
        bytes.extend(self.win_prob.to_be_bytes::<32>());
        bytes.extend(U256::from(self.sender_nonce).to_be_bytes::<32>());
        bytes.extend(self.recipient_rand_hash);
        bytes.extend(self.expiration.aux_data());
        bytes
    }

    /// The contract's name for the ticket.
    #[must_use]
    pub fn hash(&self) -> B256 {
        keccak256(self.preimage())
    }

    /// What is signed.
    #[must_use]
    pub fn digest(&self) -> B256 {
        eip191_hash_message(self.hash())
    }

    /// Signs the ticket. The same key and ticket always give the same bytes.
    ///
    /// # Errors
    ///
    /// What the signer says; a key in memory does not fail.
    pub fn sign(
        &self,
        signer: &impl SignerSync,
    ) -> Result<[u8; SIGNATURE_BYTES], alloy::signers::Error> {
        sign::sign_digest(signer, self.digest())
    }

    /// Checks that its sender signed it.
    ///
    /// # Errors
    ///
    /// When the signature has the wrong form or another signer.
    pub fn verify(&self, signature: &[u8]) -> Result<(), SignatureError> {
        verify_digest(self.digest(), signature, self.sender)
    }
}

// === impl RandSecret ===

impl RandSecret {
    /// A secret of the caller's random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The number whose [`rand_hash`] stands in the parameters: an HMAC over everything in them that the sender could
    /// alter, the price among it. A price counts by its value: 2000/2 is 1000/1.
    #[must_use]
    pub fn recipient_rand(&self, sender: Address, params: &Params, price: &net::PriceInfo) -> U256 {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key length");
        let (wei, units) = lowest_terms(price);
        mac.update(&to_bytes(params.seed));
        mac.update(sender.as_slice());
        for number in [
            params.face_value,
            params.win_prob,
            U256::from(params.expiration_block),
            U256::from(wei),
            U256::from(units),
        ] {
            mac.update(&to_bytes(number));
        }
        mac.update(&params.expiration.unwrap_or_default().aux_data());
        U256::from_be_bytes(mac.finalize().into_bytes().into())
    }
}

impl std::fmt::Debug for RandSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RandSecret(..)")
    }
}

/// Go's big.Rat: 0 is 0/1, and no sign is hashed.
fn lowest_terms(price: &net::PriceInfo) -> (u64, u64) {
    let wei = price.price_per_unit.unsigned_abs();
    let units = price.pixels_per_unit.unsigned_abs();
    let (mut divisor, mut rest) = (wei, units);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    let divisor = divisor.max(1);
    (wei / divisor, units / divisor)
}

fn fixed<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<[u8; N], ParamsError> {
    bytes.try_into().map_err(|_| ParamsError::Length {
        field,
        expected: N,
        found: bytes.len(),
    })
}
