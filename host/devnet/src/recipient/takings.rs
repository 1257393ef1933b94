//! What an orchestrator took, for tests to assert and people to read.

use alloy::primitives::{Address, U256};
use parking_lot::Mutex;
use pointsman_wire::amount::{self, Ratio};
use serde::{Serialize, Serializer};

/// A reading. Goes on over kills and starts. Sums are wei, written as decimal text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Takings {
    /// Who is paid.
    pub address: Address,
    /// Tickets that were credited.
    pub tickets: u64,
    /// Their expected value, rounded down.
    #[serde(serialize_with = "decimal")]
    pub credited: U256,
    /// What work cost, rounded down.
    #[serde(serialize_with = "decimal")]
    pub debited: U256,
    /// Payments that were refused.
    pub refused: u64,
    /// Tickets that won, credited or not.
    pub winners: u64,
    /// Their face value.
    #[serde(serialize_with = "decimal")]
    pub won: U256,
    /// Winners that wait for redemption.
    pub waiting: usize,
    /// Winners that were redeemed.
    pub redeemed: u64,
    /// What they brought: less than their face value where a sender's money did not reach.
    #[serde(serialize_with = "decimal")]
    pub received: U256,
    /// Winners that the contract refused.
    pub failed: u64,
    /// Why it refused the last of them.
    pub last_failure: Option<String>,
}

/// The counting side.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Sums>);

#[derive(Debug)]
struct Sums {
    counts: Takings,
    credited: Ratio,
    debited: Ratio,
}

// === impl Tally ===

impl Tally {
    pub(super) fn credited(&self, value: &Ratio) {
        let mut sums = self.0.lock();
        sums.counts.tickets += 1;
        sums.credited = &sums.credited + value;
    }

    pub(super) fn debited(&self, fee: &Ratio) {
        let mut sums = self.0.lock();
        sums.debited = &sums.debited + fee;
    }

    pub(super) fn refused(&self) {
        self.0.lock().counts.refused += 1;
    }

    pub(super) fn won(&self, face_value: U256) {
        let counts = &mut self.0.lock().counts;
        counts.winners += 1;
        counts.won = counts.won.saturating_add(face_value);
    }

    pub(super) fn redeemed(&self, wei: U256) {
        let counts = &mut self.0.lock().counts;
        counts.redeemed += 1;
        counts.received = counts.received.saturating_add(wei);
    }

    pub(super) fn failed(&self, why: String) {
        let counts = &mut self.0.lock().counts;
        counts.failed += 1;
        counts.last_failure = Some(why);
    }

    pub(super) fn read(&self, address: Address, waiting: usize) -> Takings {
        let sums = self.0.lock();
        Takings {
            address,
            waiting,
            credited: amount::floor(&sums.credited),
            debited: amount::floor(&sums.debited),
            ..sums.counts.clone()
        }
    }
}

impl Default for Sums {
    fn default() -> Self {
        let zero = || Ratio::from_integer(0.into());
        Self {
            counts: Takings::default(),
            credited: zero(),
            debited: zero(),
        }
    }
}

fn decimal<S: Serializer>(wei: &U256, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(wei)
}
