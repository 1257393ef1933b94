//! Filling deposit and reserve up, within a day's cap.
//!
//! # Contract
//!
//! Off unless it is configured. Moves money from the account into the TicketBroker when the deposit is under a line or the reserve is not full, never more in a
//! day (UTC) than the cap, restarts included: what is about to leave is written to disk before it does, and taken back only when it is certain that it
//! did not. Gas comes on top of the cap; its price has a cap of its own.
//!
//! Money that is being unlocked, or was withdrawn, is left alone: funding would end the unlocking. So nothing is done either while the account has
//! a transaction in no block, which may be an unlock. After a failure it waits a minute, then twice as long each time, an hour at most.

mod allowance;
mod keep;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use pointsman_chain::{Account, Deed, Done, Sender};
use pointsman_payments::U256;
use pointsman_payments::show::Wei;
use serde_json::{Value, json};

use super::{Own, Wallet, WalletError};
use crate::config::TopUp;
use allowance::{Allowance, AllowanceError};

pub use keep::keep;

/// What is filled up, and what of it happened today.
#[derive(Clone, Debug)]
pub struct TopUps {
    wanted: TopUp,
    allowance: Arc<Mutex<Allowance>>,
}

/// How it stands today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    wanted: TopUp,
    /// Moved today, in wei, or why that is not known.
    today: Result<U256, String>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topped {
    /// Nothing is lacking, or it must be left alone.
    Nothing,
    /// The day's cap is used up.
    Capped,
    /// Money was moved, in wei.
    Up {
        deposit: U256,
        reserve: U256,
        done: Done,
    },
}

#[derive(Debug, thiserror::Error)]
enum TopUpError {
    #[error(transparent)]
    Wallet(#[from] WalletError),
    #[error(transparent)]
    Allowance(#[from] AllowanceError),
}

// === impl TopUps ===

impl TopUps {
    /// Top-ups that keep their account of the day in the folder `data`.
    #[must_use]
    pub fn new(wanted: TopUp, data: &std::path::Path) -> Self {
        let path: PathBuf = data.join("top-up.json");
        Self {
            wanted,
            allowance: Arc::new(Mutex::new(Allowance::new(path))),
        }
    }

    /// How they stand.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let today = self.allowance.lock().used();
        Standing {
            wanted: self.wanted,
            today: today.map_err(|error| error.to_string()),
        }
    }
}

// === impl Standing ===

impl Standing {
    /// For programs, in wei as texts.
    pub(super) fn json(&self) -> Value {
        json!({
            "below": self.wanted.below.to_string(),
            "to": self.wanted.to.to_string(),
            "reserve": self.wanted.reserve.map(|wei| wei.to_string()),
            "per_day": self.wanted.per_day.to_string(),
            "today": self.today.as_ref().ok().map(U256::to_string),
            "error": self.today.as_ref().err(),
        })
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TopUp {
            below,
            to,
            reserve,
            per_day,
        } = self.wanted;
        write!(
            f,
            "a deposit under {} is filled up to {}",
            Wei(below),
            Wei(to)
        )?;
        if let Some(reserve) = reserve {
            write!(f, ", the reserve to {}", Wei(reserve))?;
        }
        match &self.today {
            Ok(today) => write!(f, "; {} of {} today", Wei(*today), Wei(per_day)),
            Err(error) => write!(f, "; nothing is moved: {error}"),
        }
    }
}

// === impl Wallet ===

impl Wallet {
    /// Fills up what lacks, if anything does.
    async fn top_up(&self) -> Result<Topped, TopUpError> {
        let wallet = self.clone();
        let acting = tokio::spawn(async move {
            let own = wallet.own()?;
            let Some(top_ups) = &own.top_ups else {
                return Ok(Topped::Nothing);
            };
            // From the look to the receipt: nothing of ours comes in between.
            let _turn = own.turn.lock().await;
            own.top_up(top_ups).await
        });
        acting.await.map_err(|_| WalletError::Ended)?
    }
}

// === impl Own ===

impl Own {
    async fn top_up(&self, top_ups: &TopUps) -> Result<Topped, TopUpError> {
        let wanted = &top_ups.wanted;
        let used = top_ups.allowance.lock().used()?;
        let left = wanted.per_day.saturating_sub(used);
        if left.is_zero() {
            return Ok(Topped::Capped);
        }
        let account = self.account().await?;
        let (deposit, reserve) = lack(wanted, &account.sender);
        if (deposit.is_zero() && reserve.is_zero()) || !may_be_touched(&account) {
            return Ok(Topped::Nothing);
        }
        // The reserve comes first: without one nobody makes an offer.
        let reserve = reserve.min(left);
        let deposit = deposit.min(left - reserve);
        let value = deposit + reserve;
        let prepared = self.prepare(Deed::Fund { deposit, reserve }).await?;
        top_ups.allowance.lock().take(value)?;
        match self.send(&prepared).await {
            Ok(done) => Ok(Topped::Up {
                deposit,
                reserve,
                done,
            }),
            Err(error) => {
                if !error.may_have_happened() {
                    top_ups.allowance.lock().give_back(value)?;
                }
                Err(error.into())
            }
        }
    }
}

/// What deposit and reserve lack, in wei.
fn lack(wanted: &TopUp, sender: &Sender) -> (U256, U256) {
    let deposit = match sender.deposit < wanted.below {
        true => wanted.to.saturating_sub(sender.deposit),
        false => U256::ZERO,
    };
    let full = wanted.reserve.unwrap_or_default();
    // What was claimed in this round is replaced as well.
    (deposit, full.saturating_sub(sender.reserve))
}

/// The round of an unlock stays after the withdrawal: who took the money out is not sent more of it.
fn may_be_touched(account: &Account) -> bool {
    account.sender.withdraw_round.is_zero() && account.pending == 0 && !account.paused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::status::tests::account;

    fn wei(wei: u64) -> U256 {
        U256::from(wei)
    }

    fn wanted(reserve: Option<u64>) -> TopUp {
        TopUp {
            below: wei(50),
            to: wei(100),
            reserve: reserve.map(wei),
            per_day: wei(1000),
        }
    }

    fn with(deposit: u64, reserve: u64) -> Account {
        Account {
            sender: Sender {
                deposit: wei(deposit),
                reserve: wei(reserve),
                ..account().sender
            },
            ..account()
        }
    }

    #[test]
    fn a_deposit_is_filled_from_under_the_line_only() {
        let lacks = |deposit, reserve, full| lack(&wanted(full), &with(deposit, reserve).sender);
        assert_eq!(lacks(50, 0, None), (wei(0), wei(0)));
        assert_eq!(lacks(49, 0, None), (wei(51), wei(0)));
        assert_eq!(lacks(0, 0, None), (wei(100), wei(0)));
        assert_eq!(lacks(70, 29, Some(30)), (wei(0), wei(1)));
        assert_eq!(lacks(49, 10, Some(30)), (wei(51), wei(20)));
        assert_eq!(lacks(200, 40, Some(30)), (wei(0), wei(0)));
    }

    #[test]
    fn what_is_unlocked_withdrawn_or_uncertain_is_left_alone() {
        let account = with(0, 0);
        assert!(may_be_touched(&account));
        let unlocking = Sender {
            withdraw_round: wei(12),
            ..account.sender
        };
        for other in [
            Account {
                sender: unlocking,
                ..account
            },
            Account {
                pending: 1,
                ..account
            },
            Account {
                paused: true,
                ..account
            },
        ] {
            assert!(!may_be_touched(&other), "{other:?}");
        }
    }

    #[test]
    fn it_is_told_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let top_ups = TopUps::new(wanted(Some(30)), folder.path());
        top_ups.allowance.lock().take(wei(7)).expect("taken");
        assert_eq!(
            top_ups.standing().to_string(),
            "a deposit under 50 wei is filled up to 100 wei, the reserve to 30 wei; 7 wei of 1000 wei today"
        );
        std::fs::write(folder.path().join("top-up.json"), "{").expect("a file");
        let said = top_ups.standing().to_string();
        assert!(said.contains("nothing is moved"), "{said}");
    }
}
