//! Orchestrators found on the chain: a gateway that is told nothing but the chain, and a registry that anybody may write to.

use pointsman_devnet::chain::{AI_SERVICE_REGISTRY, key};
use pointsman_payments::U256;
use serde::Deserialize;

use crate::harness::till::{ETH, Setup, Till};
use crate::harness::{Gateway, NO_HEDGES, eventually};

/// The registry, as far as tests look.
#[derive(Debug, Deserialize)]
struct Registered {
    address: String,
    refused: Option<String>,
}

/// Accounts that have no orchestrator.
const STRANGERS: u32 = 100;
/// What a gateway on a chain of one's own is told.
const OWN: [&str; 5] = [
    "--orch-allow-private",
    NO_HEDGES[0],
    NO_HEDGES[1],
    NO_HEDGES[2],
    NO_HEDGES[3],
];

fn found(count: usize) -> Setup {
    Setup {
        listed: false,
        ..Setup::certain(count)
    }
}

impl Gateway {
    async fn registered(&self) -> Vec<Registered> {
        let (status, text) = self.admin("/api/v1/registry").await;
        assert_eq!(status, 200, "{text}");
        let mut all: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        serde_json::from_value(all["registered"].take()).expect("as documented")
    }

    /// Why the orchestrator at `uri` gets no job; empty when it may.
    async fn unusable(&self, uri: &str) -> String {
        let known = self.orchestrators().await;
        let one = known.into_iter().find(|one| one.uri == uri);
        one.expect("known").unusable.unwrap_or_default()
    }
}

impl Till {
    /// Has an account without an orchestrator register `uri`.
    async fn stranger(&self, number: u32, uri: &str) -> String {
        let account = key(STRANGERS + number).address();
        let activated = self.chain.activate(account, U256::from(ETH), uri).await;
        activated.expect("activated");
        account.to_string()
    }

    /// Waits until the registry's entry of an account is refused in these words; without words: taken.
    async fn refuses(&self, account: &str, words: &str) {
        eventually(&format!("{account}: {words}"), async || {
            let all = self.stage.gateway.registered().await;
            let one = all.into_iter().find(|one| one.address == account);
            one.is_some_and(|one| match one.refused {
                Some(why) => !words.is_empty() && why.contains(words),
                None => words.is_empty(),
            })
        })
        .await;
    }
}

#[tokio::test]
async fn a_gateway_that_is_told_only_the_chain_finds_its_orchestrators_and_pays_them() {
    let till = found(2).start(2, &OWN).await;
    let gateway = &till.stage.gateway;
    for sequence in 0..3 {
        gateway.push("found", sequence).await.assert_whole();
    }
    let moved = till.redeemed().await;
    assert!(moved > U256::ZERO, "winners were redeemed");
    let accounts = gateway.settled().await;
    let paid: Vec<&String> = accounts.spend.recipients.keys().collect();
    let all = till.stage.devnet.orchestrators();
    let owners: Vec<String> = all
        .iter()
        .map(|one| one.address().expect("an account").to_string())
        .collect();
    assert!(
        !paid.is_empty() && paid.iter().all(|one| owners.contains(one)),
        "{paid:?}"
    );
}

#[tokio::test]
async fn every_entry_of_the_registry_is_taken_or_refused_with_its_reason() {
    let till = found(3).start(3, &OWN).await;
    let (gateway, chain) = (&till.stage.gateway, &till.chain);
    let [a, b, c] = till.stage.devnet.orchestrators() else {
        panic!("three orchestrators");
    };
    let registry = chain.contracts().service_registry;
    let set = async |address, uri: &str| {
        let set = chain.set_service_uri(registry, address, uri).await;
        set.expect("an answer");
    };
    let address = |one: &pointsman_devnet::Orchestrator| one.address().expect("an account");

    // Spaces around it and no scheme; two that share a URI.
    let bare = a.uri().trim_start_matches("https://");
    set(address(a), &format!("  {bare}/ \n")).await;
    let twin = till.stranger(0, b.uri()).await;
    till.refuses(&twin, "").await;
    gateway.usable(3).await;
    assert_eq!(gateway.orchestrators().await.len(), 3, "one for each URI");

    let long = "x".repeat(10_240);
    let mut last = String::new();
    for (number, uri, why) in [
        (1, "ftp://127.0.0.1:8935", "scheme \"ftp\""),
        (2, "https://[::1", "is not a URI"),
        (3, long.as_str(), "10240 bytes"),
        (4, "https://orch .example", "a space or a control character"),
        (5, "http://orch.example:8935", "is cleartext"),
        (6, "", "no service URI"),
    ] {
        let account = till.stranger(number, uri).await;
        till.refuses(&account, why).await;
        last = account;
    }

    // An entry that points to somebody else's orchestrator: it asks to be paid to another account.
    set(address(c), "").await;
    let thief = till.stranger(7, c.uri()).await;
    // Nothing is wrong with the entry itself.
    till.refuses(&thief, "").await;
    eventually("the orchestrator is left out", async || {
        gateway
            .unusable(c.uri())
            .await
            .contains("asks to be paid to")
    })
    .await;
    assert!(gateway.unusable(c.uri()).await.contains(&thief));
    gateway.usable(2).await;
    for sequence in 0..3 {
        gateway.push("honest", sequence).await.assert_whole();
    }
    assert_eq!(c.takings().expect("takings").tickets, 0);

    // Each was said once, however often the chain was looked at since.
    let log = gateway.log();
    for once in ["scheme \"ftp\"", "10240 bytes", "is cleartext"] {
        assert_eq!(log.matches(once).count(), 1, "{once}:\n{log}");
    }
    assert!(
        !log.contains(&format!("orchestrator={last}")),
        "to register nothing is no fault"
    );

    // What is set right is taken with the next look at the chain, in the other registry too.
    let set_ai = chain.set_service_uri(AI_SERVICE_REGISTRY, address(c), c.uri());
    set_ai.await.expect("an answer");
    gateway.usable(3).await;
    set(address(a), "ftp://a").await;
    eventually("it is known no more", async || {
        gateway
            .orchestrators()
            .await
            .iter()
            .all(|one| one.uri != a.uri())
    })
    .await;
}

#[tokio::test]
async fn without_leave_nobody_makes_the_gateway_call_into_its_own_network() {
    let till = found(1).start(0, &NO_HEDGES).await;
    let gateway = &till.stage.gateway;
    let only = &till.stage.devnet.orchestrators()[0];
    let account = only.address().expect("an account").to_string();
    till.refuses(&account, "no public address").await;
    till.refuses(&account, "--orch-allow-private").await;
    let local = till.stranger(0, "localhost:8935").await;
    till.refuses(&local, "no public address").await;
    let refused = gateway.push("nobody", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(only.counters().get_orchestrator, 0, "it was not even asked");
}

#[tokio::test]
async fn a_start_without_a_node_finds_those_of_the_last_reading() {
    let mut till = found(2).start(2, &OWN).await;
    till.stage.gateway.push("before", 0).await.assert_whole();
    till.redeemed().await;
    let stopped = till.stage.gateway.stop().await.without("--eth-url");
    till.stage.gateway = stopped.start(&["--eth-url", "http://127.0.0.1:1"]).await;
    let gateway = &till.stage.gateway;
    gateway.usable(2).await;
    eventually("no node answers", async || {
        gateway.payments().await.chain.error.is_some()
    })
    .await;
    gateway.push("after", 0).await.assert_whole();
}

#[tokio::test]
async fn a_blocked_account_is_not_paid_whoever_names_its_orchestrator() {
    let blocked = key(5).address().to_string();
    let flags = [&NO_HEDGES[..], &["--orch-blocklist", &blocked]].concat();
    let till = Setup::certain(2).start(1, &flags).await;
    let gateway = &till.stage.gateway;
    let one = &till.stage.devnet.orchestrators()[0];
    assert_eq!(one.address().expect("an account").to_string(), blocked);
    eventually("it has answered", async || {
        gateway
            .unusable(one.uri())
            .await
            .contains("is on the blocklist")
    })
    .await;
    for sequence in 0..3 {
        gateway.push("other", sequence).await.assert_whole();
    }
    assert_eq!(one.takings().expect("takings").tickets, 0);
}
