//! Why something cannot be told of a bundle.

use std::io;
use std::path::{Path, PathBuf};

use pointsman_bundler::BuildError;
use pointsman_fetch::ArchiveError;
use pointsman_policy::vectors::VectorError;
use pointsman_policy::{BundleError, EngineError, Fault, LoadError};

/// Why something cannot be told of a bundle, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing where a bundle should be.
    #[error(
        "there is no bundle.toml in {}: go to a policy's folder, name one, or make one with `pointsman policy new`",
        .0.display()
    )]
    NoBundle(PathBuf),
    /// It does not build.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It is not whole.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// It is no bundle in one file.
    #[error("{}: {cause}", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: ArchiveError,
    },
    /// The host does not take it.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A policy is faulty.
    #[error("{0}; a panic's own words are in the log above")]
    Fault(#[from] Fault),
    /// The golden vectors cannot be read.
    #[error(transparent)]
    Vectors(#[from] VectorError),
    /// The engine does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file or folder could not be used.
    #[error("cannot {doing} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
    /// Cargo could not be started.
    #[error(
        "cannot run {}: {cause}; policies are compiled by cargo: install Rust from https://rustup.rs, or put cargo on the PATH",
        program.display()
    )]
    NoCargo {
        /// What was started.
        program: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
    /// The native benchmark of a policy failed.
    #[error("{} cannot be timed natively:\n{stderr}", package.display())]
    Native {
        /// The policy's crate.
        package: PathBuf,
        /// What cargo or the benchmark said.
        stderr: String,
    },
    /// There is nothing to ask it.
    #[error("{component} exports no hook of this host; {exports}")]
    NoHook {
        /// The file.
        component: String,
        /// What it exports instead.
        exports: String,
    },
}

// === impl Error ===

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { doing, path, cause }
    }
}
