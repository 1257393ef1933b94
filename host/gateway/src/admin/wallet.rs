//! The wallet: where the money is, and moving it.
//!
//! Amounts are texts, since JSON numbers lose digits: wei, or a number with `eth` behind it. A deed is answered when it is in a block. Each costs gas, and
//! withdrawing ends all paying; so each is a POST with the token, as all changes are.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use pointsman_chain::Done;
use pointsman_payments::U256;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{AdminState, ApiError};
use crate::config;
use crate::wallet::{Wallet, WalletError};

/// What is to be added.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Funds {
    /// To the deposit.
    deposit: Option<String>,
    /// To the reserve.
    reserve: Option<String>,
}

/// Where the money is.
pub(super) async fn status(State(state): State<AdminState>) -> Result<Json<Value>, ApiError> {
    let Some(money) = &state.money else {
        return Ok(Json(json!({ "network": "offchain" })));
    };
    match money.wallet().status().await {
        Ok(status) => Ok(Json(status.json())),
        Err(error @ WalletError::Signer(_)) => Ok(Json(json!({ "unknown": error.to_string() }))),
        Err(error) => Err(error.into()),
    }
}

/// Adds to deposit and reserve.
pub(super) async fn fund(
    State(state): State<AdminState>,
    funds: Result<Json<Funds>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(Funds { deposit, reserve }) =
        funds.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let (deposit, reserve) = (amount("deposit", deposit)?, amount("reserve", reserve)?);
    Ok(done(wallet(&state)?.fund(deposit, reserve).await?))
}

/// Begins the wait for the withdrawal.
pub(super) async fn unlock(State(state): State<AdminState>) -> Result<Json<Value>, ApiError> {
    Ok(done(wallet(&state)?.unlock().await?))
}

/// Ends it.
pub(super) async fn cancel_unlock(
    State(state): State<AdminState>,
) -> Result<Json<Value>, ApiError> {
    Ok(done(wallet(&state)?.cancel_unlock().await?))
}

/// Takes everything out.
pub(super) async fn withdraw(State(state): State<AdminState>) -> Result<Json<Value>, ApiError> {
    Ok(done(wallet(&state)?.withdraw().await?))
}

fn wallet(state: &AdminState) -> Result<&Wallet, ApiError> {
    let money = state.money.as_ref().ok_or_else(|| {
        ApiError::refused(
            "offchain",
            "there is no wallet off-chain: run with a --network",
        )
    })?;
    Ok(money.wallet())
}

fn amount(name: &str, text: Option<String>) -> Result<U256, ApiError> {
    let text = text.unwrap_or_default();
    match text.trim() {
        "" | "0" => Ok(U256::ZERO),
        text => {
            config::wei(text).map_err(|error| ApiError::bad_request(format!("{name}: {error}")))
        }
    }
}

fn done(done: Done) -> Json<Value> {
    Json(json!({ "done": crate::wallet::json(&done) }))
}

impl From<WalletError> for ApiError {
    fn from(error: WalletError) -> Self {
        match &error {
            WalletError::Node(_) | WalletError::Behind { .. } => {
                Self::unavailable(error.to_string())
            }
            _ => Self::refused(error.code(), error.to_string()),
        }
    }
}
