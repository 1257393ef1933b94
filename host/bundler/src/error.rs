//! Why a bundle could not be built.

use std::path::{Path, PathBuf};

/// Why a bundle could not be built, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A file or folder could not be used.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried: "read", "write".
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The manifest is not one.
    #[error("{}: {reason}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Cargo or rustc could not be started.
    #[error("cannot run {}: {source}; policies are compiled by cargo, which comes with Rust", program.display())]
    NoCargo {
        /// What was started.
        program: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The toolchain cannot compile to WebAssembly.
    #[error(
        "the toolchain lacks the WebAssembly target; run: rustup target add wasm32-unknown-unknown"
    )]
    NoTarget,
    /// A crate cannot become a component.
    #[error("{}: add to Cargo.toml:\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]", package.display())]
    NotCdylib {
        /// Folder of the crate.
        package: PathBuf,
    },
    /// Cargo failed.
    #[error("cargo cannot build {}:\n{stderr}", package.display())]
    Cargo {
        /// Folder of the crate.
        package: PathBuf,
        /// What cargo said.
        stderr: String,
    },
    /// What was compiled is no component.
    #[error("{component}: {reason}")]
    NotComponent {
        /// Its file name.
        component: String,
        /// What is wrong.
        reason: String,
    },
    /// It wants from the host what no policy gets.
    #[error(
        "{component} imports {import}; a policy has no WASI: no files, sockets, clock or random numbers. Take the time from job.now-ms and \
         randomness from job.seed, and leave out the crate that needs more"
    )]
    Import {
        /// Its file name.
        component: String,
        /// The import.
        import: String,
    },
    /// It exports no hook.
    #[error(
        "{component} exports no policy; end its lib.rs with: pointsman_sdk::export!(YourPolicy);"
    )]
    NoExport {
        /// Its file name.
        component: String,
    },
}

// === impl BuildError ===

impl BuildError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}
