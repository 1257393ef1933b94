//! Compiled policies survive a restart, and only those that this gateway compiled.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pointsman_policy::{Bundle, Config, Host};
use support::{Made, Rows, activate, config, job};

fn start(folder: &Path, most: u64) -> Host {
    let config = Config {
        cache: Some(folder.to_owned()),
        cache_bytes: most,
        ..config()
    };
    Host::new(config, None).expect("an engine")
}

fn bundle(guest: &str) -> Bundle {
    Made::new("reject").select(guest, "").bundle()
}

/// The files, with what they hold.
fn kept(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).expect("a file");
        (path, bytes)
    };
    let mut files: Vec<_> = paths.map(read).collect();
    files.sort();
    files
}

#[track_caller]
fn ranks(host: &Host) {
    let selection = host.select(job(1), &Rows::slower(4));
    assert_eq!(selection.order(), [3, 2, 1, 0]);
}

#[test]
fn what_was_compiled_is_kept_privately_and_used_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("data/compiled");
    activate(&start(&folder, u64::MAX), &bundle("score-latency"));
    let first = kept(&folder);
    assert_eq!(first.len(), 1);
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&first[0].0)), (0o700, 0o600));

    let again = start(&folder, u64::MAX);
    activate(&again, &bundle("score-latency"));
    ranks(&again);
    assert_eq!(kept(&folder), first, "read, and not written anew");
}

/// Whatever a file has been made into: the policy loads, and the file is a good one again.
#[track_caller]
fn is_replaced(spoil: impl FnOnce(&Path, Vec<u8>)) {
    let folder = tempfile::tempdir().expect("a folder");
    activate(&start(folder.path(), u64::MAX), &bundle("score-latency"));
    let good = kept(folder.path());
    let (path, bytes) = good[0].clone();
    spoil(&path, bytes);
    let host = start(folder.path(), u64::MAX);
    activate(&host, &bundle("score-latency"));
    ranks(&host);
    let now = kept(folder.path());
    assert_eq!(now.len(), 1);
    assert_eq!(now[0].0, path);
    let mode = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    activate(&start(folder.path(), u64::MAX), &bundle("score-latency"));
    assert_eq!(kept(folder.path()), now, "it is used now");
}

#[test]
fn a_changed_byte() {
    is_replaced(|path, mut bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).expect("written");
    });
}

#[test]
fn a_file_cut_short() {
    is_replaced(|path, bytes| fs::write(path, &bytes[..50]).expect("written"));
    is_replaced(|path, bytes| fs::write(path, &bytes[..bytes.len() - 1]).expect("written"));
}

#[test]
fn code_of_another_component() {
    is_replaced(|path, _| {
        let folder = path.parent().expect("in a folder");
        activate(&start(folder, u64::MAX), &bundle("abstain"));
        let files = kept(folder);
        let other = files.iter().find(|(other, _)| other != path);
        let (other, bytes) = other.expect("the second");
        fs::write(path, bytes).expect("written");
        fs::remove_file(other).expect("removed");
    });
}

#[test]
fn a_file_that_others_can_write() {
    is_replaced(|path, _| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).expect("set");
    });
}

#[test]
fn a_link() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    is_replaced(|path, bytes| {
        let target = elsewhere.path().join("code");
        fs::write(&target, bytes).expect("written");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).expect("set");
        fs::remove_file(path).expect("removed");
        std::os::unix::fs::symlink(&target, path).expect("linked");
    });
}

#[test]
fn the_oldest_make_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = {
        activate(&start(folder.path(), u64::MAX), &bundle("abstain"));
        kept(folder.path())
    };
    let bytes = one[0].1.len() as u64;
    // File systems tell times apart by some ms only.
    let opened = fs::File::options().write(true).open(&one[0].0);
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    opened
        .and_then(|file| file.set_modified(long_ago))
        .expect("set");
    let host = start(folder.path(), bytes * 5 / 2);
    for guest in ["hedge", "score-latency", "exclude-slow"] {
        activate(&host, &bundle(guest));
    }
    let now = kept(folder.path());
    let held: usize = now.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(held as u64 <= bytes * 5 / 2, "{held} of {bytes} each");
    assert!(!now.contains(&one[0]), "the oldest went");
}

#[test]
fn a_folder_that_cannot_be_made_stops_nothing() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let host = start(&file.path().join("beneath"), u64::MAX);
    activate(&host, &bundle("score-latency"));
    ranks(&host);
}
