//! A gateway's start as recorded against the real contracts, answered to this crate.

use std::collections::HashMap;

use alloy::primitives::{Address, address, b256};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use super::*;
use crate::chain::Chain;
use crate::network::Network;
use crate::rpc::{Fault, Limits, Transport};

const GATEWAY: Address = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");

/// Answers what was recorded, and refuses everything else as a node without Multicall3 or creation code would.
#[derive(Debug)]
struct Recorded {
    /// By contract and calldata, lower case.
    calls: HashMap<(String, String), Value>,
    block: Value,
}

impl Recorded {
    fn load() -> Self {
        let mut calls = HashMap::new();
        let mut add = |to: &Value, data: &Value, result: &Value| {
            let key = |text: &Value| text.as_str().unwrap().to_lowercase();
            calls.insert((key(to), key(data)), result.clone());
        };
        for call in file("views.json")["calls"].as_array().unwrap() {
            add(&call["to"], &call["calldata"], &call["result"]);
        }
        // The start came first, with one orchestrator; where both have a view it is the start's.
        let start = file("rpc-gateway-start.json");
        let mut block = Value::Null;
        for exchange in start["exchanges"].as_array().unwrap() {
            let (request, result) = (&exchange["request"], &exchange["response"]["result"]);
            match request["method"].as_str().unwrap() {
                "eth_call" => add(
                    &request["params"][0]["to"],
                    &request["params"][0]["input"],
                    result,
                ),
                "eth_getBlockByNumber" => block = result.clone(),
                _ => {}
            }
        }
        Self { calls, block }
    }

    fn answer(&self, call: &Value) -> Option<Value> {
        match call["method"].as_str()? {
            "eth_chainId" => Some(json!("0x7a69")),
            "eth_getBlockByNumber" => Some(self.block.clone()),
            "eth_getCode" => Some(json!("0x")),
            "eth_call" => {
                let key = |text: &Value| Some(text.as_str()?.to_lowercase());
                let what = &call["params"][0];
                self.calls
                    .get(&(key(&what["to"])?, key(&what["data"])?))
                    .cloned()
            }
            _ => None,
        }
    }
}

impl Transport for Recorded {
    fn post(&self, body: Bytes, _: usize) -> BoxFuture<'_, Result<Bytes, Fault>> {
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let one = |call: &Value| match self.answer(call) {
            Some(result) => json!({"jsonrpc": "2.0", "id": call["id"], "result": result}),
            None => {
                json!({"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32000, "message": "not recorded"}})
            }
        };
        let answer = match &asked {
            Value::Array(calls) => calls.iter().map(one).collect(),
            call => one(call),
        };
        async move { Ok(answer.to_string().into()) }.boxed()
    }
}

fn file(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/onchain/");
    let text = std::fs::read_to_string(format!("{folder}{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_real_contracts_answers_become_the_state() {
    let controller = address!("5FbDB2315678afecb367f032d93F642f64180aa3");
    let options = Options {
        sender: Some(GATEWAY),
        ..Options::new(Network::named("devnet", Some(controller)).unwrap())
    };
    let node: Box<dyn Transport> = Box::new(Recorded::load());
    let rpc = Rpc::with_transports(vec![("recorded".to_owned(), node)], None, Limits::default());
    let chain = Chain::with_rpc(options, rpc).unwrap();
    let state = chain.ready(Duration::from_secs(60)).await.unwrap();
    assert_eq!(
        state.contracts.ticket_broker,
        address!("a513E6E4b8f2a923D98304ec87F64353C4D5C853")
    );
    assert_eq!(state.contracts.ai_registry, None);
    assert_eq!(state.round.last_initialized, 2);
    let key = |round: u8| format!("0x3aa4add4{}{round:02x}", "0".repeat(62));
    let rounds = "0x59b670e9fa9d0a427751af201d676719a970857b".to_owned();
    let hash = |round| Recorded::load().calls[&(rounds.clone(), key(round))].clone();
    assert_eq!(json!(state.round.hash), hash(2));
    assert_eq!(json!(state.round.previous_hash), hash(1));
    assert_eq!(state.broker.unlock_period, 2);
    let [orchestrator] = &state.orchestrators[..] else {
        panic!("{:?}", state.orchestrators);
    };
    assert_eq!(
        orchestrator.address,
        address!("70997970C51812dc3A010C7d01b50e0d17dc79C8")
    );
    assert_eq!(orchestrator.stake, U256::from(10).pow(U256::from(21)));
    assert_eq!(
        (orchestrator.reward_cut, orchestrator.fee_share),
        (100_000, 500_000)
    );
    assert!(orchestrator.active && orchestrator.in_pool);
    assert_eq!(orchestrator.uri.text(), Some("https://127.0.0.1:28936"));
    assert!(state.sender.unwrap().deposit > U256::ZERO);
    // Its views are of a later block than its head, which is how a chain with an L1 looks.
    assert_eq!(
        (state.l1_source, state.l1_block),
        (L1Source::Contract, 1515)
    );
}

#[test]
fn the_real_contracts_logs_are_understood() {
    let recorded = file("events.json");
    let contracts = Contracts {
        controller: address!("5FbDB2315678afecb367f032d93F642f64180aa3"),
        bonding_manager: address!("0DCd1Bf9A1b36cE34237eEaFef220932846BCD82"),
        rounds_manager: address!("59b670e9fA9D0A427751Af201D676719a970857b"),
        ticket_broker: address!("a513E6E4b8f2a923D98304ec87F64353C4D5C853"),
        service_registry: Some(address!("4A679253410272dd5232B3Ff7cF5dbB88f295319")),
        ai_registry: None,
    };
    let watch = Watch {
        contracts: &contracts,
        sender: Some(GATEWAY),
        orchestrators: &[],
    };
    let topics = watch.filter(0)[0]["topics"][0].clone();
    let mut found = Vec::new();
    for event in recorded["events"].as_array().unwrap() {
        let raw = &event["raw"];
        if !topics.as_array().unwrap().contains(&raw["topics"][0]) {
            continue;
        }
        let log: Log = serde_json::from_value(raw.clone()).unwrap();
        let dirt = Seen::default().take(&watch, &[log], 0, u64::MAX);
        found.push((event["event"].as_str().unwrap().to_owned(), dirt));
    }
    let means = |name: &str, dirt: Dirt| {
        let known = found
            .iter()
            .any(|(event, means)| event.starts_with(name) && *means == dirt);
        assert!(known, "{name}: {dirt:?} in {found:?}");
    };
    means("SetContractInfo(", Dirt::CONTRACTS);
    means("NewRound(", Dirt::ALL);
    means("TranscoderActivated(", Dirt::ALL);
    means("DepositFunded(", Dirt::SENDER);
    means("ReserveFunded(", Dirt::SENDER);
    means("WinningTicketTransfer(", Dirt::SENDER);
    let new_round = b256!("22f2fc17c5daf07db2379b3a03a8ef20a183f761097a58fce219c8a14619e786");
    assert!(topics.as_array().unwrap().contains(&json!(new_round)));
}
