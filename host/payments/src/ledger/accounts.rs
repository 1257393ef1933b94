//! Sums over attempts: what the admin API shows and what caps are held against.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use alloy::primitives::Address;

use super::attempt::{AttemptId, Line, State, day};
use super::recent::Recent;
use super::{Amount, Cap, Caps, LedgerError, Reached};

/// Attempts added up by what became of them. What left or may have left is the sum of all five amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Taken by orchestrators.
    pub accepted: Amount,
    /// Sent and refused.
    pub refused: Amount,
    /// Sent, no answer.
    pub lost: Amount,
    /// Under way now.
    pub open: Amount,
    /// Open when the ledger stopped before.
    pub unconfirmed: Amount,
    /// Attempts, without those that never left.
    pub payments: u64,
    /// Their tickets.
    pub tickets: u64,
    /// What was bought, in each workload's unit.
    pub units: u64,
}

/// What an attempt that was open when the ledger stopped may have cost. It counts as spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unconfirmed {
    /// Its name.
    pub attempt: AttemptId,
    /// When it was drafted, or when the cover was found, in ms since 1970.
    pub at_ms: u64,
    /// Who may have been paid.
    pub recipient: Address,
    /// By whom.
    pub sender: Address,
    /// Under which balance.
    pub session: String,
    /// For which job.
    pub job: String,
    /// For which API key.
    pub key: Option<String>,
    /// How many tickets; 0 for a cover: payments of a session in the last moments before a power loss, which no row shows.
    pub tickets: u32,
    /// What they are worth; of a cover, the most that they can be.
    pub value: Amount,
}

/// A picture of the whole ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Attempts drafted in the current UTC day.
    pub today: Sum,
    /// The same by API key; attempts without one are left out.
    pub keys_today: BTreeMap<String, Sum>,
    /// Every attempt ever.
    pub all_time: Sum,
    /// By recipient.
    pub recipients: BTreeMap<Address, Sum>,
    /// By API key; attempts without one are left out.
    pub keys: BTreeMap<String, Sum>,
    /// What was open when the ledger stopped, oldest first, as far as attempts are kept.
    pub unconfirmed: Vec<Unconfirmed>,
}

/// The sums of a day.
#[derive(Debug, Default)]
struct Day {
    total: Sum,
    keys: HashMap<Arc<str>, Sum>,
}

/// All sums, kept up to date in memory.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    total: Sum,
    recipients: BTreeMap<Address, Sum>,
    keys: BTreeMap<Arc<str>, Sum>,
    days: BTreeMap<u32, Day>,
    pub(super) unconfirmed: Vec<Unconfirmed>,
    pub(super) recent: Recent,
}

/// What is added to or taken from a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) payments: u64,
    pub(super) tickets: u64,
    pub(super) units: u64,
    pub(super) value: Amount,
}

// === impl Sum ===

impl Sum {
    /// What left or may have left.
    #[must_use]
    pub fn spend(&self) -> Amount {
        [self.refused, self.lost, self.open, self.unconfirmed]
            .into_iter()
            .fold(self.accepted, Amount::saturating_add)
    }

    fn bucket(&mut self, state: State) -> Option<&mut Amount> {
        Some(match state {
            State::Accepted => &mut self.accepted,
            State::Refused => &mut self.refused,
            State::Lost => &mut self.lost,
            State::Open => &mut self.open,
            State::Unconfirmed => &mut self.unconfirmed,
            State::Unsent => return None,
        })
    }

    fn add(&mut self, state: State, part: Part) {
        if let Some(bucket) = self.bucket(state) {
            *bucket = bucket.saturating_add(part.value);
            self.payments = self.payments.saturating_add(part.payments);
            self.tickets = self.tickets.saturating_add(part.tickets);
            self.units = self.units.saturating_add(part.units);
        }
    }

    fn take(&mut self, state: State, part: Part) {
        if let Some(bucket) = self.bucket(state) {
            *bucket = bucket.saturating_sub(part.value);
            self.payments = self.payments.saturating_sub(part.payments);
            self.tickets = self.tickets.saturating_sub(part.tickets);
            self.units = self.units.saturating_sub(part.units);
        }
    }
}

// === impl Part ===

impl From<&Line> for Part {
    fn from(line: &Line) -> Self {
        Self {
            payments: 1,
            tickets: line.tickets.into(),
            units: line.units,
            value: line.value,
        }
    }
}

impl Part {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            payments: self.payments.saturating_add(other.payments),
            tickets: self.tickets.saturating_add(other.tickets),
            units: self.units.saturating_add(other.units),
            value: self.value.saturating_add(other.value),
        }
    }
}

// === impl Accounts ===

impl Accounts {
    /// Adds attempts of one day, recipient, key and state.
    pub(super) fn add(
        &mut self,
        day: u32,
        recipient: Address,
        key: Option<&Arc<str>>,
        state: State,
        part: Part,
    ) {
        self.each(day, recipient, key, |sum| sum.add(state, part));
    }

    /// Adds one attempt.
    pub(super) fn enter(&mut self, line: &Line, state: State) {
        let part = Part::from(line);
        self.add(line.day(), line.recipient, line.key.as_ref(), state, part);
        if state != State::Unsent {
            self.recent.add(line.at_ms, line.value);
        }
    }

    /// An open attempt has ended.
    pub(super) fn end(&mut self, line: &Line, state: State) {
        let part = Part::from(line);
        self.each(line.day(), line.recipient, line.key.as_ref(), |sum| {
            sum.take(State::Open, part);
            sum.add(state, part);
        });
        if state == State::Unsent {
            self.recent.take(line.at_ms, line.value);
        }
    }

    /// Whether a payment fits under the day's and the key's cap.
    pub(super) fn admit(&self, caps: &Caps, line: &Line) -> Result<(), LedgerError> {
        let today = self.days.get(&line.day());
        let spent = |sum: Option<&Sum>| sum.map(Sum::spend).unwrap_or_default();
        if let Some(key) = &line.key {
            let spent = spent(today.and_then(|day| day.keys.get(key)));
            within(Cap::KeyDay, caps.key_day, spent, line.value)?;
        }
        let spent = spent(today.map(|day| &day.total));
        within(Cap::Day, caps.day, spent, line.value)
    }

    /// The picture at `now_ms`. Keys and recipients that were never paid for are left out.
    pub(super) fn totals(&self, now_ms: u64) -> Totals {
        let today = self.days.get(&day(now_ms));
        Totals {
            today: today.map(|day| day.total).unwrap_or_default(),
            keys_today: today.map(|day| named(&day.keys)).unwrap_or_default(),
            all_time: self.total,
            recipients: self
                .recipients
                .iter()
                .filter(|(_, sum)| sum.payments > 0)
                .map(|(recipient, sum)| (*recipient, *sum))
                .collect(),
            keys: named(&self.keys),
            unconfirmed: self.unconfirmed.clone(),
        }
    }

    /// Forgets single days and attempts before `before_ms`; the sums over all days stay.
    pub(super) fn forget(&mut self, before_ms: u64) {
        self.days = self.days.split_off(&day(before_ms));
        self.unconfirmed.retain(|one| one.at_ms >= before_ms);
    }

    fn each(
        &mut self,
        day: u32,
        recipient: Address,
        key: Option<&Arc<str>>,
        mut change: impl FnMut(&mut Sum),
    ) {
        let today = self.days.entry(day).or_default();
        change(&mut self.total);
        change(&mut today.total);
        change(self.recipients.entry(recipient).or_default());
        if let Some(key) = key {
            change(self.keys.entry(Arc::clone(key)).or_default());
            change(today.keys.entry(Arc::clone(key)).or_default());
        }
    }
}

fn named<'a>(sums: impl IntoIterator<Item = (&'a Arc<str>, &'a Sum)>) -> BTreeMap<String, Sum> {
    let paid = sums.into_iter().filter(|(_, sum)| sum.payments > 0);
    paid.map(|(key, sum)| (key.to_string(), *sum)).collect()
}

/// Holds `spent + wanted` against a cap.
pub(super) fn within(
    cap: Cap,
    limit: Option<alloy::primitives::U256>,
    spent: Amount,
    wanted: Amount,
) -> Result<(), LedgerError> {
    let Some(limit) = limit else {
        return Ok(());
    };
    let fits = spent
        .checked_add(wanted)
        .is_some_and(|sum| sum <= Amount::wei(limit));
    match fits {
        true => Ok(()),
        false => Err(LedgerError::Cap {
            cap,
            numbers: Box::new(Reached {
                limit,
                spent,
                wanted,
            }),
        }),
    }
}
