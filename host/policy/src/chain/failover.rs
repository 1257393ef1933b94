//! The failover chain: the first stage that does not abstain decides.

use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::{Blame, Candidates, Failure, Job, Kept, Price, Symbol};

use super::gather::{Base, Scratch, View};
use super::merge::{bad_row, checked};
use super::{Chain, Failed, Manner, Question, Refusal, Stage};
use crate::engine::Instance;
use crate::fault::Cause;
use crate::native::NativeStage;
use crate::purity;
use crate::wit;

/// One try of the job, as dispatch tells it.
#[derive(Clone, Copy, Debug)]
pub struct AttemptView<'a> {
    /// The orchestrator's identity.
    pub candidate: Symbol,
    /// Its place among the remaining rows, if it is one of them.
    pub row: Option<u32>,
    /// When it was sent, ms after the job arrived.
    pub started_ms: u32,
    /// How long it has run, or ran, ms.
    pub elapsed_ms: u32,
    /// It has not ended.
    pub running: bool,
    /// Why it ended, if it failed.
    pub failure: Option<&'a Failure>,
}

/// The candidates that are left, best first.
#[derive(Clone, Copy)]
pub struct Remaining<'a> {
    /// Where their facts are.
    pub candidates: &'a dyn Candidates,
    /// Their rows there; the first is the next best. An answer's row is a place in this list.
    pub rows: &'a [u32],
}

/// What to do after a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// No policy has an opinion: the host's default.
    Abstain,
    /// The same orchestrator again, after a pause.
    RetrySame(Duration),
    /// The candidate at that place of the remaining rows.
    Next(u32),
    /// A new selection.
    Rerank,
    /// No more attempts.
    Stop(Refusal),
}

/// Answer to a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// How long the orchestrator that failed last rests; zero not at all. The host caps it.
    pub rest: Duration,
    /// What now.
    pub recovery: Recovery,
}

/// What to do while an attempt is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// No policy has an opinion: the host's default.
    Abstain,
    /// Ask again later.
    Wait(Duration),
    /// A second copy to the candidate at that place of the remaining rows.
    Hedge(u32),
    /// End the oldest running attempt.
    Abandon,
}

/// What to do when a session's price changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bargain {
    /// No policy has an opinion: the host's default.
    Abstain,
    /// Pay it.
    Accept,
    /// One fresh session, then accept or next.
    Renegotiate,
    /// The candidate at that place of the remaining rows.
    Next(u32),
    /// No more attempts.
    Stop(Refusal),
}

/// Why the failover chain is asked.
#[derive(Clone, Debug)]
pub(crate) enum Occasion {
    /// An attempt failed; all attempts.
    Failure(Vec<wit::Attempt>),
    /// An attempt is slow; all attempts.
    Slow(Vec<wit::Attempt>),
    /// A price was the first and is the second.
    PriceChange(Price, Price),
}

/// A question to the failover chain that outlives its job.
pub(crate) struct KeptQuestion {
    pub(crate) occasion: Occasion,
    pub(crate) candidates: Arc<dyn Kept>,
    pub(crate) rows: Vec<u32>,
}

/// What the failover chain says, and the stage that said it.
pub(crate) type Said<T> = Result<(T, Option<Arc<str>>), Failed>;

/// An answer that can be "no opinion".
pub(crate) trait Opinion: std::fmt::Debug + Sized {
    fn abstains(&self) -> bool;
    /// No opinion.
    fn abstain() -> Self;
    /// The job is refused.
    fn refuse(refusal: Refusal) -> Self;
}

// === impl Remaining ===

impl std::fmt::Debug for Remaining<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remaining")
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

// === impl KeptQuestion ===

impl KeptQuestion {
    /// Asks `chain` about it, and leaves its answer in `manner`'s marks.
    pub(crate) fn ask(&self, chain: &Chain, job: &Job, manner: &mut Manner) -> Result<(), Failed> {
        let remaining = Remaining {
            candidates: &*self.candidates,
            rows: &self.rows,
        };
        match &self.occasion {
            Occasion::Failure(attempts) => {
                chain.on_failure(job, attempts, remaining, manner).map(drop)
            }
            Occasion::Slow(attempts) => chain.on_slow(job, attempts, remaining, manner).map(drop),
            &Occasion::PriceChange(before, after) => chain
                .on_price_change(job, (before, after), remaining, manner)
                .map(drop),
        }
    }
}

// === impl Opinion ===

impl Opinion for Remedy {
    fn abstains(&self) -> bool {
        self.recovery == Recovery::Abstain && self.rest.is_zero()
    }

    fn abstain() -> Self {
        Self {
            rest: Duration::ZERO,
            recovery: Recovery::Abstain,
        }
    }

    fn refuse(refusal: Refusal) -> Self {
        Self {
            rest: Duration::ZERO,
            recovery: Recovery::Stop(refusal),
        }
    }
}

impl Opinion for Patience {
    fn abstains(&self) -> bool {
        *self == Self::Abstain
    }

    fn abstain() -> Self {
        Self::Abstain
    }

    /// A slow attempt may still succeed: it is not ended because a policy is faulty.
    fn refuse(_refusal: Refusal) -> Self {
        Self::Abstain
    }
}

impl Opinion for Bargain {
    fn abstains(&self) -> bool {
        *self == Self::Abstain
    }

    fn abstain() -> Self {
        Self::Abstain
    }

    fn refuse(refusal: Refusal) -> Self {
        Self::Stop(refusal)
    }
}

// === impl Chain ===

impl Chain {
    pub(crate) fn on_failure(
        &self,
        job: &Job,
        attempts: &[wit::Attempt],
        remaining: Remaining<'_>,
        manner: &mut Manner,
    ) -> Said<Remedy> {
        self.rescue(
            job,
            remaining,
            manner,
            |instance, question| instance.on_failure(question.job(), attempts, question.table()),
            |native, question| native.on_failure(&question.job(), attempts, &question.table()),
            |remedy, stage| {
                Ok(Remedy {
                    rest: ms(remedy.rest_ms),
                    recovery: match remedy.recovery {
                        wit::Recovery::Abstain => Recovery::Abstain,
                        wit::Recovery::RetrySame(pause) => Recovery::RetrySame(ms(pause)),
                        wit::Recovery::Next(row) => Recovery::Next(known(row, remaining)?),
                        wit::Recovery::Rerank => Recovery::Rerank,
                        wit::Recovery::Stop(refusal) => Recovery::Stop(stop(stage, refusal)?),
                    },
                })
            },
        )
    }

    pub(crate) fn on_slow(
        &self,
        job: &Job,
        attempts: &[wit::Attempt],
        remaining: Remaining<'_>,
        manner: &mut Manner,
    ) -> Said<Patience> {
        self.rescue(
            job,
            remaining,
            manner,
            |instance, question| instance.on_slow(question.job(), attempts, question.table()),
            |native, question| native.on_slow(&question.job(), attempts, &question.table()),
            |patience, _| {
                Ok(match patience {
                    wit::Patience::Abstain => Patience::Abstain,
                    wit::Patience::Wait(pause) => Patience::Wait(ms(pause)),
                    wit::Patience::Hedge(row) => Patience::Hedge(known(row, remaining)?),
                    wit::Patience::Abandon => Patience::Abandon,
                })
            },
        )
    }

    pub(crate) fn on_price_change(
        &self,
        job: &Job,
        (before, after): (Price, Price),
        remaining: Remaining<'_>,
        manner: &mut Manner,
    ) -> Said<Bargain> {
        let price = |price: Price| wit::Price {
            num: price.num,
            den: price.den.get(),
        };
        let (before, after) = (price(before), price(after));
        self.rescue(
            job,
            remaining,
            manner,
            |instance, question| {
                instance.on_price_change(question.job(), (before, after), question.table())
            },
            |native, question| {
                native.on_price_change(&question.job(), before, after, &question.table())
            },
            |bargain, stage| {
                Ok(match bargain {
                    wit::Bargain::Abstain => Bargain::Abstain,
                    wit::Bargain::Accept => Bargain::Accept,
                    wit::Bargain::Renegotiate => Bargain::Renegotiate,
                    wit::Bargain::Next(row) => Bargain::Next(known(row, remaining)?),
                    wit::Bargain::Stop(refusal) => Bargain::Stop(stop(stage, refusal)?),
                })
            },
        )
    }

    /// Asks the failover stages until one has an opinion: that, and the stage's name.
    fn rescue<A, T: Opinion>(
        &self,
        job: &Job,
        remaining: Remaining<'_>,
        manner: &mut Manner,
        wasm: impl Fn(&mut Instance, &Question<'_>) -> Result<A, Cause>,
        native: impl Fn(&dyn NativeStage, &Question<'_>) -> A,
        accept: impl Fn(A, &Stage) -> Result<T, Cause>,
    ) -> Said<T> {
        let rows = remaining.rows.len();
        let known = remaining.candidates.rows();
        if remaining.rows.iter().any(|&row| row as usize >= known) {
            // The caller's mistake; the host's default is always safe.
            tracing::error!("failover was asked about rows that are not among the candidates");
            return Ok((T::abstain(), None));
        }
        let view = View {
            rows: remaining.rows,
            sums: None,
            ordered: true,
        };
        let mut base = Base::new(remaining.candidates, &self.columns, &job.hints);
        for stage in &self.failover {
            let asked = Scratch::with(|scratch| {
                scratch.renew();
                scratch.fill(&stage.plan, &mut base, view);
                let columns = scratch.columns(&stage.plan, rows);
                let facts = stage.plan.facts(job);
                let question = Question::new(job, &facts, &columns, rows);
                stage.ask(
                    rows,
                    manner.fresh,
                    |instance| wasm(instance, &question),
                    |policy| native(policy, &question),
                    |answer| accept(answer, stage),
                )
            });
            if let (Ok(answered), Some(marks)) = (&asked, &mut manner.marks) {
                marks.push(purity::mark_of(&answered.answer));
            }
            match asked {
                Ok(answered) if answered.answer.abstains() => {}
                Ok(answered) => return Ok((answered.answer, Some(Arc::clone(&stage.name)))),
                Err(fault) => {
                    return Err(Failed {
                        fault,
                        required: stage.required,
                    });
                }
            }
        }
        Ok((T::abstain(), None))
    }
}

fn ms(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

fn known(row: u32, remaining: Remaining<'_>) -> Result<u32, Cause> {
    if row as usize >= remaining.rows.len() {
        return Err(bad_row(row, remaining.rows.len()));
    }
    Ok(row)
}

fn stop(stage: &Stage, refusal: wit::Refusal) -> Result<Refusal, Cause> {
    let refusal = checked(refusal, stage.plan.causes.len())?;
    Ok(Refusal::of(stage, refusal))
}

/// Attempts as a policy is told of them.
pub(crate) fn lower(attempts: &[AttemptView<'_>]) -> Vec<wit::Attempt> {
    attempts
        .iter()
        .map(|attempt| wit::Attempt {
            candidate: attempt.candidate.0,
            row: attempt.row,
            started_ms: attempt.started_ms,
            elapsed_ms: attempt.elapsed_ms,
            running: attempt.running,
            failure: attempt.failure.map(failure),
        })
        .collect()
}

fn failure(failure: &Failure) -> wit::Failure {
    wit::Failure {
        blame: match failure.blame {
            Blame::Orchestrator => wit::Blame::Orchestrator,
            Blame::Input => wit::Blame::Input,
            Blame::Gateway => wit::Blame::Gateway,
            Blame::Payment => wit::Blame::Payment,
            Blame::Network => wit::Blame::Network,
        },
        kind: failure.kind as u16,
        retry_safe: failure.retry_safe,
        http_status: failure.http_status.unwrap_or(0),
        retry_after_ms: failure.retry_after.map_or(0, |after| {
            u32::try_from(after.as_millis()).unwrap_or(u32::MAX)
        }),
    }
}
