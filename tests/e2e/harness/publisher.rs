//! RTMP publishers.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};

use super::{Gateway, eventually};

/// A file to publish: 320x180 at 30 frames a second, an IDR picture every second, two B-frames between others.
#[derive(Clone, Debug)]
pub(crate) struct Clip {
    pub(crate) file: PathBuf,
    pub(crate) frames: u32,
}

/// ffmpeg, publishing. Dropping it kills it.
pub(crate) struct Publisher {
    child: Child,
}

/// ffmpeg that has been given the first half of a clip: it publishes that, and then says nothing until it is given the other.
pub(crate) struct Held {
    publisher: Publisher,
    pipe: ChildStdin,
    rest: Vec<u8>,
}

// === impl Clip ===

impl Clip {
    /// Six and a half seconds with sound.
    pub(crate) fn long() -> Self {
        static MADE: LazyLock<(TempDir, Clip)> = LazyLock::new(|| Clip::make("6.5", true));
        MADE.1.clone()
    }

    /// Fifteen and a half seconds with sound, for what takes its time while it plays.
    pub(crate) fn longest() -> Self {
        static MADE: LazyLock<(TempDir, Clip)> = LazyLock::new(|| Clip::make("15.5", true));
        MADE.1.clone()
    }

    /// Two and a half seconds with sound.
    pub(crate) fn short() -> Self {
        static MADE: LazyLock<(TempDir, Clip)> = LazyLock::new(|| Clip::make("2.5", true));
        MADE.1.clone()
    }

    /// The same without sound.
    pub(crate) fn without_sound() -> Self {
        static MADE: LazyLock<(TempDir, Clip)> = LazyLock::new(|| Clip::make("2.5", false));
        MADE.1.clone()
    }

    fn make(seconds: &str, sound: bool) -> (TempDir, Self) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("clip.flv");
        let mut command = std::process::Command::new("ffmpeg");
        command.args(["-nostdin", "-loglevel", "error", "-f", "lavfi", "-i"]);
        command.arg(format!("testsrc=size=320x180:rate=30:duration={seconds}"));
        if sound {
            command.args(["-f", "lavfi", "-i"]);
            command.arg(format!("sine=frequency=440:duration={seconds}"));
            command.args(["-c:a", "aac", "-b:a", "64k"]);
        }
        command.args(["-c:v", "libx264", "-preset", "veryfast", "-bf", "2"]);
        command.args(["-pix_fmt", "yuv420p", "-g", "30", "-sc_threshold", "0"]);
        let made = command.arg(&file).output().expect("ffmpeg is installed");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let seconds: f64 = seconds.parse().expect("a number");
        let frames = (seconds * 30.0).round() as u32;
        (folder, Self { file, frames })
    }
}

// === impl Publisher ===

impl Publisher {
    /// Makes it hang with its connection open.
    pub(crate) async fn hang(&self) {
        self.signal("-STOP").await;
    }

    /// Lets it go on.
    pub(crate) async fn wake(&self) {
        self.signal("-CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let process = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.await.expect("kill").success());
    }

    /// Waits until it has sent everything, or was refused.
    pub(crate) async fn end(self) -> Output {
        self.child.wait_with_output().await.expect("a child")
    }

    /// Waits until it has sent everything; fails the test if it could not.
    pub(crate) async fn finish(self) {
        let output = self.end().await;
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

// === impl Held ===

impl Held {
    /// Lets it publish the rest; fails the test if it cannot.
    pub(crate) async fn finish(mut self) {
        self.pipe.write_all(&self.rest).await.expect("it reads on");
        drop(self.pipe);
        self.publisher.finish().await;
    }
}

// === impl Gateway ===

impl Gateway {
    /// An RTMP URL of this gateway.
    pub(crate) fn rtmp_url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.rtmp)
    }

    /// Starts to publish `clip` under `path`, as fast as it plays.
    pub(crate) fn publish(&self, path: &str, clip: &Clip) -> Publisher {
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-loglevel", "error", "-re", "-i"]);
        command.arg(&clip.file).stdin(Stdio::null());
        self.publish_by(command, path)
    }

    /// Publishes the first half of `clip` under `path`, and holds it there.
    pub(crate) async fn publish_half(&self, path: &str, clip: &Clip) -> Held {
        let mut first = std::fs::read(&clip.file).expect("a clip");
        let rest = first.split_off(first.len() / 2);
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-loglevel", "error", "-f", "flv", "-i"]);
        command.arg("pipe:0").stdin(Stdio::piped());
        let mut publisher = self.publish_by(command, path);
        let mut pipe = publisher.child.stdin.take().expect("piped");
        pipe.write_all(&first).await.expect("it reads");
        Held {
            publisher,
            pipe,
            rest,
        }
    }

    fn publish_by(&self, mut command: Command, path: &str) -> Publisher {
        command
            .args(["-c", "copy", "-f", "flv"])
            .arg(self.rtmp_url(path));
        command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let child = command.spawn().expect("ffmpeg is installed");
        Publisher { child }
    }

    /// Waits until it has seen that every publisher has gone: that comes after their own end.
    pub(crate) async fn publishers_gone(&self) {
        eventually("no RTMP connection is left", async || {
            let (_, text) = self.admin("/metrics").await;
            let mut lines = text.lines();
            lines.any(|line| line == "pointsman_rtmp_connections 0")
        })
        .await;
    }

    /// Publishes what ought to be refused, and answers what the publisher says about it.
    pub(crate) async fn refused(&self, path: &str) -> String {
        let output = self.publish(path, &Clip::long()).end().await;
        assert!(!output.status.success(), "{path} was let in");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}
