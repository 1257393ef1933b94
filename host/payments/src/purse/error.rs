//! Why nothing was paid.

use pointsman_wire::amount::U256;
use pointsman_wire::sign::Address;

use crate::ledger::{Cap, LedgerError};
use crate::params::Unpayable;
use crate::price::{Price, PriceError};
use crate::remote::RemoteError;
use crate::show::Wei;
use crate::signer::SignError;
use crate::standing::CannotPay;
use crate::verdict::Verdict;

/// Why a payment was not made. `Display` is for operators, with the numbers.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PayError {
    /// The offer's price is none.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The price is above what the operator pays.
    #[error("the orchestrator asks {}, above the ceiling of {}", .0.price, .0.bound)]
    Ceiling(Box<TooDear>),
    /// The price has more than doubled since the session began.
    #[error("the orchestrator asks {}, more than twice the {} at which the session began", .0.price, .0.bound)]
    Doubled(Box<TooDear>),
    /// Tickets would pay another than whom the session began with.
    #[error("the orchestrator asks for tickets to {found}, but its session pays {expected}")]
    Recipient {
        /// Who is to be paid.
        expected: Address,
        /// Whom its parameters name.
        found: Address,
    },
    /// The session has a name of this many bytes.
    #[error("the orchestrator's session has a name of {0} bytes: at most 256")]
    Session(usize),
    /// Ticket parameters, limits or funds do not allow it.
    #[error(transparent)]
    Unpayable(#[from] Unpayable),
    /// The tickets are worth so little that too many are needed.
    #[error("{tickets} tickets of {} are needed for {}: at most {most} are made at once", Wei(*.value), Wei(*.fee))]
    Tickets {
        /// How many.
        tickets: u32,
        /// What is to be paid, in wei, rounded up.
        fee: U256,
        /// What one is worth, in wei, rounded up.
        value: U256,
        /// What orchestrators take, or a remote signer makes.
        most: u32,
    },
    /// The ledger does not allow it, or cannot be written.
    #[error(transparent)]
    Ledger(#[from] Box<LedgerError>),
    /// There is no signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The remote signer made no payment.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

/// A price, and what it is above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooDear {
    /// What is asked.
    pub price: Price,
    /// The ceiling, or the price at which the session began.
    pub bound: Price,
}

// === impl PayError ===

impl PayError {
    /// What to do.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Unpayable(error) => error.verdict(),
            Self::Remote(error) => error.verdict(),
            Self::Ledger(error) => match **error {
                LedgerError::NoncesSpent { .. } => Verdict::Refresh,
                // What tickets are worth differs between orchestrators; what a job, a key and a day may cost does not.
                LedgerError::Cap {
                    cap: Cap::Ticket | Cap::Payment,
                    ..
                } => Verdict::Next,
                _ => Verdict::Stop,
            },
            Self::Sign(_) => Verdict::Stop,
            Self::Price(_)
            | Self::Ceiling(_)
            | Self::Doubled(_)
            | Self::Recipient { .. }
            | Self::Session(_)
            | Self::Tickets { .. } => Verdict::Next,
        }
    }

    /// The sender's money, when that is why.
    #[must_use]
    pub fn cannot_pay(&self) -> Option<&CannotPay> {
        match self {
            Self::Unpayable(Unpayable::Funds(cannot)) => Some(cannot),
            _ => None,
        }
    }

    /// The remote signer, when that is why: no orchestrator is to blame, and none that wants tickets can be paid.
    #[must_use]
    pub fn is_of_the_signer(&self) -> bool {
        matches!(self, Self::Remote(error) if error.verdict() == Verdict::Stop)
    }

    /// The cap that is reached, when that is why.
    #[must_use]
    pub fn cap(&self) -> Option<Cap> {
        match self {
            Self::Ledger(error) => match **error {
                LedgerError::Cap { cap, .. } => Some(cap),
                _ => None,
            },
            _ => None,
        }
    }
}

impl From<LedgerError> for PayError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(Box::new(error))
    }
}
