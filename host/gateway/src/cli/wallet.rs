//! `pointsman wallet`.
//!
//! Takes the settings of `run` in all their spellings beside its own few words, so that the command line of a gateway, its variables and its file serve
//! for its wallet as well.

use std::ffi::OsString;

use clap::{Args, Subcommand};
use pointsman_chain::Deed;
use pointsman_payments::U256;

use super::Error;
use crate::config::{self, NewKey, Rewritten, Settings, WalletFlags};

/// What to do with the account.
#[derive(Clone, Debug)]
pub enum Wallet {
    /// Say where the money is.
    Status {
        /// Those of the gateway.
        settings: Box<Settings>,
        /// As JSON, for scripts.
        json: bool,
    },
    /// Move money.
    Move {
        /// What.
        deed: Deed,
        /// Those of the gateway.
        settings: Box<Settings>,
        /// Do not ask.
        yes: bool,
        /// As JSON, for scripts.
        json: bool,
    },
    /// Make a key.
    New {
        /// Where.
        key: NewKey,
        /// Also beside one that is there.
        another: bool,
        /// As JSON, for scripts.
        json: bool,
    },
}

const AFTER: &str = "\
All settings of `pointsman run` are taken, as flags, variables or in the file of --config: the same words that start the gateway
serve here. It works beside a gateway that runs.";

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Say where the money is: account, deposit, reserve, what is locked, what was spent, what too small a reserve costs
    Status(Status),
    /// Move money from the account into deposit and reserve; ends an unlocking that is under way
    Fund(Fund),
    /// Begin the wait after which deposit and reserve can be withdrawn; nobody is paid from then on
    Unlock(Plain),
    /// End that wait
    CancelUnlock(Plain),
    /// Move deposit and reserve back to the account
    Withdraw(Plain),
    /// Make a new key, encrypted by a password; never replaces one
    New(New),
}

#[derive(Debug, Args)]
#[command(next_line_help = true, after_help = AFTER)]
pub(super) struct Status {
    /// Print JSON, amounts in wei
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: WalletFlags,
}

#[derive(Debug, Args)]
#[command(next_line_help = true, after_help = AFTER)]
pub(super) struct Fund {
    /// What is added to the deposit, which winning tickets are paid from: in wei, or with eth behind the number
    #[arg(long, value_name = "WEI", value_parser = amount, default_value = "0", hide_default_value = true)]
    deposit: U256,
    /// What is added to the reserve, which guarantees them: in wei, or with eth behind the number
    #[arg(long, value_name = "WEI", value_parser = amount, default_value = "0", hide_default_value = true)]
    reserve: U256,
    #[command(flatten)]
    plain: Plain,
}

#[derive(Debug, Args)]
#[command(next_line_help = true, after_help = AFTER)]
pub(super) struct Plain {
    /// Do it without asking, as scripts must
    #[arg(long, short)]
    yes: bool,
    /// Print JSON, amounts in wei
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: WalletFlags,
}

#[derive(Debug, Args)]
#[command(next_line_help = true, after_help = AFTER)]
pub(super) struct New {
    /// Make one although the folder has a key; the gateway must then be told which to use, with --eth-acct-addr
    #[arg(long)]
    another: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: WalletFlags,
}

/// Own switches.
const SWITCHES: [&str; 9] = [
    "--yes",
    "-y",
    "--json",
    "--another",
    "-h",
    "--help",
    "-V",
    "--version",
    "-help",
];
/// Own flags with a value.
const VALUES: [&str; 2] = ["--deposit", "--reserve"];

/// Parts the words behind `pointsman wallet VERB` in those that are understood here and settings of `run`.
pub(super) fn split(words: Vec<OsString>) -> (Vec<OsString>, Vec<OsString>) {
    let (mut own, mut settings) = (Vec::new(), Vec::new());
    let mut words = words.into_iter().peekable();
    let is_value = |word: &OsString| !word.to_str().is_some_and(|word| word.starts_with('-'));
    while let Some(word) = words.next() {
        let text = word.to_str().unwrap_or_default();
        let name = text.split('=').next().unwrap_or_default();
        if text == "-help" {
            own.push("--help".into());
        } else if SWITCHES.contains(&text) {
            own.push(word);
        } else if VALUES.contains(&name) {
            if name == text
                && let Some(value) = words.next_if(is_value)
            {
                own.push(word);
                own.push(value);
            } else {
                own.push(word);
            }
        } else {
            settings.push(word);
        }
    }
    (own, settings)
}

// === impl Verb ===

impl Verb {
    pub(super) fn decode(
        self,
        flags: Rewritten,
        variables: &[(OsString, OsString)],
    ) -> Result<Wallet, Error> {
        let load = |flags, parsed: WalletFlags| {
            let loaded = config::load_wallet(flags, parsed.0, variables);
            loaded.map(Box::new).map_err(Error::Settings)
        };
        let plain = |deed, plain: Plain, flags| {
            Ok(Wallet::Move {
                deed,
                settings: load(flags, plain.flags)?,
                yes: plain.yes,
                json: plain.json,
            })
        };
        match self {
            Self::Status(Status {
                json,
                flags: parsed,
            }) => Ok(Wallet::Status {
                settings: load(flags, parsed)?,
                json,
            }),
            Self::Fund(fund) => {
                let (deposit, reserve) = (fund.deposit, fund.reserve);
                if deposit.is_zero() && reserve.is_zero() {
                    let message = "give --deposit, --reserve or both, such as --deposit 0.1eth --reserve 0.12eth";
                    return Err(Error::Usage(message.to_owned()));
                }
                plain(Deed::Fund { deposit, reserve }, fund.plain, flags)
            }
            Self::Unlock(words) => plain(Deed::Unlock, words, flags),
            Self::CancelUnlock(words) => plain(Deed::CancelUnlock, words, flags),
            Self::Withdraw(words) => plain(Deed::Withdraw, words, flags),
            Self::New(new) => {
                let key = config::load_new_key(flags, new.flags.0, variables);
                Ok(Wallet::New {
                    key: key.map_err(Error::Settings)?,
                    another: new.another,
                    json: new.json,
                })
            }
        }
    }
}

fn amount(text: &str) -> Result<U256, String> {
    match text.trim() {
        "0" => Ok(U256::ZERO),
        text => config::wei(text),
    }
}

#[cfg(test)]
mod tests;
