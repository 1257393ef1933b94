//! With somebody to ask.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use pointsman_chain::keystore::{Keystore, Password};
use pointsman_devnet::chain::{Chain, Settings, key};
use pointsman_payments::U256;
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::Cli;

/// Both ends of a terminal: who types, and what is typed to.
fn terminal() -> (File, OwnedFd) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&person).expect("granted");
    unlockpt(&person).expect("unlocked");
    let name = ptsname(&person, Vec::new()).expect("a name");
    let program = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its other end");
    (person.into(), program)
}

/// Runs it, answering each question when it is asked. Tells how it ended, what was asked and what it said.
async fn answered(mut command: Command, answers: &[(&str, &str)]) -> (bool, String, String) {
    let (mut person, program) = terminal();
    command
        .stdin(Stdio::from(program))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary");
    // The command holds the terminal's other end as well.
    drop(command);
    let mut asking = child.stderr.take().expect("piped");
    let (mut asked, mut from) = (String::new(), 0);
    for (question, answer) in answers {
        while !asked[from..].contains(question) {
            let mut some = [0; 256];
            let count = asking.read(&mut some).await.expect("text");
            assert!(count > 0, "{question} was never asked: {asked}");
            asked.push_str(&String::from_utf8_lossy(&some[..count]));
        }
        from = asked.len();
        writeln!(person, "{answer}").expect("typed");
    }
    asking.read_to_string(&mut asked).await.expect("text");
    let output = child.wait_with_output().await.expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), asked, said)
}

#[tokio::test]
async fn nothing_is_sent_without_a_yes() {
    let chain = Chain::start(Settings::default()).await.expect("a chain");
    let folder = tempfile::tempdir().expect("a folder");
    let cli = Cli::on(&chain, folder.path());
    let deposit = async || {
        let sender = chain.sender(key(3).address()).await;
        sender.expect("an answer").deposit
    };
    for (answer, went) in [
        ("", false),
        ("no", false),
        ("n", false),
        ("YES", true),
        ("y", true),
    ] {
        let before = deposit().await;
        let command = cli.command("fund --deposit 5");
        let (good, asked, said) = answered(command, &[("send it? [y/N] ", answer)]).await;
        assert_eq!(good, went, "{answer}: {asked}");
        assert!(
            asked.contains("  deposit       ") && asked.contains("  gas           "),
            "{asked}"
        );
        assert_eq!(asked.contains("nothing was sent"), !went, "{asked}");
        assert_eq!(said.contains("done in block"), went, "{said}");
        let more = if went { U256::from(5) } else { U256::ZERO };
        assert_eq!(deposit().await, before + more, "{answer}");
    }
}

#[tokio::test]
async fn a_password_is_asked_twice_and_the_key_opens_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let new = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
        command.env_clear().kill_on_drop(true);
        command
            .args(["wallet", "new", "--data-dir"])
            .arg(folder.path());
        command
    };
    let (first, second) = ("password of the new key: ", "the same again: ");
    let (good, asked, _) = answered(
        new(),
        &[(first, "c0rrect horse"), (second, "c0rrect house")],
    )
    .await;
    assert!(
        !good && asked.contains("the two passwords differ"),
        "{asked}"
    );
    let keys = folder.path().join("keystore");
    assert!(!keys.exists());
    let (good, asked, said) = answered(
        new(),
        &[(first, "c0rrect horse"), (second, "c0rrect horse")],
    )
    .await;
    assert!(good, "{asked}");
    assert!(!asked.contains("c0rrect") && !said.contains("c0rrect"));
    let keystore = Keystore::find(&keys, None).expect("a key");
    let opened = keystore.open(&Password::new("c0rrect horse".to_owned()));
    opened.expect("it opens");

    // A key whose password no setting names is opened by asking as well.
    let chain = Chain::start(Settings::default()).await.expect("a chain");
    chain
        .endow(keystore.address(), U256::from(super::MILLI))
        .await
        .expect("endowed");
    let mut cli = Cli::on(&chain, folder.path());
    cli.set("--eth-keystore-path", &keys.display().to_string());
    cli.set("--eth-password", "");
    let question = format!("password of {}: ", keystore.address());
    let command = cli.command("fund --deposit 5 --yes");
    let (good, asked, _) = answered(command, &[(&question, "c0rrect horse")]).await;
    assert!(good, "{asked}");
    let command = cli.command("fund --deposit 5 --yes");
    let (good, asked, _) = answered(command, &[(&question, "wrong")]).await;
    assert!(!good && asked.contains("password"), "{asked}");
    let sender = chain.sender(keystore.address()).await.expect("an answer");
    assert_eq!(sender.deposit, U256::from(5));
}
