//! The test stream: ffmpeg publishes a pattern with a running clock over RTMP.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};

/// The name of the stream.
pub(super) const STREAM: &str = "demo";

/// Slow colours, and the clock of ffmpeg's test pattern cut out and enlarged: it needs no font.
const PICTURE: &str = "gradients=size=960x540:rate=30:c0=0x10243a:c1=0x1d4e6b:c2=0x3a7d7c:c3=0x0f1b2d:nb_colors=4:speed=0.02:seed=7[sky];\
                       testsrc2=size=640x90:rate=30,crop=98:14:2:2,lutyuv=y=if(gt(val\\,60)\\,230\\,0):u=128:v=128,\
                       scale=iw*6:ih*6:flags=neighbor,colorkey=black:0.3[clock];[sky][clock]overlay=(W-w)/2:(H-h)/2";
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
