//! One segment on one orchestrator.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use num_traits::ToPrimitive as _;
use pointsman_directory::{Ask, Directory, Orchestrator};
use pointsman_dispatch::{Allowance, Asked, Exchange};
use pointsman_facts::{Blame, Failure, FailureKind};
use pointsman_payments::price::Price;
use pointsman_payments::purse::Purse;
use pointsman_transport::{Connections, HttpError, ReadError, read_body};
use pointsman_wire::limits::{MAX_REFUSAL_BYTES, MAX_RESULT_BYTES};
use pointsman_wire::net::{AuthToken, Capabilities, OrchestratorInfo, OrchestratorRequest};
use pointsman_wire::rejection::Rejection;
use pointsman_wire::segment::{self, Order};
use pointsman_wire::sign::B256;
use pointsman_wire::uri::ServiceUri;
use pointsman_wire::{payment, result};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout, timeout_at};

use super::paying::{Miss, Paid};
use super::{Renditions, Segment, Session, Stream, ceiling, failure, fetch, retry_after};

/// A segment as [`Exchange`] wants it.
pub(super) struct SegmentWork<'a> {
    pub(super) connections: &'a Connections,
    pub(super) directory: &'a Directory,
    pub(super) stream: &'a Stream,
    pub(super) segment: &'a Segment,
    /// Of the media; made once for all attempts.
    pub(super) hash: B256,
    /// Over the segment, for whoever asks for one: the same for all attempts, and a remote signer may take a while.
    pub(super) signature: OnceCell<Vec<u8>>,
    /// Whether an orchestrator's word against the media was doubted already.
    pub(super) doubted: AtomicBool,
    /// Who signs and pays.
    pub(super) purse: &'a Purse,
    /// The most that may be paid for a pixel.
    pub(super) ceiling: Option<Price>,
}

/// How long an orchestrator may take to agree a session.
const AGREEMENT: Duration = Duration::from_millis(2500);

// === impl SegmentWork ===

impl Exchange for SegmentWork<'_> {
    type Session = Session;
    type Output = Renditions;

    async fn open(&self, orchestrator: &Arc<Orchestrator>) -> Result<Session, Failure> {
        if let Some(offer) = self.directory.take_offer(orchestrator.id) {
            let session = self.accept(orchestrator, &offer)?;
            if !self.expired(&session) {
                return Ok(session);
            }
        }
        self.renegotiate(orchestrator).await
    }

    async fn renegotiate(&self, orchestrator: &Arc<Orchestrator>) -> Result<Session, Failure> {
        let info = self.ask(&orchestrator.uri).await?;
        self.directory.observe(orchestrator.id, &info);
        self.accept(orchestrator, &info)
    }

    fn asked(&self, session: &Session) -> Option<Asked> {
        session.prices()
    }

    fn credit(&self, session: &Session) -> f64 {
        let known = session.recipient().zip(session.offer());
        let credit = known.map(|(recipient, offer)| self.purse.credit(recipient, offer.session()));
        credit.and_then(|wei| wei.to_f64()).unwrap_or(0.0)
    }

    fn agree(
        &self,
        session: &Session,
        began: pointsman_facts::Price,
        agreed: pointsman_facts::Price,
    ) {
        session.agree_to(ceiling::exact(began), ceiling::exact(agreed));
    }

    fn expired(&self, session: &Session) -> bool {
        let now = self.directory.clock().unix_ms() / 1000;
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        match session.offer() {
            None => session.ages(now),
            Some(_) if session.is_closed() => true,
            Some(offer) => self
                .purse
                .must_renew(&offer, offer.session(), &self.fee(&offer), now),
        }
    }

    async fn attempt(
        &self,
        session: &Session,
        allowance: Allowance,
    ) -> Result<Renditions, Failure> {
        let late = |_| too_slow(FailureKind::BodyTimeout, allowance.total);
        let ends = Instant::now() + allowance.total;
        let attempt = self.mended(session, allowance.headers, ends);
        timeout_at(ends, attempt).await.map_err(late)?
    }
}

impl SegmentWork<'_> {
    /// The session that an answer offers, if the accounts in it are those that the orchestrator may have.
    fn accept(
        &self,
        orchestrator: &Orchestrator,
        info: &OrchestratorInfo,
    ) -> Result<Session, Failure> {
        if let Some(why) = orchestrator.bars(info) {
            return Err(Failure::new(Blame::Orchestrator, FailureKind::Session, why));
        }
        Session::agree(&orchestrator.uri, info, self.purse)
    }

    /// Tries, and once more with fresh terms where the payment was refused for old ones.
    async fn mended(
        &self,
        session: &Session,
        headers: Duration,
        ends: Instant,
    ) -> Result<Renditions, Failure> {
        match self.exchange(session, headers, ends).await {
            Err(miss) if miss.stale => {
                tracing::debug!(orchestrator = %session.asked(), failure = %miss.failure, "fresh terms are asked for");
                let info = self.ask(session.asked()).await?;
                session.renew(Some(info), self.purse);
                let again = self.exchange(session, headers, ends).await;
                again.map_err(|miss| miss.failure)
            }
            other => other.map_err(|miss| miss.failure),
        }
    }

    async fn ask(&self, uri: &ServiceUri) -> Result<OrchestratorInfo, Failure> {
        let (address, signature) = self.purse.identity();
        let request = OrchestratorRequest {
            address: address.to_vec(),
            sig: signature,
            capabilities: Some(Capabilities::clone(self.stream.required())),
            ..Default::default()
        };
        let answer = self.connections.ask(uri, &request, AGREEMENT).await?;
        Ok(answer.info)
    }

    async fn exchange(
        &self,
        session: &Session,
        headers: Duration,
        ends: Instant,
    ) -> Result<Renditions, Miss> {
        let (token, offer) = session.agreed();
        let order = self.order(&token);
        let paid = self.pay(session, offer.as_deref(), &order, ends).await?;
        let answer = self.submit(session, &order, paid, headers).await?;
        session.renew(answer.info, self.purse);
        let transcoded = answer.outcome.map_err(|rejection| self.judge(&rejection))?;
        let renditions = fetch::all(
            self.connections,
            session.uri(),
            &transcoded.renditions,
            self.stream.profiles(),
            self.segment,
        )
        .await?;
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
        order: &Order<'_>,
        paid: Paid,
        headers: Duration,
    ) -> Result<result::Answer, Miss> {
        let request = match self.request(session, order, &paid) {
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

    fn order<'o>(&'o self, token: &'o AuthToken) -> Order<'o> {
        Order {
            manifest_id: self.stream.manifest_id(),
            sequence: self.segment.sequence,
            hash: self.hash,
            duration_ms: u32::try_from(self.segment.duration.as_millis()).unwrap_or(u32::MAX),
            profiles: self.stream.profiles(),
            capabilities: self.stream.required(),
            auth_token: token,
            slice: self.segment.slice,
            reinit: self.segment.reinit,
            perceptual_hash: false,
            storage: None,
        }
    }

    fn request(
        &self,
        session: &Session,
        order: &Order<'_>,
        paid: &Paid,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let internal = |detail: String| Failure::new(Blame::Gateway, FailureKind::Internal, detail);
        let message = order
            .message(&paid.signature)
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
