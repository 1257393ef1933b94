//! RTMP: how soon a stream plays, whether all of it comes through, and what each stream costs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::client::Client;
use crate::media;
use crate::process;
use crate::program::{Devnet, Gateway, Wanted};
use crate::report::{Report, Target};

/// Streams whose cost is the figure.
const STREAMS: usize = 30;
/// Segments that a stream keeps: the gateway's default.
const KEPT: f64 = 12.0;
/// Until every window is full, and then how long is measured.
const FILL: Duration = Duration::from_secs(28);
const MEASURE: Duration = Duration::from_secs(30);
/// Between one publisher's start and the next: they are not all cut at the same moment.
const STAGGER: Duration = Duration::from_millis(70);
/// One of the renditions that are made when nothing else is said.
const RENDITION: &str = "P240p30fps16x9";
/// Lost at most, in seconds: playlists round to milliseconds.
const ROUNDING: f64 = 0.1;

pub(crate) async fn measure(report: &mut Report, long: bool) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let film = media::film(folder.path()).await?;
    report.part("RTMP, 720p at 2 Mb/s, two renditions");
    once(&film, report).await?;
    for streams in if long {
        vec![1, STREAMS, 50]
    } else {
        vec![STREAMS]
    } {
        cost(&film, streams, report).await?;
    }
    Ok(())
}

/// One stream from its beginning to its end.
async fn once(film: &Path, report: &mut Report) -> Result<()> {
    let devnet = Devnet::start(
        &[Wanted {
            price: 1,
            latency_ms: 0,
        }; 3],
    )
    .await?;
    let gateway = Gateway::start(&devnet, &["--reconnect-grace", "1s"]).await?;
    let mut player = Client::connect(gateway.http).await?;
    let started = Instant::now();
    let _publisher = publish(film, gateway.rtmp, "once", &[])?;
    let path = format!("/stream/once/{RENDITION}.m3u8");
    let (mut listed, mut first) = (BTreeMap::new(), None);
    loop {
        let playlist = player.get(&path).await?.unwrap_or_default();
        let playlist = String::from_utf8(playlist.to_vec())?;
        listed.extend(segments(&playlist));
        if first.is_none() && !listed.is_empty() {
            first = Some(started.elapsed());
        }
        if playlist.contains("#EXT-X-ENDLIST") {
            break;
        }
        if started.elapsed() > Duration::from_secs(90) {
            bail!("the stream does not end; its playlist is {playlist}");
        }
        sleep(Duration::from_millis(if first.is_none() { 5 } else { 500 })).await;
    }
    let first = first.context("nothing was listed")?;
    report.figure(
        "publish to first rendition listed",
        first.as_secs_f64(),
        "s",
        Target::Below(2.5),
    );
    let lost = f64::from(media::SECONDS) - listed.values().sum::<f64>();
    report.figure(
        &format!("media lost of {} s", media::SECONDS),
        lost,
        "s",
        Target::None,
    );
    report.must(lost < ROUNDING, "nothing of it is lost");
    Ok(())
}

/// What a gateway uses for so many streams.
async fn cost(film: &Path, streams: usize, report: &mut Report) -> Result<()> {
    let devnet = Devnet::start(
        &[Wanted {
            price: 1,
            latency_ms: 0,
        }; 3],
    )
    .await?;
    let gateway = Gateway::start(&devnet, &[]).await?;
    let idle = process::resident(gateway.pid())?;
    let mut publishers = Vec::new();
    for stream in 0..streams {
        publishers.push(publish(
            film,
            gateway.rtmp,
            &format!("bench-{stream}"),
            &["-stream_loop", "-1"],
        )?);
        sleep(STAGGER).await;
    }
    sleep(FILL).await;
    let (started, before) = (Instant::now(), process::cpu(gateway.pid())?);
    sleep(MEASURE).await;
    let used = process::cpu(gateway.pid())? - before;
    let share = used.as_secs_f64() / started.elapsed().as_secs_f64() / streams as f64;
    let grown = process::resident(gateway.pid())?.saturating_sub(idle) as f64;
    let census = Census::take(gateway.admin).await?;
    let each = (grown - census.held) / streams as f64 / f64::from(1 << 20);
    let of = |what: &str| format!("{what} a stream, of {streams}");
    report.figure(
        &of("CPU"),
        share * 100.0,
        "%",
        if streams == STREAMS {
            Target::Below(0.4)
        } else {
            Target::None
        },
    );
    report.figure(
        &of("memory beyond its window"),
        each,
        "MiB",
        if streams == STREAMS {
            Target::Below(4.0)
        } else {
            Target::None
        },
    );
    report.figure(
        &of("its window"),
        census.held / streams as f64 / f64::from(1 << 20),
        "MiB",
        Target::None,
    );
    report.figure(
        "the gateway's memory before the first of them",
        idle as f64 / f64::from(1 << 20),
        "MiB",
        Target::None,
    );
    report.must(
        census.streams == streams,
        format!("{} of {streams} streams are live", census.streams),
    );
    report.must(
        census.failed == 0,
        format!("{} of {} segments failed", census.failed, census.segments),
    );
    Ok(())
}

fn publish(film: &Path, to: SocketAddr, name: &str, more: &[&str]) -> Result<Child> {
    Command::new("ffmpeg")
        .args(["-v", "error", "-re"])
        .args(more)
        .arg("-i")
        .arg(film)
        .args(["-c", "copy", "-f", "flv"])
        .arg(format!("rtmp://{to}/live/{name}"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("ffmpeg cannot be run: `make setup` installs it")
}

/// The segments of a playlist that can be played: address and seconds.
fn segments(playlist: &str) -> BTreeMap<String, f64> {
    let (mut found, mut seconds, mut gap) = (BTreeMap::new(), 0.0, false);
    for line in playlist.lines() {
        if let Some(rest) = line.strip_prefix("#EXTINF:") {
            seconds = rest
                .split(',')
                .next()
                .and_then(|seconds| seconds.parse().ok())
                .unwrap_or(0.0);
        } else if line == "#EXT-X-GAP" {
            gap = true;
        } else if !line.starts_with('#') && !line.is_empty() {
            if !gap {
                found.insert(line.to_owned(), seconds);
            }
            gap = false;
        }
    }
    found
}

/// What the streams of a gateway have come to.
#[derive(Debug, Default)]
struct Census {
    streams: usize,
    segments: u64,
    failed: u64,
    /// Bytes in the windows of all: the mean segment, with its renditions, as often as it is kept.
    held: f64,
}

// === impl Census ===

impl Census {
    async fn take(admin: SocketAddr) -> Result<Self> {
        let answer = Client::connect(admin)
            .await?
            .json("/api/v1/streams")
            .await?;
        let mut census = Self::default();
        for stream in answer["streams"].as_array().context("a list of streams")? {
            let count = |key: &str| stream[key].as_u64().unwrap_or(0);
            let (segments, bytes) = (
                count("segments"),
                count("source_bytes") + count("rendition_bytes"),
            );
            census.streams += 1;
            census.segments += segments;
            census.failed += count("failed");
            census.held += bytes as f64 * (KEPT / segments.max(1) as f64).min(1.0);
        }
        Ok(census)
    }
}
