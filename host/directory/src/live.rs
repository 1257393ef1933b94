//! What changes without a new snapshot, as it was at one moment.
//!
//! It is taken down in a job's way, so little is written: most orchestrators run nothing and do not rest, and only the others are noted. What
//! their probes said changes now and then, and is one copy for all moments until it does.

use std::iter::repeat_n;
use std::sync::Arc;

use crate::clock::Clock;
use crate::orchestrator;
use crate::snapshot::{Present, Row};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    rows: usize,
    lively: Vec<Lively>,
    probes: Arc<Probes>,
}

/// Whoever runs something, or rests.
#[derive(Clone, Copy, Debug)]
struct Lively {
    row: u32,
    in_flight: u32,
    rest_ms: u64,
}

/// The outcomes of the last probes, by row.
#[derive(Debug)]
pub(crate) struct Probes {
    /// Of [`orchestrator::probed`], before they were read.
    version: u64,
    /// NaN unknown.
    pub(crate) ms: Vec<f64>,
    pub(crate) failures: Vec<u64>,
}

// === impl Live ===

impl Live {
    /// As it is now, read in one pass: a row is a pointer to follow.
    pub(crate) fn of(present: &Present, clock: &Clock) -> Self {
        let mut lively = Vec::new();
        let mut now_ms = None;
        for (row, Row { orchestrator, .. }) in (0..).zip(&present.rows) {
            let in_flight = orchestrator.in_flight();
            let until_ms = orchestrator.rest_until_ms();
            if in_flight == 0 && until_ms == 0 {
                continue;
            }
            // Most never rested: then the clock need not be read.
            let rest_ms = match until_ms {
                0 => 0,
                until => until.saturating_sub(*now_ms.get_or_insert_with(|| clock.unix_ms())),
            };
            if in_flight == 0 && rest_ms == 0 {
                continue;
            }
            if lively.capacity() == 0 {
                lively.reserve(present.rows.len() / 8 + 1);
            }
            lively.push(Lively {
                row,
                in_flight: u32::try_from(in_flight).unwrap_or(u32::MAX),
                rest_ms,
            });
        }
        Self {
            rows: present.rows.len(),
            lively,
            probes: present.probes(),
        }
    }

    pub(crate) fn in_flight(&self) -> Vec<u64> {
        self.spread(|lively| lively.in_flight.into())
    }

    pub(crate) fn rest_ms(&self) -> Vec<u64> {
        self.spread(|lively| lively.rest_ms)
    }

    pub(crate) fn probes(&self) -> &Probes {
        &self.probes
    }

    fn spread(&self, of: impl Fn(&Lively) -> u64) -> Vec<u64> {
        // `vec!` would ask for memory that is zero already, which takes the allocator's slow way.
        let mut column: Vec<u64> = repeat_n(0, self.rows).collect();
        for lively in &self.lively {
            column[lively.row as usize] = of(lively);
        }
        column
    }
}

// === impl Probes ===

impl Probes {
    pub(crate) fn of(rows: &[Row]) -> Self {
        let version = orchestrator::probed();
        let orchestrators = || rows.iter().map(|row| &row.orchestrator);
        Self {
            version,
            ms: orchestrators().map(|one| one.probe_ms()).collect(),
            failures: orchestrators().map(|one| one.probe_failures()).collect(),
        }
    }

    /// Whether nobody was probed since.
    pub(crate) fn holds(&self) -> bool {
        self.version == orchestrator::probed()
    }
}
