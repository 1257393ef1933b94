//! Bit sets as they travel.

use super::Capability;

/// Highest number taken from a message: a set is at most 16 words.
const MAX_WORDS: usize = 16;

/// A set of capability numbers. Grows only to its highest word, and the number of words is part of the protocol: a
/// longer set does not fit into a shorter one even when the words beyond are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Set(Vec<u64>);

// === impl Set ===

impl Set {
    /// The set of a message's words. Words past the sixteenth are dropped: no capability has such a number.
    #[must_use]
    pub fn from_words(words: &[u64]) -> Self {
        Self(words[..words.len().min(MAX_WORDS)].to_vec())
    }

    /// The words of a message.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.0
    }

    /// Adds a number below 1024; others are no capabilities and are left out.
    pub fn insert(&mut self, number: u32) {
        let word = number as usize / 64;
        if word >= MAX_WORDS {
            return;
        }
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    /// Whether a number is in the set.
    #[must_use]
    pub fn contains(&self, number: u32) -> bool {
        let word = self.0.get(number as usize / 64);
        word.is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// Whether a capability is in the set.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        self.contains(capability.number())
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.0).flat_map(|(i, &word)| {
            (0..64)
                .filter(move |j| word & (1 << j) != 0)
                .map(move |j| i * 64 + j)
        })
    }
}

impl FromIterator<u32> for Set {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut set = Self::default();
        numbers.into_iter().for_each(|number| set.insert(number));
        set
    }
}

impl FromIterator<Capability> for Set {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        capabilities.into_iter().map(Capability::number).collect()
    }
}
