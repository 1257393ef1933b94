//! Checks 8 to 10 of a paid request: what is asked now, what was paid, whether it is enough. Off-chain there are none.

use alloy::primitives::Address;
use pointsman_wire::net::{Payment, PriceInfo};
use pointsman_wire::payment;
use pointsman_wire::refusal::Refusal;

use crate::failure::Kind;
use crate::node::Life;
use crate::recipient::{PaymentError, Terms};

/// A payment that was taken.
#[derive(Debug)]
pub(crate) struct Paid {
    /// For the answer: asked before the payment was looked at, as in the real one.
    pub(crate) terms: Terms,
    bill: Bill,
}

/// Whom the work is charged to.
#[derive(Clone, Debug)]
struct Bill {
    sender: Address,
    session: String,
    price: Option<PriceInfo>,
}

/// Why a request goes no further.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It is refused.
    Refuse(Refusal),
    /// The connection breaks, as when the handler of the real one does.
    Break,
}

/// Takes a payment for a session's balance. `None` off-chain.
///
/// # Errors
///
/// As the protocol has it: 500 when no ticket could be asked for, 400 for the payment.
pub(crate) async fn take(
    life: &Life,
    payment: &Payment,
    token_session: &str,
    balance: &str,
    kind: Option<&Kind>,
) -> Result<Option<Paid>, Stop> {
    let Some(recipient) = &life.recipient else {
        return Ok(None);
    };
    let internal = || Stop::Refuse(Refusal::new(500, "Internal Server Error"));
    let sender = payment::sender(payment);
    let standing = recipient.standing(sender).await.map_err(|cause| {
        tracing::error!(%cause, "the chain cannot be asked");
        internal()
    })?;
    let price = life.node.settings().price;
    let times = match kind {
        Some(Kind::DoubledPrice) => 2,
        _ => 1,
    };
    let terms = recipient
        .terms(sender, Some(token_session), price, times, &standing)
        .map_err(|_| internal())?;
    recipient
        .receive(payment, balance, &standing)
        .await
        .map_err(|error| match error {
            PaymentError::Broken => Stop::Break,
            error => Stop::Refuse(Refusal::new(400, error.to_string())),
        })?;
    let bill = Bill {
        sender,
        session: balance.to_owned(),
        price: payment.expected_price.clone(),
    };
    Ok(Some(Paid { terms, bill }))
}

// === impl Paid ===

impl Paid {
    /// Check 10: whether there is credit. How much the work will cost is not asked.
    pub(crate) fn suffices(&self, life: &Life) -> Result<(), Stop> {
        let price = self.bill.price.as_ref();
        let costs = price.is_some_and(|price| price.price_per_unit > 0);
        let recipient = life.recipient.as_ref();
        let covered = recipient.is_none_or(|r| r.covers(self.bill.sender, &self.bill.session));
        match costs && !covered {
            true => Err(Stop::Refuse(Refusal::new(400, "Insufficient balance"))),
            false => Ok(()),
        }
    }

    /// Charges the work. False when it cannot be reckoned: there the handler of the real one breaks.
    pub(crate) fn charge(&self, life: &Life, pixels: i64) -> bool {
        let Bill {
            sender,
            session,
            price,
        } = &self.bill;
        let price = price.as_ref().filter(|price| price.pixels_per_unit != 0);
        if let (Some(recipient), Some(price)) = (&life.recipient, price) {
            recipient.debit(*sender, session, price, pixels);
        }
        price.is_some()
    }
}
