//! The agreement with one orchestrator about one stream.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use pointsman_dispatch::Asked;
use pointsman_facts::{Blame, Failure, FailureKind};
use pointsman_payments::price::Price;
use pointsman_payments::purse::{Offer, Purse};
use pointsman_wire::net::{AuthToken, OrchestratorInfo};
use pointsman_wire::sign::Address;
use pointsman_wire::token::needs_refresh;
use pointsman_wire::uri::ServiceUri;

use super::ceiling::rounded_down;

/// A session: where to send segments, the token that says whose they are, and what they cost.
#[derive(Debug)]
pub struct Session {
    asked: ServiceUri,
    uri: ServiceUri,
    /// Who was to be paid when it began, and is until it ends; `None` off-chain.
    recipient: Option<Address>,
    closed: AtomicBool,
    agreed: Mutex<Agreed>,
}

/// What every answer renews.
#[derive(Debug)]
struct Agreed {
    token: AuthToken,
    /// `None` off-chain.
    offer: Option<Arc<Offer>>,
    /// What a pixel cost at first, and what it may cost. `None` off-chain.
    price: Option<Bound>,
}

/// Prices of a pixel.
#[derive(Clone, Debug)]
struct Bound {
    /// When the session began.
    began: Price,
    /// The most that a policy accepted since.
    agreed: Price,
}

// === impl Session ===

impl Session {
    /// The session that the answer of the orchestrator at `asked` offers. It may do its work elsewhere, but not inside a network that it
    /// is not itself in. Where something is paid, what it asks is kept.
    ///
    /// # Errors
    ///
    /// When the answer cannot be worked with.
    pub(super) fn agree(
        asked: &ServiceUri,
        info: &OrchestratorInfo,
        purse: &Purse,
    ) -> Result<Self, Failure> {
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
        let offer = match purse.pays() {
            true => Some(Arc::new(purse.offer(info).map_err(|error| {
                Failure::new(Blame::Payment, FailureKind::Payment, error.to_string())
            })?)),
            false => None,
        };
        Ok(Self {
            asked: asked.clone(),
            uri,
            recipient: offer
                .as_ref()
                .and_then(|offer| Some(offer.params()?.recipient)),
            closed: AtomicBool::new(false),
            agreed: Mutex::new(Agreed {
                price: offer.as_ref().map(|offer| Bound {
                    began: offer.price().clone(),
                    agreed: offer.price().clone(),
                }),
                token,
                offer,
            }),
        })
    }

    /// Where the orchestrator is asked.
    pub(super) fn asked(&self) -> &ServiceUri {
        &self.asked
    }

    /// Where segments go.
    pub(super) fn uri(&self) -> &ServiceUri {
        &self.uri
    }

    /// Who is paid; `None` off-chain.
    pub(super) fn recipient(&self) -> Option<Address> {
        self.recipient
    }

    /// The token as it is now.
    pub(super) fn token(&self) -> AuthToken {
        self.agreed.lock().token.clone()
    }

    /// The token and what goes with it, as they are now. They belong together.
    pub(super) fn agreed(&self) -> (AuthToken, Option<Arc<Offer>>) {
        let agreed = self.agreed.lock();
        (agreed.token.clone(), agreed.offer.clone())
    }

    /// The most that was agreed for a pixel, which `offer` keeps to; `None` off-chain.
    pub(super) fn agreed_price(&self, offer: &Offer) -> Result<Option<Price>, Failure> {
        let bound = self.agreed.lock().price.clone();
        let agreed = bound.map(|bound| bound.agreed);
        if agreed.as_ref().is_some_and(|agreed| offer.price() > agreed) {
            // It rose since the policy was asked, which is asked again.
            let detail = format!("it asks {} now", offer.price());
            return Err(Failure::new(Blame::Payment, FailureKind::Price, detail));
        }
        Ok(agreed)
    }

    /// What was agreed for a pixel, and what is asked for it now; `None` off-chain.
    pub(super) fn prices(&self) -> Option<Asked> {
        let agreed = self.agreed.lock();
        let (bound, offer) = agreed.price.as_ref().zip(agreed.offer.as_ref())?;
        Some(Asked {
            began: rounded_down(&bound.began),
            agreed: rounded_down(&bound.agreed),
            now: rounded_down(offer.price()),
        })
    }

    /// Agrees to a price for a pixel, in a session that counts as begun at another.
    pub(super) fn agree_to(&self, began: Price, agreed: Price) {
        self.agreed.lock().price = Some(Bound { began, agreed });
    }

    /// Lets the next segment agree a session anew.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Whether it is to be agreed anew.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// What segments cost; `None` off-chain.
    pub(super) fn offer(&self) -> Option<Arc<Offer>> {
        self.agreed.lock().offer.clone()
    }

    /// Whether it must be renewed soon. `now` is unix seconds.
    pub(super) fn ages(&self, now: i64) -> bool {
        needs_refresh(&self.agreed.lock().token, now)
    }

    /// Takes over what a result brought along, or a fresh answer. The address stays: a result may not send the stream elsewhere. What
    /// cannot be read of the new terms leaves the old ones, which say soon enough that they are too old.
    pub(super) fn renew(&self, info: Option<OrchestratorInfo>, purse: &Purse) {
        let Some(mut info) = info else {
            return;
        };
        let mut agreed = self.agreed.lock();
        info.auth_token.get_or_insert_with(|| agreed.token.clone());
        if agreed.offer.is_some() {
            let Ok(offer) = purse.offer(&info) else {
                return;
            };
            agreed.offer = Some(Arc::new(offer));
        }
        if let Some(token) = info.auth_token {
            agreed.token = token;
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
    use pointsman_payments::ledger::{Ledger, Options};
    use pointsman_payments::params::Limits;
    use pointsman_payments::signer::Key;
    use pointsman_wire::net::{PriceInfo, TicketParams};
    use pointsman_wire::sign::{B256, PrivateKeySigner};

    use super::*;

    #[tokio::test]
    async fn a_session_pays_whom_it_began_with() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(folder.path().join("ledger"), Options::default());
        let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(7)).expect("a key");
        let key = Arc::new(Key::new(key));
        let purse = Purse::new(key, ledger.expect("a ledger"), Limits::default());
        let purse = purse.expect("a purse");
        let asking = |recipient: u8| OrchestratorInfo {
            transcoder: "https://orch.example".to_owned(),
            auth_token: Some(AuthToken::default()),
            price_info: Some(PriceInfo {
                price_per_unit: 1,
                pixels_per_unit: 1,
                ..Default::default()
            }),
            ticket_params: Some(TicketParams {
                recipient: vec![recipient; 20],
                recipient_rand_hash: vec![1; 32],
                ..Default::default()
            }),
            ..Default::default()
        };
        let uri = ServiceUri::from_static("orch.example").expect("a URI");
        let session = Session::agree(&uri, &asking(1), &purse).expect("a session");
        session.renew(Some(asking(2)), &purse);
        assert_eq!(session.recipient(), Some(Address::repeat_byte(1)));
        let params = session
            .offer()
            .and_then(|offer| Some(offer.params()?.recipient));
        assert_eq!(params, Some(Address::repeat_byte(2)), "which is not paid");
    }

    #[test]
    fn a_public_orchestrator_cannot_send_segments_into_our_network() {
        let agree = |asked: &str, transcoder: &str| {
            let info = OrchestratorInfo {
                transcoder: transcoder.to_owned(),
                auth_token: Some(AuthToken::default()),
                ..OrchestratorInfo::default()
            };
            Session::agree(
                &ServiceUri::from_static(asked).expect("a URI"),
                &info,
                &Purse::off_chain(),
            )
            .is_ok()
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
