//! RTMP from publishers that are broken or mean no good: each ends alone, is counted by its class, and others play on.

mod client;

use std::time::Duration;

use pointsman_devnet::Change;
use pointsman_devnet::failure::{Kind, Method, Rule};

use crate::harness::publisher::Clip;
use crate::harness::{Gateway, NO_HEDGES, Stage, eventually};
use client::{Client, Message, string};

/// Segments of a second, all of them listed to the end, which comes soon after the publisher's.
const FLAGS: [&str; 8] = [
    "--segment-duration",
    "1s",
    "--playlist-window",
    "100",
    "--playlist-keep",
    "101",
    "--reconnect-grace",
    "1s",
];

/// A ping. What it is answered with is as long.
const PING: [u8; 18] = [2, 0, 0, 0, 0, 0, 6, 4, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0];

/// A publisher that does everything right: one half of its clip before the others come, the other half after.
struct Healthy {
    client: Client,
    rest: Vec<Message>,
}

// === impl Healthy ===

impl Healthy {
    async fn start(gateway: &Gateway) -> Self {
        let mut client = Client::publishing(gateway, "healthy").await;
        let mut first = Message::of(&Clip::long());
        let rest = first.split_off(first.len() / 2);
        client.send(&first).await;
        gateway
            .playlist_that("it is on", "healthy", "source", |playlist| {
                playlist.segments.len() >= 2
            })
            .await;
        Self { client, rest }
    }

    /// Waits for `others` without being taken for dead.
    async fn during(&mut self, others: impl Future<Output = ()>) {
        let mut others = std::pin::pin!(others);
        loop {
            tokio::select! {
                () = &mut others => return,
                () = tokio::time::sleep(Duration::from_secs(1)) => self.client.say(&PING).await,
            }
        }
    }

    /// Publishes the rest; fails unless everything was played.
    async fn finish(mut self, gateway: &Gateway) {
        self.client.send(&self.rest).await;
        self.client.finish().await;
        assert_whole(gateway, "healthy", &Clip::long()).await;
    }
}

/// Fails unless every frame of `clip` is listed without a break.
async fn assert_whole(gateway: &Gateway, name: &str, clip: &Clip) {
    let source = gateway.ended_playlist(name, "source").await;
    assert_eq!(gateway.frames(name, &source).await, clip.frames);
    let broken = source.places(|segment| segment.gap || segment.discontinuity);
    assert!(broken.is_empty(), "{}", source.text);
}

/// Connections that the gateway closed for this reason.
async fn closed(gateway: &Gateway, reason: &str) -> u32 {
    let (_, text) = gateway.admin("/metrics").await;
    let sample = format!("pointsman_rtmp_closed_total{{reason=\"{reason}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&sample));
    line.map_or(0, |count| count.parse().expect("a number"))
}

async fn assert_closed(gateway: &Gateway, reason: &str, count: u32) {
    eventually(reason, async || closed(gateway, reason).await == count).await;
    let logged = gateway
        .log()
        .matches(&format!("reason=\"{reason}\""))
        .count();
    assert_eq!(logged, count as usize, "{reason} in the log");
}

#[tokio::test]
async fn interleaved_chunks_of_two_messages_stay_apart() {
    let stage = Stage::passthrough(1, &FLAGS).await;
    let (gateway, clip) = (&stage.gateway, Clip::short());
    let mut client = Client::publishing(gateway, "cam").await;
    let messages = Message::of(&clip);
    let mut interleaved = 0;
    let mut rest = &messages[..];
    while let [first, tail @ ..] = rest {
        rest = match tail {
            [second, tail @ ..] if [8, 9] == sorted(first.kind, second.kind) => {
                client.say(&first.interleaved(second)).await;
                interleaved += u32::from(first.payload.len().min(second.payload.len()) > 128);
                tail
            }
            tail => {
                client.say(&first.bytes()).await;
                tail
            }
        };
    }
    assert!(interleaved > 10, "there is something to keep apart");
    client.finish().await;
    assert_whole(gateway, "cam", &clip).await;
    assert!(!gateway.log().contains("panicked"));
}

fn sorted(one: u8, other: u8) -> [u8; 2] {
    [one.min(other), one.max(other)]
}

#[tokio::test]
async fn broken_metadata_is_dropped_and_its_stream_plays_on() {
    let stage = Stage::passthrough(1, &FLAGS).await;
    let (gateway, clip) = (&stage.gateway, Clip::short());
    let mut client = Client::publishing(gateway, "cam").await;
    let set_data_frame = string("@setDataFrame");
    let broken = [
        set_data_frame.clone(),
        [set_data_frame.clone(), string("onMetaData")].concat(),
        [
            &set_data_frame[..],
            &string("onMetaData"),
            &[3, 0, 200, b'x'],
        ]
        .concat(),
        [&set_data_frame[..], &[10, 255, 255, 255, 255]].concat(),
        [3, 0, 1, b'a'].repeat(1000),
        Vec::new(),
    ];
    for (at, message) in Message::of(&clip).iter().enumerate() {
        client
            .send(&[Message::data(&broken[at % broken.len()])])
            .await;
        client.send(std::slice::from_ref(message)).await;
    }
    client.finish().await;
    assert_whole(gateway, "cam", &clip).await;
    assert!(!gateway.log().contains("panicked"));
}

#[tokio::test]
async fn whoever_breaks_the_rules_ends_alone_and_is_counted() {
    let stage = Stage::passthrough(1, &FLAGS).await;
    let gateway = &stage.gateway;
    let mut healthy = Healthy::start(gateway).await;

    let no_handshake = async {
        let mut client = Client::connect(gateway).await;
        client.say(b"GET / HTTP/1.1\r\n\r\n").await;
        client.closed().await;
    };
    let too_long = async {
        let mut client = Client::publishing(gateway, "too-long").await;
        // The header of 9 MB of video; nothing has to follow.
        client.say(&[6, 0, 0, 0, 0x90, 0, 0, 9, 1, 0, 0, 0]).await;
        client.closed().await;
    };
    let too_long_yet = async {
        let mut client = Client::connect(gateway).await;
        client.handshake().await;
        client.say(&[6, 0, 0, 0, 0x02, 0, 0, 9, 1, 0, 0, 0]).await;
        client.closed().await;
    };
    let malformed = async {
        let mut client = Client::connect(gateway).await;
        client.handshake().await;
        client.say(&[0xC5, 1, 2, 3]).await;
        client.closed().await;
    };
    let silent = async {
        let mut client = Client::connect(gateway).await;
        client.handshake().await;
        client.closed().await;
    };
    let deaf = async {
        let mut client = Client::narrow(gateway).await;
        assert!(client.publish("deaf").await.contains("Publish.Start"));
        client.pester(&PING.repeat(4000)).await;
    };
    let codec = async {
        let mut client = Client::publishing(gateway, "codec").await;
        let hevc = Message {
            kind: 9,
            stream: 1,
            timestamp: 0,
            payload: vec![0x1C, 0, 0, 0, 0].into(),
        };
        client.send(&[hevc]).await;
        client.closed().await;
    };
    let all = async {
        tokio::join!(
            no_handshake,
            too_long,
            too_long_yet,
            malformed,
            silent,
            deaf,
            codec
        );
        for (reason, count) in [
            ("handshake", 1),
            ("too-long", 2),
            ("malformed", 1),
            ("not-published", 1),
            ("slow-reader", 1),
            ("codec", 1),
            ("panic", 0),
        ] {
            assert_closed(gateway, reason, count).await;
        }
    };
    healthy.during(all).await;
    healthy.finish(gateway).await;
}

/// The clip's pictures a second apart: what comes before the first key frame and it, if wanted, and many others.
fn without_key_frames(first: bool) -> Vec<Message> {
    let clip = Message::of(&Clip::short());
    let header = clip.iter().filter(|message| message.kind == 9).take(1);
    let key_frame = clip
        .iter()
        .filter(|message| message.is_key_frame())
        .take(usize::from(first));
    let others = clip
        .iter()
        .filter(|message| message.is_picture() && !message.is_key_frame());
    let mut messages: Vec<_> = header
        .chain(key_frame)
        .chain(others.take(30))
        .cloned()
        .collect();
    for (at, message) in (0..).zip(&mut messages) {
        message.timestamp = 1000 * at;
    }
    messages
}

#[tokio::test]
async fn a_publisher_without_key_frames_is_told_to_send_some_and_holds_nothing() {
    let stage = Stage::passthrough(1, &FLAGS).await;
    let gateway = &stage.gateway;
    let mut never = Client::publishing(gateway, "never").await;
    never.try_send(&without_key_frames(false)).await;
    never.closed().await;
    let mut once = Client::publishing(gateway, "once").await;
    once.try_send(&without_key_frames(true)).await;
    once.closed().await;
    assert_closed(gateway, "no-key-frame", 2).await;
    gateway
        .logs("set the encoder's key frame interval to about 1 s")
        .await;

    // What could be cut is played: the one picture and what depends on it.
    let source = gateway.ended_playlist("once", "source").await;
    assert_eq!(source.segments.len(), 1, "{}", source.text);
    assert!((20.0..25.0).contains(&source.seconds()), "{}", source.text);
    assert!(
        gateway
            .playlist("never", "source")
            .await
            .is_none_or(|playlist| playlist.segments.is_empty())
    );
}

#[tokio::test]
async fn pictures_before_the_first_key_frame_are_not_kept() {
    const COUNT: u32 = 199;
    const SIZE: usize = 1 << 20;
    let stage = Stage::passthrough(1, &FLAGS).await;
    let (gateway, clip) = (&stage.gateway, Message::of(&Clip::short()));
    let mut client = Client::publishing(gateway, "cam").await;
    let header = clip.iter().find(|message| message.kind == 9);
    client
        .send(std::slice::from_ref(header.expect("a header")))
        .await;
    // Chunks as long as they like.
    client
        .say(&[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF])
        .await;
    let before = gateway.peak_memory();
    for at in 0..COUNT {
        let [_, time @ ..] = (100 * at).to_be_bytes();
        let [_, length @ ..] = (9 + SIZE as u32).to_be_bytes();
        let message = [
            &[6][..],
            &time,
            &length,
            &[9, 1, 0, 0, 0],
            &[0x27, 1, 0, 0, 0],
        ]
        .concat();
        let slice = [&(SIZE as u32).to_be_bytes()[..], &[0x41], &[0x55; SIZE - 1]].concat();
        client.say(&[message, slice].concat()).await;
    }
    client.finish().await;
    if let (Some(before), Some(after)) = (before, gateway.peak_memory()) {
        let added = (after - before) >> 20;
        assert!(
            added < 64,
            "{added} MiB more, of {COUNT} MiB that were sent"
        );
    }
    assert_closed(gateway, "no-key-frame", 0).await;
}

#[tokio::test]
async fn a_segment_larger_than_the_limit_ends_its_stream() {
    let flags = [&FLAGS[..], &["--max-segment-bytes", "64KiB"]].concat();
    let stage = Stage::passthrough(1, &flags).await;
    let gateway = &stage.gateway;
    let mut client = Client::publishing(gateway, "cam").await;
    let clip = Message::of(&Clip::short());
    client.send(&clip[..10]).await;
    let mut large = clip
        .iter()
        .find(|message| message.is_picture())
        .expect("a picture")
        .clone();
    // One more slice of 70 000 bytes, which nobody looks into.
    let slice = [&[0, 1, 0x11, 0x70, 0x41][..], &[0x55; 70_000 - 1]].concat();
    large.payload = [&large.payload[..], &slice].concat().into();
    large.timestamp = clip[10].timestamp;
    client.send(&[large]).await;
    client.closed().await;
    assert_closed(gateway, "segment-too-large", 1).await;
}

#[tokio::test]
async fn connections_that_do_not_publish_are_limited_and_publishers_still_come_in() {
    are_limited("100", "too many have not published yet").await;
}

#[tokio::test]
async fn connections_of_one_address_that_do_not_publish_are_limited_further() {
    are_limited("2", "too many from its address have not published yet").await;
}

/// Of one address so many may wait; those that are too many are turned away in these words.
async fn are_limited(waiting: &str, words: &str) {
    let limits = ["--max-sessions", "2", "--rtmp-waiting-per-address", waiting];
    let stage = Stage::passthrough(1, &[&FLAGS[..], &limits].concat()).await;
    let gateway = &stage.gateway;
    let mut healthy = Healthy::start(gateway).await;
    let all = async {
        let mut idle = Vec::new();
        eventually("one too many", async || {
            for _ in 0..30 {
                idle.push(Client::connect(gateway).await);
            }
            closed(gateway, "limit").await > 0
        })
        .await;
        gateway.logs(words).await;
        drop(idle);
        let clip = Clip::short();
        eventually("there is room again", async || {
            let next = gateway.publish("live/next", &clip);
            next.end().await.status.success()
        })
        .await;
        assert_whole(gateway, "next", &clip).await;
    };
    healthy.during(all).await;
    healthy.finish(gateway).await;
}

#[tokio::test]
async fn a_name_that_is_live_is_refused_in_words_that_help() {
    // Nobody is to take over for a silence that is the machine's.
    let held = ["--publisher-silence", "10m"];
    let stage = Stage::passthrough(1, &[&FLAGS[..], &held].concat()).await;
    let gateway = &stage.gateway;
    gateway.push("pushed", 0).await.assert_whole();
    let mut healthy = Healthy::start(gateway).await;
    let all = async {
        let tries = [
            (
                "pushed",
                "it is pushed over HTTP: publish under another name",
            ),
            ("healthy", "publish under another name"),
            ("healthy/key", "publish under another name"),
        ];
        for (name, words) in tries {
            let mut client = Client::connect(gateway).await;
            let told = client.publish(name).await + &client.closed().await;
            for part in [
                "NetStream.Publish.BadName",
                "a stream of this name is live already",
                words,
            ] {
                assert!(told.contains(part), "{name}: no {part} in {told}");
            }
        }
        assert_closed(gateway, "refused-taken", 3).await;
    };
    healthy.during(all).await;
    healthy.finish(gateway).await;
    gateway.push("pushed", 1).await.assert_whole();
}

#[tokio::test]
async fn a_publisher_much_faster_than_its_segments_come_back_has_to_wait() {
    const ROUNDS: u32 = 6;
    let stage = Stage::passthrough(1, &[&FLAGS[..], &NO_HEDGES].concat()).await;
    let (gateway, clip) = (&stage.gateway, Clip::long());
    for orchestrator in stage.devnet.orchestrators() {
        let hangs = Rule::always(Kind::HangBeforeHeaders).on(Method::Segment);
        orchestrator.set(Change::rule(hangs));
    }
    let mut client = Client::publishing(gateway, "cam").await;
    let (headers, media): (Vec<_>, Vec<_>) = Message::of(&clip)
        .into_iter()
        .partition(|message| message.kind != 18 && message.payload.get(1) == Some(&0));
    let publish = async {
        client.send(&headers).await;
        for round in 0..ROUNDS {
            let mut media = media.clone();
            for message in &mut media {
                message.timestamp += round * 6500;
            }
            client.send(&media).await;
        }
        client.finish().await;
    };
    let under_way = async {
        let mut most = 0;
        loop {
            let all = gateway.streams().await;
            let counts = all
                .first()
                .map(|it| it.segments - (it.transcoded + it.failed).min(it.segments));
            most = most.max(counts.unwrap_or_default());
            let ended = gateway
                .playlist("cam", "source")
                .await
                .is_some_and(|playlist| playlist.ended);
            if ended {
                return most;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ((), most) = tokio::join!(publish, under_way);
    // Eight, the one that was cut when there was room for one more, and the tail.
    assert!(
        (1..=12).contains(&most),
        "{most} segments were under way at once"
    );
    let source = gateway.ended_playlist("cam", "source").await;
    assert_eq!(gateway.frames("cam", &source).await, ROUNDS * clip.frames);
}
