//! ffmpeg as publisher, ffprobe and ffmpeg as judges.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use tempfile::NamedTempFile;

/// A publisher to be started: 320x180, H.264 in GOPs of fixed length.
pub(crate) struct Publisher {
    rate: &'static str,
    gop: usize,
    frames: usize,
    b_frames: bool,
    audio: bool,
}

/// A packet as ffprobe lists it.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) video: bool,
    /// 90 kHz.
    pub(crate) pts: i64,
    /// 90 kHz.
    pub(crate) dts: i64,
    pub(crate) key: bool,
}

/// What decoding gave.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) frames: usize,
    /// Warnings and errors.
    pub(crate) complaints: String,
}

// === impl Publisher ===

impl Publisher {
    /// Frames a second, as ffmpeg reads it.
    pub(crate) fn new(rate: &'static str) -> Self {
        Self {
            rate,
            gop: 0,
            frames: 0,
            b_frames: false,
            audio: false,
        }
    }

    pub(crate) fn gop(self, gop: usize) -> Self {
        Self { gop, ..self }
    }

    pub(crate) fn frames(self, frames: usize) -> Self {
        Self { frames, ..self }
    }

    pub(crate) fn b_frames(self) -> Self {
        Self {
            b_frames: true,
            ..self
        }
    }

    pub(crate) fn audio(self) -> Self {
        Self {
            audio: true,
            ..self
        }
    }

    /// Publishes everything as fast as it is taken; answers when ffmpeg has ended.
    pub(crate) fn publish(self, url: &str) -> Output {
        let video = format!("testsrc2=size=320x180:rate={}", self.rate);
        let gop = self.gop.to_string();
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", &video]);
        if self.audio {
            ffmpeg.args([
                "-f",
                "lavfi",
                "-i",
                "sine=frequency=440:sample_rate=44100",
                "-c:a",
                "aac",
                "-shortest",
            ]);
        }
        let frames = self.frames.to_string();
        ffmpeg.args([
            "-frames:v",
            &frames,
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-pix_fmt",
            "yuv420p",
        ]);
        ffmpeg.args(["-g", &gop, "-keyint_min", &gop, "-sc_threshold", "0"]);
        ffmpeg.args(["-bf", if self.b_frames { "3" } else { "0" }]);
        ffmpeg.args(["-flags", "+cgop", "-f", "flv", url]);
        ffmpeg.output().expect("ffmpeg is installed")
    }
}

/// Decodes everything in a file of its own.
pub(crate) fn decode(bytes: &[u8]) -> Decoded {
    let file = file(bytes);
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .args(["-nostdin", "-v", "warning", "-xerror", "-i"])
        .arg(file.path());
    ffmpeg.args(["-f", "null", "-"]);
    let output = ffmpeg.output().expect("ffmpeg is installed");
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "error", "-count_frames", "-select_streams", "v:0"]);
    ffprobe.args([
        "-show_entries",
        "stream=nb_read_frames",
        "-of",
        "default=nk=1:nw=1",
    ]);
    let counted = text(ffprobe.arg(file.path()));
    Decoded {
        // MPEG-TS lists its streams twice: by programme and by themselves.
        frames: counted
            .lines()
            .find_map(|line| line.trim().parse().ok())
            .unwrap_or(0),
        complaints: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// All packets, in the order of the file.
pub(crate) fn packets(bytes: &[u8]) -> Vec<Packet> {
    let file = file(bytes);
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args([
        "-v",
        "error",
        "-show_entries",
        "packet=codec_type,pts,dts,flags",
        "-of",
        "csv=p=0",
    ]);
    let listed = text(ffprobe.arg(file.path()));
    let packet = |line: &str| {
        let mut fields = line.split(',');
        Some(Packet {
            video: fields.next()? == "video",
            pts: fields.next()?.parse().ok()?,
            dts: fields.next()?.parse().ok()?,
            key: fields.next()?.starts_with('K'),
        })
    };
    let lines = listed.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| packet(line).expect("a packet with times"))
        .collect()
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = tempfile::Builder::new()
        .suffix(".ts")
        .tempfile()
        .expect("a temporary file");
    file.write_all(bytes).expect("room for a segment");
    file
}

fn text(command: &mut Command) -> String {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .expect("ffprobe is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
