//! Recorded traffic through another bundle.
//!
//! Decisions are independent of each other, so they are asked again on all cores, a batch at a time, while the next batch is read. Sums
//! are made in the order of the recording, so a report does not depend on how many cores there were.

mod report;
mod side;
mod table;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use pointsman_policy::{Bundle, Config, EngineError, Host, LoadError, NativeBundle};

use crate::read::{Reader, Recorded};
use crate::verdict::Verdict;
use report::Totals;
use side::Side;

pub use report::{
    Bundled, Exclusions, Orchestrator, Price, Refusals, Report, Stat, Under, WorkloadReport,
};

/// Why nothing could be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The engine does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The bundle does not load.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// One decision, before and after.
struct Compared {
    recorded: Recorded,
    /// The same to the last bit.
    identical: bool,
    before: Side,
    after: Side,
}

/// Two hosts with the bundle: where unpriced candidates pass under a ceiling, and where not. Most recordings need one.
struct Hosts<'a> {
    bundle: &'a Bundle,
    twins: Option<Arc<dyn NativeBundle>>,
    by_passes: [Option<Host>; 2],
}

/// Decisions of a batch.
const BATCH: usize = 1024;
/// Bytes of a batch, about: hostile recordings are large on purpose.
const BATCH_BYTES: usize = 64 << 20;

/// Asks `bundle` about every decision of `recordings` and says what would have been different.
///
/// # Errors
///
/// [`ReplayError`], when the bundle cannot be used. Damaged recordings are no error: the report remarks on them.
pub fn replay(
    mut recordings: Reader,
    bundle: &Bundle,
    twins: Option<Arc<dyn NativeBundle>>,
) -> Result<Report, ReplayError> {
    let mut hosts = Hosts {
        bundle,
        twins,
        by_passes: [None, None],
    };
    // Also without any decision: a bundle that does not load is an error all the same.
    hosts.prepare(true)?;
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let digest = bundle.digest().to_string();
    let mut totals = Totals::default();
    let mut batch = read(&mut recordings);
    while !batch.is_empty() {
        for recorded in &batch {
            hosts.prepare(recorded.unpriced_passes)?;
        }
        let share = batch.len().div_ceil(threads);
        let mut rest = batch;
        let mut shares = Vec::new();
        while !rest.is_empty() {
            let later = rest.split_off(share.min(rest.len()));
            shares.push(std::mem::replace(&mut rest, later));
        }
        let hosts = &hosts;
        let (compared, next) = thread::scope(|scope| {
            let workers: Vec<_> = shares
                .into_iter()
                .map(|share| {
                    let work = move || share.into_iter().map(|one| hosts.compare(one)).collect();
                    scope.spawn(work)
                })
                .collect();
            let next = read(&mut recordings);
            let compared: Vec<Vec<Compared>> = workers
                .into_iter()
                .map(|worker| {
                    worker
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect();
            (compared, next)
        });
        for one in compared.iter().flatten() {
            totals.add(one, one.recorded.policy.digest == digest);
        }
        batch = next;
    }
    let manifest = bundle.manifest();
    let replayed = Bundled {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        digest,
    };
    Ok(totals.report(replayed, recordings.remarks().to_vec()))
}

fn read(recordings: &mut Reader) -> Vec<Recorded> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let Some(recorded) = recordings.next() else {
            break;
        };
        bytes += recorded.fresh;
        batch.push(recorded);
    }
    batch
}

// === impl Hosts ===

impl Hosts<'_> {
    fn prepare(&mut self, unpriced_passes: bool) -> Result<(), ReplayError> {
        let place = &mut self.by_passes[usize::from(unpriced_passes)];
        if place.is_none() {
            let config = Config {
                unpriced_passes,
                decisions: const { NonZeroUsize::new(64).expect("above zero") },
                ..Config::default()
            };
            let host = Host::new(config, self.twins.clone())?;
            let loaded = host.load(self.bundle)?;
            host.activate(loaded, "replay");
            *place = Some(host);
        }
        Ok(())
    }

    fn compare(&self, recorded: Recorded) -> Compared {
        let host = self.by_passes[usize::from(recorded.unpriced_passes)].as_ref();
        let host = host.expect("it was prepared for every decision of the batch");
        let selection = host.select(recorded.job.clone(), &recorded.candidates);
        let verdict = Verdict::of(&selection.decision);
        Compared {
            identical: verdict.same(&recorded.verdict),
            before: Side::of(&recorded.verdict, &recorded.candidates),
            after: Side::of(&verdict, &recorded.candidates),
            recorded,
        }
    }
}
