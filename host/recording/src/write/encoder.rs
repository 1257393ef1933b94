//! Decisions as the records of one file.

use std::collections::{HashMap, HashSet};

use pointsman_facts::column::TABLE;
use pointsman_facts::failure::Class;
use pointsman_facts::{Column, Job, Kept, Values};
use pointsman_policy::{AttemptRecord, Decision, Fallback, Generation, Hedge, Observed, Shown};
use serde::Serialize;
use serde_bytes::ByteBuf;

use super::versions::Versions;
use crate::format::{self, Record};

/// Texts after which a file has enough: a reader holds them all.
const MAX_TEXTS: usize = crate::read::MAX_TEXTS / 2;

/// Turns decisions into records; what it wrote before in the same file it does not write again.
pub(crate) struct Encoder {
    out: Vec<u8>,
    texts: HashMap<String, u32>,
    orchestrators: HashSet<u64>,
    generations: HashSet<u64>,
    columns: Vec<Tracked>,
    labels: HashMap<String, usize>,
}

/// A column, its name in the file, and its versions.
struct Tracked {
    column: Column,
    text: u32,
    versions: Versions,
}

// === impl Encoder ===

impl Encoder {
    pub(crate) fn new(begin: format::Begin) -> Self {
        let mut encoder = Self {
            out: Vec::new(),
            texts: HashMap::new(),
            orchestrators: HashSet::new(),
            generations: HashSet::new(),
            columns: Vec::new(),
            labels: HashMap::new(),
        };
        encoder.put(&Record::Begin(begin));
        for column in fixed() {
            encoder.track(column);
        }
        encoder
    }

    /// What was written since it was last asked.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Bytes that wait to be taken.
    pub(crate) fn waiting(&self) -> usize {
        self.out.len()
    }

    /// Whether the file has as many names as a file should have.
    pub(crate) fn is_full(&self) -> bool {
        self.texts.len() >= MAX_TEXTS || self.columns.len() >= crate::read::MAX_COLUMNS / 2
    }

    /// Writes one decision, and first whatever it refers to.
    pub(crate) fn decision(&mut self, observed: &Observed) {
        let Observed {
            job,
            candidates,
            generation,
            decision,
            unpriced_passes,
        } = observed;
        let Ok(rows) = u32::try_from(candidates.rows()) else {
            return;
        };
        self.policy(generation);
        let columns = self.columns(&**candidates);
        let record = format::Decision {
            id: decision.id,
            job: Job::clone(job),
            generation: generation.number(),
            snapshot: decision.snapshot,
            unpriced_passes: *unpriced_passes,
            rows,
            columns,
            took_ns: u64::try_from(decision.took.as_nanos()).unwrap_or(u64::MAX),
            fuel: decision.fuel,
            order: bytes(decision.order().iter().map(|row| row.to_le_bytes())),
            scores: bytes(
                (0..decision.order().len())
                    .filter_map(|place| decision.score(place))
                    .map(f64::to_le_bytes),
            ),
            excluded: self.excluded(decision),
            dropped: decision
                .host_drops()
                .map(|(id, reason)| (id.0, self.text(reason.name())))
                .collect(),
            skipped: decision.skipped().map(|stage| self.text(stage)).collect(),
            hedge: match decision.hedge {
                Hedge::Adaptive => 0,
                Hedge::AfterMs(ms) => ms,
                Hedge::Never => u32::MAX,
            },
            refusal: decision.refusal.as_ref().map(|refusal| format::Refusal {
                status: refusal.status,
                cause: refusal.cause.clone(),
                message: refusal.message.clone(),
                stage: refusal.stage.as_deref().map(str::to_owned),
            }),
            fault: decision.fault.as_ref().map(|fault| format::Fault {
                kind: fault.kind.to_string(),
                stage: fault.stage.to_string(),
                detail: fault.detail.clone(),
            }),
            fallback: decision.fallback.map(|fallback| match fallback {
                Fallback::Native => format::Fallback::Native,
                Fallback::Previous(number) => format::Fallback::Previous(number),
                Fallback::Reject => format::Fallback::Reject,
            }),
            attempts: decision.attempts().into_iter().map(attempt).collect(),
        };
        self.put(&Record::Decision(Box::new(record)));
    }

    fn policy(&mut self, generation: &Generation) {
        if self.generations.insert(generation.number()) {
            self.put(&Record::Policy(format::Policy {
                generation: generation.number(),
                name: generation.name().to_owned(),
                version: generation.version().to_owned(),
                digest: generation.digest().to_string(),
            }));
        }
    }

    /// Every column there is, whether anybody asked for it or not.
    fn columns(&mut self, candidates: &dyn Kept) -> Vec<(u32, u8)> {
        for key in candidates.labels() {
            if !self.labels.contains_key(&key) {
                let place = self.track(Column::Label(key.clone()));
                self.labels.insert(key, place);
            }
        }
        let mut held = Vec::with_capacity(self.columns.len());
        for place in 0..self.columns.len() {
            let Tracked {
                column,
                text,
                versions,
            } = &mut self.columns[place];
            let values = candidates.values(column);
            if values.len() != candidates.rows() {
                continue;
            }
            let (slot, change) = versions.slot(&values);
            held.push((*text, slot));
            let Some(change) = change else {
                continue;
            };
            let record = Record::Column(format::Column {
                column: *text,
                kind: values.kind().into(),
                slot,
                base: change.base,
                changed: ByteBuf::from(change.delta.changed),
                values: ByteBuf::from(change.delta.values),
            });
            let ids = (*column == Column::Id).then(|| candidates.values(&Column::Id));
            self.put(&record);
            if let Some(Values::Symbols(ids)) = ids {
                self.introduce(&ids, candidates);
            }
        }
        held
    }

    fn introduce(&mut self, ids: &[u64], candidates: &dyn Kept) {
        for (row, &id) in ids.iter().enumerate() {
            if self.orchestrators.insert(id)
                && let Some(address) = candidates.address(row)
            {
                self.put(&Record::Orchestrator(format::Orchestrator { id, address }));
            }
        }
    }

    fn excluded(&mut self, decision: &Decision) -> Vec<format::Excluded> {
        decision
            .exclusions()
            .map(|exclusion| {
                let column = exclusion.column.map(|column| self.text(column));
                let (stage, cause) = (self.text(exclusion.stage), self.text(exclusion.cause));
                let shown = match exclusion.shown {
                    Shown::Unknown => format::Shown::Unknown,
                    Shown::Number(value) => format::Shown::Number(value),
                    Shown::Count(value) => format::Shown::Count(value),
                    Shown::Mark(value) => format::Shown::Mark(value),
                    Shown::Symbol(value) => format::Shown::Symbol(value),
                };
                (exclusion.row, stage, cause, exclusion.value, column, shown)
            })
            .collect()
    }

    fn track(&mut self, column: Column) -> usize {
        let text = self.text(&column.to_string());
        self.columns.push(Tracked {
            column,
            text,
            versions: Versions::default(),
        });
        self.columns.len() - 1
    }

    /// The number of `text` in this file.
    fn text(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.texts.get(text) {
            return number;
        }
        let number = u32::try_from(self.texts.len()).expect("files end long before");
        self.texts.insert(text.to_owned(), number);
        self.put(&Record::Text(text.to_owned()));
        number
    }

    /// A record: its length, 4 bytes, and itself.
    fn put(&mut self, record: &Record) {
        let start = self.out.len();
        self.out.extend([0; 4]);
        let mut serializer = rmp_serde::Serializer::new(&mut self.out).with_struct_map();
        record
            .serialize(&mut serializer)
            .expect("memory takes whatever is written, and every type is MessagePack's");
        let length =
            u32::try_from(self.out.len() - start - 4).expect("a record is far below 4 GiB");
        self.out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }
}

/// Every column that candidates have, without labels. The chain's own are made anew by whoever asks again.
fn fixed() -> Vec<Column> {
    let names = TABLE.iter().flat_map(|entry| match entry.name {
        "label/<key>" => Vec::new(),
        "error-rate/<class>" => Class::ALL.map(Column::ErrorRate).to_vec(),
        name => Column::parse(name).into_iter().collect(),
    });
    names.filter(|column| !column.is_made_by_chain()).collect()
}

fn attempt(attempt: AttemptRecord) -> format::Attempt {
    format::Attempt {
        candidate: attempt.candidate.0,
        started_ms: attempt.started_ms,
        elapsed_us: u64::try_from(attempt.elapsed.as_micros()).unwrap_or(u64::MAX),
        hedge: attempt.hedge,
        failure: attempt.outcome.err(),
    }
}

fn bytes<const N: usize>(values: impl Iterator<Item = [u8; N]>) -> ByteBuf {
    ByteBuf::from(values.flatten().collect::<Vec<u8>>())
}
