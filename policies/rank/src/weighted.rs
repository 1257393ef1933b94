//! A score of latency, history and stake.
//!
//! # Why scores against a fixed scale
//!
//! Dividing by the best in the table would make 10 ms against 30 ms a difference of three to one, for segments that take two
//! seconds to come. What counts is how much of the segment's duration an answer takes: an answer time of `t` is worth
//! `ref / (ref + t)`, 1 at once and a half after one duration. A fixed scale also keeps a row's score the same whoever else
//! is there, so that `keep-margin` and `step` mean the same in every decision.
//!
//! # Newcomers
//!
//! What is unknown is worth `unknown`, below what a good orchestrator has earned and above what a poor one has. So a
//! newcomer gets work as soon as the good ones are loaded, and never takes a stream from one that is doing well. A
//! history of few attempts is drawn towards `unknown` for the same reason: one failure is no verdict.

use pointsman_sdk::prelude::*;

use crate::incumbent::Incumbent;
use crate::wishes::Sort;

/// What each part weighs, and when scores are equal.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    latency: f64,
    history: f64,
    stake: f64,
    latency_ref_ms: u32,
    unknown: f64,
    load: f64,
    step: f64,
    keep_margin: f64,
}

/// The score.
#[derive(Debug)]
pub(crate) struct Weighted {
    /// Weights are scaled to a sum of one.
    options: Options,
    incumbent: Incumbent,
    latency: Option<Numbers>,
    history: Option<(Numbers, Counts)>,
    stake: Option<Numbers>,
    in_flight: Option<Counts>,
    segment: JobFact,
}

/// How many attempts an unknown history stands for.
const PRIOR: f64 = 4.0;

/// Reference for jobs that are no segments, ms.
const OTHER_REF_MS: f64 = 1000.0;

/// What a score is worth while its orchestrator rests. It only meets others that rest, or an operator who lets them through.
const RESTING: f64 = 0.5;

/// How many times load counts for an application that sorts by throughput.
const THROUGHPUT_LOAD: f64 = 4.0;

/// In-flight attempts beyond this weigh no more.
const MOST_IN_FLIGHT: u64 = 1000;

// === impl Options ===

impl Options {
    pub(crate) fn read(settings: &mut Settings) -> Self {
        Self {
            latency: settings.number("latency", 0.6, 0.0..=1000.0),
            history: settings.number("history", 0.4, 0.0..=1000.0),
            stake: settings.number("stake", 0.0, 0.0..=1000.0),
            latency_ref_ms: settings.count("latency-ref-ms", 0, 0..=600_000),
            unknown: settings.number("unknown", 0.75, 0.0..=1.0),
            load: settings.number("load", 0.05, 0.0..=1.0),
            step: settings.number("step", 0.02, 0.0001..=1.0),
            keep_margin: settings.number("keep-margin", 0.15, 0.0..=1.0),
        }
    }
}

// === impl Weighted ===

impl Weighted {
    pub(crate) fn configure(mut options: Options, incumbent: Incumbent, plan: &mut Plan) -> Self {
        let sum = options.latency + options.history + options.stake;
        if sum > 0.0 {
            options.latency /= sum;
            options.history /= sum;
            options.stake /= sum;
        }
        Self {
            latency: (options.latency > 0.0).then(|| plan.numbers("latency-ms/p50")),
            history: (options.history > 0.0)
                .then(|| (plan.numbers("success-rate"), plan.counts("samples"))),
            stake: (options.stake > 0.0).then(|| plan.numbers("stake")),
            in_flight: (options.load > 0.0).then(|| plan.counts("in-flight")),
            segment: plan.fact("segment-ms"),
            incumbent,
            options,
        }
    }

    /// The score of every row, in [0, 1]. Whoever sorts by latency is judged by that alone; for throughput, load weighs more.
    pub(crate) fn scores(
        &self,
        sort: Option<Sort>,
        job: &Job,
        candidates: &Candidates,
    ) -> Vec<f64> {
        let mut scores = vec![0.0; candidates.len() as usize];
        if sort == Some(Sort::Latency) && self.latency.is_some() {
            self.add_latency(1.0, job, candidates, &mut scores);
        } else {
            self.add_latency(self.options.latency, job, candidates, &mut scores);
            self.add_history(candidates, &mut scores);
            self.add_stake(candidates, &mut scores);
        }
        let load = match sort {
            Some(Sort::Throughput) => THROUGHPUT_LOAD,
            _ => 1.0,
        };
        self.take_off_load(load, candidates, &mut scores);
        self.settle(candidates, &mut scores);
        scores
    }

    fn add_latency(&self, weight: f64, job: &Job, candidates: &Candidates, scores: &mut [f64]) {
        let Some(latency) = self.latency else { return };
        let reference = match self.options.latency_ref_ms {
            0 => job
                .number(self.segment)
                .filter(|&ms| ms > 0.0)
                .unwrap_or(OTHER_REF_MS),
            set => f64::from(set),
        };
        let unknown = self.options.unknown;
        for (score, &ms) in scores.iter_mut().zip(candidates.numbers(latency)) {
            *score += weight
                * if ms >= 0.0 {
                    reference / (reference + ms)
                } else {
                    unknown
                };
        }
    }

    fn add_history(&self, candidates: &Candidates, scores: &mut [f64]) {
        let Some((success, samples)) = self.history else {
            return;
        };
        let (weight, unknown) = (self.options.history, self.options.unknown);
        let history = candidates
            .numbers(success)
            .iter()
            .zip(candidates.counts(samples));
        for (score, (&rate, &samples)) in scores.iter_mut().zip(history) {
            let samples = samples as f64;
            let known = (rate * samples + unknown * PRIOR) / (samples + PRIOR);
            *score += weight * if rate >= 0.0 { known } else { unknown };
        }
    }

    fn add_stake(&self, candidates: &Candidates, scores: &mut [f64]) {
        let Some(stake) = self.stake else { return };
        let stakes = candidates.numbers(stake);
        let largest = stakes.iter().copied().fold(0.0, f64::max);
        if largest > 0.0 && largest.is_finite() {
            let each = self.options.stake / largest;
            for (score, &stake) in scores.iter_mut().zip(stakes) {
                *score += if stake > 0.0 { each * stake } else { 0.0 };
            }
        }
    }

    fn take_off_load(&self, times: f64, candidates: &Candidates, scores: &mut [f64]) {
        let Some(in_flight) = self.in_flight else {
            return;
        };
        for (score, &attempts) in scores.iter_mut().zip(candidates.counts(in_flight)) {
            *score -= times * self.options.load * attempts.min(MOST_IN_FLIGHT) as f64;
        }
    }

    /// Rounds to steps, adds the incumbent's margin, and brings all into [0, 1].
    fn settle(&self, candidates: &Candidates, scores: &mut [f64]) {
        let Options {
            step, keep_margin, ..
        } = self.options;
        // The largest there can be is 1, the margin, and two halves of a step; the rest is room for rounding.
        let (steps, scale) = (1.0 / step, step / (1.0 + keep_margin + 2.0 * step));
        for (score, &rest) in scores.iter_mut().zip(self.incumbent.rests(candidates)) {
            let worth = if rest > 0 { *score * RESTING } else { *score };
            // A cast takes what is below zero to zero.
            *score = f64::from((worth.min(1.0) * steps + 0.5) as u32) * scale;
        }
        if let Some(row) = self.incumbent.kept(candidates) {
            // Half a step more, so that one who is better by exactly the margin does not take part in a draw.
            scores[row as usize] += (keep_margin * steps + 0.5) * scale;
        }
    }
}

#[cfg(test)]
mod tests;
