//! The candidates of one job.

use std::borrow::Cow;
use std::iter::repeat_n;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use pointsman_facts::values::{NO, YES, count};
use pointsman_facts::{Candidates, Column, Hints, Kept, Price, Symbol, Values, Workload};
use pointsman_wire::net::Capabilities;

use crate::clock::Clock;
use crate::facts::Facts;
use crate::fit::JobColumns;
use crate::live::Live;
use crate::orchestrator::Orchestrator;
use crate::past::PastColumns;
use crate::snapshot::Snapshot;
use crate::wishes::identified;

/// Least success rate that `price/effective` divides by: an orchestrator that always fails is dear, not infinitely so.
const LEAST_SUCCESS: f64 = 0.01;

/// The question a job asks.
#[derive(Clone, Debug)]
pub struct Query {
    /// Kind of work.
    pub workload: Workload,
    /// Symbol of the model; [`Symbol::UNKNOWN`] where there is none.
    pub model: Symbol,
    /// What the orchestrator must be able to do. Hand in the same `Arc` for every job of a stream: the verdicts are cached.
    pub required: Arc<Capabilities>,
    /// Who holds the stream's session now.
    pub incumbent: Option<Symbol>,
    /// What the application wants.
    pub hints: Arc<Hints>,
}

/// Every known orchestrator as a candidate for one job. A clone is the same view, at the price of a counter.
///
/// Rows and facts are those of one snapshot. What changes without a new one (`in-flight`, `rest-ms`, the outcome of the last probe) is as of
/// the moment when one of them is first asked for, or the view is [kept](Candidates::keep), and stays so: [`View::anew`] is a view of later.
#[derive(Clone, Debug)]
pub struct View(Arc<Seen>);

/// What is seen: all clones of a view share it, and whoever keeps one.
#[derive(Clone, Debug)]
pub struct Seen {
    snapshot: Arc<Snapshot>,
    job: Arc<JobColumns>,
    past: Arc<PastColumns>,
    incumbent: Option<usize>,
    hints: Arc<Hints>,
    excluded: Vec<usize>,
    /// Wei by row, where there is any.
    credit: Vec<(usize, f64)>,
    prices: Vec<(usize, Price)>,
    clock: Clock,
    live: OnceLock<Live>,
}

// === impl View ===

impl View {
    pub(crate) fn new(snapshot: Arc<Snapshot>, query: &Query, clock: Clock) -> Self {
        let present = &snapshot.present;
        Self(Arc::new(Seen {
            job: present.job(&query.required),
            past: Arc::clone(snapshot.past(query.workload, query.model)),
            incumbent: query.incumbent.and_then(|id| present.row_of(id)),
            hints: identified(present, &query.hints),
            excluded: Vec::new(),
            credit: Vec::new(),
            prices: Vec::new(),
            snapshot,
            clock,
            live: OnceLock::new(),
        }))
    }

    /// The same candidates, seen anew: what changes without a new snapshot is as of when that is asked for.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self(Arc::new(Seen {
            live: OnceLock::new(),
            ..Seen::clone(self)
        }))
    }

    /// The same candidates, of which `ids` do not fit this job. They keep their rows.
    #[must_use]
    pub fn excluding(mut self, ids: impl IntoIterator<Item = Symbol>) -> Self {
        let present = &self.snapshot.present;
        let rows = ids.into_iter().filter_map(|id| present.row_of(id));
        let rows: Vec<_> = rows.collect();
        Arc::make_mut(&mut self.0).excluded.extend(rows);
        self
    }

    /// The same candidates, at what this stream's sessions with them cost: a price that an orchestrator asks of others now is no reason to leave
    /// it.
    #[must_use]
    pub fn with_prices(mut self, prices: impl IntoIterator<Item = (Symbol, Price)>) -> Self {
        let present = &self.snapshot.present;
        let other = |(id, price): (Symbol, Price)| {
            let row = present.row_of(id)?;
            let asked = (present.price_num[row], present.price_den[row]);
            (asked != counts(price)).then_some((row, price))
        };
        let prices: Vec<_> = prices.into_iter().filter_map(other).collect();
        if !prices.is_empty() {
            Arc::make_mut(&mut self.0).prices = prices;
        }
        self
    }

    /// The same candidates, with so many wei paid and left in this stream's sessions with them.
    #[must_use]
    pub fn with_credit(mut self, credit: impl IntoIterator<Item = (Symbol, f64)>) -> Self {
        let present = &self.snapshot.present;
        let row = |(id, wei)| Some((present.row_of(id)?, wei));
        let credit: Vec<_> = credit.into_iter().filter_map(row).collect();
        Arc::make_mut(&mut self.0).credit = credit;
        self
    }
}

impl Deref for View {
    type Target = Seen;

    fn deref(&self) -> &Seen {
        &self.0
    }
}

impl Candidates for View {
    fn snapshot(&self) -> u64 {
        Candidates::snapshot(&*self.0)
    }

    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn id(&self, row: usize) -> Symbol {
        self.0.id(row)
    }

    fn values(&self, column: &Column) -> Values<'_> {
        self.0.values(column)
    }

    fn keep(&self) -> Option<Arc<dyn Kept>> {
        self.live();
        Some(Arc::clone(&self.0) as Arc<dyn Kept>)
    }
}

// === impl Seen ===

impl Seen {
    /// The orchestrator of `row`.
    ///
    /// # Panics
    ///
    /// When `row` is not below [`Candidates::rows`].
    #[must_use]
    pub fn orchestrator(&self, row: usize) -> &Arc<Orchestrator> {
        &self.snapshot.present.rows[row].orchestrator
    }

    /// What the orchestrator of `row` says of itself, once it has answered.
    #[must_use]
    pub fn facts(&self, row: usize) -> Option<&Arc<Facts>> {
        self.snapshot.present.rows.get(row)?.facts.as_ref()
    }

    /// What the application wants, with everybody called by identity.
    #[must_use]
    pub fn hints(&self) -> &Arc<Hints> {
        &self.hints
    }

    /// The row of an orchestrator.
    #[must_use]
    pub fn row_of(&self, id: Symbol) -> Option<usize> {
        self.snapshot.present.row_of(id)
    }

    /// Why `fit` is not yes for `row`.
    #[must_use]
    pub fn why_unfit(&self, row: usize) -> Option<String> {
        if self.excluded.contains(&row) {
            return Some("is excluded from this job".to_owned());
        }
        self.job.why_unfit(self.snapshot.present.rows.get(row)?)
    }

    fn fit(&self) -> Values<'_> {
        if self.excluded.is_empty() {
            return Values::Marks((&*self.job.fit).into());
        }
        let mut fit = self.job.fit.clone();
        self.excluded.iter().for_each(|&row| fit[row] = NO);
        Values::Marks(fit.into())
    }

    fn incumbent(&self) -> Values<'_> {
        // Not `vec!`: see `Live`.
        let mut marks: Vec<u8> = repeat_n(NO, self.rows()).collect();
        if let Some(row) = self.incumbent {
            marks[row] = YES;
        }
        Values::Marks(marks.into())
    }

    fn credit(&self) -> Values<'_> {
        let mut wei: Vec<f64> = repeat_n(0.0, self.rows()).collect();
        for &(row, credit) in &self.credit {
            wei[row] = credit;
        }
        Values::Numbers(wei.into())
    }

    /// A column of prices, with those of this stream's sessions in their places.
    fn priced<'s, T: Clone>(&self, asked: &'s [T], agreed: impl Fn(Price) -> T) -> Cow<'s, [T]> {
        let mut column = Cow::Borrowed(asked);
        for &(row, price) in &self.prices {
            column.to_mut()[row] = agreed(price);
        }
        column
    }

    fn effective_price(&self) -> Values<'_> {
        let prices = self.priced(&self.snapshot.present.price, Price::to_f64);
        let costs = prices.iter().zip(&self.past.success);
        let cost = |(&price, &success): (&f64, &f64)| match success.is_nan() {
            true => price,
            false => price / success.max(LEAST_SUCCESS),
        };
        Values::Numbers(costs.map(cost).collect())
    }

    /// What changes without a new snapshot.
    fn live(&self) -> &Live {
        self.live
            .get_or_init(|| Live::of(&self.snapshot.present, &self.clock))
    }

    fn hinted(&self) -> Values<'_> {
        let mut places = vec![f64::NAN; self.rows()];
        for (place, &id) in (0_u32..).zip(&self.hints.order) {
            if let Some(row) = self.row_of(id)
                && places[row].is_nan()
            {
                places[row] = place.into();
            }
        }
        Values::Numbers(places.into())
    }

    /// Marks who is on `list`.
    fn listed(&self, list: &[Symbol]) -> Values<'_> {
        let mut marks = vec![NO; self.rows()];
        for row in list.iter().filter_map(|&id| self.row_of(id)) {
            marks[row] = YES;
        }
        Values::Marks(marks.into())
    }
}

/// Wei and units, as columns.
fn counts(price: Price) -> (u64, u64) {
    (count(Some(price.num)), count(Some(price.den.get())))
}

impl Candidates for Seen {
    fn snapshot(&self) -> u64 {
        self.snapshot.number()
    }

    fn rows(&self) -> usize {
        self.snapshot.len()
    }

    fn id(&self, row: usize) -> Symbol {
        Symbol(self.snapshot.present.id[row])
    }

    fn values(&self, column: &Column) -> Values<'_> {
        let present = &self.snapshot.present;
        match column {
            Column::Fit => self.fit(),
            Column::Answers => Values::Marks((&*present.answers).into()),
            Column::Incumbent => self.incumbent(),
            Column::Credit => self.credit(),
            Column::InFlight => Values::Counts(self.live().in_flight().into()),
            Column::RestMs => Values::Counts(self.live().rest_ms().into()),
            Column::ProbeMs => Values::Numbers((&*self.live().probes().ms).into()),
            Column::ProbeFailures => Values::Counts((&*self.live().probes().failures).into()),
            Column::HintOrder => self.hinted(),
            Column::HintOnly => match &self.hints.only {
                Some(only) => self.listed(only),
                None => Values::unknown(column.kind(), self.rows()),
            },
            Column::HintIgnore => self.listed(&self.hints.ignore),
            Column::Price => Values::Numbers(self.priced(&present.price, Price::to_f64)),
            Column::PriceNum => Values::Counts(self.priced(&present.price_num, |of| counts(of).0)),
            Column::PriceDen => Values::Counts(self.priced(&present.price_den, |of| counts(of).1)),
            Column::PriceEffective => self.effective_price(),
            Column::CapacityFree => Values::Counts((&*self.job.capacity_free).into()),
            Column::CapacityTotal => Values::Counts((&*self.job.capacity_total).into()),
            Column::RunnerVersion => Values::Counts((&*self.job.runner_version).into()),
            Column::GpuMemory => Values::Numbers((&*present.gpu_memory).into()),
            Column::Warm => Values::Marks((&*self.job.warm).into()),
            Column::Version => Values::Counts((&*present.version).into()),
            Column::Id => Values::Symbols((&*present.id).into()),
            Column::Region => Values::Symbols((&*present.region).into()),
            Column::Source => Values::Symbols((&*present.source).into()),
            Column::ScoreTrust => Values::Numbers((&*present.trust).into()),
            Column::Address => Values::Symbols((&*present.address).into()),
            Column::Transcoder => Values::Symbols((&*present.transcoder).into()),
            Column::Label(key) => match present.labels.get(key) {
                Some(values) => Values::Symbols((&**values).into()),
                None => Values::unknown(column.kind(), self.rows()),
            },
            Column::LatencyP50
            | Column::LatencyP95
            | Column::LatencyScore
            | Column::SuccessRate
            | Column::Samples
            | Column::ErrorRate(_) => self
                .past
                .values(column)
                .unwrap_or_else(|| Values::unknown(column.kind(), self.rows())),
            Column::Stake
            | Column::ScorePerf
            | Column::Active
            | Column::StakeRank
            | Column::RewardCut
            | Column::FeeShare
            | Column::RoundsActive
            | Column::Recipient
            | Column::TicketFaceValue
            | Column::TicketWinProb
            | Column::TicketValue => present
                .chain
                .values(column)
                .unwrap_or_else(|| Values::unknown(column.kind(), self.rows())),
            // Made by the chain of stages.
            Column::ScoreSum | Column::Position | Column::FitWhy | Column::HintPlace => {
                Values::unknown(column.kind(), self.rows())
            }
        }
    }
}

impl Kept for Seen {
    fn labels(&self) -> Vec<String> {
        self.snapshot.present.labels.keys().cloned().collect()
    }

    fn address(&self, row: usize) -> Option<String> {
        let row = self.snapshot.present.rows.get(row)?;
        Some(row.orchestrator.uri.to_string())
    }
}
