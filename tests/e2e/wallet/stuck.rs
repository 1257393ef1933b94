//! A transaction that no block takes.

use pointsman_devnet::chain::{Chain, Settings, key};
use pointsman_payments::U256;
use serde_json::{Value, json};

use super::Cli;
use crate::harness::eventually;

/// The account's transactions that wait, by hash.
async fn waiting(chain: &Chain) -> Vec<String> {
    let pool: Value = chain
        .rpc()
        .request("txpool_content", json!([]))
        .await
        .expect("a pool");
    let ours = key(3).address().to_string().to_lowercase();
    let mut hashes = Vec::new();
    for group in ["pending", "queued"] {
        for (sender, by_nonce) in pool[group].as_object().into_iter().flatten() {
            if sender.to_lowercase() == ours {
                let all = by_nonce.as_object().into_iter().flatten();
                hashes.extend(all.filter_map(|(_, tx)| tx["hash"].as_str().map(str::to_owned)));
            }
        }
    }
    hashes
}

#[tokio::test]
async fn it_is_replaced_by_a_dearer_one_and_only_one_counts() {
    let chain = Chain::start(Settings::default()).await.expect("a chain");
    let folder = tempfile::tempdir().expect("a folder");
    let cli = Cli::on(&chain, folder.path());
    let automine = async |on: bool| {
        let set = chain.rpc().request::<Value>("evm_setAutomine", json!([on]));
        set.await.expect("set");
    };
    automine(false).await;
    let words = "fund --deposit 5 --reserve 7 --yes --transaction-timeout 3s --max-transaction-replacements 20";
    let funding = cli.json(words);
    let mining = async {
        let mut first = None;
        eventually("it is replaced", async || {
            let now = waiting(&chain).await;
            assert!(now.len() <= 1, "two would both count: {now:?}");
            match (&first, now.into_iter().next()) {
                (Some(first), Some(now)) => *first != now,
                (None, Some(now)) => {
                    first = Some(now);
                    false
                }
                (_, None) => false,
            }
        })
        .await;
        automine(true).await;
        chain.mine(1).await.expect("mined");
        first
    };
    let (funded, first) = tokio::join!(funding, mining);
    assert_ne!(funded["done"]["hash"].as_str(), first.as_deref());
    assert!(funded["done"]["replaced"].as_u64() >= Some(1), "{funded}");
    let sender = chain.sender(key(3).address()).await.expect("an answer");
    assert_eq!(
        (sender.deposit, sender.reserve),
        (U256::from(5), U256::from(7))
    );
}

#[tokio::test]
async fn one_that_stays_stuck_is_not_said_to_have_failed() {
    let chain = Chain::start(Settings::default()).await.expect("a chain");
    let folder = tempfile::tempdir().expect("a folder");
    let cli = Cli::on(&chain, folder.path());
    let set = chain
        .rpc()
        .request::<Value>("evm_setAutomine", json!([false]));
    set.await.expect("set");
    let words = "fund --deposit 5 --yes --transaction-timeout 1s --max-transaction-replacements 0";
    let said = cli.refused(words).await;
    let [hash] = &waiting(&chain).await[..] else {
        panic!("it is there: {said}");
    };
    assert!(
        said.contains(hash) && said.contains("it may still be"),
        "{said}"
    );
    let status = cli.json("status").await;
    assert_eq!(status["pending_transactions"], 1);
    assert_eq!(status["deposit"], "0");
    chain.mine(1).await.expect("mined");
    let status = cli.json("status").await;
    assert_eq!(
        (&status["pending_transactions"], &status["deposit"]),
        (&json!(0), &json!("5"))
    );
}
