//! Taking a payment, with the checks of the protocol in their order.

use alloy::primitives::{Address, U256};
use pointsman_wire::amount::Ratio;
use pointsman_wire::net::Payment;
use pointsman_wire::payment::Received;
use pointsman_wire::ticket::{Params, Ticket, rand_hash, wins};

use super::book::NonceError;
use super::redeem::Winner;
use super::{Recipient, params};
use crate::chain::{RpcError, Standing};

/// Why a payment is refused. `Display` is what go-livepeer answers, with status 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PaymentError {
    #[error("could not get sender info for {sender}: {cause}")]
    Unknown { sender: Address, cause: String },
    #[error("orchestrator {recipient} is inactive in round {round}, cannot process payments")]
    Inactive { recipient: Address, round: U256 },
    #[error("invalid expected price sent with payment err=\"{0}\"")]
    Price(&'static str),
    #[error("deposit and reserve for sender {0} is set to unlock soon")]
    Unlocking(Address),
    #[error("invalid ticket recipient")]
    Recipient,
    #[error("invalid ticket sender")]
    Sender,
    #[error("invalid recipientRand for ticket recipientRandHash")]
    RecipientRand,
    #[error("invalid ticket signature")]
    Signature,
    #[error("invalid ticket senderNonce: already seen sender={sender} nonce={nonce}")]
    NonceSeen { sender: Address, nonce: u32 },
    #[error("invalid ticket senderNonce: too many values sender={sender} nonce={nonce}")]
    TooManyNonces { sender: Address, nonce: u32 },
    #[error("TicketParams expired")]
    Expired,
    /// Tickets without a round: the real one breaks the connection.
    #[error("tickets without expiration parameters")]
    Broken,
}

// === impl Recipient ===

impl Recipient {
    /// Takes a payment for a session: credits its tickets and keeps its winners.
    ///
    /// # Errors
    ///
    /// As the protocol has it. What was credited before a bad ticket stays credited, and winners stay winners.
    pub(crate) async fn receive(
        &self,
        payment: &Payment,
        session: &str,
        standing: &Standing,
    ) -> Result<(), PaymentError> {
        let taken = self.take(payment, session, standing).await;
        if taken.is_err() {
            self.account.tally.refused();
        }
        taken
    }

    async fn take(
        &self,
        payment: &Payment,
        session: &str,
        standing: &Standing,
    ) -> Result<(), PaymentError> {
        let sender = pointsman_wire::payment::sender(payment);
        if payment.ticket_params.is_none() {
            let free = Ratio::from_integer(0.into());
            self.book.lock().fix_price(sender, session, &free);
            return Ok(());
        }
        // What cannot even be read is none of ours.
        let received = Received::read(payment).map_err(|_| PaymentError::RecipientRand)?;
        let params = received.params.ok_or(PaymentError::RecipientRand)?;
        self.active(params.recipient, standing).await?;
        let info = received
            .price
            .ok_or(PaymentError::Price("expected price is nil"))?;
        let price = params::ratio(info).ok_or(PaymentError::Price("pixels per unit is 0"))?;
        self.book.lock().fix_price(sender, session, &price);
        if !received.has_round {
            return Err(PaymentError::Broken);
        }
        let recipient_rand = self.secret.recipient_rand(sender, &params, info);
        let mut refused = Ok(());
        for (ticket, signature) in received.tickets() {
            match self.ticket(&ticket, signature, &params, recipient_rand, standing) {
                Ok(()) if refused.is_ok() => {
                    let value = params.expected_value();
                    self.book.lock().credit(sender, session, &value);
                    self.account.tally.credited(&value);
                }
                Ok(()) => {}
                Err(error) if error.is_fatal() => return Err(error),
                Err(error) => refused = Err(error),
            }
        }
        refused
    }

    /// Whoever tickets are made out to must be an orchestrator that is active.
    async fn active(&self, recipient: Address, standing: &Standing) -> Result<(), PaymentError> {
        let active = match recipient == self.address() {
            true => standing.active,
            false => {
                let view = &self.account.view;
                let other = view.standing(Address::ZERO, recipient).await;
                let unknown = |cause: RpcError| PaymentError::Unknown {
                    sender: recipient,
                    cause: cause.to_string(),
                };
                other.map_err(unknown)?.active
            }
        };
        match active {
            true => Ok(()),
            false => Err(PaymentError::Inactive {
                recipient,
                round: standing.round,
            }),
        }
    }

    fn ticket(
        &self,
        ticket: &Ticket,
        signature: &[u8],
        params: &Params,
        recipient_rand: U256,
        standing: &Standing,
    ) -> Result<(), PaymentError> {
        let sender = ticket.sender;
        let soon = standing.round + U256::ONE;
        if !standing.withdrawRound.is_zero() && standing.withdrawRound <= soon {
            return Err(PaymentError::Unlocking(sender));
        }
        if ticket.recipient != self.address() {
            return Err(PaymentError::Recipient);
        }
        if sender.is_zero() {
            return Err(PaymentError::Sender);
        }
        if rand_hash(recipient_rand) != ticket.recipient_rand_hash {
            return Err(PaymentError::RecipientRand);
        }
        ticket
            .verify(signature)
            .map_err(|_| PaymentError::Signature)?;
        let (nonce, expires) = (ticket.sender_nonce, params.expiration_block);
        let now = standing.l1Block.saturating_to();
        let noted = {
            let mut book = self.book.lock();
            book.nonce(ticket.recipient_rand_hash, nonce, expires, now)
        };
        let again = noted == Err(NonceError::Seen);
        if !again && wins(signature, recipient_rand, ticket.win_prob) {
            self.account.tally.won(ticket.face_value);
            self.account.queue.push(Winner {
                ticket: *ticket,
                signature: signature.to_vec(),
                recipient_rand,
                expires,
            });
        }
        noted.map_err(|error| match error {
            NonceError::Seen => PaymentError::NonceSeen { sender, nonce },
            NonceError::TooMany => PaymentError::TooManyNonces { sender, nonce },
        })?;
        match expires <= now {
            true => Err(PaymentError::Expired),
            false => Ok(()),
        }
    }
}

// === impl PaymentError ===

impl PaymentError {
    /// Whether the tickets behind this one are not even looked at.
    fn is_fatal(&self) -> bool {
        !matches!(
            self,
            Self::Signature | Self::NonceSeen { .. } | Self::TooManyNonces { .. } | Self::Expired
        )
    }
}
