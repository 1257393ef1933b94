//! Making a payment, with the checks of the protocol in their order.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy::primitives::{U256, hex};
use alloy::signers::local::PrivateKeySigner;
use pointsman_wire::amount::{Ratio, whole};
use pointsman_wire::net::{AuthToken, Capabilities, OrchestratorInfo, PriceInfo, TicketParams};
use pointsman_wire::payment;
use pointsman_wire::segment::{self, Order};
use pointsman_wire::sign::{self, keccak256};
use pointsman_wire::ticket::{Expiration, Params};
use prost::Message as _;

use super::SignerProfile;
use super::ask::{Ask, Refused};
use super::state::{Blob, State};
use crate::chain::Standing;

/// Most tickets of a payment.
const MAX_TICKETS: u32 = 100;
/// Most that they may be worth together, in wei.
const MAX_TOTAL: u64 = 20_000_000_000_000;
/// A token with less left is too old, in seconds.
const TOKEN_LEFT: i64 = 180;
/// Pixels of a second of live video, whatever the stream is.
const PIXELS_A_SECOND: u64 = 1280 * 720 * 30;

/// Whoever signs, and what it knows now.
pub(super) struct Desk<'d> {
    pub(super) key: &'d PrivateKeySigner,
    pub(super) profile: &'d SignerProfile,
    pub(super) standing: &'d Standing,
    pub(super) now: SystemTime,
}

/// An offer that can be read.
#[derive(Debug)]
pub(super) struct Offer {
    info: OrchestratorInfo,
    price: PriceInfo,
    message: TicketParams,
    pub(super) params: Params,
}

/// What is answered.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) payment: String,
    pub(super) credentials: String,
    pub(super) state: Blob,
    pub(super) tickets: u32,
}

// === impl Offer ===

impl Offer {
    pub(super) fn read(ask: &Ask) -> Result<Self, Refused> {
        if ask.orchestrator.0.is_empty() {
            return Err(Refused::bad("missing orchestrator"));
        }
        let info = OrchestratorInfo::decode(ask.orchestrator.0.as_slice())
            .map_err(|error| Refused::bad(error.to_string()))?;
        let price = info.price_info.clone().unwrap_or_default();
        if price.price_per_unit <= 0 || price.pixels_per_unit <= 0 {
            return Err(Refused::bad("missing or zero priceInfo"));
        }
        let message = info.ticket_params.clone();
        let message =
            message.ok_or_else(|| Refused::bad("missing ticketParams in OrchestratorInfo"))?;
        let params = Params::read(&message).map_err(|error| Refused::bad(error.to_string()))?;
        Ok(Self {
            info,
            price,
            message,
            params,
        })
    }

    fn price(&self) -> Ratio {
        ratio(self.price.price_per_unit, self.price.pixels_per_unit)
    }

    fn address(&self) -> String {
        hex::encode_prefixed(&self.info.address)
    }

    fn token(&self) -> Result<&AuthToken, Refused> {
        let missing =
            "remote signer could not check whether to refresh session: missing auth token";
        let token = self.info.auth_token.as_ref();
        token.ok_or_else(|| Refused::bad(missing))
    }
}

// === impl Desk ===

impl Desk<'_> {
    pub(super) fn make(&self, ask: &Ask, offer: &Offer) -> Result<Made, Refused> {
        let before = self.state(ask, offer)?;
        let capabilities = match ask.capabilities.0.is_empty() {
            true => None,
            false => Some(
                Capabilities::decode(ask.capabilities.0.as_slice())
                    .map_err(|error| Refused::bad(error.to_string()))?,
            ),
        };
        let token = self.fresh(offer)?;
        let units = self.units(ask, &before)?;
        let initial = ratio(before.price, before.units);
        self.ceilings(ask, offer, &initial)?;

        let value = offer.params.expected_value();
        let fee = initial * Ratio::from_integer(units.into());
        let need = fee.clone().max(value.clone());
        let balance = before.balance()?;
        let none = || Refused::Said(482, "no tickets".to_owned());
        if value <= Ratio::from_integer(0.into()) || balance >= need {
            return Err(none());
        }
        let wanted = ((need - &balance) / &value).ceil().to_integer();
        let tickets = u32::try_from(&wanted).ok().filter(|n| *n <= MAX_TICKETS);
        let tickets = tickets.ok_or_else(|| {
            let text = format!("numTickets {wanted} exceeds maximum of {MAX_TICKETS}");
            Refused::bad(text)
        })?;
        let worth = &value * Ratio::from_integer(tickets.into());
        if worth > whole(U256::from(MAX_TOTAL)) {
            return Err(Refused::Internal);
        }

        let rand_hash = offer.params.recipient_rand_hash.to_string();
        let last = if before.rand_hash == rand_hash {
            before.nonce
        } else {
            0
        };
        let manifest = match ask.manifest_id.as_str() {
            "" => random(),
            given => given.to_owned(),
        };
        let after = State {
            rand_hash,
            updated: humantime::format_rfc3339_nanos(self.now).to_string(),
            nonce: last + tickets,
            balance: (balance + worth - fee).to_string(),
            ..before
        };
        Ok(Made {
            payment: self.payment(offer, last, tickets)?,
            credentials: self.credentials(&manifest, token, capabilities)?,
            state: Blob::seal(&after, self.key)?,
            tickets,
        })
    }

    fn state(&self, ask: &Ask, offer: &Offer) -> Result<State, Refused> {
        let Some(blob) = ask.state.as_ref().filter(|blob| !blob.is_empty()) else {
            return Ok(State {
                id: random(),
                rand_hash: String::new(),
                updated: String::new(),
                orchestrator: offer.address(),
                app: ask.app.clone(),
                nonce: 0,
                balance: "0".to_owned(),
                price: offer.price.price_per_unit,
                units: offer.price.pixels_per_unit,
                kind: ask.kind.clone(),
                sequence: 0,
            });
        };
        let mut state = blob.open(self.key)?;
        let mismatch = if state.orchestrator != offer.address() {
            Some("orchestratorAddress mismatch")
        } else if state.app != ask.app {
            Some("app mismatch")
        } else if !state.kind.is_empty() && state.kind != ask.kind {
            Some("job type mismatch")
        } else if ask.manifest_id.is_empty() {
            Some("missing manifestID")
        } else {
            None
        };
        if let Some(text) = mismatch {
            return Err(Refused::bad(text));
        }
        state.sequence += 1;
        Ok(state)
    }

    /// That neither token nor parameters are too old, and that the parameters can be met.
    fn fresh<'o>(&self, offer: &'o Offer) -> Result<&'o AuthToken, Refused> {
        let token = offer.token()?;
        let now = self.now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let stale = || Refused::Stale(offer.info.transcoder.clone());
        if now > token.expiration.saturating_sub(TOKEN_LEFT) {
            return Err(stale());
        }
        let (params, chain) = (&offer.params, self.standing);
        let refused = |why: &str| {
            let text = format!("remote signer could not check whether to refresh session: {why}");
            Err(Refused::bad(text))
        };
        if params.expiration_block == 0 {
            return refused("ticketParams expiration block is 0");
        }
        let block: u64 = chain.l1Block.saturating_to();
        if params.expiration_block.saturating_sub(block) <= 1 {
            return Err(stale());
        }
        let value = params.expected_value();
        if value > whole(U256::from(self.profile.max_ticket_ev)) {
            return refused(&format!(
                "ticket EV {value} > max ticket EV {}",
                self.profile.max_ticket_ev
            ));
        }
        let soon = chain.round + U256::ONE;
        if !chain.withdrawRound.is_zero() && chain.withdrawRound <= soon {
            return refused("unable to validate sender: deposit and reserve is set to unlock soon");
        }
        if chain.reserve.is_zero() {
            return refused("no sender reserve");
        }
        if chain.deposit.is_zero() {
            return refused("no sender deposit");
        }
        if params.face_value > chain.deposit {
            let (face, most) = (params.face_value, chain.deposit);
            return refused(&format!("ticket faceValue {face} > max faceValue {most}"));
        }
        Ok(token)
    }

    fn units(&self, ask: &Ask, state: &State) -> Result<u64, Refused> {
        let updated = humantime::parse_rfc3339(&state.updated).ok();
        let elapsed = updated
            .and_then(|updated| self.now.duration_since(updated).ok())
            .filter(|elapsed| !elapsed.is_zero());
        let nanos = |elapsed: Duration| u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let units = match ask.kind.as_str() {
            "lv2v" => elapsed.map_or(60 * PIXELS_A_SECOND, |elapsed| {
                let pixels = u128::from(nanos(elapsed)) * u128::from(PIXELS_A_SECOND);
                u64::try_from(pixels / 1_000_000_000).unwrap_or(u64::MAX)
            }),
            "live" => elapsed.map_or(10, |elapsed| nanos(elapsed).div_ceil(1_000_000_000)),
            "fixed" => 1,
            "" => u64::try_from(ask.units).unwrap_or_default(),
            _ => return Err(Refused::bad("invalid job type")),
        };
        match units {
            0 => Err(Refused::bad("missing billable unit or job type")),
            units => Ok(units),
        }
    }

    fn ceilings(&self, ask: &Ask, offer: &Offer, initial: &Ratio) -> Result<(), Refused> {
        let price = offer.price();
        let own = self.profile.max_price;
        let own = (own > 0).then(|| whole(U256::from(own)));
        let asked = ask.max_price.as_ref().map(|max| max.read(&ask.kind));
        let ceilings = [
            ("configured maximum price", own),
            ("request maxPrice", asked.transpose()?),
            ("initial session price", Some(initial.clone())),
        ];
        for (source, ceiling) in ceilings {
            if let Some(ceiling) = ceiling.filter(|ceiling| price > *ceiling) {
                let text = format!("orchestrator price {price} exceeds {source} ceiling {ceiling}");
                return Err(Refused::Said(481, text));
            }
        }
        Ok(())
    }

    fn payment(&self, offer: &Offer, last: u32, tickets: u32) -> Result<String, Refused> {
        let sender = self.key.address();
        let round = offer.params.expiration.unwrap_or(Expiration {
            round: self.standing.round.saturating_to(),
            block_hash: self.standing.roundHash,
        });
        let sign = |nonce: u32| {
            let signature = offer.params.ticket(sender, nonce, round).sign(self.key);
            signature.map(|signature| (nonce, signature))
        };
        let signed: Result<Vec<_>, _> = (last + 1..=last + tickets).map(sign).collect();
        let signed = signed.map_err(|_| Refused::Internal)?;
        let message = payment::with_tickets(sender, &offer.message, round, signed, &offer.price);
        Ok(payment::encode(Some(&message)))
    }

    /// An order for no segment, which is what everything but segments is paid with.
    fn credentials(
        &self,
        manifest: &str,
        token: &AuthToken,
        capabilities: Option<Capabilities>,
    ) -> Result<String, Refused> {
        let none = Capabilities::default();
        let order = Order {
            manifest_id: manifest,
            sequence: 0,
            hash: keccak256([]),
            duration_ms: 0,
            profiles: &[],
            capabilities: capabilities.as_ref().unwrap_or(&none),
            auth_token: token,
            slice: None,
            reinit: false,
            perceptual_hash: false,
            storage: None,
        };
        let signature = sign::sign(self.key, &order.preimage()).map_err(|_| Refused::Internal)?;
        let mut message = order.message(&signature).map_err(|_| Refused::Internal)?;
        message.capabilities = capabilities;
        Ok(segment::encode(&message))
    }
}

fn ratio(wei: i64, units: i64) -> Ratio {
    Ratio::new(wei.into(), units.into())
}

fn random() -> String {
    format!("{:08x}", fastrand::u32(..))
}

#[cfg(test)]
mod tests;
