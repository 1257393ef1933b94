//! A bundle as one file: a tar of plain files, compressed with zstd or not.
//!
//! # Contract
//!
//! [`unpack`] believes nothing that the archive says of itself: sizes are counted while bytes come out of the decompressor, which stops at
//! the cap, so that a small file that claims or makes gigabytes costs no more than the cap. Only plain files at the top of the archive are
//! taken; links, devices, folders, sparse files and names that lead anywhere are refused, not skipped: two readers of one archive must not
//! see two bundles. For the same reason nothing may follow the end of the tar. Nothing is written to disk.
//!
//! [`pack`] makes the same bytes of the same files, whoever packs and when: the digest of an archive can be compared between machines.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::path::Path;
use std::rc::Rc;

use tar::{Archive, Builder, EntryType, Header};

use crate::{Files, Limits};

const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const GZIP: &[u8] = &[0x1f, 0x8b];

/// zstd's own default is 3; a bundle is packed once and fetched often, and is small.
const LEVEL: i32 = 19;

/// Whether an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// A plain tar.
    None,
    /// A tar compressed with zstd.
    Zstd,
}

/// A file is no bundle in one file.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file is larger than is read.
    #[error("the bundle's file is over {0} bytes")]
    TooLarge(usize),
    /// What comes out is larger than is taken: a bomb, or a limit set too low.
    #[error("the bundle unpacks to more than {0} bytes")]
    Bomb(usize),
    /// Too many files.
    #[error("the bundle has more than {0} files")]
    TooMany(usize),
    /// A name that is too long.
    #[error("a file in the bundle has a name of over {0} bytes")]
    LongName(usize),
    /// A name that is not a plain one.
    #[error(
        "{0:?} in the bundle is no plain file name: files are at its top, without folders. {HOW}"
    )]
    Name(String),
    /// A link, a folder, a device.
    #[error("{0:?} in the bundle is no plain file. {HOW}")]
    Kind(String),
    /// The same name twice.
    #[error("{0:?} is in the bundle twice")]
    Twice(String),
    /// Compressed with something else.
    #[error(
        "the bundle's file is compressed with gzip, which is not read: compress it with zstd, or not at all"
    )]
    Gzip,
    /// No tar, or one that ends early.
    #[error("the bundle's file is no whole tar, compressed with zstd or not: {0}. {HOW}")]
    Broken(String),
    /// Nothing in it.
    #[error("the bundle's file is empty. {HOW}")]
    Empty,
    /// It could not be written.
    #[error("the bundle cannot be packed: {0}")]
    Pack(io::Error),
}

const HOW: &str = "Make it with `pointsman policy build --pack FILE`, or `tar -C DIR -cf - bundle.toml *.wasm | zstd`";

/// Counts what is read and stops at a cap.
struct Capped<R> {
    inner: R,
    left: u64,
    /// Told apart from errors of the reader inside, whatever wraps them.
    over: Rc<Cell<bool>>,
}

/// The files in `archive`, by name, in its order.
///
/// # Errors
///
/// [`ArchiveError`], which says how to make one that is read.
pub fn unpack(archive: &[u8], limits: &Limits) -> Result<Files, ArchiveError> {
    if archive.len() > limits.archive {
        return Err(ArchiveError::TooLarge(limits.archive));
    }
    if archive.is_empty() {
        return Err(ArchiveError::Empty);
    }
    if archive.starts_with(GZIP) {
        return Err(ArchiveError::Gzip);
    }
    if !archive.starts_with(ZSTD) {
        return untar(archive, limits);
    }
    let mut plain = zstd::Decoder::with_buffer(archive)
        .map_err(|error| ArchiveError::Broken(error.to_string()))?;
    // A frame asks for memory by its window; none of use is larger than what may come out. 8 MiB is what everybody must take.
    let window = limits.unpacked.max(1).ilog2() + 1;
    plain
        .window_log_max(window.clamp(23, 27))
        .map_err(|error| ArchiveError::Broken(error.to_string()))?;
    untar(plain, limits)
}

fn untar(reader: impl Read, limits: &Limits) -> Result<Files, ArchiveError> {
    let over = Rc::new(Cell::new(false));
    let capped = Capped {
        inner: reader,
        left: limits.unpacked as u64,
        over: Rc::clone(&over),
    };
    let broken = |error: io::Error| match over.get() {
        true => ArchiveError::Bomb(limits.unpacked),
        false => ArchiveError::Broken(error.to_string()),
    };
    let mut files = Files::new();
    let mut archive = Archive::new(capped);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path_bytes().into_owned();
        let kind = entry.header().entry_type();
        if kind == EntryType::Directory && matches!(&path[..], b"." | b"./") {
            continue;
        }
        let name = name(&path, kind, limits)?;
        if files.len() == limits.files {
            return Err(ArchiveError::TooMany(limits.files));
        }
        if files.iter().any(|(other, _)| *other == name) {
            return Err(ArchiveError::Twice(name));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() as u64 != entry.size() {
            return Err(ArchiveError::Broken(format!("it ends within {name}")));
        }
        files.push((name, bytes));
    }
    drain(archive.into_inner()).map_err(broken)?;
    if files.is_empty() {
        return Err(ArchiveError::Empty);
    }
    Ok(files)
}

/// A plain file's name, without a leading `./`.
fn name(path: &[u8], kind: EntryType, limits: &Limits) -> Result<String, ArchiveError> {
    if path.len() > limits.name {
        return Err(ArchiveError::LongName(limits.name));
    }
    let shown = || String::from_utf8_lossy(path).into_owned();
    if kind != EntryType::Regular {
        return Err(ArchiveError::Kind(shown()));
    }
    let name = path.strip_prefix(b"./").unwrap_or(path);
    let name = std::str::from_utf8(name).map_err(|_| ArchiveError::Name(shown()))?;
    if !is_plain(name) {
        return Err(ArchiveError::Name(shown()));
    }
    Ok(name.to_owned())
}

fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && !name.contains(['/', '\\', ':'])
        && !name.chars().any(char::is_control)
}

/// Reads to the end: a torn compressed stream shows itself only there.
fn drain(mut rest: impl Read) -> io::Result<()> {
    let mut block = [0; 8192];
    loop {
        let read = match rest.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if block[..read].iter().any(|&byte| byte != 0) {
            return Err(io::Error::other("something follows its end"));
        }
    }
}

/// An archive of `files`, name and contents; sorted by name.
///
/// # Errors
///
/// [`ArchiveError`] when [`unpack`] would not read it with the usual limits.
pub fn pack<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    compression: Compression,
) -> Result<Vec<u8>, ArchiveError> {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut archive = Builder::new(Vec::new());
    for (name, bytes) in files {
        if !is_plain(name) {
            return Err(ArchiveError::Name(name.to_owned()));
        }
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive
            .append_data(&mut header, Path::new(name), bytes)
            .map_err(ArchiveError::Pack)?;
    }
    let tar = archive.into_inner().map_err(ArchiveError::Pack)?;
    let packed = match compression {
        Compression::None => tar,
        Compression::Zstd => compress(&tar).map_err(ArchiveError::Pack)?,
    };
    unpack(&packed, &Limits::default())?;
    Ok(packed)
}

fn compress(tar: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(tar.len() as u64))?;
    encoder.write_all(tar)?;
    encoder.finish()
}

// === impl Compression ===

impl Compression {
    /// What an archive is compressed with, by its first bytes.
    #[must_use]
    pub fn of(archive: &[u8]) -> Self {
        match archive.starts_with(ZSTD) {
            true => Self::Zstd,
            false => Self::None,
        }
    }
}

// === impl Capped ===

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => {
                self.over.set(true);
                return Err(io::Error::other("over the cap"));
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
#[path = "tests/archive.rs"]
mod tests;
