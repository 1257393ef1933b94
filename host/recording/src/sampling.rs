//! Which streams are recorded.

use pointsman_facts::Job;

/// A share of all streams and conversations. Each is recorded whole or not at all: half a stream would show an incumbent that came
/// from nowhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(f64);

// === impl Share ===

impl Share {
    /// Every stream.
    pub const ALL: Self = Self(1.0);

    /// `share` of all streams; `None` when it is not within 0 to 1.
    #[must_use]
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    /// The share as a number within 0 to 1.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether `job` belongs to it. A job without an affinity is a conversation of its own.
    #[must_use]
    pub fn includes(self, job: &Job) -> bool {
        if self.0 >= 1.0 {
            return true;
        }
        let of = if job.affinity == 0 {
            job.seed
        } else {
            job.affinity
        };
        place(of) < self.0
    }
}

/// A number within 0 to 1 that depends on every bit of `of`: affinities may be small numbers. (The finisher of SplitMix64.)
#[expect(clippy::cast_precision_loss, reason = "53 bits are plenty of places")]
fn place(of: u64) -> f64 {
    let mut mixed = of.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed >> 11) as f64 / (1u64 << 53) as f64
}
