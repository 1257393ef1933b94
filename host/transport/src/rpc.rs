//! Calls of the orchestrator's gRPC service.

use std::time::Duration;

use hyper_util::client::legacy::Client as Pool;
use pointsman_wire::ServiceUri;
use pointsman_wire::limits::MAX_GRPC_BYTES;
use pointsman_wire::net::orchestrator_client::OrchestratorClient;
use pointsman_wire::net::{
    AuthToken, EndTranscodingSessionRequest, OrchestratorInfo, OrchestratorRequest,
};
use pointsman_wire::rejection::Rejection;
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};

use crate::http_client::deepest;
use crate::{Connections, Connector};

pub(crate) type Client = Pool<Connector, tonic::body::Body>;

/// What an orchestrator says of itself.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its answer, unchecked.
    pub info: OrchestratorInfo,
    /// From the call to the answer; the first call includes the connection's making.
    pub rpc: Duration,
}

/// Why a call has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RpcError {
    /// No connection, or it broke.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// No answer in time.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The orchestrator refused.
    #[error("refused: {0}")]
    Refused(Rejection),
    /// The answer is too large or no gRPC.
    #[error("the answer cannot be read: {0}")]
    Garbage(String),
    /// The address is no address.
    #[error("{0} is no address to call")]
    Address(ServiceUri),
}

// === impl Connections ===

impl Connections {
    /// Asks an orchestrator for its terms.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn get_orchestrator(
        &self,
        uri: &ServiceUri,
        request: &OrchestratorRequest,
        limit: Duration,
    ) -> Result<Answer, RpcError> {
        let (mut client, started) = (self.client(uri)?, Instant::now());
        let call = client.get_orchestrator(request.clone());
        let response = timeout(limit, call)
            .await
            .map_err(|_| RpcError::Timeout(limit))?;
        let info = response.map_err(|status| classify(&status))?.into_inner();
        Ok(Answer {
            info,
            rpc: started.elapsed(),
        })
    }

    /// Tells an orchestrator that a session is over.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn end_session(
        &self,
        uri: &ServiceUri,
        token: AuthToken,
        limit: Duration,
    ) -> Result<(), RpcError> {
        let mut client = self.client(uri)?;
        let request = EndTranscodingSessionRequest {
            auth_token: Some(token),
        };
        let response = timeout(limit, client.end_transcoding_session(request))
            .await
            .map_err(|_| RpcError::Timeout(limit))?;
        response.map_err(|status| classify(&status))?;
        Ok(())
    }

    fn client(&self, uri: &ServiceUri) -> Result<OrchestratorClient<Client>, RpcError> {
        let origin = uri
            .origin()
            .parse()
            .map_err(|_| RpcError::Address(uri.clone()))?;
        let client = OrchestratorClient::with_origin(self.rpc.clone(), origin);
        Ok(client.max_decoding_message_size(MAX_GRPC_BYTES))
    }
}

fn classify(status: &Status) -> RpcError {
    if let Some(source) = std::error::Error::source(status) {
        // A status with a source was made on this side: the call never got a gRPC answer.
        return RpcError::Connect(deepest(source));
    }
    match status.code() {
        Code::OutOfRange => RpcError::Garbage(status.message().to_owned()),
        code => RpcError::Refused(Rejection::grpc(code as i32, status.message())),
    }
}
