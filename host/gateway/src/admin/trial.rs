//! Bundles on trial, and the journal of policies.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use pointsman_policy::Share;
use serde::Deserialize;
use serde_json::{Value, json};

use super::bundle::Incoming;
use super::{AdminState, ApiError};
use crate::policies::journal;

/// Entries answered when no limit is given.
const DEFAULT_ENTRIES: usize = 100;

/// How much of the traffic.
#[derive(Debug, Deserialize)]
pub(super) struct Extent {
    /// Above 0, at most 1.
    share: f64,
}

/// Which entries.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    /// Only those after this number.
    after: Option<u64>,
    /// At most so many, the newest.
    limit: Option<usize>,
}

/// Begins a shadow with the bundle that is sent or named.
pub(super) async fn shadow(
    State(state): State<AdminState>,
    extent: Result<Query<Extent>, QueryRejection>,
    sent: Incoming,
) -> Result<Json<Value>, ApiError> {
    let begun = state.policies.shadow(sent.0, share(extent)?).await;
    let generation = begun.map_err(|error| ApiError::refused("bundle", format!("{error:#}")))?;
    Ok(Json(json!({ "shadow": generation })))
}

/// Begins a canary with the bundle that is sent or named.
pub(super) async fn canary(
    State(state): State<AdminState>,
    extent: Result<Query<Extent>, QueryRejection>,
    sent: Incoming,
) -> Result<Json<Value>, ApiError> {
    let begun = state.policies.canary(sent.0, share(extent)?).await;
    let generation = begun.map_err(|error| ApiError::refused("bundle", format!("{error:#}")))?;
    Ok(Json(json!({ "canary": generation })))
}

/// Makes the canary active.
pub(super) async fn promote(State(state): State<AdminState>) -> Result<Json<Value>, ApiError> {
    let promoted = state.policies.promote().await;
    let generation = promoted.map_err(|error| ApiError::refused("canary", error.to_string()))?;
    Ok(Json(json!({ "active": generation })))
}

/// Ends the shadow and the canary.
pub(super) async fn stop(State(state): State<AdminState>) -> Json<Value> {
    Json(json!({ "ended": state.policies.stop().await }))
}

/// What policies wrote, and what happened to them.
pub(super) async fn log(
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(Which { after, limit }) =
        which.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let limit = limit.unwrap_or(DEFAULT_ENTRIES);
    Ok(Json(
        json!({ "entries": journal::entries(after.unwrap_or(0), limit) }),
    ))
}

fn share(extent: Result<Query<Extent>, QueryRejection>) -> Result<Share, ApiError> {
    let problem = "share= must be a number above 0 and at most 1, such as 0.1";
    let extent = extent.map_err(|_| ApiError::bad_request(problem))?;
    Share::new(extent.share).ok_or_else(|| ApiError::bad_request(problem))
}
