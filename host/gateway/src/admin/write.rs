//! What may be changed.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use serde_json::{Value, json};

use super::{AdminState, ApiError};

/// Activates the bundle in the body, a tar of its files.
pub(super) async fn activate(
    State(state): State<AdminState>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let body =
        body.map_err(|error| ApiError::bad_request(format!("the bundle cannot be read: {error}")))?;
    let generation = state
        .policies
        .upload(body)
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
