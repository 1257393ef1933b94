//! How fast the answers were.

use std::collections::VecDeque;
use std::time::Duration;

/// How many answers the percentiles rest on.
pub(crate) const LENGTH: usize = 64;

/// Weight of the newest answer in the mean score: about the last ten count.
const NEWEST: f64 = 0.2;

/// The times of the last [`LENGTH`] good answers, and the mean of time divided by duration.
///
/// Unlike faults they are not forgotten with time, only with the whole record: an old speed is a better guess than none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Latencies {
    /// Microseconds, oldest first.
    micros: VecDeque<u32>,
    score: Option<f64>,
}

// === impl Latencies ===

impl Latencies {
    /// What was kept: times in microseconds, oldest first (only the last [`LENGTH`] count), and the score.
    pub(crate) fn restore(micros: &[u32], score: Option<f64>) -> Self {
        let from = micros.len().saturating_sub(LENGTH);
        Self {
            micros: micros[from..].iter().copied().collect(),
            score: score.filter(|score| score.is_finite() && *score >= 0.0),
        }
    }

    /// A good answer after `elapsed` to media of `duration`, if the job has one.
    pub(crate) fn answered(&mut self, elapsed: Duration, duration: Option<Duration>) {
        if self.micros.len() == LENGTH {
            self.micros.pop_front();
        }
        self.micros
            .push_back(u32::try_from(elapsed.as_micros()).unwrap_or(u32::MAX));
        if let Some(duration) = duration.filter(|duration| !duration.is_zero()) {
            let newest = elapsed.as_secs_f64() / duration.as_secs_f64();
            let score = self
                .score
                .map_or(newest, |mean| mean + NEWEST * (newest - mean));
            self.score = Some(score);
        }
    }

    /// An answer that was not waited for any longer than `elapsed`. It would have taken longer still, so it counts as
    /// that much where that is slower than the median; below, it says nothing. The first that is known of anybody is
    /// a guess, and a low one would make who was too slow look quick: twice the time.
    pub(crate) fn overtaken(&mut self, elapsed: Duration, duration: Option<Duration>) {
        match self.middle_and_tail() {
            None => self.answered(elapsed.saturating_mul(2), duration),
            Some((median, _)) if elapsed.as_secs_f64() * 1000.0 > median => {
                self.answered(elapsed, duration);
            }
            Some(_) => {}
        }
    }

    /// The median and the 95th percentile in ms.
    pub(crate) fn middle_and_tail(&self) -> Option<(f64, f64)> {
        let mut sorted: Vec<u32> = self.micros.iter().copied().collect();
        sorted.sort_unstable();
        Some((rank(&sorted, 0.5)?, rank(&sorted, 0.95)?))
    }

    /// Mean of answer time divided by duration.
    pub(crate) fn score(&self) -> Option<f64> {
        self.score
    }

    /// The times held, in microseconds, oldest first.
    pub(crate) fn micros(&self) -> impl Iterator<Item = u32> + '_ {
        self.micros.iter().copied()
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into at most LENGTH samples"
)]
fn rank(sorted: &[u32], q: f64) -> Option<f64> {
    let index = (q * sorted.len() as f64).ceil() as usize;
    let micros = sorted.get(index.saturating_sub(1))?;
    Some(f64::from(*micros) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(times: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        for ms in times {
            latencies.answered(Duration::from_millis(ms), Some(2 * SECOND));
        }
        latencies
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        assert_eq!(Latencies::default().middle_and_tail(), None);
        assert_eq!(after([30]).middle_and_tail(), Some((30.0, 30.0)));
        let twenty = after((1..=20).rev().map(|i| i * 10));
        assert_eq!(twenty.middle_and_tail(), Some((100.0, 190.0)));
    }

    #[test]
    fn old_answers_give_way() {
        let times = std::iter::repeat_n(5000, LENGTH).chain(std::iter::repeat_n(20, LENGTH));
        assert_eq!(after(times).middle_and_tail(), Some((20.0, 20.0)));
    }

    #[test]
    fn the_score_leans_to_the_newest() {
        assert_eq!(after([1000]).score(), Some(0.5));
        let score = after([1000, 3000]).score().expect("two answers");
        assert!((score - 0.7).abs() < 1e-9, "{score}");
        let mut unmeasured = Latencies::default();
        unmeasured.answered(SECOND, None);
        unmeasured.answered(SECOND, Some(Duration::ZERO));
        assert_eq!(unmeasured.score(), None, "a job without a duration");
    }

    #[test]
    fn an_answer_not_waited_for_shows_only_where_it_was_slow() {
        let mut latencies = after([100; 9]);
        latencies.overtaken(Duration::from_millis(50), None);
        assert_eq!(latencies.micros().count(), 9);
        latencies.overtaken(Duration::from_millis(800), None);
        assert_eq!(latencies.middle_and_tail(), Some((100.0, 800.0)));
    }

    #[test]
    fn whoever_was_too_slow_at_first_does_not_look_as_quick_as_he_was_ended() {
        let mut latencies = Latencies::default();
        latencies.overtaken(Duration::from_millis(800), Some(SECOND));
        assert_eq!(latencies.middle_and_tail(), Some((1600.0, 1600.0)));
        assert_eq!(latencies.score(), Some(1.6));
    }
}
