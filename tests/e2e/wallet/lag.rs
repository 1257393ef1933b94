//! Nodes behind a balancer: one has the block, the next one asked does not.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Router, serve};
use parking_lot::Mutex;
use pointsman_devnet::chain::{Chain, Settings};
use serde_json::Value;
use tokio::net::TcpListener;

use super::Cli;

/// Looks at the account that are answered as before the deed.
const STALE: u32 = 3;

/// What the balancer remembers.
#[derive(Debug, Default)]
struct Memory {
    /// The last look at the account.
    account: Option<Bytes>,
    done: bool,
    stale: u32,
}

#[derive(Clone)]
struct Balancer {
    to: String,
    client: reqwest::Client,
    memory: Arc<Mutex<Memory>>,
}

async fn answer(State(balancer): State<Balancer>, request: Bytes) -> impl IntoResponse {
    let text = String::from_utf8_lossy(&request).into_owned();
    let (looks, receipt) = (
        text.contains("eth_blockNumber"),
        text.contains("eth_getTransactionReceipt"),
    );
    let json = [(CONTENT_TYPE, "application/json")];
    if looks {
        let mut memory = balancer.memory.lock();
        if let (true, Some(old)) = (memory.done && memory.stale < STALE, memory.account.clone()) {
            memory.stale += 1;
            return (json, old);
        }
    }
    let sent = balancer
        .client
        .post(&balancer.to)
        .header(json[0].0.clone(), json[0].1);
    let answer = sent.body(request).send().await.expect("the chain");
    let answer = answer.bytes().await.expect("an answer");
    let mut memory = balancer.memory.lock();
    if looks {
        memory.account = Some(answer.clone());
    }
    if receipt {
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        memory.done |= answer["result"].is_object();
    }
    (json, answer)
}

#[tokio::test]
async fn what_was_done_is_not_forgotten_again() {
    pointsman::tls::install();
    let chain = Chain::start(Settings::default()).await.expect("a chain");
    let client = reqwest::Client::builder().no_proxy().build();
    let balancer = Balancer {
        to: chain.url().to_owned(),
        client: client.expect("a client"),
        memory: Arc::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new()
        .route("/", post(answer))
        .with_state(balancer.clone());
    let server = tokio::spawn(async move { serve(listener, router).await });

    let folder = tempfile::tempdir().expect("a folder");
    let mut cli = Cli::on(&chain, folder.path());
    cli.set("--eth-url", &url);
    let funded = cli.json("fund --deposit 5 --yes").await;
    assert_eq!(
        balancer.memory.lock().stale,
        STALE,
        "it was told the old state"
    );
    assert_eq!(funded["status"]["deposit"], "5", "and did not believe it");
    server.abort();
}
