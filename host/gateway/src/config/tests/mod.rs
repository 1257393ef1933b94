//! The configuration from outside: command lines, variables and files in, settings or messages out.

mod examples;
mod hostile;
mod messages;
mod paid;
mod precedence;
mod prices;
mod registry;
mod signer;
mod wallet;

use std::path::PathBuf;

use tempfile::TempDir;

use crate::cli::{self, Command, Error};

use super::Settings;

/// A home without a gateway in it.
const HOME: &str = "/nonexistent/home";

/// `pointsman run WORDS` with these variables.
pub(super) fn run(words: &str, variables: &[(&str, &str)]) -> Result<Settings, Error> {
    let words = ["pointsman", "run"]
        .into_iter()
        .chain(words.split_whitespace());
    let variables = [("HOME", HOME)].iter().chain(variables);
    let command = cli::parse(
        words.map(Into::into),
        variables.map(|(name, value)| (name.into(), value.into())),
    )?;
    match command {
        Command::Run(settings) => Ok(*settings),
        other => panic!("{other:?} is not run"),
    }
}

pub(super) fn settings(words: &str, variables: &[(&str, &str)]) -> Settings {
    run(words, variables).unwrap_or_else(|error| panic!("{words} {variables:?}: {error}"))
}

/// The problems, a line each.
pub(super) fn problems(words: &str, variables: &[(&str, &str)]) -> Vec<String> {
    match run(words, variables) {
        Err(Error::Settings(problems)) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("{words} {variables:?}: {other:?}"),
    }
}

/// A folder with one file in it.
pub(super) fn file(name: &str, text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("a file in it");
    (folder, path)
}
