//! What was decided, and why: one record for each selection.
//!
//! # Contract
//!
//! A [`Decision`] is complete when it is made (the attempts that follow are added by
//! [`Decision::record_attempt`]) and holds numbers only: rows, stages and reasons by place, values by their bits. Names
//! are looked up when somebody reads it, in a legend that all decisions of a generation share. So recording costs a few
//! copies, and a decision keeps neither the generation's compiled code nor the directory's snapshot alive.

mod json;
mod log;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pointsman_facts::{Column, Failure, Hints, Kind, Symbol, Workload};

pub use log::DecisionLog;

use crate::chain::Stage;
use crate::chain::gather::{Shown, shown};
use crate::chain::merge::{Excluded, UNLISTED};
use crate::chain::recheck::{DropReason, HostDrop};
use crate::chain::{Hedge, Refusal};
use crate::fault::Fault;
use crate::plan::Source;
pub(crate) use json::hexadecimal;

/// One selection: what went in, what came out.
#[derive(Debug)]
pub struct Decision {
    /// Its number in this process, from 1.
    pub id: u64,
    /// The job's name.
    pub job: String,
    /// The job's kind.
    pub workload: Workload,
    /// Its stream or conversation.
    pub affinity: u64,
    /// Its place in the stream.
    pub sequence: Option<u64>,
    /// What the application wanted, labels included, if it wanted anything.
    pub hints: Option<Box<Hints>>,
    /// The only randomness that went in.
    pub seed: u64,
    /// When, unix ms.
    pub at_ms: u64,
    /// How long deciding took.
    pub took: Duration,
    /// The generation that was asked.
    pub generation: u64,
    /// It was the canary.
    pub canary: bool,
    /// The directory's snapshot that the rows are from.
    pub snapshot: u64,
    /// When a slow attempt may be doubled.
    pub hedge: Hedge,
    /// Why nobody gets the job.
    pub refusal: Option<Refusal>,
    /// What was wrong with the policy.
    pub fault: Option<Fault>,
    /// Who answered in its place.
    pub fallback: Option<Fallback>,
    /// Fuel that all stages used together; 0 natively.
    pub fuel: u64,
    pub(crate) ids: Box<[u64]>,
    pub(crate) order: Vec<u32>,
    pub(crate) scores: Vec<f64>,
    pub(crate) excluded: Vec<Excluded>,
    pub(crate) relaxed: Vec<u16>,
    pub(crate) drops: Vec<HostDrop>,
    pub(crate) legend: Arc<Legend>,
    pub(crate) attempts: Mutex<Vec<AttemptRecord>>,
}

/// Who answers in place of a faulty policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "to", content = "generation")]
pub enum Fallback {
    /// The native twins of the same stages.
    Native,
    /// The generation before, by its number.
    Previous(u64),
    /// Nobody: the job is refused.
    Reject,
}

/// A candidate that a stage took out, with names.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Exclusion<'a> {
    /// Its row among the candidates.
    #[serde(skip)]
    pub row: u32,
    /// Who.
    #[serde(serialize_with = "json::symbol")]
    pub id: Symbol,
    /// The stage that took it out.
    pub stage: &'a str,
    /// Why, in the stage's words; `unlisted` when its order leaves it out.
    pub cause: &'a str,
    /// The number the policy gave beside it.
    pub value: Option<f64>,
    /// The column the cause is about.
    pub column: Option<&'a str>,
    /// That column's value for this candidate at the time.
    pub shown: Shown,
}

/// An attempt that followed the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Who.
    pub candidate: Symbol,
    /// When it was sent, unix ms.
    pub started_ms: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Whether it was a second copy of a slow one.
    pub hedge: bool,
    /// The result was good, or this is why it was not.
    pub outcome: Result<(), Failure>,
}

/// The names that decisions of one chain refer to.
#[derive(Debug, Default)]
pub(crate) struct Legend {
    stages: Vec<StageNames>,
}

#[derive(Debug)]
struct StageNames {
    name: Arc<str>,
    causes: Vec<CauseNames>,
}

#[derive(Debug)]
struct CauseNames {
    text: String,
    column: Option<(String, Kind)>,
}

/// Attempts kept of one decision; a job makes a handful.
const MAX_ATTEMPTS: usize = 32;

// === impl Decision ===

impl Decision {
    /// How many candidates there were.
    #[must_use]
    pub fn candidates(&self) -> usize {
        self.ids.len()
    }

    /// Rows of the candidates, best first: the failover list. Empty when the job was refused.
    #[must_use]
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The identity of a row.
    #[must_use]
    pub fn id_of(&self, row: u32) -> Symbol {
        Symbol(self.ids.get(row as usize).copied().unwrap_or_default())
    }

    /// The sum of the scores of the candidate at `place` of the order, if any stage scored.
    #[must_use]
    pub fn score(&self, place: usize) -> Option<f64> {
        self.scores.get(place).copied()
    }

    /// Everyone whom a stage took out, in the order that happened.
    pub fn exclusions(&self) -> impl Iterator<Item = Exclusion<'_>> {
        self.excluded.iter().map(|excluded| {
            let (stage, cause) = self.legend.find(excluded);
            let column = cause.and_then(|cause| cause.column.as_ref());
            Exclusion {
                row: excluded.row,
                id: self.id_of(excluded.row),
                stage,
                cause: cause.map_or("unlisted", |cause| &cause.text),
                value: Some(excluded.value).filter(|value| !value.is_nan()),
                column: column.map(|(name, _)| name.as_str()),
                shown: column.map_or(Shown::Unknown, |&(_, kind)| shown(kind, excluded.shown)),
            }
        })
    }

    /// Everyone whom the host took out after the policy had let them through.
    pub fn host_drops(&self) -> impl Iterator<Item = (Symbol, DropReason)> {
        self.drops
            .iter()
            .map(|drop| (self.id_of(drop.row), drop.reason))
    }

    /// Stages that would have excluded everybody and were skipped, as their `on-empty` says.
    pub fn skipped(&self) -> impl Iterator<Item = &str> {
        self.relaxed.iter().map(|&stage| self.legend.stage(stage))
    }

    /// Adds an attempt that was made on this decision.
    pub fn record_attempt(&self, attempt: AttemptRecord) {
        let mut attempts = self.attempts.lock();
        if attempts.len() < MAX_ATTEMPTS {
            attempts.push(attempt);
        }
    }

    /// The attempts so far, oldest first.
    #[must_use]
    pub fn attempts(&self) -> Vec<AttemptRecord> {
        self.attempts.lock().clone()
    }

    /// About how many bytes it holds.
    fn size(&self) -> usize {
        size_of::<Self>()
            + self.job.capacity()
            + size_of_val(&*self.ids)
            + self.order.capacity() * size_of::<u32>()
            + self.scores.capacity() * size_of::<f64>()
            + self.excluded.capacity() * size_of::<Excluded>()
            + self.drops.capacity() * size_of::<HostDrop>()
            + size_of::<AttemptRecord>()
            + self.hints.as_ref().map_or(0, |hints| size_of_val(&**hints))
    }
}

// === impl Legend ===

impl Legend {
    /// The names of `stages`, whose columns stand in `columns`.
    pub(crate) fn new(stages: &[Stage], columns: &[Column]) -> Self {
        let names = |stage: &Stage| StageNames {
            name: Arc::clone(&stage.name),
            causes: stage
                .plan
                .causes
                .iter()
                .map(|cause| CauseNames {
                    text: cause.text.clone(),
                    column: cause
                        .column
                        .and_then(|column| named(stage.plan.sources[column], columns)),
                })
                .collect(),
        };
        Self {
            stages: stages.iter().map(names).collect(),
        }
    }

    fn stage(&self, place: u16) -> &str {
        self.stages
            .get(usize::from(place))
            .map_or("", |stage| &stage.name)
    }

    fn find(&self, excluded: &Excluded) -> (&str, Option<&CauseNames>) {
        let stage = self.stages.get(usize::from(excluded.stage));
        let cause = stage
            .filter(|_| excluded.reason != UNLISTED)
            .and_then(|stage| stage.causes.get(usize::from(excluded.reason)));
        (self.stage(excluded.stage), cause)
    }
}

fn named(source: Source, columns: &[Column]) -> Option<(String, Kind)> {
    let column = match source {
        Source::Fact(place) => columns[place].clone(),
        Source::Why(_) => Column::FitWhy,
        Source::Wish(_) => Column::HintPlace,
        Source::ScoreSum => Column::ScoreSum,
        Source::Position => Column::Position,
        Source::Unknown => return None,
    };
    Some((column.to_string(), column.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A decision over `rows` candidates, of which the first was excluded.
    pub(super) fn decision(id: u64, rows: usize) -> Decision {
        let legend = Legend {
            stages: vec![StageNames {
                name: "price-ceiling".into(),
                causes: vec![CauseNames {
                    text: "too expensive".to_owned(),
                    column: Some(("price/num".to_owned(), Kind::Counts)),
                }],
            }],
        };
        Decision {
            id,
            job: "cam/1".to_owned(),
            workload: Workload::Transcode,
            affinity: u64::MAX,
            sequence: Some(1),
            hints: None,
            seed: 7,
            at_ms: 1_700_000_000_000,
            took: Duration::from_micros(5),
            generation: 3,
            canary: false,
            snapshot: 11,
            hedge: Hedge::AfterMs(250),
            refusal: None,
            fault: None,
            fallback: Some(Fallback::Previous(2)),
            fuel: 1000,
            ids: (0..rows as u64).map(|row| 0xabcd_0000 + row).collect(),
            order: (1..u32::try_from(rows.max(1)).expect("few rows")).collect(),
            scores: Vec::new(),
            excluded: vec![
                Excluded {
                    row: 0,
                    stage: 0,
                    reason: 0,
                    value: 12.5,
                    shown: u64::MAX - 1,
                },
                Excluded {
                    row: 1,
                    stage: 0,
                    reason: UNLISTED,
                    value: f64::NAN,
                    shown: 0,
                },
            ],
            relaxed: vec![0],
            drops: vec![HostDrop {
                row: 1,
                reason: DropReason::AboveCeiling,
            }],
            legend: Arc::new(legend),
            attempts: Mutex::default(),
        }
    }

    #[test]
    fn json_has_names_and_whole_numbers() {
        let decision = decision(9, 2);
        decision.record_attempt(AttemptRecord {
            candidate: Symbol(5),
            started_ms: 1,
            elapsed: Duration::from_millis(3),
            hedge: true,
            outcome: Err(Failure::new(
                pointsman_facts::Blame::Network,
                pointsman_facts::FailureKind::Reset,
                "broken pipe",
            )),
        });
        let json = serde_json::to_value(&decision).expect("JSON");
        assert_eq!(json["affinity"], "ffffffffffffffff");
        assert_eq!(json["workload"], "transcode");
        assert_eq!(json["order"][0]["id"], "00000000abcd0001");
        let excluded = &json["excluded"][0];
        assert_eq!(excluded["id"], "00000000abcd0000");
        assert_eq!(excluded["stage"], "price-ceiling");
        assert_eq!(excluded["cause"], "too expensive");
        assert_eq!(excluded["value"], 12.5);
        assert_eq!(excluded["column"], "price/num");
        assert_eq!(excluded["shown"], u64::MAX - 1, "exact, not a float");
        assert_eq!(json["excluded"][1]["cause"], "unlisted");
        assert!(json["excluded"][1]["value"].is_null());
        assert_eq!(json["dropped"][0]["reason"], "above-ceiling");
        assert_eq!(json["skipped"][0], "price-ceiling");
        assert_eq!(json["hedge"]["after-ms"], 250);
        assert!(json["hints"].is_null());
        assert_eq!(json["fallback"]["to"], "previous");
        assert_eq!(json["fallback"]["generation"], 2);
        let attempt = &json["attempts"][0];
        assert_eq!(attempt["failure"]["kind"], "reset");
        assert_eq!(attempt["failure"]["blame"], "network");
        assert_eq!(attempt["ok"], false);
    }

    #[test]
    fn attempts_are_bounded() {
        let decision = decision(1, 1);
        for _ in 0..2 * MAX_ATTEMPTS {
            decision.record_attempt(AttemptRecord {
                candidate: Symbol(1),
                started_ms: 0,
                elapsed: Duration::ZERO,
                hedge: false,
                outcome: Ok(()),
            });
        }
        assert_eq!(decision.attempts().len(), MAX_ATTEMPTS);
    }
}
