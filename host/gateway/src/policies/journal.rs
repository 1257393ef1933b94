//! The last things that policies wrote and that happened to them, for `pointsman policy log`.
//!
//! # Contract
//!
//! Every event of the log that is about policies, of [`Level::INFO`] and above and whatever `--log` lets through, is kept here as well, up
//! to [`KEEP`] of them. There is one journal a process, as there is one log.

use std::collections::VecDeque;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Entries kept.
const KEEP: usize = 1024;
/// Longest text kept of an entry, in bytes; a policy's own messages are shorter.
const MAX_TEXT: usize = 2048;
/// The targets of what policies write, of what their host says of them, and of what the gateway does with them.
const TARGETS: [&str; 3] = ["policy", "pointsman_policy", "pointsman::policies"];

static JOURNAL: Mutex<Entries> = Mutex::new(Entries {
    last: 0,
    kept: VecDeque::new(),
});

/// One entry.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Counts from 1 for as long as the process lives.
    pub number: u64,
    /// When, unix ms.
    pub at_ms: u64,
    /// `error`, `warn` or `info`.
    pub level: String,
    /// Whether a policy wrote it; the host or the gateway otherwise.
    pub by_policy: bool,
    /// In words.
    pub message: String,
    /// What else belongs to it: the stage, the generation.
    pub fields: Map<String, Value>,
}

struct Entries {
    last: u64,
    kept: VecDeque<Entry>,
}

/// Keeps what is about policies.
#[derive(Debug)]
pub struct Journal;

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Map<String, Value>,
}

/// The entries after number `after`, oldest first, at most the newest `limit` of them.
#[must_use]
pub fn entries(after: u64, limit: usize) -> Vec<Entry> {
    let journal = JOURNAL.lock();
    let newer = journal.kept.iter().filter(|entry| entry.number > after);
    let skip = newer.clone().count().saturating_sub(limit);
    newer.skip(skip).cloned().collect()
}

// === impl Journal ===

impl Journal {
    /// The layer of the log that keeps the journal.
    pub fn layer<S>() -> impl Layer<S> + Send + Sync
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let filter: FilterFn<fn(&Metadata<'_>) -> bool> = filter_fn(is_meant);
        Self.with_filter(filter)
    }
}

fn is_meant(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let within = |name: &&str| {
        let rest = target.strip_prefix(*name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    *metadata.level() <= Level::INFO && metadata.is_event() && TARGETS.iter().any(within)
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        let metadata = event.metadata();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        let mut journal = JOURNAL.lock();
        journal.last += 1;
        let entry = Entry {
            number: journal.last,
            at_ms: now,
            level: metadata.level().to_string().to_lowercase(),
            by_policy: metadata.target() == "policy",
            message: said.message,
            fields: said.fields,
        };
        if journal.kept.len() == KEEP {
            journal.kept.pop_front();
        }
        journal.kept.push_back(entry);
    }
}

// === impl Said ===

impl Said {
    fn say(&mut self, field: &Field, mut text: String) {
        if let Some((end, _)) = text.char_indices().find(|(at, _)| *at >= MAX_TEXT) {
            text.truncate(end);
        }
        match field.name() {
            "message" => self.message = text,
            name => drop(self.fields.insert(name.to_owned(), text.into())),
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.say(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.say(field, value.to_owned());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.insert(field.name().to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn what_is_about_policies_is_kept_and_nothing_else() {
        let log = tracing_subscriber::registry().with(Journal::layer());
        let before = entries(0, usize::MAX)
            .last()
            .map_or(0, |entry| entry.number);
        tracing::subscriber::with_default(log, || {
            tracing::info!(target: "policy", stage = "rank", "hello");
            tracing::debug!(target: "policy", "too fine");
            tracing::error!(target: "policyholder", "another");
            tracing::warn!(target: "pointsman_policy::host", generation = 7_u64, "quarantined");
        });
        let kept = entries(before, usize::MAX);
        let ours = |text: &str| kept.iter().find(|entry| entry.message == text);
        let hello = ours("hello").expect("kept");
        assert_eq!((hello.by_policy, hello.level.as_str()), (true, "info"));
        assert_eq!(hello.fields["stage"], "rank");
        let quarantined = ours("quarantined").expect("kept");
        assert_eq!(quarantined.fields["generation"], 7);
        assert!(ours("too fine").is_none() && ours("another").is_none());
        assert_eq!(
            entries(quarantined.number - 1, 1)[0].number,
            quarantined.number
        );
    }
}
