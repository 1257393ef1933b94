//! A price that rises in the middle of a stream: the failover policy says what is done about it, below the host's ceiling.

use std::collections::BTreeMap;
use std::time::SystemTime;

use pointsman_devnet::Change;
use pointsman_devnet::chain::Chain;
use pointsman_devnet::failure::Kind;
use pointsman_payments::U256;
use pointsman_policy::bundle::Digest;

use crate::harness::bundle::Bundle;
use crate::harness::till::{Setup, Till, a_chain};
use crate::harness::{NO_HEDGES, eventually};

/// Answers with a renegotiation when a price doubles.
const RENEGOTIATES: &[u8] = include_bytes!("../guests/line/0.1.0/failover.wasm");

/// The default bundle with another failover stage, which says this of itself.
fn bundle(stage: &str) -> Bundle {
    let mut files: BTreeMap<String, Vec<u8>> = pointsman_default_bundle::bundle()
        .iter()
        .map(|&(name, bytes)| (name.to_owned(), bytes.to_vec()))
        .collect();
    let manifest = files.remove("bundle.toml").expect("a manifest");
    let mut manifest: toml::Table = String::from_utf8(manifest)
        .expect("text")
        .parse()
        .expect("TOML");
    manifest.insert("on-failure".to_owned(), "reject".into());
    let stages = manifest["failover"].as_array_mut().expect("stages");
    let said: toml::Table = stage.parse().expect("TOML");
    stages[0].as_table_mut().expect("a stage").extend(said);
    if stage.contains("line.wasm") {
        files.insert("line.wasm".to_owned(), RENEGOTIATES.to_vec());
    }
    Bundle {
        manifest: manifest.to_string(),
        files,
    }
}

/// The default's failover policy with a setting.
fn rescuing(settings: &str) -> Bundle {
    bundle(&format!("settings = {{ {settings} }}"))
}

/// Another policy in its place.
fn renegotiating() -> Bundle {
    let digest = Digest::of(RENEGOTIATES);
    bundle(&format!("component = \"line.wasm\"\nsha256 = \"{digest}\""))
}

/// Two segments on one orchestrator, whose price is twice as high from the second's answer on. Its place among the devnet's.
async fn doubled(till: &Till) -> usize {
    let gateway = &till.stage.gateway;
    gateway.push("stream", 0).await.assert_whole();
    let first = till.stage.winner("stream/0").await;
    first.set(Change::fail(Kind::DoubledPrice));
    gateway.push("stream", 1).await.assert_whole();
    assert_eq!(till.stage.winner("stream/1").await.uri(), first.uri());
    first.set(Change::heal());
    let all = till.stage.devnet.orchestrators();
    let place = all.iter().position(|one| one.uri() == first.uri());
    place.expect("one of ours")
}

async fn answered(till: &Till, answer: &str) -> bool {
    let (_, metrics) = till.stage.gateway.admin("/metrics").await;
    metrics.contains(&format!(
        "pointsman_price_changes_total{{answer=\"{answer}\"}} 1"
    ))
}

/// What one of them was credited, in wei.
fn credited(till: &Till, place: usize) -> U256 {
    let takings = till.stage.devnet.orchestrators()[place].takings();
    takings.expect("takings").credited
}

#[tokio::test]
async fn a_doubled_price_that_the_policy_accepts_is_paid() {
    let till = Setup::certain(2).start(2, &NO_HEDGES).await;
    let place = doubled(&till).await;
    let before = credited(&till, place);
    let gateway = &till.stage.gateway;
    gateway.push("stream", 2).await.assert_whole();
    let paid = credited(&till, place) - before;
    // A segment costs about two and a half tickets of 5 · 10^10 wei.
    assert!(
        paid >= U256::from(200_000_000_000_u64),
        "twice as much: {paid}"
    );
    assert!(answered(&till, "accept").await);
    gateway.push("stream", 3).await.assert_whole();
    assert!(answered(&till, "accept").await, "asked once");
}

#[tokio::test]
async fn a_policy_can_have_a_doubled_price_negotiated_anew() {
    let till = Setup::certain(1).start(1, &NO_HEDGES).await;
    let (status, said) = till.stage.gateway.upload(renegotiating().tar()).await;
    assert_eq!(status, 200, "{said}");
    let place = doubled(&till).await;
    let (before, asked) = (credited(&till, place), till.stage.discoveries());
    till.stage.gateway.push("stream", 2).await.assert_whole();
    assert!(answered(&till, "renegotiate").await);
    assert_eq!(till.stage.discoveries(), asked + 1, "one GetOrchestrator");
    let paid = credited(&till, place) - before;
    assert!(
        paid <= U256::from(150_000_000_000_u64),
        "at the price of before: {paid}"
    );
    let tried = till.stage.gateway.tried("stream/2").await;
    assert_eq!(tried.len(), 1, "within one attempt: {tried:?}");
}

#[tokio::test]
async fn a_policy_can_leave_whoever_doubles_the_price() {
    let till = Setup::certain(2).start(2, &NO_HEDGES).await;
    let strict = rescuing("max-rise-percent = 150");
    let (status, said) = till.stage.gateway.upload(strict.tar()).await;
    assert_eq!(status, 200, "{said}");
    let place = doubled(&till).await;
    let before = credited(&till, place);
    till.stage.gateway.push("stream", 2).await.assert_whole();
    assert!(answered(&till, "next").await);
    assert_eq!(credited(&till, place), before, "nothing more");
    let tried = till.stage.gateway.tried("stream/2").await;
    assert_eq!(tried.len(), 2, "{tried:?}");
    let winner = till.stage.winner("stream/2").await;
    assert_ne!(winner.uri(), till.stage.devnet.orchestrators()[place].uri());
}

#[tokio::test]
async fn no_policy_accepts_a_price_above_the_ceiling() {
    let flags = [&["--max-price-per-unit", "1500"][..], &NO_HEDGES].concat();
    let till = Setup::certain(1).start(1, &flags).await;
    // Whatever rises up to a hundredfold is accepted, as far as the policy goes.
    let lavish = rescuing("max-rise-percent = 10000");
    let (status, said) = till.stage.gateway.upload(lavish.tar()).await;
    assert_eq!(status, 200, "{said}");
    let place = doubled(&till).await;
    let before = credited(&till, place);
    let refused = till.stage.gateway.push("stream", 2).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("was agreed"), "{}", refused.text());
    assert_eq!(credited(&till, place), before);
}

/// USD for one ETH, as of so many hours ago.
async fn feed(chain: &Chain, usd: i64, hours: u64) {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_secs();
    let set = chain.set_price_feed(usd * 100_000_000, now - hours * 3600);
    set.await.expect("set");
}

#[tokio::test]
async fn a_ceiling_in_dollars_follows_the_feed_and_without_it_nothing_new_begins() {
    let chain = a_chain().await;
    feed(&chain, 3000, 48).await;
    let address = chain.contracts().price_feed.to_string();
    let mut flags = vec![
        "--price-feed-addr",
        &address,
        "--pixels-per-unit",
        "1000000",
    ];
    // The orchestrator's price is 3 of these at 3000 USD for an ETH.
    flags.extend(["--max-price-per-unit", "0.000004USD"]);
    flags.extend(NO_HEDGES);
    let url = chain.url().to_owned();
    let mut till = Setup::certain(1).start_on(chain, &url, 1, &flags).await;
    let refused = till.stage.gateway.push("none", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    let why = "the maximum price is in USD, and the price feed has given no rate yet";
    assert!(refused.text().contains(why), "{}", refused.text());
    let (_, text) = till.stage.gateway.admin("/api/v1/payments").await;
    assert!(
        text.contains("the price feed was last updated at"),
        "{text}"
    );

    feed(&till.chain, 3000, 0).await;
    till.stage.gateway = till.stage.gateway.restart().await;
    till.stage.gateway.usable(1).await;
    eventually("there is a rate", async || {
        till.stage.gateway.push("cheap", 0).await.status == 200
    })
    .await;

    feed(&till.chain, 5000, 0).await;
    till.stage.gateway = till.stage.gateway.restart().await;
    till.stage.gateway.usable(1).await;
    eventually("the price is above the ceiling", async || {
        till.stage.gateway.push("dear", 0).await.status == 503
    })
    .await;
}
