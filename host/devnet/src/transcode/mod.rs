//! The transcoder: one ffmpeg process a segment, all renditions in one command.
//!
//! Like the real one it decodes once, scales to the longer side of each profile, copies the audio, starts every
//! rendition with an IDR frame and keeps the input's timestamps, so that segments of one rendition follow each other and
//! the renditions of one segment line up. Pixels are counted from what ffmpeg says it encoded.
//!
//! Input and output go through files, since neither reading nor writing MP4 works on a pipe. They lie in one temporary
//! directory a segment, which goes with the segment; the directory of the whole transcoder goes with it. A process that
//! is no longer wanted is killed.
//!
//! In passthrough nothing runs: the input's bytes are every rendition, and pixels are what the profile would have
//! yielded.

mod command;
mod report;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use pointsman_wire::limits::MIN_RENDITION_BYTES;
use pointsman_wire::net::{SegParameters, VideoProfile};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::body::Parts;
use crate::profile::Mode;
pub(crate) use command::extension;
use report::Report;

/// Longest run of one process; a real orchestrator gives up on its transcoders too.
const PATIENCE: Duration = Duration::from_secs(120);
/// Most renditions that the real transcoder makes of a segment.
const MAX_OUTPUTS: usize = 10;
/// Kept of what ffmpeg says, from the beginning and from the end.
const KEPT: usize = 64 * 1024;

/// Works on the segments of one orchestrator.
#[derive(Debug)]
pub(crate) struct Transcoder {
    work: Option<Workshop>,
}

#[derive(Debug)]
struct Workshop {
    ffmpeg: PathBuf,
    scratch: TempDir,
    places: Semaphore,
}

/// What to do with a segment.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) input: Parts,
    pub(crate) duration: Duration,
    pub(crate) profiles: Vec<VideoProfile>,
    pub(crate) slice: Option<SegParameters>,
}

/// One rendition.
#[derive(Clone, Debug)]
pub(crate) struct Rendition {
    pub(crate) data: Parts,
    pub(crate) pixels: i64,
}

/// A failure, in the transcoder's words.
pub(crate) type Words = String;

// === impl Transcoder ===

impl Transcoder {
    /// A transcoder of at most `processes` at once.
    pub(crate) fn new(mode: Mode, ffmpeg: &Path, processes: usize) -> std::io::Result<Self> {
        let work = match mode {
            Mode::Passthrough => None,
            Mode::Transcode => Some(Workshop {
                ffmpeg: ffmpeg.to_owned(),
                scratch: tempfile::Builder::new()
                    .prefix("pointsman-devnet-")
                    .tempdir()?,
                places: Semaphore::new(processes),
            }),
        };
        Ok(Self { work })
    }

    /// Whether work takes long enough to be worth a task of its own.
    pub(crate) fn works(&self) -> bool {
        self.work.is_some()
    }

    /// The renditions, in the order of the profiles.
    pub(crate) async fn run(&self, job: &Job) -> Result<Vec<Rendition>, Words> {
        if job.profiles.is_empty() {
            return Ok(Vec::new());
        }
        if job.profiles.len() > MAX_OUTPUTS {
            return Err("Too many outputs".to_owned());
        }
        if job.input.len() < MIN_RENDITION_BYTES {
            return Err("TranscoderInvalidVideo".to_owned());
        }
        match &self.work {
            None => Ok(job.profiles.iter().map(|p| pass(job, p)).collect()),
            Some(work) => work.run(job).await,
        }
    }
}

fn pass(job: &Job, profile: &VideoProfile) -> Rendition {
    let fps = match profile.fps {
        0 => 30.0,
        fps => f64::from(fps) / f64::from(profile.fps_den.max(1)),
    };
    let frames = (fps * job.duration.as_secs_f64()).round() as i64;
    Rendition {
        data: job.input.clone(),
        pixels: frames
            .saturating_mul(profile.width.into())
            .saturating_mul(profile.height.into()),
    }
}

// === impl Workshop ===

impl Workshop {
    async fn run(&self, job: &Job) -> Result<Vec<Rendition>, Words> {
        command::check(&job.profiles)?;
        let place = self.places.acquire().await;
        let _place = place.expect("the semaphore is never closed");
        let folder = tempfile::tempdir_in(self.scratch.path()).map_err(|cause| broken(&cause))?;
        let done = tokio::time::timeout(PATIENCE, self.transcode(job, folder.path())).await;
        done.unwrap_or_else(|_| Err("Remote transcoder took too long".to_owned()))
    }

    async fn transcode(&self, job: &Job, folder: &Path) -> Result<Vec<Rendition>, Words> {
        write(&folder.join(command::INPUT), &job.input)
            .await
            .map_err(|cause| broken(&cause))?;
        let mut child = Command::new(&self.ffmpeg)
            .args(command::arguments(&job.profiles, job.slice))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| broken(&cause))?;
        let said = listen(child.stderr.take()).await;
        let status = child.wait().await.map_err(|cause| broken(&cause))?;
        if !status.success() {
            let words = report::failure(&said);
            tracing::warn!(%status, words, said = tail(&said), "ffmpeg failed");
            return Err(words.to_owned());
        }
        let report = Report::read(&said);
        let mut renditions = Vec::with_capacity(job.profiles.len());
        for (index, profile) in job.profiles.iter().enumerate() {
            let data = tokio::fs::read(folder.join(command::output(index, profile)))
                .await
                .map_err(|cause| broken(&cause))?;
            let frames = report.frames(index);
            if data.len() < MIN_RENDITION_BYTES || frames == 0 {
                return Err("ZeroSegments".to_owned());
            }
            let (width, height) = report
                .size(index)
                .unwrap_or((profile.width.into(), profile.height.into()));
            renditions.push(Rendition {
                data: vec![Bytes::from(data)].into(),
                pixels: frames * width * height,
            });
        }
        Ok(renditions)
    }
}

async fn write(path: &Path, data: &Parts) -> std::io::Result<()> {
    let mut file = tokio::fs::File::create(path).await?;
    for part in data.iter() {
        file.write_all(part).await?;
    }
    file.flush().await
}

/// Beginning and end of what a process says; the rest of a long complaint is dropped.
async fn listen(stream: Option<tokio::process::ChildStderr>) -> String {
    let Some(mut stream) = stream else {
        return String::new();
    };
    let (mut said, mut chunk) = (Vec::new(), vec![0; 16 * 1024]);
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        said.extend_from_slice(&chunk[..read]);
        if said.len() > 4 * KEPT {
            said.drain(KEPT..said.len() - KEPT);
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn tail(said: &str) -> &str {
    said.trim_end().rsplit('\n').next().unwrap_or_default()
}

/// The machine's fault, not the segment's.
fn broken(cause: &std::io::Error) -> Words {
    tracing::error!(%cause, "the transcoder is broken");
    "ErrTranscoderUnavailable".to_owned()
}
