//! `pointsman policy`.

use std::ffi::OsString;

use clap::{Args, Subcommand};
use pointsman_fetch::Reference;

use super::Error;
use super::admin::{self, Admin};

mod author;
mod push;
mod replay;
mod trial;

pub use author::{Bench, Build, Conformance, Look, New, Test};
pub use push::Push;
pub use replay::Replay;
pub use trial::{Log, Trial};

/// What to do with policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Make a folder with a policy.
    New(New),
    /// Compile a bundle.
    Build(Build),
    /// Say whether a gateway would take a bundle.
    Check(Look),
    /// Say what a bundle is.
    Inspect(Look),
    /// Run a bundle's tests.
    Test(Test),
    /// Hold a component against the contract.
    Conformance(Conformance),
    /// Measure a bundle.
    Bench(Bench),
    /// Ask a bundle about recorded decisions.
    Replay(Replay),
    /// Bring a bundle to a registry.
    Push(Push),
    /// Make a bundle the active one.
    Activate(Activate),
    /// Ask a bundle beside the active one.
    Shadow(Trial),
    /// Let a bundle decide for a share.
    Canary(Trial),
    /// Make the canary active.
    Promote(Admin),
    /// End the shadow and the canary.
    Stop(Admin),
    /// Show what policies wrote and what happened to them.
    Log(Log),
    /// Go back to the generation before.
    Rollback(Rollback),
    /// List generations.
    List(List),
}

/// Make a bundle the active one of a running gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activate {
    /// Where the built bundle lies.
    pub bundle: Reference,
    /// The gateway.
    pub admin: Admin,
}

/// Make the generation before the active one active again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// The gateway.
    pub admin: Admin,
}

/// List the generations of a running gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The gateway.
    pub admin: Admin,
    /// As JSON, for scripts.
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a folder with a policy that works, to be changed into yours
    New(author::NewArguments),
    /// Compile a bundle's crates to components and write a bundle.toml with their digests
    Build(author::BuildArguments),
    /// Load a bundle as a gateway would, ask it its golden vectors, and say what it is or what to mend
    Check(author::LookArguments),
    /// Tell everything that a bundle says of itself: hooks, settings, facts it asks for, causes, sizes, digests
    Inspect(author::LookArguments),
    /// Run cargo test, then put the same questions to the compiled components; answers must be the same to the bit
    Test(author::TestArguments),
    /// Measure microseconds, fuel and memory against the published budget
    Bench(author::BenchArguments),
    /// Ask a bundle about recorded decisions, and say what it would have changed
    Replay(replay::Arguments),
    /// Bring a bundle in one file to an OCI registry, and print the reference that it can be fetched by
    Push(push::Arguments),
    /// Send a built bundle to a running gateway, which checks it and swaps it in
    Activate(ActivateArguments),
    /// Ask a bundle about a share of the traffic beside the active one; what it says is compared and reaches no job
    Shadow(trial::TrialArguments),
    /// Let a bundle decide for a share of the streams; it is rolled back by itself when they fare worse
    Canary(trial::TrialArguments),
    /// Make the canary the active bundle
    Promote(admin::Arguments),
    /// End the shadow and the canary
    Stop(admin::Arguments),
    /// Show what policies wrote, and what happened to them
    Log(trial::LogArguments),
    /// Make the generation before the active one active again
    Rollback(admin::Arguments),
    /// List the generations of a running gateway
    List(ListArguments),
}

#[derive(Debug, Args)]
pub(super) struct ActivateArguments {
    /// Built bundle: a folder, a file, https://…#sha256=HEX or oci://…@sha256:HEX; the last two are fetched by the gateway
    #[arg(value_name = "REF")]
    bundle: Reference,
    #[command(flatten)]
    admin: admin::Arguments,
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: admin::Arguments,
}

// === impl Verb ===

impl Verb {
    pub(super) fn decode(self, variables: &[(OsString, OsString)]) -> Result<Policy, Error> {
        Ok(match self {
            Self::New(arguments) => Policy::New(arguments.decode()?),
            Self::Build(arguments) => Policy::Build(arguments.decode()),
            Self::Check(arguments) => Policy::Check(arguments.decode()),
            Self::Inspect(arguments) => Policy::Inspect(arguments.decode()),
            Self::Test(arguments) => arguments.decode(),
            Self::Bench(arguments) => Policy::Bench(arguments.decode()),
            Self::Replay(arguments) => Policy::Replay(arguments.decode(variables)?),
            Self::Push(arguments) => Policy::Push(arguments.decode(variables)?),
            Self::Activate(ActivateArguments { bundle, admin }) => Policy::Activate(Activate {
                bundle,
                admin: admin.decode(variables)?,
            }),
            Self::Shadow(arguments) => Policy::Shadow(arguments.decode(variables)?),
            Self::Canary(arguments) => Policy::Canary(arguments.decode(variables)?),
            Self::Promote(admin) => Policy::Promote(admin.decode(variables)?),
            Self::Stop(admin) => Policy::Stop(admin.decode(variables)?),
            Self::Log(arguments) => Policy::Log(arguments.decode(variables)?),
            Self::Rollback(admin) => Policy::Rollback(Rollback {
                admin: admin.decode(variables)?,
            }),
            Self::List(ListArguments { json, admin }) => Policy::List(List {
                admin: admin.decode(variables)?,
                json,
            }),
        })
    }
}
