//! What a policy may use up.
//!
//! Two clocks guard every call. Fuel is the meter: it counts instructions, so the same call stops at the same place on
//! every machine and in every replay. The epoch is the guard behind it, coarse, for what fuel does not see (a long bulk copy): past
//! it a call may use as much of its thread's time again, so that a machine that is busy with others faults nobody. A bundle may ask for tighter limits than the host's, never for looser ones.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::time::Duration;

/// Limits of one call, and of the instance that answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fuel of a call with no rows. One unit is about one instruction.
    pub fuel_base: NonZeroU64,
    /// Fuel added for every row.
    pub fuel_row: u64,
    /// Fuel to instantiate, describe and configure.
    pub fuel_configure: NonZeroU64,
    /// Epoch ticks a call may last; a tick is [`Limits::TICK`].
    pub ticks: NonZeroU32,
    /// Bytes of linear memory. At most [`Limits::MAX_MEMORY`], which the engine's slots are cut for.
    pub memory: NonZeroUsize,
}

/// The `[limits]` of a bundle: what it asks to be held to. Nothing said, nothing changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tighter {
    /// See [`Limits::fuel_base`].
    pub fuel_base: Option<NonZeroU64>,
    /// See [`Limits::fuel_row`].
    pub fuel_row: Option<u64>,
    /// See [`Limits::memory`]; in KiB.
    pub memory_kib: Option<NonZeroUsize>,
    /// See [`Limits::ticks`]; in ms, rounded up to ticks.
    pub time_ms: Option<NonZeroU32>,
}

/// A bundle asked for more than the host gives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "limits.{key} is {asked}, looser than the host's {host}: a bundle can only tighten a limit"
)]
pub struct TooLoose {
    /// The key in `[limits]`.
    pub key: &'static str,
    /// What the bundle says.
    pub asked: u64,
    /// What the host gives.
    pub host: u64,
}

// === impl Limits ===

impl Limits {
    /// How often the epoch advances.
    pub const TICK: Duration = Duration::from_millis(10);
    /// The most memory an instance can be given, in bytes.
    pub const MAX_MEMORY: usize = 16 << 20;
    /// Longest string a policy may hand over, in bytes; longer messages are cut.
    pub const MAX_STRING: usize = 1024;

    /// Fuel of a call over `rows` candidates.
    pub(crate) fn fuel(&self, rows: usize) -> u64 {
        self.fuel_row
            .saturating_mul(rows as u64)
            .saturating_add(self.fuel_base.get())
    }

    /// Bytes a policy may hand to the host in one call over `rows` candidates.
    ///
    /// The largest right answer excludes every row and scores every row: 24 bytes each. 256 KiB hold that of 5000 rows
    /// twice over; more rows get more.
    pub(crate) fn answer_bytes(rows: usize) -> usize {
        (256 << 10).max(rows.saturating_mul(48))
    }

    /// These limits, tightened by what a bundle asks.
    ///
    /// # Errors
    ///
    /// [`TooLoose`] for the first limit that would be looser than the host's.
    pub fn tighten(&self, asked: &Tighter) -> Result<Self, TooLoose> {
        fn held(key: &'static str, asked: u64, host: u64) -> Result<(), TooLoose> {
            if asked > host {
                return Err(TooLoose { key, asked, host });
            }
            Ok(())
        }
        let mut limits = *self;
        if let Some(fuel) = asked.fuel_base {
            held("fuel-base", fuel.get(), self.fuel_base.get())?;
            limits.fuel_base = fuel;
        }
        if let Some(fuel) = asked.fuel_row {
            held("fuel-row", fuel, self.fuel_row)?;
            limits.fuel_row = fuel;
        }
        if let Some(kib) = asked.memory_kib {
            let host = self.memory.get() >> 10;
            held("memory-kib", kib.get() as u64, host as u64)?;
            limits.memory =
                kib.saturating_mul(const { NonZeroUsize::new(1024).expect("above zero") });
        }
        if let Some(ms) = asked.time_ms {
            let tick = u32::try_from(Self::TICK.as_millis()).expect("a tick of some ms");
            let host = self.ticks.get().saturating_mul(tick);
            held("time-ms", ms.get().into(), host.into())?;
            limits.ticks = NonZeroU32::new(ms.get().div_ceil(tick)).expect("at least one tick");
        }
        Ok(limits)
    }
}

impl Default for Limits {
    fn default() -> Self {
        const fn fuel(units: u64) -> NonZeroU64 {
            NonZeroU64::new(units).expect("above zero")
        }
        Self {
            fuel_base: fuel(200_000),
            fuel_row: 3_000,
            fuel_configure: fuel(10_000_000),
            ticks: NonZeroU32::new(5).expect("above zero"),
            memory: NonZeroUsize::new(Self::MAX_MEMORY).expect("above zero"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_can_tighten_and_never_loosen() {
        let host = Limits::default();
        let asked = Tighter {
            fuel_base: NonZeroU64::new(1000),
            time_ms: NonZeroU32::new(11),
            ..Tighter::default()
        };
        let limits = host.tighten(&asked).expect("tighter");
        assert_eq!(limits.fuel(2), 1000 + 2 * host.fuel_row);
        assert_eq!(limits.ticks.get(), 2, "11 ms are two ticks");

        let asked = Tighter {
            memory_kib: NonZeroUsize::new((16 << 10) + 1),
            ..Tighter::default()
        };
        assert_eq!(host.tighten(&asked).expect_err("looser").key, "memory-kib");
    }
}
