//! The token that state changes need.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

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
    ensure!(
        token.len() >= LEAST,
        "the admin token in {} has fewer than {LEAST} characters: write a longer one, or remove the file and a new one is made",
        path.display()
    );
    Ok(Token(token))
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
