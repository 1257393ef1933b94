//! One payment: why it is made, what it was given, how it ended.

use std::fmt;
use std::sync::Arc;

use alloy::primitives::{Address, B256, U256};
use pointsman_wire::amount::Ratio;
use pointsman_wire::ticket::MAX_NONCES;

use super::{Amount, LedgerError};

/// Longest name of a session, job or key that is kept, in bytes. Sessions are named by orchestrators.
const MAX_NAME: usize = 512;

/// Milliseconds of a UTC day.
const DAY_MS: u64 = 24 * 3600 * 1000;

/// Why money is to leave.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Who is paid.
    pub recipient: Address,
    /// Who pays.
    pub sender: Address,
    /// The hash of the recipient's secret that the tickets will name.
    pub rand_hash: B256,
    /// How many tickets: 1 to 600.
    pub tickets: u32,
    /// What one ticket is worth, in wei.
    pub expected_value: Ratio,
    /// What a winner pays, in wei.
    pub face_value: U256,
    /// The name of the balance at the orchestrator.
    pub session: String,
    /// The job that it is for.
    pub job: String,
    /// The API key that asked for the job.
    pub key: Option<String>,
    /// The kind of job, in the words of the design: `transcode`, `batch-ai` and so on.
    pub workload: &'static str,
    /// What is bought, in the workload's unit (pixels, tokens, seconds).
    pub units: u64,
}

/// Names one attempt to pay, for ever: the run of the ledger in the upper bits, a count in the lower forty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub(super) i64);

/// It is safe to sign and send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issued {
    /// What to [`settle`](super::Ledger::settle).
    pub attempt: AttemptId,
    /// The first ticket's nonce.
    pub first_nonce: u32,
    /// How many, one up each: these are this attempt's alone.
    pub count: u32,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The orchestrator took it.
    Accepted,
    /// The orchestrator answered no. It has the tickets all the same, so they stay spent.
    Refused,
    /// It left, or may have, and no answer came: spent.
    Lost,
    /// Nothing left: not spent. Its nonces are not used again.
    Unsent,
}

/// Where an attempt stands; the number is the file's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    Open = 0,
    Accepted = 1,
    Refused = 2,
    Lost = 3,
    Unsent = 4,
    /// Open when the ledger stopped.
    Unconfirmed = 5,
}

/// What sums need of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) at_ms: u64,
    pub(super) recipient: Address,
    pub(super) key: Option<Arc<str>>,
    pub(super) tickets: u32,
    pub(super) units: u64,
    pub(super) value: Amount,
}

/// An attempt as it is written before it leaves.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: AttemptId,
    pub(super) first_nonce: u32,
    pub(super) ticket_value: Amount,
    pub(super) line: Line,
    pub(super) draft: Draft,
}

// === impl Draft ===

impl Draft {
    /// What one ticket and all of them are worth, when it is a payment at all.
    pub(super) fn check(&self) -> Result<(Amount, Amount), LedgerError> {
        if self.tickets == 0 || self.tickets > MAX_NONCES {
            return Err(LedgerError::Invalid("it has no tickets, or more than 600"));
        }
        let names = [Some(&self.session), Some(&self.job), self.key.as_ref()];
        if names
            .into_iter()
            .flatten()
            .any(|name| name.len() > MAX_NAME)
        {
            return Err(LedgerError::Invalid(
                "the name of its session, job or key is longer than 512 bytes",
            ));
        }
        let ticket = Amount::from_ratio(&self.expected_value);
        let all = ticket.and_then(|ticket| ticket.times(self.tickets));
        ticket.zip(all).ok_or(LedgerError::Invalid(
            "its worth is below 0, or 2^256 wei or more",
        ))
    }
}

// === impl AttemptId ===

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0 >> 40, self.0 & ((1 << 40) - 1))
    }
}

impl AttemptId {
    /// The last id before those of a run.
    pub(super) fn before(run: i64) -> Self {
        Self(run << 40)
    }

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

// === impl State ===

impl State {
    pub(super) fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            0 => Self::Open,
            1 => Self::Accepted,
            2 => Self::Refused,
            3 => Self::Lost,
            4 => Self::Unsent,
            5 => Self::Unconfirmed,
            _ => return None,
        })
    }
}

impl From<End> for State {
    fn from(end: End) -> Self {
        match end {
            End::Accepted => Self::Accepted,
            End::Refused => Self::Refused,
            End::Lost => Self::Lost,
            End::Unsent => Self::Unsent,
        }
    }
}

// === impl Line ===

impl Line {
    pub(super) fn day(&self) -> u32 {
        day(self.at_ms)
    }
}

/// The UTC day of a time, counted from 1970.
pub(super) fn day(at_ms: u64) -> u32 {
    u32::try_from(at_ms / DAY_MS).unwrap_or(u32::MAX)
}
