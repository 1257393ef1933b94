//! The pool over real HTTP: what a provider's front door may send, and what of the URL is seen when it does.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use pointsman_chain::rpc::{Call, Endpoint, Fault, Limits, Rpc, RpcError};
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket};

const KEY: &str = "c0ffee-secret-api-key";

/// A provider with one answer to everything. Gives the URL of an endpoint with a key in it.
async fn provider(answer: fn(Request) -> Response) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let router = Router::new().route("/v2/{key}", post(async move |request| answer(request)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let url = format!("http://{at}/v2/{KEY}");
    url.parse().expect("a URL")
}

/// One try, no patience.
async fn asked(endpoint: &Endpoint) -> Result<String, RpcError> {
    let limits = Limits {
        attempts: 1,
        answer: 1000,
        // Far from any that a machine needs: nothing here waits for it.
        timeout: Duration::from_secs(300),
        ..Limits::default()
    };
    let rpc = Rpc::http([endpoint.clone()], Some(31337), limits).expect("a client");
    let call = Call::new("eth_chainId", json!([]));
    rpc.call(call).await?.parse("a text")
}

/// The fault of the only try, and that no text has the key.
async fn fault(answer: fn(Request) -> Response) -> Fault {
    let error = asked(&provider(answer).await).await;
    let error = error.expect_err("a fault");
    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
    match error {
        RpcError::Down(mut faults) => faults.0.remove(0).1,
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn an_answer_comes_through() {
    let good = |_| {
        let one = |id| json!({"jsonrpc": "2.0", "id": id, "result": "0x7a69"});
        json!([one(0), one(1)]).to_string().into_response()
    };
    assert_eq!(asked(&provider(good).await).await.unwrap(), "0x7a69");
}

#[tokio::test]
async fn a_rate_limit_comes_with_its_time() {
    let busy = |_| {
        let after = [(header::RETRY_AFTER, "17")];
        (StatusCode::TOO_MANY_REQUESTS, after, "slow down").into_response()
    };
    let want = Fault::Throttled(Some(Duration::from_secs(17)));
    assert_eq!(fault(busy).await, want);
}

#[tokio::test]
async fn a_status_is_told_and_a_redirect_not_followed() {
    let denied = |_| (StatusCode::FORBIDDEN, KEY).into_response();
    assert_eq!(fault(denied).await, Fault::Status(403));
    let moved = |request: Request| {
        // To itself: followed, it would never end.
        let to = [(header::LOCATION, request.uri().to_string())];
        (StatusCode::TEMPORARY_REDIRECT, to).into_response()
    };
    assert_eq!(fault(moved).await, Fault::Status(307));
}

#[tokio::test]
async fn an_answer_without_end_is_read_to_the_limit_only() {
    let endless = |_| {
        let chunk = || Ok::<_, std::io::Error>(vec![b' '; 100]);
        Body::from_stream(futures::stream::repeat_with(chunk)).into_response()
    };
    let error = asked(&provider(endless).await).await.unwrap_err();
    assert_eq!(error, RpcError::TooLarge(1000));
}

#[tokio::test]
async fn pages_and_broken_answers_are_no_json_rpc() {
    let page = |_| "<html>maintenance</html>".into_response();
    assert!(matches!(fault(page).await, Fault::Garbage(_)));
    let bytes = |_| vec![0xff, 0xfe, 0x00].into_response();
    assert!(matches!(fault(bytes).await, Fault::Garbage(_)));
}

#[tokio::test]
async fn nobody_there_is_told_without_the_key() {
    // Held, and nobody listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let at = socket.local_addr().unwrap();
    let endpoint: Endpoint = format!("http://{at}/v2/{KEY}").parse().unwrap();
    let error = asked(&endpoint).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
    assert!(error.to_string().contains(&at.to_string()), "{error}");
}

#[tokio::test]
async fn a_node_that_repeats_the_key_is_not_quoted() {
    let echo = |_| {
        let error = json!({"code": -32000, "message": format!("key {KEY} is exhausted")});
        let one = |id| json!({"jsonrpc": "2.0", "id": id, "error": error});
        // The chain's proof is refused as well.
        json!([one(0), one(1)]).to_string().into_response()
    };
    let error = asked(&provider(echo).await).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
}
