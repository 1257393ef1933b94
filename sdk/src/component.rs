//! From a policy to a component.
//!
//! [`export!`](crate::export!) is the one place where a policy's crate has unsafe code: the exported functions that wit-bindgen writes. It
//! emits them for `wasm32` only, since two policies linked into one native program would both define them.

use core::cell::Cell;
use core::fmt;

use crate::bindings::policy::Plan as WitPlan;
use crate::byoc::{Request, Routing};
use crate::failover::{Attempt, Bargain, Patience, Remedy};
use crate::text::joined;
use crate::{
    Byoc, Candidates, Description, Failover, Job, Known, Plan, Policy, Price, Problem, Selection,
    Setting, Settings, Table, Verdict, log,
};

/// Who a policy is; implemented by [`export!`](crate::export!) from the crate's `Cargo.toml`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not exported",
    note = "end the crate's lib.rs with `export!({Self});`"
)]
pub trait About {
    /// Name of the package.
    const NAME: &'static str;
    /// Version of the package.
    const VERSION: &'static str;
    /// Description of the package.
    const SUMMARY: &'static str;
    /// JSON Schema of the settings.
    const SETTINGS: &'static str;
}

/// A configured policy, between the host and its trait.
#[derive(Debug)]
pub struct Configured<P> {
    plan: Plan,
    known: Vec<Known>,
    policy: P,
}

/// The one configured policy of an instance. It lives as long as the instance does, so it is never freed.
pub struct Slot<P: 'static>(Cell<Option<&'static Configured<P>>>);

/// What [`About`] says, as the host asks for it.
#[must_use]
pub fn describe<P: About>() -> Description {
    Description {
        name: P::NAME
            .strip_prefix("pointsman-policy-")
            .unwrap_or(P::NAME)
            .to_owned(),
        version: P::VERSION.to_owned(),
        summary: P::SUMMARY.to_owned(),
        settings_schema: P::SETTINGS.to_owned(),
    }
}

// === impl Configured ===

impl<P: Policy> Configured<P> {
    /// Configures the policy.
    ///
    /// # Errors
    ///
    /// What is wrong with the settings.
    pub fn new(settings: Vec<Setting>) -> Result<Self, Vec<Problem>> {
        let (mut settings, mut plan) = (Settings::new(settings), Plan::default());
        let policy = P::configure(&mut settings, &mut plan);
        let known = settings.finish()?;
        Ok(Self {
            plan,
            known,
            policy,
        })
    }

    /// What it asked for.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Which settings it reads.
    #[must_use]
    pub fn known(&self) -> &[Known] {
        &self.known
    }
}

impl<P: Selection> Configured<P> {
    /// Asks the hook.
    pub fn judge(&self, job: &Job, candidates: Table) -> Verdict {
        log::forget();
        self.policy
            .judge(job, &Candidates::new(candidates, &self.plan))
    }
}

impl<P: Byoc> Configured<P> {
    /// Asks the hook.
    pub fn route(&self, job: &Job, request: &Request) -> Routing {
        log::forget();
        self.policy.route(job, request)
    }
}

impl<P: Failover> Configured<P> {
    /// Asks the hook after a failure.
    pub fn on_failure(&self, job: &Job, attempts: &[Attempt], remaining: Table) -> Remedy {
        log::forget();
        self.policy
            .on_failure(job, attempts, &Candidates::new(remaining, &self.plan))
    }

    /// Asks the hook about a slow attempt.
    pub fn on_slow(&self, job: &Job, attempts: &[Attempt], remaining: Table) -> Patience {
        log::forget();
        self.policy
            .on_slow(job, attempts, &Candidates::new(remaining, &self.plan))
    }

    /// Asks the hook about a changed price.
    pub fn on_price_change(
        &self,
        job: &Job,
        before: Price,
        after: Price,
        remaining: Table,
    ) -> Bargain {
        log::forget();
        self.policy
            .on_price_change(job, before, after, &Candidates::new(remaining, &self.plan))
    }
}

// === impl Slot ===

impl<P: 'static> Slot<P> {
    /// An instance that was not configured yet.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Cell::new(None))
    }

    /// Keeps what `configured` made, and tells the host its plan.
    ///
    /// # Errors
    ///
    /// The problems it has.
    pub fn fill(
        &self,
        configured: Result<Configured<P>, Vec<Problem>>,
    ) -> Result<WitPlan, Vec<Problem>> {
        let configured = configured?;
        let plan = configured.plan.to_wit();
        self.0.set(Some(Box::leak(Box::new(configured))));
        Ok(plan)
    }

    /// The configured policy.
    ///
    /// # Panics
    ///
    /// When it was not configured.
    #[must_use]
    pub fn ask(&self) -> &'static Configured<P> {
        match self.0.get() {
            Some(configured) => configured,
            None => panic!("the host asks `configure` before the hook"),
        }
    }
}

impl<P: 'static> fmt::Debug for Slot<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot")
            .field(&self.0.get().is_some())
            .finish()
    }
}

/// The answer to a hook that the policy does not have.
#[must_use]
pub fn no_such_hook(hook: &str) -> Vec<Problem> {
    vec![Problem {
        key: String::new(),
        message: joined(&["this policy has no hook \"", hook, "\""]),
    }]
}

/// Sends the message of a panic to the host's log: without it a panic is a bare trap.
#[cfg(target_arch = "wasm32")]
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let (file, line) = match panic.location() {
            Some(location) => (location.file(), location.line()),
            None => ("", 0),
        };
        let message = panic.payload_as_str().unwrap_or_default();
        log::write_text(
            log::Level::Error,
            &joined(&["panicked at ", file, ":", &line.to_string(), ": ", message]),
        );
    }));
}

/// Exports a policy as a component: `export!(MyPolicy);`, as the last line of its crate's `lib.rs`.
///
/// ```ignore
/// export!(MyPolicy);                                             // a Selection
/// export!(MyPolicy: Byoc);
/// export!(MyPolicy: Selection + Byoc + Failover);                // any of them
/// export!(MyPolicy, settings = "settings.schema.json");          // JSON Schema of its settings, beside Cargo.toml
/// ```
///
/// Name, version and summary are those of the crate's `Cargo.toml`. The type must be named by one identifier.
///
/// Natively it makes a function `pointsman_native` instead, which gives the same policy to a program that links the crate
/// ([`native::Exported`](crate::native::Exported)). Any number of such crates can be linked into one program.
#[macro_export]
macro_rules! export {
    ($policy:ident $(, settings = $file:literal)? $(,)?) => {
        $crate::export!($policy: Selection $(, settings = $file)?);
    };
    ($policy:ident : $first:ident $(+ $hook:ident)* $(, settings = $file:literal)? $(,)?) => {
        $crate::__pointsman_about!($policy $(, $file)?);
        $crate::__pointsman_native!($policy, $first $(, $hook)*);
        $crate::__pointsman_component!($policy, $first $(, $hook)*);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __pointsman_about {
    ($policy:ident) => {
        $crate::__pointsman_about!(@ $policy, r#"{"type":"object","additionalProperties":false}"#);
    };
    ($policy:ident, $file:literal) => {
        $crate::__pointsman_about!(@ $policy, ::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", $file)));
    };
    (@ $policy:ident, $schema:expr) => {
        impl $crate::component::About for $policy {
            const NAME: &'static str = ::core::env!("CARGO_PKG_NAME");
            const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
            const SUMMARY: &'static str = ::core::env!("CARGO_PKG_DESCRIPTION");
            const SETTINGS: &'static str = $schema;
        }
    };
}

/// The name of a hook in the contract, as a literal.
#[doc(hidden)]
#[macro_export]
macro_rules! __pointsman_name {
    (Selection) => {
        "selection"
    };
    (Byoc) => {
        "byoc"
    };
    (Failover) => {
        "failover"
    };
    ($other:ident) => {
        ::core::compile_error!(
            "a policy exports Selection, Byoc or Failover, or several: export!(MyPolicy: Selection + Failover);"
        )
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __pointsman_native {
    ($policy:ident, $($hook:ident),+) => {
        /// The policy of this crate, for programs that link it.
        #[cfg(not(target_arch = "wasm32"))]
        #[must_use]
        pub fn pointsman_native() -> $crate::native::Exported {
            $crate::native::Exported::new::<$policy>(
                &[$(($crate::__pointsman_name!($hook), $crate::__pointsman_stage!($hook, $policy))),+],
            )
        }

        // A policy that only its component uses would be dead code here.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::native::Exported = pointsman_native;
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __pointsman_stage {
    (Selection, $policy:ident) => {
        $crate::native::selection::<$policy>
    };
    (Byoc, $policy:ident) => {
        $crate::native::byoc::<$policy>
    };
    (Failover, $policy:ident) => {
        $crate::native::failover::<$policy>
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __pointsman_component {
    ($policy:ident, $($hook:ident),+) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the exported functions, written by wit-bindgen")]
        const _: () = {
            struct Component;

            ::std::thread_local! {
                static SLOT: $crate::component::Slot<$policy> = const { $crate::component::Slot::empty() };
            }

            impl $crate::bindings::about::exports::pointsman::policy::policy::Guest for Component {
                fn describe() -> $crate::Description {
                    $crate::component::describe::<$policy>()
                }

                fn configure(
                    hook: ::std::string::String,
                    settings: ::std::vec::Vec<$crate::Setting>,
                ) -> ::core::result::Result<
                    $crate::bindings::about::exports::pointsman::policy::policy::Plan,
                    ::std::vec::Vec<$crate::Problem>,
                > {
                    $crate::component::log_panics();
                    match hook.as_str() {
                        $($crate::__pointsman_name!($hook))|+ => SLOT.with(|slot| slot.fill($crate::component::Configured::new(settings))),
                        _ => ::core::result::Result::Err($crate::component::no_such_hook(&hook)),
                    }
                }
            }

            $($crate::__pointsman_hook!($hook);)+
            $crate::bindings::about::export_about!(Component with_types_in $crate::bindings::about);
            $($crate::__pointsman_cabi!($hook);)+
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __pointsman_hook {
    (Selection) => {
        impl $crate::bindings::selecting::exports::pointsman::policy::selection::Guest
            for Component
        {
            fn judge(job: $crate::Job, candidates: $crate::Table) -> $crate::Verdict {
                SLOT.with(|slot| slot.ask().judge(&job, candidates))
            }
        }
    };
    (Byoc) => {
        impl $crate::bindings::routing::exports::pointsman::policy::byoc::Guest for Component {
            fn route(job: $crate::Job, request: $crate::byoc::Request) -> $crate::byoc::Routing {
                SLOT.with(|slot| slot.ask().route(&job, &request))
            }
        }
    };
    (Failover) => {
        impl $crate::bindings::rescuing::exports::pointsman::policy::failover::Guest for Component {
            fn on_failure(
                job: $crate::Job,
                attempts: ::std::vec::Vec<$crate::failover::Attempt>,
                remaining: $crate::Table,
            ) -> $crate::failover::Remedy {
                SLOT.with(|slot| slot.ask().on_failure(&job, &attempts, remaining))
            }

            fn on_slow(
                job: $crate::Job,
                attempts: ::std::vec::Vec<$crate::failover::Attempt>,
                remaining: $crate::Table,
            ) -> $crate::failover::Patience {
                SLOT.with(|slot| slot.ask().on_slow(&job, &attempts, remaining))
            }

            fn on_price_change(
                job: $crate::Job,
                before: $crate::Price,
                after: $crate::Price,
                remaining: $crate::Table,
            ) -> $crate::failover::Bargain {
                SLOT.with(|slot| slot.ask().on_price_change(&job, before, after, remaining))
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __pointsman_cabi {
    (Selection) => {
        $crate::bindings::selecting::export_selecting!(Component with_types_in $crate::bindings::selecting);
    };
    (Byoc) => {
        $crate::bindings::routing::export_routing!(Component with_types_in $crate::bindings::routing);
    };
    (Failover) => {
        $crate::bindings::rescuing::export_rescuing!(Component with_types_in $crate::bindings::rescuing);
    };
}
