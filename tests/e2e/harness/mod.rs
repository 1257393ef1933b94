//! What tests of the whole program need: [`Stage`] puts a gateway before orchestrators, [`Gateway::pushing`] sends it segments.

mod api;
pub(crate) mod bundle;
mod gateway;
pub(crate) mod hired;
pub(crate) mod media;
mod multipart;
pub(crate) mod node;
pub(crate) mod play;
mod prices;
pub(crate) mod publisher;
mod push;
pub(crate) mod till;
pub(crate) mod webhook;

use std::num::NonZeroUsize;
use std::time::Duration;

use pointsman_devnet::{Devnet, Orchestrator, Profile};
use tokio::time::Instant;

pub(crate) use api::Tried;
pub(crate) use gateway::Gateway;
pub(crate) use push::Pushed;

/// How long segments last by the word of those who push them: the time in which a failure must be overcome. Longer than their media,
/// so that a machine that stands still for some seconds does not decide the outcome.
pub(crate) const SEGMENT: Duration = Duration::from_secs(12);

/// How long the media of [`media::segment`] lasts, for tests of what takes several times as long.
pub(crate) const SHORT: Duration = Duration::from_secs(2);

/// Flags of a gateway that never hedges: what fails at once is then seen as it is, however slow the machine.
pub(crate) const NO_HEDGES: [&str; 4] =
    ["--hedge-budget-percent", "0", "--hedge-budget-floor", "0"];

/// For what must come true sooner or later; only a test that fails waits as long.
const PATIENCE: Duration = Duration::from_secs(180);

/// A gateway and its orchestrators.
pub(crate) struct Stage {
    // The order matters: the gateway goes first.
    pub(crate) gateway: Gateway,
    pub(crate) devnet: Devnet,
}

// === impl Stage ===

impl Stage {
    /// `count` orchestrators that give every segment back as it is, and a gateway that knows all of them.
    pub(crate) async fn passthrough(count: usize, flags: &[&str]) -> Self {
        Self::start(Profile::passthrough(some(count)), flags).await
    }

    /// One orchestrator that transcodes, and a gateway.
    pub(crate) async fn transcoding(flags: &[&str]) -> Self {
        Self::start(Profile::orchestrators(NonZeroUsize::MIN), flags).await
    }

    /// Returns when the gateway has an answer from every orchestrator that runs.
    pub(crate) async fn start(profile: Profile, flags: &[&str]) -> Self {
        let stage = Self::unready(profile, flags).await;
        stage
            .gateway
            .usable(stage.devnet.orchestrators().len())
            .await;
        stage
    }

    /// The same without waiting for orchestrators.
    pub(crate) async fn unready(profile: Profile, flags: &[&str]) -> Self {
        let devnet = pointsman_devnet::start(profile).await.expect("a devnet");
        let list = devnet.uris().join(",");
        // Probes would change what orchestrators are known for, and count as calls.
        let mut all = vec!["--orch-addr", &list, "--probe-interval", "1h"];
        all.extend(flags);
        Self {
            gateway: Gateway::start(&all).await,
            devnet,
        }
    }

    /// The orchestrator that did the job well.
    pub(crate) async fn winner(&self, job: &str) -> Orchestrator {
        let tried = self.gateway.tried(job).await;
        let won = tried
            .iter()
            .find(|tried| tried.outcome == "ok")
            .expect("somebody did it");
        self.named(&won.uri)
    }

    fn named(&self, uri: &str) -> Orchestrator {
        let mut all = self.devnet.orchestrators().iter();
        all.find(|one| one.uri() == uri)
            .expect("one of ours")
            .clone()
    }

    /// Calls for an offer, over all orchestrators.
    pub(crate) fn discoveries(&self) -> u64 {
        self.devnet
            .orchestrators()
            .iter()
            .map(|one| one.counters().get_orchestrator)
            .sum()
    }

    /// Segments sent, over all orchestrators.
    pub(crate) fn segments(&self) -> u64 {
        self.devnet
            .orchestrators()
            .iter()
            .map(|one| one.counters().segments)
            .sum()
    }
}

/// Waits until `holds`.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn some(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("at least one")
}
