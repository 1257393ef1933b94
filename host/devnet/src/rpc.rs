//! The gRPC service.

use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use pointsman_wire::net::orchestrator_server::{Orchestrator, OrchestratorServer};
use pointsman_wire::net::{
    EndTranscodingSessionRequest, EndTranscodingSessionResponse, OrchestratorInfo,
    OrchestratorRequest, PingPong,
};
use pointsman_wire::sign::{self, Address};
use tonic::{Response, Status};
use tower::Service as _;

use crate::answer::Answer;
use crate::failure::Kind;
use crate::node::Life;
use crate::offer::offer;
use crate::recipient::Terms;

/// One call, under at most one failure.
struct Rpc {
    life: Arc<Life>,
    kind: Option<Kind>,
}

/// Answers a call.
pub(crate) async fn answer(
    life: Arc<Life>,
    request: Request<Incoming>,
    kind: Option<Kind>,
) -> Answer {
    let mut server = OrchestratorServer::new(Rpc { life, kind });
    match server.call(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

// === impl Rpc ===

impl Rpc {
    /// What is asked of this sender; `None` off-chain.
    async fn terms(&self, sender: Address) -> Result<Option<Terms>, Status> {
        let Some(recipient) = &self.life.recipient else {
            return Ok(None);
        };
        let standing = recipient.standing(sender).await;
        let standing = standing.map_err(|cause| Status::unknown(cause.to_string()))?;
        let price = self.life.node.settings().price;
        let terms = recipient.terms(sender, None, price, 1, &standing);
        terms
            .map(Some)
            .map_err(|cause| Status::unknown(cause.to_string()))
    }
}

#[tonic::async_trait]
impl Orchestrator for Rpc {
    /// Off-chain takes any signature, as a real one. Reserves nothing: a session begins with its first segment.
    async fn get_orchestrator(
        &self,
        request: tonic::Request<OrchestratorRequest>,
    ) -> Result<Response<OrchestratorInfo>, Status> {
        let node = &self.life.node;
        let sender = match self.life.recipient {
            None => Address::ZERO,
            Some(_) => sender(request.get_ref())?,
        };
        node.delay().await;
        let full = self
            .life
            .sessions
            .admit(None, node.settings().capacity)
            .is_err();
        if full || self.kind == Some(Kind::Capped) {
            return Err(Status::unknown(
                "Invalid orchestrator request: OrchestratorCapped",
            ));
        }
        let terms = self.terms(sender).await?;
        let token = self.life.token(self.kind == Some(Kind::ExpiredToken));
        let offer = offer(node, token, terms, self.kind.as_ref());
        Ok(Response::new(offer))
    }

    /// Does not ask how old the token is.
    async fn end_transcoding_session(
        &self,
        request: tonic::Request<EndTranscodingSessionRequest>,
    ) -> Result<Response<EndTranscodingSessionResponse>, Status> {
        let token = request.get_ref().auth_token.as_ref();
        let token = self
            .life
            .secret
            .authenticate(token)
            .map_err(|_| Status::unknown("Invalid auth token"))?;
        self.life.sessions.end(&token.session_id);
        Ok(Response::new(EndTranscodingSessionResponse {}))
    }

    /// Signs what was sent. Off-chain there is no key, and the answer is empty.
    async fn ping(&self, request: tonic::Request<PingPong>) -> Result<Response<PingPong>, Status> {
        let Some(account) = &self.life.node.account else {
            return Ok(Response::new(PingPong::default()));
        };
        let signed = sign::sign(account.key(), &request.get_ref().value);
        let value = signed.expect("a key in memory signs").to_vec();
        Ok(Response::new(PingPong { value }))
    }
}

/// Who asks, proven by a signature over the address.
fn sender(request: &OrchestratorRequest) -> Result<Address, Status> {
    let refused =
        || Status::unknown("Invalid orchestrator request: orchestrator req sig check failed");
    let sender = Address::try_from(request.address.as_slice()).map_err(|_| refused())?;
    let message = sign::orchestrator_request_message(sender);
    sign::verify(message.as_bytes(), &request.sig, sender).map_err(|_| refused())?;
    Ok(sender)
}
