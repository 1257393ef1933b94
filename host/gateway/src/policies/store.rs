//! Bundles that were active, in the data directory: `bundles/{digest}/` and `active.json`.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use pointsman_policy::bundle::Digest;
use pointsman_policy::{Bundle, GenerationInfo};
use serde::{Deserialize, Serialize};

/// Bundles kept: enough to roll back through a bad day.
const KEEP: usize = 8;

/// The folder of kept bundles.
#[derive(Debug)]
pub(super) struct Store(PathBuf);

/// What was active last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Last {
    /// That bundle.
    pub(super) active: Kept,
    /// The one that a rollback would have brought back.
    pub(super) before: Option<Kept>,
    /// What the operator's folder held then.
    pub(super) folder: Option<String>,
}

/// A bundle that is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Which, by its digest.
    pub(super) digest: String,
    /// Where it came from.
    pub(super) origin: String,
}

// === impl Kept ===

impl Kept {
    pub(super) fn of(generation: &GenerationInfo) -> Self {
        Self {
            digest: generation.digest.to_string(),
            origin: generation.origin.clone(),
        }
    }
}

// === impl Store ===

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path.join("bundles"))
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path.to_owned()))
    }

    /// Where a bundle is kept.
    pub(super) fn folder(&self, digest: &str) -> PathBuf {
        self.0.join("bundles").join(digest)
    }

    /// Keeps a bundle. It appears whole or not at all.
    pub(super) fn keep(&self, bundle: &Bundle) -> Result<()> {
        let folder = self.folder(&bundle.digest().to_string());
        if folder.exists() {
            fs::File::open(&folder)?.set_modified(SystemTime::now())?;
        } else {
            let making = tempfile::tempdir_in(&self.0)?;
            for (name, bytes) in bundle.files() {
                let mut file = fs::File::create(making.path().join(name))?;
                file.write_all(bytes)?;
                file.sync_all()?;
            }
            fs::rename(making.keep(), &folder)?;
        }
        self.prune(&folder)
    }

    /// Removes the oldest beyond [`KEEP`], never `newest`.
    fn prune(&self, newest: &Path) -> Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(self.0.join("bundles"))? {
            let entry = entry?;
            let made = entry
                .metadata()?
                .modified()
                .unwrap_or(SystemTime::UNIX_EPOCH);
            kept.push((made, entry.path()));
        }
        kept.sort();
        let surplus = kept.len().saturating_sub(KEEP);
        for (_, path) in kept.iter().filter(|(_, path)| path != newest).take(surplus) {
            fs::remove_dir_all(path)?;
        }
        Ok(())
    }

    /// Where it is written which bundle was active last.
    pub(super) fn active(&self) -> PathBuf {
        self.0.join("active.json")
    }

    /// What was active last; `None` before the first start.
    ///
    /// # Errors
    ///
    /// When it is written down and cannot be read.
    pub(super) fn last(&self) -> Result<Option<Last>> {
        let path = self.active();
        let unreadable = || format!("cannot read {}", path.display());
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.with_context(unreadable)?,
        };
        let last: Last = serde_json::from_slice(&text).with_context(unreadable)?;
        // They become paths.
        let plain = |kept: &Kept| Digest::parse(&kept.digest).is_some();
        ensure!(plain(&last.active), "{}: a digest is none", unreadable());
        let before = last.before.filter(plain);
        Ok(Some(Last { before, ..last }))
    }

    /// Remembers what is active; replaced as a whole.
    pub(super) fn remember(&self, last: &Last) -> Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        serde_json::to_writer(&mut file, last)?;
        file.as_file().sync_all()?;
        file.persist(self.active())?;
        Ok(())
    }
}
