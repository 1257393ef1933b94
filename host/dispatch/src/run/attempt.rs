//! One try on one orchestrator, and those that are under way.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{AbortHandle, Abortable, BoxFuture};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use pointsman_directory::{Clock, Orchestrator, Outcome, Running as InFlight};
use pointsman_facts::failure::Class;
use pointsman_facts::{Blame, Failure, FailureKind, Price};
use pointsman_policy::{AttemptRecord, AttemptView};
use tokio::time::Instant;

use super::{Run, millis};
use crate::exchange::{Allowance, Asked, Exchange};
use crate::session::Sessions;

/// One try.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Its row in the view it was chosen from.
    pub(super) row: u32,
    pub(super) orchestrator: Arc<Orchestrator>,
    hedge: bool,
    /// Since the start of the job.
    started: Duration,
    began: Instant,
    end: Option<(Duration, Result<(), Failure>)>,
    /// Counts as in flight, and into the orchestrator's history, while it is held.
    in_flight: Option<InFlight>,
    abort: AbortHandle,
    /// A session was agreed anew for it, because of the price.
    pub(super) renegotiated: bool,
}

/// At what price an attempt is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Terms {
    /// At what the session agreed to.
    Agreed,
    /// At this at most, which the session agrees to.
    Accepted(Price),
    /// At what a fresh session asks, if that is not above what was agreed in this one.
    Fresh(Asked),
}

/// Why an attempt gave no result.
#[derive(Debug)]
pub(super) enum Miss {
    /// It failed.
    Failed(Failure),
    /// It was not made, or not to the end: its orchestrator asks more than was agreed.
    Dearer(Asked),
}

type Ended<T> = (usize, Result<T, Miss>);

/// The attempts under way.
pub(super) struct Running<'a, T>(FuturesUnordered<BoxFuture<'a, Ended<T>>>);

fn cancelled(why: &str) -> Failure {
    Failure::new(Blame::Gateway, FailureKind::Cancelled, why)
}

// === impl Attempt ===

impl Attempt {
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.end
            .as_ref()
            .and_then(|(_, result)| result.as_ref().err())
    }

    pub(super) fn is_running(&self) -> bool {
        self.end.is_none()
    }

    fn succeed(&mut self, duration: Option<Duration>) {
        let elapsed = self.began.elapsed();
        self.end = Some((elapsed, Ok(())));
        if let Some(in_flight) = self.in_flight.take() {
            in_flight.finish(Outcome::Success { elapsed, duration });
        }
    }

    fn fail(&mut self, failure: Failure) {
        let elapsed = self.began.elapsed();
        if let Some(in_flight) = self.in_flight.take() {
            in_flight.finish(Outcome::Failure {
                failure: &failure,
                elapsed,
            });
        }
        self.end = Some((elapsed, Err(failure)));
    }

    /// Another attempt won. What was too slow leaves its trace in the history, or a hanging orchestrator would stay first choice.
    fn overtaken(&mut self, duration: Option<Duration>) {
        let elapsed = self.began.elapsed();
        if let Some(in_flight) = self.in_flight.take() {
            in_flight.finish(Outcome::Overtaken { elapsed, duration });
        }
        self.end = Some((elapsed, Err(cancelled("another attempt answered first"))));
    }

    /// Ends the attempt from here; its future then answers with a failure.
    pub(super) fn abandon(&self) {
        self.abort.abort();
    }

    /// As policies see it; `place` is its place among the remaining candidates.
    pub(super) fn view(&self, place: Option<u32>) -> AttemptView<'_> {
        AttemptView {
            candidate: self.orchestrator.id,
            row: place,
            started_ms: millis(self.started),
            elapsed_ms: millis(self.elapsed()),
            running: self.is_running(),
            failure: self.failure(),
        }
    }

    /// As the decision's record keeps it.
    pub(super) fn record(&self, clock: Clock) -> AttemptRecord {
        AttemptRecord {
            candidate: self.orchestrator.id,
            started_ms: clock.unix_ms_at(self.began),
            elapsed: self.elapsed(),
            hedge: self.hedge,
            outcome: match &self.end {
                Some((_, result)) => result.clone(),
                None => Err(cancelled("the job ended")),
            },
        }
    }

    fn elapsed(&self) -> Duration {
        self.end
            .as_ref()
            .map_or_else(|| self.began.elapsed(), |(elapsed, _)| *elapsed)
    }
}

// === impl Running ===

impl<T> Default for Running<'_, T> {
    fn default() -> Self {
        Self(FuturesUnordered::new())
    }
}

impl<T> Running<'_, T> {
    pub(super) async fn next(&mut self) -> Option<Ended<T>> {
        self.0.next().await
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

// === impl Run ===

impl<'a, E: Exchange> Run<'a, E> {
    /// Starts the best candidate that has not been tried.
    pub(super) fn start_next(&mut self) {
        if let Some(row) = self.remaining.pop_front() {
            self.start(row, Duration::ZERO, false);
        }
    }

    /// Starts an attempt on `row` after `delay`.
    pub(super) fn start(&mut self, row: u32, delay: Duration, hedge: bool) {
        self.remaining.retain(|&other| other != row);
        let orchestrator = self.view.orchestrator(row as usize).clone();
        let abort = self.launch(self.attempts.len(), &orchestrator, delay, Terms::Agreed);
        self.attempts.push(Attempt {
            row,
            in_flight: Some(self.dispatcher.directory.begin(
                orchestrator.id,
                self.request.workload,
                self.request.model,
            )),
            orchestrator,
            hedge,
            started: self.started.elapsed() + delay,
            began: Instant::now() + delay,
            end: None,
            abort,
            renegotiated: false,
        });
        if !hedge {
            self.slow_at = self.hedge_at(row, delay);
        }
    }

    /// Goes on with an attempt that was stopped by its price.
    pub(super) fn resume(&mut self, index: usize, terms: Terms) {
        let orchestrator = self.attempts[index].orchestrator.clone();
        let abort = self.launch(index, &orchestrator, Duration::ZERO, terms);
        let attempt = &mut self.attempts[index];
        attempt.abort = abort;
        attempt.renegotiated |= matches!(terms, Terms::Fresh(_));
    }

    /// Lets the work of an attempt begin after `delay`; what ends it.
    fn launch(
        &mut self,
        index: usize,
        orchestrator: &Arc<Orchestrator>,
        delay: Duration,
        terms: Terms,
    ) -> AbortHandle {
        let (work, sessions, target) = (self.work, self.sessions, orchestrator.clone());
        let allowance = self.allowance();
        let (abort, registration) = AbortHandle::new_pair();
        let future = Abortable::new(
            async move {
                // Even a sleep of nothing lasts until the timer's next millisecond, which is longer than a good attempt's other waits.
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                attempt(work, sessions, &target, allowance, terms).await
            },
            registration,
        )
        .map(move |ended| {
            let abandoned = |_| {
                Err(Miss::Failed(Failure::new(
                    Blame::Orchestrator,
                    FailureKind::HeaderTimeout,
                    "abandoned: too slow",
                )))
            };
            (index, ended.unwrap_or_else(abandoned))
        });
        self.running.0.push(future.boxed());
        abort
    }

    /// Upload and result times as go-livepeer grants them. The job's own deadline is not in here: it ends attempts without
    /// calling them slow.
    fn allowance(&self) -> Allowance {
        let media = self.request.segment.unwrap_or(self.request.deadlines.soft);
        Allowance {
            headers: (media / 2).max(Duration::from_secs(2)),
            total: (media * 4).max(Duration::from_secs(8)),
        }
    }

    /// Books an attempt that the hard deadline ended: as too slow if it had a segment's duration, else as nobody's fault.
    pub(super) fn late(&mut self, index: usize) {
        let hard = self.request.deadlines.hard.as_millis();
        let had_time = self.attempts[index].elapsed() >= self.request.deadlines.soft;
        let failure = if had_time {
            let detail = format!("no result within the hard deadline of {hard} ms");
            Failure::new(Blame::Orchestrator, FailureKind::Deadline, detail)
        } else {
            cancelled("the hard deadline passed")
        };
        self.failed(index, failure);
    }

    /// Books a failed attempt.
    pub(super) fn failed(&mut self, index: usize, failure: Failure) {
        let attempt = &mut self.attempts[index];
        tracing::debug!(job = self.request.id, orchestrator = %attempt.orchestrator.uri, %failure, "attempt failed");
        attempt.fail(failure);
        self.last_failed = Some(index);
    }

    /// Books the attempt that won, and those it overtook.
    pub(super) fn won(&mut self, index: usize) -> Arc<Orchestrator> {
        let duration = self.request.segment;
        for (other, attempt) in self.attempts.iter_mut().enumerate() {
            if other == index {
                attempt.succeed(duration);
            } else if attempt.is_running() {
                attempt.overtaken(duration);
            }
        }
        self.attempts[index].orchestrator.clone()
    }
}

async fn attempt<E: Exchange>(
    work: &E,
    sessions: &Sessions<E::Session>,
    orchestrator: &Arc<Orchestrator>,
    allowance: Allowance,
    terms: Terms,
) -> Result<E::Output, Miss> {
    let rose = |session: &E::Session| work.asked(session).filter(Asked::rose);
    let id = orchestrator.id;
    let expired = |session: &E::Session| work.expired(session);
    let session = match terms {
        Terms::Fresh(before) => {
            let expired = |session: &E::Session| expired(session) || rose(session).is_some();
            let open = || work.renegotiate(orchestrator);
            let session = sessions.acquire(id, expired, open).await?;
            // What was agreed before still is, until the policy says otherwise.
            if work
                .asked(&session)
                .is_some_and(|asked| asked.now > before.agreed)
            {
                work.agree(&session, before.began, before.agreed);
            }
            session
        }
        _ => {
            sessions
                .acquire(id, expired, || work.open(orchestrator))
                .await?
        }
    };
    if let Some(asked) = rose(&session) {
        match terms {
            Terms::Accepted(most) if asked.now <= most => {
                work.agree(&session, asked.began, asked.now);
            }
            _ => return Err(Miss::Dearer(asked)),
        }
    }
    let failure = match work.attempt(&session, allowance).await {
        Ok(output) => return Ok(output),
        Err(failure) => failure,
    };
    if failure.kind.class() == Class::Session {
        sessions.forget(id, &session).await;
    }
    match rose(&session).filter(|_| failure.kind == FailureKind::Price) {
        Some(asked) => Err(Miss::Dearer(asked)),
        None => Err(failure.into()),
    }
}

// === impl Miss ===

impl From<Failure> for Miss {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
