//! `make demo`'s command: it starts, plays, ends by itself and by a signal, and says what is in its way.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::{alone, root};

const FREE: &str = "127.0.0.1:0";

/// `pointsman demo` with a bundle that is already built.
fn demo(bundle: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command
        .arg("demo")
        .arg("--policy")
        .arg(bundle)
        .args(words)
        .stdin(Stdio::null());
    command
}

fn built() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut build = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    build
        .args(["policy", "build", "examples/prefer-cheapest", "--out"])
        .arg(folder.path());
    let built = build.current_dir(root()).output().unwrap();
    assert!(built.status.success(), "{}", text(&built));
    folder
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn start(bundle: &Path, words: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let addresses = ["--http-addr", FREE, "--rtmp-addr", FREE, "--cli-addr", FREE];
    let mut child = demo(bundle, &addresses)
        .args(words)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

/// Reads up to a line with these words.
fn until(lines: &mut impl BufRead, words: &str) {
    let mut lines = lines.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains(words)), "{words}");
}

/// The rest of the first line that starts so.
fn after(lines: &mut impl BufRead, start: &str) -> String {
    let mut seen = String::new();
    for line in lines.lines().map(Result::unwrap) {
        if let Some(rest) = line.trim_start().strip_prefix(start) {
            return rest.trim().to_owned();
        }
        seen.push_str(&line);
        seen.push('\n');
    }
    panic!("no line starts with {start:?}:\n{seen}");
}

fn interrupt(child: &Child) {
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
}

/// The processes that publish there, while the demo has the port: afterwards another one may be given it. A program that is only
/// just being loaded has no command line yet.
fn publishers(rtmp: &str) -> Vec<PathBuf> {
    let begun = Instant::now();
    loop {
        let processes = std::fs::read_dir("/proc").unwrap();
        let processes = processes.map(|process| process.unwrap().path());
        let found: Vec<_> = processes
            .filter(|process| publishes(process, rtmp))
            .collect();
        if !found.is_empty() || begun.elapsed() > Duration::from_secs(60) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn publishes(process: &Path, rtmp: &str) -> bool {
    let command = std::fs::read(process.join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&command).contains(rtmp)
}

#[test]
fn it_serves_its_page_and_things_happen() {
    let _alone = alone();
    let bundle = built();
    let (mut child, mut lines) = start(bundle.path(), &["--pace", "3s"]);
    let page = after(&mut lines, "watch it on http://");
    let host = page.split('/').next().unwrap();
    let mut admin = TcpStream::connect(host).unwrap();
    write!(
        admin,
        "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    admin.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200")
            && answer.contains("content-security-policy: default-src 'none'"),
        "{answer}"
    );
    let happenings = [
        "has transcoded the first segment",
        "is killed in the middle of its work",
        "is started again",
        "generation 2 is prefer-cheapest",
        "generation 1 is default",
    ];
    for happening in happenings {
        until(&mut lines, happening);
    }
    interrupt(&child);
    assert!(child.wait().unwrap().success());
}

#[test]
fn it_ends_by_its_own_clock() {
    let _alone = alone();
    let bundle = built();
    let (mut child, mut lines) = start(bundle.path(), &["--seconds", "5"]);
    let rtmp = after(&mut lines, "rtmp ").replace("/live/NAME", "/live/demo");
    let publishers = publishers(&rtmp);
    assert!(!publishers.is_empty(), "nobody publishes to {rtmp}");
    assert!(child.wait().unwrap().success());
    let left = publishers.iter().any(|one| publishes(one, &rtmp));
    assert!(!left, "ffmpeg is left");
}

#[test]
fn an_interrupt_ends_it_at_any_time() {
    let _alone = alone();
    let bundle = built();
    // While it starts: so early the signal may find no handler yet, and nothing to clear away either.
    let (mut child, _lines) = start(bundle.path(), &[]);
    std::thread::sleep(Duration::from_millis(150));
    interrupt(&child);
    let status = child.wait().unwrap();
    assert!(status.success() || status.signal() == Some(2), "{status}");
    for phase in ["watch it on", "has transcoded the first segment"] {
        let (mut child, mut lines) = start(bundle.path(), &["--pace", "1s"]);
        let rtmp = after(&mut lines, "rtmp ").replace("/live/NAME", "/live/demo");
        until(&mut lines, phase);
        let publishers = publishers(&rtmp);
        assert!(!publishers.is_empty(), "nobody publishes to {rtmp}");
        interrupt(&child);
        let status = child.wait().unwrap();
        assert!(status.success(), "after {phase:?}: {status}");
        let left = publishers.iter().any(|one| publishes(one, &rtmp));
        assert!(!left, "ffmpeg is left after {phase:?}");
    }
}

#[test]
fn a_taken_port_and_a_missing_bundle_are_named() {
    let taken = TcpListener::bind(FREE).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let bundle = built();
    let words = [
        "--http-addr",
        FREE,
        "--rtmp-addr",
        FREE,
        "--cli-addr",
        &address,
    ];
    let refused = demo(bundle.path(), &words).output().unwrap();
    assert!(!refused.status.success());
    assert!(
        text(&refused).contains(&format!("cannot listen on {address} (--cli-addr)")),
        "{}",
        text(&refused)
    );

    let refused = demo(Path::new("/nonexistent/bundle"), &[])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    assert!(
        text(&refused)
            .contains("no built bundle in /nonexistent/bundle: run `pointsman policy build"),
        "{}",
        text(&refused)
    );
}
