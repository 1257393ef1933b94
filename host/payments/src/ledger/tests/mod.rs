//! The ledger from outside, and cut to pieces.

mod caps;
mod crash;
mod disk;
mod files;
mod lately;
mod life;
mod model;
mod upkeep;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use alloy::primitives::{Address, B256, U256};
use num_bigint::BigInt;
use pointsman_wire::amount::Ratio;

use super::engine::Engine;
use super::file::Disk;
use super::{
    Amount, AttemptId, Caps, Draft, End, Issued, Ledger, LedgerError, Options, Sum, Totals,
};

/// 2026-01-01T00:00:00Z.
const NEW_YEAR_MS: u64 = 1_767_225_600_000;

const HOUR_MS: u64 = 3_600_000;

/// A clock that stands until it is moved.
#[derive(Clone)]
struct Time(Arc<AtomicU64>);

impl Time {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(NEW_YEAR_MS)))
    }

    fn pass(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// Options that tell this time, in the boot "one".
    fn options(&self) -> Options {
        let at = Arc::clone(&self.0);
        Options {
            clock: Arc::new(move || UNIX_EPOCH + Duration::from_millis(at.load(Ordering::SeqCst))),
            boot: Some("one".to_owned()),
            ..Options::default()
        }
    }
}

/// A payment of `tickets` tickets worth 10 1/3 wei each, for the job "job".
fn draft(tickets: u32, hash: u8) -> Draft {
    Draft {
        recipient: Address::repeat_byte(1),
        sender: Address::repeat_byte(2),
        rand_hash: B256::repeat_byte(hash),
        tickets,
        expected_value: Ratio::new(BigInt::from(31), BigInt::from(3)),
        face_value: U256::from(1_000_000),
        session: "session".to_owned(),
        job: "job".to_owned(),
        key: None,
        workload: "transcode",
        units: 100,
    }
}

/// What `tickets` such tickets are worth.
fn worth(tickets: u32) -> Amount {
    let ticket = Amount::from_ratio(&draft(1, 0).expected_value);
    let all = ticket.and_then(|ticket| ticket.times(tickets));
    all.expect("a small amount")
}

/// An engine whose file is not synced, to be cut.
fn engine(path: &Path, options: Options) -> Engine {
    Engine::open(path, options, Disk::Simulated).expect("a ledger")
}

fn ledger(path: &Path, options: Options) -> Ledger {
    Ledger::open_on(path, options, Disk::Simulated).expect("a ledger")
}

fn refused(path: &Path) -> LedgerError {
    Ledger::open(path, Options::default()).expect_err("a file that is refused")
}

/// Drafts one payment alone.
fn one(engine: &mut Engine, draft: Draft) -> Result<Issued, LedgerError> {
    let mut placed = engine.batch(vec![draft]);
    assert_eq!(placed.len(), 1);
    placed.remove(0).map(|placed| placed.issued)
}

/// Ends an attempt and writes that.
fn settle(engine: &mut Engine, attempt: AttemptId, end: End) {
    engine.end(attempt, end);
    engine.batch(Vec::new());
}

fn totals(engine: &Engine, time: &Time) -> Totals {
    let now_ms = time.0.load(Ordering::SeqCst);
    engine.book.accounts.lock().totals(now_ms)
}

/// The caps with one of them changed.
fn caps(change: impl FnOnce(&mut Caps)) -> Caps {
    let mut caps = Caps::default();
    change(&mut caps);
    caps
}
