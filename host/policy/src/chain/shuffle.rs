//! The order a chain begins with: the candidates, shuffled by the seed.
//!
//! Written here and not taken from a crate because it is part of what a recorded decision means: the same seed must give
//! the same order in every later version, or a replay would blame the policy for a changed generator.

/// SplitMix64, as published by Steele, Lea and Flood (2014).
struct SplitMix(u64);

/// The rows `0..rows`, shuffled by `seed` (Fisher and Yates, from the last place down).
pub(crate) fn shuffled(rows: u32, seed: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows).collect();
    let mut random = SplitMix(seed);
    for last in (1..order.len()).rev() {
        let place = random.below(last as u64 + 1);
        order.swap(last, place);
    }
    order
}

// === impl SplitMix ===

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, by multiplication: its bias is below bound / 2^64.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the upper half of the product is below the bound, which fits in 32 bits"
    )]
    fn below(&mut self, bound: u64) -> usize {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_seed_never_changes() {
        assert_eq!(shuffled(8, 42), [4, 3, 2, 0, 7, 6, 1, 5]);
        assert!(shuffled(0, 42).is_empty());
    }

    #[test]
    fn every_row_is_first_about_as_often() {
        let mut first = [0u32; 4];
        (0..40_000).for_each(|seed| first[shuffled(4, seed)[0] as usize] += 1);
        assert!(
            first.iter().all(|&count| (9_500..10_500).contains(&count)),
            "{first:?}"
        );
    }

    #[test]
    fn no_row_is_lost() {
        let mut rows = shuffled(1000, 7);
        assert_ne!(rows, (0..1000).collect::<Vec<_>>());
        rows.sort_unstable();
        assert_eq!(rows, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SplitMix(1_234_567);
        let numbers = [random.next(), random.next(), random.next()];
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
