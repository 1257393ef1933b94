//! One job from its decision to its outcome.

mod attempt;
mod bargain;
mod recover;

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use attempt::{Attempt, Miss, Running};
use pointsman_directory::{Directory, Query, View};
use pointsman_facts::{Blame, Candidates, Failure, Hints, Job};
use pointsman_policy::{Host, Selection};
use tokio::time::{Instant, sleep_until};

use crate::budget::{Budgets, Limits};
use crate::exchange::{Delivered, Exchange, Request, StopReason, Stopped};
use crate::session::Sessions;
use crate::spending::Spending;

/// What the operator allows a job to cost in extra work.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Attempts one after the other, the first included. Answers that only say "full" do not count.
    pub max_attempts: NonZeroU32,
    /// Copies sent beside a slow attempt.
    pub max_hedges: u32,
    /// Budget of retries, all jobs together.
    pub retries: Limits,
    /// Budget of hedges, all jobs together.
    pub hedges: Limits,
    /// Whether `max_price` binds the host too, so that no policy can pass it.
    pub price_is_hard: bool,
}

/// Routes jobs. One a gateway.
#[derive(Debug)]
pub struct Dispatcher {
    directory: Directory,
    policy: Host,
    budgets: Budgets,
    spending: Spending,
    settings: Settings,
}

/// A job under way.
struct Run<'a, E: Exchange> {
    dispatcher: &'a Dispatcher,
    request: &'a Request,
    sessions: &'a Sessions<E::Session>,
    work: &'a E,
    started: Instant,
    job: Arc<Job>,
    view: View,
    selection: Selection,
    /// Rows not tried yet, best first.
    remaining: VecDeque<u32>,
    attempts: Vec<Attempt>,
    running: Running<'a, E::Output>,
    /// When to ask whether the oldest attempt is too slow.
    slow_at: Option<Instant>,
    last_failed: Option<usize>,
    /// Attempts that stand in a decision's record.
    recorded: usize,
    retries: u32,
    hedges: u32,
    reranked: bool,
    /// Price changes that the policy was asked about.
    bargains: u32,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_attempts: const { NonZeroU32::new(3).expect("three") },
            max_hedges: 1,
            retries: Limits::default(),
            hedges: Limits::default(),
            price_is_hard: true,
        }
    }
}

// === impl Dispatcher ===

impl Dispatcher {
    /// A dispatcher over one directory and one policy host.
    #[must_use]
    pub fn new(directory: Directory, policy: Host, settings: Settings) -> Self {
        Self {
            budgets: Budgets::new(settings.retries, settings.hedges),
            spending: Spending::default(),
            directory,
            policy,
            settings,
        }
    }

    /// The directory jobs are routed over.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Whether `max_price` binds the host too.
    #[must_use]
    pub fn price_is_hard(&self) -> bool {
        self.settings.price_is_hard
    }

    /// Where whoever keeps the money tells what was spent lately.
    #[must_use]
    pub fn spending(&self) -> &Spending {
        &self.spending
    }

    /// The policies that choose.
    #[must_use]
    pub fn policy(&self) -> &Host {
        &self.policy
    }

    /// Does one job.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: no orchestrator was chosen, the input is at fault, everything allowed was tried, or the hard deadline passed.
    pub async fn exchange<E: Exchange>(
        &self,
        request: &Request,
        sessions: &Sessions<E::Session>,
        work: &E,
    ) -> Result<Delivered<E::Output>, Stopped> {
        let mut run = Run::decide(self, request, sessions, work)?;
        self.budgets.deposit();
        run.start_next();
        run.finish().await
    }
}

// === impl Run ===

impl<'a, E: Exchange> Run<'a, E> {
    fn decide(
        dispatcher: &'a Dispatcher,
        request: &'a Request,
        sessions: &'a Sessions<E::Session>,
        work: &'a E,
    ) -> Result<Self, Stopped> {
        let started = Instant::now();
        let view = dispatcher.view(request, sessions, work);
        let job = Arc::new(dispatcher.job(request, &view));
        let selection = dispatcher.policy.select(Arc::clone(&job), &view);
        let run = Self {
            dispatcher,
            request,
            sessions,
            work,
            started,
            remaining: selection.order().iter().copied().collect(),
            job,
            view,
            selection,
            attempts: Vec::new(),
            running: Running::default(),
            slow_at: None,
            last_failed: None,
            recorded: 0,
            retries: 0,
            hedges: 0,
            reranked: false,
            bargains: 0,
        };
        if run.remaining.is_empty() {
            return Err(run.nobody());
        }
        Ok(run)
    }

    async fn finish(&mut self) -> Result<Delivered<E::Output>, Stopped> {
        let hard = self.started + self.request.deadlines.hard;
        // Half of the time is over and there is no answer, whatever was hedged: the other half is another candidate's too.
        let mut rescue_at = Some(self.started + self.request.deadlines.hard / 2);
        loop {
            let slow_at = self.slow_at.unwrap_or(hard);
            tokio::select! {
                biased;
                Some((index, result)) = self.running.next() => match result {
                    Ok(output) => return Ok(self.delivered(index, output)),
                    Err(Miss::Dearer(asked)) => self.bargain(index, asked)?,
                    Err(Miss::Failed(failure)) => {
                        let hopeless = failure.blame == Blame::Input;
                        self.failed(index, failure);
                        if hopeless {
                            return Err(self.give_up());
                        }
                        if self.running.is_empty() {
                            self.recover()?;
                        } else {
                            self.replace();
                        }
                    }
                },
                () = sleep_until(hard) => return Err(self.out_of_time()),
                () = sleep_until(slow_at), if self.slow_at.is_some() => self.slow(),
                () = sleep_until(rescue_at.unwrap_or(hard)), if rescue_at.is_some() => {
                    rescue_at = None;
                    self.rescue();
                }
            }
        }
    }

    fn delivered(&mut self, index: usize, output: E::Output) -> Delivered<E::Output> {
        let orchestrator = self.won(index);
        self.sessions.succeeded(orchestrator.id);
        self.close_attempts();
        if self.attempts.len() > 1 {
            // The next segment may be here before the directory publishes by itself, and must not go back to who just failed.
            self.dispatcher.directory.publish();
        }
        Delivered {
            output,
            orchestrator,
            decision: self.selection.decision.id,
            attempts: self.attempts.len(),
            elapsed: self.started.elapsed(),
        }
    }

    fn out_of_time(&mut self) -> Stopped {
        let hard = self.request.deadlines.hard;
        for index in 0..self.attempts.len() {
            if self.attempts[index].is_running() {
                self.attempts[index].abandon();
                self.late(index);
            }
        }
        self.close_attempts();
        self.stopped(
            StopReason::Deadline,
            format!("no orchestrator answered within {} ms", hard.as_millis()),
        )
    }

    /// Writes every attempt into its decision's record, once; what still runs is cancelled when the run is dropped.
    fn close_attempts(&mut self) {
        let clock = self.dispatcher.directory.clock();
        for attempt in &self.attempts[self.recorded..] {
            self.selection
                .decision
                .record_attempt(attempt.record(clock));
        }
        self.recorded = self.attempts.len();
    }

    fn last_failure(&self) -> Option<&Failure> {
        self.attempts[self.last_failed?].failure()
    }

    fn stopped(&self, reason: StopReason, message: String) -> Stopped {
        Stopped {
            reason,
            status: None,
            message,
            failure: self.last_failure().cloned(),
            decision: Some(self.selection.decision.id),
            attempts: self.attempts.len(),
        }
    }

    /// Selection left nobody: a policy rejected the job itself, or there is nobody to do it.
    fn nobody(&self) -> Stopped {
        let refusal = self.selection.refusal();
        if let Some(refusal) = refusal
            && !refusal.leaves_nobody()
        {
            let mut stopped = self.stopped(StopReason::Rejected, refusal.message.clone());
            stopped.status = Some(refusal.status);
            return stopped;
        }
        let message = match self.view.rows() {
            0 => "no orchestrator is known: check --orch-addr, --orch-webhook-url or the chain's registry".to_owned(),
            _ => format!(
                "{}; decision {} says why for each",
                refusal.map_or("no orchestrator is left", |refusal| &refusal.message),
                self.selection.decision.id
            ),
        };
        self.stopped(StopReason::NoOrchestrators, message)
    }
}

impl Dispatcher {
    fn view<E: Exchange>(
        &self,
        request: &Request,
        sessions: &Sessions<E::Session>,
        work: &E,
    ) -> View {
        let view = self.directory.candidates(&Query {
            workload: request.workload,
            model: request.model,
            required: Arc::clone(&request.required),
            incumbent: sessions.incumbent(),
            hints: Arc::clone(&request.hints),
        });
        let open = sessions.open();
        // A session that is about to be renewed will cost what everybody is asked. A price that rose within one is bargained about before it is
        // paid.
        let prices = open.iter().filter_map(|(id, session)| {
            let asked = work.asked(session).filter(|_| !work.expired(session))?;
            let price = if asked.rose() {
                asked.agreed
            } else {
                asked.now
            };
            Some((*id, price))
        });
        let credit = open.iter().map(|(id, session)| (*id, work.credit(session)));
        view.with_prices(prices).with_credit(credit)
    }

    fn job(&self, request: &Request, view: &View) -> Job {
        Job {
            id: request.id.clone(),
            now_ms: self.directory.clock().unix_ms(),
            seed: fastrand::u64(..),
            workload: request.workload,
            capability: request.capability,
            model: request.model,
            affinity: request.hints.affinity.map_or(request.affinity, |key| key.0),
            deadline_ms: millis(request.deadlines.hard),
            soft_ms: millis(request.deadlines.soft),
            units: request.units,
            segment_ms: request.segment.map(millis),
            sequence: request.sequence,
            max_price: request.hints.tighten(request.max_price),
            price_is_hard: self.settings.price_is_hard,
            retries_left: self.settings.max_attempts.get() - 1,
            hedges_left: self.settings.max_hedges,
            spent: self.spending.spent(),
            labels: request.hints.labels.clone(),
            hints: wishes(view),
        }
    }
}

/// What the application wants besides labels, which are the job's own.
fn wishes(view: &View) -> Hints {
    Hints {
        labels: std::collections::BTreeMap::new(),
        ..(**view.hints()).clone()
    }
}

/// Saturates: no deadline is 49 days off.
fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
