//! The gateway's money: its key, the chain, the ledger and the purse, opened together.
//!
//! # Contract
//!
//! Off-chain there is none of it. On a chain nothing is paid before all of it is there: a key that opens, a ledger that can be
//! written. What may be away is the chain: a gateway whose nodes do not answer starts with what it last knew, says so, and pays as
//! soon as it knows what it has.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use parking_lot::Mutex;
use pointsman_chain::keystore::Keystore;
use pointsman_chain::{Chain, Options, State, rpc};
use pointsman_directory::Terms;
use pointsman_payments::U256;
use pointsman_payments::ledger::{self, Ledger, Totals};
use pointsman_payments::params::{self, Limits};
use pointsman_payments::purse::Purse;
use pointsman_payments::signer::{Key, Signer as _};
use pointsman_payments::standing::{CannotPay, Funds, Standing};
use pointsman_wire::net::{OrchestratorInfo, OrchestratorRequest};
use pointsman_wire::sign::Address;
use pointsman_wire::ticket::Expiration;

use tokio::sync::watch;

use crate::config::{self, Settings};

mod show;

/// What pays.
#[derive(Clone, Debug)]
pub struct Money {
    address: Address,
    chain: Chain,
    ledger: Ledger,
    purse: Purse,
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
        let Some(wanted) = &settings.chain else {
            return Ok(None);
        };
        let key = open_key(wanted).await?;
        let address = key.address();
        let path = settings.data.dir.join("ledger.sqlite3");
        let options = ledger::Options {
            caps: settings.payments.caps,
            ..ledger::Options::default()
        };
        let opening = tokio::task::spawn_blocking(move || Ledger::open(path, options));
        let ledger = opening.await?.context("nothing can be paid")?;
        let options = Options {
            sender: Some(address),
            snapshot: Some(settings.data.dir.join("chain.sqlite3")),
            poll: wanted.interval,
            ..Options::new(wanted.network.clone())
        };
        let chain = Chain::start(options, wanted.endpoints.clone(), rpc::Limits::default())
            .context("the chain cannot be followed")?;
        if let Err(error) = chain.ready(READY).await {
            tracing::warn!(%error, "the gateway starts without the chain: nothing is paid until a node answers");
        }
        let limits = settings.payments.limits.clone();
        let purse = Purse::new(Arc::new(key), ledger.clone(), limits.clone())
            .context("the gateway cannot sign")?;
        // Before the state is read, so that none in between is missed.
        let changes = chain.changes();
        let known = standing(chain.state().as_deref());
        purse.observe(known);
        let told = Arc::new(Mutex::new(known));
        tokio::spawn(tell(changes, purse.clone(), told.clone()));
        Ok(Some(Self {
            address,
            chain,
            ledger,
            purse,
            limits,
            told,
        }))
    }

    /// What pays.
    #[must_use]
    pub fn purse(&self) -> &Purse {
        &self.purse
    }

    /// What orchestrators are asked in general: signed, since they answer nobody else.
    #[must_use]
    pub fn request(&self) -> OrchestratorRequest {
        let (address, signature) = self.purse.identity();
        OrchestratorRequest {
            address: address.to_vec(),
            sig: signature.to_vec(),
            ..Default::default()
        }
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
            let checked = params::check(offer.params(), 1, &rich, &limits);
            checked.err().map(|error| error.to_string())
        })
    }

    /// Whose money it is.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// What was spent.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.ledger.totals()
    }

    /// What the start-up block says.
    #[must_use]
    pub fn line(&self) -> String {
        let (address, network) = (self.address, &self.chain.network().name);
        match self.trouble() {
            Some(trouble) => format!("{address} on {network}: {trouble}"),
            None => format!("{address} on {network}"),
        }
    }

    /// Why nobody can be paid now.
    #[must_use]
    pub fn trouble(&self) -> Option<CannotPay> {
        self.purse.cannot_pay()
    }

    /// Writes everything and closes.
    pub async fn close(self) {
        if let Err(error) = self.ledger.close().await {
            tracing::error!(%error, "the ledger did not close in order: open payments will be listed as unconfirmed");
        }
    }
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
async fn open_key(wanted: &config::Chain) -> Result<Key> {
    let wanted = wanted.clone();
    let opening = tokio::task::spawn_blocking(move || {
        Keystore::find(&wanted.keystore, wanted.account)?.open(&wanted.password)
    });
    let key = opening
        .await?
        .context("the gateway's key cannot be opened")?;
    Ok(Key::new(key.signer().clone()))
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
