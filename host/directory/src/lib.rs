//! The live table of all known orchestrators, with their facts and their history.
//!
//! # Contract
//!
//! A decision asks [`Directory::candidates`] and gets every known orchestrator as a row of facts, without waiting and
//! without a network call. What is in the rows is gathered in the background: who there is ([`Sources`]), what they offer
//! (probes, [`Probing`]), and what became of past attempts ([`Directory::begin`]). It is published as immutable, numbered
//! snapshots, kept in SQLite, and the same after a restart.
//!
//! The directory judges nobody but by one column, `fit`: whether an orchestrator *can* do a job. Whether it *should* is for
//! policies, and so is whether it rests after a fault; the directory only holds rests to their rules ([`Rest`]).
//!
//! | module | owns |
//! |---|---|
//! | `source` | static list, webhook, operator's table, a chain's registry, blocklist, leaderboard |
//! | `admission` | whom an orchestrator may claim to be |
//! | `prober` | GetOrchestrator to everyone, in the background |
//! | `facts`, `standing`, `table` | what they answered, and whether they answer |
//! | `history` | outcomes of attempts |
//! | `rest` | rests after faults |
//! | `snapshot`, `past`, `chain`, `fit`, `wishes`, `view` | all of it as columns |
//! | `store`, `saver` | all of it across restarts |
//!
//! # Why background probes and not a question a job
//!
//! go-livepeer dials everyone when a stream starts and takes whoever answers within half a second: a start costs a fan-out, a
//! slow but better orchestrator is never seen, and every stream finds out anew who is bad. One table for the process
//! costs one question a half minute and orchestrator, whatever the number of streams, and the answer to that question is
//! itself an offer: the first session of a job opens without any call ([`Directory::take_offer`]).
//!
//! # Identity
//!
//! Off-chain every orchestrator has the address zero, so an orchestrator is its normalised service URI, and its id the symbol
//! of that ([`identity`]). On a chain that stays so: the account it is paid to is one of its facts, held against the registry
//! (`admission`), since several nodes may work for one account.
#![forbid(unsafe_code)]

mod admission;
mod ask;
mod backoff;
mod chain;
mod clock;
mod core;
mod directory;
mod facts;
mod fit;
mod history;
mod live;
mod orchestrator;
mod past;
mod prober;
mod rest;
mod running;
mod saver;
mod snapshot;
mod source;
mod standing;
mod store;
mod summary;
mod table;
mod terms;
mod view;
mod wishes;

#[cfg(test)]
mod tests;

pub use clock::Clock;
pub use directory::{Directory, Settings, Settled, StartError};
pub use facts::{Facts, Ticket, Unusable};
pub use history::{Fault, Outcome};
pub use orchestrator::Orchestrator;
pub use prober::{Ask, Asking, Probing};
pub use rest::Rest;
pub use running::Running;
pub use snapshot::Snapshot;
pub use source::{
    Blocklist, Entry, FromRegistry, Leaderboard, Listing, Member, Origin, PageError, Place,
    Refused, Registered, Registry, Sources, Told, Verdict, Webhook, WebhookError, Which, identity,
};
pub use standing::Reach;
pub use store::StoreError;
pub use summary::{Summary, WorkSummary};
pub use terms::Terms;
pub use view::{Query, Seen, View};
