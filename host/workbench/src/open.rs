//! A bundle as its author has it: a source, a built folder, a single file, or the one that the gateway comes with.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pointsman_bundler::{MANIFEST, Options, VECTORS, build, look};
use pointsman_policy::bundle::{MAX_COMPONENT, StageSpec};
use pointsman_policy::{Bundle, Hook, NativeBundle};

use crate::Error;

/// What the gateway comes with.
#[derive(Clone)]
pub struct Gateway {
    /// Its own bundle.
    pub bundle: Bundle,
    /// Components that stages can name with `builtin`: file name, content.
    pub library: &'static [(&'static str, &'static [u8])],
    /// The same policies natively.
    pub twins: Arc<dyn NativeBundle>,
}

/// A bundle, whole, and where it came from.
#[derive(Debug)]
pub struct Opened {
    /// The bundle. That of a source was built for this alone: the source is as it was.
    pub bundle: Bundle,
    /// Its golden vectors.
    pub vectors: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a bundle came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder with crates, or with names of policies that the gateway comes with.
    Source {
        /// The folder.
        dir: PathBuf,
        /// Its crates, by the component that each becomes.
        crates: Vec<(String, PathBuf)>,
    },
    /// A folder with a built bundle.
    Folder(PathBuf),
    /// A single file.
    File(PathBuf),
    /// The gateway.
    Gateway,
}

/// A stage with its component.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// What it is asked.
    pub hook: Hook,
    /// What the manifest says.
    pub spec: &'a StageSpec,
    /// The component.
    pub bytes: &'a [u8],
}

/// Opens `path`; without one the folder at hand, and where that is no bundle, the one that the gateway comes with.
///
/// # Errors
///
/// [`Error`], saying what to mend.
pub fn open(path: Option<&Path>, gateway: &Gateway, offline: bool) -> Result<Opened, Error> {
    let here = Path::new(".");
    match path {
        None if !here.join(MANIFEST).exists() => Ok(Opened {
            bundle: gateway.bundle.clone(),
            vectors: None,
            origin: Origin::Gateway,
        }),
        Some(path) if path.is_file() && path.file_name() != Some(MANIFEST.as_ref()) => file(path),
        Some(path) if path.is_file() => folder(parent(path), gateway, offline),
        path => folder(path.unwrap_or(here), gateway, offline),
    }
}

/// The folder of a file: "." where the path has none.
fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    parent.unwrap_or(Path::new("."))
}

fn folder(dir: &Path, gateway: &Gateway, offline: bool) -> Result<Opened, Error> {
    if !dir.join(MANIFEST).exists() {
        return Err(Error::NoBundle(dir.to_owned()));
    }
    let source = look(dir)?;
    if !source.is_source {
        return Ok(Opened {
            bundle: Bundle::from_dir(dir, MAX_COMPONENT)?,
            vectors: vectors(dir)?,
            origin: Origin::Folder(dir.to_owned()),
        });
    }
    let out = tempfile::tempdir().map_err(Error::io("make a folder in", &std::env::temp_dir()))?;
    let options = Options {
        offline: offline || Options::default().offline,
        library: gateway.library,
        ..Options::default()
    };
    build(dir, out.path(), &options)?;
    Ok(Opened {
        bundle: Bundle::from_dir(out.path(), MAX_COMPONENT)?,
        vectors: vectors(out.path())?,
        origin: Origin::Source {
            dir: dir.to_owned(),
            crates: source.crates,
        },
    })
}

fn vectors(dir: &Path) -> Result<Option<String>, Error> {
    let path = dir.join(VECTORS);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", &path)(error)),
    }
}

fn file(path: &Path) -> Result<Opened, Error> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let limits = pointsman_fetch::Limits::default();
    let files = pointsman_fetch::unpack(&bytes, &limits).map_err(|cause| Error::Archive {
        path: path.to_owned(),
        cause,
    })?;
    let vectors = files.iter().find(|(name, _)| name == VECTORS);
    let vectors = vectors.map(|(_, text)| String::from_utf8_lossy(text).into_owned());
    Ok(Opened {
        bundle: Bundle::from_files(files, MAX_COMPONENT)?,
        vectors,
        origin: Origin::File(path.to_owned()),
    })
}

/// Every stage with its component, as the manifest orders them.
#[must_use]
pub fn parts(bundle: &Bundle) -> Vec<Part<'_>> {
    let manifest = bundle.manifest();
    let chains = [
        (Hook::Selection, &manifest.selection),
        (Hook::Byoc, &manifest.byoc),
        (Hook::Failover, &manifest.failover),
    ];
    let specs = chains
        .into_iter()
        .flat_map(|(hook, specs)| specs.iter().map(move |spec| (hook, spec)));
    specs
        .filter_map(|(hook, spec)| {
            let (_, bytes) = bundle.files().find(|(name, _)| *name == spec.component)?;
            Some(Part { hook, spec, bytes })
        })
        .collect()
}

// === impl Gateway ===

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

// === impl Origin ===

impl Origin {
    /// The crates that can be tested and timed natively.
    #[must_use]
    pub fn crates(&self) -> &[(String, PathBuf)] {
        match self {
            Self::Source { crates, .. } => crates,
            Self::Folder(_) | Self::File(_) | Self::Gateway => &[],
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source { dir, .. } => write!(f, "source {}", dir.display()),
            Self::Folder(dir) => write!(f, "folder {}", dir.display()),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Gateway => f.write_str("the bundle that the gateway comes with"),
        }
    }
}
