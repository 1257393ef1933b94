//! A bundle: a manifest and the components it names, checked to be what the manifest says.
//!
//! # Contract
//!
//! A [`Bundle`] exists only whole: every component that `bundle.toml` names is there, has the digest given, and is not
//! too large. It comes from a folder or from a list of files in memory (an upload), and holds nothing else: no path leads
//! out of it, other files beside it are not read. The digest of `bundle.toml` identifies it, since that lists the digests of
//! all the rest.
//!
//! Writers replace `bundle.toml` last: a folder read in between has a digest that does not fit, and is refused.

mod manifest;
mod section;
mod settings;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use manifest::{Digest, Manifest, ManifestError, OnEmpty, OnFailure, StageSpec, VectorsSpec};
pub use section::Mistake;
pub use settings::{Setting, Value};

use crate::vectors::MAX_VECTORS;

/// The name of the manifest in a bundle.
pub const MANIFEST: &str = "bundle.toml";

/// Largest manifest, bytes.
pub const MAX_MANIFEST: usize = 64 << 10;

/// Largest component unless the operator says otherwise, bytes.
pub const MAX_COMPONENT: usize = 2 << 20;

/// A whole bundle, digests checked.
#[derive(Clone, Debug)]
pub struct Bundle {
    manifest: Manifest,
    text: String,
    digest: Digest,
    components: BTreeMap<String, Arc<[u8]>>,
    vectors: Option<Arc<str>>,
}

/// A bundle cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// See [`ManifestError`].
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest is not text.
    #[error("{MANIFEST} is not UTF-8")]
    NotText,
    /// The golden vectors are not text.
    #[error("{0} is not UTF-8")]
    VectorsNotText(String),
    /// A file could not be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Something other than a plain file has the name of one.
    #[error("{} is not a plain file: a bundle has no links and nothing outside its folder", .0.display())]
    NotAFile(PathBuf),
    /// The manifest names a file that is not there.
    #[error("{MANIFEST} names {0}, which is not in the bundle")]
    Missing(String),
    /// The same name was given twice.
    #[error("{0} is in the bundle twice")]
    Twice(String),
    /// A file is too large.
    #[error("{name} is larger than {most} bytes{}", if name == MANIFEST { "" } else { "; build for release, or raise the gateway's limit" })]
    TooLarge {
        /// Which.
        name: String,
        /// The most it may have, bytes.
        most: usize,
    },
    /// A file is not the one the manifest was written for.
    #[error("{name} has the SHA-256 {found}, but {MANIFEST} says {wanted}: build the bundle again")]
    Digest {
        /// Which.
        name: String,
        /// What the manifest says.
        wanted: Digest,
        /// What the file has.
        found: Digest,
    },
}

// === impl Bundle ===

impl Bundle {
    /// Reads the bundle in `folder`; components may have up to `most` bytes ([`MAX_COMPONENT`] by default).
    ///
    /// # Errors
    ///
    /// [`BundleError`], naming the file.
    pub fn from_dir(folder: &Path, most: usize) -> Result<Self, BundleError> {
        let text = read(&folder.join(MANIFEST), MANIFEST, MAX_MANIFEST)?;
        Self::assemble(text, most, |name, most| {
            match read(&folder.join(name), name, most) {
                Err(BundleError::Read { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                    Err(BundleError::Missing(name.to_owned()))
                }
                read => read,
            }
        })
    }

    /// Makes a bundle of files in memory: name and contents. Files that the manifest does not name are ignored.
    ///
    /// # Errors
    ///
    /// [`BundleError`], naming the file.
    pub fn from_files(
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
        most: usize,
    ) -> Result<Self, BundleError> {
        let mut named = BTreeMap::new();
        for (name, bytes) in files {
            if named.contains_key(&name) {
                return Err(BundleError::Twice(name));
            }
            named.insert(name, bytes);
        }
        let text = named.remove(MANIFEST);
        let text = text.ok_or_else(|| BundleError::Missing(MANIFEST.to_owned()))?;
        Self::assemble(text, most, |name, _| {
            named
                .remove(name)
                .ok_or_else(|| BundleError::Missing(name.to_owned()))
        })
    }

    fn assemble(
        text: Vec<u8>,
        most: usize,
        mut file: impl FnMut(&str, usize) -> Result<Vec<u8>, BundleError>,
    ) -> Result<Self, BundleError> {
        fits(MANIFEST, text.len(), MAX_MANIFEST)?;
        let digest = Digest::of(&text);
        let text = String::from_utf8(text).map_err(|_| BundleError::NotText)?;
        let manifest = Manifest::parse(&text)?;
        let mut components: BTreeMap<String, Arc<[u8]>> = BTreeMap::new();
        for stage in manifest.stages() {
            let name = &stage.component;
            if !components.contains_key(name) {
                let bytes = file(name, most)?;
                fits(name, bytes.len(), most)?;
                components.insert(name.clone(), bytes.into());
            }
            let found = Digest::of(&components[name]);
            if found != stage.sha256 {
                return Err(BundleError::Digest {
                    name: name.clone(),
                    wanted: stage.sha256,
                    found,
                });
            }
        }
        let vectors = match &manifest.vectors {
            None => None,
            Some(VectorsSpec { file: name, sha256 }) => {
                let bytes = file(name, MAX_VECTORS)?;
                fits(name, bytes.len(), MAX_VECTORS)?;
                let found = Digest::of(&bytes);
                if found != *sha256 {
                    return Err(BundleError::Digest {
                        name: name.clone(),
                        wanted: *sha256,
                        found,
                    });
                }
                let text = String::from_utf8(bytes);
                let text = text.map_err(|_| BundleError::VectorsNotText(name.clone()))?;
                Some(text.into())
            }
        };
        Ok(Self {
            manifest,
            text,
            digest,
            components,
            vectors,
        })
    }

    /// Questions that its components must answer as recorded, one a line; see [`Vectors`](crate::vectors::Vectors).
    #[must_use]
    pub fn vectors(&self) -> Option<&str> {
        self.vectors.as_deref()
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What identifies the bundle: the digest of its manifest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Everything in it, to be written elsewhere: the components and golden vectors first, the manifest last.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let components = self
            .components
            .iter()
            .map(|(name, bytes)| (name.as_str(), &bytes[..]));
        let vectors = self.manifest.vectors.as_ref().zip(self.vectors());
        let vectors = vectors.map(|(spec, text)| (spec.file.as_str(), text.as_bytes()));
        components
            .chain(vectors)
            .chain([(MANIFEST, self.text.as_bytes())])
    }

    /// The bytes of the component that `stage` names.
    pub(crate) fn component(&self, stage: &StageSpec) -> &[u8] {
        &self.components[&stage.component]
    }
}

fn fits(name: &str, bytes: usize, most: usize) -> Result<(), BundleError> {
    if bytes > most {
        return Err(BundleError::TooLarge {
            name: name.to_owned(),
            most,
        });
    }
    Ok(())
}

fn read(path: &Path, name: &str, most: usize) -> Result<Vec<u8>, BundleError> {
    let failed = |cause| BundleError::Read {
        path: path.to_owned(),
        cause,
    };
    // Not metadata(): that follows links, also out of the folder.
    if !fs::symlink_metadata(path).map_err(failed)?.is_file() {
        return Err(BundleError::NotAFile(path.to_owned()));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    fits(name, bytes.len(), most)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_vectors_are_part_of_it() {
        let text = manifest(b"x")
            + &format!(
                "[vectors]\nfile = 'golden.jsonl'\nsha256 = '{}'\n",
                Digest::of(b"{}\n")
            );
        let with = |vectors: &[u8]| {
            let mut files = files(b"x", b"x");
            files[0].1 = text.clone().into_bytes();
            files.push(("golden.jsonl".to_owned(), vectors.to_vec()));
            Bundle::from_files(files, 10)
        };
        let bundle = with(b"{}\n").expect("a whole bundle");
        assert_eq!(bundle.vectors(), Some("{}\n"));
        let names: Vec<_> = bundle.files().map(|(name, _)| name).collect();
        assert_eq!(names, ["a.wasm", "golden.jsonl", MANIFEST]);
        assert!(
            matches!(with(b"{}"), Err(BundleError::Digest { name, .. }) if name == "golden.jsonl")
        );
        let outside = Manifest::parse(&text.replace("golden.jsonl", "../golden.jsonl"));
        assert!(outside.is_err_and(|error| error.to_string().contains("vectors.file")));
    }

    fn manifest(component: &[u8]) -> String {
        format!(
            "name = 'b'\nversion = '1'\n[[selection]]\ncomponent = 'a.wasm'\nsha256 = '{}'\n",
            Digest::of(component)
        )
    }

    fn files(component: &[u8], said: &[u8]) -> Vec<(String, Vec<u8>)> {
        vec![
            (MANIFEST.to_owned(), manifest(said).into_bytes()),
            ("a.wasm".to_owned(), component.to_vec()),
        ]
    }

    #[test]
    fn files_that_do_not_fit_their_digest_are_refused() {
        let bundle = Bundle::from_files(files(b"x", b"x"), 10).expect("a whole bundle");
        assert_eq!(
            bundle.files().map(|(name, _)| name).collect::<Vec<_>>(),
            ["a.wasm", MANIFEST]
        );
        assert!(matches!(
            Bundle::from_files(files(b"x", b"y"), 10),
            Err(BundleError::Digest { .. })
        ));
    }

    #[test]
    fn too_large_missing_and_doubled_files_are_refused() {
        assert!(matches!(
            Bundle::from_files(files(b"12345", b"12345"), 4),
            Err(BundleError::TooLarge { most: 4, .. })
        ));
        let only = files(b"x", b"x").into_iter().take(1);
        assert!(
            matches!(Bundle::from_files(only, 10), Err(BundleError::Missing(name)) if name == "a.wasm")
        );
        let mut doubled = files(b"x", b"x");
        doubled.extend(files(b"x", b"x"));
        assert!(matches!(
            Bundle::from_files(doubled, 10),
            Err(BundleError::Twice(_))
        ));
    }

    #[test]
    fn a_folder_is_read_and_written_back_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files(b"x", b"x") {
            fs::write(folder.path().join(name), bytes).expect("written");
        }
        let read = Bundle::from_dir(folder.path(), 10).expect("a whole bundle");
        let written = Bundle::from_files(
            read.files()
                .map(|(name, bytes)| (name.to_owned(), bytes.to_vec())),
            10,
        );
        assert_eq!(written.expect("whole").digest(), read.digest());
        fs::write(folder.path().join("a.wasm"), b"12345678901").expect("written");
        assert!(matches!(
            Bundle::from_dir(folder.path(), 10),
            Err(BundleError::TooLarge { .. })
        ));
        fs::remove_file(folder.path().join("a.wasm")).expect("removed");
        assert!(matches!(
            Bundle::from_dir(folder.path(), 10),
            Err(BundleError::Missing(_))
        ));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let outside = tempfile::NamedTempFile::new().expect("a file");
        fs::write(outside.path(), b"x").expect("written");
        fs::write(folder.path().join(MANIFEST), manifest(b"x")).expect("written");
        std::os::unix::fs::symlink(outside.path(), folder.path().join("a.wasm")).expect("linked");
        assert!(matches!(
            Bundle::from_dir(folder.path(), 10),
            Err(BundleError::NotAFile(_))
        ));
    }
}
