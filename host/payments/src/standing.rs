//! What the chain says about the sender, and why that may not be enough.
//!
//! # Contract
//!
//! [`Standing`] comes from whoever reads the chain, whole and as values; nothing here asks. A round in which deposit and
//! reserve are about to be withdrawable blocks paying one round early, as orchestrators and go-livepeer's gateway both see
//! it: blocked once `last initialised round + 1 >= withdraw round`.
//!
//! "Why can I not pay" has one answer, [`CannotPay`], with the numbers. go-livepeer's gateway only says that no
//! orchestrators were found.

use std::fmt;

use alloy::primitives::U256;
use pointsman_wire::ticket::Expiration;

use crate::show::Wei;

/// The chain as paying sees it, at one moment. The default knows nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Last L1 block. Ticket parameters expire by it.
    pub l1_block: u64,
    /// Last initialised round with the hash of its first block. Tickets are bound to it where an orchestrator names none.
    pub round: Expiration,
    /// The sender's money; `None` while it is not known.
    pub funds: Option<Funds>,
}

/// What a sender has put into the ticket broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funds {
    /// What winners are paid from, in wei.
    pub deposit: U256,
    /// What guarantees winners beyond the deposit, in wei.
    pub reserve: U256,
    /// Round from which both can be withdrawn; 0 when they are not being unlocked.
    pub withdraw_round: u64,
}

/// Why nobody, or not this orchestrator, can be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CannotPay {
    /// What is wrong.
    pub lack: Lack,
    /// The sender's money, as far as it is known.
    pub funds: Funds,
    /// Deposit that the tickets ask for, in wei: face value times the deposit multiplier.
    pub needed: U256,
    /// Last initialised round.
    pub round: u64,
}

/// What is wrong with a sender's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lack {
    /// The chain has not been read yet.
    Unknown,
    /// It is being unlocked.
    Unlocking,
    /// There is no reserve.
    Reserve,
    /// There is no deposit.
    Deposit,
    /// The deposit does not cover the face value that is asked for.
    FaceValue,
}

// === impl Standing ===

impl Standing {
    /// Whether the sender can pay anyone; `needed` is the deposit that the tickets in question ask for.
    ///
    /// # Errors
    ///
    /// [`CannotPay`], in the order of the protocol: unlocking, reserve, deposit.
    pub fn check(&self, needed: U256) -> Result<Funds, CannotPay> {
        let cannot = |lack, funds| CannotPay {
            lack,
            funds,
            needed,
            round: self.round.round,
        };
        let Some(funds) = self.funds else {
            return Err(cannot(Lack::Unknown, Funds::default()));
        };
        let lack = match funds {
            Funds { withdraw_round, .. }
                if withdraw_round != 0 && withdraw_round <= self.round.round.saturating_add(1) =>
            {
                Lack::Unlocking
            }
            Funds { reserve, .. } if reserve.is_zero() => Lack::Reserve,
            Funds { deposit, .. } if deposit.is_zero() => Lack::Deposit,
            _ => return Ok(funds),
        };
        Err(cannot(lack, funds))
    }
}

// === impl CannotPay ===

impl fmt::Display for CannotPay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            lack,
            funds,
            needed,
            round,
        } = self;
        if *lack == Lack::Unknown {
            return f.write_str(
                "cannot pay: deposit and reserve are not known yet, since no Ethereum RPC endpoint has answered; \
                 check the RPC endpoints",
            );
        }
        let (what, advice) = match lack {
            Lack::Unlocking => (
                "deposit and reserve are being unlocked",
                "cancel the unlock: `pointsman wallet cancel-unlock`",
            ),
            Lack::Reserve => ("there is no reserve", "fund it: `pointsman wallet fund`"),
            Lack::Deposit => ("there is no deposit", "fund it: `pointsman wallet fund`"),
            Lack::FaceValue | Lack::Unknown => (
                "the deposit is below what a winning ticket of this orchestrator pays",
                "fund the deposit: `pointsman wallet fund`",
            ),
        };
        write!(
            f,
            "cannot pay: {what} (deposit {}, reserve {}, needed deposit {}, ",
            Wei(funds.deposit),
            Wei(funds.reserve),
            Wei(*needed),
        )?;
        match funds.withdraw_round {
            0 => f.write_str("not unlocking")?,
            unlock => write!(f, "unlock round {unlock}, now round {round}")?,
        }
        write!(f, "); {advice}")
    }
}

impl std::error::Error for CannotPay {}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(deposit: u64, reserve: u64, withdraw_round: u64) -> Standing {
        Standing {
            l1_block: 1,
            round: Expiration {
                round: 10,
                ..Expiration::default()
            },
            funds: Some(Funds {
                deposit: U256::from(deposit),
                reserve: U256::from(reserve),
                withdraw_round,
            }),
        }
    }

    fn lack(standing: Standing) -> Option<Lack> {
        let checked = standing.check(U256::from(7));
        checked.err().map(|cannot| cannot.lack)
    }

    #[test]
    fn paying_stops_one_round_before_the_money_can_be_withdrawn() {
        assert_eq!(lack(standing(1, 1, 12)), None);
        assert_eq!(lack(standing(1, 1, 11)), Some(Lack::Unlocking));
        assert_eq!(lack(standing(1, 1, 3)), Some(Lack::Unlocking));
        assert_eq!(lack(standing(1, 1, 0)), None);
    }

    #[test]
    fn what_lacks_is_named_in_the_protocols_order() {
        assert_eq!(lack(standing(0, 0, 11)), Some(Lack::Unlocking));
        assert_eq!(lack(standing(0, 0, 0)), Some(Lack::Reserve));
        assert_eq!(lack(standing(0, 1, 0)), Some(Lack::Deposit));
        let unknown = Standing {
            funds: None,
            ..standing(1, 1, 0)
        };
        assert_eq!(lack(unknown), Some(Lack::Unknown));
    }

    #[test]
    fn the_message_has_the_numbers_and_what_to_do() {
        let gwei = 1_000_000_000;
        let error = standing(0, 360_000_000 * gwei, 0)
            .check(U256::from(50_000_000 * gwei))
            .expect_err("no deposit");
        assert_eq!(
            error.to_string(),
            "cannot pay: there is no deposit (deposit 0 wei, reserve 0.36 ETH, needed deposit 0.05 ETH, not unlocking); \
             fund it: `pointsman wallet fund`"
        );
        let error = standing(5, 5, 11)
            .check(U256::from(1))
            .expect_err("unlocking");
        assert!(
            error.to_string().contains("unlock round 11, now round 10"),
            "{error}"
        );
    }
}
