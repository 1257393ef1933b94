//! Orchestrators of a network that works, with every fact a policy can ask for, as the directory would have them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use pointsman_facts::column::TABLE;
use pointsman_facts::{Candidates, Column, Kind, Symbol, Values};

/// Columns that stand ready, to be borrowed.
pub(crate) struct Fleet {
    rows: usize,
    columns: HashMap<Column, Values<'static>, BuildHasherDefault<Quick>>,
}

/// Finds a column about as quickly as the directory's `match` does.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let bytes = bytes.iter();
        bytes.for_each(|&byte| self.write_u64(byte.into()));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word.cast_unsigned() as u64);
    }
}

impl Fleet {
    /// `rows` orchestrators: nine in ten fit, one in twenty resting, one the incumbent; `holes` in a hundred values unknown.
    pub(crate) fn new(rows: usize, seed: u64, holes: u64) -> Self {
        let mut random = seed;
        let mut next = move || {
            // Any generator will do; this one is Knuth's.
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            random >> 33
        };
        let names = TABLE.iter().map(|entry| {
            entry
                .name
                .replace("<class>", "timeout")
                .replace("<key>", "tier")
        });
        let columns = names.map(|name| {
            let column = Column::parse(&name).expect("a name of the table");
            let values = values(&column, rows, holes, &mut next);
            (column, values)
        });
        Self {
            rows,
            columns: columns.collect(),
        }
    }
}

fn values(
    column: &Column,
    rows: usize,
    holes: u64,
    next: &mut impl FnMut() -> u64,
) -> Values<'static> {
    let hole = |next: &mut dyn FnMut() -> u64| next() % 100 < holes;
    match column.kind() {
        Kind::Numbers => {
            let scale = match column {
                Column::LatencyP50 | Column::LatencyP95 => 1500.0,
                _ => 1.0,
            };
            let made = (0..rows).map(|_| {
                if hole(next) {
                    f64::NAN
                } else {
                    scale * (next() % 1000) as f64 / 1000.0
                }
            });
            Values::Numbers(made.collect::<Vec<_>>().into())
        }
        Kind::Counts => {
            let made = (0..rows).map(|_| match column {
                _ if hole(next) => u64::MAX,
                Column::RestMs => (next() % 20 / 19) * 5000,
                Column::InFlight => next() % 10 / 9,
                Column::PriceDen => 1,
                _ => 1 + next() % 1200,
            });
            Values::Counts(made.collect::<Vec<_>>().into())
        }
        Kind::Marks => {
            let incumbent = next() as usize % rows.max(1);
            let made = (0..rows).map(|row| match column {
                Column::Incumbent => u8::from(row == incumbent),
                _ if hole(next) => 2,
                _ => u8::from(next() % 10 < 9),
            });
            Values::Marks(made.collect::<Vec<_>>().into())
        }
        Kind::Symbols => {
            let made = (0..rows).map(|_| next() << 20 | 1);
            Values::Symbols(made.collect::<Vec<_>>().into())
        }
    }
}

impl Candidates for Fleet {
    fn snapshot(&self) -> u64 {
        1
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn id(&self, row: usize) -> Symbol {
        match &self.columns[&Column::Id] {
            Values::Symbols(ids) => Symbol(ids[row]),
            _ => Symbol::UNKNOWN,
        }
    }

    fn values(&self, column: &Column) -> Values<'_> {
        match self.columns.get(column) {
            Some(Values::Numbers(values)) => Values::Numbers((&**values).into()),
            Some(Values::Counts(values)) => Values::Counts((&**values).into()),
            Some(Values::Marks(values)) => Values::Marks((&**values).into()),
            Some(Values::Symbols(values)) => Values::Symbols((&**values).into()),
            None => Values::unknown(column.kind(), self.rows),
        }
    }
}
