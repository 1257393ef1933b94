//! What the gateway knows.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{AdminState, ApiError};

/// Decisions answered when no limit is given.
const DEFAULT_DECISIONS: usize = 50;
/// Decisions answered at most.
const MAX_DECISIONS: usize = 1000;

pub(super) async fn ready(State(state): State<AdminState>) -> Result<&'static str, ApiError> {
    if state.draining.is_cancelled() {
        return Err(ApiError::unavailable("draining: no new streams"));
    }
    if !state
        .directory
        .list()
        .iter()
        .any(|orchestrator| orchestrator.usable)
    {
        return Err(ApiError::unavailable("no orchestrator is usable"));
    }
    Ok("ready\n")
}

pub(super) async fn metrics(State(state): State<AdminState>) -> Response {
    if let Some(money) = &state.money {
        money.gauge();
    }
    crate::money::gauge_ceiling(&state.prices, state.directory.clock().unix_ms() / 1000);
    let text = state.metrics.render();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

pub(super) async fn status(State(state): State<AdminState>) -> Json<Value> {
    let active = state.policies.host().active();
    let orchestrators = state.directory.list();
    let usable = orchestrators
        .iter()
        .filter(|orchestrator| orchestrator.usable)
        .count();
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "draining": state.draining.is_cancelled(),
        "listeners": state.addresses,
        "streams": state.streams.list().len(),
        "orchestrators": { "known": orchestrators.len(), "usable": usable },
        "policy": { "name": active.name(), "version": active.version(), "generation": active.number() },
        "settings": state.settings.describe(),
    }))
}

pub(super) async fn orchestrators(State(state): State<AdminState>) -> Json<Value> {
    Json(json!({ "orchestrators": state.directory.list() }))
}

/// Everybody registered on the chain, with the reason where one is no candidate.
pub(super) async fn registry(State(state): State<AdminState>) -> Json<Value> {
    let taken = state.settings.orchestrators.registry.is_some();
    Json(json!({ "taken": taken, "registered": state.directory.registered() }))
}

pub(super) async fn streams(State(state): State<AdminState>) -> Json<Value> {
    let streams: Vec<_> = state
        .streams
        .list()
        .iter()
        .map(|live| live.summary())
        .collect();
    Json(json!({ "streams": streams }))
}

pub(super) async fn payments(State(state): State<AdminState>) -> Json<Value> {
    Json(match &state.money {
        Some(money) => money.summary(),
        None => json!({ "network": "offchain" }),
    })
}

pub(super) async fn policy(State(state): State<AdminState>) -> Json<Value> {
    let host = state.policies.host();
    Json(json!({ "generations": host.generations(), "trials": host.trials() }))
}

/// Which decisions.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    /// At most so many, newest first.
    limit: Option<usize>,
    /// Only those of this stream or job: `NAME` or `NAME/SEQUENCE`.
    job: Option<String>,
}

pub(super) async fn decisions(
    State(state): State<AdminState>,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(Which { limit, job }) =
        which.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let limit = limit.unwrap_or(DEFAULT_DECISIONS).min(MAX_DECISIONS);
    let of_job = |id: &str| match &job {
        Some(job) => {
            id == job
                || id
                    .strip_prefix(job.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        }
        None => true,
    };
    let recent =
        state
            .policies
            .host()
            .decisions()
            .latest(if job.is_some() { usize::MAX } else { limit });
    let chosen = recent
        .iter()
        .filter(|decision| of_job(&decision.job))
        .take(limit);
    let chosen = chosen
        .map(|decision| serde_json::to_value(&**decision))
        .collect::<Result<Vec<_>, _>>();
    let chosen = chosen
        .map_err(|error| ApiError::unavailable(format!("a decision cannot be shown: {error}")))?;
    Ok(Json(json!({ "decisions": chosen })))
}
