//! What all decisions of a moment see: immutable, numbered, shared.
//!
//! # Contract
//!
//! A snapshot has one row for every known orchestrator, in the order of their identities. Columns of facts and of history
//! stand in it ready to be lent; a decision builds only what is its own. Facts and history are published apart: the
//! first change with a probe now and then, the second with every attempt, and a stream's cached verdicts stay good
//! while only the second changes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use pointsman_facts::values::{count, mark};
use pointsman_facts::{Symbol, Workload};
use pointsman_wire::net::Capabilities;
use pointsman_wire::sign::Address;

use crate::chain::ChainColumns;
use crate::facts::{Facts, Unusable};
use crate::fit::JobColumns;
use crate::history::Work;
use crate::live::Probes;
use crate::orchestrator::Orchestrator;
use crate::past::PastColumns;
use crate::source::{Listing, Origin, Place};
use crate::standing::Reach;
use crate::table::{Entry, Table};

/// Most sets of capabilities whose verdicts are kept.
const CACHED: usize = 32;

/// The directory at one moment.
#[derive(Debug)]
pub struct Snapshot {
    number: u64,
    pub(crate) present: Arc<Present>,
    past: HashMap<Work, Arc<PastColumns>>,
}

/// One orchestrator at that moment.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) orchestrator: Arc<Orchestrator>,
    pub(crate) listing: Arc<Listing>,
    pub(crate) facts: Option<Arc<Facts>>,
    pub(crate) reach: Reach,
    pub(crate) error: Option<String>,
    /// Why no job can go there though it answers.
    pub(crate) unusable: Option<Unusable>,
    /// Of the account that it wants to be paid to.
    pub(crate) place: Option<Place>,
    /// Of the same account.
    pub(crate) perf: Option<f64>,
}

/// What the orchestrators and the sources say, as columns.
#[derive(Debug)]
pub(crate) struct Present {
    pub(crate) rows: Vec<Row>,
    pub(crate) id: Vec<u64>,
    /// 0 no, 1 yes, 2 not known yet.
    pub(crate) answers: Vec<u8>,
    pub(crate) price: Vec<f64>,
    pub(crate) price_num: Vec<u64>,
    pub(crate) price_den: Vec<u64>,
    pub(crate) version: Vec<u64>,
    pub(crate) gpu_memory: Vec<f64>,
    pub(crate) region: Vec<u64>,
    pub(crate) source: Vec<u64>,
    pub(crate) trust: Vec<f64>,
    pub(crate) address: Vec<u64>,
    pub(crate) transcoder: Vec<u64>,
    pub(crate) labels: HashMap<String, Vec<u64>>,
    pub(crate) chain: ChainColumns,
    /// Least performance score that work is given for while there is somebody with it.
    least_perf: f64,
    /// The history of work that nobody has done.
    blank: Arc<PastColumns>,
    jobs: Mutex<Vec<Arc<JobColumns>>>,
    /// What probes said when that was last asked.
    probes: ArcSwapOption<Probes>,
}

// === impl Snapshot ===

impl Snapshot {
    pub(crate) fn new(
        number: u64,
        present: Arc<Present>,
        past: HashMap<Work, Arc<PastColumns>>,
    ) -> Self {
        Self {
            number,
            present,
            past,
        }
    }

    /// Its number: higher is later.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How many orchestrators are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.present.rows.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.present.rows.is_empty()
    }

    /// The history columns of a kind of work.
    pub(crate) fn past(&self, workload: Workload, model: Symbol) -> &Arc<PastColumns> {
        self.past
            .get(&Work { workload, model })
            .unwrap_or(&self.present.blank)
    }

    pub(crate) fn pasts(&self) -> &HashMap<Work, Arc<PastColumns>> {
        &self.past
    }
}

// === impl Present ===

impl Present {
    pub(crate) fn of(table: &Table, least_perf: f64) -> Self {
        let rows: Vec<Row> = table.entries().map(|entry| Row::of(entry, table)).collect();
        let fact = |known: fn(&Facts) -> Option<u64>| -> Vec<u64> {
            let known = |row: &Row| count(row.facts.as_deref().and_then(known));
            rows.iter().map(known).collect()
        };
        let price = |row: &Row| {
            let price = row.facts.as_ref().and_then(|facts| facts.price);
            price.map_or(f64::NAN, pointsman_facts::Price::to_f64)
        };
        Self {
            id: rows.iter().map(|row| row.orchestrator.id.0).collect(),
            answers: rows.iter().map(|row| answers(row.reach)).collect(),
            price: rows.iter().map(price).collect(),
            price_num: fact(|facts| facts.price.map(|price| price.num)),
            price_den: fact(|facts| facts.price.map(|price| price.den.get())),
            version: fact(|facts| facts.version),
            gpu_memory: rows.iter().map(gpu_memory).collect(),
            region: symbols(&rows, |listing| listing.region.as_deref()),
            source: symbols(&rows, |listing| listing.origins.first().map(Origin::name)),
            trust: rows.iter().map(trust).collect(),
            address: rows.iter().map(address).collect(),
            transcoder: rows.iter().map(transcoder).collect(),
            labels: labels(&rows),
            chain: ChainColumns::of(&rows),
            least_perf,
            blank: Arc::new(PastColumns::blank(rows.len())),
            jobs: Mutex::default(),
            probes: ArcSwapOption::empty(),
            rows,
        }
    }

    /// The columns of jobs that require `required`, made when first asked for.
    pub(crate) fn job(&self, required: &Arc<Capabilities>) -> Arc<JobColumns> {
        let cached =
            |jobs: &[Arc<JobColumns>]| jobs.iter().find(|job| job.answers(required)).cloned();
        if let Some(job) = cached(&self.jobs.lock()) {
            return job;
        }
        let job = Arc::new(JobColumns::of(&self.rows, required, self.least_perf));
        let mut jobs = self.jobs.lock();
        if let Some(first) = cached(&jobs) {
            return first;
        }
        if jobs.len() == CACHED {
            jobs.remove(0);
        }
        jobs.push(Arc::clone(&job));
        job
    }

    /// What probes said up to now.
    pub(crate) fn probes(&self) -> Arc<Probes> {
        if let Some(probes) = self.probes.load_full()
            && probes.holds()
        {
            return probes;
        }
        let probes = Arc::new(Probes::of(&self.rows));
        self.probes.store(Some(Arc::clone(&probes)));
        probes
    }

    /// The row of `id`.
    pub(crate) fn row_of(&self, id: Symbol) -> Option<usize> {
        self.id.binary_search(&id.0).ok()
    }
}

fn answers(reach: Reach) -> u8 {
    mark(match reach {
        Reach::Answers => Some(true),
        Reach::Silent => Some(false),
        Reach::Unasked => None,
    })
}

fn trust(row: &Row) -> f64 {
    row.listing.trust.map_or(f64::NAN, f64::from)
}

/// GiB, rounded: a driver keeps some of what a card is sold with to itself.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 8 PiB, and it is rounded"
)]
fn gpu_memory(row: &Row) -> f64 {
    let bytes = row.facts.as_ref().and_then(|facts| facts.gpu_memory);
    bytes.map_or(f64::NAN, |bytes| {
        (bytes as f64 / f64::from(1 << 30)).round()
    })
}

/// Zeros are what off-chain nodes send.
fn address(row: &Row) -> u64 {
    let address = row.facts.as_ref().map(|facts| facts.address.into());
    account(address.filter(|address: &Address| !address.is_zero()))
}

/// The symbol of an account, as `0x` and hex digits.
pub(crate) fn account(address: Option<Address>) -> u64 {
    address.map_or(0, |address| Symbol::of(&format!("{address:#x}")).0)
}

fn transcoder(row: &Row) -> u64 {
    let facts = row.facts.as_deref();
    let uri = facts.and_then(|facts| facts.transcoder.as_ref());
    uri.map_or(0, |uri| Symbol::of(uri.as_str()).0)
}

fn symbols<'a>(rows: &'a [Row], said: impl Fn(&'a Listing) -> Option<&'a str>) -> Vec<u64> {
    let symbol = |row: &'a Row| said(&row.listing).map_or(0, |text| Symbol::of(text).0);
    rows.iter().map(symbol).collect()
}

/// A column for every key that occurs. `label/region` is the region, unless somebody sets a label of that name.
fn labels(rows: &[Row]) -> HashMap<String, Vec<u64>> {
    let keys: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row.listing.labels.keys().map(String::as_str))
        .chain(["region"])
        .collect();
    let column = |key: &str| {
        symbols(rows, |listing| {
            let label = listing.labels.get(key).map(String::as_str);
            label.or(listing.region.as_deref().filter(|_| key == "region"))
        })
    };
    keys.into_iter()
        .map(|key| (key.to_owned(), column(key)))
        .collect()
}

// === impl Row ===

impl Row {
    fn of(entry: &Entry, table: &Table) -> Self {
        let account = entry.account();
        Self {
            orchestrator: Arc::clone(&entry.orchestrator),
            listing: Arc::clone(&entry.listing),
            facts: entry.standing.facts.clone(),
            reach: entry.standing.reach(),
            error: entry.standing.error.clone(),
            unusable: entry.standing.unusable().cloned(),
            place: account.and_then(|account| table.roll.place(account)),
            perf: account.and_then(|account| table.scores.get(&account).copied()),
        }
    }
}
