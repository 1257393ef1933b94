//! Against a real EVM with contracts of the protocol's interface.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, B256, U256};
use pointsman_chain::rpc::Limits;
use pointsman_chain::{Chain, Deed, Fees, L1Source, Network, Options, ServiceUri, State, Wallet};
use pointsman_devnet::chain as devnet;
use serde_json::{Value, json};

/// Nothing is waited for so long on a machine that works.
const LONG: Duration = Duration::from_secs(300);

async fn town(settings: devnet::Settings) -> devnet::Chain {
    devnet::Chain::start(settings)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

fn network(town: &devnet::Chain) -> Network {
    let controller = Some(town.contracts().controller);
    let mut network = Network::named("devnet", controller).expect("a network");
    network.price_feed = Some(town.contracts().price_feed);
    network
}

/// Follows the chain at `url`, looking as often as it can.
fn follow(town: &devnet::Chain, url: &str) -> Chain {
    let options = Options {
        poll: Duration::from_millis(10),
        sender: Some(devnet::key(devnet::GATEWAY).address()),
        ..Options::new(network(town))
    };
    let limits = Limits {
        timeout: LONG,
        overall: LONG,
        ..Limits::default()
    };
    let endpoints = vec![url.parse().expect("a URL")];
    Chain::start(options, endpoints, limits).expect("a chain")
}

async fn until(chain: &Chain, so: impl Fn(&State) -> bool) -> Arc<State> {
    let mut changes = chain.changes();
    let so = |state: &Option<Arc<State>>| state.as_ref().is_some_and(|state| so(state));
    let found = tokio::time::timeout(LONG, changes.wait_for(so)).await;
    let found = found.unwrap_or_else(|_| panic!("it never was so: {:?}", chain.status()));
    let state = found.expect("the chain is followed");
    state.clone().expect("a state that is so")
}

fn orchestrator(n: u64) -> Address {
    Address::from_word(B256::from(U256::from(0xa000 + n)))
}

/// Puts orchestrators 1 to `n` in the pool, the last with the highest stake.
async fn enlist(town: &devnet::Chain, n: u64) {
    for n in 1..=n {
        let uri = format!("https://o{n}.example:8935");
        let stake = U256::from(n) * U256::from(10).pow(U256::from(18));
        town.activate(orchestrator(n), stake, &uri)
            .await
            .expect("activated");
    }
}

fn order(state: &State) -> Vec<Address> {
    state.orchestrators.iter().map(|one| one.address).collect()
}

#[tokio::test]
async fn the_list_of_a_hundred_is_walked_by_the_node_itself() {
    for multicall in [true, false] {
        let settings = devnet::Settings {
            multicall,
            ..devnet::Settings::default()
        };
        let town = town(settings).await;
        enlist(&town, 100).await;
        let options = Options {
            sender: Some(Address::repeat_byte(1)),
            // One look.
            poll: LONG,
            ..Options::new(network(&town))
        };
        let limits = Limits {
            timeout: LONG,
            overall: LONG,
            ..Limits::default()
        };
        let chain = Chain::start(options, vec![town.url().parse().unwrap()], limits).unwrap();
        let state = chain.ready(LONG).await.unwrap();
        let want: Vec<Address> = (1..=100).rev().map(orchestrator).collect();
        assert_eq!(order(&state), want);
        assert_eq!(state.pool_size, 100);
        let requests = chain.rpc().requests();
        assert!(requests <= 10, "{requests} requests, multicall {multicall}");
    }
}

#[tokio::test]
async fn what_happens_on_the_chain_is_in_the_state() {
    let town = town(devnet::Settings::default()).await;
    enlist(&town, 3).await;
    let chain = follow(&town, town.url());
    let state = chain.ready(LONG).await.unwrap();
    assert_eq!(order(&state), [3, 2, 1].map(orchestrator));
    assert_eq!(state.l1_source, L1Source::Number);
    let first = &state.orchestrators[0];
    assert!(first.active && first.in_pool);
    assert_eq!(
        first.stake,
        U256::from(3) * U256::from(10).pow(U256::from(18))
    );
    assert_eq!(first.uri.text(), Some("https://o3.example:8935"));
    assert_eq!(first.ai_uri, ServiceUri::Unset);

    let ai = town.contracts().ai_service_registry;
    let uri = " https://ai.example ";
    town.set_service_uri(ai, orchestrator(2), uri)
        .await
        .unwrap();
    until(&chain, |state| {
        state.orchestrators.get(1).and_then(|one| one.ai_uri.text()) == Some(uri)
    })
    .await;

    let stake = U256::from(9) * U256::from(10).pow(U256::from(18));
    town.activate(orchestrator(9), stake, "ftp://o9")
        .await
        .unwrap();
    until(&chain, |state| {
        order(state) == [9, 3, 2, 1].map(orchestrator)
    })
    .await;
    town.deactivate(orchestrator(3)).await.unwrap();
    until(&chain, |state| {
        state
            .orchestrator(orchestrator(3))
            .is_none_or(|one| !one.in_pool)
    })
    .await;

    let (deposit, reserve) = (U256::from(123_456_789), U256::from(987_654_321));
    let gateway = devnet::key(devnet::GATEWAY);
    town.fund(&gateway, deposit, reserve).await.unwrap();
    let paid = until(&chain, |state| {
        state.sender.is_some_and(|sender| sender.deposit == deposit)
    });
    let sender = paid.await.sender.unwrap();
    assert_eq!(sender.reserve, reserve);
    let truth = town.sender(gateway.address()).await.unwrap();
    assert_eq!(
        (truth.deposit, truth.reserve),
        (sender.deposit, sender.reserve)
    );

    let before = chain.state().unwrap().round;
    let round = town.next_round().await.unwrap();
    let state = until(&chain, |state| state.round.last_initialized == round).await;
    assert_eq!(state.round.previous_hash, before.hash);
    assert_ne!(state.round.hash, B256::ZERO);
    let block = town.block().await.unwrap();
    until(&chain, |state| state.l1_block == block).await;
}

#[tokio::test]
async fn ten_kilobytes_of_uri_and_other_texts_stop_nothing() {
    let town = town(devnet::Settings::default()).await;
    enlist(&town, 10).await;
    let registry = town.contracts().service_registry;
    for n in 1..=5 {
        let long = "x".repeat(10_240);
        town.set_service_uri(registry, orchestrator(n), &long)
            .await
            .unwrap();
    }
    town.set_service_uri(registry, orchestrator(6), "")
        .await
        .unwrap();
    let chain = follow(&town, town.url());
    let state = chain.ready(LONG).await.unwrap();
    let uri = |n| state.orchestrator(orchestrator(n)).unwrap().uri.clone();
    assert_eq!(uri(1), ServiceUri::TooLong(10_240));
    assert_eq!(uri(5), ServiceUri::TooLong(10_240));
    assert_eq!(uri(6), ServiceUri::Unset);
    assert_eq!(
        uri(7),
        ServiceUri::Text("https://o7.example:8935".to_owned())
    );
}

#[tokio::test]
async fn a_deposit_that_a_reorg_takes_back_is_gone_from_the_state() {
    let town = town(devnet::Settings::default()).await;
    enlist(&town, 1).await;
    let chain = follow(&town, town.url());
    chain.ready(LONG).await.unwrap();
    let point: Value = town.rpc().request("evm_snapshot", json!([])).await.unwrap();
    let (gateway, one) = (devnet::key(devnet::GATEWAY), U256::from(1));
    town.fund(&gateway, one, one).await.unwrap();
    let is = |deposit: U256| {
        move |state: &State| state.sender.is_some_and(|sender| sender.deposit == deposit)
    };
    until(&chain, is(one)).await;
    let _: Value = town
        .rpc()
        .request("evm_revert", json!([point]))
        .await
        .unwrap();
    // The other branch grows longer than the one that was seen.
    town.mine(5).await.unwrap();
    until(&chain, is(U256::ZERO)).await;
}

#[tokio::test]
async fn the_block_of_l1_is_the_headers_or_the_contracts_where_that_is_missing() {
    let town = town(devnet::Settings::default()).await;
    let ratio = NonZeroU64::new(4).unwrap();
    let proxy = town.with_l1(21_000_000, ratio).await.unwrap();
    let like_arbitrum = follow(&town, proxy.url());
    let bare = follow(&town, town.url());
    let state = like_arbitrum.ready(LONG).await.unwrap();
    assert_eq!(state.l1_source, L1Source::Header);
    let l1 = state.l1_block;
    assert!(l1 >= 21_000_000 && state.head.number < 1_000_000);
    let other = bare.ready(LONG).await.unwrap();
    assert_eq!((other.l1_source, other.l1_block), (L1Source::Contract, l1));
    town.mine(8).await.unwrap();
    until(&like_arbitrum, |state| state.l1_block == l1 + 2).await;
    until(&bare, |state| state.l1_block == l1 + 2).await;
}

#[tokio::test]
async fn a_dollar_has_its_price_in_wei() {
    let settings = devnet::Settings {
        usd_per_eth: 2500,
        ..devnet::Settings::default()
    };
    let town = town(settings).await;
    let chain = follow(&town, town.url());
    chain.ready(LONG).await.unwrap();
    // Told right after the state.
    while chain.quote().is_none() {
        assert_eq!(chain.status().feed_error, None);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let quote = chain.quote().unwrap();
    assert_eq!(quote.currency, "USD");
    let ether = U256::from(10).pow(U256::from(18));
    assert_eq!(quote.wei * U256::from(2500), quote.per * ether);
}

/// The gateway's wallet.
fn wallet(chain: &Chain) -> Wallet {
    let fees = Fees {
        look: Duration::from_millis(10),
        ..Fees::default()
    };
    Wallet::new(chain.clone(), devnet::key(devnet::GATEWAY).into(), fees)
}

#[tokio::test]
async fn money_goes_in_and_comes_out_again() {
    let town = town(devnet::Settings::default()).await;
    let chain = follow(&town, town.url());
    chain.ready(LONG).await.unwrap();
    let wallet = wallet(&chain);
    let (deposit, reserve) = (U256::from(1_000_000), U256::from(2_000_000));
    let account = async || chain.account(wallet.address()).await.unwrap();
    let before = account().await;
    assert!(before.empty() && !before.unlocking() && !before.paused);
    let plan = wallet.plan(Deed::Fund { deposit, reserve }).await.unwrap();
    let done = wallet.send(&plan).await.unwrap();
    let after = account().await;
    let spent = before.balance - after.balance;
    assert_eq!(spent, deposit + reserve + done.fee);
    assert_eq!((after.sender.deposit, after.pending), (deposit, 0));
    assert_eq!(after.block, done.block);
    assert_eq!(
        (after.round, after.unlock_period, after.round_length),
        (3, 2, 1000)
    );
    assert!(done.fee <= plan.fees());
    until(&chain, |state| {
        state
            .sender
            .is_some_and(|sender| (sender.deposit, sender.reserve) == (deposit, reserve))
    })
    .await;

    let refused = wallet.plan(Deed::Withdraw).await.unwrap_err().to_string();
    assert!(refused.contains("the contract refuses"), "{refused}");
    let plan = wallet.plan(Deed::Unlock).await.unwrap();
    wallet.send(&plan).await.unwrap();
    let unlocking = |state: &State| {
        state
            .sender
            .is_some_and(|sender| !sender.withdraw_round.is_zero())
    };
    until(&chain, unlocking).await;
    let plan = wallet.plan(Deed::CancelUnlock).await.unwrap();
    wallet.send(&plan).await.unwrap();
    until(&chain, |state| !unlocking(state)).await;
    let plan = wallet.plan(Deed::Unlock).await.unwrap();
    wallet.send(&plan).await.unwrap();
    let locked = account().await;
    assert_eq!((locked.withdraw_round(), locked.unlocking()), (5, true));
    let left = locked.blocks_until(5);
    assert_eq!(left, locked.round_left + 1000);
    town.mine(left - 1).await.unwrap();
    assert_eq!((account().await.round, account().await.round_left), (4, 1));
    town.next_round().await.unwrap();
    assert_eq!(account().await.blocks_until(5), 0);
    let plan = wallet.plan(Deed::Withdraw).await.unwrap();
    wallet.send(&plan).await.unwrap();
    let state = until(&chain, |state| {
        state.sender.is_some_and(|sender| sender.deposit.is_zero())
    });
    assert_eq!(state.await.sender.unwrap().reserve, U256::ZERO);
    let empty = account().await;
    assert!(empty.empty() && !empty.unlocking(), "{empty:?}");
    assert_eq!(empty.sender.withdraw_round, U256::from(5), "it stays");
}
