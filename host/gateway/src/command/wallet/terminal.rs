//! Asking for a password without showing it.

use std::io::{self, Write};

use anyhow::{Context, Result};
use pointsman_chain::keystore::Password;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Gives the terminal its echo back.
struct Silence(Termios);

/// Asks on the terminal.
pub(super) fn password(question: &str) -> Result<Password> {
    Ok(Password::new(ask(question)?))
}

/// Asks twice.
pub(super) fn new_password() -> Result<Option<Password>> {
    let first = ask("password of the new key: ")?;
    let second = Password::new(ask("the same again: ")?);
    let same = second.is(&first);
    let first = Password::new(first);
    Ok(same.then_some(first))
}

fn ask(question: &str) -> Result<String> {
    let silence =
        Silence::begin().context("the password cannot be asked for without being shown")?;
    eprint!("{question}");
    io::stderr().flush()?;
    let mut line = String::with_capacity(256);
    let read = io::stdin().read_line(&mut line);
    drop(silence);
    eprintln!();
    read?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

// === impl Silence ===

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // Without a terminal there is nothing to put right.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
