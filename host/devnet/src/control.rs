//! The control route: reads and changes orchestrators while they run.
//!
//! | request | |
//! |---|---|
//! | `GET /orchestrators` | settings and counters of all |
//! | `GET /orchestrators/{name}` | of one |
//! | `POST /orchestrators/{name}` | a patch: `{"failure": …, "latency_ms": …, "price": …, "capacity": …}`; answers with the new settings |
//! | `POST /orchestrators/{name}/kill` | ends it as `kill -9` would |
//! | `POST /orchestrators/{name}/start` | starts it again; its old tokens are void |
//! | `POST /orchestrators/{name}/redeem` | redeems the winning tickets that wait |
//! | `GET /signer` | what the remote signer was asked, where there is one |
//! | `POST /signer` | how it fails: `{"payment": "hang", "segment": "500", "identity": "480x2"}`; `null` heals |
//! | `GET /webhook` | the discovery webhook: `[{"address", "score", "region", "labels"}]` |
//!
//! Errors are `{"error": {"code", "message"}}`. It listens on loopback alone, and answers only requests that name a
//! loopback host and come from no web page: a page open in a browser of this machine could otherwise reach it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::change::Change;
use crate::orchestrator::{Orchestrator, Status};
use crate::signer::{Signed, Signer, SignerChange};

type Orchestrators = Arc<[Orchestrator]>;

/// An error of the route.
struct Failed(StatusCode, &'static str, String);

/// Serves until the devnet ends.
pub(crate) async fn serve(
    listener: TcpListener,
    orchestrators: Vec<Orchestrator>,
    signer: Option<Signer>,
    root: CancellationToken,
) {
    let signer = signer.map(|signer| {
        Router::new()
            .route("/signer", get(signed).post(trouble))
            .with_state(signer)
    });
    let router = Router::new()
        .route("/orchestrators", get(list))
        .route("/orchestrators/{name}", get(show).post(patch))
        .route("/orchestrators/{name}/kill", post(kill))
        .route("/orchestrators/{name}/start", post(start))
        .route("/orchestrators/{name}/redeem", post(redeem))
        .route("/webhook", get(webhook))
        .fallback(async || {
            Failed(
                StatusCode::NOT_FOUND,
                "not-found",
                "no such route".to_owned(),
            )
        })
        .with_state(Orchestrators::from(orchestrators))
        .merge(signer.unwrap_or_default())
        .layer(from_fn(guard));
    let stopped = root.clone().cancelled_owned();
    let server = axum::serve(listener, router).with_graceful_shutdown(stopped);
    // A client that keeps its connection open does not keep the devnet open.
    let ended = async {
        root.cancelled().await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    };
    tokio::select! {
        served = server => if let Err(cause) = served {
            tracing::error!(%cause, "the control route broke down");
        },
        () = ended => {}
    }
}

/// The orchestrator of this name.
pub(crate) fn find<'o>(orchestrators: &'o [Orchestrator], name: &str) -> Option<&'o Orchestrator> {
    orchestrators.iter().find(|o| o.name() == name)
}

async fn list(State(all): State<Orchestrators>) -> Json<Vec<Status>> {
    Json(all.iter().map(Orchestrator::status).collect())
}

async fn show(
    State(all): State<Orchestrators>,
    Path(name): Path<String>,
) -> Result<Json<Status>, Failed> {
    Ok(Json(pick(&all, &name)?.status()))
}

async fn patch(
    State(all): State<Orchestrators>,
    Path(name): Path<String>,
    change: Result<Json<Change>, JsonRejection>,
) -> Result<Json<Status>, Failed> {
    let orchestrator = pick(&all, &name)?;
    let Json(change) = change.map_err(|error| {
        let message = std::error::Error::source(&error)
            .map_or_else(|| error.body_text(), |cause| cause.to_string());
        Failed(StatusCode::BAD_REQUEST, "bad-patch", message)
    })?;
    orchestrator.set(change);
    Ok(Json(orchestrator.status()))
}

async fn kill(
    State(all): State<Orchestrators>,
    Path(name): Path<String>,
) -> Result<Json<Status>, Failed> {
    let orchestrator = pick(&all, &name)?;
    orchestrator.kill().await;
    Ok(Json(orchestrator.status()))
}

async fn start(
    State(all): State<Orchestrators>,
    Path(name): Path<String>,
) -> Result<Json<Status>, Failed> {
    let orchestrator = pick(&all, &name)?;
    let failed = |cause: crate::Error| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Failed(status, "not-started", cause.to_string())
    };
    orchestrator.start().await.map_err(failed)?;
    Ok(Json(orchestrator.status()))
}

async fn redeem(
    State(all): State<Orchestrators>,
    Path(name): Path<String>,
) -> Result<Json<Status>, Failed> {
    let orchestrator = pick(&all, &name)?;
    let failed = |cause: crate::chain::RpcError| {
        let status = StatusCode::BAD_GATEWAY;
        Failed(status, "not-redeemed", cause.to_string())
    };
    orchestrator.redeem().await.map_err(failed)?;
    Ok(Json(orchestrator.status()))
}

async fn signed(State(signer): State<Signer>) -> Json<Signed> {
    Json(signer.signed())
}

async fn trouble(
    State(signer): State<Signer>,
    change: Result<Json<SignerChange>, JsonRejection>,
) -> Result<Json<Signed>, Failed> {
    let Json(change) =
        change.map_err(|error| Failed(StatusCode::BAD_REQUEST, "bad-patch", error.body_text()))?;
    signer.set(change);
    Ok(Json(signer.signed()))
}

/// Killed ones are listed too: a webhook does not know who lives.
async fn webhook(State(all): State<Orchestrators>) -> Json<Vec<Value>> {
    let entries = all.iter().map(|orchestrator| {
        let profile = orchestrator.profile();
        let mut entry = json!({"address": orchestrator.uri(), "score": profile.score});
        if let Some(region) = &profile.region {
            entry["region"] = json!(region);
        }
        if !profile.labels.is_empty() {
            entry["labels"] = json!(profile.labels);
        }
        entry
    });
    Json(entries.collect())
}

fn pick<'o>(all: &'o Orchestrators, name: &str) -> Result<&'o Orchestrator, Failed> {
    find(all, name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(Orchestrator::name).collect();
        let message = format!("no orchestrator {name:?}: there are {}", names.join(", "));
        Failed(StatusCode::NOT_FOUND, "not-found", message)
    })
}

async fn guard(request: Request, next: Next) -> Response {
    match foreign(request.headers()) {
        None => next.run(request).await,
        Some(why) => Failed(StatusCode::FORBIDDEN, "foreign", why.to_owned()).into_response(),
    }
}

/// Why a request may come from a web page.
fn foreign(headers: &HeaderMap) -> Option<&'static str> {
    if headers.contains_key(header::ORIGIN) {
        return Some("requests of web pages are not answered");
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let Some(host) = host else {
        return Some("the request has no Host");
    };
    let bare = host.parse::<http::uri::Authority>().ok();
    let loopback = bare.is_some_and(|authority| {
        let host = authority.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    });
    (!loopback).then_some("the request's Host is not of this machine")
}

// === impl Failed ===

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        let body = json!({"error": {"code": code, "message": message}});
        (status, Json(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_of_this_machine_are_answered() {
        let judge = |host: Option<&str>, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, host.parse().expect("a header"));
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().expect("a header"));
            }
            foreign(&headers).is_none()
        };
        for host in [
            "127.0.0.1:7935",
            "localhost:7935",
            "[::1]:7935",
            "127.0.0.1",
        ] {
            assert!(judge(Some(host), None), "{host}");
        }
        assert!(!judge(None, None));
        assert!(!judge(Some("evil.example:7935"), None));
        assert!(!judge(Some("127.0.0.1.evil.example"), None));
        assert!(!judge(Some("127.0.0.1:7935"), Some("http://evil.example")));
    }
}
