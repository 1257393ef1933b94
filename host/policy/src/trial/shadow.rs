//! The shadow: asked the same in the background, and compared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use pointsman_facts::{Candidates, Column, Job, Kept, Values};

use super::{ShadowReport, Share};
use crate::chain::{Manner, Outcome};
use crate::decision::Decision;
use crate::generation::Generation;
use crate::host::now_ms;
use crate::metrics::Metrics;

/// A generation that is asked beside the active one.
#[derive(Debug)]
pub(crate) struct Shadow {
    pub(crate) generation: Arc<Generation>,
    share: Share,
    since_ms: u64,
    tally: Mutex<Tally>,
    dropped: AtomicU64,
}

/// What was decided, to be put to the shadow too.
pub(crate) struct Asked {
    pub(crate) job: Arc<Job>,
    pub(crate) candidates: Arc<dyn Kept>,
    pub(crate) decision: Arc<Decision>,
    pub(crate) unpriced_passes: bool,
}

#[derive(Debug, Default)]
struct Tally {
    compared: u64,
    agreed: u64,
    refused_alone: u64,
    accepted_alone: u64,
    correlation: Mean,
    price: Mean,
    latency: Mean,
}

#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    count: u64,
}

// === impl Shadow ===

impl Shadow {
    pub(super) fn new(generation: Arc<Generation>, share: Share) -> Self {
        Self {
            generation,
            share,
            since_ms: now_ms(),
            tally: Mutex::default(),
            dropped: AtomicU64::new(0),
        }
    }

    /// Whether decisions about `job` are put to it.
    pub(crate) fn wants(&self, job: &Job) -> bool {
        self.share.has(job.affinity, self.generation.number())
    }

    /// One was not.
    pub(crate) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        Metrics::shadowed("dropped");
    }

    /// Asks it, and compares.
    pub(crate) fn compare(&self, asked: &Asked) {
        self.generation.decisions.fetch_add(1, Ordering::Relaxed);
        let candidates: &dyn Candidates = &*asked.candidates;
        let chain = &self.generation.chain;
        let answer = chain.select(
            &asked.job,
            candidates,
            asked.unpriced_passes,
            &mut Manner::default(),
        );
        match answer {
            Ok(outcome) => self.count(&asked.decision, &outcome, candidates),
            Err(failed) => {
                self.generation.count_fault(&failed.fault);
                Metrics::shadowed("fault");
            }
        }
    }

    fn count(&self, decision: &Decision, outcome: &Outcome, candidates: &dyn Candidates) {
        let (ours, theirs) = (decision.order.first(), outcome.order.first());
        let agrees = ours == theirs;
        Metrics::shadowed(if agrees { "same" } else { "different" });
        let correlation = spearman(&decision.order, &outcome.order, candidates.rows());
        let change = |column: &Column| {
            let values = candidates.values(column);
            Some((known(&values, *ours?)?, known(&values, *theirs?)?))
        };
        let price = change(&Column::Price).filter(|&(ours, _)| ours > 0.0);
        let latency = change(&Column::LatencyP50);
        let mut tally = self.tally.lock();
        tally.agreed += u64::from(agrees);
        tally.refused_alone += u64::from(ours.is_some() && theirs.is_none());
        tally.accepted_alone += u64::from(ours.is_none() && theirs.is_some());
        tally.correlation.add(correlation);
        tally
            .price
            .add(price.map(|(ours, theirs)| (theirs - ours) / ours));
        tally
            .latency
            .add(latency.map(|(ours, theirs)| theirs - ours));
        tally.compared += 1;
    }

    #[expect(clippy::cast_precision_loss, reason = "a share of decisions is shown")]
    pub(super) fn report(&self) -> ShadowReport {
        let info = self.generation.info();
        let tally = self.tally.lock();
        ShadowReport {
            generation: info.number,
            name: info.name,
            version: info.version,
            share: self.share.get(),
            since_ms: self.since_ms,
            compared: tally.compared,
            agreed: tally.agreed,
            agreement: (tally.compared > 0).then(|| tally.agreed as f64 / tally.compared as f64),
            rank_correlation: tally.correlation.get(),
            price_change: tally.price.get(),
            latency_change_ms: tally.latency.get(),
            refused_alone: tally.refused_alone,
            accepted_alone: tally.accepted_alone,
            faults: info.faults,
            last_fault: info.last_fault,
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}

// === impl Mean ===

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a mean is shown")]
    fn get(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

fn known(values: &Values<'_>, row: u32) -> Option<f64> {
    match values {
        Values::Numbers(values) => values
            .get(row as usize)
            .copied()
            .filter(|value| value.is_finite()),
        _ => None,
    }
}

/// Spearman's rank correlation of two orders over the rows that both list; `None` for fewer than two such rows.
fn spearman(one: &[u32], other: &[u32], rows: usize) -> Option<f64> {
    const NOT: u32 = u32::MAX;
    let rank = |order: &[u32], listed: &dyn Fn(u32) -> bool| {
        let mut ranks = vec![NOT; rows];
        let kept = order.iter().filter(|&&row| listed(row));
        for (rank, &row) in (0..).zip(kept) {
            ranks[row as usize] = rank;
        }
        ranks
    };
    let all = rank(other, &|_| true);
    let ours = rank(one, &|row| all[row as usize] != NOT);
    let theirs = rank(other, &|row| ours[row as usize] != NOT);
    let (mut common, mut squares) = (0.0, 0.0);
    for (&ours, &theirs) in ours.iter().zip(&theirs) {
        if ours != NOT {
            common += 1.0;
            squares += (f64::from(ours) - f64::from(theirs)).powi(2);
        }
    }
    (common >= 2.0).then(|| 1.0 - 6.0 * squares / (common * (common * common - 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation_is_that_of_the_common_rows() {
        let close = |found: Option<f64>, wanted: f64| {
            assert!(
                found.is_some_and(|found| (found - wanted).abs() < 1e-12),
                "{found:?}"
            );
        };
        close(spearman(&[0, 1, 2, 3], &[0, 1, 2, 3], 4), 1.0);
        close(spearman(&[0, 1, 2, 3], &[3, 2, 1, 0], 4), -1.0);
        close(spearman(&[0, 1, 2], &[0, 2, 1], 3), 0.5);
        close(spearman(&[5, 0, 1], &[1, 4, 0], 6), -1.0);
        assert_eq!(spearman(&[0, 1], &[2, 1], 3), None, "one in common");
        assert_eq!(spearman(&[], &[], 0), None);
    }
}
