//! How the stages' verdicts become one order.
//!
//! # Contract
//!
//! Verdicts come from strangers: every index, length and score is checked before it is used, and a wrong one is a fault
//! that leaves the merge unusable. What holds is `wit/README.md`, in short: exclusions drop rows; scores add up,
//! weighted, until a stage orders; an order replaces what was there and drops the rows it does not list; a stage that would drop
//! everybody fails the job or is skipped. Ties keep the order the rows came in, which the seed shuffled.

use std::iter::repeat_n;

use crate::bundle::OnEmpty;
use crate::chain::Hedge;
use crate::fault::{Cause, FaultKind, plain};
use crate::limits::Limits;
use crate::wit::{Exclusion, Refusal, Verdict};

/// What is known of the candidates between two stages.
#[derive(Debug)]
pub(crate) struct Merge {
    /// Rows of the candidates that are left, in the order known so far.
    pub(crate) rows: Vec<u32>,
    /// The weighted scores of `rows`.
    pub(crate) sums: Vec<f64>,
    pub(crate) scored: bool,
    pub(crate) ordered: bool,
    pub(crate) hedge: Hedge,
    pub(crate) excluded: Vec<Excluded>,
    /// Stages that would have dropped everybody and were skipped.
    pub(crate) relaxed: Vec<u16>,
    /// What the verdict at hand says of each position.
    flags: Vec<u8>,
}

/// A candidate that a stage took out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Excluded {
    /// Its row among the candidates.
    pub(crate) row: u32,
    /// The stage's place in the chain.
    pub(crate) stage: u16,
    /// Its place in the stage's causes, or [`UNLISTED`].
    pub(crate) reason: u16,
    /// The number the policy gave; NaN none.
    pub(crate) value: f64,
    /// The value of the cause's column.
    pub(crate) shown: u64,
}

/// Buffers for sorting.
#[derive(Debug, Default)]
pub(crate) struct Sorting {
    /// The bits of a sum, inverted, and its position.
    keys: Vec<(u64, u32)>,
    rows: Vec<u32>,
}

/// The reason of rows that an order neither lists nor excludes.
pub(crate) const UNLISTED: u16 = u16::MAX;

/// What a stage is, as far as merging goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) stage: u16,
    pub(crate) weight: f64,
    pub(crate) on_empty: OnEmpty,
    /// How many causes it has.
    pub(crate) causes: usize,
}

/// What a verdict did.
#[derive(Debug)]
pub(crate) enum Step {
    /// The rows are the same, in the same order.
    Same,
    /// Rows went or moved.
    Changed,
    /// Nobody is left.
    Empty,
    /// The stage refuses the job.
    Refused(Refusal),
}

/// Rows from which on a stable sort is the quicker one: scores are mostly rounded, so many are equal, and it takes equals together.
const MANY: usize = 256;

const OUT: u8 = 1;
const LISTED: u8 = 2;

// === impl Merge ===

impl Merge {
    /// Begins with `rows`, in the order that ties keep.
    pub(crate) fn new(rows: Vec<u32>) -> Self {
        Self {
            // Not `vec!`, which would ask for memory that is zero already: that takes the allocator's slow way.
            sums: repeat_n(0.0, rows.len()).collect(),
            rows,
            scored: false,
            ordered: false,
            hedge: Hedge::Adaptive,
            excluded: Vec::new(),
            relaxed: Vec::new(),
            flags: Vec::new(),
        }
    }

    /// Takes in the verdict of one stage over all rows. `shown` gives the value to keep for a reason and a position.
    pub(crate) fn apply(
        &mut self,
        rules: &Rules,
        verdict: Verdict,
        shown: impl Fn(u16, usize) -> u64,
    ) -> Result<Step, Cause> {
        match verdict {
            Verdict::Abstain => Ok(Step::Same),
            Verdict::Hedge(ms) => {
                self.hedge = Hedge::from_ms(ms);
                Ok(Step::Same)
            }
            Verdict::Reject(refusal) => checked(refusal, rules.causes).map(Step::Refused),
            Verdict::Exclude(excluded) => {
                let before = self.mark(rules, &excluded, &shown)?;
                Ok(self.drop_marked(rules, before, excluded.len()))
            }
            Verdict::Score(scoring) => {
                let before = self.mark(rules, &scoring.excluded, &shown)?;
                self.check_scores(&scoring.scores)?;
                // A stage that is skipped has said nothing: neither who goes nor how good the others are.
                let skipped = scoring.excluded.len() == self.rows.len();
                if !self.ordered && !skipped {
                    let added = self.sums.iter_mut().zip(&scoring.scores);
                    added.for_each(|(sum, score)| *sum += rules.weight * score);
                    self.scored = true;
                }
                Ok(self.drop_marked(rules, before, scoring.excluded.len()))
            }
            Verdict::Order(ranking) => {
                let before = self.mark(rules, &ranking.excluded, &shown)?;
                self.reorder(rules, before, &ranking.order)
            }
        }
    }

    /// Checks and flags what a verdict excludes. Returns how many exclusions there were before.
    fn mark(
        &mut self,
        rules: &Rules,
        excluded: &[Exclusion],
        shown: impl Fn(u16, usize) -> u64,
    ) -> Result<usize, Cause> {
        let before = self.excluded.len();
        let count = self.rows.len();
        at_most(excluded.len(), count, "exclusions")?;
        self.flags.clear();
        self.flags.resize(count, 0);
        self.excluded.reserve(excluded.len());
        for exclusion in excluded {
            let position = exclusion.row as usize;
            let flag = self.flags.get_mut(position);
            let flag = flag.ok_or_else(|| bad_row(exclusion.row, count))?;
            if *flag & OUT != 0 {
                return Err(twice(exclusion.row));
            }
            known_reason(exclusion.reason, rules.causes)?;
            *flag |= OUT;
            self.excluded.push(Excluded {
                row: self.rows[position],
                stage: rules.stage,
                reason: exclusion.reason,
                value: exclusion.value,
                shown: shown(exclusion.reason, position),
            });
        }
        Ok(before)
    }

    fn check_scores(&self, scores: &[f64]) -> Result<(), Cause> {
        let count = self.rows.len();
        if scores.len() != count {
            let detail = format!("{} scores for {count} rows", scores.len());
            return Err(Cause::new(FaultKind::WrongLength, detail));
        }
        for (row, (score, flag)) in scores.iter().zip(&self.flags).enumerate() {
            if flag & OUT != 0 || (0.0..=1.0).contains(score) {
                continue;
            }
            let kind = if score.is_nan() {
                FaultKind::NanScore
            } else {
                FaultKind::ScoreRange
            };
            return Err(Cause::new(
                kind,
                format!("the score of row {row} is {score}"),
            ));
        }
        Ok(())
    }

    /// Drops the rows that are flagged out, of which there are `out`.
    fn drop_marked(&mut self, rules: &Rules, before: usize, out: usize) -> Step {
        if out == 0 {
            return Step::Same;
        }
        if out == self.rows.len() {
            return self.emptied(rules, before);
        }
        // Without a branch: who is out is as random as the shuffle.
        let mut kept = 0;
        for position in 0..self.rows.len() {
            self.rows[kept] = self.rows[position];
            self.sums[kept] = self.sums[position];
            kept += usize::from(self.flags[position] & OUT == 0);
        }
        self.rows.truncate(kept);
        self.sums.truncate(kept);
        Step::Changed
    }

    fn reorder(&mut self, rules: &Rules, before: usize, order: &[u32]) -> Result<Step, Cause> {
        let count = self.rows.len();
        at_most(order.len(), count, "rows in its order")?;
        let (mut rows, mut sums) = (
            Vec::with_capacity(order.len()),
            Vec::with_capacity(order.len()),
        );
        for &row in order {
            let position = row as usize;
            let flag = self.flags.get_mut(position);
            let flag = flag.ok_or_else(|| bad_row(row, count))?;
            if *flag & LISTED != 0 {
                return Err(twice(row));
            }
            *flag |= LISTED;
            if *flag & OUT == 0 {
                rows.push(self.rows[position]);
                sums.push(self.sums[position]);
            }
        }
        if rows.is_empty() {
            return Ok(self.emptied(rules, before));
        }
        let unlisted = self.rows.iter().zip(&self.flags);
        let unlisted = unlisted.filter(|(_, flag)| **flag == 0);
        self.excluded.extend(unlisted.map(|(&row, _)| Excluded {
            row,
            stage: rules.stage,
            reason: UNLISTED,
            value: f64::NAN,
            shown: 0,
        }));
        self.rows = rows;
        self.sums = sums;
        self.ordered = true;
        Ok(Step::Changed)
    }

    /// A stage drops everybody.
    fn emptied(&mut self, rules: &Rules, before: usize) -> Step {
        match rules.on_empty {
            OnEmpty::Skip => {
                self.excluded.truncate(before);
                self.relaxed.push(rules.stage);
                Step::Same
            }
            OnEmpty::Fail => Step::Empty,
        }
    }

    /// Puts the rows in their final order: by score, unless somebody ordered.
    pub(crate) fn settle(&mut self, sorting: &mut Sorting) {
        if self.ordered || !self.scored {
            return;
        }
        let Sorting { keys, rows } = sorting;
        keys.clear();
        // Sums are never negative, so their bits order as they do.
        let places = (0u32..).zip(&self.sums);
        keys.extend(places.map(|(place, sum)| (!sum.to_bits(), place)));
        if keys.len() > MANY {
            keys.sort_by_key(|&(sum, _)| sum);
        } else {
            // The position makes it stable.
            keys.sort_unstable();
        }
        rows.clone_from(&self.rows);
        let target = self.rows.iter_mut().zip(&mut self.sums);
        for ((row, sum), &(key, place)) in target.zip(&*keys) {
            *row = rows[place as usize];
            *sum = f64::from_bits(!key);
        }
    }
}

/// A refusal that can be shown to an application.
pub(crate) fn checked(mut refusal: Refusal, causes: usize) -> Result<Refusal, Cause> {
    known_reason(refusal.reason, causes)?;
    if !(400..=599).contains(&refusal.status) {
        refusal.status = 503;
    }
    refusal.message = plain(refusal.message, Limits::MAX_STRING);
    Ok(refusal)
}

fn at_most(found: usize, most: usize, what: &str) -> Result<(), Cause> {
    if found > most {
        let detail = format!("{found} {what}, there are {most} rows");
        return Err(Cause::new(FaultKind::WrongLength, detail));
    }
    Ok(())
}

fn known_reason(reason: u16, causes: usize) -> Result<(), Cause> {
    if usize::from(reason) >= causes {
        let detail = format!("reason {reason}, its plan has {causes} causes");
        return Err(Cause::new(FaultKind::BadIndex, detail));
    }
    Ok(())
}

pub(crate) fn bad_row(row: u32, count: usize) -> Cause {
    Cause::new(FaultKind::BadIndex, format!("row {row} of {count}"))
}

fn twice(row: u32) -> Cause {
    Cause::new(FaultKind::DuplicateRow, format!("row {row} is there twice"))
}

#[cfg(test)]
mod tests;
