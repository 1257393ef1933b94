//! What is remembered of one orchestrator at one kind of work.

use std::collections::VecDeque;
use std::time::Duration;

use pointsman_facts::failure::Class;
use pointsman_facts::{Failure, FailureKind};
use serde::{Deserialize, Serialize};

use super::latency::Latencies;
use super::window::{Ending, Window};

/// How many faults are kept for people to read.
const FAULTS: usize = 4;

/// How an attempt ended, as dispatch tells it.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// A good result.
    Success {
        /// From submission to the whole result.
        elapsed: Duration,
        /// Duration of the media. Without one the attempt gives no latency score.
        duration: Option<Duration>,
    },
    /// No result, and why.
    Failure {
        /// Why. What is no fault ([`Failure::is_fault`]) counts in its class only.
        failure: &'a Failure,
        /// From submission to the failure.
        elapsed: Duration,
    },
    /// Another attempt answered first and this one was ended after `elapsed`. Neither success nor fault; but its answer
    /// would have taken longer than that, and where that is slower than its median the latencies show it. Without this a
    /// hanging orchestrator that is always hedged would keep the good name it had.
    Overtaken {
        /// From submission to the end.
        elapsed: Duration,
        /// Duration of the media.
        duration: Option<Duration>,
    },
}

/// A fault, for people to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// When, unix ms.
    pub at_ms: u64,
    /// What happened.
    pub kind: FailureKind,
    /// How long the attempt had run, ms.
    pub elapsed_ms: u64,
    /// The cause, at most [`Failure::MAX_DETAIL`] bytes.
    pub detail: String,
}

/// The statistics of a record at one moment. Unknown is NaN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stats {
    /// Median answer time, ms.
    pub(crate) p50: f64,
    /// 95th percentile of the answer time, ms.
    pub(crate) p95: f64,
    /// Mean of answer time divided by media duration.
    pub(crate) score: f64,
    /// Share of the judged attempts that gave a good result.
    pub(crate) success: f64,
    /// How many attempts were judged.
    pub(crate) samples: u64,
    /// Share of all attempts that failed, by class in the order of [`Class::ALL`].
    pub(crate) errors: [f64; Class::ALL.len()],
}

/// The history of one orchestrator at one workload and model.
///
/// Two windows, because they answer two questions: of the attempts that say how good it is, how many were good
/// (`judged`); and what came of all that were sent (`all`). With one, a flood of bad input would push every real
/// measurement out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record {
    pub(super) judged: Window,
    pub(super) all: Window,
    pub(super) latencies: Latencies,
    pub(super) faults: VecDeque<Fault>,
    pub(super) touched_ms: u64,
}

// === impl Record ===

impl Record {
    /// Adds one attempt. `false` when it changed nothing.
    pub(crate) fn add(&mut self, now_ms: u64, outcome: &Outcome<'_>) -> bool {
        match *outcome {
            Outcome::Success { elapsed, duration } => {
                self.latencies.answered(elapsed, duration);
                self.judged.push(now_ms, Ending::Success);
                self.all.push(now_ms, Ending::Success);
            }
            Outcome::Failure { failure, .. } if failure.kind == FailureKind::Cancelled => {
                return false;
            }
            Outcome::Failure { failure, elapsed } => {
                let ending = Ending::Failed(failure.kind.class());
                self.all.push(now_ms, ending);
                if failure.is_fault() {
                    self.judged.push(now_ms, ending);
                    self.keep(now_ms, failure, elapsed);
                }
            }
            Outcome::Overtaken { elapsed, duration } => self.latencies.overtaken(elapsed, duration),
        }
        self.touched_ms = now_ms;
        true
    }

    /// The statistics as of `now_ms`.
    pub(crate) fn stats(&self, now_ms: u64) -> Stats {
        let mut stats = Stats::UNKNOWN;
        if let Some((p50, p95)) = self.latencies.middle_and_tail() {
            (stats.p50, stats.p95) = (p50, p95);
        }
        stats.score = self.latencies.score().unwrap_or(f64::NAN);
        let (mut good, mut judged) = (0_u32, 0_u32);
        for ending in self.judged.recent(now_ms) {
            judged += 1;
            good += u32::from(ending == Ending::Success);
        }
        if judged > 0 {
            stats.success = f64::from(good) / f64::from(judged);
            stats.samples = judged.into();
        }
        let (mut failed, mut all) = ([0_u32; Class::ALL.len()], 0_u32);
        for ending in self.all.recent(now_ms) {
            all += 1;
            if let Some(class) = usize::from(ending.code()).checked_sub(1) {
                failed[class] += 1;
            }
        }
        if all > 0 {
            stats.errors = failed.map(|count| f64::from(count) / f64::from(all));
        }
        stats
    }

    /// The last faults, oldest first.
    pub(crate) fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }

    /// When an attempt was last added, unix ms.
    pub(crate) fn touched_ms(&self) -> u64 {
        self.touched_ms
    }

    fn keep(&mut self, now_ms: u64, failure: &Failure, elapsed: Duration) {
        if self.faults.len() == FAULTS {
            self.faults.pop_front();
        }
        self.faults.push_back(Fault {
            at_ms: now_ms,
            kind: failure.kind,
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            detail: failure.detail.clone(),
        });
    }
}

// === impl Stats ===

impl Default for Stats {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl Stats {
    /// The statistics of no attempt.
    pub(crate) const UNKNOWN: Self = Self {
        p50: f64::NAN,
        p95: f64::NAN,
        score: f64::NAN,
        success: f64::NAN,
        samples: 0,
        errors: [f64::NAN; Class::ALL.len()],
    };
}

#[cfg(test)]
mod tests {
    use pointsman_facts::Blame;

    use super::*;

    fn share(stats: &Stats, class: Class) -> f64 {
        stats.errors[usize::from(Ending::Failed(class).code()) - 1]
    }

    fn success(ms: u64) -> Outcome<'static> {
        Outcome::Success {
            elapsed: Duration::from_millis(ms),
            duration: Some(Duration::from_secs(2)),
        }
    }

    fn failed(blame: Blame, kind: FailureKind) -> Failure {
        Failure::new(blame, kind, "as the test says")
    }

    fn add(record: &mut Record, failure: &Failure) -> bool {
        let elapsed = Duration::from_millis(5);
        record.add(0, &Outcome::Failure { failure, elapsed })
    }

    #[test]
    fn full_and_bad_input_are_seen_but_not_held_against_it() {
        let mut record = Record::default();
        record.add(0, &success(100));
        add(
            &mut record,
            &failed(Blame::Orchestrator, FailureKind::Capped),
        );
        add(&mut record, &failed(Blame::Input, FailureKind::BadInput));
        add(
            &mut record,
            &failed(Blame::Orchestrator, FailureKind::Reset),
        );
        let stats = record.stats(0);
        assert_eq!((stats.success, stats.samples), (0.5, 2));
        assert_eq!(share(&stats, Class::Capacity), 0.25);
        assert_eq!(share(&stats, Class::Input), 0.25);
        assert_eq!(share(&stats, Class::Reset), 0.25);
        assert_eq!(share(&stats, Class::Timeout), 0.0);
        assert_eq!(record.faults().count(), 1, "only the reset is a fault");
    }

    #[test]
    fn a_flood_of_bad_input_hides_no_measurement() {
        let mut record = Record::default();
        record.add(0, &success(100));
        let input = failed(Blame::Input, FailureKind::BadInput);
        (0..500).for_each(|_| assert!(add(&mut record, &input)));
        let stats = record.stats(0);
        assert_eq!((stats.success, stats.samples), (1.0, 1));
        assert_eq!(share(&stats, Class::Input), 1.0);
    }

    #[test]
    fn what_this_gateway_ended_is_nothing_at_all() {
        let mut record = Record::default();
        let cancelled = failed(Blame::Gateway, FailureKind::Cancelled);
        assert!(!add(&mut record, &cancelled));
        assert_eq!(record, Record::default());
    }

    #[test]
    fn faults_are_forgiven_and_speed_is_remembered() {
        let mut record = Record::default();
        record.add(0, &success(100));
        add(&mut record, &failed(Blame::Network, FailureKind::Connect));
        let later = record.stats(3_600_000);
        assert!(later.success.is_nan() && share(&later, Class::Connect).is_nan());
        assert_eq!((later.samples, later.p50), (0, 100.0));
    }

    #[test]
    fn few_faults_are_kept_and_the_newest_of_them() {
        let mut record = Record::default();
        for i in 0..10 {
            let failure = Failure::new(Blame::Network, FailureKind::Reset, i.to_string());
            add(&mut record, &failure);
        }
        let kept: Vec<_> = record.faults().map(|fault| fault.detail.as_str()).collect();
        assert_eq!(kept, ["6", "7", "8", "9"]);
    }
}
