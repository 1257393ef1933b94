//! What cannot be done is said before anything is sent.

use std::time::Duration;

use pointsman_devnet::chain::{Chain, Settings, key};
use pointsman_payments::U256;
use serde_json::{Value, json};

use super::{Cli, MILLI, texts};
use crate::harness::till::ETH;

/// The account's transactions so far.
async fn count(chain: &Chain) -> Value {
    let params = json!([key(3).address(), "latest"]);
    let asked = chain.rpc().request("eth_getTransactionCount", params);
    asked.await.expect("a number")
}

#[tokio::test]
async fn each_says_what_is_needed() {
    let chain = Chain::start(Settings::default()).await.expect("a chain");
    let folder = tempfile::tempdir().expect("a folder");
    let cli = Cli::on(&chain, folder.path());
    let sender = key(3).address();
    chain
        .endow(sender, U256::from(10 * MILLI))
        .await
        .expect("endowed");
    let before = count(&chain).await;

    let said = cli.refused("fund --deposit 0.02eth --yes").await;
    assert!(
        said.contains(&format!("{sender} has 0.01 ETH, needed are 0.02 ETH")),
        "{said}"
    );
    // All of it would leave nothing for gas.
    let said = cli.refused("fund --deposit 0.01eth --yes").await;
    assert!(
        said.contains("has 0.01 ETH, needed are 0.01 ETH and up to"),
        "{said}"
    );
    assert!(said.contains("for gas: send at least"), "{said}");
    let said = cli
        .refused("fund --deposit 1 --yes --max-gas-price 1")
        .await;
    assert!(
        said.contains("the cap is 1 wei: wait, or raise --max-gas-price"),
        "{said}"
    );
    let said = cli
        .refused("fund --deposit 1 --yes --gas-limit 21000")
        .await;
    assert!(
        said.contains("the limit is 21000: raise --gas-limit"),
        "{said}"
    );
    let said = cli.refused("unlock --yes").await;
    assert!(said.contains("neither deposit nor reserve"), "{said}");
    let said = cli.refused("fund --deposit 1").await;
    assert!(
        said.contains("there is no terminal to ask on; say --yes"),
        "{said}"
    );

    let mut other = Cli::on(&chain, folder.path());
    let wrong = folder.path().join("wrong");
    std::fs::write(&wrong, "n0t-it").expect("a file");
    other.set("--eth-password", &wrong.display().to_string());
    let said = other.refused("fund --deposit 1 --yes").await;
    assert!(
        said.contains("the key cannot be opened") && said.contains("password"),
        "{said}"
    );
    assert!(!said.contains("n0t-it"), "{said}");
    // Looking needs no password.
    assert_eq!(
        other.json("status").await["balance"],
        (10 * MILLI).to_string()
    );
    assert_eq!(count(&chain).await, before, "nothing was sent");

    let output = cli.run("fund --deposit 1 --reserve 2 --yes").await;
    let (said, heard) = texts(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("  deposit       0 wei + 1 wei = 1 wei\n"),
        "{said}"
    );
    assert!(
        said.contains("  gas           ") && said.contains("at most: up to"),
        "{said}"
    );
    assert!(heard.starts_with("done in block "), "{heard}");
    assert!(heard.contains("no orchestrator is registered"), "{heard}");
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_named() {
    let chain = Chain::start(Settings::default()).await.expect("a chain");
    let folder = tempfile::tempdir().expect("a folder");
    let mut cli = Cli::on(&chain, folder.path());
    cli.set("--eth-url", "http://127.0.0.1:1/s3cret");
    let mut command = cli.command("fund --deposit 1 --yes");
    let output = tokio::time::timeout(Duration::from_secs(180), command.output());
    let output = output.await.expect("it gives up").expect("the binary");
    let (said, _) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("http://127.0.0.1:1"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    chain
        .endow(key(3).address(), U256::from(ETH))
        .await
        .expect("the chain was there");
}

#[tokio::test]
async fn without_a_key_of_its_own_it_says_whose_the_money_is() {
    for (words, wanted) in [
        (
            "--remote-signer-url https://signer.example/path",
            "the remote signer's (https://signer.example",
        ),
        (
            "",
            "off-chain there is no wallet: say on which chain, with --network",
        ),
    ] {
        let cli = Cli {
            settings: words.split_whitespace().map(str::to_owned).collect(),
        };
        for verb in ["status", "unlock --yes"] {
            let mut command = cli.command(verb);
            command.env("HOME", "/nonexistent");
            let output = command.output().await.expect("the binary");
            let (said, _) = texts(&output);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains(wanted), "{verb} {words}: {said}");
        }
    }
}
