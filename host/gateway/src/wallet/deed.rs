//! Deeds: checked, priced, sent.

use std::sync::atomic::Ordering;

use pointsman_chain::{Account, Deed, Done};

use super::{Own, Prepared, Wallet, WalletError};

// === impl Wallet ===

impl Wallet {
    /// What a deed costs, and whether it can be done. Sends nothing.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    pub async fn prepare(&self, deed: Deed) -> Result<Prepared, WalletError> {
        self.own()?.prepare(deed).await
    }

    /// Sends what was prepared, and waits until it is in a block.
    ///
    /// # Errors
    ///
    /// As [`fund`](Self::fund).
    pub async fn send(&self, prepared: &Prepared) -> Result<Done, WalletError> {
        let (wallet, prepared) = (self.clone(), prepared.clone());
        let sending = tokio::spawn(async move {
            let own = wallet.own()?;
            let _turn = own.turn.lock().await;
            own.send(&prepared).await
        });
        sending.await.map_err(|_| WalletError::Ended)?
    }

    /// Checks, prices and sends, in one turn.
    pub(super) async fn act(&self, deed: Deed) -> Result<Done, WalletError> {
        let wallet = self.clone();
        let acting = tokio::spawn(async move {
            let own = wallet.own()?;
            let _turn = own.turn.lock().await;
            own.send(&own.prepare(deed).await?).await
        });
        acting.await.map_err(|_| WalletError::Ended)?
    }
}

// === impl Own ===

impl Own {
    pub(super) async fn prepare(&self, deed: Deed) -> Result<Prepared, WalletError> {
        let hand = self.hand()?;
        let account = self.account().await?;
        let arbitrum = self
            .chain
            .state()
            .is_some_and(|state| state.chain_id == super::reserve::ARBITRUM);
        check(deed, &account, arbitrum)?;
        let plan = hand.plan(deed).await?;
        Ok(Prepared { plan, account })
    }

    pub(super) async fn send(&self, prepared: &Prepared) -> Result<Done, WalletError> {
        let name = name(prepared.plan.deed);
        let sent = self.hand()?.send(&prepared.plan).await;
        let result = if sent.is_ok() { "ok" } else { "failed" };
        metrics::counter!("pointsman_wallet_transactions_total", "deed" => name, "result" => result)
            .increment(1);
        match &sent {
            Ok(done) => {
                self.last.fetch_max(done.block, Ordering::Relaxed);
                tracing::info!(
                    deed = name, value = %prepared.plan.value, fee = %done.fee, hash = %done.hash,
                    block = done.block, replaced = done.replaced, "a transaction of the wallet is done"
                );
            }
            Err(error) => tracing::warn!(deed = name, %error, "a transaction of the wallet failed"),
        }
        Ok(sent?)
    }
}

/// What the contract would refuse, in words with numbers.
fn check(deed: Deed, account: &Account, arbitrum: bool) -> Result<(), WalletError> {
    let (round, withdraw_round) = (account.round, account.withdraw_round());
    if account.paused {
        return Err(WalletError::Paused);
    }
    let empty = || WalletError::Empty {
        account: account.sender.address,
    };
    match deed {
        Deed::Fund { deposit, reserve } if deposit.is_zero() && reserve.is_zero() => {
            Err(WalletError::Nothing)
        }
        Deed::Fund { deposit, reserve } if deposit.checked_add(reserve).is_none() => {
            Err(WalletError::TooMuch)
        }
        Deed::Fund { .. } => Ok(()),
        Deed::Unlock | Deed::Withdraw if account.empty() => Err(empty()),
        Deed::Unlock if withdraw_round != 0 => Err(WalletError::Unlocking {
            withdraw_round,
            round,
        }),
        Deed::Unlock => Ok(()),
        Deed::CancelUnlock if withdraw_round == 0 => Err(WalletError::Locked {
            deposit: account.sender.deposit,
            reserve: account.sender.reserve,
        }),
        Deed::CancelUnlock => Ok(()),
        Deed::Withdraw if withdraw_round == 0 => Err(WalletError::NotUnlocked {
            rounds: account.unlock_period,
        }),
        Deed::Withdraw if round < withdraw_round => Err(WalletError::TooEarly {
            withdraw_round,
            round,
            blocks: account.blocks_until(withdraw_round),
            arbitrum,
        }),
        Deed::Withdraw => Ok(()),
    }
}

/// A deed in one word, as the command line has it.
pub(crate) fn name(deed: Deed) -> &'static str {
    match deed {
        Deed::Fund { .. } => "fund",
        Deed::Unlock => "unlock",
        Deed::CancelUnlock => "cancel-unlock",
        Deed::Withdraw => "withdraw",
    }
}

#[cfg(test)]
mod tests {
    use pointsman_chain::Sender;
    use pointsman_payments::U256;

    use super::*;
    use crate::wallet::status::tests::account;

    fn fund(deposit: U256, reserve: U256) -> Deed {
        Deed::Fund { deposit, reserve }
    }

    fn with(deposit: u64, reserve: u64, withdraw_round: u64) -> Account {
        Account {
            sender: Sender {
                deposit: U256::from(deposit),
                reserve: U256::from(reserve),
                withdraw_round: U256::from(withdraw_round),
                ..account().sender
            },
            ..account()
        }
    }

    fn refusal(deed: Deed, account: &Account) -> String {
        check(deed, account, true).map_or_else(|error| error.to_string(), |()| "taken".to_owned())
    }

    #[test]
    fn what_the_contract_would_refuse_is_said_with_the_numbers() {
        let locked = with(5, 7, 0);
        for (deed, account, said) in [
            (
                fund(U256::ZERO, U256::ZERO),
                locked,
                "nothing to fund: give a deposit, a reserve, or both",
            ),
            (fund(U256::MAX, U256::MAX), locked, "no account has so much"),
            (
                Deed::CancelUnlock,
                locked,
                "nothing is being unlocked: deposit 5 wei and reserve 7 wei are locked",
            ),
            (
                Deed::Withdraw,
                locked,
                "deposit and reserve are locked: unlock them first (`pointsman wallet unlock`); they can be withdrawn 2 rounds later",
            ),
            (
                Deed::Unlock,
                with(5, 7, 12),
                "deposit and reserve are being unlocked already: they can be withdrawn from round 12 on, now is round 10",
            ),
            (
                Deed::Withdraw,
                with(5, 7, 12),
                "too early: the money can be withdrawn from round 12 on, now is round 10; 6260 L1 blocks are left, about 20h 52m",
            ),
            // The round of a withdrawal stays in the contract.
            (
                Deed::Withdraw,
                with(0, 0, 9),
                "0x0101010101010101010101010101010101010101 has neither deposit nor reserve: there is nothing to withdraw or unlock",
            ),
            (
                Deed::Unlock,
                with(0, 0, 0),
                "0x0101010101010101010101010101010101010101 has neither deposit nor reserve: there is nothing to withdraw or unlock",
            ),
        ] {
            assert_eq!(refusal(deed, &account), said, "{deed:?}");
        }
    }

    #[test]
    fn what_can_be_done_is_taken() {
        for (deed, account) in [
            (fund(U256::ONE, U256::ZERO), with(0, 0, 0)),
            (fund(U256::ZERO, U256::ONE), with(5, 7, 12)),
            (Deed::Unlock, with(5, 0, 0)),
            (Deed::CancelUnlock, with(5, 7, 12)),
            (Deed::CancelUnlock, with(5, 7, 9)),
            (Deed::Withdraw, with(0, 7, 10)),
        ] {
            assert_eq!(refusal(deed, &account), "taken", "{deed:?} {account:?}");
        }
    }

    #[test]
    fn a_paused_protocol_takes_nothing() {
        let paused = Account {
            paused: true,
            ..with(5, 7, 9)
        };
        for deed in [Deed::Unlock, Deed::CancelUnlock, Deed::Withdraw] {
            assert!(refusal(deed, &paused).contains("paused"));
        }
    }
}
