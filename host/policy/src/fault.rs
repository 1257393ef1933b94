//! What a policy can do wrong, as types.
//!
//! A fault is the policy's, never the job's: the instance is dropped, the chain falls back for this job
//! ([`OnFailure`](crate::bundle::OnFailure)), and repeated faults roll the generation back. Callers match on
//! [`FaultKind`]; the detail is for people.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// A question the host asks of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Which candidates get a job.
    Selection,
    /// What a call of a custom container may ask for.
    Byoc,
    /// What to do about failures, slowness and changed prices.
    Failover,
}

/// The class of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The policy trapped: a panic, unreachable code, a bad memory access, a deep recursion.
    Trap,
    /// It used up its fuel.
    OutOfFuel,
    /// It ran longer than the wall clock allows.
    OutOfTime,
    /// It asked for more memory than it may have.
    Memory,
    /// Its answer is larger than any right answer can be.
    TooLarge,
    /// Its answer breaks the component ABI: a pointer out of bounds, text that is not UTF-8.
    Malformed,
    /// It named a row or a reason that does not exist.
    BadIndex,
    /// It named a row twice.
    DuplicateRow,
    /// Its scores are not one for each row.
    WrongLength,
    /// A score is NaN.
    NanScore,
    /// A score is outside of [0, 1].
    ScoreRange,
    /// A price that is none: its denominator is 0.
    BadPrice,
    /// It refused settings that it took before.
    ConfigureFailed,
    /// Its plan differs from the one it was loaded with.
    PlanChanged,
    /// Fresh instances, asked the same again, answered otherwise.
    Impure,
    /// No instance could be made: the engine's slots are taken.
    NoInstance,
}

/// A fault, where it happened, and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{stage} ({hook}): {kind}: {detail}")]
pub struct Fault {
    /// What happened.
    pub kind: FaultKind,
    /// Name of the stage.
    pub stage: Arc<str>,
    /// What it was asked.
    pub hook: Hook,
    /// For people: at most [`Fault::MAX_DETAIL`] bytes.
    pub detail: String,
}

/// A fault before it is known which stage it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) kind: FaultKind,
    pub(crate) detail: String,
}

// === impl Hook ===

impl Hook {
    /// The name in bundles and in the WIT.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Selection => "selection",
            Self::Byoc => "byoc",
            Self::Failover => "failover",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl FaultKind ===

impl FaultKind {
    /// The name in decisions and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::OutOfFuel => "out-of-fuel",
            Self::OutOfTime => "out-of-time",
            Self::Memory => "memory",
            Self::TooLarge => "too-large",
            Self::Malformed => "malformed",
            Self::BadIndex => "bad-index",
            Self::DuplicateRow => "duplicate-row",
            Self::WrongLength => "wrong-length",
            Self::NanScore => "nan-score",
            Self::ScoreRange => "score-range",
            Self::BadPrice => "bad-price",
            Self::ConfigureFailed => "configure-failed",
            Self::PlanChanged => "plan-changed",
            Self::Impure => "impure",
            Self::NoInstance => "no-instance",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl Fault ===

impl Fault {
    /// Longest detail kept, in bytes.
    pub const MAX_DETAIL: usize = 400;
}

// === impl Cause ===

impl Cause {
    pub(crate) fn new(kind: FaultKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: plain(detail.into(), Fault::MAX_DETAIL),
        }
    }

    pub(crate) fn at(self, stage: &Arc<str>, hook: Hook) -> Fault {
        Fault {
            kind: self.kind,
            stage: Arc::clone(stage),
            hook,
            detail: self.detail,
        }
    }
}

/// Text of a stranger, fit to be shown: at most `bytes` long, and without control characters, which could forge lines of a log or
/// move a terminal's cursor.
pub(crate) fn plain(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
    }
    if text.contains(char::is_control) {
        text = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_kind_is_what_serde_writes() {
        for kind in [
            FaultKind::Trap,
            FaultKind::OutOfFuel,
            FaultKind::OutOfTime,
            FaultKind::Memory,
            FaultKind::TooLarge,
            FaultKind::Malformed,
            FaultKind::BadIndex,
            FaultKind::DuplicateRow,
            FaultKind::WrongLength,
            FaultKind::NanScore,
            FaultKind::ScoreRange,
            FaultKind::BadPrice,
            FaultKind::ConfigureFailed,
            FaultKind::PlanChanged,
            FaultKind::Impure,
            FaultKind::NoInstance,
        ] {
            let written = serde_json::to_string(&kind).expect("a plain name");
            assert_eq!(written, format!("\"{}\"", kind.name()));
        }
    }

    #[test]
    fn a_long_detail_is_cut_at_a_character() {
        let cause = Cause::new(FaultKind::Trap, "é".repeat(Fault::MAX_DETAIL));
        assert_eq!(cause.detail.len(), Fault::MAX_DETAIL);
        assert_eq!(plain("a\u{1b}[2J\n\u{85}".to_owned(), 9), "a [2J  ");
    }
}
