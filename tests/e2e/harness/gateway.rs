//! The binary, started and stopped.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A running gateway with a data directory of its own. Dropping it kills it; a test that fails shows its log.
pub(crate) struct Gateway {
    child: Child,
    /// Base URL of push and playback.
    pub(crate) http: String,
    /// `HOST:PORT` of RTMP.
    pub(crate) rtmp: String,
    /// Base URL of the admin API.
    pub(crate) admin: String,
    pub(crate) client: reqwest::Client,
    data: Arc<TempDir>,
    flags: Vec<String>,
    /// Held open: the gateway may go on printing.
    _stdout: Lines<BufReader<ChildStdout>>,
}

/// A gateway between two lives.
pub(crate) struct Stopped {
    data: Arc<TempDir>,
    flags: Vec<String>,
}

const BINARY: &str = env!("CARGO_BIN_EXE_pointsman");
const LOG: &str = "log";
const STOP: Duration = Duration::from_secs(180);
/// What makes its memory the same on machines with many cores: threads, and arenas of the allocator, which has one for each.
const THREADS: [(&str, &str); 2] = [("TOKIO_WORKER_THREADS", "4"), ("MALLOC_ARENA_MAX", "4")];

// === impl Gateway ===

impl Gateway {
    /// Starts a gateway on free ports and reads its start-up block.
    pub(crate) async fn start(flags: &[&str]) -> Self {
        let data = Arc::new(tempfile::tempdir().expect("a folder"));
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        Self::start_in(data, flags).await
    }

    /// The same under a shell, so that a file may become too long for it without its end: a disk that is full, as far as it can see.
    #[cfg(target_os = "linux")]
    pub(crate) async fn start_cramped(flags: &[&str]) -> Self {
        let data = Arc::new(tempfile::tempdir().expect("a folder"));
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", BINARY]);
        Self::start_by(command, data, flags).await
    }

    async fn start_in(data: Arc<TempDir>, flags: Vec<String>) -> Self {
        Self::start_by(Command::new(BINARY), data, flags).await
    }

    async fn start_by(mut command: Command, data: Arc<TempDir>, flags: Vec<String>) -> Self {
        pointsman::tls::install();
        let log = File::options()
            .append(true)
            .create(true)
            .open(data.path().join(LOG))
            .expect("a log");
        command.env_clear().envs(THREADS).args([
            "run",
            "--http-addr",
            "127.0.0.1:0",
            "--cli-addr",
            "127.0.0.1:0",
        ]);
        command
            .args(["--rtmp-addr", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .args(&flags);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        let mut child = command.spawn().expect("the binary");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut block = Vec::new();
        while let Some(line) = stdout.next_line().await.expect("text") {
            let last = line.trim_start().starts_with("policy");
            block.push(line);
            if last {
                break;
            }
        }
        let value = |key: &str| {
            let words = |line: &String| {
                line.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            let line = block
                .iter()
                .map(words)
                .find(|words| words.first().is_some_and(|word| word == key));
            line.and_then(|words| words.get(1).cloned())
                .unwrap_or_else(|| {
                    let log = std::fs::read_to_string(data.path().join(LOG)).unwrap_or_default();
                    panic!("no {key} in the start-up block {block:?}:\n{log}")
                })
        };
        let rtmp = value("rtmp");
        Self {
            http: value("http"),
            rtmp: rtmp
                .trim_start_matches("rtmp://")
                .trim_end_matches("/live/NAME")
                .to_owned(),
            admin: value("admin"),
            // Whatever proxy this machine has for the world outside.
            client: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
            child,
            data,
            flags,
            _stdout: stdout,
        }
    }

    /// What Ctrl-C does.
    pub(crate) async fn interrupt(&self) {
        let process = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill")
            .args(["-INT", &process])
            .status()
            .await
            .expect("kill");
        assert!(sent.success());
    }

    /// Whether it has ended.
    pub(crate) fn ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Waits until it ends by itself.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        tokio::time::timeout(STOP, self.child.wait())
            .await
            .expect("it ends in time")
            .expect("a child")
    }

    /// Stops it without waiting for streams, and keeps what it needs to start again.
    pub(crate) async fn stop(mut self) -> Stopped {
        let drains = |log: String| log.matches("draining").count();
        let earlier = drains(self.log());
        self.interrupt().await;
        super::eventually("it drains", async || {
            drains(self.log()) > earlier || self.ended()
        })
        .await;
        if !self.ended() {
            self.interrupt().await;
        }
        assert!(self.end().await.success(), "{}", self.log());
        Stopped {
            data: self.data.clone(),
            flags: self.flags.clone(),
        }
    }

    /// Stops it and starts it again with the same settings and data.
    pub(crate) async fn restart(self) -> Self {
        self.stop().await.start(&[]).await
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// What changes through the admin API need.
    pub(crate) fn token(&self) -> String {
        let token = std::fs::read_to_string(self.data().join("admin-token"));
        token.expect("made at the first start").trim().to_owned()
    }

    /// Longest that its files may become from now on, in bytes; `None`: as long as they like.
    #[cfg(target_os = "linux")]
    pub(crate) async fn cramp(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let process = self.child.id().expect("it runs").to_string();
        let set = Command::new("prlimit")
            .args(["--pid", &process, &format!("--fsize={limit}:unlimited")])
            .status()
            .await
            .expect("prlimit, of util-linux");
        assert!(set.success());
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join(LOG)).expect("the log")
    }

    /// Waits until its log has these words: what it tells others may be heard before it is logged.
    pub(crate) async fn logs(&self, words: &str) {
        let heard = async || self.log().contains(words);
        super::eventually(words, heard).await;
    }

    /// Most memory it has held so far, in bytes; `None` where the system does not tell.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kib * 1024)
    }
}

// === impl Stopped ===

impl Stopped {
    /// Its data directory.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// The same without a flag and its value.
    pub(crate) fn without(mut self, flag: &str) -> Self {
        let at = self.flags.iter().position(|it| it == flag);
        let at = at.expect("it was given");
        self.flags.drain(at..at + 2);
        self
    }

    /// Starts it again, with `more` flags.
    pub(crate) async fn start(self, more: &[&str]) -> Gateway {
        let mut flags = self.flags;
        flags.extend(more.iter().map(|&flag| flag.to_owned()));
        Gateway::start_in(self.data, flags).await
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of the gateway\n{}---", self.log());
        }
    }
}
