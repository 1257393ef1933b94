//! The agreement with one orchestrator about one stream.

use parking_lot::Mutex;
use pointsman_facts::{Blame, Failure, FailureKind};
use pointsman_wire::net::{AuthToken, OrchestratorInfo};
use pointsman_wire::token::needs_refresh;
use pointsman_wire::uri::ServiceUri;

/// A session: where to send segments, and the token that says whose they are.
#[derive(Debug)]
pub struct Session {
    uri: ServiceUri,
    token: Mutex<AuthToken>,
}

// === impl Session ===

impl Session {
    /// The session that an orchestrator's answer offers.
    ///
    /// # Errors
    ///
    /// When the answer cannot be worked with.
    pub(super) fn agree(info: &OrchestratorInfo) -> Result<Self, Failure> {
        let refused =
            |detail: String| Failure::new(Blame::Orchestrator, FailureKind::Session, detail);
        let uri = ServiceUri::from_webhook(&info.transcoder)
            .map_err(|error| refused(format!("its address for segments: {error}")))?;
        let token = info
            .auth_token
            .clone()
            .ok_or_else(|| refused("its answer holds no auth token".to_owned()))?;
        Ok(Self {
            uri,
            token: Mutex::new(token),
        })
    }

    /// Where segments go.
    pub(super) fn uri(&self) -> &ServiceUri {
        &self.uri
    }

    /// The token as it is now.
    pub(super) fn token(&self) -> AuthToken {
        self.token.lock().clone()
    }

    /// Whether it must be renewed before the next segment. `now` is unix seconds.
    pub(super) fn expired(&self, now: i64) -> bool {
        needs_refresh(&self.token.lock(), now)
    }

    /// Takes over what a result brought along. The address stays: a result may not send the stream elsewhere.
    pub(super) fn renew(&self, info: Option<OrchestratorInfo>) {
        if let Some(token) = info.and_then(|info| info.auth_token) {
            *self.token.lock() = token;
        }
    }

    /// What it takes to end the session.
    pub(super) fn farewell(&self) -> (ServiceUri, AuthToken) {
        (self.uri.clone(), self.token())
    }
}
