//! Folders and single files on this machine.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use pointsman_policy::bundle::{Digest, MANIFEST, MAX_MANIFEST};

use crate::signature::{ENDING, MAX_SIGNATURE};
use crate::{
    ArchiveError, Compression, FetchError, Fetched, Files, Limits, Rules, SignatureError, pack,
    unpack,
};

/// A bundle in one file, with its signature if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    pub(crate) bytes: Bytes,
    pub(crate) signature: Option<String>,
}

/// What belongs to a bundle in a folder, beside its manifest: components and golden vectors. Other files may lie there and are not read.
const ENDINGS: [&str; 2] = ["wasm", "jsonl"];

/// The folder or file at `path`.
pub(crate) fn fetch(path: &Path, rules: &Rules, source: String) -> Result<Fetched, FetchError> {
    if path.is_dir() {
        return folder(path, rules, source);
    }
    let bytes = read(path, rules.limits.archive)?;
    let signature = rules
        .key
        .as_ref()
        .map(|_| signature(path))
        .transpose()?
        .flatten();
    let digest = Digest::of(&bytes);
    let (files, signed) = Archive {
        bytes: bytes.into(),
        signature,
    }
    .open(rules)?;
    Ok(Fetched {
        files,
        digest,
        source,
        signed,
    })
}

fn folder(path: &Path, rules: &Rules, source: String) -> Result<Fetched, FetchError> {
    let manifest = path.join(MANIFEST);
    let text = plain(&manifest, MAX_MANIFEST)?;
    let signed = match &rules.key {
        // It lists the digests of the rest, which are checked when the bundle is put together.
        Some(key) => Some(key.verify(
            &text,
            &signature(&manifest)?.ok_or(SignatureError::Missing)?,
        )?),
        None => None,
    };
    let digest = Digest::of(&text);
    let mut files = vec![(MANIFEST.to_owned(), text)];
    let mut left = rules.limits.unpacked;
    for path in parts(path)? {
        if files.len() == rules.limits.files {
            return Err(ArchiveError::TooMany(rules.limits.files).into());
        }
        let bytes = plain(&path, left)?;
        left -= bytes.len();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.len() > rules.limits.name {
            return Err(ArchiveError::LongName(rules.limits.name).into());
        }
        files.push((name, bytes));
    }
    Ok(Fetched {
        files,
        digest,
        source,
        signed,
    })
}

/// The bundle in `path`, a folder, as one file.
///
/// # Errors
///
/// When it cannot be read, or has more than `limits` allow.
pub fn pack_folder(
    path: &Path,
    compression: Compression,
    limits: &Limits,
) -> Result<Vec<u8>, FetchError> {
    let rules = Rules {
        limits: *limits,
        ..Rules::default()
    };
    let folder = folder(path, &rules, String::new())?;
    let files = folder
        .files
        .iter()
        .map(|(name, bytes)| (name.as_str(), &bytes[..]));
    Ok(pack(files, compression)?)
}

/// The files of a bundle in `folder` other than the manifest, by name.
fn parts(folder: &Path) -> Result<Vec<PathBuf>, FetchError> {
    let failed = |cause| FetchError::Read {
        path: folder.to_owned(),
        cause,
    };
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
        {
            parts.push(path);
        }
    }
    parts.sort_unstable();
    Ok(parts)
}

/// A file that is not a link: those lead out of the folder.
fn plain(path: &Path, most: usize) -> Result<Vec<u8>, FetchError> {
    let kind = fs::symlink_metadata(path).map_err(|cause| FetchError::Read {
        path: path.to_owned(),
        cause,
    })?;
    if !kind.is_file() {
        return Err(FetchError::NotAFile(path.to_owned()));
    }
    read(path, most)
}

/// A file, wherever a link leads. Only the type decides before it is opened: a pipe would wait for ever.
pub(crate) fn read(path: &Path, most: usize) -> Result<Vec<u8>, FetchError> {
    let failed = |cause| FetchError::Read {
        path: path.to_owned(),
        cause,
    };
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(FetchError::NotAFile(path.to_owned()));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > most {
        return Err(FetchError::TooLarge {
            what: path.display().to_string(),
            most,
        });
    }
    Ok(bytes)
}

/// What the `.minisig` beside `path` holds.
fn signature(path: &Path) -> Result<Option<String>, FetchError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(ENDING);
    match read(Path::new(&beside), MAX_SIGNATURE) {
        Ok(bytes) => Ok(Some(
            String::from_utf8(bytes).map_err(|_| SignatureError::Malformed)?,
        )),
        Err(FetchError::Read { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

// === impl Archive ===

impl Archive {
    /// A bundle in one file, and what its `.minisig` holds.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn new(
        bytes: Bytes,
        signature: Option<String>,
        limits: &Limits,
    ) -> Result<Self, ArchiveError> {
        unpack(&bytes, limits)?;
        Ok(Self { bytes, signature })
    }

    /// The files and, with a key, the comment of the signature, which is checked first.
    pub(crate) fn open(&self, rules: &Rules) -> Result<(Files, Option<String>), FetchError> {
        let signed = match &rules.key {
            Some(key) => {
                let signature = self.signature.as_deref().ok_or(SignatureError::Missing)?;
                Some(key.verify(&self.bytes, signature)?)
            }
            None => None,
        };
        Ok((unpack(&self.bytes, &rules.limits)?, signed))
    }

    /// Reads a single file and the `.minisig` beside it, or packs a folder. A folder's own signature is of its manifest and does not
    /// come along: sign the packed file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is no bundle in one file.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self, FetchError> {
        if !path.is_dir() {
            let bytes = read(path, limits.archive)?;
            return Ok(Self::new(bytes.into(), signature(path)?, limits)?);
        }
        let packed = pack_folder(path, Compression::Zstd, limits)?;
        Ok(Self::new(packed.into(), None, limits)?)
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What its `.minisig` holds, unchecked.
    #[must_use]
    pub fn signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }
}
