//! Redemptions of the real contracts, recorded, against ours: each altered call is refused in the recorded words, and the
//! genuine one pays.

use std::num::NonZeroU64;

use alloy::primitives::{Address, B256, Bytes, U256};
use pointsman_devnet::chain::{Chain, GATEWAY, RpcError, Settings, key};
use serde_json::{Value, json};

use crate::support::{ETH, chain, golden, hash, read, redeem, refusal, winner};

/// As the recording was: it begins in round 2, whose hash is the recorded one, and its sender has ten ETH in both pots.
async fn recorded() -> Chain {
    let chain = chain(Settings {
        first_round: NonZeroU64::new(2).expect("not 0"),
        round_length: NonZeroU64::new(100).expect("not 0"),
        ..Settings::default()
    })
    .await;
    let tickets = golden("tickets.json");
    let aux: B256 = read(&tickets["tickets"][0]["preimageParts"]["auxData_creationRoundBlockHash"]);
    chain.set_round_hash(2, aux).await.expect("a knob");
    let orchestrator = key(1).address();
    chain
        .activate(orchestrator, ETH, "https://127.0.0.1:1")
        .await
        .expect("activated");
    let ten = ETH * U256::from(10);
    chain.fund(&key(GATEWAY), ten, ten).await.expect("funded");
    chain
}

async fn call(chain: &Chain, data: &Value) -> Result<Bytes, RpcError> {
    let to = chain.contracts().ticket_broker;
    let params = json!([{"from": key(1).address(), "to": to, "data": data}, "latest"]);
    chain.rpc().request("eth_call", params).await
}

#[tokio::test]
async fn the_hash_of_every_recorded_ticket_is_the_recorded_one() {
    let chain = recorded().await;
    let recorded = golden("tickets.json");
    let tickets = recorded["tickets"].as_array().expect("tickets");
    assert_eq!(tickets.len(), 5);
    for ticket in tickets {
        let hash = call(&chain, &ticket["getTicketHashCalldata"])
            .await
            .expect("a hash");
        assert_eq!(hash, read::<Bytes>(&ticket["ticketHash"]));
    }
}

#[tokio::test]
async fn altered_calls_are_refused_in_the_recorded_words_and_the_genuine_one_pays() {
    let chain = recorded().await;
    let recorded = golden("contract-redeem-calls.json");
    let calls = recorded.as_array().expect("calls");
    let (now, later): (Vec<_>, Vec<_>) = calls.iter().partition(|call| call["block"] == 253);
    let words = |recorded: &Value| -> String {
        let message = recorded["error"]["message"].as_str().expect("a refusal");
        let words = message.strip_prefix("execution reverted: ");
        words.expect("a revert").to_owned()
    };

    let (genuine, altered): (Vec<_>, Vec<_>) =
        now.into_iter().partition(|call| call["error"].is_null());
    assert_eq!((genuine.len(), altered.len()), (1, 14));
    for recorded in altered {
        let refused = refusal(call(&chain, &recorded["calldata"]).await);
        assert_eq!(refused, words(recorded), "{}", recorded["name"]);
    }

    let (sender, recipient) = (key(GATEWAY), key(1));
    let before = chain.sender(sender.address()).await.expect("a sender");
    let input: Bytes = read(&genuine[0]["calldata"]);
    let broker = Some(chain.contracts().ticket_broker);
    let receipt = chain
        .rpc()
        .transact(&recipient, broker, U256::ZERO, input)
        .await
        .expect("it pays");
    assert_eq!(receipt.logs.len(), 2);
    let after = chain.sender(sender.address()).await.expect("a sender");
    let won = U256::from(16_000_000_000_u64);
    assert_eq!(before.deposit - after.deposit, won);
    assert_eq!(before.reserve, after.reserve);
    assert_eq!(chain.fees(recipient.address()).await.expect("fees"), won);

    // The others are of a later block each: redeemed already, a round that nobody began, too late.
    assert_eq!(later.len(), 3);
    for recorded in later {
        match recorded["block"].as_u64() {
            Some(254) => {}
            Some(300) => {
                let standing = chain.standing(sender.address(), recipient.address()).await;
                let length = 100 - standing.expect("a standing").l1Block.to::<u64>() % 100;
                chain.mine(length + 100).await.expect("mined");
            }
            Some(401) => while chain.next_round().await.expect("a round") < 4 {},
            other => panic!("a recording of another block: {other:?}"),
        }
        let refused = refusal(call(&chain, &recorded["calldata"]).await);
        assert_eq!(refused, words(recorded), "{}", recorded["name"]);
    }
}

#[tokio::test]
async fn what_the_deposit_lacks_comes_from_the_claimants_share_of_the_reserve() {
    let chain = chain(Settings::default()).await;
    let (sender, recipient) = (key(GATEWAY), key(1));
    let address = recipient.address();
    chain.activate(address, ETH, "").await.expect("activated");
    chain
        .activate(key(3).address(), ETH, "")
        .await
        .expect("activated");
    let wei = U256::from::<u64>;
    chain
        .fund(&sender, wei(10), wei(100))
        .await
        .expect("funded");

    // 10 of the deposit and 20 of the reserve; then half of the reserve is the limit; then there is nothing.
    for (nonce, face_value, paid, claimed) in [(1, 30, 30, 20), (2, 70, 30, 50), (3, 9, 0, 50)] {
        let fees = chain.fees(address).await.expect("fees");
        let (ticket, signature) = winner(&chain, &sender, address, wei(face_value), nonce).await;
        redeem(&chain, &recipient, &ticket, &signature)
            .await
            .expect("redeemed");
        assert_eq!(chain.fees(address).await.expect("fees") - fees, wei(paid));
        let left = chain.sender(sender.address()).await.expect("a sender");
        assert_eq!(
            (left.deposit, left.claimed_in_round),
            (U256::ZERO, wei(claimed))
        );
        assert_eq!(left.reserve, wei(100 - claimed));
    }

    // A round later the share is of what is left.
    chain.next_round().await.expect("a round");
    let (ticket, signature) = winner(&chain, &sender, address, wei(99), 4).await;
    redeem(&chain, &recipient, &ticket, &signature)
        .await
        .expect("redeemed");
    assert_eq!(chain.fees(address).await.expect("fees"), wei(60 + 25));

    // Who is not active claims nothing, and a sender without anything is refused.
    chain.deactivate(address).await.expect("deactivated");
    let (ticket, signature) = winner(&chain, &sender, address, wei(5), 5).await;
    redeem(&chain, &recipient, &ticket, &signature)
        .await
        .expect("redeemed for nothing");
    assert_eq!(chain.fees(address).await.expect("fees"), wei(85));
    let (ticket, signature) = winner(&chain, &key(5), address, wei(5), 1).await;
    let refused = refusal(redeem(&chain, &recipient, &ticket, &signature).await);
    assert_eq!(refused, "sender deposit and reserve are zero");
}

#[tokio::test]
async fn a_round_without_a_hash_takes_no_tickets() {
    let chain = chain(Settings::default()).await;
    let (sender, recipient) = (key(GATEWAY), key(1));
    chain
        .activate(recipient.address(), ETH, "")
        .await
        .expect("activated");
    chain.fund(&sender, ETH, ETH).await.expect("funded");
    let (ticket, signature) = winner(&chain, &sender, recipient.address(), ETH, 1).await;
    chain.set_round_hash(3, B256::ZERO).await.expect("a knob");
    let refused = refusal(redeem(&chain, &recipient, &ticket, &signature).await);
    assert_eq!(refused, "ticket creationRound does not have a block hash");
    chain.set_round_hash(3, hash(1)).await.expect("a knob");
    let refused = refusal(redeem(&chain, &recipient, &ticket, &signature).await);
    assert_eq!(
        refused,
        "ticket creationRoundBlockHash invalid for creationRound"
    );
    let nobody = chain
        .standing(Address::ZERO, recipient.address())
        .await
        .expect("a standing");
    assert_eq!((nobody.roundHash, nobody.deposit), (hash(1), U256::ZERO));
}
