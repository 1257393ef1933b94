//! The programs that are measured, as processes of their own. Dropping one ends it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::relay;

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    _said: Lines<BufReader<ChildStdout>>,
}

/// Orchestrators that answer at once.
#[derive(Debug)]
pub(crate) struct Devnet {
    pub(crate) uris: Vec<String>,
    _program: Program,
    _folder: TempDir,
}

/// The gateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) http: SocketAddr,
    pub(crate) rtmp: SocketAddr,
    pub(crate) admin: SocketAddr,
    program: Program,
    folder: TempDir,
}

/// The bare relay.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) http: SocketAddr,
    _program: Program,
}

/// An orchestrator of [`Devnet`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) price: u32,
    pub(crate) latency_ms: u32,
}

pub(crate) const POINTSMAN: &str = env!("CARGO_BIN_EXE_pointsman");

// === impl Program ===

impl Program {
    /// Starts it, and waits until it says `ready` at the beginning of a line; that line is answered.
    async fn start(command: &mut Command, ready: &str) -> Result<(Self, String)> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let mut said = BufReader::new(stdout).lines();
        while let Some(line) = said.next_line().await? {
            if line.trim_start().starts_with(ready) {
                let program = Self { child, _said: said };
                return Ok((program, line));
            }
        }
        bail!("{command:?} ended without saying {ready:?}")
    }

    fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }
}

// === impl Devnet ===

impl Devnet {
    pub(crate) async fn start(wanted: &[Wanted]) -> Result<Self> {
        let mut text = String::new();
        for Wanted { price, latency_ms } in wanted {
            text += &format!(
                "[[orchestrator]]\nmode = \"passthrough\"\nverify-hash = false\ncapacity = 1000\nprice = {price}\nlatency-ms = {latency_ms}\n"
            );
        }
        Self::with(&text).await
    }

    /// Of any profile.
    pub(crate) async fn with(text: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let profile = folder.path().join("devnet.toml");
        std::fs::write(&profile, text)?;
        let mut command = Command::new(POINTSMAN);
        command.args([
            "devnet",
            "--base-port",
            "0",
            "--control-addr",
            "127.0.0.1:0",
            "--profile",
        ]);
        let (program, line) = Program::start(command.arg(&profile), "use them with:").await?;
        let (_, uris) = line
            .rsplit_once(' ')
            .context("the devnet names its orchestrators last")?;
        Ok(Self {
            uris: uris.split(',').map(str::to_owned).collect(),
            _program: program,
            _folder: folder,
        })
    }
}

// === impl Gateway ===

impl Gateway {
    pub(crate) async fn start(devnet: &Devnet, more: &[&str]) -> Result<Self> {
        Self::start_in(tempfile::tempdir()?, devnet, more).await
    }

    /// Ends it, and starts one with what it left.
    pub(crate) async fn again(self, devnet: &Devnet, more: &[&str]) -> Result<Self> {
        let Self {
            mut program,
            folder,
            ..
        } = self;
        program.child.kill().await?;
        Self::start_in(folder, devnet, more).await
    }

    async fn start_in(folder: TempDir, devnet: &Devnet, more: &[&str]) -> Result<Self> {
        let [http, rtmp, admin] = free_ports()?;
        let mut command = Command::new(POINTSMAN);
        command
            .args([
                "run",
                "--max-sessions",
                "1000",
                "--log",
                "error",
                "--orch-addr",
            ])
            .arg(devnet.uris.join(","));
        command.arg("--data-dir").arg(folder.path());
        for (flag, address) in [
            ("--http-addr", http),
            ("--rtmp-addr", rtmp),
            ("--cli-addr", admin),
        ] {
            command.arg(flag).arg(address.to_string());
        }
        let (program, _) = Program::start(command.args(more), "policy").await?;
        Ok(Self {
            http,
            rtmp,
            admin,
            program,
            folder,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// What state changes need.
    pub(crate) fn token(&self) -> Result<String> {
        let path = self.folder.path().join("admin-token");
        Ok(std::fs::read_to_string(&path)
            .with_context(|| path.display().to_string())?
            .trim()
            .to_owned())
    }
}

// === impl Relay ===

impl Relay {
    pub(crate) async fn start(orchestrator: &str) -> Result<Self> {
        let this = std::env::current_exe()?;
        let (program, line) = Program::start(
            Command::new(this).args([relay::COMMAND, orchestrator]),
            relay::READY,
        )
        .await?;
        let http = line
            .trim_start_matches(relay::READY)
            .trim()
            .parse()
            .context("the relay's address")?;
        Ok(Self {
            http,
            _program: program,
        })
    }
}

/// Runs a program to its end, quietly.
pub(crate) async fn run(program: &str, arguments: &[&str], output: &Path) -> Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .arg(output)
        .stdin(Stdio::null())
        .status()
        .await;
    let status =
        status.with_context(|| format!("{program} cannot be run: `make setup` installs it"))?;
    if !status.success() {
        bail!("{program} {}: {status}", arguments.join(" "));
    }
    Ok(())
}

/// Ports that were free a moment ago, all different.
fn free_ports<const N: usize>() -> Result<[SocketAddr; N]> {
    let listeners = (0..N)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<std::io::Result<Vec<_>>>()?;
    let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); N];
    for (address, listener) in addresses.iter_mut().zip(&listeners) {
        *address = listener.local_addr()?;
    }
    Ok(addresses)
}
