//! Compiled policies, kept from one start to the next.
//!
//! # Contract
//!
//! Compiling a component takes tens of milliseconds, reading its machine code back a fraction of one. A file of the cache is machine code that this
//! process will *run*, so it is read only when all of this holds: the folder and the file are this user's and nobody else can write or read them; the file says that it was made
//! of this component (by its SHA-256) for an engine set up like this one, by this version of wasmtime; and its code has the SHA-256 that stands before it. Whatever
//! else is there is deleted and compiled anew. Nothing here is ever downloaded, and no error of the cache keeps a policy from loading.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::bundle::Digest;
use crate::metrics::Metrics;

/// A folder of compiled components.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    /// Most bytes in it.
    most: u64,
    /// Who we are.
    owner: u32,
    /// What the engine is like.
    engine: [u8; 32],
}

/// What a file begins with: this, then three SHA-256: of the component, of the engine, of the code that follows.
const MAGIC: &[u8; 16] = b"pointsman-code-1";
const HEAD: usize = MAGIC.len() + 3 * 32;
/// Largest file that is read, bytes: a component of the largest size allowed compiles to less.
const MAX_FILE: u64 = 64 << 20;
const ENDING: &str = "code";

// === impl Cache ===

impl Cache {
    /// Opens `folder`, which is made when it is missing.
    pub(crate) fn open(folder: &Path, most: u64, engine: &Engine) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let found = fs::symlink_metadata(folder)?;
        if !found.is_dir() {
            return Err(io::Error::other("it is no folder"));
        }
        // A file made now tells who we are; nothing of std does.
        let probe = temporary(folder);
        let owner = create(&probe).and_then(|file| file.metadata());
        let removed = fs::remove_file(&probe);
        let owner = owner?.uid();
        removed?;
        if found.uid() != owner {
            return Err(io::Error::other("it belongs to another user"));
        }
        if found.mode() & 0o077 != 0 {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
        let mut fingerprint = Fingerprint(Sha256::new());
        engine
            .precompile_compatibility_hash()
            .hash(&mut fingerprint);
        Ok(Self {
            folder: folder.to_owned(),
            most,
            owner,
            engine: fingerprint.0.finalize().into(),
        })
    }

    /// The component with that digest, compiled before.
    pub(crate) fn load(&self, engine: &Engine, component: Digest) -> Option<Component> {
        let path = self.path(component);
        let refused = match self.read(&path, component) {
            Ok(code) => match deserialize(engine, &code) {
                Ok(component) => {
                    Metrics::cached("hit");
                    touch(&path);
                    return Some(component);
                }
                Err(error) => format!("{error:#}"),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Metrics::cached("miss");
                return None;
            }
            Err(error) => error.to_string(),
        };
        Metrics::cached("refused");
        tracing::warn!(path = %path.display(), "a compiled policy is not used, and made anew: {refused}");
        // When it cannot be removed it is replaced all the same.
        let _ = fs::remove_file(&path);
        None
    }

    /// Keeps what `component` was compiled to.
    pub(crate) fn store(&self, digest: Digest, component: &Component) {
        let path = self.path(digest);
        let written = component
            .serialize()
            .map_err(io::Error::other)
            .and_then(|code| self.write(&path, digest, &code))
            .and_then(|()| self.make_room(&path));
        if let Err(error) = written {
            tracing::warn!(folder = %self.folder.display(), "a compiled policy is not kept: {error}");
        }
    }

    fn path(&self, component: Digest) -> PathBuf {
        let key = Sha256::new()
            .chain_update(self.engine)
            .chain_update(component.0);
        let key = hex::encode(key.finalize());
        self.folder.join(format!("{key}.{ENDING}"))
    }

    fn read(&self, path: &Path, component: Digest) -> io::Result<Vec<u8>> {
        let not = |what| Err(io::Error::other(what));
        if !fs::symlink_metadata(path)?.is_file() {
            return not("it is not a plain file");
        }
        let file = File::open(path)?;
        let found = file.metadata()?;
        if found.uid() != self.owner || found.mode() & 0o077 != 0 {
            return not("others can write or read it");
        }
        if found.len() > MAX_FILE {
            return not("it is too large");
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut bytes)?;
        let Some((head, code)) = bytes.split_at_checked(HEAD) else {
            return not("it is cut short");
        };
        if head != self.head(component, code) {
            return not("its digests do not fit");
        }
        bytes.drain(..HEAD);
        Ok(bytes)
    }

    fn head(&self, component: Digest, code: &[u8]) -> Vec<u8> {
        let code = Digest::of(code);
        [&MAGIC[..], &component.0, &self.engine, &code.0].concat()
    }

    /// Writes beside and renames, so that nobody reads half a file.
    fn write(&self, path: &Path, component: Digest, code: &[u8]) -> io::Result<()> {
        let beside = temporary(&self.folder);
        let written = create(&beside)
            .and_then(|mut file| {
                file.write_all(&self.head(component, code))?;
                file.write_all(code)
            })
            .and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    }

    /// Removes the files used longest ago until the rest fits, but never `newest`; and what a process left that died while it wrote.
    fn make_room(&self, newest: &Path) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let found = entry.metadata()?;
            let path = entry.path();
            let ours = path
                .extension()
                .is_some_and(|ending| ending == ENDING || ending == NEW);
            if found.is_file() && ours {
                files.push((found.modified()?, found.len(), path));
            }
        }
        files.sort();
        let mut held: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in files {
            if held <= self.most {
                break;
            }
            if path == newest {
                continue;
            }
            fs::remove_file(path)?;
            held -= bytes;
        }
        Ok(())
    }
}

/// The ending of files that are being written.
const NEW: &str = "new";

fn temporary(folder: &Path) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{}-{number}.{NEW}", std::process::id()))
}

fn create(path: &Path) -> io::Result<File> {
    // A process with our number may have died here.
    let _ = fs::remove_file(path);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Makes it the one used last. That it fails costs a compilation one day.
fn touch(path: &Path) {
    let opened = OpenOptions::new().write(true).open(path);
    let _ = opened.and_then(|file| file.set_modified(SystemTime::now()));
}

/// Takes in machine code that passed the checks of [`Cache::read`].
#[allow(
    unsafe_code,
    reason = "the one place: code that this user's gateway compiled and wrote itself, checked by owner, mode and digest"
)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: wasmtime asks for bytes that `Component::serialize` made and nobody changed. The file was written by this user in a folder that nobody else
    // can write to, and the digest before the code, which was taken when it was written, fits.
    unsafe { Component::deserialize(engine, code) }
}

/// A hasher that keeps all 256 bits.
struct Fingerprint(Sha256);

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not what is read; see [`Cache::open`].
    fn finish(&self) -> u64 {
        let digest: [u8; 32] = self.0.clone().finalize().into();
        digest
            .iter()
            .fold(0, |sum, &byte| sum << 1 ^ u64::from(byte))
    }
}
