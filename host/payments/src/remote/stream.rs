//! The account of one stream with the signer: a state for each orchestrator, one call at a time.
//!
//! # Why a state for each orchestrator
//!
//! A state is bound to one orchestrator. go-livepeer's gateway keeps one for a stream, and when the first orchestrator
//! refuses it, every further one fails with `orchestratorAddress mismatch`. Here a swap begins a new state, and going back
//! finds the old one.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use pointsman_wire::net::{Payment, SegData};
use pointsman_wire::payment::{self, Received};
use pointsman_wire::ticket::Params;
use prost::Message as _;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use super::message::{self, State};
use super::{Ask, MAX_TICKETS, Remote, RemoteError};
use crate::signer::Signer as _;

/// Longest value of a header that is taken, in bytes. A hundred tickets are 13 kB.
const MAX_HEADER: usize = 64 << 10;

/// One stream's account. Cheap to clone.
#[derive(Clone)]
pub struct Stream {
    remote: Remote,
    states: Arc<Mutex<HashMap<Vec<u8>, Slot>>>,
}

type Slot = Arc<Turn<Option<State>>>;

/// A payment that was made and not counted yet. Dropped, it never was.
#[must_use = "a payment counts once it is committed"]
pub struct Generated {
    /// Value of `Livepeer-Payment`.
    pub payment: String,
    /// Value of `Livepeer-Segment`.
    pub segment: String,
    /// The payment's tickets: parameters, with their round.
    pub params: Params,
    /// How many.
    pub tickets: u32,
    turn: OwnedMutexGuard<Option<State>>,
    state: State,
}

// === impl Stream ===

impl Stream {
    pub(super) fn new(remote: Remote) -> Self {
        Self {
            remote,
            states: Arc::default(),
        }
    }

    /// Has a payment made; `None` when the credit suffices. Waits for a payment to the same orchestrator that is under way.
    ///
    /// # Errors
    ///
    /// [`RemoteError`]; the state stays as it was, or is dropped when it is at fault.
    pub async fn generate(&self, ask: &Ask<'_>) -> Result<Option<Generated>, RemoteError> {
        self.remote.bounded(self.made(ask)).await
    }

    async fn made(&self, ask: &Ask<'_>) -> Result<Option<Generated>, RemoteError> {
        let slot = self.slot(&ask.offer.address);
        let mut turn = slot.lock_owned().await;
        let body = message::request(ask, turn.as_ref());
        let made = match self.remote.0.client.generate(&body).await {
            Ok(Some(made)) => made,
            Ok(None) => return Ok(None),
            Err(error) => {
                if error.is_of_the_state() {
                    *turn = None;
                }
                return Err(error);
            }
        };
        let (params, tickets) = self.check(ask, &made)?;
        Ok(Some(Generated {
            payment: made.payment,
            segment: made.credentials,
            params,
            tickets,
            turn,
            state: made.state,
        }))
    }

    /// Begins anew with an orchestrator, as after a start that it refused.
    pub fn forget(&self, orchestrator: &[u8]) {
        self.states.lock().remove(orchestrator);
    }

    pub(super) fn slot(&self, orchestrator: &[u8]) -> Slot {
        let mut states = self.states.lock();
        Arc::clone(states.entry(orchestrator.to_vec()).or_default())
    }

    /// That the answer is the payment that was asked for.
    fn check(
        &self,
        ask: &Ask<'_>,
        made: &message::Generated,
    ) -> Result<(Params, u32), RemoteError> {
        let not = RemoteError::Malformed;
        if made.payment.len().max(made.credentials.len()) > MAX_HEADER {
            return Err(not("a header is too long"));
        }
        let credentials = STANDARD.decode(&made.credentials).ok();
        credentials
            .and_then(|bytes| SegData::decode(bytes.as_slice()).ok())
            .filter(|data| data.auth_token == ask.offer.auth_token)
            .ok_or(not("its credentials are not for this session"))?;
        let message: Payment = payment::decode(&made.payment).map_err(|_| not("no payment"))?;
        let received = Received::read(&message).map_err(|_| not("a payment without sense"))?;
        if received.sender != self.remote.address() {
            return Err(not("the payment is from another sender"));
        }
        let asked = ask.offer.ticket_params.as_ref();
        let asked = asked.and_then(|params| Params::read(params).ok());
        let bare = |params: Params| Params {
            expiration: None,
            ..params
        };
        match received.params {
            Some(params) if asked.map(bare) == Some(bare(params)) => {
                let count = received.tickets.len();
                let tickets = u32::try_from(count)
                    .ok()
                    .filter(|_| (1..=MAX_TICKETS).contains(&count));
                let tickets = tickets.ok_or(not("the payment has no tickets, or too many"))?;
                if received.price != ask.offer.price_info.as_ref() {
                    return Err(not("the payment is at another price"));
                }
                Ok((params, tickets))
            }
            _ => Err(not("the payment is by other ticket parameters")),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let orchestrators = self.states.lock().len();
        f.debug_struct("Stream")
            .field("remote", &self.remote)
            .field("orchestrators", &orchestrators)
            .finish()
    }
}

// === impl Generated ===

impl Generated {
    /// Counts the payment: the next call goes on from here. Do this before it is sent.
    pub fn commit(mut self) -> (String, String) {
        *self.turn = Some(self.state.clone());
        (
            std::mem::take(&mut self.payment),
            std::mem::take(&mut self.segment),
        )
    }
}

impl fmt::Debug for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generated")
            .field("tickets", &self.tickets)
            .finish_non_exhaustive()
    }
}
