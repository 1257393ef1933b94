//! What real nodes said, replayed: the answers must be the recorded ones.

use crate::support::golden::{bytes, exchange, folder, header, order};
use crate::support::{Client, passthrough};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use pointsman_wire::net::{OrchestratorInfo, OrchestratorRequest, SegData, TranscodeResult};
use pointsman_wire::segment;
use prost::Message as _;
use serde_json::Value;

/// A token of ours where the recorded one was the recorded node's own.
async fn reissue(client: &Client, name: &str, exchange: &Value) -> String {
    let original = header(exchange, "Livepeer-Segment").to_owned();
    if exchange["decoded"]["Livepeer-Segment"]["auth_token"].is_null() || name == "wrong-token" {
        return original;
    }
    let mut token = client.token().await;
    if name == "changed-expiry" {
        token.expiration -= 100_000;
    }
    segment::encode(&SegData {
        auth_token: Some(token),
        ..order(exchange)
    })
}

async fn replay(
    client: &Client,
    name: &str,
    exchange: &Value,
    order: &str,
) -> crate::support::Reply {
    let mut body = bytes("rtmp/03-segment-0.request.bin");
    match name {
        "uri-not-downloadable" => body = b"http://127.0.0.1:1/x.ts".to_vec(),
        "wrong-body-hash" => body.push(b'x'),
        _ => {}
    }
    let length = header(exchange, "Content-Length");
    assert_eq!(length, body.len().to_string(), "{name}: the recorded body");
    let request = client.upload(
        order,
        header(exchange, "Livepeer-Payment"),
        header(exchange, "Content-Type"),
        Bytes::from(body),
    );
    client.send(request).await.expect(name)
}

#[tokio::test]
async fn every_refusal_has_the_recorded_status_headers_and_text() {
    let devnet = passthrough(1).await;
    let uri = &devnet.uris()[0];
    let h2 = Client::h2(uri).await.expect("connects");
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder().join("orchestrator-refusals")).expect("captures") {
        let path = entry.expect("a file").path();
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("a name");
        let exchange = exchange(&format!("orchestrator-refusals/{name}"));
        replayed += 1;
        // A connection each over HTTP/1.1, as they were recorded, and one over HTTP/2.
        for http1 in [true, false] {
            let order = reissue(&h2, name, &exchange).await;
            let reply = if http1 {
                let h1 = Client::h1(uri).await.expect("connects");
                replay(&h1, name, &exchange, &order).await
            } else {
                replay(&h2, name, &exchange, &order).await
            };
            let at = format!("{name}, http1 {http1}");
            assert_eq!(u64::from(reply.status), exchange["status"], "{at}");
            if let Some(text) = exchange["response_body"].as_str() {
                assert_eq!(reply.text(), text, "{at}");
                for header in ["Content-Length", "Content-Type", "X-Content-Type-Options"] {
                    let recorded = exchange["response_headers"][header].as_str();
                    assert_eq!(reply.header(header), recorded, "{at}: {header}");
                }
                continue;
            }
            assert_eq!(reply.header("content-length"), None, "{at}");
            assert_eq!(reply.header("content-type"), None, "{at}");
            let recorded = &exchange["decoded"]["response"]["data"]["segments"];
            let recorded = recorded.as_array().map_or(0, Vec::len);
            assert_eq!(
                crate::support::renditions(reply.result()).len(),
                recorded,
                "{at}"
            );
        }
    }
    assert_eq!(replayed, 13);
    let counters = devnet.orchestrators()[0].counters();
    assert_eq!((counters.segments, counters.refused), (26, 22));
    assert_eq!((counters.results_ok, counters.results_failed), (4, 0));
}

/// What differs for good reason made equal: the token, and capabilities that devnet does not have (AI and more codecs).
fn normalised(info: Option<OrchestratorInfo>, like: &OrchestratorInfo) -> OrchestratorInfo {
    let mut info = info.expect("an offer");
    info.transcoder.clone_from(&like.transcoder);
    info.auth_token.clone_from(&like.auth_token);
    let mut capabilities = info.capabilities.take().expect("capabilities");
    let recorded = like.capabilities.as_ref().expect("capabilities");
    let more = |(ours, theirs): (&u64, &u64)| ours & theirs == *ours;
    assert_eq!(capabilities.bitstring.len(), recorded.bitstring.len());
    assert!(
        capabilities
            .bitstring
            .iter()
            .zip(&recorded.bitstring)
            .all(more)
    );
    assert!(
        capabilities
            .capacities
            .values()
            .all(|&capacity| capacity == 1)
    );
    capabilities.bitstring.clone_from(&recorded.bitstring);
    capabilities.capacities.clone_from(&recorded.capacities);
    info.capabilities = Some(capabilities);
    info
}

#[tokio::test]
async fn the_recorded_question_gets_the_recorded_offer() {
    let devnet = passthrough(1).await;
    let uri = &devnet.uris()[0];
    let client = Client::h2(uri).await.expect("connects");
    let frame = bytes("rtmp/02-get-orchestrator.request.bin");
    let request = OrchestratorRequest::decode(&frame[5..]).expect("a message");
    let answer = client.ask(request).await.expect("an offer");
    assert_eq!(&answer.transcoder, uri);
    let token = answer.auth_token.clone().expect("a token");
    assert_eq!((token.token.len(), token.session_id.len()), (32, 8));

    let frame = bytes("rtmp/02-get-orchestrator.response.bin");
    let recorded = OrchestratorInfo::decode(&frame[5..]).expect("a message");
    assert_eq!(normalised(Some(answer), &recorded), recorded);
}

#[tokio::test]
async fn ping_and_the_end_of_a_session_are_answered_byte_for_byte() {
    let devnet = passthrough(1).await;
    let client = Client::h2(&devnet.uris()[0]).await.expect("connects");
    let ping = bytes("rtmp/01-ping.request.bin");
    let answer = client.raw_grpc("Ping", ping).await.expect("answers");
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    let body = answer.into_body().collect().await.expect("a body");
    assert_eq!(body.trailers().expect("trailers")["grpc-status"], "0");
    assert_eq!(body.to_bytes(), bytes("rtmp/01-ping.response.bin"));

    let end = bytes("rtmp/09-end-session.request.bin");
    let answer = client
        .raw_grpc("EndTranscodingSession", end)
        .await
        .expect("answers");
    // An answer without a message has its trailers as headers.
    assert_eq!(answer.headers()["grpc-status"], "2", "UNKNOWN");
    assert_eq!(answer.headers()["grpc-message"], "Invalid%20auth%20token");
    let token = client.token().await;
    client.end(Some(token)).await.expect("ours");
}

#[tokio::test]
async fn a_recorded_segment_gets_the_recorded_result() {
    let devnet = passthrough(1).await;
    let client = Client::h2(&devnet.uris()[0]).await.expect("connects");
    let exchange = exchange("rtmp/03-segment-0");
    let order = reissue(&client, "03-segment-0", &exchange).await;
    let reply = replay(&client, "03-segment-0", &exchange, &order).await;
    assert!(reply.headers.contains_key("date"));
    let mut result = reply.result();
    let recorded = bytes("rtmp/03-segment-0.response.bin");
    let recorded = TranscodeResult::decode(recorded.as_slice()).expect("a message");

    let info = recorded.info.as_ref().expect("an offer");
    let session = result
        .info
        .as_ref()
        .and_then(|info| info.auth_token.as_ref());
    let session = session.expect("a token").session_id.clone();
    result.info = Some(normalised(result.info.take(), info));
    let theirs = &info.auth_token.as_ref().expect("a token").session_id;
    let port = devnet.uris()[0].clone();
    let segments = |result: TranscodeResult| {
        use pointsman_wire::net::transcode_result::Result as Outcome;
        let Some(Outcome::Data(data)) = result.result else {
            panic!("no renditions")
        };
        assert!(data.sig.is_empty(), "off-chain nothing is signed");
        let urls = data.segments.into_iter().map(|segment| segment.url);
        urls.collect::<Vec<String>>()
    };
    let expected: Vec<String> = segments(recorded.clone())
        .iter()
        .map(|url| {
            url.replace(&info.transcoder, &port)
                .replace(theirs, &session)
        })
        .collect();
    assert_eq!(segments(result.clone()), expected);
    assert_eq!((result.seq, result.info), (recorded.seq, recorded.info));
}

#[tokio::test]
async fn a_download_has_the_recorded_headers() {
    let devnet = passthrough(1).await;
    let client = Client::h2(&devnet.uris()[0]).await.expect("connects");
    let token = client.token().await;
    client.push(&token, 0).await.expect("a result");
    let h1 = Client::h1(&devnet.uris()[0]).await.expect("connects");
    let path = format!("/stream/{}/P144p30fps16x9/0.ts", token.session_id);
    let reply = h1.get(&path).await.expect("a rendition");
    assert_eq!(reply.body, crate::support::media());
    let recorded = &exchange("rtmp/04-rendition-144p")["response_headers"];
    for (name, value) in recorded.as_object().expect("headers") {
        match name.as_str() {
            "Date" => assert!(reply.headers.contains_key("date")),
            "Content-Length" => assert_eq!(reply.header(name), Some("1880")),
            name => assert_eq!(reply.header(name), value.as_str(), "{name}"),
        }
    }
    let missing = h1
        .get("/stream/none/P144p30fps16x9/0.ts")
        .await
        .expect("an answer");
    assert_eq!((missing.status, missing.text()), (404, "ErrNotFound\n"));
    let elsewhere = h1.get("/payments").await.expect("an answer");
    assert_eq!(
        (elsewhere.status, elsewhere.text()),
        (404, "404 page not found\n")
    );
}
