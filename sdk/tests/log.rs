//! The log macros: what is written, and what is not even made.

use std::cell::Cell;
use std::fmt;

use pointsman_sdk::log::Level;
use pointsman_sdk::native::sink;
use pointsman_sdk::prelude::*;
use pointsman_sdk::testing::{self, Table};

thread_local! {
    static MADE: Cell<u32> = const { Cell::new(0) };
    static SHOWN: Cell<u32> = const { Cell::new(0) };
}

/// Counts how often it is made and shown.
struct Costly;

impl Costly {
    fn new() -> Self {
        MADE.set(MADE.get() + 1);
        Self
    }
}

impl fmt::Display for Costly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SHOWN.set(SHOWN.get() + 1);
        f.write_str("costly")
    }
}

policy! { struct Chatty {} }

impl Selection for Chatty {
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        for row in candidates.iter() {
            pointsman_sdk::debug!("{} {}", Costly::new(), row.index());
        }
        Verdict::Abstain
    }
}

export!(Chatty);

#[test]
fn a_message_is_made_only_while_somebody_reads_its_level() {
    let (policy, table) = (testing::selection::<Chatty>([]), Table::of(2));
    policy.judge(&table);
    assert_eq!((MADE.get(), SHOWN.get()), (0, 0));

    let (_, written) = sink::capture(|| policy.judge(&table));
    let expected = ["costly 0", "costly 1"].map(|text| (Level::Debug, text.to_owned()));
    assert_eq!(written, expected);
    assert_eq!((MADE.get(), SHOWN.get()), (2, 2));

    policy.judge(&table);
    assert_eq!(MADE.get(), 2, "the next question asks anew who reads");
}
