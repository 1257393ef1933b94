//! Randomness that is the same every time.

/// A small generator (SplitMix64) for a policy's draws. The same seed gives the same numbers, natively and as a component.
///
/// Not for secrets: everything it draws can be told from the seed.
#[derive(Clone, Debug)]
pub struct Rng(u64);

// === impl Rng ===

impl Rng {
    /// The generator of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    #[expect(
        clippy::should_implement_trait,
        reason = "a generator never ends; an iterator of Options would only be clumsier"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A float in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in an f64")]
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `bound`; 0 when `bound` is 0. The bias is below one in four thousand million.
    pub fn below(&mut self, bound: u32) -> u32 {
        ((self.next() >> 32).wrapping_mul(u64::from(bound)) >> 32) as u32
    }

    /// The place of one of `weights`, drawn with a probability in proportion to it. Weights that are not above zero are never
    /// drawn; `None` when there is no other.
    pub fn weighted(&mut self, weights: &[f64]) -> Option<usize> {
        let counts = |weight: &&f64| **weight > 0.0;
        let total: f64 = weights.iter().filter(counts).sum();
        let mut left = self.unit() * total;
        let mut drawn = None;
        for (place, &weight) in weights
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight > 0.0)
        {
            drawn = Some(place);
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // First outputs of SplitMix64 for seed 1234567, as printed by its reference implementation.
        let mut rng = Rng::new(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| rng.next()).collect();
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn draws_follow_the_weights_and_skip_what_has_none() {
        let (mut rng, mut drawn) = (Rng::new(1), [0_u32; 4]);
        for _ in 0..10_000 {
            drawn[rng
                .weighted(&[1.0, 0.0, 3.0, f64::NAN])
                .expect("two have a weight")] += 1;
        }
        assert_eq!((drawn[1], drawn[3]), (0, 0));
        assert!((2300..2700).contains(&drawn[0]), "{drawn:?}");
        assert_eq!(rng.weighted(&[0.0, -1.0]), None);
    }

    #[test]
    fn below_reaches_every_number_and_no_other() {
        let mut rng = Rng::new(2);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[rng.below(5) as usize] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(rng.below(0), 0);
    }
}
