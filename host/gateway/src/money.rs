//! The gateway's money: its key, the chain, the ledger and the purse, opened together.
//!
//! # Contract
//!
//! Off-chain there is none of it. On a chain nothing is paid before all of it is there: a key that opens, a ledger that can be
//! written. What may be away is the chain: a gateway whose nodes do not answer starts with what it last knew, says so, and pays as
//! soon as it knows what it has.
//!
//! With a remote [`signer`] there is no key and no wallet, and there need be no chain: it knows what it has. It too may be away.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use parking_lot::Mutex;
use pointsman_chain::keystore::{self, Keystore};
use pointsman_chain::{Chain, Options, State, rpc};
use pointsman_directory::{Ask, Terms};
use pointsman_payments::U256;
use pointsman_payments::ledger::{self, Ledger, Totals};
use pointsman_payments::params::{self, Limits};
use pointsman_payments::purse::Purse;
use pointsman_payments::signer::Key;
use pointsman_payments::standing::{Funds, Standing};
use pointsman_transport::Connections;
use pointsman_wire::net::OrchestratorInfo;
use pointsman_wire::sign::Address;
use pointsman_wire::ticket::Expiration;

use tokio::sync::watch;

use crate::config::{self, Settings};
use crate::wallet::Wallet;
use crate::wallet::top_up::TopUps;

mod prices;
mod registry;
mod show;
pub mod signer;
mod spending;

pub use prices::{gauge as gauge_ceiling, live as max_prices};

/// What pays.
#[derive(Clone, Debug)]
pub struct Money {
    /// `None` with a remote signer and without a network.
    chain: Option<Chain>,
    ledger: Ledger,
    purse: Purse,
    wallet: Wallet,
    signer: Option<signer::Watched>,
    limits: Limits,
    /// What the purse was told of the chain.
    told: Arc<Mutex<Standing>>,
}

/// How long the start waits for the chain; then it goes on with what was known before.
const READY: Duration = Duration::from_secs(10);

// === impl Money ===

impl Money {
    /// Opens it all. `None` off-chain.
    ///
    /// # Errors
    ///
    /// When the key cannot be opened, or the ledger cannot be written.
    pub async fn open(settings: &Settings) -> Result<Option<Self>> {
        if settings.chain.is_none() && settings.signer.is_none() {
            return Ok(None);
        }
        let remote = match &settings.signer {
            Some(wanted) => Some(signer::open(wanted).await?),
            None => None,
        };
        let key = match &settings.chain {
            Some(wanted) if remote.is_none() => Some(open_key(wanted).await?),
            _ => None,
        };
        let path = settings.data.dir.join("ledger.sqlite3");
        let options = ledger::Options {
            caps: settings.payments.caps,
            ..ledger::Options::default()
        };
        let opening = tokio::task::spawn_blocking(move || Ledger::open(path, options));
        let ledger = opening.await?.context("nothing can be paid")?;
        let sender = match (&key, &remote) {
            (Some(key), _) => Some(key.address()),
            (None, Some(remote)) => remote.address(),
            (None, None) => None,
        };
        let chain = match &settings.chain {
            Some(wanted) => Some(follow(wanted, settings, sender).await?),
            None => None,
        };
        let limits = settings.payments.limits.clone();
        let top_ups = settings.wallet.top_up;
        let top_ups = top_ups.map(|wanted| TopUps::new(wanted, &settings.data.dir));
        let fees = settings.wallet.fees;
        let wallet = match (&key, &chain, &remote) {
            (Some(key), Some(chain), _) => Wallet::new(
                chain.clone(),
                key.clone(),
                fees,
                Some(ledger.clone()),
                top_ups,
            ),
            (_, _, Some(remote)) => Wallet::of_signer(
                remote.remote().clone(),
                remote.origin().to_owned(),
                chain.clone(),
                Some(ledger.clone()),
            ),
            _ => return Ok(None),
        };
        let purse = match (key, &remote) {
            (Some(key), _) => {
                let key = Arc::new(Key::new(key.signer().clone()));
                Purse::new(key, ledger.clone(), limits.clone())
                    .context("the gateway cannot sign")?
            }
            (None, Some(remote)) => {
                Purse::remote(remote.remote().clone(), ledger.clone(), limits.clone())
            }
            (None, None) => return Ok(None),
        };
        let told = Arc::new(Mutex::new(Standing::default()));
        if let Some(chain) = &chain {
            // Before the state is read, so that none in between is missed.
            let changes = chain.changes();
            let known = standing(chain.state().as_deref());
            purse.observe(known);
            *told.lock() = known;
            tokio::spawn(tell(changes, purse.clone(), told.clone()));
        }
        Ok(Some(Self {
            chain,
            ledger,
            purse,
            wallet,
            signer: remote,
            limits,
            told,
        }))
    }

    /// What pays.
    #[must_use]
    pub fn purse(&self) -> &Purse {
        &self.purse
    }

    /// Its account, to fund and to withdraw. With a remote signer it says that the money is there.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// The chain, where one is followed.
    #[must_use]
    pub fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    /// The remote signer, if one pays.
    #[must_use]
    pub fn signer(&self) -> Option<&signer::Watched> {
        self.signer.as_ref()
    }

    /// What asks orchestrators in general, signed: they answer nobody else. A remote signer may say only later who it is.
    #[must_use]
    pub fn asking(&self, connections: Connections) -> Arc<dyn Ask> {
        Arc::new(signer::Signed::new(connections, self.purse.clone()))
    }

    /// What leaves out those who ask for tickets that are never made. What our own money or the time is the reason for passes: that
    /// is said when they are paid.
    #[must_use]
    pub fn terms(&self) -> Terms {
        let (purse, limits) = (self.purse.clone(), self.limits.clone());
        let rich = Standing {
            l1_block: 0,
            round: Expiration::default(),
            funds: Some(Funds {
                deposit: U256::MAX,
                reserve: U256::MAX,
                withdraw_round: 0,
            }),
        };
        Terms::new(move |info: &OrchestratorInfo| {
            let offer = match purse.offer(info) {
                Ok(offer) => offer,
                Err(error) => return Some(error.to_string()),
            };
            if offer.is_unpaid() {
                return None;
            }
            if let Some(why) = purse.never_pays() {
                return Some(why);
            }
            let checked = params::check(offer.params(), 1, &rich, &limits);
            checked.err().map(|error| error.to_string())
        })
    }

    /// Whose money it is; zero while a remote signer has not said so.
    #[must_use]
    pub fn address(&self) -> Address {
        self.purse.identity().0
    }

    /// What was spent.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.ledger.totals()
    }

    /// What the start-up block says.
    #[must_use]
    pub fn line(&self) -> String {
        let address = self.address();
        let by = match (&self.signer, &self.chain) {
            (Some(signer), _) if address.is_zero() => format!("by {}", signer.origin()),
            (Some(signer), _) => format!("{address} by {}", signer.origin()),
            (None, Some(chain)) => format!("{address} on {}", chain.network().name),
            (None, None) => address.to_string(),
        };
        match self.trouble() {
            Some(trouble) => format!("{by}: {trouble}"),
            None => by,
        }
    }

    /// Why nobody can be paid now.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.purse.trouble()
    }

    /// Writes everything and closes.
    pub async fn close(self) {
        if let Err(error) = self.ledger.close().await {
            tracing::error!(%error, "the ledger did not close in order: open payments will be listed as unconfirmed");
        }
    }
}

/// Follows a chain; without one that answers the gateway starts all the same.
async fn follow(
    wanted: &config::Chain,
    settings: &Settings,
    sender: Option<Address>,
) -> Result<Chain> {
    let options = Options {
        sender,
        snapshot: Some(settings.data.dir.join("chain.sqlite3")),
        poll: wanted.interval,
        ..Options::new(wanted.network.clone())
    };
    let chain = Chain::start(options, wanted.endpoints.clone(), rpc::Limits::default())
        .context("the chain cannot be followed")?;
    if let Err(error) = chain.ready(READY).await {
        tracing::warn!(%error, "the gateway starts without the chain: nothing is paid until a node answers");
    }
    Ok(chain)
}

/// Tells the purse whatever is new, until the chain is followed no more.
async fn tell(
    mut changes: watch::Receiver<Option<Arc<State>>>,
    purse: Purse,
    told: Arc<Mutex<Standing>>,
) {
    while changes.changed().await.is_ok() {
        let state = changes.borrow_and_update().clone();
        let known = standing(state.as_deref());
        purse.observe(known);
        *told.lock() = known;
    }
}

/// Decrypting takes a second of one core.
async fn open_key(wanted: &config::Chain) -> Result<keystore::Key> {
    let wanted = wanted.clone();
    let opening = tokio::task::spawn_blocking(move || {
        Keystore::find(&wanted.keystore, wanted.account)?.open(&wanted.password)
    });
    opening.await?.context("the gateway's key cannot be opened")
}

/// The chain as paying sees it.
fn standing(state: Option<&State>) -> Standing {
    let Some(state) = state else {
        return Standing {
            l1_block: 0,
            round: Expiration::default(),
            funds: None,
        };
    };
    let round = &state.round;
    // Arbitrum knows no hash for some rounds; tickets are then bound to the one before.
    let round = match round.hash.is_zero() {
        false => Expiration {
            round: round.last_initialized,
            block_hash: round.hash,
        },
        true => Expiration {
            round: round.last_initialized.saturating_sub(1),
            block_hash: round.previous_hash,
        },
    };
    Standing {
        l1_block: state.l1_block,
        round,
        funds: state.sender.map(|sender| Funds {
            deposit: sender.deposit,
            reserve: sender.reserve,
            withdraw_round: sender.withdraw_round.saturating_to(),
        }),
    }
}
