//! The running chain, as the rest of the gateway sees it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::Address;
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::error::ChainError;
use crate::feed::{FeedError, FeedLimits, Quote};
use crate::follow::Follower;
use crate::network::Network;
use crate::rpc::{Endpoint, EndpointStatus, Limits, Rpc};
use crate::snapshot::Snapshots;
use crate::state::State;

/// How a chain is followed.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which one.
    pub network: Network,
    /// Whose money is followed.
    pub sender: Option<Address>,
    /// The file of the last state. `None`: nothing is kept.
    pub snapshot: Option<PathBuf>,
    /// From one look at the newest block to the next.
    pub poll: Duration,
    /// Everything is read at least this often, whatever the logs said.
    pub refresh: Duration,
    /// From one look at the price feed to the next.
    pub feed_every: Duration,
    /// What the price feed must keep to.
    pub feed: FeedLimits,
    /// A head that stands still for so long is a fault of the nodes. `None`: this chain may rest.
    pub stall: Option<Duration>,
}

/// A chain that is being followed. Cheap to clone; following ends with the last clone.
#[derive(Clone, Debug)]
pub struct Chain {
    shared: Arc<Shared>,
    rpc: Arc<Rpc>,
    options: Arc<Options>,
    _following: Arc<Following>,
}

/// How the chain is doing, for status pages and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The nodes, in the order of preference.
    pub endpoints: Vec<EndpointStatus>,
    /// Since a head was last believed. `None`: never in this process.
    pub heard: Option<Duration>,
    /// The state is from a former process; nothing was read yet.
    pub restored: bool,
    /// What is wrong now.
    pub error: Option<String>,
    /// Why the price is not the newest.
    pub feed_error: Option<FeedError>,
}

/// What the follower tells.
#[derive(Debug)]
pub(crate) struct Shared {
    state: ArcSwapOption<State>,
    changes: watch::Sender<Option<Arc<State>>>,
    sender: Mutex<Option<Address>>,
    told: Mutex<Told>,
    nudge: Notify,
}

#[derive(Debug, Default)]
struct Told {
    heard: Option<Instant>,
    live: bool,
    error: Option<String>,
    quote: Option<Quote>,
    feed_error: Option<FeedError>,
}

#[derive(Debug)]
struct Following(JoinHandle<()>);

// === impl Options ===

impl Options {
    /// The usual for `network`.
    #[must_use]
    pub fn new(network: Network) -> Self {
        // A chain of one's own may make blocks on demand only.
        let stall = network.chain_id.map(|_| Duration::from_secs(120));
        Self {
            network,
            sender: None,
            snapshot: None,
            poll: Duration::from_secs(5),
            refresh: Duration::from_secs(3600),
            feed_every: Duration::from_secs(900),
            feed: FeedLimits::default(),
            stall,
        }
    }
}

// === impl Chain ===

impl Chain {
    /// Starts to follow over HTTP. Returns at once: the state is that of the snapshot, or none until [`Chain::ready`]. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`ChainError::NoEndpoint`], or where the HTTP client or the snapshot's file cannot be used.
    pub fn start(
        options: Options,
        endpoints: Vec<Endpoint>,
        limits: Limits,
    ) -> Result<Self, ChainError> {
        if endpoints.is_empty() {
            return Err(ChainError::NoEndpoint);
        }
        let rpc = Rpc::http(endpoints, options.network.chain_id, limits);
        Self::with_rpc(options, rpc.map_err(ChainError::Client)?)
    }

    /// Starts to follow over `rpc`.
    ///
    /// # Errors
    ///
    /// Where the snapshot's file cannot be used.
    pub fn with_rpc(options: Options, rpc: Rpc) -> Result<Self, ChainError> {
        let snapshots = options.snapshot.as_deref().map(Snapshots::open);
        let snapshots = snapshots.transpose()?.map(Arc::new);
        let kept = snapshots
            .as_ref()
            .and_then(|snapshots| snapshots.load(&options.network));
        let (state, quote) = kept.map_or((None, None), |kept| (Some(kept.state), kept.quote));
        // Another sender's money is of no use; the rest is.
        let state = state.map(|mut state| {
            state.sender = state
                .sender
                .filter(|sender| Some(sender.address) == options.sender);
            Arc::new(state)
        });
        let shared = Arc::new(Shared {
            state: ArcSwapOption::new(state.clone()),
            changes: watch::Sender::new(state),
            sender: Mutex::new(options.sender),
            told: Mutex::new(Told {
                quote,
                ..Told::default()
            }),
            nudge: Notify::new(),
        });
        let (options, rpc) = (Arc::new(options), Arc::new(rpc));
        let follower = Follower::new(
            Arc::clone(&options),
            Arc::clone(&rpc),
            Arc::clone(&shared),
            snapshots,
        );
        Ok(Self {
            shared,
            rpc,
            options,
            _following: Arc::new(Following(tokio::spawn(follower.run()))),
        })
    }

    /// What is known. `None` only before the first reading of a start without snapshot.
    #[must_use]
    pub fn state(&self) -> Option<Arc<State>> {
        self.shared.state()
    }

    /// Every new state, the newest only.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Option<Arc<State>>> {
        self.shared.changes.subscribe()
    }

    /// Waits for the first state; one from the snapshot is there at once.
    ///
    /// # Errors
    ///
    /// [`ChainError::NotReady`] with the last error when `within` is over. Following goes on.
    pub async fn ready(&self, within: Duration) -> Result<Arc<State>, ChainError> {
        let mut changes = self.changes();
        let first = timeout(within, changes.wait_for(Option::is_some)).await;
        if let Ok(Ok(state)) = first
            && let Some(state) = &*state
        {
            return Ok(Arc::clone(state));
        }
        let error = self.shared.told.lock().error.clone();
        Err(ChainError::NotReady {
            seconds: within.as_secs(),
            why: error.unwrap_or_else(|| "no node has answered yet".to_owned()),
        })
    }

    /// The last good price of a currency, if the network has a feed and it ever answered.
    #[must_use]
    pub fn quote(&self) -> Option<Quote> {
        self.shared.quote()
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let told = self.shared.told.lock();
        Status {
            endpoints: self.rpc.status(),
            heard: told.heard.map(|heard| heard.elapsed()),
            restored: !told.live && self.shared.state.load().is_some(),
            error: told.error.clone(),
            feed_error: told.feed_error.clone(),
        }
    }

    /// Has everything read anew without waiting for the next poll: after a transaction of one's own.
    pub fn refresh(&self) {
        self.shared.nudge.notify_one();
    }

    /// Follows this account's money from now on.
    pub fn follow_sender(&self, sender: Address) {
        *self.shared.sender.lock() = Some(sender);
        self.refresh();
    }

    /// The nodes, for what is not followed.
    #[must_use]
    pub fn rpc(&self) -> &Arc<Rpc> {
        &self.rpc
    }

    /// The network that is followed.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.options.network
    }
}

// === impl Shared ===

impl Shared {
    pub(crate) fn state(&self) -> Option<Arc<State>> {
        self.state.load_full()
    }

    pub(crate) fn sender(&self) -> Option<Address> {
        *self.sender.lock()
    }

    pub(crate) fn quote(&self) -> Option<Quote> {
        self.told.lock().quote.clone()
    }

    /// Replaces the state. `live`: its L1 block is of now.
    pub(crate) fn publish(&self, state: State, live: bool) {
        let state = Arc::new(state);
        {
            let mut told = self.told.lock();
            if live {
                told.heard = Some(Instant::now());
                told.live = true;
            }
        }
        self.state.store(Some(Arc::clone(&state)));
        self.changes.send_replace(Some(state));
    }

    pub(crate) fn price(&self, quote: Option<&Quote>, error: Option<&FeedError>) {
        let mut told = self.told.lock();
        if let (Some(error), None) = (error, &told.feed_error) {
            tracing::warn!(%error, "the last good price stays");
        }
        told.quote = quote.cloned();
        told.feed_error = error.cloned();
    }

    /// Keeps what is wrong, and logs it when that changes.
    pub(crate) fn tell(&self, error: Option<&ChainError>) {
        let mut told = self.told.lock();
        match (error, told.error.is_some()) {
            (Some(error), false) => tracing::warn!(%error, "the chain is not followed"),
            (Some(error), true) => tracing::debug!(%error, "the chain is not followed"),
            (None, true) => tracing::info!("the chain is followed again"),
            (None, false) => {}
        }
        told.error = error.map(ToString::to_string);
    }

    pub(crate) async fn nudged(&self) {
        self.nudge.notified().await;
    }
}

// === impl Following ===

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}
