//! The statuses that pushing applications act on: 500 and 503 are sent again, 422 is not.

use std::path::Path;

use http::Method;
use pointsman_devnet::Profile;
use serde_json::Value;

use crate::harness::{Gateway, Pushed, Stage, media, some};

/// Sends what was recorded with go-livepeer's gateway, and gives the status that one answered with it.
async fn replay(gateway: &Gateway, capture: &str) -> (u64, Pushed) {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/video/app"
    ));
    let text = std::fs::read_to_string(folder.join(capture).with_extension("json")).expect(capture);
    let capture: Value = serde_json::from_str(&text).expect("JSON");
    let word = |key: &str| capture[key].as_str().expect("text").to_owned();
    let path = word("path");
    let length = capture["request_headers"]["Content-Length"]
        .as_str()
        .expect("a length");
    let body = match length.parse::<usize>().expect("a number") {
        0 => bytes::Bytes::new(),
        700 => vec![b'x'; 700].into(),
        _ if path.ends_with(".mp4") => media::mp4(),
        _ => media::segment(),
    };
    let method = Method::from_bytes(word("method").as_bytes()).expect("a method");
    let mut push = gateway.pushing(&path).method(method).body(body);
    for name in ["Accept", "Content-Duration", "Content-Resolution"] {
        push = push.without(name);
    }
    for (name, value) in capture["request_headers"].as_object().expect("headers") {
        if name != "Content-Length" {
            push = push.header(name, value.as_str().expect("text"));
        }
    }
    (
        capture["status"].as_u64().expect("a status"),
        push.send().await,
    )
}

#[tokio::test]
async fn every_status_is_go_livepeers() {
    let stage = Stage::passthrough(1, &["--max-sessions", "100"]).await;
    for (capture, renditions) in [
        ("10-push-ts", 2),
        ("11-push-without-accept", 0),
        ("12-push-custom-profiles", 2),
        ("13-push-no-profiles", 0),
        ("14-bad-config", 0),
        ("15-wrong-extension", 0),
        ("16-empty-body", 0),
        ("17-garbage", 0),
        ("18-non-numeric-sequence", 2),
        ("19-duration-over-limit", 0),
        ("20-wrong-method", 0),
        ("21-slice", 2),
        ("22-slice-reversed", 0),
        ("23-push-mp4", 2),
    ] {
        let (status, pushed) = replay(&stage.gateway, capture).await;
        assert_eq!(
            u64::from(pushed.status),
            status,
            "{capture}: {}",
            pushed.text()
        );
        assert_eq!(pushed.parts.len(), renditions, "{capture}");
        assert_eq!(
            pushed.body.is_empty(),
            status == 200 && renditions == 0,
            "{capture}: {}",
            pushed.text()
        );
    }
    let names = stage.gateway.streams().await;
    let names: Vec<_> = names.iter().map(|stream| stream.name.as_str()).collect();
    assert!(
        !names.contains(&"x") && !names.contains(&"badcfg"),
        "what was refused opened no stream: {names:?}"
    );
}

#[tokio::test]
async fn a_refusal_names_what_to_mend() {
    let stage = Stage::passthrough(1, &[]).await;
    let gateway = &stage.gateway;
    let to = |path: &str| gateway.pushing(path);
    let profile = |fields: &str| {
        to("/live/a/0.ts").configured(&format!(r#"{{"profiles":[{{"name":"p",{fields}}}]}}"#))
    };
    for (push, status, says) in [
        (to("/live/0.m3u8"), 400, ".ts or .mp4"),
        (to("/live/..%2f..%2fetc/0.ts"), 400, "stream name"),
        (to("/live/a..b/0.ts"), 400, "\"..\""),
        (to("/live/.hidden/0.ts"), 400, "dot"),
        (
            to("/live/a/0.ts").configured("[1]"),
            400,
            "Livepeer-Transcode-Configuration",
        ),
        (
            to("/live/a/0.ts").configured(r#"{"presets":["P999"]}"#),
            400,
            "P999",
        ),
        (
            profile(r#""width":0,"height":144,"bitrate":100000"#),
            400,
            "profiles[0].width",
        ),
        (
            profile(r#""width":256,"height":144,"bitrate":100000,"gop":"x""#),
            400,
            "profiles[0].gop",
        ),
        (
            profile(r#""width":256,"height":144,"bitrate":100000,"fps":-1"#),
            400,
            "profiles[0].fps",
        ),
        (
            profile(r#""width":256,"height":144,"bitrate":100000,"profile":"h265""#),
            400,
            "profiles[0].profile",
        ),
        (
            to("/live/a/0.ts").configured(r#"{"objectStore":"s3://key:secret@r/b"}"#),
            400,
            "objectStore",
        ),
        (
            to("/live/a/0.ts").header("Content-Duration", "-1"),
            500,
            "invalid duration",
        ),
        (
            to("/live/a/0.ts").body(media::sound()),
            422,
            "no video track",
        ),
        (
            to("/live/a/0.ts").body(vec![0x47; 188 * 20]),
            422,
            "cannot be read",
        ),
        (
            to("/live/a/0.ts").body(b"\0\0\0\x18ftypisom".to_vec()),
            422,
            "cannot be read",
        ),
    ] {
        let pushed = push.send().await;
        let text = pushed.text();
        assert_eq!(pushed.status, status, "{says}: {text}");
        assert!(text.contains(says), "{says}: {text}");
        assert!(!text.contains("secret"), "{text}");
    }
    assert!(
        gateway.streams().await.is_empty(),
        "none of these opened a stream"
    );
    assert_eq!(stage.segments(), 0, "and nobody was asked");
    gateway.push("a", 0).await.assert_whole();
}

#[tokio::test]
async fn a_dotted_path_stays_a_name() {
    let stage = Stage::passthrough(1, &[]).await;
    // A client that does not tidy paths up, unlike the one of the other tests.
    let raw = |path: &str| {
        let media = media::segment();
        let head = format!(
            "PUT {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            media.len()
        );
        let address = stage.gateway.http.trim_start_matches("http://").to_owned();
        async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut socket = tokio::net::TcpStream::connect(address)
                .await
                .expect("a connection");
            // A refusal may come before the body is read.
            let _ = socket.write_all(&[head.as_bytes(), &media].concat()).await;
            let mut answer = [0; 12];
            socket.read_exact(&mut answer).await.expect("a status line");
            String::from_utf8_lossy(&answer).into_owned()
        }
    };
    for path in [
        "/live/../../etc/passwd/0.ts",
        "/live/../0.ts",
        "/live/%2e%2e/0.ts",
        "/live//../0.ts",
    ] {
        assert_eq!(raw(path).await, "HTTP/1.1 400", "{path}");
    }
    assert!(stage.gateway.streams().await.is_empty());
    assert_eq!(raw("/live/fine/0.ts").await, "HTTP/1.1 200");
}

#[tokio::test]
async fn an_oversized_segment_is_refused_and_the_stream_goes_on() {
    let stage = Stage::passthrough(1, &["--max-segment-bytes", "256KiB"]).await;
    stage.gateway.push("big", 0).await.assert_whole();
    let big = stage
        .gateway
        .pushing("/live/big/1.ts")
        .body(vec![0x47; 300 << 10])
        .send()
        .await;
    assert_eq!(big.status, 500);
    assert!(big.text().contains("--max-segment-bytes"), "{}", big.text());
    stage.gateway.push("big", 2).await.assert_whole();
    assert_eq!(stage.segments(), 2);
}

#[tokio::test]
async fn a_hundred_megabytes_are_refused_without_being_kept() {
    const HUGE: usize = 100 << 20;
    let stage = Stage::passthrough(1, &[]).await;
    stage.gateway.push("huge", 0).await.assert_whole();
    let before = stage.gateway.peak_memory();
    let push = stage.gateway.pushing("/live/huge/1.ts");
    let refused = push.body(vec![0x47; HUGE]).send().await;
    assert_eq!(refused.status, 500, "{}", refused.text());
    if let (Some(before), Some(after)) = (before, stage.gateway.peak_memory()) {
        let added = after - before;
        assert!(added < 32 << 20, "{} MiB more at the peak", added >> 20);
    }
    stage.gateway.push("huge", 2).await.assert_whole();
}

#[tokio::test]
async fn a_segment_that_breaks_off_is_not_sent_and_the_stream_goes_on() {
    use tokio::io::AsyncWriteExt;
    let stage = Stage::passthrough(1, &[]).await;
    stage.gateway.push("torn", 0).await.assert_whole();
    let address = stage.gateway.http.trim_start_matches("http://");
    let mut socket = tokio::net::TcpStream::connect(address)
        .await
        .expect("a connection");
    let media = media::segment();
    let head = format!(
        "PUT /live/torn/1.ts HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n",
        media.len()
    );
    let half = &media[..media.len() / 2];
    socket
        .write_all(&[head.as_bytes(), half].concat())
        .await
        .expect("half of it");
    drop(socket);
    stage.gateway.push("torn", 2).await.assert_whole();
    assert_eq!(stage.segments(), 2);
}

#[tokio::test]
async fn without_orchestrators_the_same_segment_may_be_sent_again() {
    let stage = Stage::unready(Profile::passthrough(some(1)), &[]).await;
    stage.gateway.usable(1).await;
    let only = &stage.devnet.orchestrators()[0];
    only.set(pointsman_devnet::Change {
        capacity: Some(0),
        ..Default::default()
    });
    let refused = stage.gateway.push("patient", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    only.set(pointsman_devnet::Change {
        capacity: Some(10),
        ..Default::default()
    });
    stage.gateway.push("patient", 0).await.assert_whole();
    let stream = stage.gateway.stream().await;
    assert_eq!(
        (stream.listed, stream.gaps),
        (1, 0),
        "no gap for what came in time after all"
    );
}

#[tokio::test]
async fn a_gateway_that_knows_nobody_says_so() {
    let gateway = Gateway::start(&[]).await;
    let refused = gateway.push("nobody", 0).await;
    assert_eq!(refused.status, 503);
    assert!(
        refused.text().contains("No sessions available"),
        "{}",
        refused.text()
    );
    assert!(refused.text().contains("--orch-addr"), "{}", refused.text());
    assert_eq!(gateway.admin("/readyz").await.0, 503);
    let source_only = gateway
        .pushing("/live/source/0.ts")
        .configured(r#"{"profiles":[]}"#)
        .send()
        .await;
    assert_eq!(
        (source_only.status, source_only.body.len()),
        (200, 0),
        "the source needs nobody"
    );
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused_and_those_below_go_on() {
    let stage = Stage::passthrough(1, &["--max-sessions", "1"]).await;
    stage.gateway.push("first", 0).await.assert_whole();
    let second = stage.gateway.push("second", 0).await;
    assert_eq!(second.status, 500);
    assert!(
        second.text().contains("--max-sessions"),
        "{}",
        second.text()
    );
    stage.gateway.push("first", 1).await.assert_whole();
}

#[tokio::test]
async fn post_pushes_too_and_a_name_may_contain_what_go_livepeer_would_cut() {
    let stage = Stage::passthrough(1, &[]).await;
    let pushed = stage
        .gateway
        .pushing("/live/mylive/0.ts")
        .method(Method::POST)
        .send()
        .await;
    pushed.assert_whole();
    assert_eq!(stage.gateway.stream().await.name, "mylive");
}
