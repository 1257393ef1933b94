//! What stands in a file, record by record. See the crate's documentation for how the records lie there.
//!
//! Records are MessagePack maps by field name, so a reader skips fields it does not know and takes defaults for fields that an older
//! writer had not. Numbers that come by the row are byte strings, little endian.

use pointsman_facts::{Failure, Job};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// Version of the format. A reader takes files of its own and of every earlier version.
pub(crate) const VERSION: u32 = 1;

/// One record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Record {
    /// The first of every file.
    Begin(Begin),
    /// A text that later records name by its place among all texts of the file.
    Text(String),
    /// Where an orchestrator is asked.
    Orchestrator(Orchestrator),
    /// A generation that later decisions name.
    Policy(Policy),
    /// New values of a column.
    Column(Column),
    /// A decision and what became of it.
    Decision(Box<Decision>),
}

/// What holds for a whole file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Begin {
    /// [`VERSION`] of the writer.
    pub(crate) format: u32,
    /// Version of the program that wrote it.
    pub(crate) program: String,
    /// When it was begun, unix ms.
    pub(crate) started_ms: u64,
    /// Share of the streams that is recorded.
    pub(crate) share: f64,
}

/// Where an orchestrator is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Orchestrator {
    /// Symbol of its identity.
    pub(crate) id: u64,
    /// Its address.
    pub(crate) address: String,
}

/// A generation.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// Its number in the process that wrote the file.
    pub(crate) generation: u64,
    /// Name of its bundle.
    pub(crate) name: String,
    /// Version of its bundle.
    pub(crate) version: String,
    /// Digest of its bundle, 64 hexadecimal digits.
    pub(crate) digest: String,
}

/// New values of a column, which later decisions name by column and slot.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Column {
    /// Its name, a text.
    pub(crate) column: u32,
    /// What its values are.
    pub(crate) kind: Kind,
    /// Where they are kept; what was there is gone.
    pub(crate) slot: u8,
    /// The slot of the same column that they differ from in `changed` rows; none: all rows are here.
    pub(crate) base: Option<u8>,
    /// The rows that differ, 4 bytes each.
    pub(crate) changed: ByteBuf,
    /// Their values: a byte for a mark, 8 bytes for all else, floats by their bits.
    pub(crate) values: ByteBuf,
}

/// What a column's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Numbers,
    Counts,
    Marks,
    Symbols,
}

/// A decision.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) id: u64,
    pub(crate) job: Job,
    pub(crate) generation: u64,
    /// Number of the directory's snapshot.
    pub(crate) snapshot: u64,
    /// Whether a candidate of unknown price passed under a hard ceiling.
    pub(crate) unpriced_passes: bool,
    /// How many candidates there were.
    pub(crate) rows: u32,
    /// Their columns: text and slot.
    pub(crate) columns: Vec<(u32, u8)>,
    pub(crate) took_ns: u64,
    pub(crate) fuel: u64,
    /// Rows, 4 bytes each.
    pub(crate) order: ByteBuf,
    /// Floats, 8 bytes each, in the order of `order`; none when nobody scored.
    pub(crate) scores: ByteBuf,
    pub(crate) excluded: Vec<Excluded>,
    /// Identity and reason (a text) of candidates the host dropped.
    pub(crate) dropped: Vec<(u64, u32)>,
    /// Stages that were skipped, texts.
    pub(crate) skipped: Vec<u32>,
    /// As in the contract: 0 adaptive, all ones never.
    pub(crate) hedge: u32,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) fault: Option<Fault>,
    pub(crate) fallback: Option<Fallback>,
    pub(crate) attempts: Vec<Attempt>,
}

/// A candidate that a stage took out: row, stage, cause, value, column, what the column held. Stage, cause and column are texts.
pub(crate) type Excluded = (u32, u32, u32, Option<f64>, Option<u32>, Shown);

/// What a column held.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shown {
    Unknown,
    Number(f64),
    Count(u64),
    Mark(bool),
    Symbol(u64),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) cause: String,
    pub(crate) message: String,
    pub(crate) stage: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fault {
    pub(crate) kind: String,
    pub(crate) stage: String,
    pub(crate) detail: String,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fallback {
    Native,
    Previous(u64),
    Reject,
}

/// An attempt: who, when, how long, whether a second copy, and why it was no good.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) candidate: u64,
    pub(crate) started_ms: u64,
    pub(crate) elapsed_us: u64,
    pub(crate) hedge: bool,
    pub(crate) failure: Option<Failure>,
}
