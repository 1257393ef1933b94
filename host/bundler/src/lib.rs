//! From the source of a bundle to a bundle: the crates it names are compiled, made into components, and listed with their digests.
//!
//! # Contract
//!
//! A source is a folder with a `bundle.toml` whose stages name either a crate (`crate = "."`, a folder beside the manifest) or a
//! finished component (a file beside it). [`build`] writes the same manifest to another folder, without the crates and with
//! the SHA-256 of every component, and the components beside it. The manifest is written last and replaced as a whole, so that
//! who watches it never sees a bundle half written. What the manifest otherwise says is the host's business and passed on as it is.
//!
//! Nothing but cargo with the target `wasm32-unknown-unknown` is needed; components are made in this process. A component that
//! imports more than the policy contract has is refused here, with words that say what to do, and not first by the host.
//!
//! # Why the profile is not in a `Cargo.toml`
//!
//! Policies live in anybody's workspace. Settings that decide size, speed and whether a component is the same on
//! two machines must not depend on which, so they are given to cargo on the command line; and flags meant for the native
//! program around (a linter's wrapper, coverage) are kept away from it.
#![forbid(unsafe_code)]

mod cargo;
mod component;
mod error;
mod manifest;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use error::BuildError;

use manifest::{Manifest, Origin};

/// The name of the manifest, in a source and in a bundle.
pub const MANIFEST: &str = "bundle.toml";

/// How to build.
#[derive(Clone, Debug)]
pub struct Options {
    /// The cargo to run.
    pub cargo: PathBuf,
    /// Where cargo keeps what it compiles; `None`: where the crate's workspace does. A build script must give its own: its cargo is
    /// waiting with the usual one locked.
    pub target_dir: Option<PathBuf>,
    /// Let cargo use only what is on this machine.
    pub offline: bool,
    /// Refuse to change `Cargo.lock`.
    pub locked: bool,
}

/// A bundle that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// Its manifest; the components are beside it.
    pub manifest: PathBuf,
    /// Its components, by file name.
    pub components: Vec<Component>,
}

/// One component of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// File name in the bundle.
    pub file: String,
    /// Lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

// === impl Options ===

impl Default for Options {
    /// The cargo that runs this program, or the one on the path.
    fn default() -> Self {
        Self {
            cargo: std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from),
            target_dir: None,
            offline: std::env::var_os("CARGO_NET_OFFLINE")
                .is_some_and(|offline| offline != "false"),
            locked: false,
        }
    }
}

/// Builds the bundle whose source is in the folder `source` into the folder `out`, which is made if need be.
///
/// # Errors
///
/// See [`BuildError`]; each says what to mend. Nothing in `out` changes before all components are built, and its manifest not before
/// all are written.
pub fn build(source: &Path, out: &Path, options: &Options) -> Result<Built, BuildError> {
    let manifest = Manifest::read(&source.join(MANIFEST))?;
    let mut made: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (file, origin) in manifest.components() {
        let bytes = match origin {
            Origin::File => {
                let path = source.join(file);
                std::fs::read(&path).map_err(BuildError::io("read", &path))?
            }
            Origin::Crate(folder) => {
                let module = cargo::compile(&source.join(folder), options)?;
                component::encode(file, &module)?
            }
        };
        component::check(file, &bytes)?;
        made.insert(file.to_owned(), bytes);
    }
    std::fs::create_dir_all(out).map_err(BuildError::io("create", out))?;
    let mut components = Vec::new();
    for (file, bytes) in &made {
        replace(&out.join(file), bytes)?;
        components.push(Component {
            file: file.clone(),
            sha256: component::digest(bytes),
            size: bytes.len() as u64,
        });
    }
    let path = out.join(MANIFEST);
    replace(&path, manifest.with_digests(&components)?.as_bytes())?;
    Ok(Built {
        manifest: path,
        components,
    })
}

/// Writes a file so that readers see the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    std::fs::write(&unfinished, bytes).map_err(BuildError::io("write", &unfinished))?;
    std::fs::rename(&unfinished, path).map_err(BuildError::io("replace", path))
}
