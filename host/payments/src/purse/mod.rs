//! The purse: from an offer and a fee to the payment that goes with a job.
//!
//! # Contract
//!
//! ```text
//! offer ─► price ─► credit ─► parameters, limits, funds ─► ledger ─► signatures ─► header, receipt
//!            │        └ suffices: no ticket                  │
//!            └ above a ceiling, or doubled                   └ on disk before a ticket is signed
//! ```
//!
//! [`Purse::pay`] either returns a [`Paid`], whose header may be sent, or leaves everything as it was: credit, nonces and
//! spend. The [`Receipt`] in it must hear how the job ended; dropped, the payment counts as lost, which is what it is when a
//! task is cancelled in the middle of a request. An error has a [`Verdict`], and words for operators.
//!
//! Off-chain the same calls work and pay nothing: the header is empty, and every price is 0.
//!
//! # With a remote signer
//!
//! The same way, but for its end: credit says how many tickets are needed, they are entered in the ledger, and the
//! [signer](crate::remote) is asked for them. What holds:
//!
//! - **Spend** is on disk before the signer is asked. Its payment is decoded: where it made another number of tickets, they are entered
//!   anew before they leave. What is not sent does not count with the signer either.
//! - **Limits and caps**, of tickets, payments, jobs, keys and days, are checked before the signer is asked with the number that is needed, and
//!   again with the number that it made where that is another.
//! - **Nonces** are the signer's, and not known before: the ledger's for them are only counted.
//! - **Prices.** Ceilings, and the doubling of a session's price, are checked before the signer is asked. It has ceilings of its own.
//! - **Credit** is kept and drawn down as ever: the signer is asked only where credit does not suffice.
//! - **Funds and expiry** are the signer's to know. They are checked here too where the gateway follows a chain.
//!
//! Orchestrators that ask for no tickets are neither paid nor signed for: they go on whatever the signer does.
//!
//! ```no_run
//! # use pointsman_payments::{fee, purse::{Charge, PayError, Purse}};
//! # use pointsman_wire::{net::OrchestratorInfo, profile::Profile};
//! # async fn segment(purse: &Purse, info: &OrchestratorInfo, profiles: &[Profile]) -> Result<(), PayError> {
//! let offer = purse.offer(info)?;
//! let fee = fee::video(profiles, 2000, offer.price());
//! let charge = Charge {
//!     offer: &offer,
//!     balance: offer.session(),
//!     recipient: None,
//!     fee: &fee,
//!     first_price: None,
//!     ceiling: None,
//!     job: "stream",
//!     key: None,
//!     workload: "transcode",
//! };
//! let paid = purse.pay(&charge).await?;
//! // The segment goes with `paid.header`; its result says how many pixels were encoded.
//! let pixels = 8_207_136;
//! paid.receipt.accepted(fee::encoded(pixels, offer.price()));
//! # Ok(())
//! # }
//! ```
//!
//! # Tokens and credit
//!
//! Credit dies with the session that it was bought in. [`Purse::must_renew`] therefore keeps a session whose token or ticket
//! parameters are about to expire while its credit pays for the next job, up to [`LAST_SECONDS`] before the token's end;
//! such jobs need neither a ticket nor parameters. go-livepeer renews three minutes before the end and drops what is left.

mod by_signer;
mod charge;
mod error;
mod offer;
mod receipt;

#[cfg(test)]
mod tests;

pub use by_signer::PaidRemotely;
pub use charge::Charge;
pub use error::{PayError, TooDear};
pub use offer::Offer;
pub use receipt::Receipt;

use std::sync::Arc;

use parking_lot::RwLock;
use pointsman_wire::amount::{Ratio, U256, ceil};
use pointsman_wire::net::OrchestratorInfo;
use pointsman_wire::payment;
use pointsman_wire::segment::Order;
use pointsman_wire::sign::{Address, orchestrator_request_message};
use pointsman_wire::ticket::{MAX_NONCES, Params};

use crate::balance::{Balances, Ending, Key};
use crate::fee::Fee;
use crate::ledger::Ledger;
use crate::params::{Limits, Unpayable, check};
use crate::remote::{Accounts, MAX_TICKETS, Remote, RemoteError};
use crate::signer::{Batch, Nobody, SignError, Signer};
use crate::standing::{CannotPay, Funds, Lack, Standing};

/// A token with less left is renewed whatever credit there is: an answer may take a while.
pub const LAST_SECONDS: i64 = 15;

/// What pays for all jobs of the process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Purse(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    signer: Arc<dyn Signer>,
    identity: Vec<u8>,
    remote: Option<Accounts>,
    ledger: Option<Ledger>,
    limits: Limits,
    balances: Balances,
    standing: RwLock<Option<Standing>>,
}

/// A payment that may be sent.
#[derive(Debug)]
#[must_use = "what is paid and not sent must be settled"]
pub struct Paid {
    /// Value of `Livepeer-Payment`.
    pub header: String,
    /// Hears how it went.
    pub receipt: Receipt,
}

// === impl Purse ===

impl Purse {
    /// A purse that pays nobody.
    #[must_use]
    pub fn off_chain() -> Self {
        Self::with(Arc::new(Nobody), Vec::new(), None, None, Limits::default())
    }

    /// A purse that pays by `signer` and enters all of it in `ledger`. It pays nothing before [`observe`](Self::observe) has
    /// told it of the chain.
    ///
    /// # Errors
    ///
    /// When the signer cannot even say who it is.
    pub fn new(signer: Arc<dyn Signer>, ledger: Ledger, limits: Limits) -> Result<Self, SignError> {
        let message = orchestrator_request_message(signer.address());
        let identity = signer.sign_message(message.as_bytes())?;
        Ok(Self::with(signer, identity, None, Some(ledger), limits))
    }

    /// A purse whose payments `remote` makes, and that enters all of it in `ledger`. It pays nothing before the signer has said who it
    /// is. What [`observe`](Self::observe) tells is checked too, but nothing waits for it.
    #[must_use]
    pub fn remote(remote: Remote, ledger: Ledger, limits: Limits) -> Self {
        let accounts = Accounts::new(remote.clone());
        let signer = Arc::new(remote);
        Self::with(signer, Vec::new(), Some(accounts), Some(ledger), limits)
    }

    fn with(
        signer: Arc<dyn Signer>,
        identity: Vec<u8>,
        remote: Option<Accounts>,
        ledger: Option<Ledger>,
        limits: Limits,
    ) -> Self {
        Self(Arc::new(Inner {
            signer,
            identity,
            remote,
            ledger,
            limits,
            balances: Balances::default(),
            standing: RwLock::new(None),
        }))
    }

    /// Takes note of the chain: call it whenever that changes.
    pub fn observe(&self, standing: Standing) {
        *self.0.standing.write() = Some(standing);
    }

    /// Whether anything is ever paid.
    #[must_use]
    pub fn pays(&self) -> bool {
        self.0.ledger.is_some()
    }

    /// Who asks for offers: address and signature for GetOrchestrator. Off-chain, and before a remote signer has answered, the zero
    /// address and none.
    #[must_use]
    pub fn identity(&self) -> (Address, Vec<u8>) {
        let address = self.0.signer.address();
        if self.0.remote.is_none() {
            return (address, self.0.identity.clone());
        }
        let message = orchestrator_request_message(address);
        let signature = self.0.signer.sign_message(message.as_bytes());
        (address, signature.unwrap_or_default())
    }

    /// Signs what a segment's header covers; empty off-chain.
    ///
    /// # Errors
    ///
    /// When the signer signs no segments, or fails.
    pub async fn sign_segment(&self, order: &Order<'_>) -> Result<Vec<u8>, PayError> {
        match &self.0.remote {
            Some(accounts) => Ok(accounts.remote.sign_segment(order).await?),
            None => Ok(self.0.signer.sign_message(&order.preimage())?),
        }
    }

    /// Reads an offer. Off-chain its price is 0, whatever it says; with a remote signer that of an orchestrator that asks for no
    /// tickets is, as it is off-chain itself.
    ///
    /// # Errors
    ///
    /// When it names no price, or its ticket parameters cannot be read.
    pub fn offer(&self, info: &OrchestratorInfo) -> Result<Offer, PayError> {
        let asks = self.0.remote.is_none() || info.ticket_params.is_some();
        match self.pays() && asks {
            true => Offer::read(info),
            false => Ok(Offer::unpaid(info)),
        }
    }

    /// Makes the payment that goes with a job.
    ///
    /// # Errors
    ///
    /// [`PayError`]; nothing has changed then. Dropped before it returns, nothing has left either.
    pub async fn pay(&self, charge: &Charge<'_>) -> Result<Paid, PayError> {
        let offer = charge.offer;
        let Some(ledger) = self.0.ledger.as_ref().filter(|_| !offer.is_unpaid()) else {
            return Ok(Paid {
                header: payment::encode(None),
                receipt: Receipt::free(),
            });
        };
        charge.check_price()?;
        let sender = self.0.signer.address();
        let ticketless = || payment::encode(Some(&payment::ticketless(sender, offer.price_info())));
        if offer.price().is_free() {
            return Ok(Paid {
                header: ticketless(),
                receipt: Receipt::free(),
            });
        }
        let params = offer.params().ok_or(Unpayable::Missing)?;
        charge.check_recipient(params)?;

        let value = params.expected_value();
        let key = charge.account(params);
        let mut hold = self.0.balances.hold(key, &charge.fee.wei, &value);
        hold.otherwise(Ending::Unsent);
        let tickets = hold.tickets();
        if tickets == 0 {
            let header = ticketless();
            return Ok(Paid {
                header,
                receipt: Receipt::by_credit(hold),
            });
        }
        let standing = self.standing(params)?;
        check(Some(params), tickets, &standing, &self.0.limits)?;
        let most = match &self.0.remote {
            Some(_) => MAX_TICKETS as u32,
            None => MAX_NONCES,
        };
        if tickets > most {
            return Err(PayError::Tickets {
                tickets,
                fee: ceil(&charge.fee.wei),
                value: ceil(&value),
                most,
            });
        }
        if let Some(accounts) = &self.0.remote {
            return self.made_by(accounts, ledger, charge, params, hold).await;
        }
        let draft = charge.draft(params, sender, value, tickets);
        let issued = ledger.draft(draft).await?;
        let receipt = Receipt::drafted(Some(hold), ledger.clone(), &issued, params);
        let batch = Batch {
            params: *params,
            expiration: standing.round,
            first_nonce: issued.first_nonce,
            count: issued.count,
        };
        let signed = self.0.signer.sign_tickets(&batch).await?;
        let round = params.expiration.unwrap_or(standing.round);
        let message = payment::with_tickets(
            sender,
            offer.params_message(),
            round,
            signed,
            offer.price_info(),
        );
        Ok(Paid {
            header: payment::encode(Some(&message)),
            receipt: receipt.leaving(),
        })
    }

    /// Whether the session must be renewed before `fee` is paid from it. `now` is in unix seconds.
    #[must_use]
    pub fn must_renew(&self, offer: &Offer, balance: &str, fee: &Fee, now: i64) -> bool {
        let left = offer.token_expires().saturating_sub(now);
        let Some(params) = offer.params().filter(|_| self.pays()) else {
            return offer.token_is_old(now);
        };
        let needed = (&fee.wei).max(&params.expected_value()).clone();
        let covered = self.credit(params.recipient, balance) >= needed;
        let expired =
            self.0.standing.read().is_some_and(|standing| {
                params.expiration_block.saturating_sub(standing.l1_block) <= 1
            });
        let old = offer.token_is_old(now) || (expired && !offer.price().is_free());
        left <= LAST_SECONDS || (old && !covered)
    }

    /// Credit that is not spoken for, in wei.
    #[must_use]
    pub fn credit(&self, recipient: Address, balance: &str) -> Ratio {
        self.0.balances.credit(&Key {
            recipient,
            session: balance.to_owned(),
        })
    }

    /// All credit.
    #[must_use]
    pub fn balances(&self) -> &Balances {
        &self.0.balances
    }

    /// Why nobody can be paid now for want of money, if so.
    #[must_use]
    pub fn cannot_pay(&self) -> Option<CannotPay> {
        if !self.pays() {
            return None;
        }
        let standing = *self.0.standing.read();
        let funds = |standing: Standing| standing.check(U256::ZERO).err();
        match standing {
            // A remote signer knows what it has.
            None | Some(Standing { funds: None, .. }) if self.0.remote.is_some() => None,
            None => Some(unknown(U256::ZERO)),
            Some(standing) => funds(standing),
        }
    }

    /// Why nobody can be paid now, whatever the reason, in words for operators.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let remote = self.0.remote.as_ref().map(|accounts| &accounts.remote);
        let signer = remote.and_then(|remote| match remote.signs_segments() {
            Some(false) => Some(RemoteError::Segments),
            _ => remote.trouble(),
        });
        match signer {
            Some(error) => Some(format!("cannot pay: {error}")),
            None => self.cannot_pay().map(|cannot| cannot.to_string()),
        }
    }

    /// Why nobody who asks for tickets can ever be paid for a segment, if so.
    #[must_use]
    pub fn never_pays(&self) -> Option<String> {
        let remote = &self.0.remote.as_ref()?.remote;
        let signs = remote.signs_segments()?;
        (!signs).then(|| RemoteError::Segments.to_string())
    }

    fn standing(&self, params: &Params) -> Result<Standing, Unpayable> {
        let standing = *self.0.standing.read();
        if self.0.remote.is_none() {
            return standing.ok_or_else(|| Unpayable::Funds(unknown(params.face_value)));
        }
        let mut standing = standing.unwrap_or_default();
        standing.funds.get_or_insert(Funds {
            deposit: U256::MAX,
            reserve: U256::MAX,
            withdraw_round: 0,
        });
        Ok(standing)
    }
}

fn unknown(needed: U256) -> CannotPay {
    CannotPay {
        lack: Lack::Unknown,
        funds: Funds::default(),
        needed,
        round: 0,
    }
}
