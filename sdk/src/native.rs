//! Policies without a component: linked into a native program and asked through one object.
//!
//! The gateway keeps its default policies this way too, as the twin that answers when the embedded components fail; and a
//! benchmark compares the two.

use core::fmt;

use crate::bindings::policy::Plan as WitPlan;
use crate::byoc::{Request, Routing};
use crate::component::{About, Configured as Asked, describe};
use crate::failover::{Attempt, Bargain, Patience, Recovery, Remedy};
use crate::{
    Byoc, Description, Failover, Job, Known, Price, Problem, Selection, Setting, Table, Verdict,
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
    fn judge(&self, job: &Job, candidates: Table) -> Verdict {
        let _ = (job, candidates);
        Verdict::Abstain
    }

    /// See [`Byoc::route`].
    fn route(&self, job: &Job, request: &Request) -> Routing {
        let _ = (job, request);
        Routing::Abstain
    }

    /// See [`Failover::on_failure`]. Panics as [`Stage::judge`] does.
    fn on_failure(&self, job: &Job, attempts: &[Attempt], remaining: Table) -> Remedy {
        let _ = (job, attempts, remaining);
        Remedy {
            rest_ms: 0,
            recovery: Recovery::Abstain,
        }
    }

    /// See [`Failover::on_slow`]. Panics as [`Stage::judge`] does.
    fn on_slow(&self, job: &Job, attempts: &[Attempt], remaining: Table) -> Patience {
        let _ = (job, attempts, remaining);
        Patience::Abstain
    }

    /// See [`Failover::on_price_change`]. Panics as [`Stage::judge`] does.
    fn on_price_change(&self, job: &Job, before: Price, after: Price, remaining: Table) -> Bargain {
        let _ = (job, before, after, remaining);
        Bargain::Abstain
    }
}

/// A configured stage, or what is wrong with its settings.
pub type Configured = Result<Box<dyn Stage>, Vec<Problem>>;

/// Makes the stage of one hook.
pub type Make = fn(Vec<Setting>) -> Configured;

/// What [`export!`](crate::export!) leaves in a native program: who a policy is, and a stage of each hook it exports.
///
/// ```
/// mod mine {
///     use pointsman_sdk::prelude::*;
///
///     policy! { pub struct Idle {} }
///
///     impl Selection for Idle {
///         fn judge(&self, _: &Job, _: &Candidates) -> Verdict {
///             Verdict::Abstain
///         }
///     }
///
///     export!(Idle);
/// }
///
/// let policy = mine::pointsman_native();
/// assert_eq!(policy.hooks().collect::<Vec<_>>(), ["selection"]);
/// assert!(policy.stage("selection", Vec::new()).is_some_and(|stage| stage.is_ok()));
/// assert!(policy.stage("failover", Vec::new()).is_none());
/// ```
#[derive(Clone, Copy)]
pub struct Exported {
    describe: fn() -> Description,
    stages: &'static [(&'static str, Make)],
}

/// A stage with the selection hook of `P`.
///
/// # Errors
///
/// What is wrong with the settings.
pub fn selection<P: Selection + About + Send + Sync + 'static>(
    settings: Vec<Setting>,
) -> Configured {
    Ok(Box::new(Selecting(Asked::<P>::new(settings)?)))
}

/// A stage with the byoc hook of `P`.
///
/// # Errors
///
/// What is wrong with the settings.
pub fn byoc<P: Byoc + About + Send + Sync + 'static>(settings: Vec<Setting>) -> Configured {
    Ok(Box::new(Routed(Asked::<P>::new(settings)?)))
}

/// A stage with the failover hook of `P`.
///
/// # Errors
///
/// What is wrong with the settings.
pub fn failover<P: Failover + About + Send + Sync + 'static>(settings: Vec<Setting>) -> Configured {
    Ok(Box::new(Rescuing(Asked::<P>::new(settings)?)))
}

struct Selecting<P>(Asked<P>);

struct Routed<P>(Asked<P>);

struct Rescuing<P>(Asked<P>);

// === impl Exported ===

impl Exported {
    /// `P`, with these hooks; written by [`export!`](crate::export!).
    #[must_use]
    pub const fn new<P: About>(stages: &'static [(&'static str, Make)]) -> Self {
        Self {
            describe: describe::<P>,
            stages,
        }
    }

    /// Who the policy is.
    #[must_use]
    pub fn describe(&self) -> Description {
        (self.describe)()
    }

    /// The hooks it exports: "selection", "byoc", "failover".
    pub fn hooks(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.stages.iter().map(|(hook, _)| *hook)
    }

    /// A stage of `hook` with `settings`; `None` when it does not export that hook.
    #[must_use]
    pub fn stage(&self, hook: &str, settings: Vec<Setting>) -> Option<Configured> {
        let (_, make) = self.stages.iter().find(|(known, _)| *known == hook)?;
        Some(make(settings))
    }
}

impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks: Vec<&str> = self.hooks().collect();
        f.debug_struct("Exported")
            .field("name", &self.describe().name)
            .field("hooks", &hooks)
            .finish()
    }
}

// === impl Stage ===

/// What is the same for every hook.
macro_rules! said {
    () => {
        fn describe(&self) -> Description {
            describe::<P>()
        }

        fn plan(&self) -> WitPlan {
            self.0.plan().to_wit()
        }

        fn known(&self) -> &[Known] {
            self.0.known()
        }
    };
}

impl<P: Selection + About + Send + Sync> Stage for Selecting<P> {
    said!();

    fn judge(&self, job: &Job, candidates: Table) -> Verdict {
        self.0.judge(job, candidates)
    }
}

impl<P: Byoc + About + Send + Sync> Stage for Routed<P> {
    said!();

    fn route(&self, job: &Job, request: &Request) -> Routing {
        self.0.route(job, request)
    }
}

impl<P: Failover + About + Send + Sync> Stage for Rescuing<P> {
    said!();

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
