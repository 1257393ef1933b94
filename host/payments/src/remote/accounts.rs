//! Work that is paid by the unit: what the signer is asked for, so that it makes as many tickets as are needed.
//!
//! # Why its books are kept here too
//!
//! The signer keeps a balance of its own in the state: tickets that it made, less the units that it was told of. Where that covers
//! what it is asked to pay it makes no ticket (482) and changes nothing, so whoever asks for the same units again is told the same
//! for ever, while the orchestrator's balance sinks. What a segment costs is known after it is done, and credit is ours to
//! draw down, so the purse says how many tickets it needs, and [`Books::units`] turns that into the units that those tickets buy at
//! the signer's own price, with what is left over from before. What a 482 left unbilled is asked for with the next payment.
//!
//! # Why an account for each session
//!
//! An orchestrator keeps the balance of segments by session, and a signer's state holds one price from its first payment on. A new
//! session begins both anew.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use num_traits::{Signed as _, ToPrimitive as _, Zero as _};
use parking_lot::Mutex;
use pointsman_wire::amount::Ratio;
use tokio::sync::Mutex as Turn;
use tokio::time::Instant;

use super::{Remote, Stream};
use crate::balance::Key;
use crate::price::Price;

/// An account that was not used for so long is forgotten: its session is over.
const IDLE: Duration = Duration::from_secs(60 * 60);

/// One session's account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) stream: Stream,
    /// One payment at a time.
    pub(crate) books: Turn<Books>,
}

/// The signer's balance, as its own arithmetic has it.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// Wei of tickets that no unit was billed for.
    balance: Ratio,
    /// What a unit costs there; `None` before the first payment.
    price: Option<Price>,
    /// Units that a 482 left unbilled.
    unbilled: i64,
}

/// All accounts with one signer.
#[derive(Debug)]
pub(crate) struct Accounts {
    pub(crate) remote: Remote,
    by_key: Mutex<HashMap<Key, (Arc<Account>, Instant)>>,
}

// === impl Accounts ===

impl Accounts {
    pub(crate) fn new(remote: Remote) -> Self {
        Self {
            remote,
            by_key: Mutex::default(),
        }
    }

    pub(crate) fn account(&self, key: &Key) -> Arc<Account> {
        let mut accounts = self.by_key.lock();
        let now = Instant::now();
        if !accounts.contains_key(key) {
            accounts.retain(|_, (_, used)| now - *used < IDLE);
        }
        let open = || Account {
            stream: self.remote.stream(),
            books: Turn::default(),
        };
        let (account, used) = accounts
            .entry(key.clone())
            .or_insert_with(|| (Arc::new(open()), now));
        *used = now;
        account.clone()
    }
}

// === impl Books ===

impl Books {
    /// Units for which the signer makes `tickets`, at `price` if this is the first payment.
    pub(crate) fn units(&self, tickets: u32, value: &Ratio, price: &Price) -> i64 {
        let price = self.price.as_ref().unwrap_or(price).wei();
        if !price.is_positive() {
            return 1;
        }
        let worth = &self.balance + value * Ratio::from_integer(tickets.into());
        let units = &worth / price;
        // Where a unit costs more than a ticket is worth, rounding down could cost a whole ticket.
        let units = if price > value {
            units.ceil()
        } else {
            units.floor()
        };
        let units = units.to_integer().to_i64().unwrap_or(i64::MAX);
        units.saturating_add(self.unbilled).max(1)
    }

    /// The signer made `tickets` for `units`.
    pub(crate) fn paid(&mut self, tickets: u32, value: &Ratio, units: i64, price: &Price) {
        let price = self.price.get_or_insert_with(|| price.clone());
        let worth = value * Ratio::from_integer(tickets.into());
        let billed = price.wei() * Ratio::from_integer(units.into());
        self.balance = (&self.balance + worth - billed).max(Ratio::zero());
        self.unbilled = 0;
    }

    /// The signer finds that its balance covers `units`.
    pub(crate) fn covered(&mut self, units: i64) {
        self.unbilled = units;
    }

    /// The state is gone: the next payment begins anew.
    pub(crate) fn begin_anew(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The signer's arithmetic, `remote-signer` §2.3 no. 8 and 10.
    #[derive(Default)]
    struct Signer {
        balance: Ratio,
        price: Option<Price>,
    }

    impl Signer {
        fn pay(&mut self, units: i64, value: &Ratio, price: &Price) -> u32 {
            let initial = self.price.get_or_insert_with(|| price.clone());
            let fee = initial.wei() * Ratio::from_integer(units.into());
            let need = fee.clone().max(value.clone());
            if self.balance >= need {
                return 0;
            }
            let tickets = ((need - &self.balance) / value).ceil();
            self.balance = &self.balance + &tickets * value - fee;
            tickets.to_integer().to_u32().expect("few")
        }
    }

    fn price(wei: u64, units: u64) -> Price {
        Price::new(Ratio::new(wei.into(), units.into())).expect("a price")
    }

    proptest! {
        #[test]
        fn the_signer_makes_what_is_needed(
            value in 1u64..1 << 40,
            wei in 1u64..1 << 30,
            per in 1u64..1 << 10,
            wanted in proptest::collection::vec(1u32..100, 1..20),
        ) {
            let (value, price) = (Ratio::from_integer(value.into()), price(wei, per));
            let (mut signer, mut books) = (Signer::default(), Books::default());
            for tickets in wanted {
                let units = books.units(tickets, &value, &price);
                let made = signer.pay(units, &value, &price);
                prop_assert!(made >= tickets, "{made} for {tickets}");
                if price.wei() <= &value {
                    prop_assert_eq!(made, tickets);
                }
                books.paid(made, &value, units, &price);
                prop_assert_eq!(&books.balance, &signer.balance);
            }
        }
    }

    #[test]
    fn what_a_482_left_is_billed_with_the_next_payment() {
        let (value, price) = (Ratio::from_integer(100.into()), price(1, 1));
        let mut books = Books::default();
        let mut signer = Signer {
            balance: Ratio::from_integer(150.into()),
            price: Some(price.clone()),
        };
        let units = books.units(1, &value, &price);
        assert_eq!(signer.pay(units, &value, &price), 0);
        books.covered(units);
        let more = books.units(1, &value, &price);
        assert_eq!((units, more), (100, 200));
        assert_eq!(signer.pay(more, &value, &price), 1);
        books.paid(1, &value, more, &price);
        assert_eq!(books.units(1, &value, &price), 100);
    }

    #[test]
    fn the_price_is_that_of_the_first_payment() {
        let value = Ratio::from_integer(100.into());
        let mut books = Books::default();
        books.paid(1, &value, 10, &price(10, 1));
        assert_eq!(books.units(1, &value, &price(5, 1)), 10);
        books.begin_anew();
        assert_eq!(books.units(1, &value, &price(5, 1)), 20);
    }
}
