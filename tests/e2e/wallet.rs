//! The account that pays, by the command line and the admin API, on a chain of its own.

mod api;
mod keys;
mod lag;
mod refusals;
mod signer;
mod stuck;
mod terminal;
mod top_up;

use std::path::Path;
use std::process::{Output, Stdio};

use pointsman_devnet::chain::Chain;
use pointsman_payments::U256;
use serde_json::Value;
use tokio::process::Command;

use crate::harness::till::{ETH, KEYSTORE, PASSWORD, Setup, Till};

const MILLI: u64 = ETH / 1000;

/// `pointsman wallet` with the settings of a gateway.
struct Cli {
    settings: Vec<String>,
}

// === impl Cli ===

impl Cli {
    /// Of an account on `chain` that no gateway has.
    fn on(chain: &Chain, data: &Path) -> Self {
        let controller = chain.contracts().controller.to_string();
        let words = ["--network", "devnet", "--eth-url", chain.url()];
        let words = words.into_iter().chain(["--eth-controller", &controller]);
        let words = words.chain(["--eth-keystore-path", KEYSTORE, "--eth-password", PASSWORD]);
        let mut settings: Vec<String> = words.map(str::to_owned).collect();
        settings.extend(["--data-dir".to_owned(), data.display().to_string()]);
        // Nobody listens there.
        settings.extend(["--cli-addr".to_owned(), "127.0.0.1:1".to_owned()]);
        Self { settings }
    }

    /// Of a running gateway.
    fn of(till: &Till) -> Self {
        let gateway = &till.stage.gateway;
        let mut cli = Self::on(&till.chain, gateway.data());
        let admin = gateway.admin.trim_start_matches("http://");
        cli.set("--cli-addr", admin);
        cli
    }

    /// Sets a setting that is there to another value.
    fn set(&mut self, flag: &str, value: &str) {
        let at = self.settings.iter().position(|it| it == flag);
        self.settings[at.expect("it is there") + 1] = value.to_owned();
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
        command
            .env_clear()
            .arg("wallet")
            .args(words.split_whitespace())
            .args(&self.settings)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    async fn run(&self, words: &str) -> Output {
        self.command(words).output().await.expect("the binary")
    }

    /// What it answers when all goes well, as JSON.
    async fn json(&self, words: &str) -> Value {
        let output = self.run(&format!("{words} --json")).await;
        let (said, heard) = texts(&output);
        assert!(output.status.success(), "{words}: {said}");
        serde_json::from_str(&heard).unwrap_or_else(|error| panic!("{error}: {heard}"))
    }

    /// What it says when it cannot be done.
    async fn refused(&self, words: &str) -> String {
        let output = self.run(words).await;
        let (said, heard) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{words}: {said}");
        assert_eq!(heard, "", "{words}");
        said
    }
}

/// Standard error, standard output.
fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stderr), text(&output.stdout))
}

fn wei(value: &Value) -> U256 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value}"));
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

#[tokio::test]
async fn money_goes_in_pays_and_comes_out_again() {
    let setup = Setup {
        deposit: 0,
        ..Setup::certain(1)
    };
    let till = setup.start(1, &[]).await;
    let (gateway, cli) = (&till.stage.gateway, Cli::of(&till));
    let before = cli.json("status").await;
    assert_eq!(before["state"], "locked");
    assert_eq!(before["deposit"], "0");
    assert_eq!(before["spend"]["today"], "0");

    let funded = cli.json("fund --deposit 0.5eth --yes").await;
    let (done, after) = (&funded["done"], &funded["status"]);
    assert_eq!(wei(&after["deposit"]), U256::from(ETH / 2));
    let left = wei(&before["balance"]) - wei(&after["balance"]);
    assert_eq!(left, U256::from(ETH / 2) + wei(&done["fee"]));
    crate::harness::eventually("the gateway can pay", async || {
        gateway.payments().await.cannot_pay.is_none()
    })
    .await;
    gateway.push("paid", 0).await.assert_whole();
    gateway.settled().await;
    let spent = cli.json("status").await;
    assert_ne!(spent["spend"]["today"], "0", "the gateway tells it");
    assert_eq!(spent["spend"]["today"], spent["spend"]["all_time"]);
    let output = cli.run("status").await;
    assert!(
        texts(&output).1.contains("  reserve       1 ETH\n"),
        "{output:?}"
    );

    let unlocked = cli.json("unlock --yes").await;
    assert_eq!(unlocked["status"]["state"], "unlocking");
    assert_eq!(unlocked["status"]["withdraw_round"], 5);
    let early = cli.refused("withdraw --yes").await;
    assert!(
        early.contains("too early: the money can be withdrawn from round 5 on, now is round 3"),
        "{early}"
    );
    let again = cli.refused("unlock --yes").await;
    assert!(again.contains("being unlocked already"), "{again}");
    let locked = cli.json("cancel-unlock --yes").await;
    assert_eq!(locked["status"]["state"], "locked");
    let never = cli.refused("withdraw --yes").await;
    assert!(never.contains("unlock them first"), "{never}");
    let nothing = cli.refused("cancel-unlock --yes").await;
    assert!(nothing.contains("nothing is being unlocked"), "{nothing}");

    cli.json("unlock --yes").await;
    till.redeemed().await;
    for _ in 0..2 {
        till.chain.next_round().await.expect("a round");
    }
    let held = cli.json("status").await;
    assert_eq!(held["state"], "unlocked");
    let out = cli.json("withdraw --yes").await;
    assert_eq!(out["status"]["state"], "empty");
    let all = wei(&held["deposit"]) + wei(&held["reserve"]["funds"]);
    let gained = wei(&out["status"]["balance"]) - wei(&held["balance"]);
    assert_eq!(gained, all - wei(&out["done"]["fee"]));
    let empty = cli.refused("withdraw --yes").await;
    assert!(empty.contains("there is nothing to withdraw"), "{empty}");
}

#[tokio::test]
async fn a_gateway_that_is_gone_has_left_its_ledger() {
    let till = Setup::certain(1).start(1, &[]).await;
    let mut cli = Cli::of(&till);
    till.stage.gateway.push("paid", 0).await.assert_whole();
    till.stage.gateway.settled().await;
    let spent = cli.json("status").await["spend"].clone();
    let stopped = till.stage.gateway.stop().await;
    cli.set("--cli-addr", "127.0.0.1:1");
    for _ in 0..2 {
        assert_eq!(cli.json("status").await["spend"], spent);
    }
    let _again = stopped.start(&[]).await;
}

#[tokio::test]
async fn what_was_claimed_of_the_reserve_is_told_by_whom() {
    // A little more than one winner: what the others bring is claimed.
    let setup = Setup {
        deposit: 60_000_000_000,
        ..Setup::certain(1)
    };
    let till = setup.start(1, &[]).await;
    till.stage.gateway.push("paid", 0).await.assert_whole();
    till.redeemed().await;
    let claimed = till.sender().await.claimed_in_round;
    assert!(!claimed.is_zero(), "the deposit was too small");
    let reserve = &Cli::of(&till).json("status").await["reserve"];
    let only = till.stage.devnet.orchestrators()[0].address();
    let claim = &reserve["claims"][0];
    assert_eq!(
        claim["orchestrator"],
        only.expect("an account").to_checksum(None)
    );
    assert_eq!(wei(&claim["claimed"]), claimed);
    // A pool of one: all of the reserve is its share.
    assert_eq!(wei(&reserve["share"]), U256::from(ETH));
    assert_eq!(wei(&claim["free"]), U256::from(ETH) - claimed);
}
