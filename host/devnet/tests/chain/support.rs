//! What these tests share.

use std::path::PathBuf;

use alloy::primitives::{B256, Bytes, U256};
use alloy::signers::local::PrivateKeySigner;
use pointsman_devnet::chain::abi::TicketBroker;
use pointsman_devnet::chain::{Chain, RpcError, Settings};
use pointsman_wire::ticket::{Expiration, Ticket, rand_hash};
use serde_json::Value;

/// One ETH.
pub(crate) const ETH: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// A chain, or words that say what is missing.
pub(crate) async fn chain(settings: Settings) -> Chain {
    Chain::start(settings)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A recording of the real contracts or nodes.
pub(crate) fn golden(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/onchain");
    let path = PathBuf::from(folder).join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}

/// A text of a recording as a value.
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    T::deserialize(value).unwrap_or_else(|error| panic!("{value}: {error}"))
}

/// A ticket that wins nearly always, bound to a round of the chain, and its signature.
pub(crate) async fn winner(
    chain: &Chain,
    sender: &PrivateKeySigner,
    recipient: alloy::primitives::Address,
    face_value: U256,
    nonce: u32,
) -> (Ticket, [u8; 65]) {
    let standing = chain
        .standing(sender.address(), recipient)
        .await
        .expect("a standing");
    let ticket = Ticket {
        recipient,
        sender: sender.address(),
        face_value,
        win_prob: U256::MAX,
        sender_nonce: nonce,
        recipient_rand_hash: rand_hash(RAND),
        expiration: Expiration {
            round: standing.round.to(),
            block_hash: standing.roundHash,
        },
    };
    (ticket, ticket.sign(sender).expect("a signature"))
}

/// The secret behind [`winner`]'s tickets.
pub(crate) const RAND: U256 = U256::from_limbs([7, 0, 0, 0]);

/// Redeems a ticket by its recipient's or anybody's key.
pub(crate) async fn redeem(
    chain: &Chain,
    key: &PrivateKeySigner,
    ticket: &Ticket,
    signature: &[u8],
) -> Result<(), RpcError> {
    let call = TicketBroker::redeemWinningTicketCall {
        ticket: TicketBroker::Ticket {
            recipient: ticket.recipient,
            sender: ticket.sender,
            faceValue: ticket.face_value,
            winProb: ticket.win_prob,
            senderNonce: U256::from(ticket.sender_nonce),
            recipientRandHash: ticket.recipient_rand_hash,
            auxData: ticket.expiration.aux_data().into(),
        },
        sig: Bytes::copy_from_slice(signature),
        recipientRand: RAND,
    };
    let broker = chain.contracts().ticket_broker;
    chain.rpc().send(key, broker, U256::ZERO, &call).await?;
    Ok(())
}

/// The words of a refusal.
pub(crate) fn refusal<T>(result: Result<T, RpcError>) -> String {
    match result {
        Err(RpcError::Reverted(why)) => why,
        Err(other) => panic!("not reverted but: {other}"),
        Ok(_) => panic!("not refused"),
    }
}

/// A hash that stands for nothing.
pub(crate) fn hash(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}
