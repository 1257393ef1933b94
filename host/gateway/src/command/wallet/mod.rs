//! `pointsman wallet`.
//!
//! Works with the keystore and the nodes, not through a gateway: so it works before the first start and when a gateway has stopped, and beside one
//! that runs, since a transaction's number is the chain's own count.

mod confirm;
mod new;
mod spend;
mod terminal;

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use pointsman_chain::keystore::{Key, Keystore, KeystoreError, V3Error};
use pointsman_chain::{Chain, Deed, Options, rpc};
use pointsman_payments::remote::Remote;
use serde_json::json;
use tokio::time::timeout;

use crate::cli;
use crate::config::{self, Settings};
use crate::wallet::top_up::TopUps;
use crate::wallet::{Status, Wallet, WalletError};

/// How long nodes are waited for.
const READY: Duration = Duration::from_secs(20);
/// How long a remote signer is waited for.
const SIGNER: Duration = Duration::from_secs(20);

pub(super) async fn run(wanted: cli::Wallet) -> Result<()> {
    crate::tls::install();
    match wanted {
        cli::Wallet::Status { settings, json } => status(&settings, json).await,
        cli::Wallet::Move {
            deed,
            settings,
            yes,
            json,
        } => act(deed, &settings, yes, json).await,
        cli::Wallet::New { key, another, json } => new::run(&key, another, json).await,
    }
}

async fn status(settings: &Settings, json: bool) -> Result<()> {
    let wallet = match (&settings.signer, &settings.chain) {
        (Some(signer), Some(wanted)) => of_signer(signer, wanted).await?,
        _ => {
            let wanted = chain_of(settings)?;
            let address = Keystore::find(&wanted.keystore, wanted.account)?.address();
            Wallet::look(follow(wanted).await?, address, top_ups(settings))
        }
    };
    let status = account(settings, &wallet).await?;
    match json {
        true => println!("{}", serde_json::to_string_pretty(&status.json())?),
        false => print!("{status}"),
    }
    Ok(())
}

async fn act(deed: Deed, settings: &Settings, yes: bool, json: bool) -> Result<()> {
    let wanted = chain_of(settings)?;
    if !yes && !std::io::stdin().is_terminal() {
        bail!(
            "nothing was sent: there is no terminal to ask on; say --yes if it is to be done without asking"
        );
    }
    for notice in &settings.notices {
        eprintln!("note: {notice}");
    }
    // A node that is away is found out before a password is asked for.
    let chain = follow(wanted).await?;
    let key = open(settings, wanted).await?;
    let fees = settings.wallet.fees;
    let wallet = Wallet::new(chain, key, fees, None, top_ups(settings));
    let prepared = wallet.prepare(deed).await?;
    eprint!("{}", confirm::words(&prepared, &wanted.network.name));
    if !yes && !confirm::agreed()? {
        bail!("nothing was sent");
    }
    eprintln!(
        "sending; if it is in no block after {}, it is replaced, {} times at most",
        humantime::format_duration(fees.patience),
        fees.replacements
    );
    let done = tokio::select! {
        done = wallet.send(&prepared) => done?,
        () = super::interrupted() => return Err(WalletError::Ended.into()),
    };
    let status = account(settings, &wallet).await;
    if json {
        let status = status.as_ref().ok().map(Status::json);
        let answer = json!({ "done": crate::wallet::json(&done), "status": status });
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    println!("{}", confirm::done(&done));
    match status {
        Ok(status) => print!("{status}"),
        Err(error) => eprintln!("note: {error}"),
    }
    Ok(())
}

/// The account, with what was spent from wherever that is known.
async fn account(settings: &Settings, wallet: &Wallet) -> Result<Status, WalletError> {
    let mut status = wallet.status().await?;
    status.spend = spend::find(settings, status.account.sender.address).await;
    Ok(status)
}

/// The account of a remote signer, by its own word.
async fn of_signer(signer: &config::Signer, wanted: &config::Chain) -> Result<Wallet> {
    let (remote, origin) = (Remote::new(&signer.settings)?, signer.settings.origin());
    let asked = timeout(SIGNER, remote.introduce()).await;
    asked
        .map_err(anyhow::Error::from)
        .and_then(|answer| answer.map_err(anyhow::Error::from))
        .with_context(|| format!("the remote signer at {origin} does not say who it is"))?;
    let chain = follow(wanted).await?;
    Ok(Wallet::of_signer(remote, origin, Some(chain), None))
}

fn top_ups(settings: &Settings) -> Option<TopUps> {
    let wanted = settings.wallet.top_up;
    wanted.map(|wanted| TopUps::new(wanted, &settings.data.dir))
}

fn chain_of(settings: &Settings) -> Result<&config::Chain> {
    if let Some(signer) = &settings.signer {
        return Err(WalletError::Signer(signer.settings.origin()).into());
    }
    settings.chain.as_ref().context(
        "off-chain there is no wallet: say on which chain, with --network and --eth-url, or with the --config of the gateway",
    )
}

async fn follow(wanted: &config::Chain) -> Result<Chain> {
    let options = Options {
        poll: wanted.interval,
        ..Options::new(wanted.network.clone())
    };
    let chain = Chain::start(options, wanted.endpoints.clone(), rpc::Limits::default())
        .context("the chain cannot be read")?;
    chain.ready(READY).await?;
    Ok(chain)
}

/// The key. Where no password was given and there is somebody to ask, asks.
async fn open(settings: &Settings, wanted: &config::Chain) -> Result<Key> {
    let keystore = Keystore::find(&wanted.keystore, wanted.account)?;
    let given = settings
        .describe()
        .iter()
        .any(|setting| setting.key == "eth-password");
    let mut password = wanted.password.clone();
    if !given && std::io::stdin().is_terminal() {
        password = terminal::password(&format!("password of {}: ", keystore.address()))?;
    }
    let opening = tokio::task::spawn_blocking(move || keystore.open(&password));
    let opened = opening.await?;
    if !given
        && let Err(KeystoreError::File {
            error: V3Error::WrongPassword,
            ..
        }) = &opened
    {
        return opened.context("give the file with its password, with --eth-password");
    }
    opened.context("the key cannot be opened")
}
