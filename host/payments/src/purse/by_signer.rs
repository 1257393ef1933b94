//! Payments that a remote signer makes.

use pointsman_wire::payment;
use pointsman_wire::ticket::Params;

use super::{Charge, Paid, PayError, Purse, Receipt};
use crate::balance::Hold;
use crate::ledger::Ledger;
use crate::params::Unpayable;
use crate::remote::{Accounts, Ask, Kind, Stream};
use crate::signer::SignError;

/// A payment by a remote signer that may be sent.
#[derive(Debug)]
#[must_use = "what is paid and not sent must be settled"]
pub struct PaidRemotely {
    /// Value of `Livepeer-Payment`.
    pub header: String,
    /// Value of `Livepeer-Segment`: an empty segment, signed by the signer.
    pub segment: String,
    /// Hears how it went.
    pub receipt: Receipt,
}

// === impl Purse ===

impl Purse {
    /// Has the remote signer make the tickets that `hold` needs.
    pub(super) async fn made_by(
        &self,
        accounts: &Accounts,
        ledger: &Ledger,
        charge: &Charge<'_>,
        params: &Params,
        mut hold: Hold,
    ) -> Result<Paid, PayError> {
        let (offer, value) = (charge.offer, params.expected_value());
        let sender = self.0.signer.address();
        let account = accounts.account(&charge.account(params));
        let mut books = account.books.lock().await;
        let needed = hold.tickets();
        let reserve = async |tickets| {
            let draft = charge.draft(params, sender, value.clone(), tickets);
            let issued = ledger.draft(draft).await?;
            // Dropped, nothing has left.
            Ok::<_, PayError>(Receipt::drafted(None, ledger.clone(), &issued, params))
        };
        let mut reserved = reserve(needed).await?;
        let units = books.units(needed, &value, offer.price());
        let info = offer.for_signer();
        let ask = Ask {
            offer: &info,
            manifest_id: charge.balance,
            kind: Kind::Units(units),
            app: "",
            capabilities: None,
            ceiling: None,
        };
        let made = match account.stream.generate(&ask).await {
            Ok(Some(made)) => made,
            // The orchestrator knows which books are right.
            Ok(None) => {
                books.covered(units);
                hold.buys(0, &value);
                let message = payment::ticketless(sender, offer.price_info());
                return Ok(Paid {
                    header: payment::encode(Some(&message)),
                    receipt: Receipt::by_credit(hold),
                });
            }
            Err(error) => {
                if error.is_of_the_state() {
                    books.begin_anew();
                }
                return Err(error.into());
            }
        };
        if made.tickets != needed {
            reserved = reserve(made.tickets).await?;
            hold.buys(made.tickets, &value);
        }
        books.paid(made.tickets, &value, units, offer.price());
        let (header, _) = made.commit();
        Ok(Paid {
            header,
            receipt: reserved.holding(hold).leaving(),
        })
    }

    /// Has a remote signer make the payment, and enters it before it may be sent; `None` when the signer says that the
    /// credit suffices. A payment that the ledger refuses is not counted by the signer either; one that the orchestrator
    /// refuses is, so [forget](Stream::forget) the state then.
    ///
    /// # Errors
    ///
    /// [`PayError`].
    pub async fn pay_remotely(
        &self,
        stream: &Stream,
        ask: &Ask<'_>,
        charge: &Charge<'_>,
    ) -> Result<Option<PaidRemotely>, PayError> {
        let ledger = self.0.ledger.as_ref().ok_or(SignError::Nobody)?;
        charge.check_price()?;
        let params = charge.offer.params().ok_or(Unpayable::Missing)?;
        charge.check_recipient(params)?;
        let Some(made) = stream.generate(ask).await? else {
            return Ok(None);
        };
        let value = made.params.expected_value();
        let sender = self.0.signer.address();
        let draft = charge.draft(&made.params, sender, value, made.tickets);
        let issued = ledger.draft(draft).await?;
        let receipt = Receipt::drafted(None, ledger.clone(), &issued, &made.params);
        let (header, segment) = made.commit();
        Ok(Some(PaidRemotely {
            header,
            segment,
            receipt: receipt.leaving(),
        }))
    }
}
