//! Decisions on disk: recorded, replayed through another bundle, explained.
//!
//! # Contract
//!
//! A [`Recorder`], an [`Observer`] of the policy host, writes every decision of the streams it was told to record, with all that went in and all that came out, once its
//! job has ended. It never holds up a job: a decision that finds the queue full is dropped and counted. A [`Reader`] gives decisions back;
//! [`replay()`] asks any bundle about them again, and with the bundle that decided the answers are the same to the last bit;
//! an [`Explanation`] tells people why a decision came out as it did.
//!
//! # What is recorded
//!
//! The job with every fact there is; the number of the directory's snapshot and the values of *every* column, not only of those
//! somebody asked for, so that a bundle can be replayed that reads what the active one never did; the generation and the digest of its
//! bundle; order, scores, exclusions with their causes and values, hedge delay, refusal, fault and fallback; and the attempts that
//! followed. Not recorded are components, media and secrets.
//!
//! The chain decides over candidates that were kept beforehand ([`Candidates::keep`]), since facts such as `in-flight` change while
//! it decides: what stands in the file is what the policy saw.
//!
//! # Why columns as versions and not snapshots
//!
//! What a decision sees comes from three places that change at their own pace: what orchestrators and sources say (a probe now and then),
//! the history of this kind of work (every attempt), and what is this decision's own (incumbent, in flight, what fits this job). Written
//! as one table, the fastest would drag the others along. So each column has versions of its own: a decision names the version of each
//! column, and a new one is written as the rows in which it differs from another. A thousand candidates of which one has changed cost a
//! hundred bytes. The recorder needs to know nothing of the directory for that: it compares values.
//!
//! # The files
//!
//! `{unix ms}-{serial}.decisions.zst` in one folder. Each is a sequence of zstd frames with checksums (`zstd -dc` reads it), each frame
//! a sequence of records, each record its length (4 bytes, little endian) and a MessagePack value: a map with one entry, whose key says
//! what it is and whose value is a map by field name.
//!
//! | record | meaning |
//! |---|---|
//! | `begin` | first in every file: `format` (1), `program`, `started_ms`, `share` |
//! | `text` | a string; later records name it by its place among the file's texts, from 0 |
//! | `orchestrator` | `id` and `address` |
//! | `policy` | a `generation`, with `name`, `version` and `digest` of its bundle |
//! | `column` | a version: `column` (text), `kind`, `slot` it goes to, `base` slot it differs from (none: whole), rows `changed`, `values` |
//! | `decision` | a decision: `columns` are pairs of text and slot; bytes of `order` and `scores` are 4 and 8 a row |
//!
//! A slot holds what the last record put there, so a reader keeps at most a few versions of a column; every file begins with none and
//! can be read alone. Frames are written with one call each, so a crash leaves whole frames and at most one that is cut off, which a
//! reader leaves out. A reader takes every earlier format, refuses later ones, and caps all that it believes.
//!
//! Within a frame records wait for at most a second; that, and the queue, is what a crash can lose.
//!
//! # Metrics
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `pointsman_recording_decisions_total` | counter | |
//! | `pointsman_recording_bytes_total` | counter | |
//! | `pointsman_recording_dropped_total` | counter | `reason`: `queue`, `disk` |
//!
//! [`Candidates::keep`]: pointsman_facts::Candidates::keep
//! [`Observer`]: pointsman_policy::Observer
#![forbid(unsafe_code)]

mod column;
pub mod explain;
mod format;
mod read;
pub mod replay;
mod sampling;
mod text;
pub mod verdict;
mod write;

pub use explain::{Explanation, Which};
pub use read::{Addresses, Policy, ReadError, Reader, Recorded, Remark, Rows};
pub use replay::{ReplayError, Report, replay};
pub use sampling::Share;
pub use verdict::Verdict;
pub use write::{Bounds, Recorder, Settings};
