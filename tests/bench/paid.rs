//! What paying adds to a pushed segment.
//!
//! Three pairs of gateway and orchestrator take turns: one off-chain; one on a chain whose price is 0, so that everything is asked, signed and
//! looked up but no ticket leaves; one that is paid, a ticket or two for every segment. The difference between the last two is what tickets
//! cost: written to the ledger and signed here, checked there. The chain is anvil, in which nothing happens by the clock, and winners are not
//! redeemed: what is measured is the way of a segment.

use anyhow::{Context, Result};
use bytes::Bytes;
use pointsman_devnet::chain::{Chain, Settings, key};
use pointsman_payments::U256;
use serde_json::Value;

use crate::client::{Client, Pusher};
use crate::media;
use crate::program::{Devnet, Gateway};
use crate::report::{Report, Target, median, quantile};

/// Rounds of the three in turn, and pushes in one.
const ROUNDS: usize = 40;
const PUSHES: usize = 25;
/// Account of the keystore, and what it has.
const ACCOUNT: u32 = 3;
const ETH: u64 = 1_000_000_000_000_000_000;
const KEYSTORE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/onchain/keystore/signer.json"
);
const PASSWORD: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/onchain/keystore/password.txt"
);

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let chain = funded().await?;
    let media = media::segment()?;
    let orchestrator = "[[orchestrator]]\nmode = \"passthrough\"\nverify-hash = false\n";
    let on_chain = format!(
        "[chain]\nrpc = \"{}\"\ncontroller = \"{}\"\n{orchestrator}",
        chain.url(),
        chain.contracts().controller
    );
    // A segment costs 2 · 10^10 wei.
    let payments = "[orchestrator.payments]\nredeem = \"never\"\nticket-ev = 16_000_000_000\nmax-face-value = 32_000_000_000\n";
    let mut off = Pair::start(&format!("{orchestrator}price = 1\n"), &[], &media).await?;
    let flags = flags(&chain, chain.url());
    let free = format!("{on_chain}price = 0\n{payments}account = 5\n");
    let paid = format!("{on_chain}price = 1000\n{payments}account = 6\n");
    let mut free = Pair::on(&chain, &free, &flags, &media).await?;
    let mut paid = Pair::on(&chain, &paid, &flags, &media).await?;
    report.part(&format!(
        "a paid segment of {} kB, two renditions, one client",
        media.len() / 1000
    ));
    let (mut off_chain, mut for_free, mut with_tickets, mut ratios) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let mut a = off.round().await?;
        let mut b = free.round().await?;
        let mut c = paid.round().await?;
        // The first warms up.
        if round > 0 {
            ratios.push(median(&c) / median(&b));
            off_chain.append(&mut a);
            for_free.append(&mut b);
            with_tickets.append(&mut c);
        }
    }
    let [off_chain, for_free] = [&mut off_chain, &mut for_free].map(|of| quantile(of, 0.5));
    let p99 = quantile(&mut with_tickets, 0.99);
    let with_tickets = quantile(&mut with_tickets, 0.5);
    report.figure("paid, p50", with_tickets, "ms", Target::None);
    report.figure("paid, p99", p99, "ms", Target::None);
    report.figure(
        "on the chain for nothing, p50",
        for_free,
        "ms",
        Target::None,
    );
    report.figure("off-chain, p50", off_chain, "ms", Target::None);
    report.figure(
        "what tickets add",
        with_tickets - for_free,
        "ms",
        Target::Below(1.0),
    );
    report.figure(
        "paid, as a multiple of unpaid",
        median(&ratios),
        "",
        Target::None,
    );
    let spend = &paid.money().await?["spend"]["all_time"];
    let (tickets, payments) = (number(&spend["tickets"])?, number(&spend["payments"])?);
    report.figure("tickets a payment", tickets / payments, "", Target::None);
    report.must(
        spend["accepted"] == spend["wei"],
        "every ticket that left was accepted",
    );
    let free = &free.money().await?["spend"]["all_time"];
    report.must(
        number(&free["tickets"])? == 0.0,
        "what is free took no ticket",
    );
    Ok(())
}

/// A chain on which the gateway's account has money.
pub(crate) async fn funded() -> Result<Chain> {
    let chain = Chain::start(Settings::default()).await;
    let chain = chain.context("`make setup-chain` installs it")?;
    let money = U256::from(ETH);
    chain.fund(&key(ACCOUNT), money, money).await?;
    Ok(chain)
}

/// Flags of a gateway on that chain, asking it at `url`.
pub(crate) fn flags(chain: &Chain, url: &str) -> Vec<String> {
    let controller = chain.contracts().controller.to_string();
    let flags = [
        ("--network", "devnet"),
        ("--eth-url", url),
        ("--eth-controller", &controller),
        ("--eth-keystore-path", KEYSTORE),
        ("--eth-password", PASSWORD),
    ];
    let both = flags.into_iter().flat_map(|(flag, value)| [flag, value]);
    both.map(str::to_owned).collect()
}

/// A gateway before an orchestrator, and a client of it.
struct Pair {
    pusher: Pusher,
    gateway: Gateway,
    _devnet: Devnet,
}

// === impl Pair ===

impl Pair {
    async fn start(profile: &str, flags: &[String], media: &Bytes) -> Result<Self> {
        let devnet = Devnet::with(profile).await?;
        Self::before(devnet, flags, media).await
    }

    /// With an orchestrator that is registered.
    async fn on(chain: &Chain, profile: &str, flags: &[String], media: &Bytes) -> Result<Self> {
        let devnet = Devnet::with(profile).await?;
        let account = profile.rsplit_once("account = ").context("an account")?.1;
        let address = key(account.trim().parse()?).address();
        chain
            .activate(address, U256::from(ETH), &devnet.uris[0])
            .await?;
        Self::before(devnet, flags, media).await
    }

    async fn before(devnet: Devnet, flags: &[String], media: &Bytes) -> Result<Self> {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let gateway = Gateway::start(&devnet, &flags).await?;
        let pusher = Pusher::connect(gateway.http, "bench", media.clone()).await?;
        Ok(Self {
            pusher,
            gateway,
            _devnet: devnet,
        })
    }

    /// One push after the other: how long each takes, ms.
    async fn round(&mut self) -> Result<Vec<f64>> {
        let mut times = Vec::with_capacity(PUSHES);
        for _ in 0..PUSHES {
            times.push(self.pusher.push().await?.as_secs_f64() * 1e3);
        }
        Ok(times)
    }

    async fn money(&self) -> Result<Value> {
        Client::connect(self.gateway.admin)
            .await?
            .json("/api/v1/payments")
            .await
    }
}

fn number(value: &Value) -> Result<f64> {
    value
        .as_f64()
        .with_context(|| format!("{value} is no number"))
}
