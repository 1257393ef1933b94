//! Kills, starts, stops, latency, and what must not be left behind.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pointsman_devnet::{Change, Error, Mode, Profile, ProfileError};
use tokio::net::TcpStream;

use crate::support::{Client, error, media, order, passthrough, renditions, start};

fn refused(result: Result<Client, crate::support::Failure>) -> bool {
    let Err(failure) = result else { return false };
    let failure = failure.downcast_ref::<std::io::Error>();
    failure.map(std::io::Error::kind) == Some(std::io::ErrorKind::ConnectionRefused)
}

#[tokio::test]
async fn a_killed_orchestrator_is_gone_and_comes_back_another() {
    let devnet = passthrough(2).await;
    let [victim, other] = devnet.orchestrators() else {
        panic!("two")
    };
    let client = Client::h2(victim.uri()).await.expect("connects");
    let token = client.token().await;
    let result = client.push(&token, 0).await.expect("a result");
    let (path, _) = renditions(result).remove(0);

    victim.kill().await;
    victim.kill().await;
    assert!(!victim.running());
    assert_eq!(victim.counters().open_sessions, 0);
    assert!(client.get(&path).await.is_err(), "the connection is cut");
    assert!(refused(Client::h2(victim.uri()).await));
    let neighbour = Client::h2(other.uri()).await.expect("connects");
    neighbour.get_orchestrator().await.expect("the other lives");

    let uri = victim.uri().to_owned();
    victim.start().await.expect("starts");
    victim.start().await.expect("runs already");
    assert!(victim.running() && victim.uri() == uri);
    let client = Client::h2(&uri).await.expect("connects");
    assert_eq!(client.get(&path).await.expect("an answer").status, 404);
    let void = client
        .segment(&order(&token, 1, &media()), media())
        .await
        .expect("an answer");
    assert_eq!((void.status, void.text()), (403, "invalid auth token\n"));
    let token = client.token().await;
    client.push(&token, 1).await.expect("a result");
    assert_eq!(victim.counters().results_ok, 2, "counts go on");
}

#[tokio::test]
async fn stopping_ends_everything() {
    let devnet = passthrough(2).await;
    let (uris, control) = (devnet.uris(), devnet.control());
    let idle = Client::h2(&uris[0]).await.expect("connects");
    idle.get_orchestrator().await.expect("an offer");
    devnet.stop().await;
    for uri in uris {
        assert!(refused(Client::h2(&uri).await));
    }
    assert!(TcpStream::connect(control).await.is_err());
    assert!(idle.get_orchestrator().await.is_err());
}

#[tokio::test]
async fn dropping_ends_everything_too() {
    let devnet = passthrough(1).await;
    let uri = devnet.uris().remove(0);
    drop(devnet);
    // Nothing waits for a drop: it is done when it is done.
    while !refused(Client::h2(&uri).await) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn latency_is_added_to_every_answer_but_the_200() {
    const LATENCY: Duration = Duration::from_millis(300);
    let devnet = passthrough(1).await;
    let orchestrator = &devnet.orchestrators()[0];
    let client = Client::h2(orchestrator.uri()).await.expect("connects");
    orchestrator.set(Change {
        latency: Some(LATENCY),
        ..Change::default()
    });
    let start = Instant::now();
    let token = client.token().await;
    assert!(start.elapsed() >= LATENCY);
    let start = Instant::now();
    let result = client.push(&token, 0).await.expect("a result");
    assert!(start.elapsed() >= LATENCY);
    let (path, _) = renditions(result).remove(0);
    let start = Instant::now();
    client.get(&path).await.expect("an answer");
    assert!(start.elapsed() >= LATENCY);

    orchestrator.set(Change {
        latency: Some(Duration::from_secs(3600)),
        ..Change::default()
    });
    let header = pointsman_wire::segment::encode(&order(&token, 1, &media()));
    let request = client.upload(&header, "", "video/MP2T", media());
    let early = client
        .open(request)
        .await
        .expect("headers without the hour");
    assert_eq!(early.status(), 200);
}

/// A transcoder that never ends, and writes down who and where it is.
fn endless_ffmpeg(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("ffmpeg");
    let log = folder.join("log");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = -version ] && exit 0\necho \"$$ $PWD\" >> {}\nexec sleep 100000\n",
        log.display()
    );
    std::fs::write(&path, script).expect("writes");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

async fn logged(folder: &Path, lines: usize) -> Vec<(String, PathBuf)> {
    loop {
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        if log.lines().count() >= lines {
            let entry = |line: &str| {
                let (pid, path) = line.split_once(' ').expect("two words");
                (pid.to_owned(), PathBuf::from(path))
            };
            return log.lines().map(entry).collect();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

#[tokio::test]
async fn the_sixth_outstanding_segment_is_busy_and_a_kill_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut profile = Profile::orchestrators(std::num::NonZeroUsize::MIN);
    profile.ffmpeg = endless_ffmpeg(folder.path());
    let devnet = start(profile).await;
    let orchestrator = &devnet.orchestrators()[0];
    let client = Client::h2(orchestrator.uri()).await.expect("connects");
    let token = client.token().await;
    let mut outstanding = Vec::new();
    for seq in 0..5 {
        let header = pointsman_wire::segment::encode(&order(&token, seq, &media()));
        let request = client.upload(&header, "", "video/MP2T", media());
        let answer = client.open(request).await.expect("headers");
        assert_eq!(answer.status(), 200);
        outstanding.push(answer);
    }
    // The first runs and the others wait for it: one process, whatever the machine's cores.
    let processes = logged(folder.path(), 1).await;
    // Places are taken when bodies are first asked for, which is soon after their headers.
    let busy = loop {
        let result = client.push(&token, 5);
        if let Ok(result) = tokio::time::timeout(Duration::from_secs(1), result).await {
            break result.expect("a result");
        }
    };
    assert_eq!(error(busy), "OrchestratorBusy");
    assert_eq!(orchestrator.counters().open_sessions, 1);
    let (pid, scratch) = &processes[0];
    assert!(alive(pid) && scratch.join("input").exists());

    orchestrator.kill().await;
    let processes = logged(folder.path(), 1).await;
    assert_eq!(processes.len(), 1, "those that waited never ran");
    for (pid, scratch) in processes {
        while alive(&pid) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let whole = scratch.parent().expect("the transcoder's own");
        while whole.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    drop(outstanding);
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let mut profile = Profile::orchestrators(std::num::NonZeroUsize::MIN);
    profile.ffmpeg = PathBuf::from("no-such-program");
    let failure = pointsman_devnet::start(profile.clone())
        .await
        .expect_err("no ffmpeg");
    assert!(matches!(failure, Error::Ffmpeg { .. }));
    assert!(failure.to_string().contains("no-such-program"), "{failure}");
    profile.orchestrators[0].mode = Mode::Passthrough;
    let devnet = start(profile.clone()).await;

    let taken = devnet.uris()[0]
        .rsplit_once(':')
        .map(|(_, port)| port.parse());
    profile.orchestrators[0].port = taken.expect("a port").expect("a number");
    let failure = pointsman_devnet::start(profile.clone())
        .await
        .expect_err("taken");
    assert!(matches!(&failure, Error::Listen { name, .. } if name == "orchestrator-1"));

    profile.host = "0.0.0.0".parse().expect("an address");
    let failure = pointsman_devnet::start(profile)
        .await
        .expect_err("reachable");
    let expected = ProfileError::NotLoopback {
        key: "host",
        address: "0.0.0.0".parse().expect("an address"),
    };
    assert_eq!(failure.to_string(), expected.to_string());
}

#[tokio::test]
async fn a_profile_in_toml_is_a_devnet() {
    let text =
        "[[orchestrator]]\nname = \"a\"\nmode = \"passthrough\"\nprice = 5\nfailure = \"busy\"\n";
    let devnet = start(Profile::from_toml(text).expect("a profile")).await;
    let orchestrator = devnet.orchestrator("a").expect("named so");
    let client = Client::h2(orchestrator.uri()).await.expect("connects");
    let info = client.get_orchestrator().await.expect("an offer");
    assert_eq!(info.price_info.expect("a price").price_per_unit, 5);
    let result = client.push(&info.auth_token.expect("a token"), 0).await;
    assert_eq!(error(result.expect("a result")), "OrchestratorBusy");
}
