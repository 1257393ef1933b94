//! `pointsman policy`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Error;
use super::admin::{self, Admin};

/// What to do with policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Compile a bundle.
    Build(Build),
    /// Make a bundle the active one.
    Activate(Activate),
    /// Go back to the generation before.
    Rollback(Rollback),
    /// List generations.
    List(List),
}

/// Compile the crates of a bundle and write it with its digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Source: a `bundle.toml` and crates.
    pub dir: PathBuf,
    /// Where the bundle goes.
    pub out: PathBuf,
    /// Do not let cargo use the network.
    pub offline: bool,
}

/// Make a bundle the active one of a running gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activate {
    /// The built bundle.
    pub dir: PathBuf,
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
    /// Compile a bundle's crates to components and write a bundle.toml with their digests
    Build(BuildArguments),
    /// Send a built bundle to a running gateway, which checks it and swaps it in
    Activate(ActivateArguments),
    /// Make the generation before the active one active again
    Rollback(admin::Arguments),
    /// List the generations of a running gateway
    List(ListArguments),
}

#[derive(Debug, Args)]
pub(super) struct BuildArguments {
    /// Folder with bundle.toml and the crates of its policies
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Where the bundle goes [default: dist in DIR]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Use only crates that are on this machine
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Args)]
pub(super) struct ActivateArguments {
    /// Folder of a built bundle
    #[arg(value_name = "DIR")]
    dir: PathBuf,
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

/// Where a build goes unless told otherwise, inside its source.
const OUT: &str = "dist";

// === impl Verb ===

impl Verb {
    pub(super) fn decode(self, variables: &[(OsString, OsString)]) -> Result<Policy, Error> {
        Ok(match self {
            Self::Build(BuildArguments { dir, out, offline }) => Policy::Build(Build {
                out: out.unwrap_or_else(|| dir.join(OUT)),
                dir,
                offline,
            }),
            Self::Activate(ActivateArguments { dir, admin }) => Policy::Activate(Activate {
                dir,
                admin: admin.decode(variables)?,
            }),
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
