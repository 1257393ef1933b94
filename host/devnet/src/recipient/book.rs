//! Balances, fixed prices and nonces.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use alloy::primitives::{Address, B256};
use pointsman_wire::amount::Ratio;
use pointsman_wire::ticket::MAX_NONCES;
use tokio::time::Instant;

/// Unused for longer, a session's balance and price are forgotten.
const IDLE: Duration = Duration::from_secs(600);

/// What is remembered of senders.
#[derive(Debug, Default)]
pub(super) struct Book {
    senders: HashMap<Address, HashMap<String, Line>>,
    hashes: HashMap<B256, Nonces>,
}

/// One session of one sender.
#[derive(Debug)]
struct Line {
    balance: Ratio,
    price: Option<Ratio>,
    touched: Instant,
}

/// The nonces that came with one hash.
#[derive(Debug)]
struct Nonces {
    seen: HashSet<u32>,
    /// L1 block after which no ticket of it is taken any more.
    expires: u64,
}

/// A nonce that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceError {
    Seen,
    TooMany,
}

// === impl Book ===

impl Book {
    /// A session's credit. Asking makes the sender known.
    pub(super) fn balance(&mut self, sender: Address, session: &str) -> Option<Ratio> {
        let lines = self.senders.entry(sender).or_default();
        sweep(lines);
        lines.get(session).map(|line| line.balance.clone())
    }

    pub(super) fn credit(&mut self, sender: Address, session: &str, more: &Ratio) {
        let line = self.line(sender, session);
        line.balance = &line.balance + more;
        line.touched = Instant::now();
    }

    pub(super) fn debit(&mut self, sender: Address, session: &str, less: &Ratio) {
        self.credit(sender, session, &-less);
    }

    /// The price that a session began with.
    pub(super) fn price(&mut self, sender: Address, session: &str) -> Option<Ratio> {
        let lines = self.senders.get_mut(&sender)?;
        sweep(lines);
        lines.get(session)?.price.clone()
    }

    /// Fixes a session's price, if it has none. Forgotten at once for a sender who is not known yet, as in the real one.
    pub(super) fn fix_price(&mut self, sender: Address, session: &str, price: &Ratio) {
        if self.senders.contains_key(&sender) {
            let line = self.line(sender, session);
            line.price.get_or_insert_with(|| price.clone());
        }
    }

    /// Marks a nonce as used; `now` is the L1 block.
    pub(super) fn nonce(
        &mut self,
        hash: B256,
        nonce: u32,
        expires: u64,
        now: u64,
    ) -> Result<(), NonceError> {
        if !self.hashes.contains_key(&hash) {
            self.hashes.retain(|_, nonces| nonces.expires >= now);
        }
        let nonces = self.hashes.entry(hash).or_insert_with(|| Nonces {
            seen: HashSet::new(),
            expires,
        });
        if nonces.seen.contains(&nonce) {
            return Err(NonceError::Seen);
        }
        if nonces.seen.len() >= MAX_NONCES as usize {
            return Err(NonceError::TooMany);
        }
        nonces.seen.insert(nonce);
        Ok(())
    }

    fn line(&mut self, sender: Address, session: &str) -> &mut Line {
        let lines = self.senders.entry(sender).or_default();
        sweep(lines);
        lines.entry(session.to_owned()).or_insert_with(|| Line {
            balance: Ratio::from_integer(0.into()),
            price: None,
            touched: Instant::now(),
        })
    }
}

fn sweep(lines: &mut HashMap<String, Line>) {
    let now = Instant::now();
    lines.retain(|_, line| now.duration_since(line.touched) < IDLE);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: Address = Address::repeat_byte(1);

    fn wei(wei: i64) -> Ratio {
        Ratio::from_integer(wei.into())
    }

    #[tokio::test(start_paused = true)]
    async fn credit_is_kept_by_sender_and_session_and_forgotten_when_idle() {
        let mut book = Book::default();
        assert_eq!(book.balance(SENDER, "a"), None);
        book.credit(SENDER, "a", &wei(5));
        book.debit(SENDER, "a", &wei(7));
        book.credit(SENDER, "b", &wei(1));
        assert_eq!(book.balance(SENDER, "a"), Some(wei(-2)));
        assert_eq!(book.balance(Address::ZERO, "a"), None);
        tokio::time::advance(IDLE).await;
        assert_eq!(book.balance(SENDER, "a"), None);
    }

    #[tokio::test]
    async fn the_first_price_stays_and_an_unknown_senders_is_not_kept() {
        let mut book = Book::default();
        book.fix_price(SENDER, "a", &wei(3));
        assert_eq!(
            book.price(SENDER, "a"),
            None,
            "nothing is known of the sender"
        );
        book.balance(SENDER, "a");
        book.fix_price(SENDER, "a", &wei(3));
        book.fix_price(SENDER, "a", &wei(4));
        assert_eq!(book.price(SENDER, "a"), Some(wei(3)));
        assert_eq!(book.price(SENDER, "b"), None);
    }

    #[test]
    fn six_hundred_nonces_of_a_hash_in_any_order_each_once() {
        let mut book = Book::default();
        let hash = B256::repeat_byte(7);
        for nonce in (0..MAX_NONCES).rev() {
            assert_eq!(book.nonce(hash, nonce, 50, 10), Ok(()));
        }
        assert_eq!(book.nonce(hash, 5, 50, 10), Err(NonceError::Seen));
        assert_eq!(book.nonce(hash, 600, 50, 10), Err(NonceError::TooMany));
        // Another hash, long after: what nobody may send any more is not kept.
        assert_eq!(book.nonce(B256::ZERO, 1, 90, 51), Ok(()));
        assert_eq!(book.hashes.len(), 1);
    }
}
