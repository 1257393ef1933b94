//! The candidates of one job.

use std::iter::repeat_n;
use std::sync::Arc;

use pointsman_facts::values::{NO, YES};
use pointsman_facts::{Candidates, Column, Hints, Kept, Symbol, Values, Workload};
use pointsman_wire::net::Capabilities;

use crate::clock::Clock;
use crate::facts::Facts;
use crate::fit::{JobColumns, why_unfit};
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

/// Every known orchestrator as a candidate for one job.
///
/// Rows and facts are those of one snapshot and never change; `in-flight`, `rest-ms` and the outcome of the last probe are as of the
/// moment they are asked for, or of the moment the view was [kept](Candidates::keep).
#[derive(Clone, Debug)]
pub struct View {
    snapshot: Arc<Snapshot>,
    job: Arc<JobColumns>,
    past: Arc<PastColumns>,
    incumbent: Option<usize>,
    hints: Arc<Hints>,
    excluded: Vec<usize>,
    clock: Clock,
    /// Once the view is kept.
    live: Option<Live>,
}

// === impl View ===

impl View {
    pub(crate) fn new(snapshot: Arc<Snapshot>, query: &Query, clock: Clock) -> Self {
        let present = &snapshot.present;
        Self {
            job: present.job(&query.required),
            past: Arc::clone(snapshot.past(query.workload, query.model)),
            incumbent: query.incumbent.and_then(|id| present.row_of(id)),
            hints: identified(present, &query.hints),
            excluded: Vec::new(),
            snapshot,
            clock,
            live: None,
        }
    }

    /// The same candidates, of which `ids` do not fit this job. They keep their rows.
    #[must_use]
    pub fn excluding(mut self, ids: impl IntoIterator<Item = Symbol>) -> Self {
        let present = &self.snapshot.present;
        let rows = ids.into_iter().filter_map(|id| present.row_of(id));
        self.excluded.extend(rows);
        self
    }

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
        why_unfit(self.snapshot.present.rows.get(row)?, self.job.required())
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

    fn effective_price(&self) -> Values<'_> {
        let costs = self.snapshot.present.price.iter().zip(&self.past.success);
        let cost = |(&price, &success): (&f64, &f64)| match success.is_nan() {
            true => price,
            false => price / success.max(LEAST_SUCCESS),
        };
        Values::Numbers(costs.map(cost).collect())
    }

    /// What every orchestrator says now.
    fn now<T>(&self, said: impl Fn(&Orchestrator) -> T) -> Vec<T> {
        let rows = self.snapshot.present.rows.iter();
        rows.map(|row| said(&row.orchestrator)).collect()
    }

    fn rest_ms(&self) -> Vec<u64> {
        let now_ms = self.clock.unix_ms();
        self.now(|orchestrator| orchestrator.rest_ms(now_ms))
    }

    /// A count that changes with time: as kept, or as it is now.
    fn live(&self, kept: impl Fn(&Live) -> Vec<u64>, now: impl Fn() -> Vec<u64>) -> Values<'_> {
        Values::Counts(self.live.as_ref().map_or_else(now, kept).into())
    }

    fn probe_ms(&self) -> Values<'_> {
        Values::Numbers(match &self.live {
            Some(live) => (&*live.probes().ms).into(),
            None => self.now(Orchestrator::probe_ms).into(),
        })
    }

    fn probe_failures(&self) -> Values<'_> {
        Values::Counts(match &self.live {
            Some(live) => (&*live.probes().failures).into(),
            None => self.now(Orchestrator::probe_failures).into(),
        })
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

impl Candidates for View {
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
            // Nothing is paid in advance while there are no tickets.
            Column::Credit => Values::Numbers(vec![0.0; self.rows()].into()),
            Column::InFlight => self.live(Live::in_flight, || self.now(Orchestrator::in_flight)),
            Column::RestMs => self.live(Live::rest_ms, || self.rest_ms()),
            Column::ProbeMs => self.probe_ms(),
            Column::ProbeFailures => self.probe_failures(),
            Column::HintOrder => self.hinted(),
            Column::HintOnly => match &self.hints.only {
                Some(only) => self.listed(only),
                None => Values::unknown(column.kind(), self.rows()),
            },
            Column::HintIgnore => self.listed(&self.hints.ignore),
            Column::Price => Values::Numbers((&*present.price).into()),
            Column::PriceNum => Values::Counts((&*present.price_num).into()),
            Column::PriceDen => Values::Counts((&*present.price_den).into()),
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
            // Stake and leaderboard scores have no source yet; the others are made by the chain of stages.
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
            | Column::TicketValue
            | Column::ScoreSum
            | Column::Position
            | Column::FitWhy
            | Column::HintPlace => Values::unknown(column.kind(), self.rows()),
        }
    }

    fn keep(&self) -> Option<Arc<dyn Kept>> {
        let mut kept = self.clone();
        if kept.live.is_none() {
            kept.live = Some(Live::of(&self.snapshot.present, &self.clock));
        }
        Some(Arc::new(kept))
    }
}

impl Kept for View {
    fn labels(&self) -> Vec<String> {
        self.snapshot.present.labels.keys().cloned().collect()
    }

    fn address(&self, row: usize) -> Option<String> {
        let row = self.snapshot.present.rows.get(row)?;
        Some(row.orchestrator.uri.to_string())
    }
}
