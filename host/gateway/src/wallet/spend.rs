//! What the ledger says, in short.

use pointsman_payments::ledger::Totals;
use pointsman_payments::show::Wei;
use serde::{Deserialize, Serialize};

/// What tickets that left are worth, in wei as the ledger writes it: a decimal number, since JSON numbers lose digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// Since midnight (UTC).
    pub today: String,
    /// Ever.
    pub all_time: String,
    /// What was under way when the gateway ended unexpectedly: nobody knows whether it left; it counts as spent.
    pub unconfirmed: String,
    /// How many payments that are.
    pub unconfirmed_payments: usize,
}

impl From<Totals> for Spend {
    fn from(totals: Totals) -> Self {
        Self {
            today: totals.today.spend().to_string(),
            all_time: totals.all_time.spend().to_string(),
            unconfirmed: totals.all_time.unconfirmed.to_string(),
            unconfirmed_payments: totals.unconfirmed.len(),
        }
    }
}

/// An amount of the ledger in words, without the parts of a wei.
pub(super) fn words(amount: &str) -> String {
    let whole = amount.split('.').next().unwrap_or_default();
    match whole.parse() {
        Ok(wei) => Wei(wei).to_string(),
        Err(_) => format!("{amount} wei"),
    }
}
