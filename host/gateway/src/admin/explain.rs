//! Why a decision came out as it did, from memory.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};
use pointsman_policy::Decision;
use pointsman_recording::{Explanation, Policy, Which};
use serde_json::json;

use super::{AdminState, ApiError};

/// Explains a job by its name, or a decision by its number: JSON, or text for whom `Accept` asks for it. A job that was decided more
/// than once has its last decision first.
pub(super) async fn explain(
    State(state): State<AdminState>,
    Path(wanted): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let which = Which::new(&wanted);
    let log = state.policies.host().decisions();
    let mut found: Vec<_> = log
        .latest(usize::MAX)
        .into_iter()
        .filter(|decision| which.names(&decision.job))
        .collect();
    if found.is_empty() {
        found.extend(which.number().and_then(|number| log.get(number)));
    }
    if found.is_empty() {
        return Err(ApiError::not_found(format!(
            "no decision about {wanted} is in memory: jobs are named STREAM/SEQUENCE, and older decisions may be in the recordings \
             (`pointsman explain {wanted} --from DIR`)"
        )));
    }
    let explained: Vec<_> = found
        .iter()
        .map(|decision| explanation(&state, decision))
        .collect();
    let plain = headers
        .get(ACCEPT)
        .is_some_and(|wanted| wanted.as_bytes().starts_with(b"text/plain"));
    if plain {
        let texts: Vec<_> = explained.iter().map(ToString::to_string).collect();
        let kind = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
        return Ok((kind, texts.join("\n")).into_response());
    }
    Ok(Json(json!({ "decisions": explained })).into_response())
}

fn explanation(state: &AdminState, decision: &Decision) -> Explanation {
    let generations = state.policies.host().generations();
    let policy = generations
        .into_iter()
        .find(|generation| generation.number == decision.generation)
        .map(|generation| Policy {
            generation: generation.number,
            name: generation.name,
            version: generation.version,
            digest: generation.digest.to_string(),
        });
    Explanation::of(decision, policy, |id| {
        let orchestrator = state.directory.orchestrator(id)?;
        Some(orchestrator.uri.to_string())
    })
}
