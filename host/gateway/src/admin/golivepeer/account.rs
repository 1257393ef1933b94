//! The account that pays: where its money is, and moving it.

use axum::extract::State;
use pointsman_chain::{Account, Chain, Done, Fees};
use pointsman_payments::U256;
use pointsman_wire::sign::Address;

use super::answer::{Json, Object, Text};
use super::form::Form;
use super::{AdminState, Fault, ask};
use crate::money::Money;
use crate::wallet::{Wallet, WalletError};

pub(super) async fn address(State(state): State<AdminState>) -> Result<Text, Fault> {
    Ok(Text(money(&state)?.address().to_checksum(None)))
}

pub(super) async fn eth_balance(State(state): State<AdminState>) -> Result<Text, Fault> {
    let account = account(&state).await?;
    Ok(Text(account.balance.to_string()))
}

/// LPT, of which a gateway needs none.
pub(super) async fn token_balance(State(state): State<AdminState>) -> Result<Text, Fault> {
    let chain = chain(&state)?;
    let [token] = ask::contracts(chain, ["LivepeerToken"]).await?;
    let owner: &[Address] = &[money(&state)?.address()];
    let asked = [(token, "balanceOf(address)", owner)];
    let balance = match token.is_zero() {
        true => U256::ZERO,
        false => ask::numbers(chain, &asked).await?[0],
    };
    Ok(Text(balance.to_string()))
}

pub(super) async fn sender(State(state): State<AdminState>) -> Result<Json, Fault> {
    let sender = account(&state).await?.sender;
    let reserve = Object::default()
        .json("FundsRemaining", sender.reserve)
        .json("ClaimedInCurrentRound", sender.claimed)
        .end();
    let info = Object::default()
        .json("Deposit", sender.deposit)
        .json("WithdrawRound", sender.withdraw_round)
        .json("Reserve", reserve);
    Ok(Json(info.end()))
}

pub(super) async fn broker(State(state): State<AdminState>) -> Result<Json, Fault> {
    let period = account(&state).await?.unlock_period;
    Ok(Json(Object::default().json("UnlockPeriod", period).end()))
}

/// Empty for none.
pub(super) async fn max_gas_price(State(state): State<AdminState>) -> Result<Text, Fault> {
    let fees = money(&state)?.wallet().fees();
    let cap = fees.and_then(|fees| fees.cap);
    Ok(Text(cap.map_or_else(String::new, |cap| cap.to_string())))
}

/// There is none: transactions offer what the chain asks.
pub(super) async fn min_gas_price(State(state): State<AdminState>) -> Result<Text, Fault> {
    money(&state).map(|_| Text("0".to_owned()))
}

pub(super) async fn set_max_gas_price(
    State(state): State<AdminState>,
    form: Form,
) -> Result<Text, Fault> {
    let amount = form.wei("amount")?;
    let wallet = wallet(&state)?;
    let cap = u128::try_from(amount).map_err(|_| Fault::request("Parsing failed for price"))?;
    let fees = wallet.fees().unwrap_or_default();
    let cap = Some(cap).filter(|&cap| cap != 0);
    let set = wallet.set_fees(Fees { cap, ..fees });
    set.map_err(|error| Fault::internal(error.to_string()))?;
    Ok(Text(String::new()))
}

pub(super) async fn fund_both(State(state): State<AdminState>, form: Form) -> Result<Text, Fault> {
    let (deposit, reserve) = (form.wei("depositAmount")?, form.wei("reserveAmount")?);
    let wallet = wallet(&state)?;
    done("fundDepositAndReserve", wallet.fund(deposit, reserve).await)
}

pub(super) async fn fund_deposit(
    State(state): State<AdminState>,
    form: Form,
) -> Result<Text, Fault> {
    let amount = form.wei("amount")?;
    done(
        "fundDeposit",
        wallet(&state)?.fund(amount, U256::ZERO).await,
    )
}

pub(super) async fn unlock(State(state): State<AdminState>) -> Result<Text, Fault> {
    done("unlock", wallet(&state)?.unlock().await)
}

pub(super) async fn cancel_unlock(State(state): State<AdminState>) -> Result<Text, Fault> {
    done("cancelUnlock", wallet(&state)?.cancel_unlock().await)
}

pub(super) async fn withdraw(State(state): State<AdminState>) -> Result<Text, Fault> {
    done("withdraw", wallet(&state)?.withdraw().await)
}

fn done(name: &str, done: Result<Done, WalletError>) -> Result<Text, Fault> {
    match done {
        Ok(_) => Ok(Text(format!("{name} success"))),
        Err(error) => Err(Fault::internal(format!(
            "could not execute {name}: {error}"
        ))),
    }
}

pub(super) fn money(state: &AdminState) -> Result<&Money, Fault> {
    state.money.as_ref().ok_or_else(Fault::no_chain)
}

pub(super) fn chain(state: &AdminState) -> Result<&Chain, Fault> {
    money(state)?.chain().ok_or_else(Fault::no_chain)
}

fn wallet(state: &AdminState) -> Result<&Wallet, Fault> {
    // A remote signer's says that the money is there.
    money(state).map(Money::wallet)
}

/// Asked anew: whoever funds and asks next wants to see it.
pub(super) async fn account(state: &AdminState) -> Result<Account, Fault> {
    let account = chain(state)?.account(money(state)?.address()).await;
    account.map_err(|error| Fault::internal(format!("could not query the account: {error}")))
}
