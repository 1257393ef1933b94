//! Where a request goes on the one port, and what goes wrong before it gets there.
//!
//! HTTP/2 with a `Content-Type` that begins with `application/grpc` is gRPC, everything else HTTP.

use std::sync::Arc;

use http::header::RETRY_AFTER;
use http::{HeaderValue, Request, Version};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;

use crate::answer::{self, Answer};
use crate::download::PREFIX;
use crate::failure::{Kind, Method};
use crate::node::Life;
use crate::{download, rpc, segment, topup, upload};

/// A connection's requests.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) life: Arc<Life>,
    /// Cuts the connection.
    pub(crate) cut: CancellationToken,
}

// === impl Caller ===

impl Caller {
    /// Answers a request.
    pub(crate) async fn answer(self, request: Request<Incoming>) -> Answer {
        let life = self.life;
        let path = request.uri().path();
        let grpc = is_grpc(&request);
        let method = method(grpc, path);
        if let Some(method) = method {
            let tally = &life.node.tally;
            match method {
                Method::GetOrchestrator => tally.get_orchestrator.one(),
                Method::Segment => tally.segments.one(),
                Method::Download => tally.downloads.one(),
                Method::EndSession => tally.end_session.one(),
            }
        }
        let kind = method.and_then(|method| life.node.plan.draw(method));
        if kind.is_some() {
            life.node.tally.failures.one();
        }
        match &kind {
            Some(Kind::Refuse | Kind::Disconnect) => {
                self.cut.cancel();
                return std::future::pending().await;
            }
            Some(Kind::HangBeforeHeaders) => return std::future::pending().await,
            Some(Kind::Status {
                status,
                text,
                retry_after,
            }) => {
                let (head, body) = request.into_parts();
                let mut answer = answer::text(*status, text);
                let after = retry_after.as_deref().map(HeaderValue::from_str);
                if let Some(Ok(after)) = after {
                    answer.headers_mut().insert(RETRY_AFTER, after);
                }
                return upload::unwanted(&head, body, answer).await;
            }
            _ => {}
        }
        if grpc {
            let answer = rpc::answer(life, request, kind.clone()).await;
            return answer::spoilt_grpc(answer, kind.as_ref()).await;
        }
        let on_chain = life.recipient.is_some();
        let answer = match (method, path) {
            (Some(Method::Segment), _) => segment::answer(life, request, kind).await,
            (Some(Method::Download), path) => {
                Some(download::answer(&life, path, kind.as_ref()).await)
            }
            (_, "/payment") if on_chain => topup::payment(&life, request).await,
            (_, "/refresh-payment") if on_chain => Some(topup::refresh(&life, request).await),
            _ => Some(answer::text(404, "404 page not found")),
        };
        match answer {
            Some(answer) => answer,
            None => {
                self.cut.cancel();
                std::future::pending().await
            }
        }
    }
}

fn is_grpc(request: &Request<Incoming>) -> bool {
    request.version() == Version::HTTP_2
        && request
            .headers()
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

fn method(grpc: bool, path: &str) -> Option<Method> {
    match (grpc, path) {
        (true, "/net.Orchestrator/GetOrchestrator") => Some(Method::GetOrchestrator),
        (true, "/net.Orchestrator/EndTranscodingSession") => Some(Method::EndSession),
        (false, "/segment") => Some(Method::Segment),
        (false, path) if path.starts_with(PREFIX) => Some(Method::Download),
        _ => None,
    }
}
