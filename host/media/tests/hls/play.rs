//! What FFmpeg makes of it: real segments, a gap, a jump of the source's time, read from a disk.

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use pointsman_media::hls::{Config, Facts, Number, RenditionSegment, SOURCE};

use crate::stage::{Stage, config, segment, spec};

/// Frames a second and a segment's frames.
const FPS: usize = 10;
const FRAMES: usize = 2 * FPS;

fn run(command: &mut Command) -> String {
    let output = command.output().expect("ffmpeg and ffprobe are installed");
    let (out, err) = (&output.stdout, &output.stderr);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(err));
    String::from_utf8_lossy(out).into_owned()
}

/// Segments of two seconds each, `offset` seconds into FFmpeg's test stream.
fn encode(folder: &Path, size: &str, count: usize, offset: usize) -> Vec<Bytes> {
    let picture = format!("testsrc=size={size}:rate={FPS}:duration={}", 2 * count);
    let tone = format!("sine=frequency=440:duration={}", 2 * count);
    let keys = format!("expr:gte(n,n_forced*{FRAMES})");
    run(Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", &picture])
        .args(["-f", "lavfi", "-i", &tone])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"])
        .args(["-force_key_frames", &keys, "-c:a", "aac", "-ar", "48000"])
        .args(["-output_ts_offset", &offset.to_string()])
        .args([
            "-f",
            "segment",
            "-segment_time",
            "2",
            "-segment_format",
            "mpegts",
        ])
        .arg(folder.join("%d.ts")));
    let read = |index| std::fs::read(folder.join(format!("{index}.ts")));
    (0..count)
        .map(|index| Bytes::from(read(index).expect("a segment")))
        .collect()
}

/// Writes what the stream serves now, at its URIs.
fn publish(stage: &mut Stage, folder: &Path, highest: u64) {
    let write = |path: &str, bytes: &[u8]| {
        std::fs::write(folder.join(path), bytes).expect("a file in the folder");
    };
    write("tiny.m3u8", &stage.playout.master().expect("a master"));
    for name in [SOURCE, "small"] {
        std::fs::create_dir_all(folder.join("tiny").join(name)).expect("a folder");
        let media = stage.playout.media(name).expect("a playlist");
        write(&format!("tiny/{name}.m3u8"), &media);
        for number in 0..=highest {
            if let Some(bytes) = stage.playout.segment(name, Number(number)) {
                write(&format!("tiny/{name}/{number}.ts"), &bytes);
            }
        }
    }
}

/// Video frames that a player decodes.
fn frames(playlist: &Path) -> usize {
    let counted = run(Command::new("ffprobe")
        .args(["-v", "quiet", "-count_frames", "-select_streams", "v:0"])
        .args(["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"])
        .arg(playlist));
    let first = counted.lines().find(|line| !line.is_empty());
    first
        .and_then(|line| line.trim().trim_end_matches(',').parse().ok())
        .expect("a count")
}

#[test]
fn a_player_plays_everything_but_the_gap() {
    let folder = tempfile::tempdir().expect("a folder");
    let encoded = |size, count, offset| {
        let folder = tempfile::tempdir_in(&folder).expect("a folder");
        encode(folder.path(), size, count, offset)
    };
    let mut stage = Stage::new(Config {
        renditions: vec![spec("small", 64, 36, 100_000)],
        window: 6,
        keep: 12,
        ..config()
    });
    // A reconnect after the third segment: the encoder's clock begins elsewhere.
    let source = [encoded("128x72", 3, 0), encoded("128x72", 3, 1000)].concat();
    let small = [encoded("64x36", 3, 0), encoded("64x36", 3, 1000)].concat();
    for (sequence, (source, small)) in (0..).zip(source.into_iter().zip(small)) {
        let mut announced = segment(source, 2000);
        announced.discontinuity = sequence == 3;
        let number = stage.announce(sequence, announced).expect("in turn");
        let now = stage.instant();
        if sequence == 1 {
            stage.playout.failed(number, now);
        } else {
            let facts = Facts::default();
            let back = vec![Some(RenditionSegment {
                bytes: small,
                facts,
            })];
            stage.playout.done(number, back, now).expect("in time");
        }
    }
    stage.end();
    assert_eq!(stage.listing("small"), "0/0: 0 1! *2 *3 4 5 .");
    publish(&mut stage, folder.path(), 5);
    assert!(!folder.path().join("tiny/small/1.ts").exists());

    assert_eq!(frames(&folder.path().join("tiny/source.m3u8")), 6 * FRAMES);
    assert_eq!(frames(&folder.path().join("tiny/small.m3u8")), 5 * FRAMES);

    let variants = run(Command::new("ffprobe")
        .args(["-v", "quiet", "-select_streams", "v"])
        .args(["-show_entries", "program=:stream=width,height"])
        .args(["-of", "csv=p=0"])
        .arg(folder.path().join("tiny.m3u8")));
    for size in ["128,72", "64,36"] {
        assert!(variants.contains(size), "both variants open: {variants}");
    }
}
