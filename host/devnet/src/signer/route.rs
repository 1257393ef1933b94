//! The signer's calls.

use std::time::SystemTime;

use alloy::primitives::{B256, hex};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderName, StatusCode, header};
use pointsman_wire::segment;
use pointsman_wire::sign::{self, orchestrator_request_message};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::atomic::Ordering::Relaxed;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Signer;
use super::ask::{Ask, Refused};
use super::made::{Desk, Offer};
use super::trouble::Trouble;

/// Longest manifest id that is signed for.
const MAX_MANIFEST: usize = 64;
/// Most profiles of a segment.
const MAX_PROFILES: usize = 64;

/// Body of `/sign-segment`.
#[derive(Deserialize)]
struct Segment {
    #[serde(rename = "manifestID")]
    manifest_id: String,
    seq: u64,
    hash: B256,
    profiles: Vec<String>,
}

type Answered = Result<Json<Value>, Refused>;

pub(super) async fn serve(listener: TcpListener, signer: Signer, root: CancellationToken) {
    let mut router = Router::new()
        .route("/sign-orchestrator-info", post(identity))
        .route("/generate-live-payment", post(payment))
        .route("/discover-orchestrators", get(discover))
        .route("/healthz", get(async || "OK"));
    if signer.0.profile.segments {
        router = router.route("/sign-segment", post(sign_segment));
    }
    let router = router
        .fallback(async || (StatusCode::NOT_FOUND, "404 page not found\n"))
        .layer(from_fn_with_state(signer.clone(), authorised))
        .with_state(signer);
    let served = axum::serve(listener, router).into_future();
    tokio::select! {
        served = served => if let Err(cause) = served {
            tracing::error!(%cause, "the remote signer broke down");
        },
        () = root.cancelled() => {}
    }
}

async fn authorised(State(signer): State<Signer>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION);
    match &signer.0.profile.authorization {
        Some(wanted) if given.is_none_or(|given| given.as_bytes() != wanted.as_bytes()) => {
            Refused::Said(401, "missing authorization".to_owned()).into_response()
        }
        _ => next.run(request).await,
    }
}

async fn identity(State(signer): State<Signer>) -> Answered {
    signer.0.tally.identities.fetch_add(1, Relaxed);
    let struck = Trouble::strike(&mut signer.0.troubles.lock().identity);
    suffer(struck).await?;
    let address = signer.address();
    let message = orchestrator_request_message(address);
    let signature = sign::sign(&signer.0.key, message.as_bytes()).map_err(|_| Refused::Internal)?;
    Ok(Json(json!({
        "address": address.to_checksum(None),
        "signature": hex::encode_prefixed(signature),
    })))
}

async fn payment(State(signer): State<Signer>, body: Bytes) -> Answered {
    let inner = &signer.0;
    inner.tally.asked.fetch_add(1, Relaxed);
    let struck = Trouble::strike(&mut inner.troubles.lock().payment);
    suffer(struck).await?;
    let ask: Ask = serde_json::from_slice(&body).map_err(|e| Refused::bad(e.to_string()))?;
    let offer = Offer::read(&ask)?;
    let standing = inner
        .view
        .standing(signer.address(), offer.params.recipient)
        .await
        .map_err(|cause| {
            tracing::error!(%cause, "the chain cannot be asked");
            Refused::Internal
        })?;
    let desk = Desk {
        key: &inner.key,
        profile: &inner.profile,
        standing: &standing,
        now: SystemTime::now(),
    };
    let made = desk.make(&ask, &offer)?;
    inner.tally.payments.fetch_add(1, Relaxed);
    inner.tally.tickets.fetch_add(made.tickets.into(), Relaxed);
    Ok(Json(json!({
        "payment": made.payment,
        "segCreds": made.credentials,
        "state": made.state,
    })))
}

/// Signs a segment's parts, never a message as it comes.
async fn sign_segment(State(signer): State<Signer>, body: Bytes) -> Answered {
    let struck = Trouble::strike(&mut signer.0.troubles.lock().segment);
    suffer(struck).await?;
    let segment: Segment =
        serde_json::from_slice(&body).map_err(|error| Refused::bad(error.to_string()))?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let id = &segment.manifest_id;
    if id.is_empty() || id.len() > MAX_MANIFEST || !id.bytes().all(plain) {
        let text = "manifestID must be 1 to 64 letters, digits, - and _";
        return Err(Refused::bad(text));
    }
    if segment.profiles.len() > MAX_PROFILES || i64::try_from(segment.seq).is_err() {
        return Err(Refused::bad("too many profiles, or too large a seq"));
    }
    let names = segment.profiles.iter().map(String::as_str);
    let preimage = segment::preimage(id.as_bytes(), segment.seq, segment.hash.as_slice(), names);
    let signature = sign::sign(&signer.0.key, &preimage).map_err(|_| Refused::Internal)?;
    signer.0.tally.segments.fetch_add(1, Relaxed);
    Ok(Json(
        json!({ "signature": hex::encode_prefixed(signature) }),
    ))
}

async fn discover(State(signer): State<Signer>) -> Json<Value> {
    let entry = |address: &String| json!({"address": address, "score": 1});
    Json(signer.0.orchestrators.iter().map(entry).collect())
}

/// Fails as it was told to.
async fn suffer(struck: Option<Trouble>) -> Result<(), Refused> {
    let Some(trouble) = struck else {
        return Ok(());
    };
    match trouble.status {
        None => std::future::pending().await,
        Some(480) => Err(Refused::Stale(String::new())),
        Some(482) => Err(Refused::Said(482, "no tickets".to_owned())),
        Some(500) => Err(Refused::Internal),
        Some(status) => Err(Refused::Said(status, "on demand".to_owned())),
    }
}

// === impl Refused ===

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, text, stale) = match self {
            Self::Said(status, text) => (status, text, None),
            Self::Stale(url) => (
                480,
                "refresh session for remote signer".to_owned(),
                Some(url),
            ),
            Self::Internal => (500, "Internal Server Error".to_owned(), None),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = Json(json!({"error": {"message": text}}));
        let url = stale.map(|url| [(HeaderName::from_static("livepeer-orchestrator-url"), url)]);
        match url {
            Some(url) => (status, url, body).into_response(),
            None => (status, body).into_response(),
        }
    }
}
