//! Asking over the network.

use std::time::Duration;

use pointsman_facts::{Blame, Failure, FailureKind};
use pointsman_transport::{Connections, RpcError};
use pointsman_wire::net::OrchestratorRequest;
use pointsman_wire::rejection::Rejection;
use pointsman_wire::uri::ServiceUri;

use crate::prober::{Ask, Asking};

impl Ask for Connections {
    fn ask<'a>(
        &'a self,
        uri: &'a ServiceUri,
        request: &'a OrchestratorRequest,
        timeout: Duration,
    ) -> Asking<'a> {
        Box::pin(async move {
            let answer = self.get_orchestrator(uri, request, timeout).await;
            answer.map_err(|error| failure(&error))
        })
    }
}

/// Whoever refuses us for another reason than being full refuses every session too, so it counts as giving no answer.
fn failure(error: &RpcError) -> Failure {
    let (blame, kind) = match error {
        RpcError::Connect(_) => (Blame::Network, FailureKind::Connect),
        RpcError::Reset(_) => (Blame::Network, FailureKind::Reset),
        RpcError::Timeout(_) => (Blame::Network, FailureKind::HeaderTimeout),
        RpcError::Garbage(_) | RpcError::TooLarge(_) => (Blame::Orchestrator, FailureKind::Garbage),
        RpcError::Rejected(Rejection::Capped) => (Blame::Orchestrator, FailureKind::Capped),
        RpcError::Rejected(_) => (Blame::Orchestrator, FailureKind::Refused),
    };
    Failure::new(blame, kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_orchestrator_is_not_at_fault() {
        let full = RpcError::Rejected(Rejection::Capped);
        assert!(!failure(&full).is_fault());
        for error in [
            RpcError::Connect("refused".into()),
            RpcError::Timeout(Duration::from_secs(3)),
            RpcError::Garbage("HTTP status 404".into()),
            RpcError::TooLarge(1),
            RpcError::Rejected(Rejection::Unauthorised),
        ] {
            assert!(failure(&error).is_fault(), "{error}");
        }
    }
}
