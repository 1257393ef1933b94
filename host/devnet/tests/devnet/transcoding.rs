//! Real transcoding, judged by ffprobe.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use pointsman_devnet::{Devnet, Profile};
use pointsman_wire::net::video_profile::{Format, Profile as EncoderProfile};
use pointsman_wire::net::{SegData, SegParameters, TranscodeResult};
use serde_json::Value;

use crate::support::golden::{bytes, exchange, order};
use crate::support::{Client, error, renditions, start};

async fn devnet() -> (Devnet, Client) {
    let devnet = start(Profile::orchestrators(NonZeroUsize::MIN)).await;
    let client = Client::h2(&devnet.uris()[0]).await.expect("connects");
    (devnet, client)
}

/// Sends a recorded segment under a token of ours.
async fn send(
    client: &Client,
    capture: &str,
    change: impl FnOnce(&mut SegData),
) -> TranscodeResult {
    let mut data = order(&exchange(capture));
    data.auth_token = Some(client.token().await);
    change(&mut data);
    let body = Bytes::from(bytes(&format!("{capture}.request.bin")));
    let reply = client.segment(&data, body).await.expect("an answer");
    reply.result()
}

async fn download(client: &Client, result: TranscodeResult) -> Vec<(Bytes, i64)> {
    let mut found = Vec::new();
    for (path, pixels) in renditions(result) {
        let reply = client.get(&path).await.expect("a rendition");
        assert_eq!(reply.status, 200);
        found.push((reply.body, pixels));
    }
    found
}

/// Streams and, for video, packets.
fn probe(media: &[u8]) -> Value {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), media).expect("writes");
    let show = "stream=codec_type,codec_name,profile,width,height,avg_frame_rate,nb_read_packets,has_b_frames:packet=stream_index,pts_time,flags:format=format_name";
    ffprobe(file.path(), show)
}

fn ffprobe(file: &Path, show: &str) -> Value {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-of",
            "json",
            "-count_packets",
            "-show_entries",
            show,
        ])
        .arg(file)
        .output()
        .expect("ffprobe runs");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn stream<'p>(probe: &'p Value, kind: &str) -> &'p Value {
    let streams = probe["streams"].as_array().expect("streams");
    let found = streams.iter().find(|stream| stream["codec_type"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {probe}"))
}

/// Times of a stream's packets in presentation order, and those of its key frames.
fn times(probe: &Value, kind: &str) -> (Vec<f64>, Vec<f64>) {
    let streams = probe["streams"].as_array().expect("streams");
    let index = streams
        .iter()
        .position(|stream| stream["codec_type"] == kind);
    let packets = probe["packets"].as_array().expect("packets");
    let mut all: Vec<(f64, bool)> = packets
        .iter()
        .filter(|packet| packet["stream_index"].as_u64() == index.map(|index| index as u64))
        .map(|packet| {
            let time = packet["pts_time"].as_str().expect("a time");
            let key = packet["flags"].as_str().expect("flags").starts_with('K');
            (time.parse().expect("a number"), key)
        })
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let keys = all.iter().filter(|(_, key)| *key).map(|(time, _)| *time);
    (all.iter().map(|(time, _)| *time).collect(), keys.collect())
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance
}

#[tokio::test]
async fn a_recorded_segment_becomes_two_renditions_that_line_up() {
    let (devnet, client) = devnet().await;
    let result = send(&client, "rtmp/03-segment-0", |_| {}).await;
    assert_eq!(result.seq, 0);
    let source = probe(&bytes("rtmp/03-segment-0.request.bin"));
    let (source_video, _) = times(&source, "video");
    let (source_audio, _) = times(&source, "audio");
    let sizes = [(256, 144), (426, 240)];
    let found = download(&client, result).await;
    assert_eq!(found.len(), 2);
    let mut starts = Vec::new();
    for ((media, pixels), (width, height)) in found.iter().zip(sizes) {
        let probe = probe(media);
        assert_eq!(probe["format"]["format_name"], "mpegts");
        let video = stream(&probe, "video");
        assert_eq!(video["codec_name"], "h264");
        assert_eq!(
            (&video["width"], &video["height"]),
            (&width.into(), &height.into())
        );
        let (times_, keys) = times(&probe, "video");
        assert_eq!(*pixels, times_.len() as i64 * width * height);
        // 60 frames at 30 a second, give or take the one at the edge.
        assert!((59..=61).contains(&times_.len()), "{}", times_.len());
        assert!(
            close(times_[0], source_video[0], 0.02),
            "{} {}",
            times_[0],
            source_video[0]
        );
        assert_eq!(keys.first(), times_.first(), "starts with a key frame");
        assert_eq!(times(&probe, "audio").0, source_audio, "audio is copied");
        starts.push(times_[0]);
    }
    assert_eq!(starts[0], starts[1]);
    let counters = devnet.orchestrators()[0].counters();
    assert_eq!((counters.results_ok, counters.downloads), (1, 2));
    let sent: usize = found.iter().map(|(media, _)| media.len()).sum();
    assert_eq!(counters.bytes_out, sent as u64);
    devnet.stop().await;
}

#[tokio::test]
async fn mp4_goes_in_and_comes_out() {
    let (_devnet, client) = devnet().await;
    let result = send(&client, "push-mp4/01-segment-0", |_| {}).await;
    let paths = renditions(result.clone());
    assert!(
        paths.iter().all(|(path, _)| path.ends_with("/0.mp4")),
        "{paths:?}"
    );
    let recorded = exchange("push-mp4/02-rendition-144p");
    let reply = client.get(&paths[0].0).await.expect("a rendition");
    let media_type = recorded["response_headers"]["Content-Type"].as_str();
    assert_eq!(reply.header("content-type"), media_type);
    for ((media, pixels), area) in download(&client, result)
        .await
        .iter()
        .zip([256 * 144, 426 * 240])
    {
        let probe = probe(media);
        let format = probe["format"]["format_name"].as_str().expect("a name");
        assert!(format.contains("mp4"), "{format}");
        let (frames, _) = times(&probe, "video");
        assert_eq!(*pixels, frames.len() as i64 * area);
        stream(&probe, "audio");
    }
}

#[tokio::test]
async fn rates_key_frames_and_profiles_are_honoured() {
    let (_devnet, client) = devnet().await;
    let result = send(&client, "rtmp/03-segment-0", |data| {
        let mut profiles = std::mem::take(&mut data.full_profiles);
        let (first, rest) = profiles.split_first_mut().expect("two");
        (first.fps, first.fps_den, first.gop) = (15000, 1001, 500);
        first.set_profile(EncoderProfile::H264Baseline);
        (rest[0].fps, rest[0].gop) = (0, -1);
        rest[0].set_profile(EncoderProfile::H264Main);
        rest[0].set_format(Format::Mp4);
        data.full_profiles3 = profiles;
    })
    .await;
    let found = download(&client, result).await;

    let slow = probe(&found[0].0);
    let video = stream(&slow, "video");
    assert_eq!(video["profile"], "Constrained Baseline");
    assert_eq!(video["has_b_frames"], 0);
    let (frames, keys) = times(&slow, "video");
    assert!((29..=31).contains(&frames.len()), "{}", frames.len());
    assert!(close(frames[1] - frames[0], 1001.0 / 15000.0, 0.001));
    assert_eq!(keys.len(), 4, "one each half second: {keys:?}");
    for pair in keys.windows(2) {
        assert!(close(pair[1] - pair[0], 0.5, 0.067), "{keys:?}");
    }

    let intra = probe(&found[1].0);
    assert_eq!(stream(&intra, "video")["profile"], "Main");
    let (frames, keys) = times(&intra, "video");
    assert_eq!(frames.len(), 60, "0 keeps the source's frames");
    assert_eq!(keys, frames, "intra only");
}

#[tokio::test]
async fn a_slice_is_cut_out() {
    let (_devnet, client) = devnet().await;
    let recorded = order(&exchange("push-sliced/01-segment"));
    let result = send(&client, "rtmp/03-segment-0", |data| {
        data.segment_parameters = recorded.segment_parameters;
    })
    .await;
    assert_eq!(
        recorded.segment_parameters,
        Some(SegParameters {
            from: 500,
            to: 1500
        })
    );
    let source = probe(&bytes("rtmp/03-segment-0.request.bin"));
    let start = times(&source, "video").0[0] + 0.5;
    let found = download(&client, result).await;
    let (frames, keys) = times(&probe(&found[0].0), "video");
    assert!((29..=31).contains(&frames.len()), "{}", frames.len());
    assert!(close(frames[0], start, 0.04), "{} {start}", frames[0]);
    assert_eq!(keys.first(), frames.first());
}

#[tokio::test]
async fn bad_input_gets_the_recorded_error() {
    let (_devnet, client) = devnet().await;
    let result = send(&client, "push-garbage/01-segment", |_| {}).await;
    assert_eq!(error(result), recorded("push-garbage/01-segment"));

    let mut empty = order(&exchange("push-empty/01-segment"));
    empty.auth_token = Some(client.token().await);
    let reply = client
        .segment(&empty, Bytes::new())
        .await
        .expect("an answer");
    assert_eq!(error(reply.result()), recorded("push-empty/01-segment"));

    let result = send(&client, "rtmp/03-segment-0", |data| {
        data.full_profiles[0].encoder = 1;
    })
    .await;
    assert_eq!(error(result), "Encoder not found");
    let result = send(&client, "rtmp/03-segment-0", |data| {
        let profile = data.full_profiles[0].clone();
        data.full_profiles = vec![profile; 11];
    })
    .await;
    assert_eq!(error(result), "Too many outputs");
    // A transcoder that failed is as good as before.
    let result = send(&client, "rtmp/03-segment-0", |_| {}).await;
    assert_eq!(renditions(result).len(), 2);
}

fn recorded(capture: &str) -> String {
    let exchange = exchange(capture);
    let error = &exchange["decoded"]["response"]["error"];
    error.as_str().expect("an error").to_owned()
}

#[tokio::test]
async fn segments_in_flight_at_once_are_each_answered() {
    let (_devnet, client) = devnet().await;
    let token = client.token().await;
    let body = Bytes::from(bytes("rtmp/03-segment-0.request.bin"));
    let pushes = (0..4).map(|seq| {
        let mut data = order(&exchange("rtmp/03-segment-0"));
        (data.auth_token, data.seq) = (Some(token.clone()), seq);
        let (client, body) = (client.clone(), body.clone());
        tokio::spawn(async move {
            client
                .segment(&data, body)
                .await
                .expect("an answer")
                .result()
        })
    });
    for (seq, push) in pushes.collect::<Vec<_>>().into_iter().enumerate() {
        let result = push.await.expect("no panic");
        assert_eq!(result.seq, seq as i64);
        let found = renditions(result);
        assert!(
            found
                .iter()
                .all(|(path, _)| path.ends_with(&format!("/{seq}.ts")))
        );
    }
}
