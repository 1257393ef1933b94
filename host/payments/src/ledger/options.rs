//! What an operator decides about the ledger.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy::primitives::U256;

/// The wall clock, handed in.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The most that may be spent, in wei; `None` is no limit. All of them are checked before a payment leaves, against what has
/// left or may have, whatever became of it. Days are UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// What one ticket may be worth.
    pub ticket: Option<U256>,
    /// What the tickets of one payment may be worth together.
    pub payment: Option<U256>,
    /// What one job may spend in its life, as far as its attempts are [kept](Options::keep).
    pub job: Option<U256>,
    /// What one API key may spend in a day.
    pub key_day: Option<U256>,
    /// What may be spent in a day altogether.
    pub day: Option<U256>,
}

/// How a ledger is opened.
#[derive(Clone)]
pub struct Options {
    /// The caps at the start; [`set_caps`](super::Ledger::set_caps) changes them.
    pub caps: Caps,
    /// The most, in wei, that one session may have paid without its being on disk yet (a *cover*). 0: every payment waits until it
    /// is on disk, and after a power loss no payment is listed that did not leave.
    pub cover: U256,
    /// How long attempts are kept one by one; sums are kept for ever. At least two days.
    pub keep: Duration,
    /// What time it is.
    pub clock: Clock,
    /// What names this start of the machine: a crash of the process alone loses nothing that was written, and only the same name
    /// proves that it was that. `None` where there is no such name: then every crash counts as a power loss.
    pub boot: Option<String>,
}

// === impl Options ===

impl Default for Options {
    /// No caps, covers of up to 2·10^13 wei (one payment of the largest kind that go-livepeer makes), attempts kept 90 days, the
    /// system's clock, the kernel's name for this boot (Linux).
    fn default() -> Self {
        Self {
            caps: Caps::default(),
            cover: U256::from(20_000_000_000_000_u64),
            keep: Duration::from_secs(90 * 24 * 3600),
            clock: Arc::new(SystemTime::now),
            boot: this_boot(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("caps", &self.caps)
            .field("cover", &self.cover)
            .field("keep", &self.keep)
            .field("boot", &self.boot)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Milliseconds since 1970; 0 before.
    pub(super) fn now_ms(&self) -> u64 {
        let since = (self.clock)().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }
}

fn this_boot() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
