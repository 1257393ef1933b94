//! The side of an orchestrator that is paid: it makes ticket parameters, takes payments, keeps balances, redeems winners.
//!
//! # Contract
//!
//! A [`Recipient`] behaves as go-livepeer's where a sender can see it: parameters whose secret it finds again by an HMAC,
//! checks of a payment in the protocol's order and words, credit by expected value, at most 600 nonces for a hash, one fixed
//! price a session. It lives as long as the orchestrator's process would; what is on the chain, and winners that are not
//! yet redeemed, outlive it ([`Account`]).
//!
//! # What it knows of the chain
//!
//! It asks, for every offer and every payment, and remembers nothing: one call to a contract of the devnet's own answers
//! all. A real one follows events and can be behind by seconds; a test would have to wait for it.
//!
//! # Where it differs
//!
//! A winner that comes again is not queued again, and a redemption that reverts is given up; the real one tries some hundred
//! times a second until the round ends.
//!
//! Protocol: `payments` §1.4, §4.2, §6, §7.

mod book;
mod params;
mod receive;
mod redeem;
mod takings;

use std::sync::Arc;

use alloy::primitives::{Address, U256};
use alloy::signers::local::PrivateKeySigner;
use parking_lot::Mutex;
use pointsman_wire::net::{PriceInfo, TicketParams};
use pointsman_wire::ticket::RandSecret;

use crate::chain::abi::{Controller, Lens};
use crate::chain::{LENS, Rpc, RpcError, Standing, contract_id, key};
use crate::payments::{ChainProfile, Payments};
use crate::price::Price;
use book::Book;
pub(crate) use params::InsufficientReserve;
pub(crate) use receive::PaymentError;
use redeem::Queue;
pub use takings::Takings;
use takings::Tally;

/// The contracts that an orchestrator has to do with.
#[derive(Debug)]
pub(crate) struct View {
    rpc: Rpc,
    lens: Address,
    ticket_broker: Address,
    rounds_manager: Address,
}

/// What outlives the orchestrator's process: its key, its settings, its winners, its counts.
#[derive(Debug)]
pub(crate) struct Account {
    key: PrivateKeySigner,
    settings: Payments,
    view: Arc<View>,
    queue: Queue,
    tally: Tally,
}

/// What dies with it: its secret, its senders' balances, the nonces it has seen.
#[derive(Debug)]
pub(crate) struct Recipient {
    pub(crate) account: Arc<Account>,
    secret: RandSecret,
    book: Mutex<Book>,
}

/// What it asks of one sender, for one session.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) price: PriceInfo,
    pub(crate) params: TicketParams,
    pub(crate) address: Address,
}

// === impl View ===

impl View {
    /// Finds the contracts.
    pub(crate) async fn connect(profile: &ChainProfile) -> Result<Self, RpcError> {
        let rpc = Rpc::new(&profile.rpc)?;
        let find = async |name: &str| -> Result<Address, RpcError> {
            let id = contract_id(name);
            let call = Controller::getContractCall { id };
            match rpc.call(profile.controller, &call).await? {
                Address::ZERO => Err(RpcError::Nonsense(format!(
                    "the Controller at {} knows no {name}: it is not of a devnet",
                    profile.controller
                ))),
                address => Ok(address),
            }
        };
        let (lens, ticket_broker, rounds_manager) =
            tokio::try_join!(find(LENS), find("TicketBroker"), find("RoundsManager"))?;
        Ok(Self {
            rpc,
            lens,
            ticket_broker,
            rounds_manager,
        })
    }

    pub(crate) async fn standing(
        &self,
        sender: Address,
        recipient: Address,
    ) -> Result<Standing, RpcError> {
        let call = Lens::standingCall { sender, recipient };
        self.rpc.call(self.lens, &call).await
    }
}

// === impl Account ===

impl Account {
    pub(crate) fn new(settings: Payments, view: Arc<View>) -> Self {
        Self {
            key: key(settings.account),
            settings,
            view,
            queue: Queue::default(),
            tally: Tally::default(),
        }
    }

    pub(crate) fn address(&self) -> Address {
        self.key.address()
    }

    /// Signs requests' answers with it.
    pub(crate) fn key(&self) -> &PrivateKeySigner {
        &self.key
    }

    pub(crate) fn takings(&self) -> Takings {
        self.tally.read(self.address(), self.queue.len())
    }
}

// === impl Recipient ===

impl Recipient {
    /// A recipient with a secret of its own, and an empty book.
    pub(crate) fn new(account: Arc<Account>) -> Self {
        let mut secret = [0; 32];
        fastrand::fill(&mut secret);
        Self {
            account,
            secret: RandSecret::new(secret),
            book: Mutex::new(Book::default()),
        }
    }

    pub(crate) fn address(&self) -> Address {
        self.account.address()
    }

    /// What the chain says of a sender now.
    pub(crate) async fn standing(&self, sender: Address) -> Result<Standing, RpcError> {
        self.account.view.standing(sender, self.address()).await
    }

    /// What it asks of a sender: `price`, or what the session began with, so many times, and fresh parameters.
    pub(crate) fn terms(
        &self,
        sender: Address,
        session: Option<&str>,
        price: Option<Price>,
        times: u32,
        standing: &Standing,
    ) -> Result<Terms, InsufficientReserve> {
        let settings = &self.account.settings;
        let pending = self.account.queue.pending(sender);
        let fixed = session.and_then(|session| self.book.lock().price(sender, session));
        let price = match fixed {
            Some(price) => params::info(&price),
            None => params::price(settings, price, standing, pending)?,
        };
        let price = params::times(price, times);
        let face_value = params::face_value(settings, &price, standing, pending)?;
        let mut seed = [0; 32];
        fastrand::fill(&mut seed);
        let seed = U256::from_be_bytes(seed);
        let params = params::make(
            &self.secret,
            self.address(),
            sender,
            face_value,
            seed,
            &price,
            settings,
            standing,
        );
        Ok(Terms {
            price,
            params: params.message(),
            address: self.address(),
        })
    }

    /// The price that a session began with, if it has one.
    pub(crate) fn fixed_price(&self, sender: Address, session: &str) -> Option<PriceInfo> {
        let price = self.book.lock().price(sender, session)?;
        Some(params::info(&price))
    }

    /// Whether a session's credit reaches a ticket's worth: no more is asked, however large the job.
    pub(crate) fn covers(&self, sender: Address, session: &str) -> bool {
        let least = pointsman_wire::amount::whole(U256::from(self.account.settings.ticket_ev));
        self.book.lock().balance(sender, session) >= Some(least)
    }

    /// Takes what work cost from a session's credit, which may go below 0.
    pub(crate) fn debit(&self, sender: Address, session: &str, price: &PriceInfo, units: i64) {
        let Some(price) = params::ratio(price) else {
            return;
        };
        let fee = price * pointsman_wire::amount::Ratio::from_integer(units.into());
        self.account.tally.debited(&fee);
        self.book.lock().debit(sender, session, &fee);
    }
}
