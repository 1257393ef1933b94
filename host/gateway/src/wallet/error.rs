//! Why money cannot be moved, with the numbers and what to do instead.

use std::fmt;
use std::time::Duration;

use pointsman_chain::WalletError as ChainError;
use pointsman_payments::U256;
use pointsman_payments::show::Wei;
use pointsman_wire::sign::Address;

/// L1's blocks come every 12 seconds.
const L1_BLOCK: Duration = Duration::from_secs(12);

/// Why a deed is not done, or nothing can be said of the account. Unless it says so, nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The key is elsewhere.
    #[error(
        "the money is the remote signer's ({0}): fund, unlock and withdraw with the account of the signer, where its key is"
    )]
    Signer(String),
    /// The account is only looked at.
    #[error("the account's key is not open here")]
    NoKey,
    /// No node answers.
    #[error(transparent)]
    Node(Box<ChainError>),
    /// The nodes lag behind what was done.
    #[error(
        "the nodes are at block {block}, and the last transaction is in block {last}: wait a little"
    )]
    Behind {
        /// The newest that is known.
        block: u64,
        /// Of the transaction.
        last: u64,
    },
    /// The protocol stands still.
    #[error("the protocol is paused: no money moves until its owners start it again")]
    Paused,
    /// Nothing to fund.
    #[error("nothing to fund: give a deposit, a reserve, or both")]
    Nothing,
    /// More than there are numbers for.
    #[error("no account has so much")]
    TooMuch,
    /// Nothing to unlock or withdraw.
    #[error("{account} has neither deposit nor reserve: there is nothing to withdraw or unlock")]
    Empty {
        /// Whose.
        account: Address,
    },
    /// It is being unlocked already.
    #[error(
        "deposit and reserve are being unlocked already: they can be withdrawn from round {withdraw_round} on, now is round {round}"
    )]
    Unlocking {
        /// From which it can be withdrawn.
        withdraw_round: u64,
        /// Now.
        round: u64,
    },
    /// No unlocking is under way that could be ended.
    #[error("nothing is being unlocked: deposit {} and reserve {} are locked", Wei(*deposit), Wei(*reserve))]
    Locked {
        /// In wei.
        deposit: U256,
        /// In wei.
        reserve: U256,
    },
    /// It must be unlocked first.
    #[error(
        "deposit and reserve are locked: unlock them first (`pointsman wallet unlock`); they can be withdrawn {rounds} rounds later"
    )]
    NotUnlocked {
        /// From unlock to withdrawal.
        rounds: u64,
    },
    /// The unlocking is not over.
    #[error(
        "too early: the money can be withdrawn from round {withdraw_round} on, now is round {round}; {blocks} L1 blocks are left{}",
        about(*blocks, *arbitrum)
    )]
    TooEarly {
        /// From which it can be withdrawn.
        withdraw_round: u64,
        /// Now.
        round: u64,
        /// Until then.
        blocks: u64,
        /// Blocks are Ethereum's, whose pace is known.
        arbitrum: bool,
    },
    /// The account has too little.
    #[error("{0}")]
    NotEnough(Box<Shortage>),
    /// Gas costs more than allowed.
    #[error("gas costs {} now, the cap is {}: wait, or raise --max-gas-price", gwei(*needed), gwei(*cap))]
    TooDear {
        /// In wei.
        needed: u128,
        /// In wei.
        cap: u128,
    },
    /// The limit of gas is too low.
    #[error(
        "the transaction uses about {needed} gas, the limit is {limit}: raise --gas-limit, or leave it out"
    )]
    TooLittleGas {
        /// By the node's reckoning.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// The contract or the node refuses.
    #[error("refused: {0}")]
    Refused(String),
    /// It is in a block and did nothing.
    #[error(transparent)]
    Reverted(Box<ChainError>),
    /// It may or may not happen.
    #[error(transparent)]
    Unknown(Box<ChainError>),
    /// The program ends.
    #[error(
        "this was under way when the program ended, and may still be done: look at the account before trying again"
    )]
    Ended,
}

/// What an account lacks. All in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Whose.
    pub account: Address,
    /// What it has.
    pub balance: U256,
    /// What is to be moved.
    pub value: U256,
    /// The most that gas can cost; 0 when not even the value is there.
    pub fees: U256,
}

// === impl WalletError ===

impl WalletError {
    /// A short name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Signer(_) => "remote-signer",
            Self::NoKey => "no-key",
            Self::Node(_) | Self::Behind { .. } => "unavailable",
            Self::Paused => "paused",
            Self::Nothing | Self::TooMuch => "amount",
            Self::Empty { .. } => "empty",
            Self::Unlocking { .. } => "unlocking",
            Self::Locked { .. } => "locked",
            Self::NotUnlocked { .. } => "not-unlocked",
            Self::TooEarly { .. } => "too-early",
            Self::NotEnough(_) => "not-enough",
            Self::TooDear { .. } => "gas-price",
            Self::TooLittleGas { .. } => "gas-limit",
            Self::Refused(_) => "refused",
            Self::Reverted(_) => "reverted",
            Self::Unknown(_) | Self::Ended => "unknown",
        }
    }

    /// Whether something may have been sent all the same.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Self::Unknown(_) | Self::Ended)
    }
}

impl From<ChainError> for WalletError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::TooDear { needed, cap } => Self::TooDear { needed, cap },
            ChainError::TooLittleGas { needed, limit } => Self::TooLittleGas { needed, limit },
            ChainError::NotEnough {
                account,
                balance,
                value,
                fees,
            } => Self::NotEnough(Box::new(Shortage {
                account,
                balance,
                value,
                fees,
            })),
            ChainError::Refused(words) => Self::Refused(words),
            error @ ChainError::Reverted { .. } => Self::Reverted(error.into()),
            error @ ChainError::Unknown { .. } => Self::Unknown(error.into()),
            error @ (ChainError::NoChain | ChainError::Rpc(_) | ChainError::Signing) => {
                Self::Node(error.into())
            }
        }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account,
            balance,
            value,
            fees,
        } = *self;
        let missing = value.saturating_add(fees).saturating_sub(balance);
        let fees = match fees.is_zero() {
            true => " and gas".to_owned(),
            false => format!(" and up to {} for gas", Wei(fees)),
        };
        let (balance, value, missing) = (Wei(balance), Wei(value), Wei(missing));
        write!(
            f,
            "{account} has {balance}, needed are {value}{fees}: send at least {missing} more to it"
        )
    }
}

/// A price of gas: in gwei where that is shorter.
pub(crate) fn gwei(wei: u128) -> String {
    const GWEI: u128 = 1_000_000_000;
    if wei < 1_000_000 {
        return format!("{wei} wei");
    }
    let decimals = format!("{:09}", wei % GWEI);
    match decimals.trim_end_matches('0') {
        "" => format!("{} gwei", wei / GWEI),
        decimals => format!("{}.{decimals} gwei", wei / GWEI),
    }
}

/// How long L1 blocks take, where they are Ethereum's.
pub(crate) fn about(blocks: u64, arbitrum: bool) -> String {
    if !arbitrum || blocks == 0 {
        return String::new();
    }
    let seconds = L1_BLOCK.as_secs().saturating_mul(blocks);
    let minutes = Duration::from_secs(seconds.div_euclid(60).saturating_mul(60).max(60));
    format!(", about {}", humantime::format_duration(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gas_is_in_gwei_where_that_is_shorter() {
        for (wei, words) in [
            (7, "7 wei"),
            (10_000_000, "0.01 gwei"),
            (1_500_000_000, "1.5 gwei"),
            (20_000_000_000, "20 gwei"),
        ] {
            assert_eq!(gwei(wei), words);
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let error = WalletError::from(ChainError::NotEnough {
            account: Address::repeat_byte(1),
            balance: U256::from(3_000_000_000_000_000_u64),
            value: U256::from(10_000_000_000_000_000_u64),
            fees: U256::from(500_000_000_000_000_u64),
        });
        assert!(
            error
                .to_string()
                .ends_with("has 0.003 ETH, needed are 0.01 ETH and up to 0.0005 ETH for gas: send at least 0.0075 ETH more to it"),
            "{error}"
        );
    }
}
