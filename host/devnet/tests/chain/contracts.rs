//! The other contracts: shapes as recorded from the real ones, and what the knobs do.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall as _;
use pointsman_devnet::chain::abi::{
    BondingManager, Multicall3, PriceFeed, RoundsManager, ServiceRegistry, TicketBroker,
};
use pointsman_devnet::chain::{Chain, GATEWAY, Log, MULTICALL3, Rpc, Settings, contract_id, key};
use serde_json::{Value, json};

use crate::support::{ETH, chain, golden, read, redeem, refusal, winner};

fn settings() -> Settings {
    Settings {
        round_length: NonZeroU64::new(100).expect("not 0"),
        ..Settings::default()
    }
}

fn address(chain: &Chain, contract: &str) -> Option<Address> {
    let contracts = chain.contracts();
    match contract {
        "Controller" => Some(contracts.controller),
        "RoundsManager" => Some(contracts.rounds_manager),
        "BondingManager" => Some(contracts.bonding_manager),
        "ServiceRegistry" => Some(contracts.service_registry),
        "TicketBroker" => Some(contracts.ticket_broker),
        _ => None,
    }
}

#[tokio::test]
async fn every_recorded_view_has_the_recorded_shape() {
    let chain = chain(settings()).await;
    let uri = "https://127.0.0.1:28936";
    chain
        .activate(key(1).address(), ETH, uri)
        .await
        .expect("activated");
    let recorded = golden("views.json");
    let mut seen = BTreeSet::new();
    for view in recorded["calls"].as_array().expect("calls") {
        let contract = view["contract"].as_str().expect("a name");
        let Some(to) = address(&chain, contract) else {
            continue;
        };
        let params = json!([{"to": to, "data": view["calldata"]}, "latest"]);
        let result: Bytes = chain
            .rpc()
            .request("eth_call", params)
            .await
            .expect(contract);
        let recorded: Bytes = read(&view["result"]);
        assert_eq!(result.len(), recorded.len(), "{view}");
        seen.insert(format!("{contract}.{}", view["signature"]));
    }
    assert_eq!(seen.len(), 29, "{seen:?}");
    for (name, expected) in [
        ("RoundsManager", chain.contracts().rounds_manager),
        ("TicketBroker", chain.contracts().ticket_broker),
        ("BondingManager", chain.contracts().bonding_manager),
        ("ServiceRegistry", chain.contracts().service_registry),
        ("Minter", Address::ZERO),
    ] {
        let call = pointsman_devnet::chain::abi::Controller::getContractCall {
            id: contract_id(name),
        };
        let found = chain.rpc().call(chain.contracts().controller, &call).await;
        assert_eq!(found.expect("an address"), expected, "{name}");
    }
}

/// Event by its first topic: how many topics, how many bytes.
fn shapes<'l>(logs: impl Iterator<Item = &'l Log>) -> BTreeMap<B256, BTreeSet<(usize, usize)>> {
    let mut shapes: BTreeMap<B256, BTreeSet<(usize, usize)>> = BTreeMap::new();
    for log in logs {
        let shape = (log.topics.len(), log.data.len());
        shapes.entry(log.topics[0]).or_default().insert(shape);
    }
    shapes
}

#[tokio::test]
async fn every_event_a_gateway_reads_has_the_recorded_shape() {
    let chain = chain(settings()).await;
    let (sender, recipient) = (key(GATEWAY), key(1));
    let orchestrator = recipient.address();
    let contracts = *chain.contracts();
    let owner = key(0);
    chain
        .activate(orchestrator, ETH, "https://127.0.0.1:28936")
        .await
        .expect("activated");
    let cuts = BondingManager::setCutsCall {
        transcoder: orchestrator,
        rewardCut: U256::from(100_000),
        feeShare: U256::from(500_000),
    };
    let send = async |key, to, call: Vec<u8>| {
        let rpc = chain.rpc();
        rpc.transact(key, Some(to), U256::ZERO, call.into())
            .await
            .expect("done");
    };
    send(&owner, contracts.bonding_manager, cuts.abi_encode()).await;
    chain
        .fund(&sender, U256::from(5), ETH)
        .await
        .expect("funded");
    let (ticket, signature) = winner(&chain, &sender, orchestrator, U256::from(8), 1).await;
    redeem(&chain, &recipient, &ticket, &signature)
        .await
        .expect("redeemed");
    let broker = contracts.ticket_broker;
    send(&sender, broker, TicketBroker::unlockCall {}.abi_encode()).await;
    send(
        &sender,
        broker,
        TicketBroker::cancelUnlockCall {}.abi_encode(),
    )
    .await;
    send(&sender, broker, TicketBroker::unlockCall {}.abi_encode()).await;
    chain.next_round().await.expect("a round");
    chain.next_round().await.expect("a round");
    send(&sender, broker, TicketBroker::withdrawCall {}.abi_encode()).await;
    chain.deactivate(orchestrator).await.expect("deactivated");

    let filter = json!([{"fromBlock": "0x0", "toBlock": "latest"}]);
    let logs: Vec<Log> = chain
        .rpc()
        .request("eth_getLogs", filter)
        .await
        .expect("logs");
    let ours = shapes(logs.iter());
    let recorded = golden("events.json");
    let recorded = recorded["events"].as_array().expect("events");
    let logs: Vec<(String, Log)> = recorded
        .iter()
        .map(|event| {
            let name = event["event"].as_str().expect("a name").to_owned();
            (name, read::<Log>(&event["raw"]))
        })
        .collect();
    let theirs = shapes(logs.iter().map(|(_, log)| log));
    for name in [
        "NewRound(uint256,bytes32)",
        "TranscoderActivated(address,uint256)",
        "TranscoderUpdate(address,uint256,uint256)",
        "ServiceURIUpdate(address,string)",
        "DepositFunded(address,uint256)",
        "ReserveFunded(address,uint256)",
        "WinningTicketTransfer(address,address,uint256)",
        "WinningTicketRedeemed(address,address,uint256,uint256,uint256,uint256,bytes)",
        "Unlock(address,uint256,uint256)",
        "UnlockCancelled(address)",
        "Withdrawal(address,uint256,uint256)",
        "SetContractInfo(bytes32,address,bytes20)",
    ] {
        let topic = contract_id(name);
        let shape = theirs.get(&topic).expect(name);
        assert!(ours[&topic].is_subset(shape), "{name}");
    }
    // Not recorded, but published: nobody claimed a reserve or left the pool.
    for name in [
        "ReserveClaimed(address,address,uint256)",
        "TranscoderDeactivated(address,uint256)",
    ] {
        assert!(ours.contains_key(&contract_id(name)), "{name}");
    }
}

#[tokio::test]
async fn the_pool_is_ordered_by_stake_and_activity_by_round() {
    let chain = chain(settings()).await;
    let bonding = chain.contracts().bonding_manager;
    let rpc = chain.rpc();
    let stake = |n: u64| U256::from(n);
    for (account, n) in [(1, 20), (3, 30), (4, 10), (5, 20)] {
        let address = key(account).address();
        chain
            .activate(address, stake(n), "https://a")
            .await
            .expect("activated");
    }
    let pool = async || {
        let first = BondingManager::getFirstTranscoderInPoolCall {};
        let mut at = rpc.call(bonding, &first).await.expect("the first");
        let mut pool = Vec::new();
        while !at.is_zero() {
            pool.push(at);
            let next = BondingManager::getNextTranscoderInPoolCall { transcoder: at };
            at = rpc.call(bonding, &next).await.expect("the next");
        }
        pool
    };
    let of = |accounts: &[u32]| -> Vec<Address> {
        accounts
            .iter()
            .map(|&account| key(account).address())
            .collect()
    };
    assert_eq!(pool().await, of(&[3, 1, 5, 4]));
    chain
        .activate(key(4).address(), stake(25), "https://a")
        .await
        .expect("moved");
    assert_eq!(pool().await, of(&[3, 4, 1, 5]));
    chain
        .deactivate(key(3).address())
        .await
        .expect("deactivated");
    assert_eq!(pool().await, of(&[4, 1, 5]));
    let total = rpc
        .call(bonding, &BondingManager::getTotalBondedCall {})
        .await;
    assert_eq!(total.expect("a sum"), stake(65));

    // Active from its round on.
    let later = BondingManager::activateCall {
        transcoder: key(6).address(),
        stake: stake(1),
        round: U256::from(4),
    };
    rpc.send(&key(0), bonding, U256::ZERO, &later)
        .await
        .expect("activated");
    let active = BondingManager::isActiveTranscoderCall {
        transcoder: key(6).address(),
    };
    assert!(!rpc.call(bonding, &active).await.expect("an answer"));
    chain.next_round().await.expect("a round");
    assert!(rpc.call(bonding, &active).await.expect("an answer"));
    let refused = rpc.send(&key(7), bonding, U256::ZERO, &later).await;
    assert_eq!(refusal(refused), "caller must be the owner");
}

#[tokio::test]
async fn money_is_locked_until_its_round_and_fees_can_be_withdrawn() {
    let chain = chain(settings()).await;
    let (sender, recipient) = (key(GATEWAY), key(1));
    let broker = chain.contracts().ticket_broker;
    let rpc = chain.rpc();
    chain
        .activate(recipient.address(), ETH, "")
        .await
        .expect("activated");
    let short = TicketBroker::fundDepositAndReserveCall {
        deposit: ETH,
        reserve: ETH,
    };
    let refused = rpc.send(&sender, broker, ETH, &short).await;
    assert_eq!(
        refusal(refused),
        "msg.value does not equal sum of deposit amount and reserve amount"
    );
    chain.fund(&sender, ETH, ETH).await.expect("funded");
    let withdraw = TicketBroker::withdrawCall {};
    let refused = rpc.send(&sender, broker, U256::ZERO, &withdraw).await;
    assert_eq!(refusal(refused), "no unlock request in progress");

    let unlock = TicketBroker::unlockCall {};
    rpc.send(&sender, broker, U256::ZERO, &unlock)
        .await
        .expect("unlocking");
    assert_eq!(
        chain
            .sender(sender.address())
            .await
            .expect("a sender")
            .withdraw_round,
        5
    );
    chain.fund(&sender, ETH, U256::ZERO).await.expect("funded");
    let info = chain.sender(sender.address()).await.expect("a sender");
    assert_eq!(
        (info.withdraw_round, info.deposit),
        (0, ETH + ETH),
        "locked again"
    );

    rpc.send(&sender, broker, U256::ZERO, &unlock)
        .await
        .expect("unlocking");
    let refused = rpc.send(&sender, broker, U256::ZERO, &withdraw).await;
    assert_eq!(refusal(refused), "account is locked");
    let (ticket, signature) = winner(&chain, &sender, recipient.address(), ETH, 1).await;
    redeem(&chain, &recipient, &ticket, &signature)
        .await
        .expect("not unlocked yet");
    chain.next_round().await.expect("a round");
    chain.next_round().await.expect("a round");
    let (ticket, signature) = winner(&chain, &sender, recipient.address(), ETH, 2).await;
    let refused = redeem(&chain, &recipient, &ticket, &signature).await;
    assert_eq!(refusal(refused), "sender is unlocked");
    rpc.send(&sender, broker, U256::ZERO, &withdraw)
        .await
        .expect("withdrawn");
    let info = chain.sender(sender.address()).await.expect("a sender");
    assert_eq!(
        (info.deposit, info.reserve, info.withdraw_round),
        (U256::ZERO, U256::ZERO, 5)
    );

    // The fees are ETH that moves.
    let bonding = chain.contracts().bonding_manager;
    let to = key(200).address();
    let fees = BondingManager::withdrawFeesCall {
        recipient: to,
        amount: ETH,
    };
    rpc.send(&recipient, bonding, U256::ZERO, &fees)
        .await
        .expect("paid out");
    let balance: U256 = rpc
        .request("eth_getBalance", json!([to, "latest"]))
        .await
        .expect("a balance");
    assert_eq!(balance, ETH);
    let refused = rpc.send(&recipient, bonding, U256::ZERO, &fees).await;
    assert_eq!(refusal(refused), "insufficient fees to withdraw");
}

#[tokio::test]
async fn an_l1_of_its_own_keeps_the_round_and_counts_slower() {
    let chain = chain(settings()).await;
    let rounds = chain.contracts().rounds_manager;
    let rpc = chain.rpc();
    let ratio = NonZeroU64::new(4).expect("not 0");
    let proxy = chain.with_l1(20_000_000, ratio).await.expect("a proxy");
    let number = async || -> u64 {
        let number = rpc.call(rounds, &RoundsManager::blockNumCall {}).await;
        number.expect("a number").to()
    };
    assert_eq!(number().await, 20_000_000);
    chain.mine(9).await.expect("mined");
    assert_eq!(number().await, 20_000_002);
    let through = Rpc::new(proxy.url()).expect("a URL");
    let block = json!(["latest", false]);
    let seen: Value = through
        .request("eth_getBlockByNumber", block.clone())
        .await
        .expect("a block");
    assert_eq!(seen["l1BlockNumber"], "0x1312d02");
    let plain: Value = rpc
        .request("eth_getBlockByNumber", block)
        .await
        .expect("a block");
    assert_eq!(
        (seen["hash"].clone(), plain.get("l1BlockNumber")),
        (plain["hash"].clone(), None)
    );
    let current = rpc.call(rounds, &RoundsManager::currentRoundCall {}).await;
    assert_eq!(current.expect("a round"), U256::from(3));
    assert_eq!(chain.next_round().await.expect("a round"), 4);
    assert!(
        number().await <= 20_000_102,
        "it did not mine farther than the round"
    );
    let standing = chain
        .standing(Address::ZERO, Address::ZERO)
        .await
        .expect("a standing");
    assert!(!standing.roundHash.is_zero() && !standing.previousRoundHash.is_zero());
}

#[tokio::test]
async fn registries_prices_and_batches_answer_as_their_originals() {
    let chain = chain(settings()).await;
    let rpc = chain.rpc();
    let contracts = *chain.contracts();
    let orchestrator = key(1).address();
    let odd = format!("  ftp://{}\u{a0}", "x".repeat(10_000));
    let registries = [contracts.service_registry, contracts.ai_service_registry];
    for (registry, uri) in registries.into_iter().zip(["https://a:1", odd.as_str()]) {
        chain
            .set_service_uri(registry, orchestrator, uri)
            .await
            .expect("entered");
    }
    let uri = ServiceRegistry::getServiceURICall { addr: orchestrator };
    let [plain, ai] = registries;
    assert_eq!(rpc.call(plain, &uri).await.expect("a URI"), "https://a:1");
    assert_eq!(rpc.call(ai, &uri).await.expect("a URI"), odd);

    chain.set_price_feed(-5, 17).await.expect("a knob");
    let latest = PriceFeed::latestRoundDataCall {};
    let round = rpc
        .call(contracts.price_feed, &latest)
        .await
        .expect("a price");
    assert_eq!(
        (round.answer_.to_string().as_str(), round.updatedAt),
        ("-5", U256::from(17))
    );

    let call = |target, allow, data: Vec<u8>| Multicall3::Call3 {
        target,
        allowFailure: allow,
        callData: data.into(),
    };
    let reverting = RoundsManager::initializeRoundCall {}.abi_encode();
    let calls = |allow| Multicall3::aggregate3Call {
        calls: vec![
            call(plain, false, uri.abi_encode()),
            call(contracts.rounds_manager, allow, reverting.clone()),
        ],
    };
    let results = rpc
        .call(MULTICALL3, &calls(true))
        .await
        .expect("two results");
    assert_eq!((results[0].success, results[1].success), (true, false));
    let text = ServiceRegistry::getServiceURICall::abi_decode_returns(&results[0].returnData);
    assert_eq!(text.expect("a URI"), "https://a:1");
    assert_eq!(
        refusal(rpc.call(MULTICALL3, &calls(false)).await),
        "Multicall3: call failed"
    );
}

#[tokio::test]
async fn a_chain_ends_with_its_handle_and_blocks_come_by_the_clock_when_told() {
    let chain = chain(Settings {
        block_time: Some(std::time::Duration::from_secs(1)),
        ..settings()
    })
    .await;
    let before = chain.block().await.expect("a number");
    while chain.block().await.expect("a number") < before + 2 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // A transaction waits for its block.
    chain.fund(&key(GATEWAY), ETH, ETH).await.expect("funded");
    let url = chain.url().to_owned();
    drop(chain);
    let gone = pointsman_devnet::chain::Rpc::new(&url).expect("a URL");
    let answer: Result<Value, _> = gone.request("eth_chainId", json!([])).await;
    assert!(answer.is_err(), "nobody listens any more");
}
