//! The test stream: ffmpeg publishes a pattern with a running clock over RTMP.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};

/// The name of the stream.
pub(super) const STREAM: &str = "demo";

const PICTURE: &str = "testsrc2=size=960x540:rate=30";
const TONE: &str = "sine=frequency=330:beep_factor=3:sample_rate=48000,volume=0.1";
const ENCODING: &str = "-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -b:v 1500k -maxrate 1500k -bufsize 1500k \
                        -g 60 -keyint_min 60 -sc_threshold 0 -c:a aac -b:a 96k -f flv";

/// ffmpeg while it publishes. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Publisher(Child);

// === impl Publisher ===

impl Publisher {
    pub(super) fn start(rtmp: SocketAddr) -> Result<Self> {
        let mut command = Command::new("ffmpeg");
        command
            .args("-hide_banner -nostdin -loglevel error -re -f lavfi -i".split_whitespace())
            .arg(PICTURE);
        command.args("-re -f lavfi -i".split_whitespace()).arg(TONE);
        command
            .args(ENCODING.split_whitespace())
            .arg(format!("rtmp://{rtmp}/live/{STREAM}"));
        // A group of its own: the terminal's Ctrl-C is ours to handle, and ends it in order.
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().context(
            "ffmpeg publishes the test stream and does not start: `make setup` installs it",
        )?;
        Ok(Self(child))
    }

    /// Returns only if it ends, which it should not.
    pub(super) async fn ended(&mut self) -> Result<()> {
        let status = self.0.wait().await.context("ffmpeg")?;
        bail!("ffmpeg stopped publishing: {status}");
    }

    pub(super) async fn stop(mut self) {
        // An error means that it has ended already.
        let _ = self.0.kill().await;
    }
}
