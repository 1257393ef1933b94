//! A chain that has an L1, as Arbitrum: a proxy that adds `l1BlockNumber` to every block.
//!
//! # Contract
//!
//! From [`Chain::with_l1`](super::Chain::with_l1) on the contracts count blocks of an L1 whose number is another and grows
//! slower. Whoever asks the chain through the proxy's URL reads that number in every block it gets, as Arbitrum's nodes
//! give it; whoever takes a block's own number for it instead finds all ticket parameters expired, or valid for years.
//! Requests and answers pass unaltered otherwise, batches included.

use std::net::Ipv4Addr;
use std::sync::Arc;

use alloy::primitives::U64;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use http::{StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Rpc, RpcError};

/// Longest request that is passed on, in bytes.
const MAX_REQUEST: usize = 4 << 20;

/// A running proxy. Dropping it ends it.
#[derive(Debug)]
pub struct L1Proxy {
    url: String,
    server: JoinHandle<()>,
}

/// How L1 goes with the chain's own blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct L1 {
    /// L1's number at block `since`.
    pub(super) origin: u64,
    /// Blocks of the chain to one of L1; never 0.
    pub(super) ratio: u64,
    pub(super) since: u64,
}

struct Passing {
    rpc: Arc<Rpc>,
    l1: L1,
}

// === impl L1Proxy ===

impl L1Proxy {
    pub(super) async fn start(rpc: Arc<Rpc>, l1: L1) -> Result<Self, RpcError> {
        let failed = |cause: std::io::Error| RpcError::Transport(cause.to_string());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let router = Router::new()
            .route("/", post(pass))
            .layer(DefaultBodyLimit::max(MAX_REQUEST))
            .with_state(Arc::new(Passing { rpc, l1 }));
        let server = tokio::spawn(async move {
            if let Err(cause) = axum::serve(listener, router).await {
                tracing::error!(%cause, "the L1 proxy broke down");
            }
        });
        Ok(Self {
            url: format!("http://{address}"),
            server,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for L1Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(
    State(passing): State<Arc<Passing>>,
    request: Bytes,
) -> Result<([(header::HeaderName, &'static str); 1], String), (StatusCode, String)> {
    let gone = |cause: &dyn ToString| (StatusCode::BAD_GATEWAY, cause.to_string());
    let answer = passing.rpc.exchange(request).await.map_err(|e| gone(&e))?;
    let mut answer: Value = serde_json::from_slice(&answer).map_err(|e| gone(&e))?;
    match &mut answer {
        Value::Array(answers) => answers.iter_mut().for_each(|a| passing.l1.add(a)),
        answer => passing.l1.add(answer),
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok((json, answer.to_string()))
}

// === impl L1 ===

impl L1 {
    /// L1's number at a block of the chain.
    fn at(self, block: u64) -> u64 {
        self.origin + block.saturating_sub(self.since) / self.ratio
    }

    /// Adds L1's number to an answer that is a block: no other answer has a parent and a number.
    fn add(self, answer: &mut Value) {
        let Some(block) = answer.get_mut("result").and_then(Value::as_object_mut) else {
            return;
        };
        let number = block
            .get("number")
            .cloned()
            .map(serde_json::from_value::<U64>);
        if let (Some(Ok(number)), true) = (number, block.contains_key("parentHash")) {
            let l1 = U64::from(self.at(number.to()));
            block.insert("l1BlockNumber".to_owned(), json!(l1));
        }
    }
}
