//! What the directory's tasks share.
//!
//! Locks are taken in the order named, publishing, table, history, and never held across an await.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use pointsman_facts::{Failure, Symbol};
use pointsman_transport::Answer;
use pointsman_wire::net::OrchestratorInfo;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use crate::clock::Clock;
use crate::history::{History, Key, Outcome};
use crate::orchestrator::Orchestrator;
use crate::past::PastColumns;
use crate::prober::{self, Ask, Probing};
use crate::snapshot::{Present, Snapshot};
use crate::source::{Announced, Registered, Registry, Roll, Rules, Scores, Sources, merge};
use crate::table::{Change, Entry, Table};

/// Shortest time between two publications of history.
const GATHER: Duration = Duration::from_millis(50);

/// Age at which history columns are computed anew though no attempt was added, ms: attempts are forgotten with time.
const STALE_MS: u64 = 30_000;

/// See the module.
pub(crate) struct Core {
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    pub(crate) probing: Probing,
    pub(crate) ask: Arc<dyn Ask>,
    pub(crate) permits: Semaphore,
    pub(crate) sources: Sources,
    pub(crate) least_perf: f64,
    pub(crate) named: Mutex<Named>,
    pub(crate) table: Mutex<Table>,
    pub(crate) history: Mutex<History>,
    pub(crate) current: ArcSwap<Snapshot>,
    /// The number of the last snapshot.
    pub(crate) publishing: Mutex<u64>,
    pub(crate) attempted: Notify,
    /// Told after every first probe and every answer of the webhook.
    pub(crate) progress: watch::Sender<()>,
    pub(crate) webhook_heard: AtomicBool,
    pub(crate) usable: AtomicUsize,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// What the sources that change with time said last.
#[derive(Debug, Default)]
pub(crate) struct Named {
    announced: Vec<Announced>,
    registry: Option<Registry>,
    roll: Arc<Roll>,
}

/// Refused entries of the registry that the log names at a time before it only counts.
const TOLD: usize = 10;

// === impl Core ===

impl Core {
    /// Makes the union of the sources the known orchestrators and probes those that are new.
    pub(crate) fn name(self: &Arc<Self>, named: &Named) {
        let known = merge(&self.sources, &named.announced, &named.roll);
        let new = {
            let mut table = self.table.lock();
            table.roll = Arc::clone(&named.roll);
            table.replace(known, self.clock.unix_ms(), &self.stop)
        };
        self.publish(true);
        for (orchestrator, cancel) in new {
            let prober = prober::run(Arc::clone(self), orchestrator, cancel);
            self.tasks.spawn(prober);
        }
    }

    /// Takes in the webhook's answer; `None` where it brought nothing new.
    pub(crate) fn heard(self: &Arc<Self>, announced: Option<Vec<Announced>>) {
        if let Some(announced) = announced {
            let mut named = self.named.lock();
            named.announced = announced;
            self.name(&named);
        }
        self.webhook_heard.store(true, Ordering::Release);
        self.progress.send_replace(());
    }

    /// Takes in what the chain says, if that is new.
    pub(crate) fn registered(self: &Arc<Self>, registry: Registry) {
        let mut named = self.named.lock();
        if named.registry.as_ref() == Some(&registry) {
            return;
        }
        let rules = Rules {
            allow_private: self
                .sources
                .registry
                .is_some_and(|terms| terms.allow_private),
            blocklist: &self.sources.blocklist,
        };
        let roll = Arc::new(Roll::of(&registry, &rules));
        if self.sources.registry.is_some() {
            tell(&named.roll, &roll);
        }
        let gauge = |state| metrics::gauge!("pointsman_directory_registered", "state" => state);
        let taken = roll.registered.iter().filter(|one| one.refused.is_none());
        gauge("all").set(approximate(roll.registered.len()));
        gauge("fit").set(approximate(taken.count()));
        named.registry = Some(registry);
        named.roll = roll;
        self.name(&named);
    }

    /// Everybody that the chain has registered, once it was read.
    pub(crate) fn roll(&self) -> Option<Arc<Roll>> {
        let named = self.named.lock();
        named.registry.as_ref()?;
        Some(Arc::clone(&named.roll))
    }

    /// Takes in what a leaderboard says.
    pub(crate) fn scored(&self, scores: Scores) {
        self.table.lock().scores = Arc::new(scores);
        self.publish(true);
    }

    /// Takes in the result of a probe and says how many failed in a row.
    pub(crate) fn probed(
        &self,
        orchestrator: &Orchestrator,
        result: Result<Answer, Failure>,
    ) -> u32 {
        let (id, now_ms) = (orchestrator.id, self.clock.unix_ms());
        let change = match result {
            Ok(answer) => self.table.lock().probed(id, Ok(answer), now_ms),
            Err(failure) => {
                debug!(uri = %orchestrator.uri, %failure, "probe failed");
                self.table.lock().probed(id, Err(&failure), now_ms)
            }
        };
        self.changed(change);
        self.progress.send_replace(());
        change.failures
    }

    /// Takes in what a session was told.
    pub(crate) fn observed(&self, id: Symbol, info: &OrchestratorInfo) {
        let change = self.table.lock().observed(id, info, self.clock.unix_ms());
        self.changed(change);
    }

    /// Takes in one attempt.
    pub(crate) fn attempted(&self, key: Key, outcome: &Outcome<'_>) {
        let now_ms = self.clock.unix_ms();
        if self.history.lock().add(key, now_ms, outcome) {
            self.attempted.notify_one();
        }
    }

    /// The orchestrator of that identity, if it is known.
    pub(crate) fn orchestrator(&self, id: Symbol) -> Option<Arc<Orchestrator>> {
        let table = self.table.lock();
        table.get(id).map(|entry| Arc::clone(&entry.orchestrator))
    }

    /// Whether the operator vouches for this host: somebody else than the registry names an orchestrator there, or one that does its work
    /// there.
    pub(crate) fn vouches_for(&self, host: &str) -> bool {
        let table = self.table.lock();
        let named = |entry: &Entry| {
            let facts = entry.standing.facts.as_deref();
            let work = facts.and_then(|facts| facts.transcoder.as_ref());
            entry.orchestrator.uri.host() == host || work.is_some_and(|uri| uri.host() == host)
        };
        let vouched = |entry: &Entry| !entry.listing.is_a_strangers() && named(entry);
        table.entries().any(vouched)
    }

    /// Whether no orchestrator is usable.
    pub(crate) fn is_idle(&self) -> bool {
        self.usable.load(Ordering::Relaxed) == 0
    }

    /// Publishes a snapshot: history that changed, and what the orchestrators and sources say when `present`.
    pub(crate) fn publish(&self, present: bool) {
        let mut number = self.publishing.lock();
        let last = self.current.load_full();
        let present = match present {
            true => Arc::new(self.see()),
            false => Arc::clone(&last.present),
        };
        let same_rows = present.id == last.present.id;
        let now_ms = self.clock.unix_ms();
        let mut past = HashMap::new();
        {
            let mut history = self.history.lock();
            let changed = history.take_unpublished();
            for work in history.works() {
                let kept = last.pasts().get(&work).filter(|columns| {
                    same_rows && now_ms.saturating_sub(columns.computed_ms) < STALE_MS
                });
                let columns = match kept {
                    None => Arc::new(PastColumns::of(&history, work, &present.id, now_ms)),
                    Some(kept) => {
                        let mut columns = Arc::clone(kept);
                        for key in changed.iter().filter(|key| key.work == work) {
                            let row = present.row_of(key.orchestrator);
                            let stats = history.stats(*key, now_ms).unwrap_or_default();
                            if let Some(row) = row {
                                Arc::make_mut(&mut columns).set(row, &stats);
                            }
                        }
                        columns
                    }
                };
                past.insert(work, columns);
            }
        }
        *number += 1;
        self.current
            .store(Arc::new(Snapshot::new(*number, present, past)));
        metrics::counter!("pointsman_directory_snapshots_total").increment(1);
    }

    /// Publishes history a little after it changed, so that many attempts make one snapshot.
    pub(crate) async fn publish_history(self: Arc<Self>) {
        let publisher = async {
            loop {
                tokio::select! {
                    () = self.attempted.notified() => {}
                    () = sleep(Duration::from_millis(STALE_MS)) => {}
                }
                self.publish(false);
                sleep(GATHER).await;
            }
        };
        let _: Option<()> = self.stop.run_until_cancelled(publisher).await;
    }

    fn changed(&self, change: Change) {
        if change.visible {
            self.publish(true);
        }
        if change.none_left {
            info!("no orchestrator is usable any more: all are asked again soon");
            for entry in self.table.lock().entries() {
                entry.orchestrator.poke();
            }
        }
    }

    fn see(&self) -> Present {
        let table = self.table.lock();
        let usable = table.usable();
        self.usable.store(usable, Ordering::Relaxed);
        let gauge = |state| metrics::gauge!("pointsman_directory_orchestrators", "state" => state);
        gauge("known").set(approximate(table.entries().len()));
        gauge("usable").set(approximate(usable));
        Present::of(&table, self.least_perf)
    }
}

/// Logs what has changed in the registry, once.
fn tell(before: &Roll, now: &Roll) {
    let why = |one: &Registered| one.refused.clone();
    let old: HashMap<_, _> = before
        .registered
        .iter()
        .map(|one| (one.address, why(one)))
        .collect();
    let new = |one: &&Registered| one.odd && old.get(&one.address) != Some(&one.refused);
    let odd: Vec<&Registered> = now.registered.iter().filter(new).collect();
    for one in odd.iter().take(TOLD) {
        let why = one.refused.as_deref().unwrap_or_default();
        warn!(orchestrator = %one.address, "the registry names an orchestrator that is not taken: {why}");
    }
    if let Some(more) = odd.len().checked_sub(TOLD).filter(|&more| more > 0) {
        warn!("… and {more} more: GET /api/v1/registry shows all");
    }
    let uris = |roll: &Roll| roll.named.keys().cloned().collect::<Vec<_>>();
    if !odd.is_empty() || uris(before) != uris(now) {
        let registered = now.registered.len();
        let taken = now
            .registered
            .iter()
            .filter(|one| one.refused.is_none())
            .count();
        info!(
            round = now.round,
            registered, taken, "the registry's orchestrators"
        );
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("snapshot", &self.current.load().number())
            .finish_non_exhaustive()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge for people")]
fn approximate(count: usize) -> f64 {
    count as f64
}
