//! Budgets for extra work: retries and hedges may each cost at most a share of the work that was asked for.
//!
//! # Why a share and not only "three tries"
//!
//! A cap per job multiplies load exactly when there is least to spare: with every orchestrator failing, three tries make
//! three times the traffic. A share of recent first attempts bounds it whatever fails. The floor keeps a gateway with one stream
//! able to fail over at all: a fifth of one segment every two seconds would be no retry for ten seconds.
//!
//! Retries and hedges are counted apart, so that a wave of hedges against one slow orchestrator does not take away the
//! retries that a dead one needs.

use std::fmt;
use std::time::Duration;

use tower::retry::budget::{Budget as _, TpsBudget};

/// How much extra work is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Extra attempts per hundred first attempts.
    pub percent: u32,
    /// Extra attempts a second that are always allowed.
    pub floor_per_second: u32,
}

/// The budgets of one gateway; shared by all its jobs.
pub struct Budgets {
    retries: TpsBudget,
    hedges: TpsBudget,
}

/// How long a first attempt counts.
const WINDOW: Duration = Duration::from_secs(10);

// === impl Limits ===

impl Default for Limits {
    /// 20 %: rides out one bad orchestrator in five. A floor of two a second: ten streams of 2 s segments lose one
    /// orchestrator and all of them move at once.
    fn default() -> Self {
        Self {
            percent: 20,
            floor_per_second: 2,
        }
    }
}

// === impl Budgets ===

impl Budgets {
    /// Full budgets.
    #[must_use]
    pub fn new(retries: Limits, hedges: Limits) -> Self {
        let budget = |limits: Limits| {
            #[expect(clippy::cast_precision_loss, reason = "a percentage")]
            let share = limits.percent as f32 / 100.0;
            TpsBudget::new(WINDOW, limits.floor_per_second, share)
        };
        Self {
            retries: budget(retries),
            hedges: budget(hedges),
        }
    }

    /// Records a first attempt.
    pub(crate) fn deposit(&self) {
        self.retries.deposit();
        self.hedges.deposit();
    }

    /// Takes a retry; false when none is left.
    pub(crate) fn retry(&self) -> bool {
        self.retries.withdraw()
    }

    /// Takes a hedge; false when none is left.
    pub(crate) fn hedge(&self) -> bool {
        self.hedges.withdraw()
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budgets").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_outage_adds_no_more_than_the_share_and_the_floor() {
        let limits = Limits {
            percent: 20,
            floor_per_second: 1,
        };
        let budgets = Budgets::new(limits, limits);
        (0..1000).for_each(|_| budgets.deposit());
        let sent = (0..1000).filter(|_| budgets.retry()).count();
        assert!((200..=210).contains(&sent), "{sent} retries");
        assert!(budgets.hedge(), "hedges have their own");
    }
}
