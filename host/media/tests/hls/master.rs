//! The master playlist: when it appears, what it says, and that it stays.

use std::time::Duration;

use bytes::Bytes;
use m3u8_rs::{MasterPlaylist, MediaPlaylist, VariantStream};
use pointsman_media::hls::{Codec, Config, Facts, FrameRate, Number, RenditionSegment, Size};

use crate::stage::{Stage, config, segment, source_bytes, spec};

fn facts(width: u32, height: u32, video: &str, audio: Option<&str>) -> Facts {
    Facts {
        size: Some(Size { width, height }),
        frame_rate: FrameRate::new(30_000, 1001),
        video: Codec::Named(video.to_owned()),
        audio: audio.map_or(Codec::Absent, |audio| Codec::Named(audio.to_owned())),
    }
}

/// Announces 2 s of `bytes` bytes, 1280x720 with audio.
fn announce(stage: &mut Stage, sequence: u64, bytes: usize) -> Number {
    let mut segment = segment(Bytes::from(vec![sequence as u8; bytes]), 2000);
    segment.facts = facts(1280, 720, "avc1.64001f", Some("mp4a.40.2"));
    stage.announce(sequence, segment).expect("in turn")
}

fn back(stage: &mut Stage, number: Number, bytes: usize) {
    let rendition = |facts| {
        let bytes = Bytes::from(vec![7; bytes]);
        Some(RenditionSegment { bytes, facts })
    };
    let back = vec![
        rendition(facts(426, 238, "avc1.640015", Some("mp4a.40.2"))),
        rendition(facts(640, 360, "avc1.64001e", Some("mp4a.40.2"))),
    ];
    let now = stage.instant();
    stage.playout.done(number, back, now).expect("in time");
}

fn master(stage: &Stage) -> Option<MasterPlaylist> {
    let text = stage.playout.master()?;
    Some(m3u8_rs::parse_master_playlist_res(&text).expect("a master playlist"))
}

fn bandwidths(stage: &Stage) -> Vec<(u64, Option<u64>)> {
    let bandwidth = |variant: &VariantStream| (variant.bandwidth, variant.average_bandwidth);
    let master = master(stage).expect("a master");
    master.variants.iter().map(bandwidth).collect()
}

#[test]
fn it_appears_with_the_first_whole_segment_and_says_what_was_measured() {
    let mut stage = Stage::new(config());
    let first = announce(&mut stage, 0, 700_000);
    assert_eq!(stage.playout.master(), None);
    back(&mut stage, first, 400_000);
    let text = stage.playout.master().expect("a master");
    let expected = "#EXTM3U\n\
        #EXT-X-VERSION:3\n\
        #EXT-X-INDEPENDENT-SEGMENTS\n\
        #EXT-X-STREAM-INF:BANDWIDTH=2800000,AVERAGE-BANDWIDTH=2800000,RESOLUTION=1280x720,\
        FRAME-RATE=29.970,CODECS=\"avc1.64001f,mp4a.40.2\"\n\
        tiny/source.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=1600000,AVERAGE-BANDWIDTH=1600000,RESOLUTION=426x238,\
        FRAME-RATE=29.970,CODECS=\"avc1.640015,mp4a.40.2\"\n\
        tiny/a.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=1600000,AVERAGE-BANDWIDTH=1600000,RESOLUTION=640x360,\
        FRAME-RATE=29.970,CODECS=\"avc1.64001e,mp4a.40.2\"\n\
        tiny/b.m3u8\n";
    assert_eq!(String::from_utf8_lossy(&text), expected);
    let parsed = master(&stage).expect("a master");
    assert!(parsed.independent_segments);
    assert_eq!(parsed.variants.len(), 3);
}

#[test]
fn it_stays_the_same_whatever_follows() {
    let mut stage = Stage::new(config());
    let first = announce(&mut stage, 0, 700_000);
    back(&mut stage, first, 400_000);
    let before = stage.playout.master();
    let second = announce(&mut stage, 1, 7_000_000);
    back(&mut stage, second, 4_000_000);
    stage.end();
    assert_eq!(stage.playout.master(), before);
}

#[test]
fn after_the_soft_deadline_it_appears_with_what_was_ordered() {
    let mut stage = Stage::new(config());
    announce(&mut stage, 0, 700_000);
    let deadline = stage.playout.next_deadline();
    stage.pass(1999);
    assert_eq!(stage.playout.master(), None);
    stage.pass(1);
    assert_eq!(deadline, Some(stage.instant()));
    let text = stage.playout.master().expect("a master");
    let text = String::from_utf8_lossy(&text).into_owned();
    let expected = "#EXT-X-STREAM-INF:BANDWIDTH=600000,RESOLUTION=426x240,\
        FRAME-RATE=29.970,CODECS=\"avc1.64001e,mp4a.40.2\"\ntiny/a.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=1200000,RESOLUTION=640x360,\
        FRAME-RATE=29.970,CODECS=\"avc1.64001e,mp4a.40.2\"\ntiny/b.m3u8\n";
    assert!(text.ends_with(expected), "{text}");
    assert_eq!(
        stage.listing("source"),
        "0/0: 0",
        "so there is something to play"
    );
}

#[test]
fn the_soft_deadline_is_the_first_segment_s() {
    let mut stage = Stage::new(config());
    announce(&mut stage, 0, 700_000);
    stage.pass(1500);
    announce(&mut stage, 1, 700_000);
    stage.pass(500);
    assert!(stage.playout.master().is_some());
}

#[test]
fn failures_do_not_bring_it_forward_and_the_end_does() {
    let mut stage = Stage::new(config());
    let first = announce(&mut stage, 0, 700_000);
    stage.failed(first);
    assert_eq!(stage.playout.master(), None);
    let second = announce(&mut stage, 1, 700_000);
    let now = stage.instant();
    let half = vec![crate::stage::rendition("a", second), None];
    stage.playout.done(second, half, now).expect("in time");
    assert_eq!(stage.playout.master(), None, "not whole");
    stage.end();
    assert!(stage.playout.master().is_some());
}

#[test]
fn a_quiet_beginning_does_not_make_a_variant_cheap() {
    let mut stage = Stage::new(config());
    let first = announce(&mut stage, 0, 5_000);
    back(&mut stage, first, 3_000);
    let (low, high) = (600_000, 1_200_000);
    let expected = [(high, Some(high)), (low, Some(low)), (high, Some(high))];
    assert_eq!(bandwidths(&stage), expected);
}

#[test]
fn a_source_may_be_cheaper_than_what_is_larger() {
    let mut stage = Stage::new(config());
    let mut small = segment(Bytes::from(vec![1; 50_000]), 2000);
    small.facts = facts(426, 240, "avc1.640015", None);
    let first = stage.announce(0, small).expect("in turn");
    back(&mut stage, first, 3_000);
    let source = bandwidths(&stage)[0];
    assert_eq!(source, (600_000, Some(600_000)), "b would be scaled up");
}

#[test]
fn an_ordered_frame_rate_and_a_missing_audio_are_told() {
    let mut ordered = spec("a", 426, 240, 600_000);
    ordered.fps = FrameRate::new(25, 1);
    let mut stage = Stage::new(Config {
        renditions: vec![ordered],
        ..config()
    });
    let mut mute = segment(source_bytes(0), 2000);
    mute.facts = Facts {
        video: Codec::Named("avc1.42c01e".to_owned()),
        audio: Codec::Absent,
        ..Facts::default()
    };
    stage.announce(0, mute).expect("in turn");
    stage.pass(2000);
    let master = master(&stage).expect("a master");
    let told: Vec<_> = master
        .variants
        .iter()
        .map(|variant| (variant.frame_rate, variant.codecs.as_deref()))
        .collect();
    let expected = [
        (None, Some("avc1.42c01e")),
        (Some(25.0), Some("avc1.64001e")),
    ];
    assert_eq!(told, expected);
    assert_eq!(master.variants[0].resolution, None);
}

#[test]
fn names_are_encoded_in_uris_and_plain_in_calls() {
    let mut stage = Stage::new(Config {
        name: "my stream".to_owned(),
        renditions: vec![spec("a/b\n", 426, 240, 600_000)],
        ..config()
    });
    let first = stage.source(0);
    let now = stage.instant();
    let back = vec![crate::stage::rendition("x", first)];
    stage.playout.done(first, back, now).expect("in time");
    let uris: Vec<_> = master(&stage)
        .expect("a master")
        .variants
        .into_iter()
        .map(|variant| variant.uri)
        .collect();
    assert_eq!(
        uris,
        ["my%20stream/source.m3u8", "my%20stream/a%2Fb%0A.m3u8"]
    );
    let media = stage.media("a/b\n").expect("a playlist");
    assert_eq!(media.segments[0].uri, "a%2Fb%0A/0.ts");
    assert!(stage.playout.segment("a/b\n", first).is_some());
}

/// A file of a go-livepeer gateway that was given two segments of the stream `tiny`.
fn golden(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/video/app/");
    std::fs::read(format!("{folder}{name}.response.bin")).expect("a golden file")
}

/// Where a player goes from `/stream/` plus `base`.
fn resolved(base: &str, uri: &str) -> String {
    if uri.starts_with('/') {
        return uri.to_owned();
    }
    let folder = base.rfind('/').map_or("", |end| &base[..=end]);
    format!("/stream/{folder}{uri}")
}

#[test]
fn players_find_everything_where_go_livepeer_had_it() {
    let mut stage = Stage::new(Config {
        renditions: vec![
            spec("P144p30fps16x9", 256, 144, 400_000),
            spec("P240p30fps16x9", 426, 240, 600_000),
        ],
        ..config()
    });
    for sequence in 0..2 {
        let mut segment = segment(source_bytes(sequence), 2000);
        segment.facts = facts(320, 180, "avc1.42c00d", None);
        let number = stage.announce(sequence, segment).expect("in turn");
        stage.done(number);
    }
    let theirs = golden("01-master-playlist");
    let theirs = m3u8_rs::parse_master_playlist_res(&theirs).expect("a master playlist");
    let ours = master(&stage).expect("a master");
    let shown = |master: &MasterPlaylist| -> Vec<_> {
        let show = |variant: &VariantStream| {
            let size = variant.resolution.map(|size| (size.width, size.height));
            (resolved("", &variant.uri), size)
        };
        master.variants.iter().map(show).collect()
    };
    assert_eq!(shown(&ours), shown(&theirs));
    for (file, name) in [
        ("02-media-playlist-144p", "P144p30fps16x9"),
        ("03-media-playlist-source", "source"),
    ] {
        let theirs = m3u8_rs::parse_media_playlist_res(&golden(file)).expect("a media playlist");
        let ours = stage.media(name).expect("a playlist");
        let shown = |media: &MediaPlaylist| -> Vec<_> {
            let base = format!("tiny/{name}.m3u8");
            let show =
                |segment: &m3u8_rs::MediaSegment| (resolved(&base, &segment.uri), segment.duration);
            media.segments.iter().map(show).collect()
        };
        assert_eq!(shown(&ours), shown(&theirs));
        assert_eq!(ours.media_sequence, theirs.media_sequence);
        assert_eq!(ours.target_duration, theirs.target_duration);
    }
}

#[test]
fn an_hour_says_the_same_as_a_minute() {
    let mut stage = Stage::new(Config {
        target_duration: Duration::from_secs(3600),
        ..config()
    });
    let first = announce(&mut stage, 0, 1_000_000);
    back(&mut stage, first, 1_000_000);
    assert_eq!(bandwidths(&stage)[0], (4_000_000, Some(4_000_000)));
}
