//! `pointsman policy new | build | check | inspect | test | bench`: what needs no running gateway.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::Args;
use pointsman_workbench::new::{Name, Template};

use super::Policy;
use crate::cli::Error;

/// Make a folder with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New {
    /// Of policy, crate, bundle and folder.
    pub name: Name,
    /// What it begins as.
    pub template: Template,
    /// The folder.
    pub dir: PathBuf,
    /// As JSON, for scripts.
    pub json: bool,
}

/// Compile the crates of a bundle and write it with its digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Source: a `bundle.toml` and crates.
    pub dir: PathBuf,
    /// Where the bundle goes.
    pub out: PathBuf,
    /// The same as a single file.
    pub pack: Option<PathBuf>,
    /// Do not let cargo use the network.
    pub offline: bool,
    /// As JSON, for scripts.
    pub json: bool,
}

/// Look at a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Source, built folder or single file; the folder at hand, or else the embedded bundle.
    pub bundle: Option<PathBuf>,
    /// Do not let cargo use the network.
    pub offline: bool,
    /// As JSON, for scripts.
    pub json: bool,
}

/// Run a bundle's tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Which.
    pub look: Look,
    /// Keep the questions as golden vectors.
    pub record: bool,
}

/// Hold a component against the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conformance {
    /// The component.
    pub component: PathBuf,
    /// TOML with its settings.
    pub settings: Option<PathBuf>,
    /// As JSON, for scripts.
    pub json: bool,
}

/// Measure a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bench {
    /// Which.
    pub look: Look,
    /// Rows of a decision.
    pub candidates: NonZeroU32,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NewArguments {
    /// Name of the policy: a-z, 0-9 and -, such as eu-first
    #[arg(value_name = "NAME")]
    name: String,
    /// What it begins as: filter, score, rank, failover or byoc
    #[arg(long, value_name = "TEMPLATE")]
    template: String,
    /// The folder, which is made or empty [default: NAME]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BuildArguments {
    /// Folder with bundle.toml and the crates of its policies
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Where the bundle goes [default: dist in DIR]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the bundle to a single file as well: a tar, compressed with zstd where the name ends in .zst
    #[arg(long, value_name = "FILE")]
    pack: Option<PathBuf>,
    /// Use only crates that are on this machine
    #[arg(long)]
    offline: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LookArguments {
    /// Source folder, built folder, or single file [default: this folder, or else the bundle that the gateway comes with]
    #[arg(value_name = "BUNDLE")]
    bundle: Option<PathBuf>,
    /// Use only crates that are on this machine
    #[arg(long)]
    offline: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TestArguments {
    #[command(flatten)]
    look: LookArguments,
    /// Keep the questions of the tests as golden vectors, beside bundle.toml
    #[arg(long)]
    record: bool,
    /// Hold one component, of whatever toolchain, against the contract instead
    #[arg(long, value_name = "WASM", conflicts_with_all = ["bundle", "record"])]
    conformance: Option<PathBuf>,
    /// TOML file with the settings that the component gets
    #[arg(long, value_name = "FILE", requires = "conformance")]
    settings: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchArguments {
    #[command(flatten)]
    look: LookArguments,
    /// Rows of a decision
    #[arg(long, value_name = "N", default_value = "100")]
    candidates: NonZeroU32,
}

/// Where a build goes unless told otherwise, inside its source.
const OUT: &str = "dist";

/// Most rows that are measured.
const MOST: u32 = 100_000;

// === impl NewArguments ===

impl NewArguments {
    pub(super) fn decode(self) -> Result<New, Error> {
        let usage = |message: String| Error::Usage(message);
        let name = Name::parse(&self.name).map_err(|error| usage(error.to_string()))?;
        Ok(New {
            template: self.template.parse().map_err(usage)?,
            dir: self.dir.unwrap_or_else(|| name.as_str().into()),
            name,
            json: self.json,
        })
    }
}

// === impl BuildArguments ===

impl BuildArguments {
    pub(super) fn decode(self) -> Build {
        Build {
            out: self.out.unwrap_or_else(|| {
                let here = self.dir == Path::new(".");
                if here { OUT.into() } else { self.dir.join(OUT) }
            }),
            dir: self.dir,
            pack: self.pack,
            offline: self.offline,
            json: self.json,
        }
    }
}

// === impl LookArguments ===

impl LookArguments {
    pub(super) fn decode(self) -> Look {
        Look {
            bundle: self.bundle,
            offline: self.offline,
            json: self.json,
        }
    }
}

// === impl TestArguments ===

impl TestArguments {
    pub(super) fn decode(self) -> Policy {
        match self.conformance {
            Some(component) => Policy::Conformance(Conformance {
                component,
                settings: self.settings,
                json: self.look.json,
            }),
            None => Policy::Test(Test {
                look: self.look.decode(),
                record: self.record,
            }),
        }
    }
}

// === impl BenchArguments ===

impl BenchArguments {
    pub(super) fn decode(self) -> Bench {
        Bench {
            look: self.look.decode(),
            candidates: self
                .candidates
                .min(NonZeroU32::new(MOST).unwrap_or(self.candidates)),
        }
    }
}
