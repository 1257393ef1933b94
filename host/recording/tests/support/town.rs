//! Orchestrators whose facts change while jobs run, as a directory's do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use pointsman_facts::column::TABLE;
use pointsman_facts::failure::Class;
use pointsman_facts::{Candidates, Column, Job, Kept, Price, Symbol, Values, Workload};

/// See the module. A copy is what was kept.
#[derive(Clone)]
pub(crate) struct Town {
    snapshot: u64,
    rows: usize,
    columns: Vec<(Column, Values<'static>)>,
    random: u64,
    /// Names of the columns that were asked for.
    pub(crate) asked: Arc<Mutex<BTreeSet<String>>>,
}

/// A job of the stream in `id`.
pub(crate) fn job(id: &str, seed: u64) -> Job {
    Job {
        id: id.to_owned(),
        now_ms: 1_700_000_000_000 + seed,
        seed,
        workload: Workload::Transcode,
        capability: Symbol::of("transcode"),
        model: Symbol::UNKNOWN,
        affinity: 7,
        deadline_ms: 6000,
        soft_ms: 2000,
        units: 0,
        segment_ms: Some(2000),
        sequence: Some(seed),
        max_price: Price::new(900, 1),
        price_is_hard: seed.is_multiple_of(2),
        retries_left: 3,
        hedges_left: 1,
        spent: None,
        labels: BTreeMap::from([("tier".to_owned(), "gold".to_owned())]),
        hints: pointsman_facts::Hints::default(),
    }
}

// === impl Town ===

impl Town {
    /// `rows` orchestrators.
    pub(crate) fn new(rows: usize, seed: u64) -> Self {
        let mut town = Self {
            snapshot: 1,
            rows: 0,
            columns: Vec::new(),
            random: seed,
            asked: Arc::default(),
        };
        town.settle(rows);
        town
    }

    /// The town is rebuilt with `rows` orchestrators.
    pub(crate) fn settle(&mut self, rows: usize) {
        self.rows = rows;
        self.columns = columns()
            .into_iter()
            .map(|column| {
                let values = Values::unknown(column.kind(), rows)
                    .gather(&(0..rows as u32).collect::<Vec<_>>());
                (column, values)
            })
            .collect();
        for place in 0..self.columns.len() {
            for row in 0..rows {
                self.change(place, row);
            }
        }
        self.snapshot += 1;
    }

    /// A few facts change, as with every attempt.
    pub(crate) fn step(&mut self) {
        for _ in 0..self.below(6) {
            let (place, row) = (self.below(self.columns.len()), self.below(self.rows));
            self.change(place, row);
        }
        self.snapshot += 1;
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % bound
    }

    fn change(&mut self, place: usize, row: usize) {
        let (chance, any) = (self.below(20), self.below(1000));
        let (column, values) = &mut self.columns[place];
        match values {
            // Not every NaN has the same bits, and a recording keeps them.
            Values::Numbers(numbers) => {
                numbers.to_mut()[row] = match (chance, &*column) {
                    (0, _) => f64::NAN,
                    (1, _) => -f64::NAN,
                    // The town's jobs name nobody.
                    (_, Column::HintOrder) => f64::NAN,
                    (_, Column::LatencyP50 | Column::LatencyP95) => any as f64 * 1.7,
                    _ => any as f64 / 1000.0,
                }
            }
            Values::Counts(counts) => {
                counts.to_mut()[row] = match (chance, &*column) {
                    (_, Column::PriceDen) => 1,
                    (_, Column::RestMs) => any as u64 / 900 * 5000,
                    (_, Column::InFlight) => any as u64 / 300,
                    (0, _) => u64::MAX,
                    _ => any as u64,
                }
            }
            Values::Marks(marks) => {
                marks.to_mut()[row] = match (chance, &*column) {
                    (_, Column::Incumbent) => u8::from(any < 30),
                    (_, Column::HintIgnore) => u8::from(any < 100),
                    (0, _) => 2,
                    _ => u8::from(any < 900),
                }
            }
            Values::Symbols(symbols) => {
                symbols.to_mut()[row] = match column {
                    Column::Id => Symbol::of(&format!("https://{row}.test")).0,
                    Column::Region => Symbol::of(["fra", "ams", "nyc", ""][any % 4]).0,
                    _ => Symbol::of(["gold", "tin", ""][any % 3]).0,
                }
            }
        }
        self.price(row);
    }

    /// The fraction says what the float says, in thousandths: policies read one and reports the other.
    fn price(&mut self, row: usize) {
        let held = self.columns.iter();
        let mut price = held.filter(|(column, _)| *column == Column::Price);
        let Some((_, Values::Numbers(prices))) = price.next_back() else {
            return;
        };
        let exact = match prices[row] {
            price if price.is_nan() => u64::MAX,
            price => (price * 1000.0).round() as u64,
        };
        let held = self.columns.iter_mut();
        for (_, values) in held.filter(|(column, _)| *column == Column::PriceNum) {
            if let Values::Counts(counts) = values {
                counts.to_mut()[row] = exact;
            }
        }
    }
}

/// Every column there is, with one label.
fn columns() -> Vec<Column> {
    let names = TABLE.iter().flat_map(|entry| match entry.name {
        "label/<key>" => vec![Column::Label("tier".to_owned())],
        "error-rate/<class>" => Class::ALL.map(Column::ErrorRate).to_vec(),
        name => vec![Column::parse(name).expect("a name of the table")],
    });
    names.collect()
}

impl Candidates for Town {
    fn snapshot(&self) -> u64 {
        self.snapshot
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn id(&self, row: usize) -> Symbol {
        Symbol::of(&format!("https://{row}.test"))
    }

    fn values(&self, column: &Column) -> Values<'_> {
        self.asked.lock().insert(column.to_string());
        let held = self.columns.iter().find(|(held, _)| held == column);
        match held {
            Some((_, values)) => values.clone(),
            None => Values::unknown(column.kind(), self.rows),
        }
    }

    fn keep(&self) -> Option<Arc<dyn Kept>> {
        let mut kept = self.clone();
        kept.asked = Arc::default();
        Some(Arc::new(kept))
    }
}

impl Kept for Town {
    fn labels(&self) -> Vec<String> {
        vec!["tier".to_owned()]
    }

    fn address(&self, row: usize) -> Option<String> {
        Some(format!("https://{row}.test"))
    }
}

/// Columns in which both candidates do not hold the same bits.
pub(crate) fn differences(a: &dyn Candidates, b: &dyn Candidates) -> Vec<String> {
    let bits = |values: &Values<'_>| -> Vec<u64> {
        match values {
            Values::Numbers(values) => values.iter().map(|value| value.to_bits()).collect(),
            Values::Counts(values) | Values::Symbols(values) => values.to_vec(),
            Values::Marks(values) => values.iter().map(|&mark| mark.into()).collect(),
        }
    };
    let all = columns()
        .into_iter()
        .filter(|column| !column.is_made_by_chain());
    let differs = |column: &Column| {
        let (a, b) = (a.values(column), b.values(column));
        a.kind() != b.kind() || bits(&a) != bits(&b)
    };
    all.filter(differs)
        .map(|column| column.to_string())
        .collect()
}
