//! The settings that matter for a key that is still to be made: nothing of a gateway has to be right, or there, for that.

use std::ffi::OsString;
use std::path::PathBuf;

use super::decoder::Decoder;
use super::layer::flags::{Flags, Rewritten};
use super::section::data::Data;
use super::{environment, home, layer, read_file};
use crate::config::source::Problem;

/// Where a new key goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// `--eth-keystore-path`, or `keystore` in `--data-dir`.
    pub folder: PathBuf,
    /// `--eth-password`: a file that is there.
    pub password: Option<PathBuf>,
}

/// Reads them from all layers.
///
/// # Errors
///
/// What is wrong with them, and with the names of all others.
pub(crate) fn load_new_key(
    flags: Rewritten,
    parsed: Flags,
    variables: &[(OsString, OsString)],
) -> Result<NewKey, Vec<Problem>> {
    let flags = flags.into_layer(parsed);
    let environment = environment::read(variables);
    let (file, _) = read_file(&[&flags, &environment]);
    let merged = layer::merge([file, environment, flags]);
    let home = home(variables);
    let mut decoder = Decoder::new(&merged.values, home.as_deref());
    let data = Data::decode(&mut decoder);
    let folder = decoder.path("eth-keystore-path");
    let folder = folder.unwrap_or_else(|| data.dir.join("keystore"));
    if folder.is_file() {
        let message = format!(
            "{} is a file: a new key is a file of its own, so name a folder",
            folder.display()
        );
        decoder.refuse(&["eth-keystore-path"], message);
    }
    let password = decoder.path("eth-password");
    // A password that stands here would be in the shell's history, and go-livepeer's habit of taking a path for the password makes keys that
    // nobody can open.
    if password.as_ref().is_some_and(|path| !path.is_file()) {
        decoder.refuse(
            &["eth-password"],
            "is no file: write the new password into a file and name that, or leave this out to be asked",
        );
    }
    let problems = [merged.problems, decoder.problems].concat();
    match problems.is_empty() {
        true => Ok(NewKey { folder, password }),
        false => Err(problems),
    }
}
