//! Where the money is, as values, as JSON and in words.

use std::fmt;

use pointsman_chain::{Account, Done, Fees};
use pointsman_payments::U256;
use pointsman_payments::show::Wei;
use serde_json::{Value, json};

use super::error::{about, gwei};
use super::reserve::{ARBITRUM, Reserve, percent};
use super::spend::{Spend, words};
use super::top_up::Standing;

/// An account, whole. Amounts in wei.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The remote signer that has the key, by scheme, host and port; `None`: the key is ours.
    pub signer: Option<String>,
    /// The network's name.
    pub network: String,
    /// `eth_chainId`.
    pub chain_id: u64,
    /// Account and TicketBroker, as of now.
    pub account: Account,
    /// What the reserve is good for.
    pub reserve: Reserve,
    /// What transactions may cost; `None` where none are sent.
    pub fees: Option<Fees>,
    /// What was spent; `None` where it is not known.
    pub spend: Option<Spend>,
    /// What is filled up by itself; `None`: nothing.
    pub top_ups: Option<Standing>,
}

// === impl Status ===

impl Status {
    /// For programs. Amounts are texts in wei: JSON numbers lose digits.
    #[must_use]
    pub fn json(&self) -> Value {
        let account = &self.account;
        let sender = &account.sender;
        let surcharge = &self.reserve.surcharge;
        let wei = |wei: U256| wei.to_string();
        let ratio = |ratio: &pointsman_payments::Ratio| ratio.to_string();
        let claim = |(by, claimed): &(_, U256)| {
            json!({
                "orchestrator": address(by),
                "claimed": wei(*claimed),
                "free": wei(self.reserve.free(*by)),
            })
        };
        let withdraw_round = account.withdraw_round();
        json!({
            "remote_signer": self.signer,
            "network": self.network,
            "chain_id": self.chain_id,
            "address": address(&sender.address),
            "balance": wei(account.balance),
            "deposit": wei(sender.deposit),
            "reserve": {
                "funds": wei(sender.reserve),
                "claimed_in_round": wei(sender.claimed),
                "share": wei(self.reserve.share),
                "pool_size": account.pool_size,
                "claims": self.reserve.claims.iter().map(claim).collect::<Vec<_>>(),
                "price": {
                    "surcharge": surcharge.now.as_ref().map(ratio),
                    "least_surcharge": ratio(&surcharge.least),
                    "enough_reserve": wei(surcharge.enough),
                    "redemption": wei(surcharge.redemption),
                },
            },
            "state": self.state(),
            "round": account.round,
            "withdraw_round": Some(withdraw_round).filter(|&round| round != 0),
            "blocks_until_withdrawal": (withdraw_round != 0).then(|| account.blocks_until(withdraw_round)),
            "unlock_period": account.unlock_period,
            "paused": account.paused,
            "pending_transactions": account.pending,
            "gas": {
                "price": wei(account.gas_price),
                "max_price": self.fees.and_then(|fees| fees.cap).map(|cap| cap.to_string()),
                "limit": self.fees.and_then(|fees| fees.gas),
            },
            "spend": self.spend,
            "auto_top_up": self.top_ups.as_ref().map(Standing::json),
        })
    }

    /// `empty`, `locked`, `unlocking` or `unlocked`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        let account = &self.account;
        match account.withdraw_round() {
            _ if account.empty() => "empty",
            0 => "locked",
            round if round > account.round => "unlocking",
            _ => "unlocked",
        }
    }

    fn locked(&self) -> String {
        let Account {
            round,
            unlock_period,
            ..
        } = self.account;
        let withdraw_round = self.account.withdraw_round();
        match self.state() {
            "empty" => "nothing is in it: `pointsman wallet fund` puts money in".to_owned(),
            "locked" => format!(
                "locked; it can be withdrawn {unlock_period} rounds after `pointsman wallet unlock` (now is round {round})"
            ),
            "unlocking" => {
                let blocks = self.account.blocks_until(withdraw_round);
                format!(
                    "being unlocked: it can be withdrawn from round {withdraw_round} on, now is round {round}; {blocks} L1 blocks are left{}",
                    about(blocks, self.chain_id == ARBITRUM)
                )
            }
            _ => format!(
                "unlocked since round {withdraw_round}: `pointsman wallet withdraw` takes it out, and nobody can be paid"
            ),
        }
    }

    fn price(&self) -> String {
        let surcharge = &self.reserve.surcharge;
        let (least, enough) = (percent(&surcharge.least), Wei(surcharge.enough));
        if self.account.pool_size == 0 {
            return "no orchestrator is registered that it could guarantee anything to".to_owned();
        }
        match &surcharge.now {
            None => format!(
                "too small: orchestrators take no tickets with it; with {enough} they add {least} to their prices, the least there is"
            ),
            Some(_) if surcharge.is_least() => {
                format!("enough: orchestrators add {least} to their prices, the least there is")
            }
            Some(now) => format!(
                "small: orchestrators add {} to their prices; with {enough} it would be {least}",
                percent(now)
            ),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = &self.account;
        let sender = &account.sender;
        let mut row = |name: &str, text: String| writeln!(f, "  {name:<14}{text}");
        row(
            "account",
            format!("{} on {}", address(&sender.address), self.network),
        )?;
        if let Some(signer) = &self.signer {
            row("", format!("it is the remote signer's, at {signer}"))?;
        }
        row("balance", Wei(account.balance).to_string())?;
        if account.pending > 0 {
            row(
                "",
                format!("transactions in no block yet: {}", account.pending),
            )?;
        }
        row("deposit", Wei(sender.deposit).to_string())?;
        let claimed = match sender.claimed.is_zero() {
            true => String::new(),
            false => format!(", and {} claimed in this round", Wei(sender.claimed)),
        };
        row("reserve", format!("{}{claimed}", Wei(sender.reserve)))?;
        if !account.empty() && account.pool_size > 0 {
            let share = Wei(self.reserve.share);
            let pool = account.pool_size;
            row(
                "",
                format!("{share} for each of {pool} orchestrators a round"),
            )?;
        }
        for (by, claimed) in &self.reserve.claims {
            let (claimed, free) = (Wei(*claimed), Wei(self.reserve.free(*by)));
            row(
                "",
                format!("{} claimed {claimed}, {free} are left to it", address(by)),
            )?;
        }
        row("", self.price())?;
        row("money", self.locked())?;
        if account.paused {
            row("", "the protocol is paused: no money moves".to_owned())?;
        }
        let gas = gwei(account.gas_price.saturating_to());
        let cap = self.fees.and_then(|fees| fees.cap);
        let cap = cap.map_or(String::new(), |cap| format!(", at most {}", gwei(cap)));
        row("gas", format!("{gas}{cap}"))?;
        if let Some(spend) = &self.spend {
            row(
                "spent",
                format!(
                    "{} today (UTC), {} in all, by what tickets are worth",
                    words(&spend.today),
                    words(&spend.all_time)
                ),
            )?;
            if spend.unconfirmed_payments > 0 {
                row(
                    "",
                    format!(
                        "{} of it unconfirmed: the gateway ended while they were under way (payments: {})",
                        words(&spend.unconfirmed),
                        spend.unconfirmed_payments
                    ),
                )?;
            }
        }
        if let Some(top_ups) = &self.top_ups {
            row("auto top-up", top_ups.to_string())?;
        }
        Ok(())
    }
}

/// A deed that is done, for programs.
#[must_use]
pub fn json(done: &Done) -> Value {
    json!({
        "hash": done.hash.to_string(),
        "block": done.block,
        "fee": done.fee.to_string(),
        "replaced": done.replaced,
    })
}

/// As wallets write it.
fn address(address: &pointsman_wire::sign::Address) -> String {
    address.to_checksum(None)
}

#[cfg(test)]
pub(super) mod tests {
    use pointsman_chain::Sender;
    use pointsman_wire::sign::Address;

    use super::*;

    /// An account on Arbitrum with 1 ETH, 0.5 ETH deposit and 0.06 ETH reserve, in round 10.
    pub(in crate::wallet) fn account() -> Account {
        let ether = |milli: u64| U256::from(milli) * U256::from(1_000_000_000_000_000_u64);
        Account {
            block: 1,
            balance: ether(1000),
            sender: Sender {
                address: Address::repeat_byte(1),
                deposit: ether(500),
                withdraw_round: U256::ZERO,
                reserve: ether(60),
                claimed: U256::ZERO,
            },
            pending: 0,
            round: 10,
            round_left: 500,
            round_length: 5760,
            unlock_period: 2,
            pool_size: 100,
            paused: false,
            gas_price: U256::from(10_000_000),
        }
    }

    fn status(account: Account) -> Status {
        Status {
            signer: None,
            network: "arbitrum-one-mainnet".to_owned(),
            chain_id: ARBITRUM,
            reserve: Reserve::new(&account, ARBITRUM, Vec::new()),
            account,
            fees: Some(Fees {
                cap: Some(1_000_000_000),
                ..Fees::default()
            }),
            spend: Some(Spend {
                today: "1500000000000.25".to_owned(),
                all_time: "2000000000000000".to_owned(),
                unconfirmed: "8000000000".to_owned(),
                unconfirmed_payments: 1,
            }),
            top_ups: None,
        }
    }

    #[test]
    fn it_is_a_plain_account() {
        let said = status(account()).to_string();
        assert_eq!(
            said,
            "  account       0x0101010101010101010101010101010101010101 on arbitrum-one-mainnet\n  \
             balance       1 ETH\n  \
             deposit       0.5 ETH\n  \
             reserve       0.06 ETH\n                \
             0.0006 ETH for each of 100 orchestrators a round\n                \
             small: orchestrators add 2 % to their prices; with 0.12 ETH it would be 1 %\n  \
             money         locked; it can be withdrawn 2 rounds after `pointsman wallet unlock` (now is round 10)\n  \
             gas           0.01 gwei, at most 1 gwei\n  \
             spent         0.0000015 ETH today (UTC), 0.002 ETH in all, by what tickets are worth\n                \
             8000000000 wei of it unconfirmed: the gateway ended while they were under way (payments: 1)\n"
        );
    }

    #[test]
    fn json_has_texts_for_amounts_and_null_for_what_is_not() {
        let json = status(account()).json();
        assert_eq!(json["deposit"], "500000000000000000");
        assert_eq!(json["state"], "locked");
        assert_eq!(json["withdraw_round"], Value::Null);
        assert_eq!(json["reserve"]["price"]["surcharge"], "1/50");
        assert_eq!(
            json["reserve"]["price"]["enough_reserve"],
            "120000000000000000"
        );
        assert_eq!(json["gas"]["max_price"], "1000000000");
        assert_eq!(json["spend"]["unconfirmed_payments"], 1);
        assert_eq!(json["auto_top_up"], Value::Null);
    }

    #[test]
    fn the_state_goes_by_the_round() {
        let mut account = account();
        let state = |account: Account| status(account).state();
        account.sender.withdraw_round = U256::from(11);
        assert_eq!(state(account), "unlocking");
        let said = status(account).to_string();
        assert!(
            said.contains(
                "from round 11 on, now is round 10; 500 L1 blocks are left, about 1h 40m"
            ),
            "{said}"
        );
        account.sender.withdraw_round = U256::from(10);
        assert_eq!(state(account), "unlocked");
        account.sender.deposit = U256::ZERO;
        account.sender.reserve = U256::ZERO;
        assert_eq!(state(account), "empty", "whatever round the contract kept");
        assert!(
            status(account)
                .to_string()
                .contains("too small: orchestrators take no tickets")
        );
    }

    #[test]
    fn claims_are_told_with_what_is_left() {
        let mut account = account();
        account.sender.claimed = U256::from(40_000_000_000_000_000_u64);
        let claimed = U256::from(400_000_000_000_000_u64);
        let by = Address::repeat_byte(2);
        let status = Status {
            reserve: Reserve::new(&account, ARBITRUM, vec![(by, claimed)]),
            ..status(account)
        };
        assert_eq!(
            status.reserve.share,
            U256::from(1_000_000_000_000_000_u64),
            "of what there was"
        );
        assert!(
            status
                .to_string()
                .contains("claimed 0.0004 ETH, 0.0006 ETH are left to it")
        );
        assert_eq!(
            status.json()["reserve"]["claims"][0]["free"],
            "600000000000000"
        );
    }
}
