//! Why a decision came out as it did, and what became of it.

mod text;

use pointsman_facts::{Candidates, Column, Failure, Hints, Symbol, Workload, hints};
use pointsman_policy::{AttemptRecord, Decision, Fallback, Hedge, Shown};
use serde::Serialize;

use crate::read::{Policy, Reader, Recorded, Rows};
use crate::text as words;
use crate::verdict::{Fault, Refusal, Verdict};

/// Everything there is to say about one decision. As text it reads like a compiler's message; as JSON nothing is left out.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The decision's number.
    pub decision: u64,
    /// The job's name.
    pub job: String,
    /// Its kind.
    pub workload: Workload,
    /// When, unix ms.
    pub at_ms: u64,
    /// The generation that was asked, if it is still known.
    pub policy: Option<Policy>,
    /// How long deciding took, µs.
    pub took_us: f64,
    /// Fuel of all stages together.
    pub fuel: u64,
    /// Number of the directory's snapshot.
    pub snapshot: u64,
    /// What the application wanted, if it wanted anything.
    pub hints: Option<hints::Shown>,
    /// How many candidates there were.
    pub candidates: usize,
    /// Who was chosen, best first.
    pub ranked: Vec<Ranked>,
    /// Who was taken out by a policy.
    pub excluded: Vec<Out>,
    /// Who was taken out by the host afterwards.
    pub dropped: Vec<Dropped>,
    /// Stages that would have excluded everybody and were skipped.
    pub skipped: Vec<String>,
    /// When a slow attempt may be doubled.
    pub hedge: Hedge,
    /// Why nobody got the job.
    pub refusal: Option<Refusal>,
    /// What was wrong with the policy.
    pub fault: Option<Fault>,
    /// Who answered in its place.
    pub fallback: Option<Fallback>,
    /// What became of it, oldest first.
    pub attempts: Vec<Tried>,
}

/// An orchestrator by its identity, 16 hexadecimal digits, and where it is asked.
#[derive(Clone, Debug, Serialize)]
pub struct Who {
    /// Its identity.
    pub id: String,
    /// Where it is asked, if that is known.
    pub address: Option<String>,
}

/// A candidate that was chosen.
#[derive(Clone, Debug, Serialize)]
pub struct Ranked {
    /// Who.
    #[serde(flatten)]
    pub who: Who,
    /// The sum of its scores, if any stage scored.
    pub score: Option<f64>,
    /// What was known of it; only recordings keep that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
}

/// Facts that people look for first.
#[derive(Clone, Debug, Serialize)]
pub struct Known {
    /// Exact price, wei per unit, `num/den`.
    pub price: Option<String>,
    /// Median answer time.
    pub latency_ms: Option<f64>,
    /// Share of good attempts.
    pub success_rate: Option<f64>,
    /// Whether it held the stream's session.
    pub incumbent: bool,
    /// Attempts of this gateway that ran on it.
    pub in_flight: Option<f64>,
}

/// A candidate that a policy took out.
#[derive(Clone, Debug, Serialize)]
pub struct Out {
    /// Who.
    #[serde(flatten)]
    pub who: Who,
    /// Which stage.
    pub stage: String,
    /// Why, in its words; `unlisted` when its order leaves the candidate out.
    pub cause: String,
    /// The number the policy gave beside it.
    pub value: Option<f64>,
    /// The column the cause is about.
    pub column: Option<String>,
    /// What that column held.
    pub shown: Shown,
}

/// A candidate that the host took out.
#[derive(Clone, Debug, Serialize)]
pub struct Dropped {
    /// Who.
    #[serde(flatten)]
    pub who: Who,
    /// Why.
    pub reason: String,
}

/// An attempt.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// To whom.
    #[serde(flatten)]
    pub who: Who,
    /// When it was sent, unix ms.
    pub started_ms: u64,
    /// How long it took.
    pub elapsed_ms: f64,
    /// Whether it was a second copy of a slow one.
    pub hedge: bool,
    /// Why it was no good; `None`: it was.
    pub failure: Option<Failure>,
}

/// Which decision somebody asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Which(String);

/// Explanations of one job that are kept while files are read: a job is decided twice at most, but names come again.
const KEPT: usize = 16;

// === impl Which ===

impl Which {
    /// A job's name, such as `movie/12`, or a decision's number.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.trim_start_matches('/').to_owned())
    }

    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// Whether `job` is asked for by its name.
    #[must_use]
    pub fn names(&self, job: &str) -> bool {
        self.0 == job
    }
}

// === impl Explanation ===

impl Explanation {
    /// Explains a decision that is still in memory. `policy` is its generation, `address` knows orchestrators.
    #[must_use]
    pub fn of(
        decision: &Decision,
        policy: Option<Policy>,
        address: impl Fn(Symbol) -> Option<String>,
    ) -> Self {
        let verdict = Verdict::of(decision);
        let about = About {
            decision: decision.id,
            job: &decision.job,
            workload: decision.workload,
            at_ms: decision.at_ms,
            policy,
            took_us: decision.took.as_secs_f64() * 1e6,
            fuel: decision.fuel,
            snapshot: decision.snapshot,
            hints: decision.hints.as_deref().map(Hints::shown),
            candidates: decision.candidates(),
        };
        let id = |row| decision.id_of(row);
        about.explain(verdict, decision.attempts(), &id, &address, None)
    }

    /// Explains a recorded decision.
    #[must_use]
    pub fn recorded(recorded: &Recorded) -> Self {
        let about = About {
            decision: recorded.id,
            job: &recorded.job.id,
            workload: recorded.job.workload,
            at_ms: recorded.job.now_ms,
            policy: Some((*recorded.policy).clone()),
            took_us: recorded.took.as_secs_f64() * 1e6,
            fuel: recorded.fuel,
            snapshot: recorded.candidates.snapshot(),
            hints: recorded.job.wishes().as_ref().map(Hints::shown),
            candidates: recorded.candidates.rows(),
        };
        let rows = &recorded.candidates;
        about.explain(
            recorded.verdict.clone(),
            recorded.attempts.clone(),
            &|row| rows.id(row as usize),
            &|id| recorded.addresses.get(id).map(str::to_owned),
            Some(rows),
        )
    }

    /// Looks for `which` in recordings: the last few decisions that it names, oldest first.
    #[must_use]
    pub fn find(recordings: &mut Reader, which: &Which) -> Vec<Self> {
        let mut found = std::collections::VecDeque::new();
        for recorded in recordings {
            if which.names(&recorded.job.id) || which.number() == Some(recorded.id) {
                found.push_back(Self::recorded(&recorded));
                if found.len() > KEPT {
                    found.pop_front();
                }
            }
        }
        found.into()
    }
}

/// What does not depend on where a decision was kept.
struct About<'a> {
    decision: u64,
    job: &'a str,
    workload: Workload,
    at_ms: u64,
    policy: Option<Policy>,
    took_us: f64,
    fuel: u64,
    snapshot: u64,
    hints: Option<hints::Shown>,
    candidates: usize,
}

impl About<'_> {
    fn explain(
        self,
        verdict: Verdict,
        attempts: Vec<AttemptRecord>,
        id: &dyn Fn(u32) -> Symbol,
        address: &dyn Fn(Symbol) -> Option<String>,
        rows: Option<&Rows>,
    ) -> Explanation {
        let who = |id: Symbol| Who {
            id: id.to_string(),
            address: address(id),
        };
        Explanation {
            decision: self.decision,
            job: self.job.to_owned(),
            workload: self.workload,
            at_ms: self.at_ms,
            policy: self.policy,
            took_us: self.took_us,
            fuel: self.fuel,
            snapshot: self.snapshot,
            hints: self.hints,
            candidates: self.candidates,
            ranked: verdict
                .order
                .iter()
                .enumerate()
                .map(|(place, &row)| Ranked {
                    who: who(id(row)),
                    score: verdict.scores.get(place).copied(),
                    known: rows.map(|rows| Known::of(rows, row)),
                })
                .collect(),
            excluded: verdict
                .excluded
                .iter()
                .map(|excluded| Out {
                    who: who(id(excluded.row)),
                    stage: excluded.stage.to_string(),
                    cause: excluded.cause.to_string(),
                    value: excluded.value,
                    column: excluded.column.as_deref().map(str::to_owned),
                    shown: excluded.shown,
                })
                .collect(),
            dropped: verdict
                .dropped
                .iter()
                .map(|(id, reason)| Dropped {
                    who: who(*id),
                    reason: reason.to_string(),
                })
                .collect(),
            skipped: verdict.skipped.iter().map(ToString::to_string).collect(),
            hedge: verdict.hedge,
            refusal: verdict.refusal,
            fault: verdict.fault,
            fallback: verdict.fallback,
            attempts: attempts
                .into_iter()
                .map(|attempt| Tried {
                    who: who(attempt.candidate),
                    started_ms: attempt.started_ms,
                    elapsed_ms: attempt.elapsed.as_secs_f64() * 1e3,
                    hedge: attempt.hedge,
                    failure: attempt.outcome.err(),
                })
                .collect(),
        }
    }
}

// === impl Known ===

impl Known {
    fn of(rows: &Rows, row: u32) -> Self {
        Self {
            price: rows.price(row).map(|price| price.to_string()),
            latency_ms: rows.number(&Column::LatencyP50, row),
            success_rate: rows.number(&Column::SuccessRate, row),
            incumbent: rows.number(&Column::Incumbent, row) == Some(1.0),
            in_flight: rows.number(&Column::InFlight, row),
        }
    }

    /// In one line.
    fn line(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.price.as_ref().map(|price| format!("{price} wei")));
        parts.extend(self.latency_ms.map(|ms| format!("{ms:.0} ms")));
        let good = self.success_rate;
        parts.extend(good.map(|share| format!("{} % good", words::number(share * 100.0))));
        let running = self.in_flight.filter(|&running| running > 0.0);
        parts.extend(running.map(|running| format!("{running:.0} in flight")));
        if self.incumbent {
            parts.push("incumbent".to_owned());
        }
        parts.join(", ")
    }
}
