//! Which nonces are free with a hash.

use std::collections::HashMap;

use alloy::primitives::B256;
use pointsman_wire::ticket::MAX_NONCES;

use super::LedgerError;

/// After this long without a ticket a hash is looked up in the file again: parameters live some eight minutes.
const IDLE_MS: u64 = 15 * 60 * 1000;

/// How often [`Nonces::base`] may move before nonces begin at 1 again.
const BASES: u32 = u32::MAX / MAX_NONCES - 1;

/// What is known of one hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// The highest nonce; 0 when none.
    pub(super) last: u32,
    /// How many.
    pub(super) count: u32,
}

/// The hashes of late, and where those begin that nobody knows.
#[derive(Debug)]
pub(super) struct Nonces {
    /// Nonces up to here may have been used with any hash by a run whose last moments are not on disk.
    base: u32,
    hashes: HashMap<B256, (Used, u64)>,
}

// === impl Nonces ===

impl Nonces {
    /// After `epoch` stops that were not clean.
    pub(super) fn new(epoch: i64) -> Self {
        let epoch = u32::try_from(epoch.rem_euclid(i64::from(BASES))).unwrap_or(0);
        Self {
            base: epoch * MAX_NONCES,
            hashes: HashMap::new(),
        }
    }

    pub(super) fn knows(&self, hash: &B256) -> bool {
        self.hashes.contains_key(hash)
    }

    /// What the file says of a hash.
    pub(super) fn learn(&mut self, hash: B256, used: Used, now_ms: u64) {
        self.hashes.insert(hash, (used, now_ms));
    }

    /// Whether `wanted` nonces are left.
    pub(super) fn admit(&self, hash: B256, wanted: u32) -> Result<(), LedgerError> {
        let used = self.hashes.get(&hash).map_or(0, |(used, _)| used.count);
        match used + wanted > MAX_NONCES {
            true => Err(LedgerError::NoncesSpent {
                rand_hash: hash,
                used,
                wanted,
            }),
            false => Ok(()),
        }
    }

    /// Takes admitted nonces, for good, and says the first.
    pub(super) fn take(&mut self, hash: B256, count: u32, now_ms: u64) -> u32 {
        let (used, at) = self.hashes.entry(hash).or_default();
        let first = used.last.max(self.base) + 1;
        used.last = first + (count - 1);
        used.count += count;
        *at = now_ms;
        first
    }

    /// Forgets hashes that rest, so that memory does not grow.
    pub(super) fn rest(&mut self, now_ms: u64) {
        self.hashes
            .retain(|_, (_, at)| now_ms.saturating_sub(*at) < IDLE_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: B256 = B256::repeat_byte(7);

    #[test]
    fn the_first_is_one_and_six_hundred_are_all() {
        let mut nonces = Nonces::new(0);
        assert_eq!(nonces.take(HASH, 1, 0), 1);
        assert_eq!(nonces.take(HASH, 599, 0), 2);
        let spent = LedgerError::NoncesSpent {
            rand_hash: HASH,
            used: 600,
            wanted: 1,
        };
        assert_eq!(nonces.admit(HASH, 1), Err(spent));
        assert_eq!(nonces.admit(B256::ZERO, 600), Ok(()));
    }

    #[test]
    fn no_two_epochs_share_a_nonce_of_a_hash_that_was_forgotten() {
        let mut end = 0;
        for epoch in 0..50 {
            let mut nonces = Nonces::new(epoch);
            let first = nonces.take(HASH, 600, 0);
            assert!(first > end);
            end = first + 599;
        }
    }

    #[test]
    fn what_is_known_counts_after_an_unclean_stop() {
        let mut nonces = Nonces::new(1);
        nonces.learn(
            HASH,
            Used {
                last: 598,
                count: 598,
            },
            0,
        );
        assert!(nonces.admit(HASH, 3).is_err());
        assert_eq!(nonces.take(HASH, 2, 0), 601);
    }

    #[test]
    fn the_last_epoch_has_room() {
        let mut nonces = Nonces::new(i64::from(BASES) - 1);
        assert!(nonces.take(HASH, 600, 0) < u32::MAX - 600);
        assert_eq!(Nonces::new(i64::from(BASES)).take(HASH, 1, 0), 1);
    }
}
