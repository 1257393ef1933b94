//! What to do about an error of paying, and what orchestrators mean when they refuse to be paid.
//!
//! # Contract
//!
//! Failover reads a [`Verdict`], never a text. Three answers are enough: ask the same orchestrator for fresh terms and send
//! again, take the next orchestrator, or stop because no orchestrator can be paid. Refreshing is bounded by the caller: an
//! orchestrator whose fresh terms are stale again is left after [`MAX_REFRESHES`].
//!
//! # Where this differs from go-livepeer
//!
//! It suspends an orchestrator for everything but expired parameters. A nonce that was seen, a spent hash and a
//! recipient-rand hash that no longer fits all go away with fresh parameters, and a balance that the orchestrator lost
//! (it restarted, or ten idle minutes passed) goes away with new tickets; there the orchestrator is worth asking again.

use pointsman_wire::rejection::{PaymentFault, Rejection};

/// How often in a row one orchestrator is asked for fresh terms.
pub const MAX_REFRESHES: u32 = 3;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Ask the same orchestrator for fresh terms (GetOrchestrator), then pay again.
    Refresh,
    /// Take another orchestrator; this one's terms cannot be met.
    Next,
    /// No orchestrator can be paid: no funds, a spent cap, a ledger that cannot be written.
    Stop,
}

/// What a refusal says about the payment that came with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Judged {
    /// It came before the payment was read: the tickets gave no credit, earlier credit stands.
    Before,
    /// The payment itself was refused.
    Payment(Verdict),
    /// The orchestrator has no credit of this session, whatever was thought.
    NoCredit,
    /// It says nothing about the payment: tickets may have been credited.
    Silent,
}

/// Judges a refusal.
#[must_use]
pub fn judge(rejection: &Rejection) -> Judged {
    use Rejection::{
        BadOrder, Capped, Incompatible, InsufficientBalance, InsufficientReserve, Payment,
        RequestSignature, SegmentSignature, TicketParamsExpired, TokenExpired, TokenInvalid,
        TokenMissing,
    };
    match rejection {
        TokenExpired | TokenInvalid | TokenMissing | Capped | Incompatible | SegmentSignature
        | RequestSignature | BadOrder => Judged::Before,
        InsufficientBalance => Judged::NoCredit,
        TicketParamsExpired => Judged::Payment(Verdict::Refresh),
        // Another orchestrator may ask for less, and one that asks for no tickets for nothing.
        InsufficientReserve => Judged::Payment(Verdict::Next),
        Payment(fault) => Judged::Payment(of_fault(*fault)),
        _ => Judged::Silent,
    }
}

fn of_fault(fault: PaymentFault) -> Verdict {
    match fault {
        PaymentFault::NonceSeen | PaymentFault::NonceLimit | PaymentFault::RecipientRand => {
            Verdict::Refresh
        }
        // The chain is the same for all of them.
        PaymentFault::Unlocking => Verdict::Stop,
        PaymentFault::Malformed
        | PaymentFault::TicketSignature
        | PaymentFault::TicketRecipient
        | PaymentFault::TicketSender
        | PaymentFault::ExpectedPrice
        | PaymentFault::SenderInfo
        | PaymentFault::Inactive => Verdict::Next,
    }
}

// === impl Judged ===

impl Judged {
    /// What to do about the payment; `None` where the refusal is about something else.
    #[must_use]
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Payment(verdict) => Some(verdict),
            Self::NoCredit => Some(Verdict::Refresh),
            Self::Before | Self::Silent => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Judged {
        judge(&Rejection::http(status, body.as_bytes()))
    }

    /// Bodies as recorded from a real orchestrator.
    #[test]
    fn recorded_refusals_are_judged() {
        use Verdict::{Next, Refresh, Stop};
        for (status, body, judgement) in [
            (400, "TicketParams expired\n", Judged::Payment(Refresh)),
            (
                400,
                "invalid ticket senderNonce: already seen sender=0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65 nonce=1\n",
                Judged::Payment(Refresh),
            ),
            (
                400,
                "invalid ticket senderNonce: too many values sender=0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65 nonce=601\n",
                Judged::Payment(Refresh),
            ),
            (
                400,
                "invalid recipientRand for ticket recipientRandHash\n",
                Judged::Payment(Refresh),
            ),
            (400, "invalid ticket signature\n", Judged::Payment(Next)),
            (
                400,
                "orchestrator 0x976EA74026E726554dB657fA54763abd0C3a0aa9 is inactive in round 3, cannot process payments\n",
                Judged::Payment(Next),
            ),
            (
                400,
                "invalid expected price sent with payment err=\"expected price is nil\"\n",
                Judged::Payment(Next),
            ),
            (
                400,
                "deposit and reserve for sender 0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65 is set to unlock soon\n",
                Judged::Payment(Stop),
            ),
            (
                402,
                "base64 decode error: illegal base64 data at input byte 0\n",
                Judged::Payment(Next),
            ),
            (400, "Insufficient balance\n", Judged::NoCredit),
            (403, "expired auth token\n", Judged::Before),
            (403, "ErrSegSig\n", Judged::Before),
            (403, "OrchestratorCapped\n", Judged::Before),
            (403, "Forbidden\n", Judged::Silent),
            (500, "Internal Server Error\n", Judged::Silent),
            (503, "insufficient capacity\n", Judged::Before),
        ] {
            assert_eq!(judged(status, body), judgement, "{body}");
        }
        let reserve = Rejection::grpc(2, "insufficient sender reserve");
        assert_eq!(judge(&reserve).verdict(), Some(Next));
        assert_eq!(Judged::NoCredit.verdict(), Some(Refresh));
        assert_eq!(Judged::Silent.verdict(), None);
    }
}
