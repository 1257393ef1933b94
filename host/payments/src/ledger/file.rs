//! The file: made once, recognised, locked, opened.
//!
//! A ledger is made under another name and renamed when it is whole, so there is never half a ledger under its own name. An
//! existing file is therefore a ledger, or it is refused as what it is; it is never replaced.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::LedgerError;
use super::schema::{self, APPLICATION, VERSION};

/// How SQLite files begin.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where `application_id` is in the header.
const APPLICATION_AT: usize = 68;

/// Bytes of a page: SQLite's default, and no other is ever set.
const PAGE: u64 = 4096;

/// Larger files are not read whole at every start. What is damaged in them shows when it is read.
const CHECKED: u64 = 256 << 20;

/// Whether writes are brought to the disk. Tests of crashes make their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disk {
    /// As always.
    Real,
    /// Nothing is synced.
    #[cfg(test)]
    Simulated,
}

/// An open file that no other process has.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    /// The write-ahead log, to be synced.
    pub(super) log: PathBuf,
    /// Held while it is open; the operating system lets go of it when the process dies.
    lock: File,
}

/// Opens the ledger at `path`, or makes one where there is no file.
pub(super) fn open(path: &Path, disk: Disk) -> Result<Opened, LedgerError> {
    let lock = lock(path)?;
    let log = beside(path, "-wal");
    match path.try_exists() {
        Err(error) => return Err(LedgerError::io(path, &error)),
        Ok(true) => recognise(path)?,
        Ok(false) if log.exists() => {
            return Err(LedgerError::Damaged {
                path: path.to_owned(),
                why: "its write-ahead log is there, the file itself is not".to_owned(),
            });
        }
        Ok(false) => make(path, disk, VERSION)?,
    }
    let connection = connect(path, disk).map_err(|error| LedgerError::sqlite(path, &error))?;
    check(path, &connection)?;
    Ok(Opened {
        connection,
        log,
        lock,
    })
}

/// `path` with something after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes a new ledger of a layout.
pub(super) fn make(path: &Path, disk: Disk, version: i64) -> Result<(), LedgerError> {
    let io = |error| LedgerError::io(path, &error);
    let part = beside(path, ".part");
    for suffix in ["", "-wal", "-journal"] {
        match std::fs::remove_file(beside(&part, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&part).map_err(io)?;
    write_empty(&part, disk, version).map_err(|error| LedgerError::sqlite(path, &error))?;
    if disk == Disk::Real {
        file.sync_all().map_err(io)?;
    }
    std::fs::rename(&part, path).map_err(io)?;
    if disk == Disk::Real {
        sync_folder(path).map_err(io)?;
    }
    Ok(())
}

fn write_empty(part: &Path, disk: Disk, version: i64) -> Result<(), rusqlite::Error> {
    let connection = connect(part, disk)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    schema::migrate(&connection, 0, version)?;
    connection.close().map_err(|(_, error)| error)
}

fn connect(path: &Path, disk: Disk) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // One connection for the file's whole time: no lock is given back, and no index of the log is shared with others.
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // Checkpoints are taken between payments, by the engine.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_prepared_statement_cache_capacity(32);
    let synchronous = match disk {
        Disk::Real => "full",
        #[cfg(test)]
        Disk::Simulated => "off",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(connection)
}

/// One holder at a time, across processes and within this one.
fn lock(path: &Path) -> Result<File, LedgerError> {
    let at = beside(path, ".lock");
    let io = |error| LedgerError::io(&at, &error);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&at).map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // Only for the message: a holder that is just starting has not written it yet.
            let pid = (&file).take(16).read_to_string(&mut pid).map(|_| pid);
            return Err(LedgerError::InUse {
                path: path.to_owned(),
                pid: pid.ok().and_then(|pid| pid.trim().parse().ok()),
            });
        }
        Err(TryLockError::Error(error)) => return Err(io(error)),
    }
    let pid = std::process::id();
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{pid}"));
    // The lock holds without the number, on a full disk too.
    drop(written);
    Ok(file)
}

/// Refuses what is not a ledger, before SQLite touches it.
fn recognise(path: &Path) -> Result<(), LedgerError> {
    let io = |error| LedgerError::io(path, &error);
    let mut header = Vec::new();
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    file.take(100).read_to_end(&mut header).map_err(io)?;
    let foreign = |why: String| LedgerError::Foreign {
        path: path.to_owned(),
        why,
    };
    let damaged = |why: &str| LedgerError::Damaged {
        path: path.to_owned(),
        why: why.to_owned(),
    };
    if header.is_empty() {
        return Err(damaged("it is empty"));
    }
    if !header.starts_with(MAGIC) {
        return Err(foreign("it is no SQLite database".to_owned()));
    }
    let found = header.get(APPLICATION_AT..APPLICATION_AT + 4);
    let found = found.and_then(|bytes| bytes.try_into().ok());
    match found.map(u32::from_be_bytes) {
        // With a log beside it, a power loss may have left the end to be written again.
        Some(APPLICATION) if length % PAGE != 0 && !beside(path, "-wal").exists() => {
            Err(damaged("its end is missing"))
        }
        Some(APPLICATION) => Ok(()),
        Some(found) => Err(foreign(format!(
            "it is a database of another application ({found:#010x})"
        ))),
        None => Err(damaged("it ends in its header")),
    }
}

/// Checks what was opened and brings it up to date.
fn check(path: &Path, connection: &Connection) -> Result<(), LedgerError> {
    let sqlite = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let found = schema::version(connection).map_err(sqlite)?;
    if found > VERSION {
        return Err(LedgerError::Newer {
            path: path.to_owned(),
            found,
            known: VERSION,
        });
    }
    let length = std::fs::metadata(path).map_or(0, |file| file.len());
    let verdict: String = match length <= CHECKED {
        true => connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(sqlite)?,
        false => "ok".to_owned(),
    };
    if found < 1 || verdict != "ok" {
        return Err(LedgerError::Damaged {
            path: path.to_owned(),
            why: match verdict.as_str() {
                "ok" => "it has no layout".to_owned(),
                _ => verdict,
            },
        });
    }
    if found < VERSION {
        tracing::info!(path = %path.display(), from = found, to = VERSION, "the ledger is brought up to this version's layout");
        schema::migrate(connection, found, VERSION).map_err(sqlite)?;
    }
    Ok(())
}

/// Makes a rename in the file's folder last.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

// === impl Opened ===

impl Opened {
    /// Closes the file, then lets go of it.
    pub(super) fn close(self) -> Result<(), rusqlite::Error> {
        let closed = self.connection.close().map_err(|(_, error)| error);
        drop(self.lock);
        closed
    }
}
