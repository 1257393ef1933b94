//! Where README's commands run.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::TcpSocket;

/// A folder, free ports, and what was left running.
pub(crate) struct Shell {
    folder: TempDir,
    ports: Vec<(&'static str, u16)>,
    /// Bound to the ports, so that nobody else is given one of them.
    _held: Vec<TcpSocket>,
    running: Vec<Running>,
}

struct Running {
    command: String,
    child: Child,
}

/// Long enough for builds of a policy, for tests and for speed, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(1800);

/// What says that a command which goes on running is ready, as it prints it.
const READY: [(&str, &str); 3] = [
    ("pointsman devnet", "use them with"),
    ("pointsman run", "policy  "),
    ("ffmpeg -re", ""),
];

// === impl Shell ===

impl Shell {
    pub(crate) fn new(root: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(root.join("examples"), folder.path().join("examples")).unwrap();
        let names = ["8935", "8936", "8937", "9935", "1935", "5935"];
        let (ports, held) = free_in_a_row(6);
        Self {
            folder,
            ports: names.into_iter().zip(ports).collect(),
            _held: held,
            running: Vec::new(),
        }
    }

    fn port(&self, wanted: &str) -> u16 {
        self.ports
            .iter()
            .find(|(name, _)| *name == wanted)
            .unwrap()
            .1
    }

    /// Runs a command to its end, or until it is ready if it goes on. What fails at first may succeed later: a stream takes a while to appear.
    pub(crate) fn run(&mut self, command: &str) {
        let ready = READY.iter().find(|(start, _)| command.starts_with(start));
        let start = Instant::now();
        loop {
            let (mut child, output) = self.spawn(command);
            let ended = match ready {
                Some((_, text)) => wait(&mut child, || said(&output).contains(text)),
                None => wait(&mut child, || false),
            };
            match ended {
                None => {
                    let command = command.to_owned();
                    return self.running.push(Running { command, child });
                }
                Some(true) => return,
                Some(false) if command.starts_with("curl") && start.elapsed() < PATIENCE => {
                    sleep(Duration::from_millis(300));
                }
                Some(false) => panic!("`{command}` failed:\n{}", said(&output)),
            }
        }
    }

    fn spawn(&self, command: &str) -> (Child, std::path::PathBuf) {
        let mut words = command.to_owned();
        for (name, port) in &self.ports {
            words = words.replace(&format!(":{name}"), &format!(":{port}"));
        }
        if words.starts_with("pointsman devnet") {
            words.push_str(&format!(
                " --base-port {} --control-addr 127.0.0.1:0",
                self.port("8935")
            ));
        }
        let output = self
            .folder
            .path()
            .join(format!("output-{}", self.running.len()));
        let file = File::create(&output).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_pointsman")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let child = Command::new("bash")
            .args(["-c", &format!("exec {words}")])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env(
                "POINTSMAN_HTTP_ADDR",
                format!("127.0.0.1:{}", self.port("9935")),
            )
            .env(
                "POINTSMAN_RTMP_ADDR",
                format!("127.0.0.1:{}", self.port("1935")),
            )
            .env(
                "POINTSMAN_CLI_ADDR",
                format!("127.0.0.1:{}", self.port("5935")),
            )
            .env("POINTSMAN_DATA_DIR", self.folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        (child, output)
    }

    /// What was started and should go on has gone on until now.
    pub(crate) fn all_still_run(&mut self) {
        assert_eq!(
            self.running.len(),
            READY.len(),
            "as many as are known to go on"
        );
        for Running { command, child } in &mut self.running {
            assert!(child.try_wait().unwrap().is_none(), "`{command}` has ended");
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        for Running { child, .. } in &mut self.running {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Whether it succeeded, or `None` when it is ready and runs.
fn wait(child: &mut Child, ready: impl Fn() -> bool) -> Option<bool> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.success());
        }
        if ready() {
            return None;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            return Some(false);
        }
        sleep(Duration::from_millis(50));
    }
}

/// What a command has printed so far. A character may be written by half.
fn said(output: &Path) -> String {
    String::from_utf8_lossy(&fs::read(output).unwrap()).into_owned()
}

/// Devnet's orchestrators take neighbouring ports. The sockets are bound to them and never listen: README's programs can listen there, and nobody is
/// given such a port who asks for any.
fn free_in_a_row(count: u16) -> (std::ops::Range<u16>, Vec<TcpSocket>) {
    for _ in 0..1000 {
        let first = fastrand::u16(20_000..30_000);
        let ports = first..first + count;
        let held: Result<Vec<_>, _> = ports.clone().map(hold).collect();
        if let Ok(held) = held {
            return (ports, held);
        }
    }
    panic!("no {count} free ports in a row");
}

fn hold(port: u16) -> std::io::Result<TcpSocket> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    // Somebody may listen there with the same option set: only listening tells.
    drop(std::net::TcpListener::bind(address)?);
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
