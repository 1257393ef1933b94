//! How recent attempts ended.

use std::collections::VecDeque;

use pointsman_facts::failure::Class;

/// How many attempts are remembered: enough that one failure in fifty shows, few enough that ten in a row show at once.
pub(crate) const LENGTH: usize = 64;

/// For how long an attempt is remembered, ms. Faults must be forgiven: who is not asked cannot improve.
pub(crate) const MEMORY_MS: u64 = 30 * 60 * 1000;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With a good result.
    Success,
    /// With a failure of this class.
    Failed(Class),
}

/// The endings of the last [`LENGTH`] attempts of the last [`MEMORY_MS`], oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window(VecDeque<(u64, Ending)>);

// === impl Ending ===

impl Ending {
    /// Its number in the database: 0 a success, else one more than the class's place in [`Class::ALL`].
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed(class) => {
                let place = Class::ALL.iter().position(|&known| known == class);
                u8::try_from(place.map_or(0, |place| place + 1)).unwrap_or(0)
            }
        }
    }

    /// The ending of that number, if there is one.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Success),
            _ => Class::ALL
                .get(usize::from(code) - 1)
                .map(|&class| Self::Failed(class)),
        }
    }
}

// === impl Window ===

impl Window {
    pub(crate) fn push(&mut self, now_ms: u64, ending: Ending) {
        if self.0.len() == LENGTH {
            self.0.pop_front();
        }
        self.0.push_back((now_ms, ending));
    }

    /// The endings that still count.
    pub(crate) fn recent(&self, now_ms: u64) -> impl Iterator<Item = Ending> + '_ {
        self.0
            .iter()
            .filter(move |(at_ms, _)| now_ms.saturating_sub(*at_ms) < MEMORY_MS)
            .map(|&(_, ending)| ending)
    }

    /// Everything held, with its time, for the database.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, Ending)> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_its_own_code() {
        let endings = Class::ALL.map(Ending::Failed);
        for ending in endings.into_iter().chain([Ending::Success]) {
            assert_eq!(Ending::from_code(ending.code()), Some(ending));
        }
        assert_eq!(Ending::from_code(11), None);
    }

    #[test]
    fn the_oldest_is_forgotten_by_number_and_by_age() {
        let mut window = Window::default();
        window.push(0, Ending::Failed(Class::Reset));
        assert_eq!(window.recent(MEMORY_MS - 1).count(), 1);
        assert_eq!(window.recent(MEMORY_MS).count(), 0);
        (0..LENGTH).for_each(|_| window.push(1, Ending::Success));
        assert!(window.recent(1).all(|ending| ending == Ending::Success));
    }
}
