//! Media, made by ffmpeg once a run, and looked at with ffprobe.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use bytes::Bytes;
use serde::Deserialize;

const PICTURES: &[&str] = &[
    "-f",
    "lavfi",
    "-i",
    "testsrc=size=320x180:rate=30:duration=2",
];
const SOUND: &[&str] = &["-f", "lavfi", "-i", "sine=frequency=440:duration=2"];
const H264: &[&str] = &[
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "60",
];
const AAC: &[&str] = &["-c:a", "aac", "-b:a", "64k"];

/// A stream of a file, as ffprobe sees it.
#[derive(Debug, Deserialize)]
pub(crate) struct Track {
    pub(crate) codec_type: String,
    pub(crate) codec_name: String,
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    pub(crate) profile: Option<String>,
    pub(crate) avg_frame_rate: String,
    nb_read_frames: Option<String>,
}

#[derive(Deserialize)]
struct Tracks {
    streams: Vec<Track>,
}

/// Two seconds of 320x180 H.264 with AAC in MPEG-TS.
pub(crate) fn segment() -> Bytes {
    static MEDIA: LazyLock<Bytes> =
        LazyLock::new(|| make(&[PICTURES, SOUND, H264, AAC].concat(), "ts"));
    MEDIA.clone()
}

/// The same as MP4.
pub(crate) fn mp4() -> Bytes {
    static MEDIA: LazyLock<Bytes> = LazyLock::new(|| {
        let args = [PICTURES, SOUND, H264, AAC, &["-movflags", "faststart"]].concat();
        make(&args, "mp4")
    });
    MEDIA.clone()
}

/// Two seconds of sound alone, in MPEG-TS.
pub(crate) fn sound() -> Bytes {
    make(&[SOUND, AAC].concat(), "ts")
}

/// Two seconds of HEVC in MPEG-TS; `None` where ffmpeg cannot make any.
pub(crate) fn hevc() -> Option<Bytes> {
    let listed = Command::new("ffmpeg")
        .args(["-hide_banner", "-encoders"])
        .output()
        .expect("ffmpeg");
    let there = String::from_utf8_lossy(&listed.stdout).contains(" libx265 ");
    let encoder = [
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=none",
        "-pix_fmt",
        "yuv420p",
    ];
    there.then(|| make(&[PICTURES, &encoder].concat(), "ts"))
}

/// [`segment`] with its tables and sound, and not one picture: what some recorders push first.
pub(crate) fn without_pictures() -> Bytes {
    const VIDEO_PID: u16 = 0x100;
    let pid = |packet: &[u8]| u16::from_be_bytes([packet[1], packet[2]]) & 0x1fff;
    let media = segment();
    let packets = media.chunks(188).filter(|packet| pid(packet) != VIDEO_PID);
    packets.flatten().copied().collect()
}

fn make(args: &[&str], extension: &str) -> Bytes {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("media").with_extension(extension);
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error"])
        .args(args)
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .expect("ffmpeg is installed");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    std::fs::read(&file).expect("what ffmpeg made").into()
}

/// The tracks of a file, decoded whole.
pub(crate) fn probe(media: &[u8]) -> Vec<Track> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("media");
    std::fs::write(&file, media).expect("written");
    probe_at(file.as_os_str())
}

/// The tracks of what is at a path or URL, decoded whole.
pub(crate) fn probe_at(place: &OsStr) -> Vec<Track> {
    let fields = "stream=codec_type,codec_name,width,height,profile,avg_frame_rate,nb_read_frames";
    let probed = Command::new("ffprobe")
        .args([
            "-loglevel",
            "error",
            "-count_frames",
            "-show_entries",
            fields,
            "-of",
            "json",
        ])
        .arg(place)
        .output()
        .expect("ffprobe is installed");
    assert!(
        probed.status.success(),
        "{}",
        String::from_utf8_lossy(&probed.stderr)
    );
    serde_json::from_slice::<Tracks>(&probed.stdout)
        .expect("as ffprobe writes it")
        .streams
}

/// The video track of a file.
pub(crate) fn video(media: &[u8]) -> Track {
    let tracks = probe(media).into_iter();
    tracks
        .into_iter()
        .find(|track| track.codec_type == "video")
        .expect("a video track")
}

// === impl Track ===

impl Track {
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width.expect("video"), self.height.expect("video"))
    }

    /// Frames that can be decoded.
    pub(crate) fn frames(&self) -> u32 {
        self.nb_read_frames
            .as_deref()
            .expect("counted")
            .parse()
            .expect("a number")
    }
}
