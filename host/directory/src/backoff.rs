//! Waits that grow, and waits that differ.

use std::time::Duration;

/// The first wait after a failure.
const FIRST: Duration = Duration::from_secs(1);

/// Share by which a wait is drawn shorter or longer, so that what failed together is not asked together again.
const SPREAD: f64 = 0.2;

/// Waits of one second, two, four, … up to a cap.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    cap: Duration,
    failures: u32,
}

// === impl Backoff ===

impl Backoff {
    pub(crate) fn new(cap: Duration) -> Self {
        Self { cap, failures: 0 }
    }

    /// The wait after one more failure.
    pub(crate) fn next(&mut self, rng: &mut fastrand::Rng) -> Duration {
        self.failures = self.failures.saturating_add(1);
        jittered(after(self.failures, self.cap), rng)
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// The wait after so many failures in a row, before it is drawn shorter or longer.
pub(crate) fn after(failures: u32, cap: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(30);
    FIRST.saturating_mul(1 << doublings).min(cap)
}

/// `wait`, up to a fifth shorter or longer.
pub(crate) fn jittered(wait: Duration, rng: &mut fastrand::Rng) -> Duration {
    wait.mul_f64(1.0 + SPREAD * (2.0 * rng.f64() - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Duration = Duration::from_secs(300);

    #[test]
    fn it_doubles_up_to_the_cap() {
        let seconds = |failures| after(failures, CAP).as_secs();
        assert_eq!(
            [1, 2, 3, 9, 10, u32::MAX].map(seconds),
            [1, 2, 4, 256, 300, 300]
        );
    }

    #[test]
    fn it_starts_over_after_a_success() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut backoff = Backoff::new(CAP);
        (0..8).for_each(|_| _ = backoff.next(&mut rng));
        assert!(backoff.next(&mut rng) > Duration::from_secs(200));
        backoff.reset();
        assert!(backoff.next(&mut rng) < Duration::from_secs(2));
    }

    #[test]
    fn the_draw_stays_within_a_fifth_and_differs() {
        let mut rng = fastrand::Rng::with_seed(1);
        let draws: Vec<_> = (0..100).map(|_| jittered(CAP, &mut rng)).collect();
        assert!(
            draws
                .iter()
                .all(|wait| (240..=360).contains(&wait.as_secs()))
        );
        assert!(draws.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
