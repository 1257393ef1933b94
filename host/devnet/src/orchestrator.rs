//! One orchestrator, as tests and the control route hold it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pointsman_wire::sign::Address;
use pointsman_wire::token::Secret;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chain::RpcError;
use crate::change::Change;
use crate::counters::Counters;
use crate::devnet::Error;
use crate::failure::Rules;
use crate::node::{Life, Node};
use crate::price::Price;
use crate::profile::{Mode, OrchestratorProfile};
use crate::recipient::{Recipient, Takings};
use crate::session::Sessions;
use crate::transcode::Transcoder;
use crate::{serve, tls};

/// How long requests may end in when an orchestrator is stopped and not killed.
const GRACE: Duration = Duration::from_secs(5);

/// An orchestrator of a devnet. Cheap to clone; every clone is the same one.
#[derive(Clone, Debug)]
pub struct Orchestrator {
    shared: Arc<Shared>,
}

/// What it is set to now.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Unique within the devnet.
    pub name: String,
    /// Service URI.
    pub uri: String,
    /// Whether it runs: not killed, or started again.
    pub running: bool,
    /// What it does with segments.
    pub mode: Mode,
    /// What it asks; `null` for nothing.
    pub price: Option<Price>,
    /// Added to every answer, in ms.
    pub latency_ms: u64,
    /// Sessions at once.
    pub capacity: usize,
    /// Failures in force, with what is left of each count.
    pub failure: Rules,
    /// What it was asked and did.
    pub counters: Counters,
    /// What it took; not there off-chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payments: Option<Takings>,
}

#[derive(Debug)]
struct Shared {
    node: Arc<Node>,
    ffmpeg: PathBuf,
    /// Ends with the devnet.
    root: CancellationToken,
    /// Held while it is killed or started.
    switch: tokio::sync::Mutex<()>,
    life: Mutex<Option<Arc<Life>>>,
}

// === impl Orchestrator ===

impl Orchestrator {
    pub(crate) fn new(node: Node, ffmpeg: PathBuf, root: CancellationToken) -> Self {
        Self {
            shared: Arc::new(Shared {
                node: Arc::new(node),
                ffmpeg,
                root,
                switch: tokio::sync::Mutex::new(()),
                life: Mutex::new(None),
            }),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.profile().name
    }

    /// Its service URI, such as `https://127.0.0.1:8936`; the same over kills and starts.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.shared.node.uri
    }

    /// The profile it was started from.
    #[must_use]
    pub fn profile(&self) -> &OrchestratorProfile {
        &self.shared.node.profile
    }

    /// Whether it runs.
    #[must_use]
    pub fn running(&self) -> bool {
        let life = self.shared.life.lock();
        life.as_ref().is_some_and(|life| !life.stop.is_cancelled())
    }

    /// What it was asked and did so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let life = self.shared.life.lock().clone();
        let open = life.map_or(0, |life| life.sessions.open());
        self.shared.node.tally.read(open)
    }

    /// Who is paid for its work; `None` off-chain.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        let account = self.shared.node.account.as_ref()?;
        Some(account.address())
    }

    /// What it took so far; `None` off-chain.
    #[must_use]
    pub fn takings(&self) -> Option<Takings> {
        let account = self.shared.node.account.as_ref()?;
        Some(account.takings())
    }

    /// Redeems all winners that wait, whatever its profile says of when. Returns when none is left.
    ///
    /// # Errors
    ///
    /// When the chain does not answer. A winner that the contract refuses is no error: [`Takings::failed`] counts it.
    pub async fn redeem(&self) -> Result<(), RpcError> {
        match &self.shared.node.account {
            Some(account) => account.redeem_all().await,
            None => Ok(()),
        }
    }

    /// Its settings and counters.
    #[must_use]
    pub fn status(&self) -> Status {
        let node = &self.shared.node;
        let settings = node.settings();
        Status {
            name: self.name().to_owned(),
            uri: self.uri().to_owned(),
            running: self.running(),
            mode: node.profile.mode,
            price: settings.price,
            latency_ms: settings.latency.as_millis().try_into().unwrap_or(u64::MAX),
            capacity: settings.capacity,
            failure: Rules(node.plan.rules()),
            counters: self.counters(),
            payments: self.takings(),
        }
    }

    /// Changes it from the next request on. Requests already failing go on failing.
    pub fn set(&self, change: Change) {
        self.shared.node.change(change);
    }

    /// Ends it as `kill -9` would: the listener closes, connections are cut, transcoders killed, sessions and tokens
    /// void. Its port stays reserved. Returns when all of that is done; does nothing to one that does not run.
    pub async fn kill(&self) {
        let _switch = self.shared.switch.lock().await;
        self.end(Duration::ZERO).await;
    }

    /// Starts it again under the same URI, with a new secret and a new certificate. Settings, failures and counters
    /// stay as they are. Does nothing to one that runs.
    ///
    /// # Errors
    ///
    /// When listener, certificate or temporary directory cannot be made.
    pub async fn start(&self) -> Result<(), Error> {
        let _switch = self.shared.switch.lock().await;
        if self.running() {
            return Ok(());
        }
        let node = &self.shared.node;
        let profile = &node.profile;
        let host = node.port.address().ip().to_string();
        let tls = profile.tls.then(|| tls::acceptor(&host)).transpose()?;
        let listener = node.port.listen().map_err(|cause| Error::Listen {
            name: profile.name.clone(),
            address: node.port.address(),
            cause,
        })?;
        let processes = profile.processes.get();
        let transcoder = Transcoder::new(profile.mode, &self.shared.ffmpeg, processes);
        let mut secret = [0; 32];
        fastrand::fill(&mut secret);
        let life = Arc::new(Life {
            node: node.clone(),
            secret: Secret::new(secret),
            recipient: node.account.clone().map(Recipient::new),
            sessions: Sessions::new(profile.session_idle),
            transcoder: transcoder.map_err(Error::Scratch)?,
            drain: self.shared.root.child_token(),
            stop: self.shared.root.child_token(),
            tasks: TaskTracker::new(),
        });
        *self.shared.life.lock() = Some(life.clone());
        life.tasks.spawn(serve::accept(life.clone(), tls, listener));
        if let Some(account) = node.account.clone() {
            let drain = life.drain.clone();
            let redeeming = async move { account.redeem_until(drain).await };
            life.tasks.spawn(redeeming);
        }
        Ok(())
    }

    /// Ends it politely: no new requests, and a few seconds for those that run.
    pub(crate) async fn stop(&self) {
        let _switch = self.shared.switch.lock().await;
        self.end(GRACE).await;
    }

    async fn end(&self, grace: Duration) {
        let Some(life) = self.shared.life.lock().take() else {
            return;
        };
        life.tasks.close();
        life.drain.cancel();
        if !grace.is_zero() {
            // What has not ended by then is cut below.
            let _ = tokio::time::timeout(grace, life.tasks.wait()).await;
        }
        life.stop.cancel();
        life.tasks.wait().await;
    }
}
