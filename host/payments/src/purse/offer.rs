//! An orchestrator's terms, read once and kept with the session.

use pointsman_wire::net::{AuthToken, OrchestratorInfo, PriceInfo, TicketParams};
use pointsman_wire::ticket::Params;
use pointsman_wire::token::needs_refresh;

use super::PayError;
use crate::params::Unpayable;
use crate::price::Price;

/// Longest name of a session, in bytes; go-livepeer's have eight.
const MAX_SESSION: usize = 256;

/// What an orchestrator asks for, as it said it and as numbers: a payment repeats the first and reckons with the second.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Whether nothing is paid or signed: the orchestrator is off-chain, or the gateway is.
    unpaid: bool,
    price: Price,
    price_info: PriceInfo,
    params: Option<Params>,
    message: TicketParams,
    token: AuthToken,
    address: Vec<u8>,
    transcoder: String,
}

// === impl Offer ===

impl Offer {
    pub(super) fn read(info: &OrchestratorInfo) -> Result<Self, PayError> {
        let price = Price::read(info.price_info.as_ref())?;
        let params = info.ticket_params.as_ref().map(Params::read).transpose();
        let token = info.auth_token.clone().unwrap_or_default();
        if token.session_id.len() > MAX_SESSION {
            return Err(PayError::Session(token.session_id.len()));
        }
        Ok(Self {
            unpaid: false,
            price,
            price_info: info.price_info.clone().unwrap_or_default(),
            params: params.map_err(Unpayable::Unreadable)?,
            message: info.ticket_params.clone().unwrap_or_default(),
            token,
            address: info.address.clone(),
            transcoder: info.transcoder.clone(),
        })
    }

    pub(super) fn unpaid(info: &OrchestratorInfo) -> Self {
        Self {
            unpaid: true,
            price: Price::default(),
            price_info: PriceInfo::default(),
            params: None,
            message: TicketParams::default(),
            token: info.auth_token.clone().unwrap_or_default(),
            address: Vec::new(),
            transcoder: String::new(),
        }
    }

    /// Whether the orchestrator asks for no tickets and checks no signature.
    #[must_use]
    pub fn is_unpaid(&self) -> bool {
        self.unpaid
    }

    /// What a remote signer must see of it.
    pub(super) fn for_signer(&self) -> OrchestratorInfo {
        OrchestratorInfo {
            transcoder: self.transcoder.clone(),
            ticket_params: Some(self.message.clone()),
            price_info: Some(self.price_info.clone()),
            address: self.address.clone(),
            auth_token: Some(self.token.clone()),
            ..OrchestratorInfo::default()
        }
    }

    /// What a unit costs.
    #[must_use]
    pub fn price(&self) -> &Price {
        &self.price
    }

    /// What tickets must say; `None` where none are asked for.
    #[must_use]
    pub fn params(&self) -> Option<&Params> {
        self.params.as_ref()
    }

    /// The orchestrator's name for the session, which for segments is that of the balance too.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.token.session_id
    }

    /// When the session's token ends, in unix seconds.
    #[must_use]
    pub fn token_expires(&self) -> i64 {
        self.token.expiration
    }

    /// Whether the token is one that go-livepeer would renew: three minutes or less are left.
    #[must_use]
    pub fn token_is_old(&self, now: i64) -> bool {
        needs_refresh(&self.token, now)
    }

    pub(super) fn price_info(&self) -> &PriceInfo {
        &self.price_info
    }

    pub(super) fn params_message(&self) -> &TicketParams {
        &self.message
    }
}
