//! What is to be paid, and whether its price and recipient are the agreed ones.

use pointsman_wire::amount::Ratio;
use pointsman_wire::sign::Address;
use pointsman_wire::ticket::Params;

use super::{Offer, PayError, TooDear};
use crate::balance::Key;
use crate::fee::Fee;
use crate::ledger::Draft;
use crate::price::Price;

/// What is to be paid.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The orchestrator's terms.
    pub offer: &'a Offer,
    /// The orchestrator's name for the balance: for segments [`Offer::session`].
    pub balance: &'a str,
    /// Who must be paid, whatever the terms say: whom the session began with.
    pub recipient: Option<Address>,
    /// What the job is estimated to cost.
    pub fee: &'a Fee,
    /// The price at which the session began.
    pub first_price: Option<&'a Price>,
    /// The operator's ceiling for the job.
    pub ceiling: Option<&'a Price>,
    /// The job, for the ledger and its caps.
    pub job: &'a str,
    /// The API key that asked for it.
    pub key: Option<&'a str>,
    /// Its kind.
    pub workload: &'static str,
}

// === impl Charge ===

impl Charge<'_> {
    pub(super) fn check_price(&self) -> Result<(), PayError> {
        let price = self.offer.price();
        if let Some(most) = self.ceiling.filter(|most| price > most) {
            return Err(PayError::Ceiling(too_dear(price, most)));
        }
        match self.first_price {
            Some(first) if price.is_more_than_double(first) => {
                Err(PayError::Doubled(too_dear(price, first)))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn check_recipient(&self, params: &Params) -> Result<(), PayError> {
        match self.recipient {
            Some(expected) if expected != params.recipient => Err(PayError::Recipient {
                expected,
                found: params.recipient,
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn account(&self, params: &Params) -> Key {
        Key {
            recipient: params.recipient,
            session: self.balance.to_owned(),
        }
    }

    pub(super) fn draft(
        &self,
        params: &Params,
        sender: Address,
        expected_value: Ratio,
        tickets: u32,
    ) -> Draft {
        Draft {
            recipient: params.recipient,
            sender,
            rand_hash: params.recipient_rand_hash,
            tickets,
            expected_value,
            face_value: params.face_value,
            session: self.balance.to_owned(),
            job: self.job.to_owned(),
            key: self.key.map(str::to_owned),
            workload: self.workload,
            units: self.fee.units,
        }
    }
}

fn too_dear(price: &Price, bound: &Price) -> Box<TooDear> {
    Box::new(TooDear {
        price: price.clone(),
        bound: bound.clone(),
    })
}
