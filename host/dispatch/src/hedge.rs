//! When an attempt counts as slow.

use std::time::Duration;

/// Times the median: as long as an answer of a candidate that is well may take.
const USUAL: f64 = 1.5;

/// How long a candidate's answers took, so far as is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Past {
    pub(crate) p50: Option<Duration>,
    pub(crate) p95: Option<Duration>,
}

/// How long to wait for a first attempt before a second copy is worth asking the policy about.
///
/// The candidate's own 95th percentile, so that one job in twenty is doubled and not more; 0.4 of the soft deadline while it
/// is unknown. Never sooner than a twentieth of the deadline: doubling a job that takes 5 ms because it took 6 gains nobody anything.
///
/// A few stragglers make a percentile that is of no use, so it is bounded above: by the moment at which a copy on the next candidate
/// could still make the soft deadline (its median, or half the deadline while unknown). But that bound must not double what
/// is merely slow: where jobs take half of the deadline and more, on all candidates alike, every job would be sent twice, and no copy
/// could be first. So the bound is never below [`USUAL`] times the candidate's own median, which an answer as usual does not
/// reach, and the deadline itself ends the wait in any case.
pub(crate) fn adaptive_delay(soft: Duration, own: Past, next: Past) -> Duration {
    let unknown = soft.mul_f64(0.4);
    let usual = own.p50.map_or(unknown, |p50| p50.mul_f64(USUAL));
    let useful = soft.saturating_sub(next.p50.unwrap_or(soft / 2));
    let latest = useful.max(usual).max(unknown).min(soft);
    own.p95.unwrap_or(unknown).min(latest).max(soft / 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn past(p50: u64, p95: u64) -> Past {
        Past {
            p50: Some(ms(p50)),
            p95: Some(ms(p95)),
        }
    }

    fn delay(own: Past, next: Past) -> Duration {
        adaptive_delay(ms(2000), own, next)
    }

    #[test]
    fn unknown_candidates_get_two_fifths_of_the_deadline() {
        assert_eq!(delay(Past::default(), Past::default()), ms(800));
        assert_eq!(delay(Past::default(), past(1900, 1900)), ms(800));
    }

    #[test]
    fn a_known_candidate_gets_its_own_percentile() {
        assert_eq!(delay(past(250, 300), Past::default()), ms(300));
        let floor = delay(past(2, 3), Past::default());
        assert_eq!(floor, ms(100), "not sooner than a twentieth");
    }

    #[test]
    fn stragglers_do_not_put_a_copy_off_until_it_is_of_no_use() {
        assert_eq!(delay(past(500, 1900), past(600, 700)), ms(1400));
        assert_eq!(delay(past(500, 1900), Past::default()), ms(1000));
        assert_eq!(delay(past(500, 1900), past(1900, 1900)), ms(800));
    }

    #[test]
    fn who_is_always_slow_is_not_always_doubled() {
        for usual in [900, 1000, 1100, 1300, 1600, 1800] {
            let slow = past(usual, usual + 90);
            for next in [slow, past(1900, 1950), Past::default()] {
                assert_eq!(delay(slow, next), ms(usual + 90), "{usual} {next:?}");
            }
        }
    }

    #[test]
    fn the_deadline_ends_the_wait() {
        assert_eq!(delay(past(2500, 2600), past(100, 100)), ms(2000));
    }
}
