//! Publishers who push slowly, too much, or where they may not: what they are told, and what they hold meanwhile.

use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::publisher::Clip;
use crate::harness::webhook::{Answer, Webhook};
use crate::harness::{Gateway, Stage, eventually, media};

/// A push whose bytes go out when the test says so.
struct Slow(TcpStream);

// === impl Slow ===

impl Slow {
    /// Sends the head of a push that promises `length` bytes, with more `headers`.
    async fn begin(gateway: &Gateway, name: &str, length: usize, headers: &str) -> Self {
        let address = gateway.http.trim_start_matches("http://");
        let mut socket = TcpStream::connect(address).await.expect("a connection");
        let head = format!(
            "PUT /live/{name}/0.ts HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        socket.write_all(head.as_bytes()).await.expect("it is read");
        Self(socket)
    }

    /// As [`begin`](Self::begin), by a client that sends the segment only when it is asked to. What it reads is then an answer, if
    /// the gateway says no before it reads.
    async fn asking(gateway: &Gateway, name: &str) -> (u16, String) {
        let slow = Self::begin(gateway, name, 1000, "Expect: 100-continue\r\n").await;
        slow.answer().await
    }

    async fn send(&mut self, bytes: usize) {
        // Who is refused meanwhile reads the answer all the same.
        let _ = self.0.write_all(&vec![0x47; bytes]).await;
    }

    /// Waits for the answer: its status, and its head and text.
    async fn answer(self) -> (u16, String) {
        self.answer_if_any().await.expect("an answer")
    }

    /// The same. `None` where the connection ends without: who sends on for long after a refusal may miss it.
    async fn answer_if_any(mut self) -> Option<(u16, String)> {
        let mut text = String::new();
        let mut buffer = [0; 4096];
        // A refusal's text is a line; being asked to go on is a head alone.
        let complete = |text: &str| {
            let parts = text.split_once("\r\n\r\n");
            parts.is_some_and(|(head, body)| head.contains(" 100 ") || body.ends_with('\n'))
        };
        while !complete(&text) {
            match self.0.read(&mut buffer).await {
                Ok(0) | Err(_) => return None,
                Ok(read) => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
            }
        }
        let status = text.split(' ').nth(1)?.parse().ok()?;
        Some((status, text))
    }
}

#[tokio::test]
async fn a_pusher_that_stalls_is_told_so_and_holds_up_nobody() {
    let stage = Stage::passthrough(1, &[]).await;
    let mut slow = Slow::begin(&stage.gateway, "slow", 100_000, "").await;
    slow.send(50_000).await;
    stage.gateway.push("other", 0).await.assert_whole();
    let (status, text) = slow.answer().await;
    assert_eq!(status, 500, "as a body that is cut off: {text}");
    assert!(text.contains("nothing came for"), "{text}");
    assert_eq!(stage.gateway.stream().await.name, "other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_slow_pushers_hold_no_more_than_there_is_room_for() {
    const SEGMENT: usize = 8 << 20;
    const CLIENTS: usize = 48;
    /// Room for four segments and their connections' buffers, half of it for streams that are not open.
    const ROOM: u64 = 4 * (SEGMENT as u64 + (1 << 20)) / 2;
    /// What a connection may take beside it, as one that was refused and sends on.
    const CONNECTION: u64 = 2 << 20;
    const BOUND: u64 = ROOM + CLIENTS as u64 * CONNECTION;

    let stage = Stage::passthrough(1, &["--max-segment-bytes", "8MiB"]).await;
    stage.gateway.push("running", 0).await.assert_whole();
    let before = stage.gateway.peak_memory();
    let names = (0..CLIENTS).map(|client| format!("slow-{client}"));
    let names: Vec<_> = names.collect();
    let slow = names.iter().map(async |name| {
        let mut slow = Slow::begin(&stage.gateway, name, SEGMENT, "").await;
        slow.send(SEGMENT - 1).await;
        slow.answer_if_any().await
    });
    let running = async {
        for sequence in 1..5 {
            stage.gateway.push("running", sequence).await.assert_whole();
        }
    };
    let (answers, ()) = tokio::join!(join_all(slow), running);
    for (status, text) in answers.iter().flatten() {
        match status {
            500 => assert!(text.contains("nothing came for"), "{text}"),
            503 => {
                assert!(text.contains("send this one again"), "{text}");
                let head = text.to_ascii_lowercase();
                assert!(head.contains("\r\nretry-after: 1\r\n"), "{text}");
            }
            _ => panic!("{text}"),
        }
    }
    if let (Some(before), Some(after)) = (before, stage.gateway.peak_memory()) {
        let added = after - before;
        println!("{} MiB more at the peak", added >> 20);
        assert!(added < BOUND, "{} MiB more at the peak", added >> 20);
    }
    stage.gateway.push("next", 0).await.assert_whole();
}

#[tokio::test]
async fn who_is_not_let_in_is_told_before_anything_is_read() {
    let webhook = Webhook::start(|question| {
        let status = if question.contains("stranger") {
            401
        } else {
            200
        };
        Answer::Say(status, String::new())
    })
    .await;
    let flags = ["--max-sessions", "1", "--auth-webhook-url", &webhook.url];
    let stage = Stage::passthrough(1, &flags).await;
    let (status, text) = Slow::asking(&stage.gateway, "stranger").await;
    assert_eq!(status, 403, "{text}");
    let (status, text) = Slow::asking(&stage.gateway, "first").await;
    assert_eq!(status, 100, "a stream that may be opened is read: {text}");
    stage.gateway.push("first", 0).await.assert_whole();
    let (status, text) = Slow::asking(&stage.gateway, "second").await;
    assert_eq!(status, 500, "{text}");
    assert!(text.contains("--max-sessions"), "{text}");
    let (status, text) = Slow::asking(&stage.gateway, "first").await;
    assert_eq!(status, 100, "{text}");
}

#[tokio::test]
async fn a_name_that_is_live_over_rtmp_is_refused_for_good_and_its_stream_plays_on() {
    let stage = Stage::passthrough(1, &[]).await;
    let gateway = &stage.gateway;
    let publisher = gateway.publish_half("live/cam", &Clip::long()).await;
    eventually("the publisher is let in", async || {
        gateway.streams().await.len() == 1
    })
    .await;
    let refused = gateway.push("cam", 0).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("over RTMP"), "{}", refused.text());
    let other = gateway.pushing("/live/elsewhere/0.ts");
    let renamed = other.configured(r#"{"manifestID":"cam"}"#).send().await;
    assert_eq!(renamed.status, 403, "{}", renamed.text());
    publisher.finish().await;
    let playlist = gateway
        .playlist_that("all of it is listed", "cam", "source", |playlist| {
            playlist.seconds() > 6.0
        })
        .await;
    assert!(playlist.segments.iter().all(|segment| !segment.gap));
}

/// The media is what was ordered, whatever the segment it was made of was called.
#[tokio::test]
async fn renditions_are_called_what_they_are() {
    let stage = Stage::transcoding(&[]).await;
    let first = stage.gateway.push("mixed", 0).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let push = stage.gateway.pushing("/live/mixed/1.mp4");
    let second = push.body(media::mp4()).send().await;
    assert_eq!(second.status, 200, "{}", second.text());
    assert_eq!(second.parts.len(), 2);
    for part in &second.parts {
        let name = part.header("rendition-name");
        let kind = part.header("content-type");
        assert_eq!(kind, format!("video/mp2t; name=\"{name}_1.ts\""));
        assert_eq!(part.media[0], 0x47, "a packet of a transport stream");
    }
}

/// Larger than what is looked at in passing.
#[tokio::test]
async fn a_large_segment_comes_back_whole() {
    const PACKET: usize = 188;
    let stage = Stage::passthrough(1, &[]).await;
    // Null packets, as of a multiplexer that keeps its bit rate.
    let mut padding = [0xff; PACKET];
    padding[..4].copy_from_slice(&[0x47, 0x1f, 0xff, 0x10]);
    let large = [&media::segment()[..], &padding.repeat((2 << 20) / PACKET)].concat();
    let large = Bytes::from(large);
    let push = stage.gateway.pushing("/live/large/0.ts");
    // Time enough to upload it on any machine.
    let push = push.lasting(Duration::from_secs(120));
    let pushed = push.body(large.clone()).send().await;
    assert_eq!(pushed.status, 200, "{}", pushed.text());
    assert_eq!(pushed.parts.len(), 2);
    assert!(pushed.parts.iter().all(|part| part.media == large));
}
