//! A node of the chain that does what it is told.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use parking_lot::Mutex;
use pointsman_devnet::chain::Chain;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As the chain's own node.
    Well,
    /// With 429.
    Throttled,
    /// With this status.
    Status(u16),
    /// With a page.
    Garbage,
    /// As if the chain were a million blocks longer.
    Ahead,
    /// Never.
    Hangs,
}

/// A proxy before a chain's node. Dropping it ends it.
pub(crate) struct Node {
    url: String,
    mood: Arc<Mutex<Mood>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Passing {
    to: String,
    client: reqwest::Client,
    mood: Arc<Mutex<Mood>>,
}

/// Blocks that a liar adds.
const AHEAD: u64 = 1_000_000;

// === impl Node ===

impl Node {
    pub(crate) async fn start(chain: &Chain) -> Self {
        pointsman::tls::install();
        let mood = Arc::new(Mutex::new(Mood::Well));
        let client = reqwest::Client::builder().no_proxy().build();
        let passing = Passing {
            to: chain.url().to_owned(),
            client: client.expect("a client"),
            mood: mood.clone(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/", post(answer)).with_state(passing);
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("served");
        });
        Self { url, mood, server }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on.
    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(passing): State<Passing>, request: Bytes) -> Response {
    let mood = *passing.mood.lock();
    let json = [(header::CONTENT_TYPE, "application/json")];
    match mood {
        Mood::Throttled => StatusCode::TOO_MANY_REQUESTS.into_response(),
        Mood::Status(status) => {
            let status = StatusCode::from_u16(status).expect("a status");
            status.into_response()
        }
        Mood::Garbage => (json, "<html>busy</html>").into_response(),
        Mood::Hangs => {
            // Longer than anyone waits.
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        Mood::Well | Mood::Ahead => {
            let sent = passing.client.post(&passing.to);
            let sent = sent.header(header::CONTENT_TYPE, "application/json");
            let answer = sent.body(request).send().await.expect("the chain");
            let mut answer: Value = answer.json().await.expect("JSON");
            if mood == Mood::Ahead {
                match &mut answer {
                    Value::Array(answers) => answers.iter_mut().for_each(lie),
                    answer => lie(answer),
                }
            }
            (json, answer.to_string()).into_response()
        }
    }
}

/// Adds to the number of a block, which has a parent as no other answer has.
fn lie(answer: &mut Value) {
    let block = answer.get_mut("result").and_then(Value::as_object_mut);
    let Some(block) = block.filter(|block| block.contains_key("parentHash")) else {
        return;
    };
    let number = block["number"].as_str().expect("a number");
    let number = u64::from_str_radix(number.trim_start_matches("0x"), 16).expect("hexadecimal");
    block.insert("number".to_owned(), json!(format!("{:#x}", number + AHEAD)));
}
