//! The chain's newest block: what its header says of L1, and whether to believe it.
//!
//! # Contract
//!
//! Rounds and ticket expiry count **L1** blocks. Nodes of Arbitrum give the L1 number in the header field `l1BlockNumber`. Where it is missing,
//! the RoundsManager's `blockNum()` says it; where that is the block's own number, the chain is its own L1 and nothing more is asked.
//!
//! Behind a load balancer heads go back and forth, and a broken node may say anything. A head a little ahead of the last is taken at once. Any
//! other (lower, or further ahead than time allows) must be seen [`SIGHTINGS`] times in a row; meanwhile the last one stands. So
//! a lagging node changes nothing, and a chain that was reset is followed after a moment.

use std::time::Duration;

use alloy::primitives::{B256, U64, U256};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Implausible heads in a row after which they are the truth.
pub(crate) const SIGHTINGS: u32 = 3;

/// Fastest chain that is followed without doubt, blocks a second: Arbitrum makes up to ten.
const FASTEST: u64 = 40;

/// Blocks that any head may be ahead at once.
const SLACK: u64 = 1000;

/// A block's header, as far as it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Of the chain that the contracts are on.
    pub number: u64,
    /// Of this block.
    pub hash: B256,
    /// Seconds since 1970, by the chain's clock.
    pub timestamp: u64,
    /// The L1 block it was made under, where the node says so.
    pub l1: Option<u64>,
    /// Wei. `None` before EIP-1559.
    pub base_fee: Option<u128>,
}

/// Where the L1 block number comes from on this chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum L1Source {
    /// The header field `l1BlockNumber`.
    Header,
    /// `RoundsManager.blockNum()`.
    Contract,
    /// The block's own number.
    Number,
}

/// Decides which heads are followed.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    last: Option<(Head, Instant)>,
    /// The newest implausible one and how many came in a row.
    doubtful: Option<(u64, u32)>,
}

/// What to make of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Follow it.
    Good,
    /// Follow it: it goes back or far ahead, again and again. What was known may be of another chain.
    Moved,
    /// Not yet.
    Doubtful,
}

/// The header as nodes write it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawHead {
    number: U64,
    hash: B256,
    timestamp: U256,
    #[serde(default)]
    l1_block_number: Option<U64>,
    #[serde(default)]
    base_fee_per_gas: Option<U256>,
}

// === impl Head ===

impl From<RawHead> for Head {
    fn from(raw: RawHead) -> Self {
        Self {
            number: raw.number.to(),
            hash: raw.hash,
            timestamp: raw.timestamp.saturating_to(),
            l1: raw.l1_block_number.map(|number| number.to()),
            base_fee: raw.base_fee_per_gas.map(|fee| fee.saturating_to()),
        }
    }
}

// === impl L1Source ===

impl L1Source {
    /// What tells L1 on a chain whose `head` came with this `blockNum()` as of the same block.
    pub(crate) fn of(head: &Head, block_num: u64) -> Self {
        match head.l1 {
            Some(_) => Self::Header,
            // Some nodes run calls as if in the next block.
            None if block_num == head.number || block_num == head.number.saturating_add(1) => {
                Self::Number
            }
            None => Self::Contract,
        }
    }

    /// The L1 block of `head`. `None`: `blockNum()` must be asked.
    pub(crate) fn l1(self, head: &Head) -> Option<u64> {
        match (self, head.l1) {
            (_, Some(l1)) => Some(l1),
            (Self::Number, None) => Some(head.number),
            (Self::Header | Self::Contract, None) => None,
        }
    }
}

// === impl Guard ===

impl Guard {
    /// Judges `head`, seen at `now`.
    pub(crate) fn judge(&mut self, head: Head, now: Instant) -> Verdict {
        let Some((last, at)) = self.last else {
            self.last = Some((head, now));
            return Verdict::Good;
        };
        let most = allowed(now - at);
        if ahead(last.number, head.number, most)
            && last
                .l1
                .zip(head.l1)
                .is_none_or(|(last, head)| ahead(last, head, most))
        {
            self.take(head, now);
            return Verdict::Good;
        }
        // Sightings count together when they could be one chain.
        let before = self
            .doubtful
            .filter(|&(number, _)| head.number.abs_diff(number) <= most);
        let sightings = before.map_or(1, |(_, sightings)| sightings + 1);
        if sightings >= SIGHTINGS {
            self.take(head, now);
            return Verdict::Moved;
        }
        self.doubtful = Some((head.number, sightings));
        Verdict::Doubtful
    }

    /// The head that is followed and since when.
    pub(crate) fn last(&self) -> Option<(Head, Instant)> {
        self.last
    }

    fn take(&mut self, head: Head, now: Instant) {
        // The same block again is no progress.
        let at = match self.last {
            Some((last, at)) if last.hash == head.hash => at,
            _ => now,
        };
        self.last = Some((head, at));
        self.doubtful = None;
    }
}

/// `now` is not before `last` and at most `most` after it.
fn ahead(last: u64, now: u64, most: u64) -> bool {
    now.checked_sub(last).is_some_and(|ahead| ahead <= most)
}

fn allowed(elapsed: Duration) -> u64 {
    SLACK.saturating_add(elapsed.as_secs().saturating_mul(FASTEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(number: u64) -> Head {
        Head {
            number,
            hash: B256::from(U256::from(number)),
            timestamp: 0,
            l1: None,
            base_fee: None,
        }
    }

    /// Judges heads one second apart.
    fn verdicts(numbers: &[u64]) -> Vec<Verdict> {
        let (mut guard, start) = (Guard::default(), Instant::now());
        let judge = |(at, &number): (usize, &u64)| {
            guard.judge(head(number), start + Duration::from_secs(at as u64))
        };
        numbers.iter().enumerate().map(judge).collect()
    }

    #[test]
    fn a_lagging_node_changes_nothing() {
        use Verdict::*;
        let heads = [100, 98, 104, 99, 103, 108];
        let want = [Good, Doubtful, Good, Doubtful, Doubtful, Good];
        assert_eq!(verdicts(&heads), want);
    }

    #[test]
    fn a_lie_about_the_future_is_not_followed_at_once() {
        use Verdict::*;
        let heads = [100, u64::MAX, 104, u64::MAX, 108];
        assert_eq!(verdicts(&heads), [Good, Doubtful, Good, Doubtful, Good]);
    }

    #[test]
    fn neither_is_a_lie_about_l1() {
        let (mut guard, now) = (Guard::default(), Instant::now());
        let at = |number, l1| Head {
            l1: Some(l1),
            ..head(number)
        };
        assert_eq!(guard.judge(at(100, 20), now), Verdict::Good);
        assert_eq!(guard.judge(at(101, 1 << 60), now), Verdict::Doubtful);
        assert_eq!(guard.judge(at(102, 3), now), Verdict::Doubtful);
        assert_eq!(guard.judge(at(103, 21), now), Verdict::Good);
    }

    #[test]
    fn a_chain_that_was_reset_or_ran_ahead_is_followed_after_a_moment() {
        use Verdict::*;
        assert_eq!(
            verdicts(&[900, 1, 2, 3, 4]),
            [Good, Doubtful, Doubtful, Moved, Good]
        );
        let ahead = [1, 90_000, 90_001, 90_002, 90_003];
        assert_eq!(verdicts(&ahead), [Good, Doubtful, Doubtful, Moved, Good]);
    }

    #[test]
    fn heads_that_contradict_each_other_are_no_agreement() {
        use Verdict::*;
        let heads = [100, 1 << 40, 1 << 50, 1 << 60];
        assert_eq!(verdicts(&heads), [Good, Doubtful, Doubtful, Doubtful]);
    }

    #[test]
    fn the_l1_number_is_the_headers_else_the_contracts_else_the_blocks_own() {
        let arbitrum = Head {
            l1: Some(21_000_000),
            ..head(400_000_000)
        };
        assert_eq!(L1Source::of(&arbitrum, 21_000_000), L1Source::Header);
        assert_eq!(L1Source::Header.l1(&arbitrum), Some(21_000_000));
        let bare = head(400_000_000);
        assert_eq!(L1Source::of(&bare, 21_000_000), L1Source::Contract);
        assert_eq!(L1Source::Contract.l1(&bare), None);
        assert_eq!(
            L1Source::Header.l1(&bare),
            None,
            "a node that leaves it out"
        );
        let own = head(1515);
        assert_eq!(L1Source::of(&own, 1515), L1Source::Number);
        assert_eq!(L1Source::Number.l1(&own), Some(1515));
    }

    #[test]
    fn a_header_of_either_kind_of_chain_is_read() {
        let text = r#"{"number":"0x5ee","hash":"0x07133d7b185fc4f358d5121217e1d2b1904698817e07ede30e5a37539353f025",
            "timestamp":"0x6b03391e","baseFeePerGas":"0x7","transactions":[]}"#;
        let head: Head = serde_json::from_str::<RawHead>(text).unwrap().into();
        assert_eq!((head.number, head.l1, head.base_fee), (1518, None, Some(7)));
        let text = text.replace("\"timestamp\"", "\"l1BlockNumber\":\"0x10\",\"timestamp\"");
        let head: Head = serde_json::from_str::<RawHead>(&text).unwrap().into();
        assert_eq!(head.l1, Some(16));
    }
}
