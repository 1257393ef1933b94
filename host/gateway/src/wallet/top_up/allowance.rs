//! What was moved today, on disk.
//!
//! A file that cannot be read or understood is an error and never an empty account: nothing is moved then. A clock that goes back begins no new day.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use pointsman_payments::U256;
use serde::{Deserialize, Serialize};

const DAY: u64 = 24 * 3600;

/// The account of a day.
#[derive(Debug)]
pub(super) struct Allowance {
    path: PathBuf,
    today: fn() -> u64,
}

/// Why it is not known, or not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum AllowanceError {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{} is no account of top-ups: mend it, or remove it to begin the day anew", .0.display())]
    Garbled(PathBuf),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    /// Days since 1970, UTC.
    day: u64,
    /// Moved in it, in wei.
    wei: String,
}

// === impl Allowance ===

impl Allowance {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, today }
    }

    /// Moved today, in wei.
    pub(super) fn used(&self) -> Result<U256, AllowanceError> {
        Ok(self.page()?.1)
    }

    /// Enters what is about to leave. On disk when it returns.
    pub(super) fn take(&self, wei: U256) -> Result<(), AllowanceError> {
        let (day, used) = self.page()?;
        self.write(day, used.saturating_add(wei))
    }

    /// Takes back what did not leave.
    pub(super) fn give_back(&self, wei: U256) -> Result<(), AllowanceError> {
        let (day, used) = self.page()?;
        self.write(day, used.saturating_sub(wei))
    }

    fn page(&self) -> Result<(u64, U256), AllowanceError> {
        let today = (self.today)();
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((today, U256::ZERO));
            }
            Err(error) => return Err(self.file(error)),
        };
        let garbled = || AllowanceError::Garbled(self.path.clone());
        let page: Page = serde_json::from_str(&text).map_err(|_| garbled())?;
        let wei = U256::from_str_radix(&page.wei, 10).map_err(|_| garbled())?;
        if page.wei.is_empty() {
            return Err(garbled());
        }
        match page.day < today {
            true => Ok((today, U256::ZERO)),
            false => Ok((page.day, wei)),
        }
    }

    fn write(&self, day: u64, wei: U256) -> Result<(), AllowanceError> {
        let page = Page {
            day,
            wei: wei.to_string(),
        };
        let text = serde_json::to_string(&page).map_err(|error| self.file(error.into()))?;
        replace(&self.path, text.as_bytes()).map_err(|error| self.file(error))
    }

    fn file(&self, error: io::Error) -> AllowanceError {
        AllowanceError::File {
            path: self.path.clone(),
            error,
        }
    }
}

/// Replaces a file as a whole, also when the power goes.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn today() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs() / DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance(folder: &Path, today: fn() -> u64) -> Allowance {
        Allowance {
            path: folder.join("top-up.json"),
            today,
        }
    }

    fn used(folder: &Path, today: fn() -> u64) -> u64 {
        allowance(folder, today).used().expect("known").to()
    }

    #[test]
    fn a_day_is_remembered_and_the_next_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        assert_eq!(used(folder, || 7), 0);
        let take = |wei: u64, today| {
            allowance(folder, today)
                .take(U256::from(wei))
                .expect("kept");
        };
        take(5, || 7);
        take(6, || 7);
        allowance(folder, || 7)
            .give_back(U256::from(1))
            .expect("kept");
        assert_eq!(used(folder, || 7), 10, "also by another process");
        assert_eq!(used(folder, || 6), 10, "a clock that went back");
        assert_eq!(used(folder, || 8), 0);
        take(3, || 8);
        assert_eq!(used(folder, || 8), 3);
    }

    #[test]
    fn what_cannot_be_read_is_not_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("top-up.json");
        for text in [
            "",
            "{",
            "{\"day\":7}",
            "{\"day\":7,\"wei\":\"-1\"}",
            "{\"day\":7,\"wei\":\"\"}",
            "{\"day\":7,\"wei\":\"1\",\"more\":1}",
        ] {
            fs::write(&path, text).expect("a file");
            let error = allowance(folder.path(), || 7).used().expect_err(text);
            assert!(
                error.to_string().contains("no account of top-ups"),
                "{error}"
            );
        }
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("a folder in its place");
        allowance(folder.path(), || 7)
            .take(U256::ONE)
            .expect_err("no file");
    }
}
