//! What a policy asks for, and the handles it gets.

use crate::bindings::policy as wit;
use crate::text::joined;
use crate::{Candidates, Price, Symbol};

/// What the hook shall be given: columns of the candidates, facts of the job; and the causes it may name.
///
/// Ask for what these settings need and no more: every column costs a copy of all its rows at every call. Asking twice for
/// one name gives the same handle. Which names there are, their kinds and units: `wit/README.md`. A name that an older host
/// may not know is asked for with a `?` before it, and is unknown everywhere there.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub(crate) columns: Vec<(String, Kind)>,
    pub(crate) facts: Vec<String>,
    pub(crate) causes: Vec<wit::Cause>,
}

/// Which case of the WIT's `column` carries a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Numbers,
    Counts,
    Marks,
    Symbols,
}

/// Reads one fact of a candidate: `row.get(handle)`.
pub trait Handle: Copy + sealed::Sealed {
    /// What a known value is.
    type Value;
    /// The value of that row, if it is known.
    fn value(self, candidates: &Candidates, row: usize) -> Option<Self::Value>;
}

mod sealed {
    pub trait Sealed {}
}

/// A column of floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers(pub(crate) u16);

/// A column of unsigned integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts(pub(crate) u16);

/// A column of yes and no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks(pub(crate) u16);

/// A column of strings, as symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbols(pub(crate) u16);

/// The exact prices: the columns `price/num` and `price/den`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// Wei.
    pub num: Counts,
    /// Units bought for that.
    pub den: Counts,
}

/// A fact of the job; see [`Job`](crate::Job) for how to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobFact(pub(crate) u16);

/// An exact price of the job: the facts `<name>/num` and `<name>/den`; see [`Job::price`](crate::Job::price).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceFact {
    /// Wei.
    pub num: JobFact,
    /// Units bought for that.
    pub den: JobFact,
}

/// Why a candidate is excluded or a job refused: its place in the plan's causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause(pub(crate) u16);

/// A cause with the number it is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Because {
    pub(crate) cause: Cause,
    pub(crate) value: f64,
}

// === impl Plan ===

impl Plan {
    /// Asks for a column of floats.
    pub fn numbers(&mut self, name: &str) -> Numbers {
        Numbers(self.column(name, Kind::Numbers))
    }

    /// Asks for a column of unsigned integers.
    pub fn counts(&mut self, name: &str) -> Counts {
        Counts(self.column(name, Kind::Counts))
    }

    /// Asks for a column of yes and no.
    pub fn marks(&mut self, name: &str) -> Marks {
        Marks(self.column(name, Kind::Marks))
    }

    /// Asks for a column of strings.
    pub fn symbols(&mut self, name: &str) -> Symbols {
        Symbols(self.column(name, Kind::Symbols))
    }

    /// Asks for exact prices: the columns `<name>/num` and `<name>/den`. There is one now, "price".
    pub fn prices(&mut self, name: &str) -> Prices {
        Prices {
            num: self.counts(&joined(&[name, "/num"])),
            den: self.counts(&joined(&[name, "/den"])),
        }
    }

    /// Asks for a fact of the job.
    pub fn fact(&mut self, name: &str) -> JobFact {
        let place = self
            .facts
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                self.facts.push(name.to_owned());
                self.facts.len() - 1
            });
        JobFact(short(place))
    }

    /// Asks for an exact price of the job: the facts `<name>/num` and `<name>/den`, as of "max-price" and "hint/max-price".
    pub fn price_fact(&mut self, name: &str) -> PriceFact {
        PriceFact {
            num: self.fact(&joined(&[name, "/num"])),
            den: self.fact(&joined(&[name, "/den"])),
        }
    }

    /// Declares a cause, in words that finish "excluded: …".
    pub fn cause(&mut self, text: &str) -> Cause {
        self.push_cause(text, None)
    }

    /// The same, with the column whose value `explain` shows beside it.
    pub fn cause_of(&mut self, text: &str, column: impl Into<Asked>) -> Cause {
        let column = column.into().0;
        self.push_cause(text, Some(column))
    }

    fn push_cause(&mut self, text: &str, column: Option<u16>) -> Cause {
        self.causes.push(wit::Cause {
            text: text.to_owned(),
            column,
        });
        Cause(short(self.causes.len() - 1))
    }

    fn column(&mut self, name: &str, kind: Kind) -> u16 {
        let place = self
            .columns
            .iter()
            .position(|(known, of)| known == name && *of == kind)
            .unwrap_or_else(|| {
                self.columns.push((name.to_owned(), kind));
                self.columns.len() - 1
            });
        short(place)
    }

    pub(crate) fn to_wit(&self) -> wit::Plan {
        wit::Plan {
            columns: self.columns.iter().map(|(name, _)| name.clone()).collect(),
            facts: self.facts.clone(),
            causes: self.causes.clone(),
        }
    }
}

fn short(place: usize) -> u16 {
    match u16::try_from(place) {
        Ok(place) => place,
        // `expect` would bring the printing of the error into every component.
        Err(_) => panic!("the host takes no plan of 65536 names"),
    }
}

// === impl Kind ===

impl Kind {
    /// The name in the WIT.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Counts => "counts",
            Self::Marks => "marks",
            Self::Symbols => "symbols",
        }
    }
}

/// A column of a [`Plan`], whatever its kind.
#[derive(Clone, Copy, Debug)]
pub struct Asked(u16);

macro_rules! handles {
    ($($handle:ident, $value:ty, $column:ident, $known:expr;)+) => {
        $(impl From<$handle> for Asked {
            fn from(handle: $handle) -> Self {
                Self(handle.0)
            }
        }

        impl sealed::Sealed for $handle {}

        impl Handle for $handle {
            type Value = $value;

            #[inline]
            fn value(self, candidates: &Candidates, row: usize) -> Option<$value> {
                ($known)(candidates.$column(self)[row])
            }
        })+
    };
}

handles! {
    Numbers, f64, numbers, |value: f64| (!value.is_nan()).then_some(value);
    Counts, u64, counts, |value: u64| (value != u64::MAX).then_some(value);
    Marks, bool, marks, |value: u8| (value < 2).then_some(value == 1);
    Symbols, Symbol, symbols, |value: u64| (value != 0).then_some(value);
}

impl sealed::Sealed for Prices {}

impl Handle for Prices {
    type Value = Price;

    #[inline]
    fn value(self, candidates: &Candidates, row: usize) -> Option<Price> {
        Price::new(
            self.num.value(candidates, row)?,
            self.den.value(candidates, row)?,
        )
    }
}

// === impl Cause ===

impl Cause {
    /// This cause, with the number it is about: what `explain` prints beside it.
    #[must_use]
    pub fn value(self, value: f64) -> Because {
        Because { cause: self, value }
    }
}

impl From<Cause> for Because {
    fn from(cause: Cause) -> Self {
        cause.value(f64::NAN)
    }
}
