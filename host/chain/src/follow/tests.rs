//! The running chain over nodes in memory, in virtual time.

use alloy::primitives::{Address, B256};

use super::*;
use crate::abi::{BondingManager, RoundsManager, ServiceRegistry, TicketBroker};
use crate::chain::Chain;
use crate::mock::{
    BONDING, BROKER, Mood, Node, REGISTRY, ROUNDS, SENDER, World, member, network, rpc,
};
use crate::rpc::Fault;
use crate::uri::ServiceUri;

mod requests;

const MINUTE: Duration = Duration::from_secs(60);

fn options() -> Options {
    Options {
        sender: Some(SENDER),
        ..Options::new(network())
    }
}

fn start(nodes: &[&Node]) -> Chain {
    Chain::with_rpc(options(), rpc(nodes)).unwrap()
}

async fn ready(chain: &Chain) -> Arc<State> {
    chain.ready(MINUTE).await.unwrap()
}

/// Waits for a state that is so, in virtual time.
async fn until(chain: &Chain, so: impl Fn(&State) -> bool) -> Arc<State> {
    let mut changes = chain.changes();
    let so = |state: &Option<Arc<State>>| state.as_ref().is_some_and(|state| so(state));
    let found = tokio::time::timeout(10 * MINUTE, changes.wait_for(so)).await;
    found.expect("it never was so").unwrap().clone().unwrap()
}

/// Lets a few polls pass.
async fn polls(n: u32) {
    tokio::time::sleep(n * Duration::from_secs(5) + Duration::from_millis(1)).await;
}

fn deposit() -> TicketBroker::DepositFunded {
    TicketBroker::DepositFunded {
        sender: SENDER,
        amount: U256::from(1),
    }
}

#[tokio::test(start_paused = true)]
async fn everything_there_is_to_know_is_in_the_state() {
    let node = Node::new(World::of(3));
    let chain = start(&[&node]);
    let state = ready(&chain).await;
    assert_eq!(state.chain_id, 31337);
    assert_eq!((state.round.current, state.round.length), (10, 100));
    assert_ne!(state.round.hash, B256::ZERO);
    assert_ne!(state.round.hash, state.round.previous_hash);
    let order: Vec<Address> = state.orchestrators.iter().map(|one| one.address).collect();
    assert_eq!(order, [member(1), member(2), member(3)]);
    let first = &state.orchestrators[0];
    assert_eq!(first.stake, U256::from(1_000_000_000_000_000_000_001u128));
    assert_eq!(first.deactivation_round, u64::MAX);
    assert_eq!((first.reward_cut, first.fee_share), (100_000, 500_000));
    let sender = state.sender.unwrap();
    assert_eq!(
        (sender.deposit, sender.reserve),
        (U256::from(7), U256::from(5))
    );
    polls(1).await;
    assert_eq!(chain.quote().unwrap().currency, "USD");
    assert_eq!(chain.status().error, None);
}

#[tokio::test(start_paused = true)]
async fn a_new_round_a_new_uri_and_a_deposit_are_seen_at_the_next_poll() {
    let node = Node::new(World::of(3));
    let chain = start(&[&node]);
    ready(&chain).await;
    {
        let mut world = node.world.lock();
        world.round = 11;
        let hash = B256::ZERO;
        let round = U256::from(11);
        world.log(
            ROUNDS,
            &RoundsManager::NewRound {
                round,
                blockHash: hash,
            },
        );
    }
    until(&chain, |state| state.round.current == 11).await;
    {
        let mut world = node.world.lock();
        let uri = "https://moved.example".to_owned();
        world.uris.push((member(2), uri.clone()));
        let event = ServiceRegistry::ServiceURIUpdate {
            addr: member(2),
            serviceURI: uri,
        };
        world.log(REGISTRY, &event);
    }
    let moved = |state: &State| state.orchestrators[1].uri.text() == Some("https://moved.example");
    until(&chain, moved).await;
    {
        let mut world = node.world.lock();
        world.deposit = 99;
        world.log(BROKER, &deposit());
    }
    node.taken();
    let paid = |state: &State| {
        state
            .sender
            .is_some_and(|one| one.deposit == U256::from(99))
    };
    until(&chain, paid).await;
    assert_eq!(node.taken(), 2, "a poll and the sender alone");
}

#[tokio::test(start_paused = true)]
async fn a_changed_pool_is_followed_without_walking_it() {
    let mut world = World::of(100);
    world.walks = false;
    let node = Node::new(world);
    let chain = start(&[&node]);
    ready(&chain).await;
    node.taken();
    {
        let mut world = node.world.lock();
        // One left, one came, and the order by stake is another.
        world.pool.swap(3, 70);
        world.pool.remove(10);
        world.pool.insert(20, member(500));
        let event = BondingManager::TranscoderActivated {
            transcoder: member(500),
            activationRound: U256::from(11),
        };
        world.log(BONDING, &event);
    }
    let state = until(&chain, |state| state.orchestrator(member(500)).is_some()).await;
    let order: Vec<Address> = state.orchestrators.iter().map(|one| one.address).collect();
    assert_eq!(order, node.world.lock().pool);
    assert_eq!(
        node.taken(),
        1 + 1 + 1 + 2,
        "poll, round and links, the new one, rows"
    );
}

#[tokio::test(start_paused = true)]
async fn a_removed_log_and_one_that_vanished_have_the_state_read_again() {
    let node = Node::new(World::of(1));
    let chain = start(&[&node]);
    ready(&chain).await;
    {
        let mut world = node.world.lock();
        world.deposit = 99;
        world.log(BROKER, &deposit());
    }
    let is = |deposit: u64| {
        move |state: &State| {
            state
                .sender
                .is_some_and(|one| one.deposit == U256::from(deposit))
        }
    };
    until(&chain, is(99)).await;
    {
        // The block with the deposit is gone.
        let mut world = node.world.lock();
        world.deposit = 7;
        world.branch = 1;
        world.logs.clear();
        world.step(1);
    }
    until(&chain, is(7)).await;
    {
        let mut world = node.world.lock();
        world.deposit = 98;
        world.log(BROKER, &deposit());
        world.logs[0]["removed"] = json!(true);
    }
    until(&chain, is(98)).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_lags_changes_nothing() {
    let node = Node::new(World::of(1));
    let chain = start(&[&node]);
    ready(&chain).await;
    node.world.lock().step(20);
    until(&chain, |state| state.head.number == 1020).await;
    node.then([Mood::Head(1015), Mood::Head(1016)]);
    polls(1).await;
    assert_eq!(chain.state().unwrap().head.number, 1020);
    assert!(chain.status().error.unwrap().contains("1015"));
    until(&chain, |_| chain.status().error.is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_lies_about_the_head_is_left_for_another() {
    let liar = Node::new(World::of(1));
    let honest = liar.twin();
    let chain = start(&[&liar, &honest]);
    ready(&chain).await;
    liar.always(Some(Mood::Head(u64::MAX)));
    liar.taken();
    honest.taken();
    polls(60).await;
    assert_eq!(chain.state().unwrap().head.number, 1000);
    assert_eq!(chain.status().error, None);
    assert_eq!(honest.taken(), 60, "every poll is answered");
    assert!(liar.taken() < 20, "the liar rests longer and longer");
    let fault = chain.status().endpoints[0].fault.clone().unwrap();
    assert!(fault.to_string().contains("not believed"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_was_reset_is_read_anew() {
    let mut world = World::of(5);
    world.step(100_000);
    let node = Node::new(world);
    let chain = start(&[&node]);
    ready(&chain).await;
    *node.world.lock() = World::of(2);
    let state = until(&chain, |state| state.orchestrators.len() == 2).await;
    assert_eq!(state.head.number, 1000);
}

#[tokio::test(start_paused = true)]
async fn an_outage_leaves_the_last_state_with_its_age_and_ends_by_itself() {
    let node = Node::new(World::of(3));
    let chain = start(&[&node]);
    ready(&chain).await;
    node.always(Some(Mood::Fault(Fault::Unreachable("refused".to_owned()))));
    tokio::time::sleep(10 * MINUTE).await;
    let status = chain.status();
    assert_eq!(chain.state().unwrap().orchestrators.len(), 3);
    assert!(status.heard.unwrap() >= 9 * MINUTE, "{status:?}");
    assert!(status.error.unwrap().contains("refused"));
    {
        let mut world = node.world.lock();
        world.step(2400);
        world.deposit = 99;
        world.log(BROKER, &deposit());
    }
    node.always(None);
    let paid = |state: &State| {
        state
            .sender
            .is_some_and(|one| one.deposit == U256::from(99))
    };
    until(&chain, paid).await;
    polls(1).await;
    assert_eq!(chain.status().error, None);
}

#[tokio::test(start_paused = true)]
async fn a_start_without_any_node_has_the_last_state() {
    let node = Node::new(World::of(3));
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        snapshot: Some(folder.path().join("chain.sqlite")),
        ..options()
    };
    let chain = Chain::with_rpc(options(), rpc(&[&node])).unwrap();
    ready(&chain).await;
    polls(1).await;
    drop(chain);
    node.always(Some(Mood::Fault(Fault::Status(500))));
    let chain = Chain::with_rpc(options(), rpc(&[&node])).unwrap();
    let state = ready(&chain).await;
    assert_eq!(state.orchestrators.len(), 3);
    assert_eq!(chain.quote().unwrap().currency, "USD");
    let status = chain.status();
    assert!(status.restored && status.heard.is_none(), "{status:?}");
    node.always(None);
    until(&chain, |state| state.reading > 1).await;
    assert!(!chain.status().restored);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_another_chain_or_no_snapshot_at_all_is_not_used() {
    let node = Node::new(World::of(3));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.sqlite");
    let options = |name: &str| {
        let mut options = options();
        options.network.name = name.to_owned();
        options.snapshot = Some(path.clone());
        options
    };
    let chain = Chain::with_rpc(options("one"), rpc(&[&node])).unwrap();
    ready(&chain).await;
    polls(1).await;
    drop(chain);
    let other = Chain::with_rpc(options("two"), rpc(&[&node])).unwrap();
    assert!(other.state().is_none());
    std::fs::write(
        folder.path().join("text"),
        "this is no database, and long enough to tell",
    )
    .unwrap();
    let mut bad = options("one");
    bad.snapshot = Some(folder.path().join("text"));
    let error = Chain::with_rpc(bad, rpc(&[&node])).unwrap_err().to_string();
    assert!(error.contains("may be deleted"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_controller_and_no_node_are_told_in_words() {
    let node = Node::new(World::of(3));
    let mut options = options();
    options.network.controller = Address::repeat_byte(0x77);
    let chain = Chain::with_rpc(options, rpc(&[&node])).unwrap();
    let error = chain.ready(MINUTE).await.unwrap_err().to_string();
    assert!(error.contains("is not a Livepeer Controller"), "{error}");
    node.always(Some(Mood::Hang));
    let error = start(&[&node]).ready(MINUTE).await.unwrap_err().to_string();
    assert!(error.contains("no answer within 10 s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn hostile_registrations_spoil_no_others() {
    let mut world = World::of(100);
    world.uris.push((member(3), "x".repeat(10_240)));
    world.uris.push((member(4), String::new()));
    world.uris.push((member(5), " ftp://a b ".to_owned()));
    world.uris.push((member(6), "REVERTS".to_owned()));
    let node = Node::new(world);
    let chain = start(&[&node]);
    let state = ready(&chain).await;
    let uri = |n| state.orchestrator(member(n)).unwrap().uri.clone();
    assert_eq!(uri(3), ServiceUri::TooLong(10_240));
    assert_eq!(uri(4), ServiceUri::Unset);
    assert_eq!(uri(5), ServiceUri::Text(" ftp://a b ".to_owned()));
    assert!(matches!(uri(6), ServiceUri::Unreadable(_)), "{:?}", uri(6));
    assert!(uri(7).text().unwrap().starts_with("https://"));
}

#[tokio::test(start_paused = true)]
async fn views_that_do_not_fit_into_one_call_are_read_in_parts() {
    let mut world = World::of(100);
    world.gas = 60;
    let node = Node::new(world);
    let chain = start(&[&node]);
    assert_eq!(ready(&chain).await.orchestrators.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_node_without_logs_is_read_whole_once_a_minute() {
    let mut world = World::of(3);
    world.refuses_logs = true;
    let node = Node::new(world);
    let chain = start(&[&node]);
    ready(&chain).await;
    node.world.lock().deposit = 99;
    let paid = |state: &State| {
        state
            .sender
            .is_some_and(|one| one.deposit == U256::from(99))
    };
    until(&chain, paid).await;
    let before = chain.state().unwrap().reading;
    polls(120).await;
    let readings = chain.state().unwrap().reading - before;
    assert!((5..=11).contains(&readings), "{readings} in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn garbage_in_place_of_logs_is_no_end() {
    let node = Node::new(World::of(3));
    let chain = start(&[&node]);
    ready(&chain).await;
    {
        let mut world = node.world.lock();
        world.log(BROKER, &deposit());
        world.logs[0]["topics"] = json!("x");
        world.deposit = 99;
    }
    let paid = |state: &State| {
        state
            .sender
            .is_some_and(|one| one.deposit == U256::from(99))
    };
    until(&chain, paid).await;
}

#[tokio::test(start_paused = true)]
async fn the_l1_block_is_followed_on_every_kind_of_chain() {
    for (header, contract) in [(Some(50), 50), (None, 50), (None, 1000)] {
        let mut world = World::of(1);
        (world.header_l1, world.block_num) = (header, contract);
        let node = Node::new(world);
        let chain = start(&[&node]);
        let state = ready(&chain).await;
        assert_eq!(state.l1_block, contract, "{header:?}");
        {
            let mut world = node.world.lock();
            world.step(1);
            world.header_l1 = header.map(|l1| l1 + 1);
        }
        until(&chain, |state| state.l1_block == contract + 1).await;
        // A node that leaves the field out: asked otherwise from the next poll on.
        let mut world = node.world.lock().clone();
        world.step(1);
        world.header_l1 = None;
        *node.world.lock() = world;
        until(&chain, |state| state.l1_block == contract + 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_stands_still_is_told_where_chains_do_not_rest() {
    let node = Node::new(World::of(1));
    let options = Options {
        stall: Some(2 * MINUTE),
        ..options()
    };
    let chain = Chain::with_rpc(options, rpc(&[&node])).unwrap();
    ready(&chain).await;
    tokio::time::sleep(MINUTE).await;
    assert_eq!(chain.status().error, None);
    tokio::time::sleep(2 * MINUTE).await;
    assert!(chain.status().error.unwrap().contains("stopped following"));
    node.world.lock().step(1);
    until(&chain, |state| state.head.number == 1001).await;
}

#[tokio::test(start_paused = true)]
async fn a_stale_price_leaves_the_last_good_one() {
    let node = Node::new(World::of(1));
    let chain = start(&[&node]);
    ready(&chain).await;
    polls(1).await;
    let good = chain.quote().unwrap();
    node.world.lock().price = (3100, 1_600_000_000);
    tokio::time::sleep(20 * MINUTE).await;
    assert_eq!(chain.quote().unwrap(), good);
    let error = chain.status().feed_error.unwrap().to_string();
    assert!(error.contains("last updated at 1600000000"), "{error}");
    node.world.lock().price = (3100, 1_700_000_000);
    tokio::time::sleep(20 * MINUTE).await;
    assert_ne!(chain.quote().unwrap(), good);
    assert_eq!(chain.status().feed_error, None);
}

#[tokio::test(start_paused = true)]
async fn a_sender_can_be_named_later() {
    let node = Node::new(World::of(1));
    let chain = Chain::with_rpc(Options::new(network()), rpc(&[&node])).unwrap();
    assert_eq!(ready(&chain).await.sender, None);
    chain.follow_sender(SENDER);
    until(&chain, |state| state.sender.is_some()).await;
}
