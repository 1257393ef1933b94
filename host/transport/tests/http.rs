//! Uploads and downloads against servers in process.

mod support;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version};
use http_body_util::Full;
use pointsman_transport::{Connections, HttpError, HttpVersion, ReadError, read_body};
use support::{LONG, Server, impatient, with_version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const BOTH: [HttpVersion; 2] = [HttpVersion::Http1, HttpVersion::Http2];

fn router() -> Router {
    Router::new()
        .route(
            "/segment",
            post(|headers: HeaderMap, body: Bytes| async move {
                let length = headers["content-length"]
                    .to_str()
                    .expect("digits")
                    .to_owned();
                (StatusCode::OK, format!("{length} {}", body.len()))
            }),
        )
        .route(
            "/refusal",
            post(|| async { (StatusCode::FORBIDDEN, "expired auth token\n") }),
        )
        .route("/rendition", get(|| async { vec![0x47u8; 141_376] }))
        .route("/stream", get(|| async { streamed(1000, None) }))
        .route("/cut", get(|| async { streamed(100, Some("gone")) }))
        .layer(DefaultBodyLimit::disable())
}

/// 100-byte pieces without a length; then an error that resets the stream.
fn streamed(pieces: usize, error: Option<&'static str>) -> Response {
    let pieces = (0..pieces).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[0x47; 100])));
    let error = error.map(|text| Err(std::io::Error::other(text)));
    Response::new(Body::from_stream(tokio_stream::iter(pieces.chain(error))))
}

fn put(server: &Server, path: &str, body: impl Into<Bytes>) -> http::Request<Full<Bytes>> {
    http::Request::post(server.uri.join(path))
        .body(Full::new(body.into()))
        .expect("a request")
}

fn fetch(server: &Server, path: &str) -> http::Request<Full<Bytes>> {
    http::Request::get(server.uri.join(path))
        .body(Full::default())
        .expect("a request")
}

async fn body(
    connections: &Connections,
    server: &Server,
    path: &str,
    cap: usize,
) -> Result<Bytes, ReadError> {
    let response = connections.http().send(fetch(server, path)).await;
    read_body(response.expect("a response").into_body(), cap).await
}

#[tokio::test]
async fn a_segment_goes_up_whole_in_either_version() {
    for (version, spoken) in BOTH.into_iter().zip([Version::HTTP_11, Version::HTTP_2]) {
        let server = Server::tls(router()).await;
        let connections = with_version(version);
        let sent = connections
            .http()
            .send(put(&server, "/segment", vec![7; 52_076]))
            .await;
        let response = sent.expect("a response");
        assert_eq!(response.version(), spoken);
        let read = read_body(response.into_body(), 1000).await;
        assert_eq!(read, Ok(Bytes::from_static(b"52076 52076")));
    }
    let plain = Server::plain(router()).await;
    let sent = Connections::default()
        .http()
        .send(put(&plain, "/segment", "x"))
        .await;
    assert_eq!(sent.expect("a response").version(), Version::HTTP_11);
}

#[tokio::test]
async fn a_refusal_that_comes_before_the_body_was_read_arrives() {
    for version in BOTH {
        let server = Server::tls(router()).await;
        let connections = with_version(version);
        let sent = connections
            .http()
            .send(put(&server, "/refusal", vec![7; 8 << 20]))
            .await;
        let response = sent.expect("a response");
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let read = read_body(response.into_body(), 1000).await;
        assert_eq!(read, Ok(Bytes::from_static(b"expired auth token\n")));
    }
}

/// As Go's server does: answer, end the sending side, wait before closing.
#[tokio::test]
async fn a_refusal_over_http1_by_a_server_that_closes_arrives() {
    let server = Server::raw_tls(|mut stream| async move {
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a head"));
        }
        let answer =
            "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 9\r\n\r\nErrSegSig";
        stream.write_all(answer.as_bytes()).await.expect("sent");
        stream.shutdown().await.ok();
        tokio::time::sleep(LONG).await;
    })
    .await;
    let connections = Connections::default();
    let sent = connections
        .http()
        .send(put(&server, "/segment", vec![7; 8 << 20]))
        .await;
    let response = sent.expect("a response");
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let read = read_body(response.into_body(), 1000).await;
    assert_eq!(read, Ok(Bytes::from_static(b"ErrSegSig")));
}

#[tokio::test]
async fn a_body_is_read_up_to_its_cap() {
    for version in BOTH {
        let server = Server::tls(router()).await;
        let connections = with_version(version);
        let rendition = body(&connections, &server, "/rendition", 141_376).await;
        assert_eq!(rendition.map(|bytes| bytes.len()), Ok(141_376));
        let stream = body(&connections, &server, "/stream", 100_000).await;
        assert_eq!(stream, Ok(Bytes::from(vec![0x47; 100_000])));

        let by_header = body(&connections, &server, "/rendition", 141_375).await;
        assert_eq!(by_header, Err(ReadError::TooLarge(141_375)));
        let by_count = body(&connections, &server, "/stream", 99_999).await;
        assert_eq!(by_count, Err(ReadError::TooLarge(99_999)));
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_reset() {
    for version in BOTH {
        let server = Server::tls(router()).await;
        let cut = body(&with_version(version), &server, "/cut", 1 << 20).await;
        assert!(matches!(cut, Err(ReadError::Reset(_))), "{cut:?}");
    }
}

#[tokio::test]
async fn a_lying_content_length_sets_nothing_aside() {
    let server = Server::raw_tls(|mut stream| async move {
        stream.read_u8().await.expect("a request");
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 299999999\r\n\r\nshort";
        stream.write_all(answer.as_bytes()).await.expect("sent");
        stream.shutdown().await.ok();
    })
    .await;
    let read = body(&Connections::default(), &server, "/", 300_000_000).await;
    assert!(matches!(read, Err(ReadError::Reset(_))), "{read:?}");
}

#[tokio::test]
async fn errors_before_a_response_are_told_apart() {
    let closed = Server::tls(router()).await;
    let uri = closed.uri.clone();
    let _port = closed.stop().await;
    let request = http::Request::get(uri.join("/"))
        .body(Full::default())
        .expect("a request");
    let error = Connections::default().http().send(request).await.err();
    assert!(matches!(error, Some(HttpError::Connect(_))), "{error:?}");

    let silent = Server::raw("https", |tcp| async move {
        tokio::time::sleep(LONG).await;
        drop(tcp);
    })
    .await;
    let error = impatient().http().send(fetch(&silent, "/")).await.err();
    assert!(matches!(error, Some(HttpError::Connect(_))), "{error:?}");

    let garbage = Server::raw("https", |mut tcp| async move {
        tcp.write_all(&[0x47; 400]).await.ok();
        tokio::time::sleep(LONG).await;
    })
    .await;
    let error = Connections::default()
        .http()
        .send(fetch(&garbage, "/"))
        .await
        .err();
    assert!(matches!(error, Some(HttpError::Connect(_))), "{error:?}");

    let no_http = Server::raw_tls(|mut stream| async move {
        stream.read_u8().await.expect("a request");
        stream.write_all(&[0x47; 400]).await.ok();
        tokio::time::sleep(LONG).await;
    })
    .await;
    let error = Connections::default()
        .http()
        .send(fetch(&no_http, "/"))
        .await
        .err();
    assert!(matches!(error, Some(HttpError::Garbage(_))), "{error:?}");

    let reset = Server::raw_tls(|mut stream| async move {
        stream.read_u8().await.expect("a request");
    })
    .await;
    let error = Connections::default()
        .http()
        .send(fetch(&reset, "/"))
        .await
        .err();
    assert!(matches!(error, Some(HttpError::Reset(_))), "{error:?}");
}

#[tokio::test]
async fn a_restarted_orchestrator_is_reached_again() {
    for version in BOTH {
        let server = Server::tls(router()).await;
        let connections = with_version(version);
        body(&connections, &server, "/rendition", 1 << 20)
            .await
            .expect("a rendition");
        let port = server.stop().await;
        let server = Server::tls_at(port, router()).await;
        // A request that was being written when the close was noticed is not repeated by the pool.
        let mut attempts = 0;
        while body_or_error(&connections, &server).await.is_err() {
            attempts += 1;
            assert!(attempts < 10, "the pool keeps a dead connection");
        }
    }
}

async fn body_or_error(connections: &Connections, server: &Server) -> Result<(), HttpError> {
    let response = connections.http().send(fetch(server, "/rendition")).await?;
    let read = read_body(response.into_body(), 1 << 20).await;
    assert_eq!(read.map(|bytes| bytes.len()), Ok(141_376));
    Ok(())
}
