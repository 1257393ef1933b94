//! Time, as everything that routes reads it.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Tokio's clock with a wall time: the wall is read once, at the start, and from then on only tokio's clock counts.
///
/// So a test or a simulator that pauses tokio's clock owns all time there is, wall time never runs backwards within a
/// process, and a leap of the system clock moves no deadline. Copies tell the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    origin_ms: u64,
}

// === impl Clock ===

impl Clock {
    /// The system's time.
    #[must_use]
    pub fn system() -> Self {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self::starting_at(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX))
    }

    /// A clock on which it is now `wall_ms`, unix ms.
    #[must_use]
    pub fn starting_at(wall_ms: u64) -> Self {
        Self {
            origin: Instant::now(),
            origin_ms: wall_ms,
        }
    }

    /// Now, unix ms.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.unix_ms_at(Instant::now())
    }

    /// The wall time of `instant`, unix ms. Instants before the clock was made count as its start.
    #[must_use]
    pub fn unix_ms_at(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.origin).as_millis();
        self.origin_ms
            .saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_tokios_time_moves_it() {
        let clock = Clock::starting_at(1_700_000_000_000);
        let copy = clock;
        tokio::time::advance(Duration::from_secs(86_400)).await;
        assert_eq!(clock.unix_ms(), 1_700_086_400_000);
        assert_eq!(copy.unix_ms(), clock.unix_ms());
    }
}
