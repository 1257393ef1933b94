//! The files: where they lie, when the next one begins, and which ones go.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How recordings' names end: they are zstd files, which `zstd -dc` reads.
pub(crate) const SUFFIX: &str = ".decisions.zst";

/// Level of compression: 3 is where zstd gets slow for what it saves.
const LEVEL: i32 = 3;

/// Bounds of a folder of recordings.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most bytes of all files together.
    pub bytes: u64,
    /// How old a file may get.
    pub age: Duration,
    /// Most bytes of one file; a quarter of `bytes` if that is less.
    pub file_bytes: u64,
    /// How long one file is written to.
    pub file_age: Duration,
}

/// The folder, and the file that is written to.
pub(crate) struct Files {
    folder: PathBuf,
    bounds: Bounds,
    current: Option<Current>,
    serial: u32,
}

struct Current {
    file: File,
    path: PathBuf,
    begun: SystemTime,
    bytes: u64,
}

// === impl Bounds ===

impl Default for Bounds {
    fn default() -> Self {
        Self {
            bytes: 512 << 20,
            age: Duration::from_secs(7 * 24 * 3600),
            file_bytes: 32 << 20,
            file_age: Duration::from_secs(3600),
        }
    }
}

impl Bounds {
    fn file_bytes(&self) -> u64 {
        self.file_bytes.min(self.bytes / 4).max(1)
    }
}

// === impl Files ===

impl Files {
    /// The recordings in `folder`, which is made if it is not there.
    pub(crate) fn open(folder: &Path, bounds: Bounds) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut files = Self {
            folder: folder.to_owned(),
            bounds,
            current: None,
            serial: 0,
        };
        files.prune();
        Ok(files)
    }

    /// Whether the next records need a file of their own.
    pub(crate) fn needs_new(&self) -> bool {
        self.current.as_ref().is_none_or(|current| {
            let age = current.begun.elapsed().unwrap_or_default();
            current.bytes >= self.bounds.file_bytes() || age >= self.bounds.file_age
        })
    }

    /// Begins a file.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        self.current = None;
        self.prune();
        let begun = SystemTime::now();
        let since = begun.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (file, path) = loop {
            let name = format!("{:013}-{:04}{SUFFIX}", since.as_millis(), self.serial);
            self.serial += 1;
            let path = self.folder.join(name);
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => break (file, path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        };
        self.current = Some(Current {
            file,
            path,
            begun,
            bytes: 0,
        });
        Ok(())
    }

    /// Adds whole records to the current file, as a frame of their own, and says how many bytes that took.
    pub(crate) fn append(&mut self, records: &[u8]) -> io::Result<u64> {
        let frame = compress(records)?;
        let Some(current) = &mut self.current else {
            return Err(io::Error::other("no file was begun"));
        };
        // One call: what a crash leaves is a frame that is whole, or one that is cut off and not read.
        current.file.write_all(&frame)?;
        current.bytes += frame.len() as u64;
        Ok(frame.len() as u64)
    }

    /// Nothing more goes into the current file.
    pub(crate) fn close(&mut self) {
        if let Some(current) = self.current.take()
            && let Err(error) = current.file.sync_all()
        {
            tracing::debug!(%error, file = %current.path.display(), "a recording may not survive a power cut");
        }
    }

    /// Removes what is too old or too much, the oldest first. Room is left for one more file.
    pub(crate) fn prune(&mut self) {
        let current = self.current.as_ref().map(|current| current.path.clone());
        let mut files = match list(&self.folder) {
            Ok(files) => files,
            Err(error) => {
                tracing::warn!(%error, folder = %self.folder.display(), "recordings cannot be listed");
                return;
            }
        };
        files.retain(|file| Some(file) != current.as_ref());
        let room = self.bounds.bytes - self.bounds.file_bytes().min(self.bounds.bytes);
        let sizes = files.iter().map(fs::metadata);
        let known: Vec<_> = files.iter().zip(sizes).collect();
        let mut total: u64 = known
            .iter()
            .filter_map(|(_, data)| Some(data.as_ref().ok()?.len()))
            .sum();
        for (file, data) in known {
            let Ok(data) = data else { continue };
            let written = data.modified().unwrap_or(UNIX_EPOCH);
            let old = written.elapsed().is_ok_and(|age| age > self.bounds.age);
            if !old && total <= room {
                continue;
            }
            match fs::remove_file(file) {
                Ok(()) => total -= data.len(),
                Err(error) => {
                    tracing::warn!(%error, file = %file.display(), "a recording cannot be removed");
                }
            }
        }
    }
}

/// Records as a frame with a checksum.
pub(crate) fn compress(records: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.write_all(records)?;
    encoder.finish()
}

/// The recordings in `folder`, oldest first.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.ends_with(SUFFIX)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(bytes: u64) -> Bounds {
        Bounds {
            bytes,
            ..Bounds::default()
        }
    }

    fn noise(seed: u64, bytes: usize) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(99);
            (state >> 56) as u8
        };
        (0..bytes).map(|_| next()).collect()
    }

    fn total(folder: &Path) -> u64 {
        let files = list(folder).expect("a folder");
        let size = |file: &PathBuf| fs::metadata(file).expect("there").len();
        files.iter().map(size).sum()
    }

    #[test]
    fn the_folder_never_outgrows_its_bound_and_the_oldest_go_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let other = folder.path().join("notes.txt");
        fs::write(&other, [0; 100_000]).expect("written");
        let mut files = Files::open(folder.path(), bounds(40_000)).expect("opened");
        let mut first = None;
        for seed in 0..100 {
            if files.needs_new() {
                files.begin().expect("begun");
                first = first.or_else(|| list(folder.path()).expect("a folder").pop());
            }
            files.append(&noise(seed, 1000)).expect("written");
            assert!(
                total(folder.path()) <= 40_000 + 1100,
                "{}",
                total(folder.path())
            );
        }
        assert!(total(folder.path()) > 20_000);
        assert!(!first.expect("the first file").exists());
        assert!(other.exists(), "what is no recording stays");
    }

    #[test]
    fn old_files_go_and_a_restart_begins_a_new_one() {
        let folder = tempfile::tempdir().expect("a folder");
        for expected in 1..=3 {
            let mut files = Files::open(folder.path(), bounds(1 << 20)).expect("opened");
            files.begin().expect("begun");
            files.append(b"records").expect("written");
            files.close();
            assert_eq!(list(folder.path()).expect("a folder").len(), expected);
        }
        let strict = Bounds {
            age: Duration::ZERO,
            ..bounds(1 << 20)
        };
        let past = SystemTime::now() - Duration::from_secs(10);
        for file in list(folder.path()).expect("a folder") {
            let file = File::options().append(true).open(file).expect("there");
            file.set_modified(past).expect("set");
        }
        Files::open(folder.path(), strict).expect("opened");
        assert!(list(folder.path()).expect("a folder").is_empty());
    }
}
