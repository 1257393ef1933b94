//! How a host is set up.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use crate::engine::Allocation;
use crate::limits::Limits;

/// How the host is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// What a policy may use up.
    pub limits: Limits,
    /// How instances get their memory.
    pub allocation: Allocation,
    /// Most decisions kept in memory.
    pub decisions: NonZeroUsize,
    /// Most bytes they may hold together, about.
    pub decision_bytes: usize,
    /// When a generation is taken out.
    pub quarantine: Quarantine,
    /// Whether a candidate of unknown price passes under a hard ceiling: yes where nobody quotes prices, no where money is paid.
    pub unpriced_passes: bool,
    /// Generations kept to roll back to, besides the active one.
    pub keep: NonZeroUsize,
    /// Folder for compiled policies, made when it is missing and private to this user; `None`: every start compiles.
    pub cache: Option<PathBuf>,
    /// Most bytes in that folder; the ones used longest ago make room.
    pub cache_bytes: u64,
    /// One decision in so many, and one question to failover in a hundredth of that, is asked again of fresh instances, in the background; `None`:
    /// none is.
    pub purity_sample: Option<NonZeroU32>,
    /// When a canary is rolled back.
    pub canary: CanaryRule,
}

/// How many faults are too many.
#[derive(Clone, Copy, Debug)]
pub struct Quarantine {
    /// So many faults …
    pub faults: NonZeroUsize,
    /// … within so long, by the jobs' clocks.
    pub within: Duration,
}

/// When a canary is rolled back.
#[derive(Clone, Copy, Debug)]
pub struct CanaryRule {
    /// Outcomes of the canary before it is judged.
    pub outcomes: NonZeroU32,
    /// How much larger its share of failed jobs may be than the active generation's: 0.05 is five points.
    pub worse: f64,
    /// Faults of its policies that end it at once.
    pub faults: NonZeroU32,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        const fn some(count: usize) -> NonZeroUsize {
            NonZeroUsize::new(count).expect("above zero")
        }
        Self {
            limits: Limits::default(),
            allocation: Allocation::default(),
            decisions: some(4096),
            decision_bytes: 32 << 20,
            quarantine: Quarantine {
                faults: some(5),
                within: Duration::from_secs(60),
            },
            unpriced_passes: true,
            keep: some(3),
            cache: None,
            cache_bytes: 256 << 20,
            purity_sample: NonZeroU32::new(1000),
            canary: CanaryRule::default(),
        }
    }
}

// === impl CanaryRule ===

impl Default for CanaryRule {
    fn default() -> Self {
        Self {
            outcomes: const { NonZeroU32::new(30).expect("above zero") },
            worse: 0.05,
            faults: const { NonZeroU32::new(3).expect("above zero") },
        }
    }
}
