//! Why a bundle could not be built.

use std::path::{Path, PathBuf};

/// Why a bundle could not be built, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A file or folder could not be used.
    #[error("cannot {doing} {}: {cause}", path.display())]
    Io {
        /// What was tried: "read", "write".
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        cause: std::io::Error,
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
    #[error("cannot run {}: {cause}; policies are compiled by cargo: install Rust from https://rustup.rs, or put cargo on the PATH", program.display())]
    NoCargo {
        /// What was started.
        program: PathBuf,
        /// Why it failed.
        cause: std::io::Error,
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
        "{component} imports {import}, and a policy can import nothing but the log: no files, sockets, clock or random numbers. {}",
        usual(import)
    )]
    Import {
        /// Its file name.
        component: String,
        /// The import.
        import: String,
    },
    /// A stage names a policy that the program does not come with.
    #[error("there is no builtin \"{name}\"; there are: {}", if known.is_empty() { "none here".to_owned() } else { known.join(", ") })]
    NoBuiltin {
        /// What the stage names.
        name: String,
        /// What it could name.
        known: Vec<&'static str>,
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

/// What usually brings an import in, and what to do instead.
fn usual(import: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| import.contains(word));
    if has(&["wasm_bindgen", "wbindgen"]) {
        "wasm-bindgen brings it in, which chrono, getrandom, uuid or web crates pull in with a feature called js, wasm-bindgen or wasmbind: turn the feature off"
    } else if has(&["clock", "time"]) {
        "Usually std::time::Instant or SystemTime does it: take the time from job.now_ms"
    } else if has(&["random", "getrandom"]) {
        "Usually the crate rand, getrandom or uuid does it: take randomness from job.rng()"
    } else if has(&["wasi"]) {
        "It is built for WASI: build it for wasm32-unknown-unknown, as `pointsman policy build` does with a crate, and leave out what prints, reads files or the environment"
    } else {
        "An `extern` block, or a crate that has one, does it: leave it out"
    }
}

// === impl BuildError ===

impl BuildError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { doing, path, cause }
    }
}
