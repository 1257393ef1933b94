//! The account that pays: where its money is, and moving it in and out of the TicketBroker.
//!
//! # Contract
//!
//! One service for everyone who asks: the command line, the admin API, the top-up. What is asked of the chain is asked anew, so that an answer is
//! never older than the question. A deed is checked before it costs anything, and refused with the numbers and with what to do instead; then
//! its gas is reckoned and capped, it is sent, and replaced when it is stuck. Deeds go one at a time. One that has begun goes on when whoever
//! asked for it is gone.
//!
//! With a remote signer the money is the signer's: its account is shown where the chain is followed, and every deed is refused with that reason.

mod deed;
mod error;
mod reserve;
mod spend;
mod status;
pub mod top_up;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pointsman_chain::keystore::Key;
use pointsman_chain::{Account, Chain, Deed, Done, Fees, Plan, Wallet as Hand};
use pointsman_payments::U256;
use pointsman_payments::ledger::Ledger;
use pointsman_payments::remote::Remote;
use pointsman_payments::signer::Signer as _;
use pointsman_wire::sign::Address;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

pub use error::{Shortage, WalletError};
pub(crate) use error::{about, gwei};
pub(crate) use reserve::ARBITRUM;
pub use reserve::{Reserve, Surcharge};
pub use spend::Spend;
pub use status::{Status, json};

use top_up::TopUps;

/// An account. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Wallet(Arc<Keeper>);

/// Who has the key.
#[derive(Debug)]
enum Keeper {
    /// This process, or at least the account's name.
    Own(Box<Own>),
    /// A remote signer.
    Signer(Box<Away>),
}

/// A key that is elsewhere.
#[derive(Debug)]
struct Away {
    remote: Remote,
    /// Scheme, host and port.
    origin: String,
    /// Where one is followed.
    chain: Option<Chain>,
    ledger: Option<Ledger>,
}

#[derive(Debug)]
struct Own {
    address: Address,
    chain: Chain,
    /// What signs and sends; `None`: the account is only looked at.
    hand: Option<Hand>,
    /// What was spent, where this process knows.
    ledger: Option<Ledger>,
    top_ups: Option<TopUps>,
    /// One deed at a time, its checks included.
    turn: Mutex<()>,
    /// The block of the last deed.
    last: AtomicU64,
}

/// How long a node may lag behind another that has seen the last deed.
const LAG: Duration = Duration::from_secs(30);
/// From one look to the next, until then.
const LOOK: Duration = Duration::from_millis(250);

/// A deed with its price, and the account that it was held against. Nothing is sent yet.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What it costs.
    pub plan: Plan,
    /// Where the money was when it was planned.
    pub account: Account,
}

// === impl Wallet ===

impl Wallet {
    /// The wallet of `key`.
    #[must_use]
    pub fn new(
        chain: Chain,
        key: Key,
        fees: Fees,
        ledger: Option<Ledger>,
        top_ups: Option<TopUps>,
    ) -> Self {
        Self(Arc::new(Keeper::Own(Box::new(Own {
            address: key.address(),
            hand: Some(Hand::new(chain.clone(), key, fees)),
            chain,
            ledger,
            top_ups,
            turn: Mutex::new(()),
            last: AtomicU64::new(0),
        }))))
    }

    /// An account without its key: only [`status`](Self::status) answers.
    #[must_use]
    pub fn look(chain: Chain, address: Address, top_ups: Option<TopUps>) -> Self {
        let own = Own::look(chain, address, None, top_ups);
        Self(Arc::new(Keeper::Own(Box::new(own))))
    }

    /// The wallet of a gateway whose money is the remote signer's at `origin`. [`status`](Self::status) answers where a chain is followed, once
    /// the signer has said who it is.
    #[must_use]
    pub fn of_signer(
        remote: Remote,
        origin: String,
        chain: Option<Chain>,
        ledger: Option<Ledger>,
    ) -> Self {
        Self(Arc::new(Keeper::Signer(Box::new(Away {
            remote,
            origin,
            chain,
            ledger,
        }))))
    }

    /// Whose it is; `None` where a remote signer has it.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        self.own().ok().map(|own| own.address)
    }

    /// Where the money is.
    ///
    /// # Errors
    ///
    /// When no node answers; [`WalletError::Signer`] where a remote signer's account is not known.
    pub async fn status(&self) -> Result<Status, WalletError> {
        match &*self.0 {
            Keeper::Own(own) => own.status().await,
            Keeper::Signer(away) => away.status().await,
        }
    }

    /// Adds to deposit and reserve, in wei, out of the account. Ends an unlocking that is under way.
    ///
    /// # Errors
    ///
    /// [`WalletError`]: only [`Unknown`](WalletError::Unknown), [`Reverted`](WalletError::Reverted) and [`Ended`](WalletError::Ended) mean
    /// that something was sent.
    pub async fn fund(&self, deposit: U256, reserve: U256) -> Result<Done, WalletError> {
        self.act(Deed::Fund { deposit, reserve }).await
    }

    /// Begins the wait after which deposit and reserve can be withdrawn. Nobody is paid from then on.
    ///
    /// # Errors
    ///
    /// As [`fund`](Self::fund).
    pub async fn unlock(&self) -> Result<Done, WalletError> {
        self.act(Deed::Unlock).await
    }

    /// Ends that wait.
    ///
    /// # Errors
    ///
    /// As [`fund`](Self::fund).
    pub async fn cancel_unlock(&self) -> Result<Done, WalletError> {
        self.act(Deed::CancelUnlock).await
    }

    /// Moves deposit and reserve back to the account.
    ///
    /// # Errors
    ///
    /// As [`fund`](Self::fund).
    pub async fn withdraw(&self) -> Result<Done, WalletError> {
        self.act(Deed::Withdraw).await
    }

    /// What transactions may cost; `None` where none are sent from here.
    #[must_use]
    pub fn fees(&self) -> Option<Fees> {
        Some(self.own().ok()?.hand.as_ref()?.fees())
    }

    /// Changes that, for deeds from now on.
    ///
    /// # Errors
    ///
    /// [`WalletError::Signer`] or [`WalletError::NoKey`].
    pub fn set_fees(&self, fees: Fees) -> Result<(), WalletError> {
        let own = self.own()?;
        own.hand()?.set_fees(fees);
        Ok(())
    }

    fn own(&self) -> Result<&Own, WalletError> {
        match &*self.0 {
            Keeper::Own(own) => Ok(own),
            Keeper::Signer(away) => Err(away.refusal()),
        }
    }
}

// === impl Own ===

impl Own {
    fn look(
        chain: Chain,
        address: Address,
        ledger: Option<Ledger>,
        top_ups: Option<TopUps>,
    ) -> Self {
        Self {
            address,
            hand: None,
            chain,
            ledger,
            top_ups,
            turn: Mutex::new(()),
            last: AtomicU64::new(0),
        }
    }

    async fn status(&self) -> Result<Status, WalletError> {
        let account = self.account().await?;
        let state = self.chain.state();
        let chain_id = state.as_ref().map_or(0, |state| state.chain_id);
        let claims = match account.sender.claimed.is_zero() {
            true => Vec::new(),
            false => {
                let active = state.iter().flat_map(|state| state.orchestrators.iter());
                let active: Vec<_> = active.map(|one| one.address).collect();
                let claimed = self.chain.claimed(self.address, &active).await?;
                claimed
                    .into_iter()
                    .filter(|(_, wei)| !wei.is_zero())
                    .collect()
            }
        };
        Ok(Status {
            signer: None,
            network: self.chain.network().name.clone(),
            chain_id,
            reserve: Reserve::new(&account, chain_id, claims),
            account,
            fees: self.hand.as_ref().map(Hand::fees),
            spend: self.ledger.as_ref().map(|ledger| ledger.totals().into()),
            top_ups: self.top_ups.as_ref().map(TopUps::standing),
        })
    }

    /// The account as of the last deed, or later: one node may not know yet what another has told, and what is asked of it would be done twice.
    async fn account(&self) -> Result<Account, WalletError> {
        let end = Instant::now() + LAG;
        loop {
            let account = self.chain.account(self.address).await?;
            let last = self.last.load(Ordering::Relaxed);
            if account.block >= last {
                return Ok(account);
            }
            if Instant::now() >= end {
                return Err(WalletError::Behind {
                    block: account.block,
                    last,
                });
            }
            sleep(LOOK).await;
        }
    }

    fn hand(&self) -> Result<&Hand, WalletError> {
        self.hand.as_ref().ok_or(WalletError::NoKey)
    }
}

// === impl Away ===

impl Away {
    async fn status(&self) -> Result<Status, WalletError> {
        let address = self.remote.address();
        let Some(chain) = self.chain.clone().filter(|_| !address.is_zero()) else {
            return Err(self.refusal());
        };
        let own = Own::look(chain, address, self.ledger.clone(), None);
        let status = own.status().await?;
        Ok(Status {
            signer: Some(self.origin.clone()),
            ..status
        })
    }

    fn refusal(&self) -> WalletError {
        WalletError::Signer(self.origin.clone())
    }
}
