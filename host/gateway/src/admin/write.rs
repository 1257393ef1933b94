//! What may be changed.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::bundle::Incoming;
use super::{AdminState, ApiError};

/// Activates the bundle that is sent or named.
pub(super) async fn activate(
    State(state): State<AdminState>,
    sent: Incoming,
) -> Result<Json<Value>, ApiError> {
    let generation = state
        .policies
        .send(sent.0)
        .await
        .map_err(|error| ApiError::refused("bundle", format!("{error:#}")))?;
    Ok(Json(json!({ "active": generation })))
}

/// Makes the generation before the active one active again.
pub(super) async fn rollback(State(state): State<AdminState>) -> Result<Json<Value>, ApiError> {
    let generation = state
        .policies
        .rollback()
        .await
        .map_err(|error| ApiError::refused("rollback", error.to_string()))?;
    Ok(Json(json!({ "active": generation })))
}
