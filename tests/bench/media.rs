//! What is pushed and published.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bytes::Bytes;

use crate::program::run;

/// A recorded segment of 2 s, 52 kB.
const SEGMENT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/video/rtmp/03-segment-0.request.bin"
);
/// Length of what is published, in seconds.
pub(crate) const SECONDS: u32 = 30;

pub(crate) fn segment() -> Result<Bytes> {
    Ok(std::fs::read(SEGMENT).context(SEGMENT)?.into())
}

/// 720p at 2 Mb/s, key frames every 2 s, with sound, coded once so that publishing is copying.
pub(crate) async fn film(folder: &Path) -> Result<PathBuf> {
    let film = folder.join("film.flv");
    let seconds = SECONDS.to_string();
    let arguments = [
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=1280x720:rate=30",
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=440:sample_rate=48000",
        "-t",
        &seconds,
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-tune",
        "zerolatency",
        "-pix_fmt",
        "yuv420p",
        "-b:v",
        "2M",
        "-minrate",
        "2M",
        "-maxrate",
        "2M",
        "-bufsize",
        "1M",
        "-x264-params",
        "nal-hrd=cbr",
        "-g",
        "60",
        "-keyint_min",
        "60",
        "-sc_threshold",
        "0",
        "-c:a",
        "aac",
        "-b:a",
        "96k",
    ];
    run("ffmpeg", &arguments, &film).await?;
    Ok(film)
}
