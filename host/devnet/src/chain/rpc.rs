//! JSON-RPC to a development chain: calls, and transactions signed here.
//!
//! For a node on this machine that answers at once and never lies: no failover, no retry, no batches. The gateway's own
//! client is elsewhere, and shares nothing with this one, so that neither hides the other's mistakes.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use alloy::consensus::{SignableTransaction as _, TxEip1559};
use alloy::eips::eip2718::Encodable2718 as _;
use alloy::primitives::{Address, B256, Bytes, TxKind, U64, U128, U256};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{Revert, SolCall, SolError as _};
use http::{Request, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 << 20;
/// A node that does not answer for so long is gone.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks for a receipt, when blocks come by the clock.
const LOOK: Duration = Duration::from_millis(20);

/// A chain, by the URL of its node. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Rpc {
    url: String,
    uri: Uri,
    client: Client<HttpConnector, Full<bytes::Bytes>>,
    id: AtomicU64,
}

/// Why a chain did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RpcError {
    /// No URL of a node on this machine.
    #[error("{0:?} is not the http:// URL of a node")]
    Url(String),
    /// No answer.
    #[error("the chain's node does not answer: {0}")]
    Transport(String),
    /// A contract refused, with these words.
    #[error("reverted: {0}")]
    Reverted(String),
    /// The node refused.
    #[error("the chain's node refuses: {message} ({code})")]
    Refused {
        /// JSON-RPC's code.
        code: i64,
        /// The node's words.
        message: String,
    },
    /// An answer that is not what was asked for.
    #[error("the chain's node answers nonsense: {0}")]
    Nonsense(String),
}

/// A transaction that is in a block and was not reverted.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Receipt {
    /// Its hash.
    pub transaction_hash: B256,
    /// The block.
    pub block_number: U64,
    /// What was made, when something was.
    pub contract_address: Option<Address>,
    /// Gas used.
    pub gas_used: U64,
    /// What the contracts reported, in order.
    pub logs: Vec<Log>,
    /// 1: done. 0: reverted.
    status: U64,
}

/// A contract's report.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Log {
    /// The contract.
    pub address: Address,
    /// The event, and its indexed fields.
    pub topics: Vec<B256>,
    /// Its other fields.
    pub data: Bytes,
}

#[derive(Deserialize)]
struct Answer<T> {
    result: Option<T>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    code: i64,
    message: String,
    data: Option<Value>,
}

// === impl Rpc ===

impl Rpc {
    /// A client of the node at `url`, which must be `http`. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// When it is no such URL.
    pub fn new(url: &str) -> Result<Self, RpcError> {
        let error = || RpcError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| error())?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(error());
        }
        Ok(Self {
            url: url.to_owned(),
            uri,
            client: Client::builder(TokioExecutor::new()).build_http(),
            id: AtomicU64::new(1),
        })
    }

    /// The node's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks anything.
    ///
    /// # Errors
    ///
    /// When the node does not answer, refuses, or a contract reverts.
    pub async fn request<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, RpcError> {
        let id = self.id.fetch_add(1, Relaxed);
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let body = self.exchange(body.to_string().into()).await?;
        let answer: Answer<T> = serde_json::from_slice(&body)
            .map_err(|cause| RpcError::Nonsense(format!("{method}: {cause}")))?;
        match answer {
            Answer {
                error: Some(failure),
                ..
            } => Err(failure.into()),
            Answer {
                result: Some(result),
                ..
            } => Ok(result),
            // `null` is an answer to some questions.
            _ => serde_json::from_value(Value::Null)
                .map_err(|_| RpcError::Nonsense(format!("{method}: null"))),
        }
    }

    /// Sends a request as it is, and gives the answer as it comes.
    pub(super) async fn exchange(&self, body: bytes::Bytes) -> Result<bytes::Bytes, RpcError> {
        let request = Request::post(self.uri.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(transport)?;
        let exchange = async {
            let answer = self.client.request(request).await.map_err(transport)?;
            let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
            body.map(http_body_util::Collected::to_bytes)
                .map_err(transport)
        };
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .map_err(transport)?
    }

    /// Calls a view of a contract, at the newest block.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub async fn call<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, RpcError> {
        let data = Bytes::from(call.abi_encode());
        let params = json!([{"to": to, "data": data}, "latest"]);
        let result: Bytes = self.request("eth_call", params).await?;
        C::abi_decode_returns(&result).map_err(|cause| RpcError::Nonsense(cause.to_string()))
    }

    /// Signs and sends a transaction, and waits until it is in a block. `to` nobody makes a contract.
    ///
    /// One at a time for each key: the next nonce is asked for.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request); a transaction that would revert is not sent.
    pub async fn transact(
        &self,
        key: &PrivateKeySigner,
        to: Option<Address>,
        value: U256,
        input: Bytes,
    ) -> Result<Receipt, RpcError> {
        let hash = self.submit(key, to, value, input).await?;
        self.receipt(hash).await
    }

    /// Signs and sends a transaction, and does not wait for its block.
    ///
    /// # Errors
    ///
    /// As [`transact`](Self::transact).
    pub async fn submit(
        &self,
        key: &PrivateKeySigner,
        to: Option<Address>,
        value: U256,
        input: Bytes,
    ) -> Result<B256, RpcError> {
        let from = key.address();
        let mut draft = json!({"from": from, "value": value, "data": input});
        if let Some(to) = to {
            draft["to"] = json!(to);
        }
        let (chain_id, nonce, gas, price): (U64, U64, U64, U128) = tokio::try_join!(
            self.request("eth_chainId", json!([])),
            self.request("eth_getTransactionCount", json!([from, "pending"])),
            self.request("eth_estimateGas", json!([draft])),
            self.request("eth_gasPrice", json!([])),
        )?;
        let tx = TxEip1559 {
            chain_id: chain_id.to(),
            nonce: nonce.to(),
            // What is estimated can be too little by the time it runs: storage that was written is no longer.
            gas_limit: gas.to::<u64>() * 3 / 2,
            max_fee_per_gas: price.to::<u128>() * 2,
            max_priority_fee_per_gas: 1,
            to: to.map_or(TxKind::Create, TxKind::Call),
            value,
            input,
            ..TxEip1559::default()
        };
        let signature = key
            .sign_hash_sync(&tx.signature_hash())
            .map_err(|cause| RpcError::Nonsense(cause.to_string()))?;
        let raw = Bytes::from(tx.into_signed(signature).encoded_2718());
        self.request("eth_sendRawTransaction", json!([raw])).await
    }

    /// The same for a call of a contract's function.
    ///
    /// # Errors
    ///
    /// As [`transact`](Self::transact).
    pub async fn send<C: SolCall>(
        &self,
        key: &PrivateKeySigner,
        to: Address,
        value: U256,
        call: &C,
    ) -> Result<Receipt, RpcError> {
        let input = call.abi_encode().into();
        self.transact(key, Some(to), value, input).await
    }

    /// Waits until a transaction is in a block.
    ///
    /// # Errors
    ///
    /// As [`transact`](Self::transact).
    pub async fn receipt(&self, hash: B256) -> Result<Receipt, RpcError> {
        let look = async {
            loop {
                let receipt: Option<Receipt> = self
                    .request("eth_getTransactionReceipt", json!([hash]))
                    .await?;
                match receipt {
                    Some(receipt) if receipt.status == U64::from(1) => return Ok(receipt),
                    Some(_) => return Err(RpcError::Reverted(format!("transaction {hash}"))),
                    None => tokio::time::sleep(LOOK).await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, look)
            .await
            .map_err(transport)?
    }
}

fn transport(cause: impl std::fmt::Display) -> RpcError {
    RpcError::Transport(cause.to_string())
}

// === impl Failure ===

impl From<Failure> for RpcError {
    fn from(failure: Failure) -> Self {
        let data: Option<Bytes> = failure
            .data
            .and_then(|data| serde_json::from_value(data).ok());
        let words = data.and_then(|data| Revert::abi_decode(&data).ok());
        match words {
            Some(words) => Self::Reverted(words.reason),
            None => Self::Refused {
                code: failure.code,
                message: failure.message,
            },
        }
    }
}
