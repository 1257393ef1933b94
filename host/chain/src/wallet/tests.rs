//! Plans, caps and replacements, in virtual time over a node in memory.

use std::sync::Arc;

use alloy::eips::eip2718::Decodable2718;
use bytes::Bytes as Body;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex as Lock;

use super::*;
use crate::chain::Options;
use crate::keystore::{Keystore, Password};
use crate::mock::{BROKER, Node, World, network};
use crate::rpc::{Fault, Limits, Rpc, Transport};

const MINUTE: Duration = Duration::from_secs(60);

/// A node that also takes transactions.
#[derive(Clone, Debug)]
struct Till {
    node: Node,
    sent: Arc<Lock<Vec<TxEip1559>>>,
    /// How many it takes until it puts the last one in a block.
    mines_at: usize,
    status: u64,
    balance: u64,
    /// What a gas estimate is refused with.
    refuses: Option<&'static str>,
    /// What transactions from this one on are refused with.
    rejects: Option<(usize, &'static str)>,
    /// It has the transactions that it refuses all the same.
    has: bool,
}

// === impl Till ===

impl Till {
    fn new() -> Self {
        Self {
            node: Node::new(World::of(1)),
            sent: Arc::default(),
            mines_at: 1,
            status: 1,
            balance: 1_000_000_000,
            refuses: None,
            rejects: None,
            has: false,
        }
    }

    fn answer(&self, call: &Value) -> Option<Result<Value, Value>> {
        let sent = &mut self.sent.lock();
        Some(Ok(match call["method"].as_str()? {
            "eth_getTransactionCount" => json!("0x5"),
            "eth_getBalance" => json!(U256::from(self.balance)),
            "eth_maxPriorityFeePerGas" => json!("0x3"),
            "eth_estimateGas" => match self.refuses {
                Some(words) => return Some(Err(json!({"code": 3, "message": words}))),
                None => json!("0x186a0"),
            },
            "eth_sendRawTransaction" => {
                let raw: Bytes = call["params"][0].as_str()?.parse().unwrap();
                let envelope = TxEnvelope::decode_2718(&mut raw.as_ref()).unwrap();
                let signed = envelope.as_eip1559().unwrap();
                let signer = signed
                    .signature()
                    .recover_address_from_prehash(&signed.signature_hash());
                assert_eq!(signer.unwrap(), key().address());
                sent.push(signed.tx().clone());
                match self.rejects {
                    Some((from, words)) if sent.len() > from => {
                        return Some(Err(json!({"code": -32000, "message": words})));
                    }
                    _ => json!(signed.hash()),
                }
            }
            "eth_getTransactionByHash" if self.has => json!({"hash": call["params"][0]}),
            "eth_getTransactionByHash" => Value::Null,
            "eth_getTransactionReceipt" if sent.len() >= self.mines_at => json!({
                "transactionHash": call["params"][0],
                "blockNumber": "0x3e9",
                "status": format!("{:#x}", self.status),
                "gasUsed": "0xc350",
                "effectiveGasPrice": "0xa",
            }),
            "eth_getTransactionReceipt" => Value::Null,
            _ => return None,
        }))
    }

    async fn wallet(&self, fees: Fees) -> Wallet {
        let till: Box<dyn Transport> = Box::new(self.clone());
        let rpc = Rpc::with_transports(vec![("till".to_owned(), till)], None, Limits::default());
        let chain = Chain::with_rpc(Options::new(network()), rpc).unwrap();
        chain.ready(MINUTE).await.unwrap();
        Wallet::new(chain, key(), fees)
    }
}

impl Transport for Till {
    fn post(&self, body: Body, most: usize) -> BoxFuture<'_, Result<Body, Fault>> {
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let calls = match asked {
            Value::Array(calls) => calls,
            call => vec![call],
        };
        async move {
            let mut answers = Vec::new();
            for call in &calls {
                let id = &call["id"];
                answers.push(match self.answer(call) {
                    Some(Ok(result)) => json!({"id": id, "result": result}),
                    Some(Err(error)) => json!({"id": id, "error": error}),
                    None => {
                        let body = self.node.post(call.to_string().into(), most).await?;
                        serde_json::from_slice(&body).unwrap()
                    }
                });
            }
            let answer = match answers.len() {
                1 => answers.remove(0),
                _ => Value::Array(answers),
            };
            Ok(answer.to_string().into())
        }
        .boxed()
    }
}

fn key() -> Key {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/onchain/keystore"
    );
    let file = std::path::Path::new(folder).join("orchestrator.json");
    let password = Password::new("golden-test-password".to_owned());
    Keystore::find(&file, None)
        .unwrap()
        .open(&password)
        .unwrap()
}

fn fund() -> Deed {
    Deed::Fund {
        deposit: U256::from(700),
        reserve: U256::from(300),
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_priced_and_sends_nothing() {
    let till = Till::new();
    let wallet = till.wallet(Fees::default()).await;
    let plan = wallet.plan(fund()).await.unwrap();
    // Base fee 7, tip 3.
    assert_eq!((plan.max_fee, plan.tip, plan.gas), (17, 3, 120_000));
    assert_eq!((plan.to, plan.value), (BROKER, U256::from(1000)));
    assert!(till.sent.lock().is_empty());
    let done = wallet.send(&plan).await.unwrap();
    assert_eq!(
        (done.block, done.fee, done.replaced),
        (1001, U256::from(500_000), 0)
    );
    let sent = till.sent.lock()[0].clone();
    assert_eq!(
        (sent.chain_id, sent.nonce, sent.value),
        (31337, 5, U256::from(1000))
    );
    assert_eq!(
        sent.input[..4],
        TicketBroker::fundDepositAndReserveCall::SELECTOR
    );
}

#[tokio::test(start_paused = true)]
async fn each_deed_is_its_function() {
    let wallet = Till::new().wallet(Fees::default()).await;
    for (deed, selector) in [
        (Deed::Unlock, TicketBroker::unlockCall::SELECTOR),
        (Deed::CancelUnlock, TicketBroker::cancelUnlockCall::SELECTOR),
        (Deed::Withdraw, TicketBroker::withdrawCall::SELECTOR),
    ] {
        let plan = wallet.plan(deed).await.unwrap();
        assert_eq!(
            (plan.value, &deed.call().1[..]),
            (U256::ZERO, &selector[..])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stuck_transaction_is_replaced_by_a_dearer_one_with_its_nonce() {
    let mut till = Till::new();
    till.mines_at = 2;
    let wallet = till.wallet(Fees::default()).await;
    let plan = wallet.plan(fund()).await.unwrap();
    let done = wallet.send(&plan).await.unwrap();
    assert_eq!(done.replaced, 1);
    let sent = till.sent.lock().clone();
    let [first, second] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!(first.nonce, second.nonce);
    // Nodes want a tenth more of both.
    assert!(second.max_fee_per_gas * 10 >= first.max_fee_per_gas * 11);
    assert!(second.max_priority_fee_per_gas * 10 >= first.max_priority_fee_per_gas * 11);
}

#[tokio::test(start_paused = true)]
async fn what_stays_stuck_is_told_as_unknown_and_not_sent_again() {
    let mut till = Till::new();
    till.mines_at = usize::MAX;
    let wallet = till.wallet(Fees::default()).await;
    let plan = wallet.plan(fund()).await.unwrap();
    let error = wallet.send(&plan).await.unwrap_err();
    assert!(error.to_string().contains("may still be"), "{error}");
    assert_eq!(till.sent.lock().len(), 2, "the first and one replacement");
}

#[tokio::test(start_paused = true)]
async fn the_cap_holds_for_plans_and_replacements() {
    let mut till = Till::new();
    till.mines_at = usize::MAX;
    let capped = |cap| Fees {
        cap: Some(cap),
        ..Fees::default()
    };
    let error = till.wallet(capped(9)).await.plan(fund()).await.unwrap_err();
    assert!(
        matches!(error, WalletError::TooDear { needed: 10, cap: 9 }),
        "{error}"
    );
    let wallet = till.wallet(capped(12)).await;
    let plan = wallet.plan(fund()).await.unwrap();
    assert_eq!(plan.max_fee, 12);
    wallet.send(&plan).await.unwrap_err();
    assert_eq!(
        till.sent.lock().len(),
        1,
        "there was no room for a dearer one"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_paid_or_is_refused_is_told_before_anything_is_sent() {
    let mut till = Till::new();
    till.balance = 999;
    let error = till
        .wallet(Fees::default())
        .await
        .plan(fund())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("has 999 wei; 1000 wei"),
        "{error}"
    );
    till.balance = 1001;
    let error = till
        .wallet(Fees::default())
        .await
        .plan(fund())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("up to 2040000 wei of fees"),
        "{error}"
    );
    till.balance = 1_000_000_000;
    till.refuses = Some("execution reverted: account is locked");
    let error = till
        .wallet(Fees::default())
        .await
        .plan(Deed::Withdraw)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("account is locked"), "{error}");
    assert!(till.sent.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reverted_transaction_is_no_success() {
    let mut till = Till::new();
    till.status = 0;
    let wallet = till.wallet(Fees::default()).await;
    let plan = wallet.plan(fund()).await.unwrap();
    let error = wallet.send(&plan).await.unwrap_err();
    assert!(
        matches!(error, WalletError::Reverted { block: 1001, .. }),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_nonce_that_is_used_is_ours_or_it_is_not() {
    let mut till = Till::new();
    till.rejects = Some((0, "nonce too low"));
    let wallet = till.wallet(Fees::default()).await;
    let plan = wallet.plan(fund()).await.unwrap();
    let error = wallet.send(&plan).await.unwrap_err();
    assert!(matches!(error, WalletError::Refused(_)), "{error}");
    assert!(error.to_string().contains("nonce 5"), "{error}");
    // It came through another node, and is in a block.
    till.has = true;
    let wallet = till.wallet(Fees::default()).await;
    wallet.send(&plan).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn replacements_that_nodes_refuse_end_as_well() {
    let mut till = Till::new();
    till.mines_at = usize::MAX;
    till.rejects = Some((1, "replacement transaction underpriced"));
    let fees = Fees {
        replacements: 3,
        ..Fees::default()
    };
    let wallet = till.wallet(fees).await;
    let plan = wallet.plan(fund()).await.unwrap();
    let error = wallet.send(&plan).await.unwrap_err();
    assert!(error.to_string().contains("underpriced"), "{error}");
    assert_eq!(till.sent.lock().len(), 4);
}
