//! The directory as others hold it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use pointsman_facts::{Symbol, Workload};
use pointsman_wire::net::OrchestratorInfo;
use pointsman_wire::uri::ServiceUri;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::core::Core;
use crate::history::History;
use crate::orchestrator::Orchestrator;
use crate::prober::{Ask, Probing};
use crate::rest::Rest;
use crate::running::Running;
use crate::saver;
use crate::snapshot::{Present, Row, Snapshot};
use crate::source::{self, Leaderboard, Page, PageError, Poller, Registered, Registry, Sources};
use crate::store::{Rows, Store, StoreError};
use crate::summary::Summary;
use crate::table::Table;
use crate::terms::Terms;
use crate::view::{Query, View};

/// How a directory starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where orchestrators come from.
    pub sources: Sources,
    /// How they are probed.
    pub probing: Probing,
    /// A leaderboard of their performance.
    pub leaderboard: Option<Leaderboard>,
    /// Least performance score that gets work as long as somebody who can do it has so much; 0 asks for none.
    pub least_perf: f64,
    /// Who says whether they can be paid; `None`: nobody is paid.
    pub terms: Option<Terms>,
    /// Its database; `None`: what is learnt is lost with the process. The folder must exist.
    pub database: Option<PathBuf>,
    /// What time it is.
    pub clock: Clock,
    /// Seed of the jitter.
    pub seed: u64,
}

/// The live table of all known orchestrators. Copies are the same directory; it stops when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Directory {
    pub(crate) core: Arc<Core>,
    _stop: Arc<DropGuard>,
}

/// Why a directory cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its webhook or its leaderboard.
    #[error(transparent)]
    Page(#[from] PageError),
}

/// How far the first round of probes has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Orchestrators known.
    pub known: usize,
    /// Of those, the ones that some job could go to.
    pub usable: usize,
    /// Of those, the ones whose first probe has not come back.
    pub waiting: usize,
    /// Whether the webhook, if there is one, has answered or failed once.
    pub webhook: bool,
}

// === impl Directory ===

impl Directory {
    /// Loads what is remembered, makes the sources' orchestrators known and begins to probe them. Needs a tokio runtime;
    /// returns before anyone has answered ([`Directory::settled`] waits for that).
    ///
    /// # Errors
    ///
    /// When the database's folder cannot be written, or no HTTP client for the webhook can be made. A database that cannot be
    /// read is no error: it is moved aside, with a warning.
    pub async fn start(settings: Settings, ask: Arc<dyn Ask>) -> Result<Self, StartError> {
        let Settings {
            sources,
            probing,
            leaderboard,
            least_perf,
            terms,
            database,
            clock,
            seed,
        } = settings;
        let poller = sources.webhook.clone().map(Poller::new).transpose()?;
        let board = leaderboard
            .map(|board| Page::new(board.url.clone(), board.timeout).map(|page| (page, board)))
            .transpose()?;
        let (store, rows) = open(database, clock.unix_ms()).await?;
        let mut history = History::default();
        for row in rows.records {
            let key = row.key;
            if let Some(record) = row.record() {
                history.restore(key, record);
            }
        }
        let table = Table::remembering(rows.orchestrators, terms, sources.blocklist.clone());
        let nobody = Snapshot::new(
            0,
            Arc::new(Present::of(&table, least_perf)),
            Default::default(),
        );
        let stop = CancellationToken::new();
        let core = Arc::new(Core {
            clock,
            seed,
            permits: Semaphore::new(probing.concurrency.max(1)),
            probing,
            ask,
            sources,
            least_perf,
            named: Mutex::default(),
            table: Mutex::new(table),
            history: Mutex::new(history),
            current: ArcSwap::from_pointee(nobody),
            publishing: Mutex::new(0),
            attempted: Notify::new(),
            progress: watch::Sender::default(),
            webhook_heard: AtomicBool::new(poller.is_none()),
            usable: AtomicUsize::new(0),
            stop: stop.clone(),
            tasks: TaskTracker::new(),
        });
        core.name(&core.named.lock());
        core.tasks.spawn(Arc::clone(&core).publish_history());
        core.tasks.spawn(saver::run(Arc::clone(&core), store));
        if let Some(poller) = poller {
            let told = Arc::clone(&core);
            let heard = move |list| told.heard(list);
            let rng = fastrand::Rng::with_seed(seed);
            let run = source::run(poller, rng, stop.child_token(), heard);
            core.tasks.spawn(run);
        }
        if let Some((page, board)) = board {
            let told = Arc::clone(&core);
            let heard = move |scores| told.scored(scores);
            let rng = fastrand::Rng::with_seed(seed);
            let run = source::follow_scores(page, board, rng, stop.child_token(), heard);
            core.tasks.spawn(run);
        }
        Ok(Self {
            core,
            _stop: Arc::new(stop.drop_guard()),
        })
    }

    /// Waits until every known orchestrator, the webhook's included, has answered or failed once, or `longest` has passed.
    pub async fn settled(&self, longest: Duration) -> Settled {
        let mut progress = self.core.progress.subscribe();
        let all = async {
            while !self.progress().is_settled() {
                // The sender lives in `core`, so this cannot fail.
                let _ = progress.changed().await;
            }
        };
        let _ = timeout(longest, all).await;
        self.progress()
    }

    /// The candidates of a job. No network, no waiting: microseconds.
    #[must_use]
    pub fn candidates(&self, query: &Query) -> View {
        View::new(self.core.current.load_full(), query, self.core.clock)
    }

    /// The snapshot that decisions made now rest on.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.core.current.load_full()
    }

    /// Publishes what was learnt at once, instead of within 50 ms.
    pub fn publish(&self) {
        self.core.publish(true);
    }

    /// Takes in what a chain has registered, which makes orchestrators known where the [sources](Sources::registry) say so. Call it
    /// whenever the chain was read: what is not new changes nothing.
    pub fn register(&self, registry: Registry) {
        self.core.registered(registry);
    }

    /// Everybody registered, in the order of the chain, with the reason why where one is no candidate. `None`: it was not read yet.
    #[must_use]
    pub fn registered(&self) -> Option<Vec<Registered>> {
        Some(self.core.roll()?.registered.clone())
    }

    /// Says whether somebody else than the registry names an orchestrator of this host: its address is then the operator's word. Holds no
    /// share in the directory.
    pub fn vouching(&self) -> impl Fn(&str) -> bool + Send + Sync + use<> {
        let core = Arc::downgrade(&self.core);
        move |host: &str| core.upgrade().is_some_and(|core| core.vouches_for(host))
    }

    /// Begins an attempt on `id`. One that is no longer known is counted into its history all the same.
    pub fn begin(&self, id: Symbol, workload: Workload, model: Symbol) -> Running {
        Running::new(&self.core, id, workload, model)
    }

    /// Lets an orchestrator rest, within the rules of [`Rest`].
    pub fn rest(&self, id: Symbol, rest: Duration) -> Rest {
        let answer = self
            .core
            .table
            .lock()
            .rest(id, rest, self.core.clock.unix_ms());
        let label = match answer {
            Rest::Granted(_) => "granted",
            Rest::Refused | Rest::Unknown => "refused",
        };
        metrics::counter!("pointsman_directory_rests_total", "answer" => label).increment(1);
        answer
    }

    /// The latest answer of an orchestrator that no session uses yet, once: it opens a session without a call. `None` when
    /// it was taken already or its token is near its end.
    #[must_use]
    pub fn take_offer(&self, id: Symbol) -> Option<OrchestratorInfo> {
        self.core
            .orchestrator(id)?
            .take_offer(self.core.clock.unix_ms())
    }

    /// Takes in what a session was told by its orchestrator: fresher than any probe. The price must be the base price, as
    /// for transcoding; answers to questions that name capacities carry the job's own.
    pub fn observe(&self, id: Symbol, info: &OrchestratorInfo) {
        self.core.observed(id, info);
    }

    /// Every known orchestrator, for people to read.
    #[must_use]
    pub fn list(&self) -> Vec<Summary> {
        self.core.summaries()
    }

    /// What everybody who answered said of themselves, less what is secret.
    #[must_use]
    pub fn answers(&self) -> Vec<(ServiceUri, OrchestratorInfo)> {
        let snapshot = self.snapshot();
        let answered = |row: &Row| Some((row.orchestrator.uri.clone(), row.facts.as_ref()?.kept()));
        snapshot.present.rows.iter().filter_map(answered).collect()
    }

    /// An orchestrator by its identity.
    #[must_use]
    pub fn orchestrator(&self, id: Symbol) -> Option<Arc<Orchestrator>> {
        self.core.orchestrator(id)
    }

    /// The time it goes by.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.core.clock
    }

    /// Stops probing and saves. Jobs that still run may go on asking; nothing new is learnt or kept.
    pub async fn shutdown(&self) {
        self.core.stop.cancel();
        self.core.tasks.close();
        self.core.tasks.wait().await;
    }

    fn progress(&self) -> Settled {
        let table = self.core.table.lock();
        let waiting = |entry: &&crate::table::Entry| !entry.standing.tried;
        Settled {
            known: table.entries().len(),
            usable: table.usable(),
            waiting: table.entries().filter(waiting).count(),
            webhook: self.core.webhook_heard.load(Ordering::Acquire),
        }
    }
}

async fn open(path: Option<PathBuf>, now_ms: u64) -> Result<(Option<Store>, Rows), StoreError> {
    let Some(path) = path else {
        return Ok((None, Rows::default()));
    };
    let file = path.clone();
    let opened = tokio::task::spawn_blocking(move || Store::open(&file, now_ms)).await;
    let (store, rows) = opened.unwrap_or_else(|cause| Err(StoreError::new(&path, cause)))?;
    Ok((Some(store), rows))
}

// === impl Settled ===

impl Settled {
    /// Whether everyone has answered or failed.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.webhook && self.waiting == 0
    }
}

// === impl Settings ===

impl Default for Settings {
    /// Nobody known, nothing kept.
    fn default() -> Self {
        Self {
            sources: Sources::default(),
            probing: Probing::default(),
            leaderboard: None,
            least_perf: 0.0,
            terms: None,
            database: None,
            clock: Clock::system(),
            seed: fastrand::u64(..),
        }
    }
}
