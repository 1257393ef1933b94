//! Candidates that never were: every fact that a policy can ask for, from a seed.

use std::collections::BTreeMap;

use pointsman_facts::job::Spent;
use pointsman_facts::{Candidates, Column, Job, JobFact, Kind, Price, Symbol, Values, Workload};
use pointsman_policy::vectors;
use pointsman_policy::wit;

/// A generator: splitmix64, written out so that the numbers never change.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

/// Orchestrators of a network that works.
#[derive(Debug)]
pub(crate) struct Fleet {
    rows: usize,
    columns: Vec<(Column, Values<'static>)>,
}

// === impl Random ===

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// In thousandths from 0 up to 1.
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.below(1000)).unwrap_or(0)) / 1000.0
    }
}

// === impl Fleet ===

impl Fleet {
    /// `rows` orchestrators with these columns: nine in ten fit, one in twenty rests, one is the incumbent; two in a hundred values
    /// are unknown, and the application wishes for nothing.
    pub(crate) fn new(rows: usize, columns: &[Column], seed: u64) -> Self {
        let mut random = Random::new(seed);
        let always = [Column::Fit, Column::PriceNum, Column::PriceDen, Column::Id];
        let mut made: Vec<(Column, Values<'static>)> = Vec::new();
        for column in columns.iter().chain(&always) {
            if made.iter().all(|(known, _)| known != column) {
                made.push((column.clone(), values(column, rows, &mut random)));
            }
        }
        Self {
            rows,
            columns: made,
        }
    }

    /// The column by that name in a plan; a name nobody knows is unknown everywhere.
    pub(crate) fn column(&self, name: &str) -> Values<'static> {
        let found = column(name).and_then(|column| {
            let mut known = self.columns.iter();
            known.find(|(known, _)| *known == column)
        });
        found.map_or_else(
            || Values::unknown(Kind::Numbers, self.rows),
            |(_, values)| values.clone(),
        )
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
        match self.columns.iter().find(|(known, _)| *known == Column::Id) {
            Some((_, Values::Symbols(ids))) => Symbol(ids[row]),
            _ => Symbol::UNKNOWN,
        }
    }

    fn values(&self, column: &Column) -> Values<'_> {
        let found = self.columns.iter().find(|(known, _)| known == column);
        match found {
            Some((_, Values::Numbers(values))) => Values::Numbers((&**values).into()),
            Some((_, Values::Counts(values))) => Values::Counts((&**values).into()),
            Some((_, Values::Marks(values))) => Values::Marks((&**values).into()),
            Some((_, Values::Symbols(values))) => Values::Symbols((&**values).into()),
            None => Values::unknown(column.kind(), self.rows),
        }
    }
}

/// The column that a plan names, `?` or not.
pub(crate) fn column(name: &str) -> Option<Column> {
    Column::parse(name.strip_prefix('?').unwrap_or(name)).ok()
}

fn values(column: &Column, rows: usize, random: &mut Random) -> Values<'static> {
    let incumbent = usize::try_from(random.below(rows as u64)).unwrap_or(0);
    let hole = |random: &mut Random| random.below(100) < 2;
    match column.kind() {
        Kind::Numbers => {
            let scale = match column {
                Column::LatencyP50 | Column::LatencyP95 => 1500.0,
                _ => 1.0,
            };
            let one = |random: &mut Random| match hole(random) {
                true => f64::NAN,
                false => scale * random.share(),
            };
            Values::Numbers((0..rows).map(|_| one(random)).collect::<Vec<_>>().into())
        }
        Kind::Counts => {
            let one = |random: &mut Random| match column {
                Column::HintPlace => u64::MAX,
                _ if hole(random) => u64::MAX,
                Column::RestMs => random.below(20) / 19 * 5000,
                Column::InFlight => random.below(10) / 9,
                Column::PriceDen => 1,
                Column::FitWhy => random.below(10) / 9,
                _ => 1 + random.below(1200),
            };
            Values::Counts((0..rows).map(|_| one(random)).collect::<Vec<_>>().into())
        }
        Kind::Marks => {
            let one = |row: usize, random: &mut Random| match column {
                Column::Incumbent => u8::from(row == incumbent),
                _ if hole(random) => 2,
                _ => u8::from(random.below(10) < 9),
            };
            Values::Marks(
                (0..rows)
                    .map(|row| one(row, random))
                    .collect::<Vec<_>>()
                    .into(),
            )
        }
        Kind::Symbols => Values::Symbols(
            (0..rows)
                .map(|_| random.next() | 1)
                .collect::<Vec<_>>()
                .into(),
        ),
    }
}

/// A live segment, routed by `seed`.
pub(crate) fn job(seed: u64) -> Job {
    Job {
        id: "stream/1".to_owned(),
        now_ms: 1_700_000_000_000,
        seed,
        workload: Workload::Transcode,
        capability: Symbol::of("transcode"),
        affinity: 7,
        deadline_ms: 6000,
        soft_ms: 2000,
        units: 1280 * 720 * 60,
        segment_ms: Some(2000),
        sequence: Some(1),
        max_price: Price::new(1100, 1),
        price_is_hard: true,
        retries_left: 3,
        hedges_left: 1,
        model: Symbol::UNKNOWN,
        spent: Some(Spent {
            hour: 2e15,
            day: 3e16,
        }),
        labels: BTreeMap::new(),
        hints: pointsman_facts::Hints::default(),
    }
}

/// The same as one component is given it, with the facts of its plan.
pub(crate) fn asked(job: &Job, facts: &[String]) -> vectors::Job {
    let fact = |name: &String| {
        let known = JobFact::parse(name.strip_prefix('?').unwrap_or(name)).ok();
        known.map_or(wit::Fact::Unknown, |known| job.fact(&known).into())
    };
    vectors::Job {
        now_ms: job.now_ms,
        seed: job.seed,
        workload: job.workload.symbol().0,
        capability: job.capability.0,
        model: job.model.0,
        affinity: job.affinity,
        deadline_ms: job.deadline_ms,
        units: job.units,
        facts: facts.iter().map(fact).collect(),
    }
}
