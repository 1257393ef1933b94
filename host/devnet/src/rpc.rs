//! The gRPC service.

use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use pointsman_wire::net::orchestrator_server::{Orchestrator, OrchestratorServer};
use pointsman_wire::net::{
    EndTranscodingSessionRequest, EndTranscodingSessionResponse, OrchestratorInfo,
    OrchestratorRequest, PingPong,
};
use tonic::{Response, Status};
use tower::Service as _;

use crate::answer::Answer;
use crate::failure::Kind;
use crate::node::Life;
use crate::offer::offer;

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

#[tonic::async_trait]
impl Orchestrator for Rpc {
    /// Takes any signature, as a real orchestrator off-chain. Reserves nothing: a session begins with its first segment.
    async fn get_orchestrator(
        &self,
        _request: tonic::Request<OrchestratorRequest>,
    ) -> Result<Response<OrchestratorInfo>, Status> {
        let node = &self.life.node;
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
        let token = self.life.token(self.kind == Some(Kind::ExpiredToken));
        Ok(Response::new(offer(node, token, self.kind.as_ref())))
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

    /// Off-chain there is no key: the answer is empty.
    async fn ping(&self, _request: tonic::Request<PingPong>) -> Result<Response<PingPong>, Status> {
        Ok(Response::new(PingPong::default()))
    }
}
