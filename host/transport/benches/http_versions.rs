//! HTTP/1.1 against HTTP/2 for what a segment costs on the wire: one upload of 52 kB, then two renditions of 141 and
//! 191 kB at once, over TLS on loopback, with an orchestrator that answers at once.
//!
//! `cargo bench -p pointsman-transport`. Client and server share the process and its cores.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use pointsman_transport::{Connections, HttpVersion, read_body};
use support::{Server, with_version};

const ROUNDS: usize = 3000;

fn router() -> Router {
    let rendition = |bytes: usize| {
        let bytes = Bytes::from(vec![0x47; bytes]);
        get(move || async move { bytes })
    };
    Router::new()
        .route(
            "/segment",
            post(|body: Bytes| async move { body.len().to_string() }),
        )
        .route("/small", rendition(141_376))
        .route("/large", rendition(191_008))
        .layer(DefaultBodyLimit::disable())
}

async fn exchange(connections: &Connections, request: Request<Full<Bytes>>) -> usize {
    let response = connections.http().send(request).await.expect("a response");
    let body = read_body(response.into_body(), 1 << 20).await;
    body.expect("a body").len()
}

async fn segment(connections: &Connections, server: &Server, body: &Bytes) -> Duration {
    let started = Instant::now();
    let upload = Request::post(server.uri.join("/segment")).body(Full::new(body.clone()));
    exchange(connections, upload.expect("a request")).await;
    let download = |path| {
        let request = Request::get(server.uri.join(path)).body(Full::default());
        exchange(connections, request.expect("a request"))
    };
    let (small, large) = tokio::join!(download("/small"), download("/large"));
    assert_eq!((small, large), (141_376, 191_008));
    started.elapsed()
}

async fn measure(version: HttpVersion, clients: usize) {
    let server = Server::tls(router()).await;
    let connections = with_version(version);
    let body = Bytes::from(vec![7; 52_076]);
    let started = Instant::now();
    let client = || async {
        let mut times = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS / clients {
            times.push(segment(&connections, &server, &body).await);
        }
        times
    };
    let all = (0..clients).map(|_| client());
    let mut times = futures::future::join_all(all).await.concat();
    times.sort_unstable();
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    let at = |share: usize| times[times.len() * share / 100];
    println!(
        "{version:?}, {clients} at once: p50 {:?}, p99 {:?}, {rate:.0} segments/s",
        at(50),
        at(99),
    );
}

#[tokio::main]
async fn main() {
    for clients in [1, 8] {
        for version in [HttpVersion::Http1, HttpVersion::Http2] {
            measure(version, clients).await;
        }
    }
}
