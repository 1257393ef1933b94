//! What a pushed segment gives back: real transcoding, judged by ffprobe.

use std::time::Duration;

use crate::harness::media::{self, video};
use crate::harness::{NO_HEDGES, Stage, eventually};

#[tokio::test]
async fn renditions_come_back_in_order_and_in_the_sizes_asked_for() {
    let stage = Stage::transcoding(&[]).await;
    let pushed = stage.gateway.push("movie", 0).await;
    assert_eq!(pushed.status, 200, "{}", pushed.text());
    assert_eq!(pushed.renditions(), ["P240p30fps16x9", "P360p30fps16x9"]);
    for (part, size) in pushed.parts.iter().zip([(426, 240), (640, 360)]) {
        let name = part.header("rendition-name");
        assert_eq!(
            part.header("content-type"),
            format!("video/mp2t; name=\"{name}_0.ts\"")
        );
        assert_eq!(
            part.header("content-disposition"),
            format!("attachment; filename=\"{name}_0.ts\"")
        );
        let tracks = media::probe(&part.media);
        assert!(
            tracks.iter().any(|track| track.codec_name == "aac"),
            "sound is kept: {tracks:?}"
        );
        let video = video(&part.media);
        assert_eq!((video.size(), video.frames()), (size, 60), "{name}");
    }
    let (status, playlist) = stage.gateway.play("movie.m3u8").await;
    assert_eq!(status, 200);
    for rendition in ["source", "P240p30fps16x9", "P360p30fps16x9"] {
        assert!(
            playlist.contains(&format!("movie/{rendition}.m3u8")),
            "{playlist}"
        );
    }
}

#[tokio::test]
async fn profiles_of_the_header_are_met_to_the_letter() {
    let stage = Stage::transcoding(&[]).await;
    let config = r#"{"manifestID": "profs", "profiles": [
        {"name": "a", "width": 160, "height": 90, "bitrate": 100000, "fps": 15, "fpsDen": 1, "profile": "h264main", "gop": "1.0"},
        {"name": "b", "width": 256, "height": 144, "bitrate": 200000, "fps": 0, "gop": "intra"}]}"#;
    let config = config.replace('\n', "");
    let pushed = stage
        .gateway
        .pushing("/live/profs/0.ts")
        .configured(&config)
        .send()
        .await;
    assert_eq!(pushed.status, 200, "{}", pushed.text());
    assert_eq!(pushed.renditions(), ["a", "b"]);
    let [a, b] = [0, 1].map(|part: usize| video(&pushed.parts[part].media));
    assert_eq!(
        (a.size(), a.profile.as_deref(), a.avg_frame_rate.as_str()),
        ((160, 90), Some("Main"), "15/1")
    );
    assert_eq!(
        (b.size(), b.avg_frame_rate.as_str()),
        ((256, 144), "30/1"),
        "0 keeps the source's"
    );

    let again = stage
        .gateway
        .pushing("/live/profs/1.ts")
        .configured(r#"{"presets": ["P144p30fps16x9"]}"#)
        .send()
        .await;
    assert_eq!(again.renditions(), ["a", "b"], "the first segment decided");
}

#[tokio::test]
async fn mp4_goes_in_and_comes_out() {
    let stage = Stage::transcoding(&[]).await;
    let pushed = stage
        .gateway
        .pushing("/live/film/7.mp4")
        .body(media::mp4())
        .send()
        .await;
    assert_eq!(pushed.status, 200, "{}", pushed.text());
    assert_eq!(pushed.parts.len(), 2);
    for (part, size) in pushed.parts.iter().zip([(426, 240), (640, 360)]) {
        let name = part.header("rendition-name");
        assert_eq!(
            part.header("content-type"),
            format!("video/mp4; name=\"{name}_7.mp4\"")
        );
        assert_eq!(&part.media[4..8], b"ftyp");
        assert_eq!(video(&part.media).size(), size);
    }
}

#[tokio::test]
async fn a_slice_is_cut_out() {
    let stage = Stage::transcoding(&[]).await;
    let push = stage
        .gateway
        .pushing("/live/slice/0.ts")
        .header("Content-Slice-From", "500");
    let pushed = push.header("Content-Slice-To", "1500").send().await;
    assert_eq!(pushed.status, 200, "{}", pushed.text());
    let frames = video(&pushed.parts[0].media).frames();
    assert!(
        (25..=35).contains(&frames),
        "{frames} frames of 60 for half of the segment"
    );
}

#[tokio::test]
async fn hevc_is_sent_to_nobody_who_cannot_decode_it() {
    let Some(hevc) = media::hevc() else {
        eprintln!("skipped: this ffmpeg has no HEVC encoder");
        return;
    };
    let stage = Stage::passthrough(1, &[]).await;
    let refused = stage
        .gateway
        .pushing("/live/hevc/0.ts")
        .body(hevc)
        .send()
        .await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("capability"), "{}", refused.text());
    assert_eq!(stage.segments(), 0);
    stage.gateway.push("h264", 0).await.assert_whole();
}

#[tokio::test]
async fn a_segment_without_pictures_is_its_own_rendition_and_is_sent_to_nobody() {
    let stage = Stage::passthrough(1, &[]).await;
    let pushed = stage
        .gateway
        .pushing("/live/dark/0.ts")
        .body(media::without_pictures())
        .send()
        .await;
    assert_eq!(pushed.status, 200, "{}", pushed.text());
    assert_eq!(pushed.parts.len(), 2);
    for part in &pushed.parts {
        assert!(
            part.media == media::without_pictures(),
            "the source as it was"
        );
    }
    assert_eq!(stage.segments(), 0);
    stage.gateway.push("dark", 1).await.assert_whole();
    assert_eq!(stage.segments(), 1, "pictures are sent again");
}

#[tokio::test]
async fn a_stream_starts_without_discovery() {
    let stage = Stage::passthrough(3, &NO_HEDGES).await;
    let probed = stage.discoveries();
    stage.gateway.push("first", 0).await.assert_in_time();
    stage.gateway.push("first", 1).await.assert_in_time();
    assert_eq!(
        stage.discoveries(),
        probed,
        "what the last probe brought along opens a session"
    );
    for stream in 0..4 {
        let before = stage.discoveries();
        let name = format!("stream-{stream}");
        stage.gateway.push(&name, 0).await.assert_in_time();
        stage.gateway.push(&name, 1).await.assert_in_time();
        let asked = stage.discoveries() - before;
        assert!(
            asked <= 1,
            "{asked} calls: the chosen one alone is asked, and once a stream"
        );
    }
    assert_eq!(stage.segments(), 10);
}

#[tokio::test]
async fn segments_at_once_and_out_of_order_all_come_back() {
    let stage = Stage::passthrough(1, &[]).await;
    let pushes = [4, 2, 0, 3, 1].map(|sequence| stage.gateway.push("many", sequence));
    for pushed in futures::future::join_all(pushes).await {
        pushed.assert_whole();
    }
    let again = stage.gateway.push("many", 2).await;
    again.assert_whole();
    let stream = stage.gateway.stream().await;
    assert_eq!(
        (stream.segments, stream.transcoded, stream.failed),
        (6, 6, 0),
        "a repeated one is done again"
    );
}

#[tokio::test]
async fn a_pusher_that_hangs_up_holds_nothing_and_its_stream_goes_on() {
    let stage = Stage::passthrough(1, &[]).await;
    stage.gateway.push("gone", 0).await.assert_whole();
    stage.devnet.orchestrators()[0].set(pointsman_devnet::Change {
        latency: Some(Duration::from_secs(3)),
        ..Default::default()
    });
    let arrived = eventually("it is under way", async || stage.segments() == 2);
    tokio::select! {
        biased;
        () = arrived => {}
        answered = stage.gateway.push("gone", 1) => panic!("nobody answers so fast: {answered:?}"),
    }
    stage.gateway.push("gone", 2).await.assert_whole();
    eventually("all three are settled", async || {
        stage.gateway.stream().await.listed == 3
    })
    .await;
}
