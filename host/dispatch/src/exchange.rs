//! What a workload tells dispatch, and what it gets back.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use pointsman_directory::Orchestrator;
use pointsman_facts::{Failure, Hints, Price, Symbol, Workload};
use pointsman_wire::net::Capabilities;

use crate::Deadlines;

/// How a workload does one job on one orchestrator. The only way by which dispatch reaches anything outside the process.
///
/// Futures are dropped when a hedge wins or the application leaves: every await must be a safe place to stop.
pub trait Exchange: Send + Sync {
    /// The agreement with one orchestrator: token, price, address.
    type Session: Send + Sync + 'static;
    /// A good result.
    type Output: Send;

    /// Agrees a session.
    fn open(
        &self,
        orchestrator: &Arc<Orchestrator>,
    ) -> impl Future<Output = Result<Self::Session, Failure>> + Send;

    /// Whether a session must be agreed anew before it is used again.
    fn expired(&self, session: &Self::Session) -> bool;

    /// What a unit costs in `session`; `None` where nothing is paid.
    fn asked(&self, _session: &Self::Session) -> Option<Asked> {
        None
    }

    /// What is paid and left in `session`, in wei; below 0 where it was used up and more.
    fn credit(&self, _session: &Self::Session) -> f64 {
        0.0
    }

    /// Agrees to pay up to `agreed` from now on, in a session that counts as begun at `began`.
    fn agree(&self, _session: &Self::Session, _began: Price, _agreed: Price) {}

    /// Agrees a session on terms fresh from the orchestrator, in place of one whose price rose.
    fn renegotiate(
        &self,
        orchestrator: &Arc<Orchestrator>,
    ) -> impl Future<Output = Result<Self::Session, Failure>> + Send {
        self.open(orchestrator)
    }

    /// Tries the job once. A failure of the kind [`Price`](pointsman_facts::FailureKind::Price) says that the price rose in the middle of it.
    fn attempt(
        &self,
        session: &Self::Session,
        allowance: Allowance,
    ) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

/// What a unit of work costs in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What it cost when the session began: what a policy measures a rise by, or each rise would allow the next.
    pub began: Price,
    /// The most that was agreed to since.
    pub agreed: Price,
    /// What the orchestrator asks now.
    pub now: Price,
}

/// What one attempt may take.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Until the response headers.
    pub headers: Duration,
    /// In all.
    pub total: Duration,
}

// === impl Asked ===

impl Asked {
    /// Whether it is more than was agreed.
    #[must_use]
    pub fn rose(&self) -> bool {
        self.now > self.agreed
    }
}

/// One job, before it is routed.
#[derive(Clone, Debug)]
pub struct Request {
    /// Name for people: `<stream>/<sequence>`.
    pub id: String,
    /// Kind of work.
    pub workload: Workload,
    /// Pipeline or BYOC name; `transcode` for transcoding.
    pub capability: Symbol,
    /// Model, if any.
    pub model: Symbol,
    /// Same stream or conversation, same number.
    pub affinity: u64,
    /// What the orchestrator must be able to do.
    pub required: Arc<Capabilities>,
    /// Duration of the media, if it is a segment.
    pub segment: Option<Duration>,
    /// Place in the stream.
    pub sequence: Option<u64>,
    /// What is paid: pixels, seconds, tokens; 0 unknown.
    pub units: u64,
    /// How long it may take.
    pub deadlines: Deadlines,
    /// The operator's ceiling for this job.
    pub max_price: Option<Price>,
    /// What the application wants. Hand in the same `Arc` for every job with the same wishes.
    pub hints: Arc<Hints>,
}

/// A good result and how it was come by.
#[derive(Debug)]
pub struct Delivered<T> {
    /// What the workload made of it.
    pub output: T,
    /// Who did it.
    pub orchestrator: Arc<Orchestrator>,
    /// The decision that chose it.
    pub decision: u64,
    /// Attempts sent, the good one included.
    pub attempts: usize,
    /// From the start of the job.
    pub elapsed: Duration,
}

/// Why a job ended without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// No orchestrator was left after selection, or all that were asked are full: later there may be one.
    NoOrchestrators,
    /// A policy rejected the job.
    Rejected,
    /// The input is at fault.
    Input,
    /// Nobody can be paid, or nobody that was asked: the operator must do something, and then the same job may be sent again.
    Unpaid,
    /// Every allowed attempt failed.
    Failed,
    /// The hard deadline passed.
    Deadline,
}

/// A job that ended without a result.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Stopped {
    /// Why.
    pub reason: StopReason,
    /// The HTTP status a policy asked for, if one did.
    pub status: Option<u16>,
    /// For the application: what happened and what to do.
    pub message: String,
    /// The last failure, if anything was sent.
    pub failure: Option<Failure>,
    /// The decision, if one was made.
    pub decision: Option<u64>,
    /// Attempts sent.
    pub attempts: usize,
}
