//! What happens, again and again: the busiest orchestrator dies and comes back, another policy takes over, and the old one returns.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use pointsman_devnet::{Devnet, Orchestrator};
use reqwest::Method;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::publisher::STREAM;
use crate::cli::Admin;
use crate::command::policy::call;

/// A bundle to swap in.
#[derive(Debug)]
pub(super) struct Bundle {
    tar: Vec<u8>,
    folder: String,
}

/// The director.
#[derive(Debug)]
pub(super) struct Scenes<'a> {
    devnet: &'a Devnet,
    admin: &'a Admin,
    bundle: &'a Bundle,
    pace: Duration,
    began: Instant,
}

/// How often things are looked at while waiting.
const LOOK: Duration = Duration::from_millis(20);
/// The stream's first segment takes this long at most, on a machine that is busy.
const FIRST_SEGMENT: Duration = Duration::from_secs(180);

// === impl Bundle ===

impl Bundle {
    /// Reads it now, so that a missing one is known before anything runs.
    pub(super) fn read(folder: &Path, pack: impl Fn(&Path) -> Result<Vec<u8>>) -> Result<Self> {
        let folder_name = folder.display().to_string();
        let tar = match folder.join(pointsman_bundler::MANIFEST).is_file() {
            true => pack(folder)?,
            false => anyhow::bail!(
                "no built bundle in {folder_name}: run `pointsman policy build examples/prefer-cheapest` in the repository, or `make demo`"
            ),
        };
        Ok(Self {
            tar,
            folder: folder_name,
        })
    }
}

// === impl Scenes ===

impl<'a> Scenes<'a> {
    pub(super) fn new(
        devnet: &'a Devnet,
        admin: &'a Admin,
        bundle: &'a Bundle,
        pace: Duration,
    ) -> Self {
        Self {
            devnet,
            admin,
            bundle,
            pace,
            began: Instant::now(),
        }
    }

    /// Ends only with an error.
    pub(super) async fn play(&self) -> Result<()> {
        let first = async {
            while self.stream().await?.by.is_none() {
                sleep(LOOK).await;
            }
            anyhow::Ok(())
        };
        timeout(FIRST_SEGMENT, first)
            .await
            .context("no segment of the test stream came back")??;
        self.say(&format!(
            "{} has transcoded the first segment",
            self.doer().await?
        ));
        loop {
            sleep(self.pace).await;
            let victim = self.kill_the_busiest().await?;
            sleep(self.pace).await;
            victim.start().await?;
            self.say(&format!("{} is started again", victim.name()));
            sleep(self.pace).await;
            self.swap().await?;
            sleep(self.pace).await;
            self.roll_back().await?;
        }
    }

    /// Kills the one that carries the stream, in the middle of a segment where that can be had.
    async fn kill_the_busiest(&self) -> Result<Orchestrator> {
        let name = self.doer().await?;
        let victim = self
            .devnet
            .orchestrator(&name)
            .context("the stream's orchestrator is none of the devnet's")?
            .clone();
        let at_work = async {
            loop {
                let counters = victim.counters();
                if counters.segments
                    > counters.results_ok + counters.results_failed + counters.refused
                {
                    return;
                }
                sleep(LOOK).await;
            }
        };
        // It may idle by now: then it dies idle.
        let _ = timeout(self.pace.min(Duration::from_secs(5)), at_work).await;
        victim.kill().await;
        self.say(&format!(
            "{name}, the busiest, is killed in the middle of its work"
        ));
        self.follow(&name).await?;
        Ok(victim)
    }

    async fn swap(&self) -> Result<()> {
        let before = self.doer().await?;
        let answer = call(
            self.admin,
            Method::POST,
            "policy/activate",
            self.bundle.tar.clone(),
        )
        .await?;
        self.say(&format!(
            "pointsman policy activate {}: {}",
            self.bundle.folder,
            generation(&answer)
        ));
        self.follow(&before).await
    }

    async fn roll_back(&self) -> Result<()> {
        let answer = call(self.admin, Method::POST, "policy/rollback", Vec::new()).await?;
        self.say(&format!(
            "pointsman policy rollback: {}",
            generation(&answer)
        ));
        Ok(())
    }

    /// Says who takes the stream over, if somebody does before the next thing happens.
    async fn follow(&self, before: &str) -> Result<()> {
        let asked = Instant::now();
        while asked.elapsed() < self.pace {
            let now = self.doer().await?;
            if now != before {
                let Stream {
                    transcoded, gaps, ..
                } = self.stream().await?;
                self.say(&format!(
                    "  {now} has taken over; {transcoded} segments so far, {gaps} lost"
                ));
                return Ok(());
            }
            sleep(LOOK * 5).await;
        }
        self.say(&format!("  {before} goes on for now"));
        Ok(())
    }

    /// The name of the one who did the stream's last segment.
    async fn doer(&self) -> Result<String> {
        let uri = self.stream().await?.by.context("the test stream is gone")?;
        let doer = self
            .devnet
            .orchestrators()
            .iter()
            .find(|orchestrator| orchestrator.uri() == uri);
        Ok(doer.map_or(uri.clone(), |doer| doer.name().to_owned()))
    }

    async fn stream(&self) -> Result<Stream> {
        let answer = call(self.admin, Method::GET, "streams", Vec::new()).await?;
        let streams = answer["streams"].as_array().into_iter().flatten();
        let stream = streams
            .into_iter()
            .find(|stream| stream["name"] == STREAM)
            .unwrap_or(&Value::Null);
        Ok(Stream {
            by: stream["orchestrator"].as_str().map(str::to_owned),
            transcoded: stream["transcoded"].as_u64().unwrap_or(0),
            gaps: stream["gaps"].as_u64().unwrap_or(0),
        })
    }

    fn say(&self, what: &str) {
        let seconds = self.began.elapsed().as_secs();
        println!("{:>3}:{:02}  {what}", seconds / 60, seconds % 60);
    }
}

/// What matters of a stream here.
struct Stream {
    by: Option<String>,
    transcoded: u64,
    gaps: u64,
}

fn generation(answer: &Value) -> String {
    let active = &answer["active"];
    format!(
        "generation {} is {}",
        active["number"],
        active["name"].as_str().unwrap_or("?")
    )
}
