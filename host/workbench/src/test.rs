//! `policy test`: the author's tests natively, and the same questions to the compiled component.
//!
//! # Contract
//!
//! Tests are written once, in Rust, against the sdk's `testing`. `cargo test` runs them; every question they ask is written down with its
//! answer by the sdk, and then the component of the same source is asked the same. The two answers must be the same to the bit:
//! the compiler, the componentiser and the sandbox have changed nothing. A bundle without a source is asked its golden vectors.
//!
//! That `cargo test` takes over from the component's build what runs while compiling, so that macros are compiled once and not twice.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pointsman_bundler::VECTORS;
use pointsman_policy::vectors::Vectors;
use serde::Serialize;

use crate::Error;
use crate::check::put;
use crate::open::{Opened, Origin};

/// Where the sdk writes its questions.
const VARIABLE: &str = "POINTSMAN_VECTORS";

/// How to test.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Keep the questions as the golden vectors of the source.
    pub record: bool,
    /// Do not let cargo use the network.
    pub offline: bool,
    /// Do not print what cargo says.
    pub quiet: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Tested {
    /// Whether all went well.
    pub ok: bool,
    /// Crates whose tests ran natively.
    pub crates: Vec<Native>,
    /// Questions that the components were asked.
    pub questions: usize,
    /// Those answered to the bit as natively or as recorded.
    pub alike: usize,
    /// The others, in words.
    pub problems: Vec<String>,
    /// Where the questions were kept.
    pub recorded: Option<PathBuf>,
}

/// Tests of one crate.
#[derive(Clone, Debug, Serialize)]
pub struct Native {
    /// Its folder.
    pub folder: PathBuf,
    /// Whether all of them passed.
    pub passed: bool,
}

/// Most problems told.
const TOLD: usize = 10;

/// Tests `opened`.
///
/// # Errors
///
/// When cargo cannot be started, or a component cannot be asked at all. Tests that fail are no error.
pub fn test(opened: &Opened, options: Options) -> Result<Tested, Error> {
    let written = tempfile::tempdir();
    let written = written.map_err(Error::io("make a folder in", &std::env::temp_dir()))?;
    let folders: BTreeSet<&PathBuf> = opened
        .origin
        .crates()
        .iter()
        .map(|(_, folder)| folder)
        .collect();
    let crates = folders
        .into_iter()
        .map(|folder| native(folder, written.path(), options))
        .collect::<Result<Vec<_>, _>>()?;
    let asked = collect(written.path())?;
    let golden = if options.record {
        None
    } else {
        opened.vectors.as_deref()
    };
    let vectors = Vectors::parse(&join(&asked, golden.unwrap_or_default()))?;
    let outcome = put(&vectors, opened)?;

    let mut problems: Vec<String> = crates
        .iter()
        .filter(|native| !native.passed)
        .map(|native| format!("tests fail in {}", native.folder.display()))
        .collect();
    problems.extend(outcome.strangers.iter().map(|(policy, count)| {
        format!("{count} questions are about {policy}, which is in no stage of the bundle")
    }));
    let misses = outcome.misses.len();
    let told = outcome.misses.iter().take(TOLD).map(ToString::to_string);
    problems.extend(told);
    if misses > TOLD {
        problems.push(format!("and {} more", misses - TOLD));
    }
    let ok = problems.is_empty();
    let recorded = match &opened.origin {
        Origin::Source { dir, .. } if options.record && ok => {
            let path = dir.join(VECTORS);
            fs::write(&path, &asked).map_err(Error::io("write", &path))?;
            Some(path)
        }
        _ => None,
    };
    Ok(Tested {
        ok,
        crates,
        questions: outcome.alike + misses,
        alike: outcome.alike,
        problems,
        recorded,
    })
}

fn native(folder: &Path, written: &Path, options: Options) -> Result<Native, Error> {
    let program = pointsman_bundler::Options::default().cargo;
    let mut cargo = Command::new(&program);
    cargo
        .arg("test")
        .current_dir(folder)
        // Absolute: each test program runs in a folder of its own.
        .env(VARIABLE, written);
    pointsman_bundler::for_tests(&mut cargo, folder);
    if options.offline {
        cargo.env("CARGO_NET_OFFLINE", "true");
    }
    if options.quiet {
        cargo.stdout(Stdio::null()).stderr(Stdio::null());
    }
    let status = cargo.status().map_err(|cause| Error::NoCargo {
        program: program.clone(),
        cause,
    })?;
    Ok(Native {
        folder: folder.to_owned(),
        passed: status.success(),
    })
}

/// Every question that was written, each once, in an order that is always the same.
fn collect(written: &Path) -> Result<String, Error> {
    let entries = fs::read_dir(written).map_err(Error::io("read", written))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort_unstable();
    let mut lines = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(Error::io("read", &file))?;
        lines.extend(text.lines().map(str::to_owned));
    }
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}

/// Both files, a line that is in both once.
fn join(one: &str, other: &str) -> String {
    let lines: BTreeSet<&str> = one.lines().chain(other.lines()).collect();
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

// === impl Tested ===

impl fmt::Display for Tested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for native in &self.crates {
            let passed = if native.passed { "pass" } else { "fail" };
            writeln!(
                f,
                "natively: the tests of {} {passed}",
                native.folder.display()
            )?;
        }
        match self.questions {
            0 => writeln!(
                f,
                "component: nothing was asked; tests that use pointsman_sdk::testing ask"
            )?,
            count => writeln!(
                f,
                "component: {} of {count} questions answered to the bit as natively",
                self.alike
            )?,
        }
        for problem in &self.problems {
            writeln!(f, "wrong: {problem}")?;
        }
        if let Some(path) = &self.recorded {
            writeln!(f, "recorded as golden vectors in {}", path.display())?;
        }
        f.write_str(if self.ok { "ok" } else { "not ok" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_collected_once_and_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("b.jsonl"), "3\n1\n").expect("written");
        fs::write(folder.path().join("a.jsonl"), "2\n1\n").expect("written");
        let asked = collect(folder.path()).expect("read");
        assert_eq!(asked, "1\n2\n3\n");
        assert_eq!(join(&asked, "3\n4\n"), "1\n2\n3\n4\n");
    }
}
