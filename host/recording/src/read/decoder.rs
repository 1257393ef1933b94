//! Records as decisions again. Every number in a record is checked against what came before it in the file.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::{Column, Symbol, Values};
use pointsman_policy::{AttemptRecord, Fallback, Hedge, Shown};

use super::rows::{Held, Rows};
use super::{Addresses, MAX_COLUMNS, MAX_HELD, MAX_ROWS, MAX_TEXT, MAX_TEXTS, Policy, Recorded};
use crate::column;
use crate::format::{self, Record};
use crate::verdict::{Excluded, Fault, Refusal, Verdict};

/// What a file has said so far.
#[derive(Default)]
pub(super) struct Decoder {
    begun: bool,
    texts: Vec<Arc<str>>,
    /// By text; `None`: a column that this program does not know.
    columns: HashMap<u32, Option<Arc<Column>>>,
    slots: HashMap<(u32, u8), Arc<Values<'static>>>,
    /// Bytes in `slots`.
    held: usize,
    policies: HashMap<u64, Arc<Policy>>,
    addresses: Addresses,
    /// Bytes that came since the last decision.
    fresh: usize,
}

/// What is wrong with a record.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("a record cannot be read: {0}")]
    Form(#[from] rmp_serde::decode::Error),
    #[error("it was written in format {0}, by a later pointsman; this one reads up to format {version}", version = format::VERSION)]
    Later(u32),
    #[error("it does not begin as a recording does")]
    NoBegin,
    #[error("{0} are more than any recorder writes")]
    TooMany(&'static str),
    #[error("a record names {0} that is not there")]
    Missing(&'static str),
    #[error(transparent)]
    Misfit(#[from] column::Misfit),
}

// === impl Decoder ===

impl Decoder {
    /// Takes in one record; a decision comes out when it was one.
    pub(super) fn record(&mut self, bytes: &[u8]) -> Result<Option<Recorded>, Wrong> {
        let record: Record = rmp_serde::from_slice(bytes)?;
        if let Record::Begin(begin) = &record {
            if begin.format > format::VERSION {
                return Err(Wrong::Later(begin.format));
            }
            self.begun = true;
            return Ok(None);
        }
        if !self.begun {
            return Err(Wrong::NoBegin);
        }
        match record {
            Record::Begin(_) => {}
            Record::Text(text) => {
                if self.texts.len() >= MAX_TEXTS || text.len() > MAX_TEXT {
                    return Err(Wrong::TooMany("texts"));
                }
                self.texts.push(text.into());
            }
            Record::Orchestrator(format::Orchestrator { id, address }) => {
                if Arc::strong_count(&self.addresses.0) > 1 {
                    self.fresh += self.addresses.0.len() * 64;
                }
                let addresses = Arc::make_mut(&mut self.addresses.0);
                if addresses.len() >= MAX_ROWS || address.len() > MAX_TEXT {
                    return Err(Wrong::TooMany("orchestrators"));
                }
                addresses.insert(id, address.into());
            }
            Record::Policy(policy) => {
                if self.policies.len() >= MAX_TEXTS {
                    return Err(Wrong::TooMany("generations"));
                }
                let known = Policy {
                    generation: policy.generation,
                    name: policy.name,
                    version: policy.version,
                    digest: policy.digest,
                };
                self.policies.insert(known.generation, Arc::new(known));
            }
            Record::Column(column) => self.column(&column)?,
            Record::Decision(decision) => return self.decision(*decision).map(Some),
        }
        Ok(None)
    }

    fn column(&mut self, change: &format::Column) -> Result<(), Wrong> {
        let name = self.text(change.column)?;
        if self.columns.len() >= MAX_COLUMNS {
            return Err(Wrong::TooMany("columns"));
        }
        let known = self.columns.entry(change.column);
        known.or_insert_with(|| Column::parse(&name).ok().map(Arc::new));
        let values = match change.base {
            None => column::from_whole(change.kind, &change.values)?,
            Some(base) => {
                let base = self.slots.get(&(change.column, base));
                let base = base.ok_or(Wrong::Missing("a version of a column"))?;
                if format::Kind::from(base.kind()) != change.kind {
                    return Err(column::Misfit.into());
                }
                column::apply(base, &change.changed, &change.values)?
            }
        };
        if values.len() > MAX_ROWS {
            return Err(Wrong::TooMany("rows"));
        }
        self.held += column::size(&values);
        self.fresh += column::size(&values);
        let place = (change.column, change.slot);
        if let Some(gone) = self.slots.insert(place, Arc::new(values)) {
            self.held -= column::size(&gone);
        }
        if self.held > MAX_HELD {
            return Err(Wrong::TooMany("the values of all columns"));
        }
        Ok(())
    }

    fn decision(&mut self, decision: format::Decision) -> Result<Recorded, Wrong> {
        let policy = self.policies.get(&decision.generation);
        let policy = policy.ok_or(Wrong::Missing("a generation"))?;
        let candidates = self.rows(&decision)?;
        let order = words::<4>(&decision.order)?
            .map(u32::from_le_bytes)
            .collect::<Vec<_>>();
        let scores = words::<8>(&decision.scores)?
            .map(f64::from_le_bytes)
            .collect::<Vec<_>>();
        let excluded = decision
            .excluded
            .iter()
            .map(|excluded| self.excluded(excluded));
        let excluded = excluded.collect::<Result<Vec<_>, _>>()?;
        let rows = order
            .iter()
            .copied()
            .chain(excluded.iter().map(|excluded| excluded.row));
        if rows.into_iter().any(|row| row >= decision.rows) {
            return Err(Wrong::Missing("a row"));
        }
        let dropped = decision.dropped.iter();
        let dropped = dropped.map(|&(id, reason)| Ok((Symbol(id), self.text(reason)?)));
        let skipped = decision.skipped.iter().map(|&stage| self.text(stage));
        Ok(Recorded {
            id: decision.id,
            policy: Arc::clone(policy),
            unpriced_passes: decision.unpriced_passes,
            took: Duration::from_nanos(decision.took_ns),
            fuel: decision.fuel,
            verdict: Verdict {
                order,
                scores,
                excluded,
                dropped: dropped.collect::<Result<_, Wrong>>()?,
                skipped: skipped.collect::<Result<_, _>>()?,
                hedge: match decision.hedge {
                    0 => Hedge::Adaptive,
                    u32::MAX => Hedge::Never,
                    ms => Hedge::AfterMs(ms),
                },
                refusal: decision.refusal.map(|refusal| Refusal {
                    status: refusal.status,
                    cause: refusal.cause,
                    message: refusal.message,
                    stage: refusal.stage.map(Arc::from),
                }),
                fault: decision.fault.map(|fault| Fault {
                    stage: fault.stage.into(),
                    kind: fault.kind,
                    detail: fault.detail,
                }),
                fallback: decision.fallback.map(|fallback| match fallback {
                    format::Fallback::Native => Fallback::Native,
                    format::Fallback::Previous(number) => Fallback::Previous(number),
                    format::Fallback::Reject => Fallback::Reject,
                }),
            },
            attempts: decision.attempts.into_iter().map(attempt).collect(),
            job: decision.job,
            candidates,
            addresses: self.addresses.clone(),
            fresh: std::mem::take(&mut self.fresh),
        })
    }

    fn rows(&self, decision: &format::Decision) -> Result<Rows, Wrong> {
        let rows = decision.rows as usize;
        if decision.columns.len() > MAX_COLUMNS {
            return Err(Wrong::TooMany("columns"));
        }
        let mut columns = Vec::with_capacity(decision.columns.len());
        for place in &decision.columns {
            let values = self.slots.get(place).ok_or(Wrong::Missing("a column"))?;
            if values.len() != rows {
                return Err(column::Misfit.into());
            }
            // One that this program does not know cannot be asked for either.
            if let Some(Some(column)) = self.columns.get(&place.0)
                && column.kind() == values.kind()
            {
                columns.push(Held {
                    column: Arc::clone(column),
                    values: Arc::clone(values),
                });
            }
        }
        // The rows of a decision without columns are nobody's, and asking about them could cost any amount of memory.
        if columns.is_empty() && rows > 0 {
            return Err(Wrong::Missing("columns"));
        }
        Ok(Rows {
            snapshot: decision.snapshot,
            rows,
            columns,
        })
    }

    fn excluded(&self, excluded: &format::Excluded) -> Result<Excluded, Wrong> {
        let (row, stage, cause, value, column, shown) = *excluded;
        Ok(Excluded {
            row,
            stage: self.text(stage)?,
            cause: self.text(cause)?,
            value,
            column: column.map(|column| self.text(column)).transpose()?,
            shown: match shown {
                format::Shown::Unknown => Shown::Unknown,
                format::Shown::Number(value) => Shown::Number(value),
                format::Shown::Count(value) => Shown::Count(value),
                format::Shown::Mark(value) => Shown::Mark(value),
                format::Shown::Symbol(value) => Shown::Symbol(value),
            },
        })
    }

    fn text(&self, number: u32) -> Result<Arc<str>, Wrong> {
        let text = self.texts.get(number as usize);
        text.cloned().ok_or(Wrong::Missing("a text"))
    }
}

fn attempt(attempt: format::Attempt) -> AttemptRecord {
    AttemptRecord {
        candidate: Symbol(attempt.candidate),
        started_ms: attempt.started_ms,
        elapsed: Duration::from_micros(attempt.elapsed_us),
        hedge: attempt.hedge,
        outcome: match attempt.failure {
            None => Ok(()),
            Some(failure) => Err(failure),
        },
    }
}

fn words<const N: usize>(bytes: &[u8]) -> Result<impl Iterator<Item = [u8; N]>, Wrong> {
    let (words, rest) = bytes.as_chunks::<N>();
    match rest {
        [] => Ok(words.iter().copied()),
        _ => Err(column::Misfit.into()),
    }
}
