//! From the source of a bundle to a bundle: the crates it names are compiled, made into components, and listed with their digests.
//!
//! # Contract
//!
//! A source is a folder with a `bundle.toml` whose stages name a crate (`crate = "."`, a folder beside the manifest), a finished
//! component or the core module of one, from whatever language (a file beside it), or a policy that the program comes with (`builtin = "rank"`, looked up in
//! [`Options::library`]). [`build`] writes the same manifest to another folder, without the crates and with
//! the SHA-256 of every component, and the components beside it. Golden vectors (`vectors.jsonl` beside the source's manifest) go
//! along. The manifest is written last and replaced as a whole, so that
//! who watches it never sees a bundle half written. What the manifest otherwise says is the host's business and passed on as it is.
//!
//! Nothing but cargo with the target `wasm32-unknown-unknown` is needed; components are made in this process. A component that
//! imports more than the policy contract has is refused here, with words that say what to do, and not first by the host.
//!
//! The same source makes the same bytes on every machine, wherever it lies, with the same version of the compiler: digests can be checked by
//! building again.
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
use std::sync::atomic::{AtomicU64, Ordering};

pub use cargo::{cargo, for_speed, for_tests};
pub use error::BuildError;

use manifest::{Manifest, Origin};

/// The name of the manifest, in a source and in a bundle.
pub const MANIFEST: &str = "bundle.toml";

/// The name of the golden vectors, in a source and in a bundle.
pub const VECTORS: &str = "vectors.jsonl";

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
    /// Components that stages can name with `builtin`: file name, content.
    pub library: &'static [(&'static str, &'static [u8])],
}

/// A bundle that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// Its manifest; the components are beside it.
    pub manifest: PathBuf,
    /// Its components, by file name.
    pub components: Vec<Component>,
    /// Its golden vectors.
    pub vectors: Option<Component>,
}

/// What can be known of a source before it is built.
#[derive(Clone, Debug)]
pub struct Source {
    /// Whether there is something to build. A bundle that is built is a folder with a manifest too.
    pub is_source: bool,
    /// The folders of its crates, by the component that each becomes.
    pub crates: Vec<(String, PathBuf)>,
}

/// One file of a bundle.
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
            library: &[],
        }
    }
}

/// Looks at the manifest in the folder `source`.
///
/// # Errors
///
/// [`BuildError`] when there is none, or it is wrong.
pub fn look(source: &Path) -> Result<Source, BuildError> {
    let manifest = Manifest::read(&source.join(MANIFEST))?;
    Ok(Source {
        is_source: manifest.is_source(),
        crates: manifest
            .crates()
            .map(|(file, folder)| (file.to_owned(), plain(&source.join(folder))))
            .collect(),
    })
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
                let bytes = std::fs::read(&path).map_err(BuildError::io("read", &path))?;
                if component::is_module(&bytes) {
                    component::encode(file, &bytes)?
                } else {
                    bytes
                }
            }
            Origin::Crate(folder) => {
                let module = cargo::compile(&source.join(folder), options)?;
                component::encode(file, &module)?
            }
            Origin::Builtin(name) => builtin(name, options.library)?.to_vec(),
        };
        component::check(file, &bytes)?;
        made.insert(file.to_owned(), bytes);
    }
    std::fs::create_dir_all(out).map_err(BuildError::io("create", out))?;
    let put = |file: &str, bytes: &[u8]| {
        replace(&out.join(file), bytes)?;
        Ok(Component {
            file: file.to_owned(),
            sha256: component::digest(bytes),
            size: bytes.len() as u64,
        })
    };
    let components: Vec<Component> = made
        .iter()
        .map(|(file, bytes)| put(file, bytes))
        .collect::<Result<_, _>>()?;
    let vectors = match std::fs::read(source.join(VECTORS)) {
        Ok(bytes) => Some(put(VECTORS, &bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(BuildError::io("read", &source.join(VECTORS))(error)),
    };
    let path = out.join(MANIFEST);
    let text = manifest.with_digests(&components, vectors.as_ref())?;
    replace(&path, text.as_bytes())?;
    Ok(Built {
        manifest: path,
        components,
        vectors,
    })
}

/// A path without the "." in it.
fn plain(path: &Path) -> PathBuf {
    let parts = path.components();
    let plain: PathBuf = parts
        .filter(|part| *part != std::path::Component::CurDir)
        .collect();
    if plain.as_os_str().is_empty() {
        ".".into()
    } else {
        plain
    }
}

fn builtin(
    name: &str,
    library: &'static [(&'static str, &'static [u8])],
) -> Result<&'static [u8], BuildError> {
    let known = library.iter().filter(|(file, _)| file.ends_with(".wasm"));
    let found = known.clone().find(|(file, _)| manifest::stem(file) == name);
    found
        .map(|(_, bytes)| *bytes)
        .ok_or_else(|| BuildError::NoBuiltin {
            name: name.to_owned(),
            known: known.map(|(file, _)| manifest::stem(file)).collect(),
        })
}

/// Writes a file so that readers see the old one or the new one, also when two builds write it at the same moment.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let write = WRITES.fetch_add(1, Ordering::Relaxed);
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}-{write}.part", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    std::fs::write(&unfinished, bytes).map_err(BuildError::io("write", &unfinished))?;
    std::fs::rename(&unfinished, path).map_err(BuildError::io("replace", path))
}
