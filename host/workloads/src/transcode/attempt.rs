//! One segment on one orchestrator.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use pointsman_directory::{Ask, Directory, Orchestrator};
use pointsman_dispatch::{Allowance, Exchange};
use pointsman_facts::{Blame, Failure, FailureKind, Price};
use pointsman_transport::{Connections, HttpError, ReadError, read_body};
use pointsman_wire::limits::{MAX_REFUSAL_BYTES, MAX_RESULT_BYTES};
use pointsman_wire::net::{AuthToken, Capabilities, OrchestratorInfo};
use pointsman_wire::rejection::Rejection;
use pointsman_wire::segment::{self, Order};
use pointsman_wire::sign::B256;
use pointsman_wire::uri::ServiceUri;
use pointsman_wire::{payment, result};
use tokio::time::timeout;

use super::paying::{Miss, Paid};
use super::{Renditions, Segment, Session, Stream, failure, fetch, retry_after};
use crate::Account;

/// A segment as [`Exchange`] wants it.
pub(super) struct SegmentWork<'a> {
    pub(super) connections: &'a Connections,
    pub(super) directory: &'a Directory,
    pub(super) stream: &'a Stream,
    pub(super) segment: &'a Segment,
    /// Of the media; made once for all attempts.
    pub(super) hash: B256,
    /// Whether an orchestrator's word against the media was doubted already.
    pub(super) doubted: AtomicBool,
    /// Who signs and pays.
    pub(super) account: &'a Account,
    /// The most that may be paid, wei a pixel.
    pub(super) ceiling: Option<Price>,
}

/// How long an orchestrator may take to agree a session.
const AGREEMENT: Duration = Duration::from_millis(2500);
/// A token this long before its end is not used any more, in seconds: a segment takes its time, too.
const SAFETY: i64 = 30;

// === impl SegmentWork ===

impl Exchange for SegmentWork<'_> {
    type Session = Session;
    type Output = Renditions;

    async fn open(&self, orchestrator: &Arc<Orchestrator>) -> Result<Session, Failure> {
        let pays = self.account.paying_with().is_some();
        if let Some(offer) = self.directory.take_offer(orchestrator.id) {
            let session = Session::agree(&orchestrator.uri, &offer, pays)?;
            if !self.is_stale(&session) {
                return Ok(session);
            }
        }
        let info = self.ask(&orchestrator.uri).await?;
        self.directory.observe(orchestrator.id, &info);
        Session::agree(&orchestrator.uri, &info, pays)
    }

    /// A token near its end is used on while credit lasts: it dies with the token.
    fn expired(&self, session: &Session) -> bool {
        let now = self.directory.clock().unix_ms() / 1000;
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        if session.ages(now) {
            let offer = session.offer();
            let credit = offer.is_some_and(|offer| self.has_credit(&offer));
            return !(credit && session.holds(now, SAFETY));
        }
        self.is_stale(session)
    }

    async fn attempt(
        &self,
        session: &Session,
        allowance: Allowance,
    ) -> Result<Renditions, Failure> {
        let late = |_| too_slow(FailureKind::BodyTimeout, allowance.total);
        let attempt = self.mended(session, allowance.headers);
        timeout(allowance.total, attempt).await.map_err(late)?
    }
}

impl SegmentWork<'_> {
    /// Tries, and once more with fresh terms where the payment was refused for old ones.
    async fn mended(&self, session: &Session, headers: Duration) -> Result<Renditions, Failure> {
        match self.exchange(session, headers).await {
            Err(miss) if miss.stale => {
                tracing::debug!(orchestrator = %session.asked(), failure = %miss.failure, "fresh terms are asked for");
                let info = self.ask(session.asked()).await?;
                session.renew(Some(info));
                let again = self.exchange(session, headers).await;
                again.map_err(|miss| miss.failure)
            }
            other => other.map_err(|miss| miss.failure),
        }
    }

    async fn ask(&self, uri: &ServiceUri) -> Result<OrchestratorInfo, Failure> {
        let required = Capabilities::clone(&self.stream.required());
        let request = self.account.request(Some(required));
        let answer = self.connections.ask(uri, &request, AGREEMENT).await?;
        Ok(answer.info)
    }

    /// Whether what a session asks to be paid by is too old, and its credit does not pay for this segment.
    fn is_stale(&self, session: &Session) -> bool {
        let (Some(paying), Some(offer)) = (self.account.paying_with(), session.offer()) else {
            return false;
        };
        offer.is_expired(&paying.standing()) && !self.has_credit(&offer)
    }

    async fn exchange(&self, session: &Session, headers: Duration) -> Result<Renditions, Miss> {
        let (token, offer) = session.agreed();
        let paid = self.pay(offer.as_deref()).await?;
        let answer = self.submit(session, &token, paid, headers).await?;
        let transcoded = answer.outcome.map_err(|rejection| self.judge(&rejection))?;
        let renditions = fetch::all(
            self.connections,
            session.uri(),
            &transcoded.renditions,
            self.stream.profiles(),
            self.segment,
        )
        .await?;
        session.renew(answer.info);
        Ok(renditions)
    }

    /// "The media is bad" ends a job, so one orchestrator's word for it is not enough against a stream that others could transcode: the
    /// first to say so is asked about like any failure, the second is believed.
    fn judge(&self, rejection: &Rejection) -> Failure {
        let was_good = self.stream.sessions().incumbent().is_some();
        if rejection.is_input() && was_good && !self.doubted.swap(true, Ordering::Relaxed) {
            return Failure::new(
                Blame::Orchestrator,
                FailureKind::Transcoder,
                rejection.to_string(),
            );
        }
        failure::of_rejection(rejection, 200)
    }

    /// Uploads the segment, reads the result message and settles the payment by it.
    async fn submit(
        &self,
        session: &Session,
        token: &AuthToken,
        mut paid: Paid,
        headers: Duration,
    ) -> Result<result::Answer, Miss> {
        let request = match self.request(session, token, &paid) {
            Ok(request) => request,
            Err(failure) => {
                paid.unsent();
                return Err(failure.into());
            }
        };
        // Whatever ends this early, other than below, leaves the payment lost: dropped is lost.
        let sent = timeout(headers, self.connections.http().send(request))
            .await
            .map_err(|_| too_slow(FailureKind::HeaderTimeout, headers))?;
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                if matches!(error, HttpError::Connect(_)) {
                    paid.unsent();
                }
                return Err(of_http(&error).into());
            }
        };
        let status = response.status();
        let cap = if status == StatusCode::OK {
            paid.taken();
            MAX_RESULT_BYTES
        } else {
            MAX_REFUSAL_BYTES
        };
        let asked = retry_after::read(response.headers(), self.directory.clock().unix_ms());
        let body = read_body(response.into_body(), cap).await;
        if status != StatusCode::OK {
            // A refusal whose text is cut off is a refusal all the same.
            let rejection = Rejection::http(status.as_u16(), &body.unwrap_or_default());
            let mut failure = failure::of_rejection(&rejection, status.as_u16());
            failure.retry_after = asked;
            return Err(Miss::judged(failure, paid.refused(&rejection)));
        }
        let body = body.map_err(|error| of_read(&error, FailureKind::Garbage))?;
        let answer = result::decode(&body, self.stream.profiles().len())
            .map_err(|error| failure::of_result(&error))?;
        match &answer.outcome {
            Ok(transcoded) => paid.done(transcoded)?,
            Err(_) => paid.failed(),
        }
        Ok(answer)
    }

    fn request(
        &self,
        session: &Session,
        token: &AuthToken,
        paid: &Paid,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let internal = |detail: String| Failure::new(Blame::Gateway, FailureKind::Internal, detail);
        let order = Order {
            manifest_id: self.stream.manifest_id(),
            sequence: self.segment.sequence,
            hash: self.hash,
            duration_ms: u32::try_from(self.segment.duration.as_millis()).unwrap_or(u32::MAX),
            profiles: self.stream.profiles(),
            capabilities: &self.stream.required(),
            auth_token: token,
            slice: self.segment.slice,
            reinit: self.segment.reinit,
            perceptual_hash: false,
            storage: None,
        };
        let signature = self
            .account
            .sign(|| order.preimage())
            .map_err(|error| internal(error.to_string()))?;
        let message = order
            .message(&signature)
            .map_err(|error| internal(error.to_string()))?;
        Request::post(session.uri().join("/segment"))
            .header(segment::HEADER, segment::encode(&message))
            .header(payment::HEADER, &paid.header)
            .header(http::header::CONTENT_TYPE, segment::MEDIA_TYPE)
            .body(Full::new(self.segment.media.clone()))
            .map_err(|error| internal(error.to_string()))
    }
}

fn too_slow(kind: FailureKind, limit: Duration) -> Failure {
    let what = if kind == FailureKind::HeaderTimeout {
        "no response headers"
    } else {
        "no complete result"
    };
    Failure::new(
        Blame::Orchestrator,
        kind,
        format!("{what} within {} ms", limit.as_millis()),
    )
}

pub(super) fn of_http(error: &HttpError) -> Failure {
    let (blame, kind) = match error {
        HttpError::Connect(_) => (Blame::Network, FailureKind::Connect),
        HttpError::Reset(_) => (Blame::Network, FailureKind::Reset),
        HttpError::Garbage(_) => (Blame::Orchestrator, FailureKind::Garbage),
    };
    Failure::new(blame, kind, error.to_string())
}

/// `too_large` is what an oversized body counts as.
pub(super) fn of_read(error: &ReadError, too_large: FailureKind) -> Failure {
    let (blame, kind) = match error {
        ReadError::TooLarge(_) => (Blame::Orchestrator, too_large),
        ReadError::Reset(_) => (Blame::Network, FailureKind::Reset),
    };
    Failure::new(blame, kind, error.to_string())
}
