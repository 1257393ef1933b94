//! Decisions as JSON, with names and not numbers.
//!
//! Identities, seeds and affinities are 16 hexadecimal digits: they use all 64 bits, and JavaScript's numbers have 53.

use pointsman_facts::{Failure, Hints, Symbol, Workload, hints};
use serde::{Serialize, Serializer};

use super::{AttemptRecord, Decision, Exclusion, Fallback};
use crate::chain::recheck::DropReason;
use crate::chain::{Hedge, Refusal};
use crate::fault::Fault;

/// Writes a 64-bit number as 16 hexadecimal digits.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
pub(crate) fn hexadecimal<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Symbol(*number))
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
pub(super) fn symbol<S: Serializer>(symbol: &Symbol, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(symbol)
}

#[derive(Serialize)]
struct Whole<'a> {
    id: u64,
    job: &'a str,
    workload: Workload,
    #[serde(serialize_with = "hexadecimal")]
    affinity: u64,
    sequence: Option<u64>,
    hints: Option<hints::Shown>,
    #[serde(serialize_with = "hexadecimal")]
    seed: u64,
    at_ms: u64,
    took_us: f64,
    generation: u64,
    canary: bool,
    snapshot: u64,
    candidates: usize,
    order: Vec<Place>,
    excluded: Vec<Exclusion<'a>>,
    dropped: Vec<Dropped>,
    skipped: Vec<&'a str>,
    hedge: Hedge,
    refusal: Option<&'a Refusal>,
    fault: Option<&'a Fault>,
    fallback: Option<Fallback>,
    fuel: u64,
    attempts: Vec<Attempt>,
}

#[derive(Serialize)]
struct Place {
    #[serde(serialize_with = "symbol")]
    id: Symbol,
    score: Option<f64>,
}

#[derive(Serialize)]
struct Dropped {
    #[serde(serialize_with = "symbol")]
    id: Symbol,
    reason: DropReason,
}

#[derive(Serialize)]
struct Attempt {
    #[serde(serialize_with = "symbol")]
    candidate: Symbol,
    started_ms: u64,
    elapsed_ms: f64,
    hedge: bool,
    ok: bool,
    failure: Option<Failure>,
}

impl From<AttemptRecord> for Attempt {
    fn from(record: AttemptRecord) -> Self {
        Self {
            candidate: record.candidate,
            started_ms: record.started_ms,
            elapsed_ms: record.elapsed.as_secs_f64() * 1e3,
            hedge: record.hedge,
            ok: record.outcome.is_ok(),
            failure: record.outcome.err(),
        }
    }
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let order = self.order.iter().enumerate();
        let whole = Whole {
            id: self.id,
            job: &self.job,
            workload: self.workload,
            affinity: self.affinity,
            sequence: self.sequence,
            hints: self.hints.as_deref().map(Hints::shown),
            seed: self.seed,
            at_ms: self.at_ms,
            took_us: self.took.as_secs_f64() * 1e6,
            generation: self.generation,
            canary: self.canary,
            snapshot: self.snapshot,
            candidates: self.candidates(),
            order: order
                .map(|(place, &row)| Place {
                    id: self.id_of(row),
                    score: self.score(place),
                })
                .collect(),
            excluded: self.exclusions().collect(),
            dropped: self
                .host_drops()
                .map(|(id, reason)| Dropped { id, reason })
                .collect(),
            skipped: self.skipped().collect(),
            hedge: self.hedge,
            refusal: self.refusal.as_ref(),
            fault: self.fault.as_ref(),
            fallback: self.fallback,
            fuel: self.fuel,
            attempts: self.attempts().into_iter().map(Attempt::from).collect(),
        };
        whole.serialize(serializer)
    }
}
