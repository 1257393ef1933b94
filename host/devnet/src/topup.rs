//! Paying without work: `POST /payment` and `POST /refresh-payment`, which only on-chain orchestrators have.
//!
//! A payment is checked as that of a segment is, and credited to the manifest that its order names. Asking for fresh
//! parameters needs no signature: what is offered is of use to the sender alone.

use alloy::primitives::Address;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use pointsman_wire::net::{AuthToken, OrchestratorInfo, PaymentResult};
use prost::Message as _;
use serde::{Deserialize, Serialize};

use crate::admission::admit;
use crate::answer::{Answer, accepted, refused};
use crate::body::Act;
use crate::node::{Life, now};
use crate::offer::offer;
use crate::pay::{self, Stop};
use crate::upload;

/// Longest question for parameters, in bytes.
const MAX_QUESTION: usize = 4096;

/// Whose parameters are asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Question {
    sender: String,
    manifest_id: String,
}

#[derive(Serialize)]
struct Fresh<'f> {
    payment_params: String,
    orchestrator: &'f str,
    manifest_id: &'f str,
    payment_url: String,
}

/// Answers a payment. `None`: the connection breaks.
pub(crate) async fn payment(life: &Life, request: Request<Incoming>) -> Option<Answer> {
    let (head, body) = request.into_parts();
    let taken = async {
        let admitted = admit(life, &head.headers, None).map_err(Stop::Refuse)?;
        let manifest = String::from_utf8_lossy(&admitted.segment.data.manifest_id).into_owned();
        let session = &admitted.token.session_id;
        let paid = pay::take(life, &admitted.payment, session, &manifest, None).await?;
        Ok((admitted.token, paid))
    };
    match taken.await {
        Ok((token, paid)) => {
            let terms = paid.map(|paid| paid.terms);
            let info = Some(offer(&life.node, token, terms, None));
            let result = PaymentResult { info }.encode_to_vec();
            Some(typed(
                StatusCode::OK,
                "application/octet-stream",
                result.into(),
            ))
        }
        Err(Stop::Break) => None,
        Err(Stop::Refuse(refusal)) => Some(upload::unwanted(&head, body, refused(&refusal)).await),
    }
}

/// Answers a question for fresh parameters at a session's fixed price.
pub(crate) async fn refresh(life: &Life, request: Request<Incoming>) -> Answer {
    match fresh(life, request.into_body()).await {
        Ok(answer) => answer,
        Err((status, message)) => {
            let body = serde_json::json!({"error": {"message": message}});
            typed(status, "application/json", format!("{body}\n").into())
        }
    }
}

async fn fresh(life: &Life, body: Incoming) -> Result<Answer, (StatusCode, String)> {
    let bad = |why: &str| (StatusCode::BAD_REQUEST, why.to_owned());
    let body = Limited::new(body, MAX_QUESTION).collect().await;
    let body = body.map_err(|_| bad("too long"))?.to_bytes();
    let question: Question =
        serde_json::from_slice(&body).map_err(|cause| bad(&cause.to_string()))?;
    let sender: Address = question.sender.parse().map_err(|_| bad("invalid sender"))?;
    let manifest = question.manifest_id.trim();
    if manifest.is_empty() {
        return Err(bad("missing manifest_id"));
    }
    let internal = |cause: &dyn ToString| (StatusCode::INTERNAL_SERVER_ERROR, cause.to_string());
    let recipient = life
        .recipient
        .as_ref()
        .ok_or_else(|| internal(&"off-chain"))?;
    if recipient.fixed_price(sender, manifest).is_none() {
        let why = "fixed price not found for session".to_owned();
        return Err((StatusCode::CONFLICT, why));
    }
    let standing = recipient.standing(sender).await.map_err(|e| internal(&e))?;
    let terms = recipient
        .terms(sender, Some(manifest), None, 1, &standing)
        .map_err(|cause| internal(&cause))?;
    let node = &life.node;
    let info = OrchestratorInfo {
        transcoder: node.uri.clone(),
        ticket_params: Some(terms.params),
        price_info: Some(terms.price),
        address: terms.address.to_vec(),
        auth_token: Some(token(life, manifest)),
        ..OrchestratorInfo::default()
    };
    let fresh = Fresh {
        payment_params: STANDARD.encode(info.encode_to_vec()),
        orchestrator: &node.uri,
        manifest_id: manifest,
        payment_url: format!("{}/payment", node.uri),
    };
    let body = serde_json::to_vec(&fresh).map_err(|cause| internal(&cause))?;
    Ok(typed(StatusCode::OK, "application/json", body.into()))
}

fn token(life: &Life, session: &str) -> AuthToken {
    let expiration = now() + life.node.profile.token_life.as_secs() as i64;
    life.secret.issue(session, expiration)
}

fn typed(status: StatusCode, media_type: &'static str, body: Bytes) -> Answer {
    let mut answer = accepted(vec![Act::Send(body)]);
    *answer.status_mut() = status;
    let media_type = HeaderValue::from_static(media_type);
    answer.headers_mut().insert(CONTENT_TYPE, media_type);
    answer
}
