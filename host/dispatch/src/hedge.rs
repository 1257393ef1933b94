//! When an attempt counts as slow.

use std::time::Duration;

/// How long to wait for a first attempt before a second copy is worth asking the policy about.
///
/// The candidate's own 95th percentile, so that one job in twenty is doubled and not more; 0.4 of the soft deadline while it
/// is unknown. Two bounds: never later than a copy on the next candidate could still make the soft deadline (its
/// median, or half the deadline while unknown), for a hedge that comes too late only costs; never sooner than a twentieth of the
/// deadline, for doubling a job that takes 5 ms because it took 6 gains nobody anything.
pub(crate) fn adaptive_delay(
    soft: Duration,
    p95: Option<Duration>,
    next_p50: Option<Duration>,
) -> Duration {
    let first = p95.unwrap_or(soft.mul_f64(0.4));
    let latest = soft
        .saturating_sub(next_p50.unwrap_or(soft / 2))
        .max(soft.mul_f64(0.4));
    first.min(latest).max(soft / 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn unknown_candidates_get_two_fifths_of_the_deadline() {
        assert_eq!(adaptive_delay(ms(2000), None, None), ms(800));
    }

    #[test]
    fn a_known_candidate_gets_its_own_percentile_within_reason() {
        assert_eq!(adaptive_delay(ms(2000), Some(ms(300)), None), ms(300));
        assert_eq!(
            adaptive_delay(ms(2000), Some(ms(3)), None),
            ms(100),
            "not sooner than a twentieth"
        );
        assert_eq!(
            adaptive_delay(ms(2000), Some(ms(1900)), Some(ms(600))),
            ms(1400),
            "while a copy still helps"
        );
        assert_eq!(
            adaptive_delay(ms(2000), Some(ms(1900)), Some(ms(1900))),
            ms(800)
        );
    }
}
