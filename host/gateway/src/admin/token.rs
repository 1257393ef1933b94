//! The token that state changes need.
//!
//! # Contract
//!
//! The data directory's own is made at the first start, for its owner only. If others may read it later (a backup that was put back, a
//! `chmod -R`), the gateway does not start: whoever read it can change policies. A file that the operator names is the operator's
//! affair: mounted secrets are often readable by all, in a container where there is nobody else. It is used, with a warning.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::config::TokenFile;

/// Shorter ones could be guessed.
const LEAST: usize = 16;

/// The token. Neither printed nor compared in a time that depends on how much of it is right.
pub(super) struct Token(String);

/// The token in `file`.
///
/// # Errors
///
/// When it cannot be read.
pub fn read_token(file: &Path) -> Result<String> {
    let token = fs::read_to_string(file)
        .with_context(|| format!("cannot read the admin token in {}", file.display()))?;
    Ok(token.trim().to_owned())
}

/// The operator's token, or the data directory's, made at the first start and readable by its owner only.
pub(super) fn ensure(file: &TokenFile, data_dir: &Path) -> Result<Token> {
    let path = file.path();
    if matches!(file, TokenFile::Kept(_)) && !path.exists() {
        fs::create_dir_all(data_dir)
            .with_context(|| format!("cannot make the data directory {}", data_dir.display()))?;
        let token = format!("{:032x}{:032x}", random()?, random()?);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .with_context(|| format!("cannot write the admin token to {}", path.display()))?;
        writeln!(file, "{token}")?;
    }
    let token = read_token(path)?;
    guard(file)?;
    ensure!(
        token.len() >= LEAST,
        "the admin token in {} has fewer than {LEAST} characters: write a longer one, or remove the file and a new one is made",
        path.display()
    );
    Ok(Token(token))
}

/// Whether others than its owner may read or write the token.
fn guard(file: &TokenFile) -> Result<()> {
    const OTHERS: u32 = 0o077;
    let path = file.path();
    let shown = path.display();
    let mode = fs::metadata(path)
        .with_context(|| format!("cannot look at the admin token in {shown}"))?
        .permissions()
        .mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let mode = mode & 0o777;
    match file {
        TokenFile::Kept(_) => bail!(
            "the admin token in {shown} can be used by others (its mode is {mode:o}): run `chmod 600 {shown}`; if somebody may have \
             read it, remove the file and a new one is made"
        ),
        TokenFile::Given(_) => tracing::warn!(
            file = %shown,
            mode = format!("{mode:o}"),
            "others can use the admin token: make its mode 400 if anyone else is on this machine"
        ),
    }
    Ok(())
}

fn random() -> Result<u128> {
    let mut bytes = [0; 16];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    Ok(u128::from_be_bytes(bytes))
}

// === impl Token ===

impl Token {
    pub(super) fn is(&self, given: &str) -> bool {
        let (ours, given) = (self.0.as_bytes(), given.as_bytes());
        let differing = ours
            .iter()
            .zip(given)
            .fold(0, |differing, (a, b)| differing | (a ^ b));
        ours.len() == given.len() && std::hint::black_box(differing) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token in a file with that mode, looked at as it would be at a start.
    fn started(mode: u32, kind: impl Fn(std::path::PathBuf) -> TokenFile) -> Result<Token> {
        let data = tempfile::tempdir().expect("a folder");
        let path = data.path().join("admin-token");
        fs::write(&path, "0123456789abcdef").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
        ensure(&kind(path), data.path())
    }

    #[test]
    fn a_kept_token_that_others_can_use_stops_the_start_and_says_what_to_do() {
        for mode in [0o644, 0o640, 0o602, 0o604] {
            let refused = started(mode, TokenFile::Kept).expect_err("others can use it");
            let said = refused.to_string();
            assert!(said.contains("chmod 600"), "{said}");
            assert!(said.contains(&format!("{mode:o}")), "{said}");
            assert!(!said.contains("0123456789abcdef"), "{said}");
        }
        for mode in [0o600, 0o400] {
            started(mode, TokenFile::Kept).expect("its owner's alone");
        }
    }

    #[test]
    fn a_mounted_secret_is_used_whatever_its_mode() {
        started(0o444, TokenFile::Given).expect("used");
    }
}
