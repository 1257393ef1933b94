//! What an orchestrator is (`Node`), and one run of it (`Life`).
//!
//! The node outlives kills: name, URI, settings, failures and counters. A life has what dies with the process of a real
//! orchestrator: the secret of its tokens, its certificate, its sessions with their renditions, its connections and its
//! transcoders.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use pointsman_wire::capabilities::{advertisement, orchestrator_default};
use pointsman_wire::net::{AuthToken, Capabilities};
use pointsman_wire::token::Secret;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::change::Change;
use crate::counters::Tally;
use crate::failure::Plan;
use crate::port::Port;
use crate::price::Price;
use crate::profile::OrchestratorProfile;
use crate::recipient::{Account, Recipient};
use crate::session::Sessions;
use crate::transcode::Transcoder;

/// The version that go-livepeer 0.9.1 advertises.
pub(crate) const VERSION: &str = "0.9.1";

/// An orchestrator, running or not.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) profile: OrchestratorProfile,
    pub(crate) uri: String,
    pub(crate) port: Port,
    pub(crate) capabilities: Capabilities,
    /// Its side of the chain; `None` off-chain.
    pub(crate) account: Option<Arc<Account>>,
    pub(crate) plan: Plan,
    pub(crate) tally: Tally,
    /// Whether the listening socket is to be closed by a failure.
    pub(crate) port_closed: watch::Sender<bool>,
    settings: Mutex<Settings>,
}

/// What can change while it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) latency: Duration,
    pub(crate) price: Option<Price>,
    pub(crate) capacity: usize,
}

/// One run of a node.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) node: Arc<Node>,
    pub(crate) secret: Secret,
    /// Who is paid; `None` off-chain.
    pub(crate) recipient: Option<Recipient>,
    pub(crate) sessions: Sessions,
    pub(crate) transcoder: Transcoder,
    /// No new requests; those that run may end.
    pub(crate) drain: CancellationToken,
    /// Everything ends at once.
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

// === impl Node ===

impl Node {
    pub(crate) fn new(
        profile: OrchestratorProfile,
        port: Port,
        account: Option<Arc<Account>>,
        seed: u64,
    ) -> Self {
        let scheme = if profile.tls { "https" } else { "http" };
        let plan = Plan::new(profile.failure.0.clone(), seed);
        Self {
            uri: format!("{scheme}://{}", port.address()),
            account,
            capabilities: advertisement(&orchestrator_default(), VERSION),
            port_closed: watch::Sender::new(plan.closes_the_port()),
            plan,
            tally: Tally::default(),
            settings: Mutex::new(Settings {
                latency: profile.latency,
                price: profile.price,
                capacity: profile.capacity,
            }),
            port,
            profile,
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        *self.settings.lock()
    }

    pub(crate) fn change(&self, change: Change) {
        if let Some(rules) = change.failure {
            self.plan.set(rules.0);
            self.port_closed.send_replace(self.plan.closes_the_port());
        }
        let mut settings = self.settings.lock();
        if let Some(latency) = change.latency {
            settings.latency = latency;
        }
        if let Some(price) = change.price {
            settings.price = price;
        }
        if let Some(capacity) = change.capacity {
            settings.capacity = capacity;
        }
    }

    /// Waits as long as the orchestrator is slow.
    pub(crate) async fn delay(&self) {
        let latency = self.settings().latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }
}

// === impl Life ===

impl Life {
    /// A token for a session of its own, valid for `life` from now, or already old.
    pub(crate) fn token(&self, expired: bool) -> AuthToken {
        let session = hex_digits();
        let life = self.node.profile.token_life.as_secs() as i64;
        let expiration = if expired { now() - 1 } else { now() + life };
        self.secret.issue(&session, expiration)
    }
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}

/// Eight, as session ids have them. From the machine's randomness, not the seed: two runs share no session.
fn hex_digits() -> String {
    format!("{:08x}", fastrand::u32(..))
}
