//! `pointsman demo --paid`: a stream that is paid, from the gateway's deposit to an orchestrator's fees, and whether all books agree.
//!
//! A chain on this machine with contracts of the devnet, two orchestrators registered on it, a gateway that finds them there and has a key that
//! everyone knows, ffmpeg. Half of the tickets win. When enough has been paid the stream ends, the winners are redeemed, and the table says what each book holds.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use pointsman_devnet::chain::{self, Chain, SenderInfo, key};
use pointsman_devnet::{
    ChainProfile, Devnet, Orchestrator, OrchestratorProfile, Payments, Price, Profile, Takings,
};
use pointsman_payments::U256;
use pointsman_payments::ledger::Totals;
use pointsman_payments::show::Wei;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::publisher::Publisher;
use crate::cli::{self, Command, Demo};
use crate::config::Settings;
use crate::gateway::Gateway;

/// Of anvil's accounts, the one whose keystore is at hand. It may never hold real money.
const ACCOUNT: u32 = 3;
const KEYSTORE: &str = include_str!("../../../../../tests/golden/onchain/keystore/signer.json");
const PASSWORD: &str = include_str!("../../../../../tests/golden/onchain/keystore/password.txt");
/// Deposit and reserve, in wei: one ETH each.
const FUNDS: u64 = 1_000_000_000_000_000_000;
/// What a ticket is worth; a winner pays twice as much.
const TICKET: u64 = 8_000_000_000;
/// Payments after which the stream ends.
const ENOUGH: u64 = 8;
/// For each step; only a machine that stands still needs as long.
const PATIENCE: Duration = Duration::from_secs(180);

/// All books, when everything is over.
struct Books {
    before: SenderInfo,
    after: SenderInfo,
    spend: Totals,
    orchestrators: Vec<(String, Takings, U256)>,
}

pub(super) async fn run(wanted: &Demo) -> Result<()> {
    let data = tempfile::tempdir().context("a temporary data directory")?;
    let chain = Chain::start(chain::Settings::default()).await?;
    let sender = key(ACCOUNT);
    chain
        .fund(&sender, U256::from(FUNDS), U256::from(FUNDS))
        .await?;
    let devnet = pointsman_devnet::start(profile(&chain)).await?;
    for one in devnet.orchestrators() {
        let address = one
            .address()
            .context("an orchestrator without an account")?;
        chain
            .activate(address, U256::from(FUNDS), one.uri())
            .await?;
    }
    let before = chain.sender(sender.address()).await?;
    let gateway = Gateway::start(settings(wanted, &chain, &data)?).await?;
    println!(
        "{}\n\npaying for a stream; this takes half a minute",
        gateway.banner().await
    );
    let played = play(&gateway, &devnet).await;
    let spend = match gateway.money() {
        Some(money) => money.totals(),
        None => bail!("the gateway does not pay"),
    };
    gateway.stop().await;
    played?;
    let mut orchestrators = Vec::new();
    for one in devnet.orchestrators() {
        let takings = takings(one)?;
        let fees = chain.fees(takings.address).await?;
        orchestrators.push((one.name().to_owned(), takings, fees));
    }
    let books = Books {
        before,
        after: chain.sender(sender.address()).await?,
        spend,
        orchestrators,
    };
    devnet.stop().await;
    println!("\n{}", books.table());
    books.agree()
}

/// Publishes until enough is paid, then waits for whatever is under way.
async fn play(gateway: &Gateway, devnet: &Devnet) -> Result<()> {
    let rtmp = gateway.addresses().rtmp;
    let rtmp = rtmp.context("the demo publishes over RTMP: give --rtmp-addr an address")?;
    let money = gateway.money().context("the gateway does not pay")?;
    let publisher = Publisher::start(rtmp)?;
    let paid = until("the stream is paid for", || {
        money.totals().all_time.payments >= ENOUGH
    })
    .await;
    publisher.stop().await;
    paid?;
    let open = || money.totals().all_time.open;
    until("all payments have ended", || open() == Default::default()).await?;
    let redeemed = || {
        let mut all = devnet
            .orchestrators()
            .iter()
            .filter_map(Orchestrator::takings);
        all.all(|of| of.waiting == 0 && of.redeemed + of.failed == of.winners)
    };
    until("every winner is redeemed", redeemed).await
}

async fn until(what: &str, holds: impl Fn() -> bool) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        if Instant::now() >= end {
            bail!("gave up waiting until {what}");
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

fn takings(one: &Orchestrator) -> Result<Takings> {
    one.takings().context("an orchestrator without an account")
}

fn profile(chain: &Chain) -> Profile {
    let orchestrator = |(account, name): (u32, &str)| OrchestratorProfile {
        name: name.to_owned(),
        price: Some(Price::per_pixel(1000)),
        payments: Some(Payments {
            account,
            ticket_ev: TICKET,
            max_face_value: 2 * TICKET,
            ..Payments::default()
        }),
        ..OrchestratorProfile::default()
    };
    Profile {
        chain: Some(ChainProfile {
            rpc: chain.url().to_owned(),
            controller: chain.contracts().controller,
        }),
        orchestrators: [(5, "swift"), (6, "steady")].map(orchestrator).into(),
        ..Profile::default()
    }
}

/// The settings that an operator would have, decoded by the same rules.
fn settings(wanted: &Demo, chain: &Chain, data: &TempDir) -> Result<Settings> {
    let write = |name: &str, text: &str| -> Result<OsString> {
        let path = Path::new(data.path()).join(name);
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok(path.into())
    };
    let [http, rtmp, admin] = &wanted.addresses;
    let controller = chain.contracts().controller.to_string();
    let words = [
        "pointsman",
        "run",
        "--orch-allow-private",
        "--network",
        "devnet",
    ];
    let words = words.into_iter().chain([
        "--http-addr",
        http,
        "--rtmp-addr",
        rtmp,
        "--cli-addr",
        admin,
    ]);
    let words = words.chain(["--eth-url", chain.url(), "--eth-controller", &controller]);
    let mut words: Vec<OsString> = words.map(OsString::from).collect();
    words.extend(["--block-polling-interval".into(), "500ms".into()]);
    words.extend(["--eth-keystore-path".into(), write("key.json", KEYSTORE)?]);
    words.extend(["--eth-password".into(), write("password", PASSWORD)?]);
    words.extend(["--data-dir".into(), data.path().into()]);
    match cli::parse(words, []) {
        Ok(Command::Run(settings)) => Ok(*settings),
        Ok(other) => bail!("{other:?} is not a gateway"),
        Err(error) => bail!("{error}"),
    }
}

// === impl Books ===

impl Books {
    fn left(&self) -> U256 {
        self.before.deposit.saturating_sub(self.after.deposit)
    }

    fn sum(&self, of: impl Fn(&(String, Takings, U256)) -> U256) -> U256 {
        self.orchestrators
            .iter()
            .map(of)
            .fold(U256::ZERO, |sum, one| sum + one)
    }

    fn table(&self) -> String {
        let mut table = String::new();
        let mut row = |name: &str, text: String| {
            let _ = writeln!(table, "  {name:<26}{text}");
        };
        let count = |of: fn(&Takings) -> u64| -> u64 {
            self.orchestrators
                .iter()
                .map(|(_, takings, _)| of(takings))
                .sum()
        };
        row("deposit before", Wei(self.before.deposit).to_string());
        row("deposit after", Wei(self.after.deposit).to_string());
        row("out of the deposit", Wei(self.left()).to_string());
        row("tickets sent", self.spend.all_time.tickets.to_string());
        row(
            "tickets taken",
            count(|takings| takings.tickets).to_string(),
        );
        row(
            "winners, face value",
            format!(
                "{}, {}",
                count(|takings| takings.winners),
                Wei(self.sum(|(_, takings, _)| takings.won))
            ),
        );
        row(
            "redeemed",
            format!(
                "{}, {}",
                count(|takings| takings.redeemed),
                Wei(self.sum(|(_, takings, _)| takings.received))
            ),
        );
        for (name, takings, fees) in &self.orchestrators {
            row(&format!("fees of {name}"), Wei(*fees).to_string());
            row(
                &format!("credited by {name}"),
                Wei(takings.credited).to_string(),
            );
        }
        row(
            "the ledger's spend",
            format!("{} wei", self.spend.all_time.spend()),
        );
        table
    }

    /// What left the deposit is what the orchestrators earned, and the ledger knows of every ticket that they took.
    fn agree(&self) -> Result<()> {
        let (left, fees) = (self.left(), self.sum(|(_, _, fees)| *fees));
        let received = self.sum(|(_, takings, _)| takings.received);
        if left.is_zero()
            || left != fees
            || left != received
            || self.before.reserve != self.after.reserve
        {
            bail!(
                "the books disagree: {} left the deposit, {} are fees, {} were redeemed",
                Wei(left),
                Wei(fees),
                Wei(received)
            );
        }
        for (name, takings, _) in &self.orchestrators {
            let spent = self
                .spend
                .recipients
                .get(&takings.address)
                .copied()
                .unwrap_or_default();
            let (accepted, all) = (whole(spent.accepted), whole(spent.spend()));
            if takings.credited < accepted
                || takings.credited > all
                || takings.tickets > spent.tickets
                || takings.failed > 0
            {
                bail!("the books disagree: {name} says {takings:?}, the ledger {spent:?}");
            }
        }
        println!("  all books agree");
        Ok(())
    }
}

fn whole(amount: pointsman_payments::ledger::Amount) -> U256 {
    pointsman_wire::amount::floor(&amount.to_ratio())
}
