//! A registry program, on a port of its own choice and in a folder that goes with it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// `user`, `open sesame`.
const HTPASSWD: &str = "user:$2b$04$Fk2w3lfBhwOKJK62Msee3ObjJuctoWvJ0KXhKz39HgvvjITaIDxRO\n";

/// A running registry program.
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: tempfile::TempDir,
}

// === impl Process ===

impl Process {
    /// Starts the program, if there is one.
    pub(crate) fn start(password: bool) -> Option<Self> {
        let Some(program) = program() else {
            assert!(
                env::var_os("POINTSMAN_REGISTRY_REQUIRED").is_none(),
                "no registry: set POINTSMAN_REGISTRY, or run `make setup-registry`"
            );
            eprintln!("no registry program: not tried against one");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("config.yml");
        let passwords = folder.path().join("htpasswd");
        fs::write(&passwords, HTPASSWD).expect("written");
        let auth = format!(
            "auth:\n  htpasswd:\n    realm: r\n    path: {}\n",
            passwords.display()
        );
        let auth = if password { auth.as_str() } else { "" };
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:0\n{auth}",
            folder.path().display()
        );
        fs::write(&config, text).expect("written");
        let mut child = Command::new(&program)
            .arg("serve")
            .arg(&config)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let address = lines
            .by_ref()
            .find_map(|line| address(&line.ok()?))
            .expect("it says where it listens");
        // It would wait for a reader in the end.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self {
            address,
            child,
            _folder: folder,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    if let Some(named) = env::var_os("POINTSMAN_REGISTRY") {
        return Some(named.into());
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join("docker-registry"))
        .find(|program| program.is_file())
}

/// Of a line such as `… msg="listening on 127.0.0.1:41231" …`.
fn address(line: &str) -> Option<SocketAddr> {
    let (_, after) = line.split_once("listening on ")?;
    let end = after.find(|character: char| {
        !character.is_ascii_digit() && character != '.' && character != ':'
    })?;
    after[..end].parse().ok()
}
