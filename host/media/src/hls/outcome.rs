//! What became of the renditions of one announced segment.

use super::RenditionSegment;

/// Attempts at a segment and their result. A segment that is announced again while it waits for its turn (a pusher
/// that retries) has one more attempt; it failed when all have.
#[derive(Debug)]
pub(super) enum Outcome {
    InFlight {
        attempts: u32,
    },
    Failed,
    /// One per configured rendition; None is a gap in that rendition.
    Back(Vec<Option<RenditionSegment>>),
}

// === impl Outcome ===

impl Outcome {
    pub(super) fn awaited() -> Self {
        Self::InFlight { attempts: 1 }
    }

    pub(super) fn is_settled(&self) -> bool {
        !matches!(self, Self::InFlight { .. })
    }

    /// Of what is back.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::InFlight { .. } | Self::Failed => 0,
            Self::Back(renditions) => renditions.iter().flatten().map(|r| r.bytes.len()).sum(),
        }
    }

    pub(super) fn again(&mut self) {
        match self {
            Self::InFlight { attempts } => *attempts = attempts.saturating_add(1),
            Self::Failed => *self = Self::awaited(),
            Self::Back(_) => {}
        }
    }

    pub(super) fn failed(&mut self) {
        if let Self::InFlight { attempts } = self {
            *attempts -= 1;
            if *attempts == 0 {
                *self = Self::Failed;
            }
        }
    }

    /// The first result stands; one without any rendition is a failed attempt.
    pub(super) fn back(&mut self, renditions: Vec<Option<RenditionSegment>>, wanted: usize) {
        if matches!(self, Self::Back(_)) {
            return;
        }
        let mut renditions: Vec<_> = renditions
            .into_iter()
            .map(|rendition| rendition.filter(|segment| !segment.bytes.is_empty()))
            .collect();
        renditions.resize_with(wanted, || None);
        if renditions.iter().any(Option::is_some) {
            *self = Self::Back(renditions);
        } else {
            self.failed();
        }
    }

    /// One per rendition; all missing unless they are back.
    pub(super) fn into_renditions(self, wanted: usize) -> Vec<Option<RenditionSegment>> {
        match self {
            Self::Back(renditions) => renditions,
            Self::InFlight { .. } | Self::Failed => (0..wanted).map(|_| None).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Outcome;
    use crate::hls::{Facts, RenditionSegment};

    fn rendition(bytes: &'static [u8]) -> Option<RenditionSegment> {
        Some(RenditionSegment {
            bytes: Bytes::from_static(bytes),
            facts: Facts::default(),
        })
    }

    #[test]
    fn it_failed_when_every_attempt_has() {
        let mut outcome = Outcome::awaited();
        outcome.again();
        outcome.failed();
        assert!(!outcome.is_settled());
        outcome.failed();
        assert!(matches!(outcome, Outcome::Failed));
        outcome.again();
        assert!(!outcome.is_settled(), "a retry opens it again");
    }

    #[test]
    fn the_first_result_stands() {
        let mut outcome = Outcome::awaited();
        outcome.back(vec![rendition(b"a"), rendition(b"")], 3);
        outcome.back(vec![rendition(b"b"), rendition(b"b"), rendition(b"b")], 3);
        outcome.failed();
        outcome.again();
        let bytes: Vec<_> = outcome
            .into_renditions(3)
            .into_iter()
            .map(|rendition| rendition.map(|segment| segment.bytes))
            .collect();
        assert_eq!(bytes, [Some(Bytes::from_static(b"a")), None, None]);
    }

    #[test]
    fn a_result_without_renditions_is_a_failed_attempt() {
        let mut outcome = Outcome::awaited();
        outcome.again();
        outcome.back(vec![rendition(b""), None], 2);
        assert!(!outcome.is_settled(), "the other attempt may succeed");
        outcome.back(vec![], 2);
        assert!(matches!(outcome, Outcome::Failed));
    }
}
