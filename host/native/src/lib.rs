//! Policies that are linked into this program, in the words of the policy host.
//!
//! # Contract
//!
//! [`Native`] is a [`NativeBundle`] made of a lookup: component, hook and settings in, a stage of the sdk out. It adds nothing and
//! leaves nothing out, so a policy is asked natively exactly what its component is asked, and its answers pass the same checks.
//! Which policies there are is the lookup's business: the gateway gives it those of its embedded bundle, an author's test or
//! benchmark its own.
//!
//! Host and sdk have the contract's types from the same WIT, each by its own generator; `translate` is where one
//! becomes the other, field by field. Columns are copied on the way, as they are for a component, so that a benchmark of the two
//! compares what the sandbox costs and not who copies.
#![forbid(unsafe_code)]

mod translate;

use std::fmt;

use pointsman_policy::bundle::Setting;
use pointsman_policy::{Hook, NativeBundle, NativeStage, wit};
use pointsman_sdk as sdk;

/// What a lookup gives: a configured stage, or what is wrong with its settings.
pub type Configured = Result<Box<dyn sdk::native::Stage>, Vec<sdk::Problem>>;

/// The policies that a lookup knows. The lookup gets the component's name as the bundle's manifest has it, the hook's name as in
/// [`Hook::name`] and the stage's settings; `None` when there is no such component, or it does not have that hook.
#[derive(Clone, Copy)]
pub struct Native<F>(F);

/// One of them, configured.
struct Stage(Box<dyn sdk::native::Stage>);

// === impl Native ===

impl<F> Native<F>
where
    F: Fn(&str, &str, Vec<sdk::Setting>) -> Option<Configured> + Send + Sync,
{
    /// The policies that `lookup` knows.
    pub const fn new(lookup: F) -> Self {
        Self(lookup)
    }
}

impl<F> fmt::Debug for Native<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Native").finish_non_exhaustive()
    }
}

impl<F> NativeBundle for Native<F>
where
    F: Fn(&str, &str, Vec<sdk::Setting>) -> Option<Configured> + Send + Sync,
{
    fn stage(
        &self,
        component: &str,
        hook: Hook,
        settings: &[Setting],
    ) -> Option<Result<Box<dyn NativeStage>, Vec<wit::Problem>>> {
        let settings = settings.iter().map(translate::setting).collect();
        Some(match (self.0)(component, hook.name(), settings)? {
            Ok(stage) => Ok(Box::new(Stage(stage))),
            Err(problems) => Err(problems.into_iter().map(translate::problem).collect()),
        })
    }
}

// === impl Stage ===

impl NativeStage for Stage {
    fn plan(&self) -> wit::Plan {
        translate::plan(self.0.plan())
    }

    fn judge(&self, job: &wit::Job<'_>, candidates: &wit::Table<'_>) -> wit::Verdict {
        let verdict = self
            .0
            .judge(&translate::job(job), translate::table(candidates));
        translate::verdict(verdict)
    }

    fn route(&self, job: &wit::Job<'_>, request: &wit::Request<'_>) -> wit::Routing {
        let routing = self
            .0
            .route(&translate::job(job), &translate::request(request));
        translate::routing(routing)
    }

    fn on_failure(
        &self,
        job: &wit::Job<'_>,
        attempts: &[wit::Attempt],
        remaining: &wit::Table<'_>,
    ) -> wit::Remedy {
        translate::remedy(self.0.on_failure(
            &translate::job(job),
            &translate::attempts(attempts),
            translate::table(remaining),
        ))
    }

    fn on_slow(
        &self,
        job: &wit::Job<'_>,
        attempts: &[wit::Attempt],
        remaining: &wit::Table<'_>,
    ) -> wit::Patience {
        translate::patience(self.0.on_slow(
            &translate::job(job),
            &translate::attempts(attempts),
            translate::table(remaining),
        ))
    }

    fn on_price_change(
        &self,
        job: &wit::Job<'_>,
        before: wit::Price,
        after: wit::Price,
        remaining: &wit::Table<'_>,
    ) -> wit::Bargain {
        translate::bargain(self.0.on_price_change(
            &translate::job(job),
            translate::price(before),
            translate::price(after),
            translate::table(remaining),
        ))
    }
}
