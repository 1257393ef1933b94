//! Recordings as decisions. Files are strangers: they may be cut off, damaged or made up, and must cost no more memory than the caps below.

mod decoder;
mod frames;
mod rows;

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::{Job, Symbol};
use pointsman_policy::AttemptRecord;

use crate::verdict::Verdict;
use decoder::Decoder;
use frames::Frames;

pub use rows::Rows;

/// Most bytes of records in a frame: one decision over [`MAX_ROWS`] candidates, and then some.
pub(crate) const MAX_FRAME: u64 = 64 << 20;
/// Most candidates.
pub(crate) const MAX_ROWS: usize = 1 << 17;
/// Most texts in a file.
pub(crate) const MAX_TEXTS: usize = 1 << 15;
/// Longest text, bytes.
pub(crate) const MAX_TEXT: usize = 4 << 10;
/// Most columns in a file.
pub(crate) const MAX_COLUMNS: usize = 1 << 12;
/// Most bytes of column values at once.
pub(crate) const MAX_HELD: usize = 512 << 20;

/// A recorded decision: all that went in, all that came out, and what became of it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its number in the process that decided.
    pub id: u64,
    /// The job, with every fact there was.
    pub job: Job,
    /// The candidates, with every column there was.
    pub candidates: Rows,
    /// The generation that was asked.
    pub policy: Arc<Policy>,
    /// Whether a candidate of unknown price passed under a hard ceiling.
    pub unpriced_passes: bool,
    /// How long deciding took.
    pub took: Duration,
    /// Fuel of all stages together.
    pub fuel: u64,
    /// What was decided.
    pub verdict: Verdict,
    /// The attempts that followed, oldest first.
    pub attempts: Vec<AttemptRecord>,
    /// Where orchestrators are asked.
    pub addresses: Addresses,
    /// Bytes that it holds and the decision before it did not.
    pub(crate) fresh: usize,
}

/// A generation, as decisions name it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Policy {
    /// Its number in the process that decided.
    pub generation: u64,
    /// The bundle's name.
    pub name: String,
    /// The bundle's version.
    pub version: String,
    /// The bundle's digest, 64 hexadecimal digits.
    pub digest: String,
}

/// Where orchestrators are asked, by identity.
#[derive(Clone, Debug, Default)]
pub struct Addresses(Arc<HashMap<u64, Arc<str>>>);

/// Reads the decisions of recordings, file after file.
pub struct Reader {
    files: VecDeque<PathBuf>,
    open: Option<Open>,
    remarks: Vec<Remark>,
}

/// A file that is being read.
struct Open {
    path: PathBuf,
    frames: Frames<File>,
    decoder: Decoder,
    /// The frame at hand, and how far it was read.
    records: Vec<u8>,
    place: usize,
}

/// A file that could not be read to its end. What came before is good.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Remark {
    /// Which file.
    pub file: PathBuf,
    /// What is the matter, for people.
    pub message: String,
    /// Whether it was only cut off, as by a crash or a file that is still written to.
    pub cut_off: bool,
}

/// How a file ends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ending {
    Whole,
    CutOff,
    Damaged(String),
}

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A path cannot be looked at.
    #[error("cannot read {}: {cause}", path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A folder without recordings.
    #[error("{} has no recordings (files that end in {suffix}): decisions are recorded in the data directory's decisions/ while the gateway runs with --record on", path.display(), suffix = crate::write::files::SUFFIX)]
    Nothing {
        /// Which.
        path: PathBuf,
    },
}

// === impl Addresses ===

impl Addresses {
    /// Where `id` is asked, if the recording says.
    #[must_use]
    pub fn get(&self, id: Symbol) -> Option<&str> {
        self.0.get(&id.0).map(|address| &**address)
    }
}

// === impl Reader ===

impl Reader {
    /// Reads `paths`: files, and folders of recordings, oldest file first in each.
    ///
    /// # Errors
    ///
    /// [`ReadError`], when a path is not there or a folder has no recordings.
    pub fn open(paths: &[PathBuf]) -> Result<Self, ReadError> {
        let mut files = VecDeque::new();
        for path in paths {
            files.extend(found(path)?);
        }
        Ok(Self {
            files,
            open: None,
            remarks: Vec::new(),
        })
    }

    /// Files that could not be read to their end, so far.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The next decision of the open file; `None` at its end.
    fn of_file(&mut self) -> Option<Recorded> {
        let open = self.open.as_mut()?;
        loop {
            if open.place == open.records.len() {
                match open.frames.next() {
                    Some(records) => (open.records, open.place) = (records, 0),
                    None => break,
                }
                continue;
            }
            let Some((record, rest)) = frames::record(&open.records[open.place..]) else {
                let why = "a record goes beyond its frame".to_owned();
                open.frames.ending = Some(Ending::Damaged(why));
                break;
            };
            open.place = open.records.len() - rest.len();
            match open.decoder.record(record) {
                Ok(Some(recorded)) => return Some(recorded),
                Ok(None) => {}
                Err(wrong) => {
                    open.frames.ending = Some(Ending::Damaged(wrong.to_string()));
                    break;
                }
            }
        }
        let (message, cut_off) = match open.frames.ending.take()? {
            Ending::Whole => return None,
            Ending::CutOff => (
                "the last frame is not whole: it is still written to, or its writer was interrupted".to_owned(),
                true,
            ),
            Ending::Damaged(why) => (why, false),
        };
        self.remarks.push(Remark {
            file: open.path.clone(),
            message,
            cut_off,
        });
        None
    }

    fn next_file(&mut self) -> bool {
        let Some(path) = self.files.pop_front() else {
            return false;
        };
        match File::open(&path) {
            Ok(file) => {
                self.open = Some(Open {
                    path,
                    frames: Frames::new(file),
                    decoder: Decoder::default(),
                    records: Vec::new(),
                    place: 0,
                });
            }
            // Its writer may have removed it, being too old, since it was listed.
            Err(error) => self.remarks.push(Remark {
                file: path,
                message: error.to_string(),
                cut_off: false,
            }),
        }
        true
    }
}

impl Iterator for Reader {
    type Item = Recorded;

    fn next(&mut self) -> Option<Recorded> {
        loop {
            if let Some(recorded) = self.of_file() {
                return Some(recorded);
            }
            self.open = None;
            if !self.next_file() {
                return None;
            }
        }
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

fn found(path: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let unreadable = |cause| ReadError::Path {
        path: path.to_owned(),
        cause,
    };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let files = crate::write::files::list(path).map_err(unreadable)?;
    if files.is_empty() {
        return Err(ReadError::Nothing {
            path: path.to_owned(),
        });
    }
    Ok(files)
}
