//! RTMP in, HLS out.

use std::ffi::OsStr;
use std::time::Duration;

use pointsman_devnet::Change;
use pointsman_devnet::failure::{Kind, Method, Rule, When};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::harness::publisher::Clip;
use crate::harness::webhook::{Answer, Webhook};
use crate::harness::{NO_HEDGES, Stage, eventually, media};

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

/// Segments of two seconds, and more time to come back than anybody needs.
const PATIENT: [&str; 7] = [
    "--segment-duration",
    "2s",
    "--playlist-window",
    "100",
    "--playlist-keep",
    "101",
    "--reconnect-grace=10m",
];

/// While it is held, a publisher is silent; nobody may take its stream over for that.
const HELD: [&str; 2] = ["--publisher-silence", "10m"];

const RENDITIONS: [(&str, (u32, u32)); 2] = [
    ("P240p30fps16x9", (426, 240)),
    ("P360p30fps16x9", (640, 360)),
];

#[tokio::test]
async fn a_stream_plays_in_every_rendition_and_none_of_it_is_lost() {
    // Six seconds, so that a slow machine too has time to transcode: three times as much.
    let flags = [&["--segment-duration", "6s"], &FLAGS[2..]].concat();
    let stage = Stage::transcoding(&flags).await;
    let (gateway, clip) = (&stage.gateway, Clip::long());
    gateway.publish("live/cam", &clip).finish().await;

    let source = gateway.ended_playlist("cam", "source").await;
    assert_eq!(gateway.frames("cam", &source).await, clip.frames);
    assert_eq!(source.segments.len(), 2, "six seconds and the tail");
    assert!((source.seconds() - 6.5).abs() < 0.1, "{}", source.text);
    assert!(!source.text.contains("GAP"), "{}", source.text);

    let (status, master) = gateway.play("cam.m3u8").await;
    assert_eq!(status, 200);
    let variants = master
        .lines()
        .filter(|line| line.starts_with("#EXT-X-STREAM-INF"));
    let variants: Vec<_> = variants.collect();
    assert_eq!(variants.len(), 3, "{master}");
    for variant in &variants {
        for attribute in [
            "BANDWIDTH=",
            "CODECS=\"avc1.",
            "mp4a.40.2",
            "RESOLUTION=",
            "FRAME-RATE=30",
        ] {
            assert!(variant.contains(attribute), "{attribute} in {variant}");
        }
    }
    assert!(variants[0].contains("RESOLUTION=320x180"), "{master}");

    for (rendition, size) in RENDITIONS {
        let playlist = gateway.ended_playlist("cam", rendition).await;
        assert_eq!(playlist.segments.len(), 2, "{}", playlist.text);
        let url = format!("{}/stream/cam/{rendition}.m3u8", gateway.http);
        let tracks = media::probe_at(OsStr::new(&url));
        let [video, sound] = ["video", "audio"].map(|kind| {
            let track = tracks.iter().find(|track| track.codec_type == kind);
            track.unwrap_or_else(|| panic!("no {kind} in {tracks:?}"))
        });
        assert_eq!((video.codec_name.as_str(), video.size()), ("h264", size));
        assert_eq!(sound.codec_name, "aac");
        assert_eq!(video.frames(), clip.frames, "{rendition}");
    }
}

#[tokio::test]
async fn a_stream_without_sound_plays() {
    let flags = [&["--segment-duration", "2s"], &FLAGS[2..]].concat();
    let stage = Stage::passthrough(1, &flags).await;
    let (gateway, clip) = (&stage.gateway, Clip::without_sound());
    gateway.publish("mute", &clip).finish().await;
    for rendition in ["source", "P240p30fps16x9"] {
        let playlist = gateway.ended_playlist("mute", rendition).await;
        assert_eq!(gateway.frames("mute", &playlist).await, clip.frames);
    }
    let (_, master) = gateway.play("mute.m3u8").await;
    assert!(!master.contains("mp4a"), "{master}");
}

/// The last segment is as short as it happens to be; whoever transcodes it is no faster for that.
#[tokio::test]
async fn a_short_tail_has_the_time_of_a_whole_segment() {
    let flags = [&["--segment-duration", "6s"], &FLAGS[2..], &NO_HEDGES].concat();
    let stage = Stage::passthrough(1, &flags).await;
    stage.devnet.orchestrators()[0].set(Change {
        latency: Some(Duration::from_secs(3)),
        ..Change::default()
    });
    let (gateway, clip) = (&stage.gateway, Clip::long());
    gateway.publish("cam", &clip).finish().await;
    let playlist = gateway.ended_playlist("cam", "P240p30fps16x9").await;
    assert_eq!(playlist.segments.len(), 2, "{}", playlist.text);
    assert_eq!(gateway.frames("cam", &playlist).await, clip.frames);
}

#[tokio::test]
async fn librtmp_publishes_too() {
    let listed = Command::new("curl").arg("--version").output().await;
    let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    if !listed.is_ok_and(|listed| listed.contains("librtmp")) {
        eprintln!("SKIPPED: there is no curl with librtmp here");
        return;
    }
    let stage = Stage::passthrough(1, &FLAGS).await;
    let (gateway, clip) = (&stage.gateway, Clip::short());
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--max-time", "60", "-T"]).arg(&clip.file);
    let curl = curl.arg(gateway.rtmp_url("live/curl/key")).output().await;
    let curl = curl.expect("curl");
    assert!(
        curl.status.success(),
        "{}",
        String::from_utf8_lossy(&curl.stderr)
    );
    let source = gateway.ended_playlist("curl", "source").await;
    assert_eq!(gateway.frames("curl", &source).await, clip.frames);
}

#[tokio::test]
async fn a_second_publisher_is_refused_and_the_first_plays_on() {
    let stage = Stage::passthrough(1, &[&FLAGS[..], &HELD].concat()).await;
    let (gateway, clip) = (&stage.gateway, Clip::long());
    let first = gateway.publish_half("live/cam", &clip).await;
    eventually("the first is on", async || {
        gateway.playlist("cam", "source").await.is_some()
    })
    .await;
    gateway.refused("live/cam").await;
    gateway.refused("live/cam/key").await;
    gateway.logs("a stream of this name is live already").await;
    let joined = gateway.push("cam", 0).await;
    assert_ne!(joined.status, 200, "a push does not get into it either");
    first.finish().await;
    let source = gateway.ended_playlist("cam", "source").await;
    assert_eq!(gateway.frames("cam", &source).await, clip.frames);
    assert!(
        source.places(|segment| segment.discontinuity).is_empty(),
        "{}",
        source.text
    );
}

#[tokio::test]
async fn an_ended_stream_frees_its_name_and_its_place() {
    let flags = [&FLAGS[..], &["--max-sessions", "1"]].concat();
    let stage = Stage::passthrough(1, &flags).await;
    let (gateway, clip) = (&stage.gateway, Clip::short());
    gateway.publish("cam", &clip).finish().await;
    gateway.ended_playlist("cam", "source").await;
    gateway.publish("cam", &clip).finish().await;
    let again = gateway.ended_playlist("cam", "source").await;
    assert_eq!(again.sequence, 0);
    assert_eq!(
        gateway.frames("cam", &again).await,
        clip.frames,
        "a new stream"
    );
}

#[tokio::test]
async fn a_publisher_that_comes_back_continues_its_stream() {
    let stage = Stage::passthrough(1, &PATIENT).await;
    let (gateway, clip) = (&stage.gateway, Clip::short());
    gateway.publish("live/cam/key", &clip).finish().await;
    gateway.publishers_gone().await;
    gateway.refused("live/cam/other").await;
    gateway.refused("live/cam").await;
    let between = gateway.playlist("cam", "source").await.expect("it waits");
    assert!(!between.ended, "{}", between.text);
    gateway.publish("live/cam/key", &clip).finish().await;
    for rendition in ["source", "P240p30fps16x9"] {
        let playlist = gateway
            .playlist_that("all is listed", "cam", rendition, |playlist| {
                playlist.segments.len() == 4
            })
            .await;
        assert_eq!(playlist.sequence, 0);
        assert_eq!(
            playlist.places(|segment| segment.discontinuity),
            [2],
            "{}",
            playlist.text
        );
        assert_eq!(gateway.frames("cam", &playlist).await, 2 * clip.frames);
    }
}

#[tokio::test]
async fn a_publisher_that_hangs_is_taken_over_and_wakes_up_without_a_connection() {
    // Nor does it matter that the gateway is full.
    let limits = ["--publisher-silence", "1s", "--max-sessions", "1"];
    let flags = [&FLAGS[..], &limits].concat();
    let stage = Stage::passthrough(1, &flags).await;
    let (gateway, clip) = (&stage.gateway, Clip::longest());
    let hung = gateway.publish("live/cam/key", &clip);
    eventually("it is on", async || {
        gateway.playlist("cam", "source").await.is_some()
    })
    .await;
    hung.hang().await;
    eventually("a silent one gives way", async || {
        let next = gateway.publish("live/cam/key", &Clip::short());
        next.end().await.status.success()
    })
    .await;
    hung.wake().await;
    assert!(!hung.end().await.status.success());
    let source = gateway.ended_playlist("cam", "source").await;
    let breaks = source.places(|segment| segment.discontinuity);
    assert_eq!(breaks.len(), 1, "{}", source.text);
    let after = source.segments.len() - breaks[0];
    assert_eq!(after, 3, "the new one's: {}", source.text);
    gateway
        .logs("another connection took the stream over")
        .await;
}

#[tokio::test]
async fn the_webhook_names_the_stream_and_its_key_and_is_asked_at_every_connection() {
    let rule = |question: &str| match question.contains("/live/in/") {
        true => {
            let terms = r#"{"manifestID":"out","streamKey":"s3cret","presets":["P144p30fps16x9"]}"#;
            Answer::Say(200, terms.to_owned())
        }
        false => Answer::Say(403, String::new()),
    };
    let webhook = Webhook::start(rule).await;
    let flags = [&PATIENT[..], &["--auth-webhook-url", &webhook.url]].concat();
    let stage = Stage::passthrough(1, &flags).await;
    let (gateway, clip) = (&stage.gateway, Clip::short());

    gateway.refused("live/other/s3cret").await;
    gateway.refused("live/in/guess").await;
    gateway.refused("live/in").await;
    assert_eq!(gateway.streams().await.len(), 0);
    for _ in 0..2 {
        gateway.publish("live/in/s3cret?v=1", &clip).finish().await;
        gateway.publishers_gone().await;
    }

    let playlist = gateway
        .playlist_that("all is listed", "out", "P144p30fps16x9", |playlist| {
            playlist.segments.len() == 4
        })
        .await;
    assert_eq!(gateway.frames("out", &playlist).await, 2 * clip.frames);
    assert_eq!(
        gateway
            .playlist("out", "P240p30fps16x9")
            .await
            .map(|it| it.text),
        None
    );
    let asked = webhook.asked();
    assert_eq!(asked.len(), 5, "{asked:?}");
    let question = format!(r#"{{"url":"{}"}}"#, gateway.rtmp_url("live/in/s3cret?v=1"));
    assert_eq!(asked[3..], [question.clone(), question]);
    assert!(!gateway.log().contains("s3cret"), "a key is in the log");
}

#[tokio::test]
async fn names_are_made_up_or_refused() {
    let stage = Stage::passthrough(1, &PATIENT).await;
    let gateway = &stage.gateway;
    gateway.refused("live/..%2fetc").await;
    gateway.refused("live/a..b/key").await;
    gateway.refused("live/.hidden/key").await;
    assert_eq!(gateway.streams().await.len(), 0);
    gateway.publish("live", &Clip::short()).finish().await;
    let name = gateway.stream().await.name;
    assert!(
        name.len() == 8 && name.chars().all(|c| c.is_ascii_hexdigit()),
        "{name}"
    );
}

#[tokio::test]
async fn playing_over_rtmp_is_not_served() {
    let stage = Stage::passthrough(1, &FLAGS).await;
    let gateway = &stage.gateway;
    let publisher = gateway.publish("live/cam", &Clip::long());
    eventually("it is on", async || {
        gateway.playlist("cam", "source").await.is_some()
    })
    .await;
    let mut player = Command::new("ffmpeg");
    player.args(["-nostdin", "-loglevel", "error", "-i"]);
    player.arg(gateway.rtmp_url("live/cam"));
    player
        .args(["-c", "copy", "-f", "null", "-"])
        .kill_on_drop(true);
    let player = tokio::time::timeout(Duration::from_secs(60), player.output());
    let player = player
        .await
        .expect("it is told so at once")
        .expect("ffmpeg");
    assert!(!player.status.success());
    publisher.finish().await;
    let source = gateway.ended_playlist("cam", "source").await;
    assert_eq!(gateway.frames("cam", &source).await, Clip::long().frames);
}

#[tokio::test]
async fn bytes_that_are_no_rtmp_close_their_connection_and_no_other() {
    let stage = Stage::passthrough(1, &FLAGS).await;
    let (gateway, clip) = (&stage.gateway, Clip::long());
    let publisher = gateway.publish("live/cam", &clip);
    // Not RTMP at all; a handshake with nonsense behind it; a message larger than any is; a chunk of a type that refers to nothing.
    let nonsense = [0xff; 64].to_vec();
    let huge = [&[0x03, 0, 0, 0][..], &[0xff, 0xff, 0xff, 0x14, 0, 0, 0, 0]].concat();
    let dangling = vec![0xc5, 1, 2, 3];
    assert!(closed(&gateway.rtmp, b"GET / HTTP/1.1\r\n\r\n").await);
    for bytes in [nonsense, huge, dangling] {
        assert!(
            closed(&gateway.rtmp, &[&hello()[..], &bytes].concat()).await,
            "{bytes:?}"
        );
    }
    publisher.finish().await;
    let source = gateway.ended_playlist("cam", "source").await;
    assert_eq!(gateway.frames("cam", &source).await, clip.frames);
}

/// A client's half of the handshake.
fn hello() -> Vec<u8> {
    [&[3][..], &[0; 1536], &[0; 1536]].concat()
}

/// Whether the gateway closes a connection on which it is sent `bytes`.
async fn closed(address: &str, bytes: &[u8]) -> bool {
    let mut socket = TcpStream::connect(address).await.expect("it listens");
    // It may close before all is sent.
    let _ = socket.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), socket.read_to_end(&mut answer));
    read.await.is_ok()
}

#[tokio::test]
async fn one_stream_more_than_the_limit_is_refused() {
    let flags = [&FLAGS[..], &HELD, &["--max-sessions", "1"]].concat();
    let stage = Stage::passthrough(1, &flags).await;
    let gateway = &stage.gateway;
    let first = gateway.publish_half("live/one", &Clip::long()).await;
    eventually("the first is on", async || {
        !gateway.streams().await.is_empty()
    })
    .await;
    gateway.refused("live/two").await;
    gateway.logs("--max-sessions").await;
    assert_eq!(gateway.stream().await.name, "one");
    first.finish().await;
}

#[tokio::test]
async fn while_every_orchestrator_fails_there_are_gaps_and_then_it_goes_on() {
    // Two seconds, so that a slow machine too is in time when they are well again.
    let flags = [&["--segment-duration", "2s"], &FLAGS[2..], &NO_HEDGES].concat();
    let stage = Stage::passthrough(2, &flags).await;
    let (gateway, clip) = (&stage.gateway, Clip::longest());
    let publisher = gateway.publish("live/cam", &clip);
    let good = |least| {
        move |playlist: &crate::harness::play::Playlist| {
            playlist.places(|segment| !segment.gap).len() >= least
        }
    };
    gateway
        .playlist_that("it is on", "cam", "P240p30fps16x9", good(1))
        .await;
    let fails = Rule {
        kind: Kind::Status {
            status: 500,
            text: "out of order".to_owned(),
            retry_after: None,
        },
        on: vec![Method::Segment],
        when: When::Always,
    };
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change::rule(fails.clone()));
    }
    gateway
        .playlist_that("a gap", "cam", "P240p30fps16x9", |playlist| {
            !playlist.places(|segment| segment.gap).is_empty()
        })
        .await;
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change::heal());
    }
    publisher.finish().await;

    let source = gateway.ended_playlist("cam", "source").await;
    assert_eq!(gateway.frames("cam", &source).await, clip.frames);
    assert!(
        source.places(|segment| segment.gap).is_empty(),
        "{}",
        source.text
    );
    for (rendition, _) in RENDITIONS {
        let playlist = gateway.ended_playlist("cam", rendition).await;
        assert!(
            playlist.text.contains("#EXT-X-VERSION:8"),
            "{}",
            playlist.text
        );
        let gaps = playlist.places(|segment| segment.gap);
        let last = *gaps.last().expect("a gap");
        assert!(
            last + 1 < playlist.segments.len(),
            "it goes on: {}",
            playlist.text
        );
        let marked = playlist.places(|segment| segment.discontinuity);
        assert!(
            marked
                .iter()
                .any(|place| (gaps[0] + 1..=last + 1).contains(place)),
            "a discontinuity behind the gap: {}",
            playlist.text
        );
        assert_eq!(playlist.segments.len(), source.segments.len());
    }
}
