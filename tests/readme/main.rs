//! README keeps its word: its commands run, in its order, and its policy is the example's.
//!
//! Commands are those of the fenced `sh` blocks, a line each. Those that run until they are stopped are left running, as a reader's other
//! terminals would. So that the machine's own gateway is left alone, README's ports are exchanged for free ones and the data
//! directory for a temporary one; nothing else is changed. `make` is only checked to know the target: CI runs it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod demo;
mod shell;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use shell::Shell;

/// The top of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// What streams do here takes its share of the machine, in real time: one test after the other.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The contents of README's fenced blocks in `language`.
fn blocks(language: &str) -> Vec<String> {
    let readme = read("README.md");
    let fence = format!("```{language}\n");
    let blocks = readme.split(&fence).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_command_does_what_it_is_there_for() {
    let _alone = alone();
    let makefile = read("Makefile");
    let blocks = blocks("sh");
    let commands = blocks
        .iter()
        .flat_map(|block| block.lines())
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut shell = Shell::new(&root());
    let mut ran = 0;
    for command in commands {
        if let Some(rest) = command.strip_prefix("make ") {
            let target = rest.split_whitespace().next().unwrap();
            assert!(
                makefile
                    .lines()
                    .any(|line| line.starts_with(&format!("{target}:"))),
                "make {target}: no such target"
            );
        } else {
            shell.run(command);
            ran += 1;
        }
    }
    assert!(ran > 8, "{ran} commands found");
    shell.all_still_run();
}

#[test]
fn the_policy_is_the_example() {
    let example = read("examples/prefer-cheapest/src/lib.rs");
    let policy = example.split("#[cfg(test)]").next().unwrap();
    let shown = blocks("rust");
    assert!(
        shown.iter().any(|block| block.trim() == policy.trim()),
        "README shows another policy than examples/prefer-cheapest"
    );
}

#[test]
fn every_link_leads_somewhere() {
    let readme = read("README.md");
    let targets = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let missing: Vec<_> = targets
        .filter(|target| !target.contains("://") && !root().join(target).exists())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
