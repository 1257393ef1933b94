//! The `Livepeer-Payment` header.
//!
//! Standard base64 of a [`Payment`]. Off-chain nothing is paid and the header is there with an empty value, which an
//! orchestrator reads as a payment by the zero address.
//!
//! | what is paid | made by | what is in it |
//! |---|---|---|
//! | nothing: off-chain | [`encode`]`(None)` | nothing |
//! | nothing: there is credit, or no price | [`ticketless`] | sender, price |
//! | tickets | [`with_tickets`] | parameters as offered, round, nonces and signatures, sender, price |
//!
//! The parameters go back as they came, but for their last field: the round stands beside them, and that is the only place
//! where an orchestrator looks for it. The price is the offer's, unaltered: both are in the orchestrator's HMAC.
//!
//! Protocol: `payments` §2.

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};
use prost::Message as _;

use crate::limits::MAX_HEADER_BYTES;
use crate::net::{Payment, PriceInfo, TicketParams, TicketSenderParams};
use crate::refusal::{NOT_PROTOBUF, Refusal};
use crate::sign::{Address, SIGNATURE_BYTES};
use crate::ticket::{Expiration, Params, ParamsError, Ticket};

/// Name of the header.
pub const HEADER: &str = "Livepeer-Payment";

/// A payment as an orchestrator reads it.
#[derive(Clone, Debug)]
pub struct Received<'p> {
    /// Who pays: zero when absent or no address.
    pub sender: Address,
    /// What the tickets say, with the round that stands beside the parameters. `None` when no parameters came.
    pub params: Option<Params>,
    /// Whether a round came: a real orchestrator breaks the connection over tickets without one.
    pub has_round: bool,
    /// Nonce and signature of each ticket. Signatures are not checked, not even in length.
    pub tickets: &'p [TicketSenderParams],
    /// The price that the sender reckons with.
    pub price: Option<&'p PriceInfo>,
}

/// The header's value.
#[must_use]
pub fn encode(payment: Option<&Payment>) -> String {
    payment.map_or_else(String::new, |payment| {
        STANDARD.encode(payment.encode_to_vec())
    })
}

/// Reads the header as an orchestrator does: empty is an empty payment.
///
/// # Errors
///
/// The 402 that go-livepeer answers.
pub fn decode(header: &str) -> Result<Payment, Refusal> {
    if header.len() > MAX_HEADER_BYTES {
        return Err(Refusal::new(
            402,
            "protobuf unmarshal error: header too long",
        ));
    }
    let bytes = STANDARD
        .decode(header)
        .map_err(|cause| Refusal::new(402, format!("base64 decode error: {}", as_go(&cause))))?;
    Payment::decode(bytes.as_slice())
        .map_err(|_| Refusal::new(402, format!("protobuf unmarshal error: {NOT_PROTOBUF}")))
}

/// A payment by credit: the orchestrator only learns who asks, and at which price.
#[must_use]
pub fn ticketless(sender: Address, price: &PriceInfo) -> Payment {
    Payment {
        sender: sender.to_vec(),
        expected_price: Some(price.clone()),
        ..Payment::default()
    }
}

/// A payment by tickets: nonce and signature of each. `params` and `price` are the offer's, as they came.
#[must_use]
pub fn with_tickets(
    sender: Address,
    params: &TicketParams,
    expiration: Expiration,
    tickets: impl IntoIterator<Item = (u32, [u8; SIGNATURE_BYTES])>,
    price: &PriceInfo,
) -> Payment {
    let ticket = |(sender_nonce, signature): (u32, [u8; SIGNATURE_BYTES])| TicketSenderParams {
        sender_nonce,
        sig: signature.to_vec(),
    };
    Payment {
        ticket_params: Some(TicketParams {
            expiration_params: None,
            ..params.clone()
        }),
        expiration_params: Some(expiration.message()),
        ticket_sender_params: tickets.into_iter().map(ticket).collect(),
        ..ticketless(sender, price)
    }
}

/// Who pays: zero when absent or no address.
#[must_use]
pub fn sender(payment: &Payment) -> Address {
    Address::try_from(payment.sender.as_slice()).unwrap_or_default()
}

// === impl Received ===

impl<'p> Received<'p> {
    /// Reads a payment.
    ///
    /// # Errors
    ///
    /// When its parameters or its round cannot be read. An orchestrator that made them would not know them again either.
    pub fn read(payment: &'p Payment) -> Result<Self, ParamsError> {
        let round = payment.expiration_params.as_ref();
        let round = round.map(Expiration::read).transpose()?;
        let params = payment
            .ticket_params
            .as_ref()
            .map(Params::read)
            .transpose()?;
        Ok(Self {
            sender: sender(payment),
            params: params.map(|params| Params {
                expiration: round,
                ..params
            }),
            has_round: round.is_some(),
            tickets: &payment.ticket_sender_params,
            price: payment.expected_price.as_ref(),
        })
    }

    /// The tickets, each with its signature; none without parameters.
    pub fn tickets(&self) -> impl Iterator<Item = (Ticket, &'p [u8])> + '_ {
        let params = self.params.as_ref();
        params.into_iter().flat_map(move |params| {
            self.tickets.iter().map(move |ticket| {
                let nonce = ticket.sender_nonce;
                let made = params.ticket(self.sender, nonce, Expiration::default());
                (made, ticket.sig.as_slice())
            })
        })
    }
}

fn as_go(error: &DecodeError) -> String {
    let at = match error {
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => *at,
        DecodeError::InvalidLength(at) => *at,
        DecodeError::InvalidPadding => 0,
    };
    format!("illegal base64 data at input byte {at}")
}
