//! The anvil process.
//!
//! # Contract
//!
//! It listens on a port of its own choice on loopback, keeps everything in memory, and ends with its handle: also when a test
//! panics, and also when the process that holds the handle is killed and runs nothing any more. For the last it is started
//! by a shell that waits for the end of a pipe which only that process holds open.

use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use tokio::sync::oneshot;

/// What the shell does: starts anvil, closes its own end of the output so that anvil's end is seen, waits, and kills.
/// Signals of the terminal are for the process that holds the pipe; when it ends, so does all of this.
const KEEPER: &str = r#"trap "" INT TERM HUP
"$@" 2>&1 & anvil=$!
exec >&- 2>&-
read -r nothing
kill -9 $anvil"#;
/// How the line with the port begins.
const LISTENING: &str = "Listening on ";
/// Lines kept for the error message of an anvil that does not start.
const LAST_WORDS: usize = 10;
/// Generous, for a machine with other things to do.
const START: Duration = Duration::from_secs(120);

/// A running anvil.
#[derive(Debug)]
pub struct Anvil {
    shell: Child,
    pipe: Option<ChildStdin>,
    url: String,
}

/// Why there is no anvil.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnvilError {
    /// Nowhere to be found, or not to be run.
    #[error("anvil is neither in tests/chain/node_modules nor on the PATH: run `make setup-chain`")]
    Missing,
    /// No shell.
    #[error("anvil cannot be started: {0}")]
    Shell(std::io::Error),
    /// It ended instead of listening.
    #[error("anvil ended instead of listening; it said: {0}")]
    Ended(String),
    /// It said nothing.
    #[error("anvil does not listen after {} s", START.as_secs())]
    Silent,
}

// === impl Anvil ===

impl Anvil {
    /// Starts anvil with these arguments beside the port.
    ///
    /// # Errors
    ///
    /// When there is none, or it does not listen.
    pub async fn start(arguments: &[String]) -> Result<Self, AnvilError> {
        let program = program().ok_or(AnvilError::Missing)?;
        let mut shell = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(program)
            .args(["--host", "127.0.0.1", "--port", "0"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(AnvilError::Shell)?;
        let pipe = shell.stdin.take();
        let output = shell.stdout.take();
        // From here on it ends when this is dropped.
        let mut anvil = Self {
            shell,
            pipe,
            url: String::new(),
        };
        let (said, heard) = oneshot::channel();
        if let Some(output) = output {
            // To the end: a pipe that nobody reads would stop anvil.
            std::thread::spawn(|| listen(output, said));
        }
        let address = tokio::time::timeout(START, heard)
            .await
            .map_err(|_| AnvilError::Silent)?
            .map_err(|_| AnvilError::Silent)?
            .map_err(AnvilError::Ended)?;
        anvil.url = format!("http://{address}");
        Ok(anvil)
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // Until it has gone, which takes no time; when waiting fails there is nothing to wait for.
        let _ = self.shell.wait();
    }
}

/// Finds the address in the output, then reads on for nobody. Without one it tells the last words.
fn listen(output: impl Read, said: oneshot::Sender<Result<String, String>>) {
    let mut said = Some(said);
    let mut words = Vec::new();
    // Lossy: whatever anvil prints, reading must go on.
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if said.is_none() {
            continue;
        }
        if let Some(address) = line.trim().strip_prefix(LISTENING) {
            let heard = said.take().map(|said| said.send(Ok(address.to_owned())));
            // Whoever waited has given up, and the process is about to end.
            drop(heard);
        } else if !line.trim().is_empty() {
            words.push(line.trim().to_owned());
        }
    }
    if let Some(said) = said {
        let last = words.split_off(words.len().saturating_sub(LAST_WORDS));
        let _ = said.send(Err(last.join(" | ")));
    }
}

/// The one that `make setup-chain` installed, else one on the PATH.
fn program() -> Option<PathBuf> {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let ours = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/chain/node_modules/@foundry-rs"
    ))
    .join(format!("anvil-{system}-{machine}/bin/anvil"));
    if ours.is_file() {
        return Some(ours);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("anvil"))
        .find(|program| program.is_file())
}
