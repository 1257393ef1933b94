//! A real ffmpeg publishes over a real socket; what comes out is judged by ffprobe and ffmpeg.

mod ffmpeg;
mod gateway;

use std::time::Duration;

use ffmpeg::{Publisher, decode, packets};
use gateway::{Gateway, Stream};
use pointsman_media::segmenter::Segment;

/// What must hold for every stream: nothing lost, every segment decodes alone, all of them decode as one.
fn check(stream: &Stream, frames: usize) {
    let segments = &stream.segments;
    let mut pictures = Vec::new();
    let mut sounds = Vec::new();
    for (number, segment) in segments.iter().enumerate() {
        assert_eq!(segment.sequence, number as u64);
        let decoded = decode(&segment.bytes);
        assert_eq!(decoded.complaints, "", "segment {number}");
        assert_eq!(decoded.frames, segment.frames as usize, "segment {number}");
        let packets = packets(&segment.bytes);
        let first = packets
            .iter()
            .find(|packet| packet.video)
            .expect("a picture");
        assert!(first.key, "segment {number} begins with a key frame");
        assert_eq!(first.pts, segment.start_pts);
        let (video, audio): (Vec<_>, Vec<_>) = packets.into_iter().partition(|packet| packet.video);
        pictures.extend(video);
        sounds.extend(audio.into_iter().map(|packet| packet.pts));
    }
    assert_eq!(pictures.len(), frames);
    assert!(
        pictures.windows(2).all(|pair| pair[0].dts < pair[1].dts),
        "decoding times increase"
    );
    assert_eq!(sounds.len(), stream.sounds);
    assert!(
        sounds.windows(2).all(|pair| pair[0] < pair[1]),
        "sound goes on over the cuts"
    );

    let whole: Vec<u8> = segments
        .iter()
        .flat_map(|segment| segment.bytes.to_vec())
        .collect();
    let decoded = decode(&whole);
    assert_eq!((decoded.complaints.as_str(), decoded.frames), ("", frames));
    for pair in segments.windows(2) {
        let gap = pair[1].start_pts - pair[0].start_pts - ticks(pair[0].duration);
        assert!(gap.abs() <= 1, "durations are those of the timeline");
    }
}

/// The times of all pictures, in order of presentation, leave no gap and do not overlap.
fn check_spacing(segments: &[Segment], rate: f64) {
    let all = segments.iter().flat_map(|segment| packets(&segment.bytes));
    let mut times: Vec<i64> = all
        .filter(|packet| packet.video)
        .map(|packet| packet.pts)
        .collect();
    times.sort_unstable();
    let frame = 90_000.0 / rate;
    for pair in times.windows(2) {
        // RTMP rounds each time to a millisecond.
        let off = (pair[1] - pair[0]) as f64 - frame;
        assert!(
            off.abs() <= 91.0,
            "{} ticks between two pictures",
            pair[1] - pair[0]
        );
    }
}

fn ticks(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros() * 9 / 100).expect("a short time")
}

/// Each duration, to a few milliseconds; RTMP's times are rounded.
fn assert_durations(segments: &[Segment], expected: &[u64]) {
    let millis: Vec<u128> = segments
        .iter()
        .map(|segment| segment.duration.as_millis())
        .collect();
    let near = |(got, want): (&u128, &u64)| got.abs_diff(u128::from(*want)) <= 3;
    let good = millis.len() == expected.len() && millis.iter().zip(expected).all(near);
    assert!(good, "{millis:?}, not {expected:?}");
}

#[tokio::test]
async fn b_frames_and_audio_come_through_whole() {
    let mut gateway = Gateway::start().await;
    let publisher = Publisher::new("30").gop(60).frames(219).b_frames().audio();
    let stream = gateway.serve(publisher).await;
    assert_eq!(stream.path, "/live/movie/secret?token=1");
    check(&stream, 219);
    check_spacing(&stream.segments, 30.0);
    assert_durations(&stream.segments, &[2000, 2000, 2000, 1300]);
    let first = &stream.segments[0];
    assert_eq!(first.resolution(), Some((320, 180)));
    assert_eq!(first.frame_rate(), Some(30.0));
    assert!(first.codecs().ends_with(",mp4a.40.2"), "{}", first.codecs());
    assert!(
        stream
            .metadata
            .is_some_and(|metadata| metadata.width == Some(320))
    );
    assert!(stream.segments.iter().all(|segment| !segment.discontinuity));
}

#[tokio::test]
async fn video_alone_is_enough() {
    let mut gateway = Gateway::start().await;
    let stream = gateway
        .serve(Publisher::new("25").gop(50).frames(160).b_frames())
        .await;
    check(&stream, 160);
    check_spacing(&stream.segments, 25.0);
    assert_durations(&stream.segments, &[2000, 2000, 2000, 400]);
    assert!(
        stream
            .segments
            .iter()
            .all(|segment| segment.audio.is_none())
    );
}

#[tokio::test]
async fn a_gop_of_1999_ms_does_not_make_segments_of_four_seconds() {
    let mut gateway = Gateway::start().await;
    let stream = gateway
        .serve(Publisher::new("60000/1999").gop(60).frames(240).audio())
        .await;
    check(&stream, 240);
    assert_durations(&stream.segments, &[1999; 4]);
}

#[tokio::test]
async fn a_gop_of_1500_ms_gives_even_segments() {
    let mut gateway = Gateway::start().await;
    let stream = gateway
        .serve(Publisher::new("30").gop(45).frames(200).b_frames().audio())
        .await;
    check(&stream, 200);
    assert_durations(&stream.segments, &[1500, 1500, 1500, 1500, 667]);
}

#[tokio::test]
async fn a_second_connection_continues_the_stream() {
    let mut gateway = Gateway::start().await;
    let publisher = || Publisher::new("30").gop(60).frames(90).b_frames().audio();
    let first = gateway.serve(publisher()).await;
    let mut both = gateway.serve(publisher()).await;
    both.sounds += first.sounds;
    both.segments.splice(..0, first.segments);
    check(&both, 180);
    assert_durations(&both.segments, &[2000, 1000, 2000, 1000]);
    let marked: Vec<_> = both
        .segments
        .iter()
        .map(|segment| segment.discontinuity)
        .collect();
    assert_eq!(marked, [false, false, true, false]);
}

#[tokio::test]
async fn a_refused_publisher_shows_the_reason() {
    let mut gateway = Gateway::start().await;
    let complaint = gateway
        .refuse(Publisher::new("30").gop(60).frames(60), "the name is taken")
        .await;
    assert!(complaint.contains("the name is taken"), "{complaint}");
}
