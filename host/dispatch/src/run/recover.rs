//! What happens after a failure and beside a slow attempt: the policy proposes, this module disposes.

use std::sync::Arc;
use std::time::Duration;

use pointsman_directory::{Rest, View};
use pointsman_facts::failure::Class;
use pointsman_facts::{Blame, Candidates, Column, FailureKind, Job, Values};
use pointsman_policy::{AttemptView, Hedge, Patience, Recovery, Remaining, Remedy};
use tokio::time::Instant;

use super::attempt::Attempt;
use super::{Run, millis, wishes};
use crate::exchange::{Exchange, StopReason, Stopped};
use crate::hedge::{Past, adaptive_delay};

/// Who is left, as of now: what runs where and who rests has changed since the ranking.
pub(super) struct Left {
    view: View,
    rows: Vec<u32>,
}

impl<E: Exchange> Run<'_, E> {
    /// Nothing runs any more: asks what to do about the last failure, and does it.
    pub(super) fn recover(&mut self) -> Result<(), Stopped> {
        let Remedy { rest, recovery } = {
            let (job, attempts, left) = self.situation();
            self.selection
                .generation
                .on_failure(&job, &attempts, left.remaining())
                .value
        };
        let Some(failed) = self.last_failed.map(|index| &self.attempts[index]) else {
            return Err(self.give_up());
        };
        let row = failed.row;
        if !rest.is_zero()
            && self.dispatcher.directory.rest(failed.orchestrator.id, rest) == Rest::Refused
        {
            refused("rest");
        }
        match recovery {
            Recovery::Stop(refusal) => {
                let mut stopped = self.give_up();
                stopped.status = Some(refusal.status);
                return Err(stopped);
            }
            Recovery::RetrySame(delay) if self.may_retry(delay) => self.start(row, delay, false),
            Recovery::Next(place) if self.may_go_on() => self.start_place(place),
            Recovery::Rerank if !self.reranked && self.may_retry(Duration::ZERO) => self.rerank(),
            // Refused, or no answer: the next candidate if that is allowed.
            recovery => {
                match recovery {
                    Recovery::RetrySame(_) => refused("retry-same"),
                    Recovery::Next(_) => refused("next"),
                    Recovery::Rerank => refused("rerank"),
                    Recovery::Abstain | Recovery::Stop(_) => {}
                }
                if self.may_go_on() {
                    self.start_place(0);
                }
            }
        }
        if self.running.is_empty() {
            return Err(self.give_up());
        }
        Ok(())
    }

    /// An attempt failed beside another that runs on: what failed makes room for another copy, if the policy wants one.
    pub(super) fn replace(&mut self) {
        if self.may_go_on() {
            self.hedges = self.hedges.saturating_sub(1);
            self.slow_at = Some(Instant::now());
        }
    }

    /// Sends the job to the next candidate as if what runs had failed, and lets it run: it may still be first.
    pub(super) fn rescue(&mut self) {
        let settings = &self.dispatcher.settings;
        let more = !self.remaining.is_empty() && self.retries + 1 < settings.max_attempts.get();
        if more && self.dispatcher.budgets.retry() {
            self.retries += 1;
            metrics::counter!("pointsman_retries_total", "workload" => self.request.workload.name())
                .increment(1);
            let row = self.remaining[0];
            self.start(row, Duration::ZERO, true);
        }
    }

    /// The oldest attempt is slow: asks whether to double it.
    pub(super) fn slow(&mut self) {
        self.slow_at = None;
        let patience = {
            let (job, attempts, left) = self.situation();
            self.selection
                .generation
                .on_slow(&job, &attempts, left.remaining())
                .value
        };
        match patience {
            Patience::Wait(delay) => {
                self.slow_at = Some(Instant::now() + delay.max(Duration::from_millis(1)));
            }
            Patience::Hedge(place) if self.hedge(place) => {}
            Patience::Hedge(_) => refused("hedge"),
            Patience::Abandon => {
                if let Some(oldest) = self.attempts.iter().find(|attempt| attempt.is_running()) {
                    oldest.abandon();
                }
            }
            Patience::Abstain => {
                self.hedge(0);
            }
        }
    }

    /// When an attempt on `row` that starts after `delay` is due for a second look.
    pub(super) fn hedge_at(&self, row: u32, delay: Duration) -> Option<Instant> {
        let slow_after = match self.selection.hedge() {
            Hedge::Never => return None,
            Hedge::AfterMs(ms) => Duration::from_millis(ms.into()),
            Hedge::Adaptive => {
                let next = self.remaining.front().copied();
                let soft = self.request.deadlines.soft;
                adaptive_delay(soft, self.past(Some(row)), self.past(next))
            }
        };
        Some(Instant::now() + delay + slow_after)
    }

    /// Sends a copy to the candidate at `place`, if that is allowed.
    fn hedge(&mut self, place: u32) -> bool {
        let place = place as usize;
        let allowed = self.hedges < self.dispatcher.settings.max_hedges
            && place < self.remaining.len()
            && self.dispatcher.budgets.hedge();
        if allowed {
            let row = self.remaining[place];
            self.hedges += 1;
            metrics::counter!("pointsman_hedges_total", "workload" => self.request.workload.name())
                .increment(1);
            self.start(row, Duration::ZERO, true);
        }
        allowed
    }

    pub(super) fn start_place(&mut self, place: u32) {
        let row = self
            .remaining
            .get(place as usize)
            .or(self.remaining.front());
        if let Some(&row) = row {
            self.start(row, Duration::ZERO, false);
        }
    }

    fn rerank(&mut self) {
        self.reranked = true;
        self.close_attempts();
        self.view = self.dispatcher.view(self.request, self.sessions, self.work);
        Arc::make_mut(&mut self.job).hints = wishes(&self.view);
        let policy = &self.dispatcher.policy;
        let selection = policy.select_again(Arc::clone(&self.job), &self.view, &self.selection);
        let tried = |row: u32| {
            let id = self.view.id(row as usize);
            self.attempts
                .iter()
                .any(|attempt| attempt.orchestrator.id == id)
        };
        self.remaining = selection
            .order()
            .iter()
            .copied()
            .filter(|&row| !tried(row))
            .collect();
        self.selection = selection;
        self.start_next();
    }

    /// Whether another candidate may be tried now.
    pub(super) fn may_go_on(&mut self) -> bool {
        !self.remaining.is_empty() && self.may_retry(Duration::ZERO)
    }

    /// Whether one more attempt may be sent after `delay`; takes it from the budgets if so.
    fn may_retry(&mut self, delay: Duration) -> bool {
        let Some(failure) = self.last_failure() else {
            return false;
        };
        // Being told "full", "renew your token" or a price costs nothing and says nothing about the next candidate.
        let free = matches!(failure.kind.class(), Class::Capacity | Class::Session)
            || failure.kind == FailureKind::Price;
        if !failure.retry_safe || failure.blame == Blame::Input {
            return false;
        }
        if self.started.elapsed() + delay >= self.request.deadlines.hard {
            return false;
        }
        if free {
            return self.attempts.len() < self.view.rows() * 2 + 2;
        }
        if self.retries + 1 >= self.dispatcher.settings.max_attempts.get()
            || !self.dispatcher.budgets.retry()
        {
            return false;
        }
        self.retries += 1;
        metrics::counter!("pointsman_retries_total", "workload" => self.request.workload.name())
            .increment(1);
        true
    }

    pub(super) fn give_up(&mut self) -> Stopped {
        self.close_attempts();
        let Some(failure) = self.last_failure() else {
            return self.stopped(StopReason::Failed, "nothing could be sent".to_owned());
        };
        let message = failure.to_string();
        let full = |attempt: &Attempt| {
            let kind = attempt.failure().map(|failure| failure.kind);
            kind.is_some_and(|kind| kind.class() == Class::Capacity)
        };
        // Nothing failed: there is no room now, and there may be soon.
        if self.attempts.iter().all(full) {
            let message = format!("every orchestrator that was asked is full; the last: {message}");
            return self.stopped(StopReason::NoOrchestrators, message);
        }
        let unpaid = |attempt: &Attempt| {
            let failure = attempt.failure();
            failure.is_some_and(|failure| failure.blame == Blame::Payment)
        };
        match failure.blame {
            Blame::Input => self.stopped(StopReason::Input, message),
            // Whatever else failed before: money is lacking for all of them.
            Blame::Payment if !failure.retry_safe => {
                let message = failure.detail.clone();
                self.stopped(StopReason::Unpaid, message)
            }
            Blame::Payment if self.attempts.iter().all(unpaid) => {
                let message = format!(
                    "no orchestrator could be paid; the last: {}",
                    failure.detail
                );
                self.stopped(StopReason::Unpaid, message)
            }
            _ => self.stopped(
                StopReason::Failed,
                format!(
                    "{} attempts failed; the last: {message}",
                    self.attempts.len()
                ),
            ),
        }
    }

    fn past(&self, row: Option<u32>) -> Past {
        Past {
            p50: self.latency(&Column::LatencyP50, row),
            p95: self.latency(&Column::LatencyP95, row),
        }
    }

    fn latency(&self, column: &Column, row: Option<u32>) -> Option<Duration> {
        let Values::Numbers(values) = self.view.values(column) else {
            return None;
        };
        let ms = *values.get(row? as usize)?;
        (ms.is_finite() && ms >= 0.0).then(|| Duration::from_secs_f64(ms / 1000.0))
    }

    pub(super) fn situation(&self) -> (Job, Vec<AttemptView<'_>>, Left) {
        let elapsed = millis(self.started.elapsed());
        let mut job = Job::clone(&self.job);
        job.now_ms += u64::from(elapsed);
        job.deadline_ms = job.deadline_ms.saturating_sub(elapsed);
        job.soft_ms = job.soft_ms.saturating_sub(elapsed);
        job.retries_left = job.retries_left.saturating_sub(self.retries);
        job.hedges_left = job.hedges_left.saturating_sub(self.hedges);
        let remaining: Vec<u32> = self.remaining.iter().copied().collect();
        let place = |attempt: &Attempt| {
            let same = |&row: &u32| self.view.id(row as usize) == attempt.orchestrator.id;
            remaining
                .iter()
                .position(same)
                .and_then(|place| u32::try_from(place).ok())
        };
        let attempts = self
            .attempts
            .iter()
            .map(|attempt| attempt.view(place(attempt)))
            .collect();
        let left = Left {
            view: self.view.anew(),
            rows: remaining,
        };
        (job, attempts, left)
    }
}

/// Counts what a policy wanted and is not allowed.
fn refused(asked: &'static str) {
    metrics::counter!("pointsman_failover_refused_total", "asked" => asked).increment(1);
}

impl Left {
    pub(super) fn remaining(&self) -> Remaining<'_> {
        Remaining {
            candidates: &self.view,
            rows: &self.rows,
        }
    }
}
