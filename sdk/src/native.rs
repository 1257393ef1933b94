//! Policies without a component: linked into a native program and asked through one object.
//!
//! The gateway keeps its default policies this way too, as the twin that answers when the embedded components fail; and a
//! benchmark compares the two.

use crate::bindings::policy::Plan as WitPlan;
use crate::component::{About, Configured, describe};
use crate::failover::{Attempt, Bargain, Patience, Remedy};
use crate::{
    Description, Failover, Job, Known, Price, Problem, Selection, Setting, Table, Verdict,
};

/// One configured stage: a policy, its settings and its plan. What a component instance is in the host.
///
/// A hook that the policy does not have abstains.
pub trait Stage: Send + Sync {
    /// Who the policy is.
    fn describe(&self) -> Description;
    /// What it wants to be given: tables and facts come in this order.
    fn plan(&self) -> WitPlan;
    /// The settings it reads.
    fn known(&self) -> &[Known];
    /// See [`Selection::judge`]. Panics when `candidates` is not what the plan asked for.
    fn judge(&self, job: &Job, candidates: Table) -> Verdict;
    /// See [`Failover::on_failure`]. Panics as [`Stage::judge`] does.
    fn on_failure(&self, job: &Job, attempts: &[Attempt], remaining: Table) -> Remedy;
    /// See [`Failover::on_slow`]. Panics as [`Stage::judge`] does.
    fn on_slow(&self, job: &Job, attempts: &[Attempt], remaining: Table) -> Patience;
    /// See [`Failover::on_price_change`]. Panics as [`Stage::judge`] does.
    fn on_price_change(&self, job: &Job, before: Price, after: Price, remaining: Table) -> Bargain;
}

/// A stage with the selection hook of `P`.
///
/// # Errors
///
/// What is wrong with the settings.
pub fn selection<P: Selection + About + Send + Sync + 'static>(
    settings: Vec<Setting>,
) -> Result<Box<dyn Stage>, Vec<Problem>> {
    Ok(Box::new(Selecting(Configured::<P>::new(settings)?)))
}

/// A stage with the failover hook of `P`.
///
/// # Errors
///
/// What is wrong with the settings.
pub fn failover<P: Failover + About + Send + Sync + 'static>(
    settings: Vec<Setting>,
) -> Result<Box<dyn Stage>, Vec<Problem>> {
    Ok(Box::new(Rescuing(Configured::<P>::new(settings)?)))
}

struct Selecting<P>(Configured<P>);

struct Rescuing<P>(Configured<P>);

// === impl Selecting ===

impl<P: Selection + About + Send + Sync> Stage for Selecting<P> {
    fn describe(&self) -> Description {
        describe::<P>()
    }

    fn plan(&self) -> WitPlan {
        self.0.plan().to_wit()
    }

    fn known(&self) -> &[Known] {
        self.0.known()
    }

    fn judge(&self, job: &Job, candidates: Table) -> Verdict {
        self.0.judge(job, candidates)
    }

    fn on_failure(&self, _: &Job, _: &[Attempt], _: Table) -> Remedy {
        Remedy {
            rest_ms: 0,
            recovery: crate::failover::Recovery::Abstain,
        }
    }

    fn on_slow(&self, _: &Job, _: &[Attempt], _: Table) -> Patience {
        Patience::Abstain
    }

    fn on_price_change(&self, _: &Job, _: Price, _: Price, _: Table) -> Bargain {
        Bargain::Abstain
    }
}

// === impl Rescuing ===

impl<P: Failover + About + Send + Sync> Stage for Rescuing<P> {
    fn describe(&self) -> Description {
        describe::<P>()
    }

    fn plan(&self) -> WitPlan {
        self.0.plan().to_wit()
    }

    fn known(&self) -> &[Known] {
        self.0.known()
    }

    fn judge(&self, _: &Job, _: Table) -> Verdict {
        Verdict::Abstain
    }

    fn on_failure(&self, job: &Job, attempts: &[Attempt], remaining: Table) -> Remedy {
        self.0.on_failure(job, attempts, remaining)
    }

    fn on_slow(&self, job: &Job, attempts: &[Attempt], remaining: Table) -> Patience {
        self.0.on_slow(job, attempts, remaining)
    }

    fn on_price_change(&self, job: &Job, before: Price, after: Price, remaining: Table) -> Bargain {
        self.0.on_price_change(job, before, after, remaining)
    }
}

/// Where log messages of native policies go.
pub mod sink {
    use std::cell::RefCell;
    use std::sync::OnceLock;

    use crate::log::Level;

    /// Receives messages.
    pub trait Sink: Send + Sync {
        /// Whether anyone reads that level now.
        fn enabled(&self, level: Level) -> bool;
        /// One message.
        fn write(&self, level: Level, message: &str);
    }

    static SINK: OnceLock<Box<dyn Sink>> = OnceLock::new();

    thread_local! {
        static CAPTURED: RefCell<Option<Vec<(Level, String)>>> = const { RefCell::new(None) };
    }

    /// Sends all messages of this program's policies to `sink`. Only the first call counts; without one they are dropped.
    pub fn set(sink: impl Sink + 'static) {
        // A second sink is no error: tests in one program may each set theirs.
        let _ = SINK.set(Box::new(sink));
    }

    /// Runs `work` and returns what policies logged on this thread meanwhile, at every level.
    pub fn capture<R>(work: impl FnOnce() -> R) -> (R, Vec<(Level, String)>) {
        CAPTURED.set(Some(Vec::new()));
        let result = work();
        (result, CAPTURED.take().unwrap_or_default())
    }

    pub(crate) fn enabled(level: Level) -> bool {
        let captured = CAPTURED.with_borrow(Option::is_some);
        captured || SINK.get().is_some_and(|sink| sink.enabled(level))
    }

    pub(crate) fn write(level: Level, message: &str) {
        let captured = CAPTURED.with_borrow_mut(|captured| {
            captured
                .as_mut()
                .map(|captured| captured.push((level, message.to_owned())))
        });
        if captured.is_none()
            && let Some(sink) = SINK.get()
        {
            sink.write(level, message);
        }
    }
}
