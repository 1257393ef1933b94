//! How a payment went.

use pointsman_wire::amount::Ratio;
use pointsman_wire::rejection::Rejection;
use pointsman_wire::ticket::Params;

use crate::balance::{Ending, Hold};
use crate::ledger::{AttemptId, End, Issued, Ledger};
use crate::verdict::{Judged, Verdict, judge};

/// Settles one payment, with credit and ledger. Dropped, it is [`lost`](Self::lost).
#[derive(Debug)]
#[must_use = "dropped, the payment counts as lost"]
pub struct Receipt {
    hold: Option<Hold>,
    entry: Option<(Ledger, AttemptId)>,
    end: End,
    tickets: u32,
    spent: Ratio,
}

// === impl Receipt ===

impl Receipt {
    /// For nothing paid.
    pub(super) fn free() -> Self {
        Self {
            hold: None,
            entry: None,
            end: End::Lost,
            tickets: 0,
            spent: Ratio::from_integer(0.into()),
        }
    }

    /// For a job that earlier tickets pay.
    pub(super) fn by_credit(mut hold: Hold) -> Self {
        hold.otherwise(Ending::Lost);
        let mut receipt = Self::free();
        receipt.hold = Some(hold);
        receipt
    }

    /// For tickets that are entered and have not left: dropped, it is [`unsent`](Self::unsent).
    pub(super) fn drafted(
        hold: Option<Hold>,
        ledger: Ledger,
        issued: &Issued,
        params: &Params,
    ) -> Self {
        Self {
            hold,
            entry: Some((ledger, issued.attempt)),
            end: End::Unsent,
            tickets: issued.count,
            spent: params.expected_value() * Ratio::from_integer(issued.count.into()),
        }
    }

    /// The same for a job that some credit is set aside for.
    pub(super) fn holding(mut self, hold: Hold) -> Self {
        self.hold = Some(hold);
        self
    }

    /// From now on nobody knows whether the tickets have left.
    pub(super) fn leaving(mut self) -> Self {
        self.end = End::Lost;
        if let Some(hold) = &mut self.hold {
            hold.otherwise(Ending::Lost);
        }
        self
    }

    /// Tickets in the payment.
    #[must_use]
    pub fn tickets(&self) -> u32 {
        self.tickets
    }

    /// What its tickets are worth, in wei.
    #[must_use]
    pub fn spent(&self) -> &Ratio {
        &self.spent
    }

    /// The orchestrator did the job and charged `debit` wei: for a segment, what its pixels cost. A job that it took and then
    /// failed at was not charged: 0.
    pub fn accepted(self, debit: Ratio) {
        self.end(End::Accepted, Ending::Charged(debit));
    }

    /// The orchestrator refused, and says whether it was because of the payment. Credit that it does not have is forgotten,
    /// credit that it did not look at stays.
    pub fn refused(self, rejection: &Rejection) -> Option<Verdict> {
        let judged = judge(rejection);
        if let (Judged::NoCredit, Some(hold)) = (judged, &self.hold) {
            hold.forget();
        }
        let ending = match judged {
            Judged::Before => Ending::Unread,
            Judged::Payment(_) | Judged::NoCredit | Judged::Silent => Ending::Lost,
        };
        self.end(End::Refused, ending);
        judged.verdict()
    }

    /// Nothing left the gateway: no connection was made.
    pub fn unsent(self) {
        self.end(End::Unsent, Ending::Unsent);
    }

    /// No answer came.
    pub fn lost(self) {
        self.end(End::Lost, Ending::Lost);
    }

    fn end(mut self, end: End, ending: Ending) {
        self.end = end;
        if let Some(hold) = self.hold.take() {
            hold.settle(ending);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some((ledger, attempt)) = self.entry.take() {
            ledger.settle(attempt, self.end);
        }
    }
}
