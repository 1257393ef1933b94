//! Numbers that only grow, from sequence numbers that may not.

use std::collections::VecDeque;

use super::Number;

/// How far out of order the announcements of one publisher can be. A number this close behind is a straggler and no new
/// beginning, and a new beginning leaves this many numbers free for predecessors that are still on their way.
pub(super) const STRAGGLERS: u64 = 8;

/// The shift from the publisher's sequence numbers to ours. Zero until a publisher begins anew.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    shift: u64,
    /// The lowest number of every new beginning that is not yet on the timeline. Each has a segment waiting.
    beginnings: VecDeque<Number>,
}

// === impl Numbering ===

impl Numbering {
    /// None beyond the last number there is.
    pub(super) fn number(&self, sequence: u64) -> Option<Number> {
        sequence.checked_add(self.shift).map(Number)
    }

    /// The publisher began anew with `sequence`: goes on above `highest`, the highest number announced so far.
    pub(super) fn begin(&mut self, sequence: u64, highest: Number) -> Option<Number> {
        let lowest = highest.0.checked_add(1)?;
        let number = lowest.checked_add(sequence.min(STRAGGLERS))?;
        self.shift = number.checked_sub(sequence)?;
        self.beginnings.push_back(Number(lowest));
        Some(Number(number))
    }

    /// Whether `number`, which takes its place on the timeline now, is the first of a new beginning.
    pub(super) fn begins(&mut self, number: Number) -> bool {
        let before = self.beginnings.len();
        self.beginnings.retain(|&lowest| lowest > number);
        self.beginnings.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::{Number, Numbering};

    #[test]
    fn a_new_beginning_goes_on_above_what_was_used() {
        let mut numbering = Numbering::default();
        assert_eq!(numbering.number(7), Some(Number(7)));
        assert_eq!(numbering.begin(0, Number(7)), Some(Number(8)));
        assert_eq!(numbering.number(1), Some(Number(9)));
        assert!(!numbering.begins(Number(7)));
        assert!(numbering.begins(Number(8)));
        assert!(!numbering.begins(Number(9)), "once");
    }

    #[test]
    fn predecessors_on_their_way_find_their_numbers_free() {
        let mut numbering = Numbering::default();
        assert_eq!(numbering.begin(2, Number(100)), Some(Number(103)));
        assert_eq!(numbering.number(0), Some(Number(101)));
        assert!(numbering.begins(Number(101)));
        assert_eq!(numbering.begin(90, Number(103)), Some(Number(112)));
    }

    #[test]
    fn the_last_number_is_the_end() {
        let mut numbering = Numbering::default();
        assert_eq!(numbering.begin(1, Number(u64::MAX)), None);
        assert_eq!(numbering.begin(0, Number(9)), Some(Number(10)));
        assert_eq!(numbering.number(u64::MAX), None);
    }
}
