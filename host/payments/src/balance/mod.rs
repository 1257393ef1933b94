//! Credit with orchestrators: what was paid for and not yet used up.
//!
//! # Contract
//!
//! Credit belongs to a recipient and a name that the orchestrator gives (`payments` §4.2: the auth token's session for
//! segments). Before a job, [`Balances::hold`] sets aside what the job needs, first from credit and only then in new
//! tickets; how the job ended decides what comes back ([`Hold::settle`]). Between the two the held credit is nobody else's:
//! two jobs at once never count on the same wei.
//!
//! Everything is exact. What was bought is always the sum of what is there, what is held, what was charged, and what was
//! written off. Debt is never written off with a lost answer, so credit is not thought to be higher than what the orchestrator
//! has, unless an answer was lost that cost more than its estimate.
//!
//! # Where this differs from go-livepeer
//!
//! It takes a session's whole credit for each job, so a second job at the same time buys tickets although there is enough
//! for both, and a lost answer loses everything. Here a job holds what it needs and no more. The orchestrator's own test,
//! one ticket's worth of balance at admission, holds for each of them, since what is held for one is not used up by another.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use num_traits::{Signed as _, ToPrimitive as _, Zero as _};
use parking_lot::Mutex;
use pointsman_wire::amount::Ratio;
use pointsman_wire::sign::Address;
use tokio::time::Instant;

use crate::show::Fraction;

/// Credit that was not touched for this long is written off: the orchestrator forgets it too.
pub const IDLE: Duration = Duration::from_secs(10 * 60);

/// All credit of the process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Balances(Arc<Mutex<Accounts>>);

/// Whose credit, and under which name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Who was paid.
    pub recipient: Address,
    /// The orchestrator's name for the balance.
    pub session: String,
}

/// What is set aside for one job. Dropped without [`settle`](Self::settle), it is [`Ending::Lost`].
#[derive(Debug)]
#[must_use = "credit that is held must be settled"]
pub struct Hold {
    balances: Balances,
    key: Key,
    number: u64,
    taken: Ratio,
    bought: Ratio,
    tickets: u32,
    ending: Ending,
}

/// How a job ended, as far as credit goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing left the gateway: what was taken comes back, no ticket counts.
    Unsent,
    /// The tickets were sent and gave no credit, since the orchestrator refused before it read them: what was taken comes
    /// back.
    Unread,
    /// Nobody knows what the orchestrator has: all of it is written off, but for debt.
    Lost,
    /// The orchestrator has credited the tickets and charged so many wei, which may be more than was held.
    Charged(Ratio),
}

#[derive(Debug, Default)]
struct Accounts {
    by_key: HashMap<Key, Account>,
    made: u64,
    swept: Option<Instant>,
}

#[derive(Debug)]
struct Account {
    /// Tells it from one that was forgotten under the same key.
    number: u64,
    credit: Ratio,
    held: usize,
    used: Instant,
}

// === impl Balances ===

impl Balances {
    /// Sets aside what a job needs: the larger of its fee and the worth of one ticket, which orchestrators ask for. Says how
    /// many tickets must be bought; none where tickets are worth nothing.
    pub fn hold(&self, key: Key, fee: &Ratio, ticket_value: &Ratio) -> Hold {
        let mut accounts = self.0.lock();
        accounts.sweep();
        let account = accounts.account(&key);
        let need = fee.max(ticket_value);
        // Debt is taken whole: it must be paid before anything is credited.
        let taken = account.credit.clone().min(need.clone());
        let tickets = if taken >= *need || !ticket_value.is_positive() {
            Ratio::zero()
        } else {
            ((need - &taken) / ticket_value).ceil()
        };
        account.credit -= &taken;
        account.held += 1;
        account.used = Instant::now();
        let number = account.number;
        drop(accounts);
        Hold {
            balances: self.clone(),
            key,
            number,
            taken,
            tickets: tickets.to_integer().to_u32().unwrap_or(u32::MAX),
            bought: tickets * ticket_value,
            ending: Ending::Lost,
        }
    }

    /// Credit that is there and not held, in wei; may be below 0.
    #[must_use]
    pub fn credit(&self, key: &Key) -> Ratio {
        let accounts = self.0.lock();
        let account = accounts.by_key.get(key);
        account.map_or_else(Ratio::zero, |account| account.credit.clone())
    }

    /// All credit that is there and not held, by whom it is with, in wei.
    #[must_use]
    pub fn all(&self) -> Vec<(Key, Ratio)> {
        let accounts = self.0.lock();
        let credit = |(key, account): (&Key, &Account)| (key.clone(), account.credit.clone());
        accounts.by_key.iter().map(credit).collect()
    }

    /// Sets credit to what the orchestrator itself reports, as hosts of containers do. Jobs in flight change it no more.
    pub fn assume(&self, key: &Key, credit: Ratio) {
        let mut accounts = self.0.lock();
        accounts.by_key.remove(key);
        accounts.account(key).credit = credit;
    }

    /// Forgets credit that the orchestrator does not have. Jobs in flight give nothing back.
    pub fn forget(&self, key: &Key) {
        self.0.lock().by_key.remove(key);
    }
}

// === impl Accounts ===

impl Accounts {
    fn account(&mut self, key: &Key) -> &mut Account {
        let made = &mut self.made;
        self.by_key.entry(key.clone()).or_insert_with(|| {
            *made += 1;
            Account {
                number: *made,
                credit: Ratio::zero(),
                held: 0,
                used: Instant::now(),
            }
        })
    }

    /// Writes idle accounts off. Looks at all of them, so not more than once a minute.
    fn sweep(&mut self) {
        if self.swept.is_some_and(|at| at.elapsed() < IDLE / 10) {
            return;
        }
        self.swept = Some(Instant::now());
        self.by_key.retain(|key, account| {
            let stays = account.held > 0 || account.used.elapsed() < IDLE;
            if !stays && account.credit.is_positive() {
                let credit = Fraction(&account.credit);
                tracing::debug!(recipient = %key.recipient, session = key.session, %credit, "idle credit written off");
            }
            stays
        });
    }
}

// === impl Hold ===

impl Hold {
    /// Tickets that must be bought; saturates.
    #[must_use]
    pub fn tickets(&self) -> u32 {
        self.tickets
    }

    /// So many tickets were bought, whatever was needed.
    pub(crate) fn buys(&mut self, tickets: u32, ticket_value: &Ratio) {
        self.tickets = tickets;
        self.bought = ticket_value * Ratio::from_integer(tickets.into());
    }

    /// Ends the job.
    pub fn settle(mut self, ending: Ending) {
        self.ending = ending;
    }

    /// Says what dropping it means from now on.
    pub fn otherwise(&mut self, ending: Ending) {
        self.ending = ending;
    }

    /// Forgets the credit that it was taken from: the orchestrator does not have it.
    pub fn forget(&self) {
        self.balances.forget(&self.key);
    }

    fn back(&self) -> Ratio {
        match &self.ending {
            Ending::Unsent | Ending::Unread => self.taken.clone(),
            Ending::Lost => self.taken.clone().min(Ratio::zero()),
            Ending::Charged(debit) => &self.taken + &self.bought - debit,
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let back = self.back();
        let mut accounts = self.balances.0.lock();
        let account = accounts.by_key.get_mut(&self.key);
        if let Some(account) = account.filter(|account| account.number == self.number) {
            account.credit += back;
            account.held -= 1;
            account.used = Instant::now();
        }
    }
}
