//! The agreement with one orchestrator about one stream.

use std::net::IpAddr;

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
    /// The session that the answer of the orchestrator at `asked` offers. It may do its work elsewhere, but not inside a network that it
    /// is not itself in.
    ///
    /// # Errors
    ///
    /// When the answer cannot be worked with.
    pub(super) fn agree(asked: &ServiceUri, info: &OrchestratorInfo) -> Result<Self, Failure> {
        let refused =
            |detail: String| Failure::new(Blame::Orchestrator, FailureKind::Session, detail);
        let uri = ServiceUri::from_webhook(&info.transcoder)
            .map_err(|error| refused(format!("its address for segments: {error}")))?;
        if is_private(uri.host()) && !is_private(asked.host()) {
            return Err(refused(format!(
                "it sends segments to the private address {uri}"
            )));
        }
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

/// Whether a host is an address that only means something here.
fn is_private(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
        }
        Err(_) => host == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_orchestrator_cannot_send_segments_into_our_network() {
        let agree = |asked: &str, transcoder: &str| {
            let info = OrchestratorInfo {
                transcoder: transcoder.to_owned(),
                auth_token: Some(AuthToken::default()),
                ..OrchestratorInfo::default()
            };
            Session::agree(&ServiceUri::from_static(asked).expect("a URI"), &info).is_ok()
        };
        assert!(agree(
            "orch.example:8935",
            "https://transcoder.example:8935"
        ));
        assert!(!agree("orch.example:8935", "http://169.254.169.254"));
        assert!(!agree("203.0.113.7:8935", "https://[::1]:8935"));
        assert!(
            agree("127.0.0.1:8935", "https://127.0.0.1:9000"),
            "an operator's own"
        );
    }
}
