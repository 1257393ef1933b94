//! The table itself: every known orchestrator, its listing and its standing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use pointsman_facts::{Failure, Symbol};
use pointsman_transport::Answer;
use pointsman_wire::net::OrchestratorInfo;
use pointsman_wire::sign::Address;
use pointsman_wire::uri::ServiceUri;
use tokio_util::sync::CancellationToken;

use crate::admission::Admission;
use crate::facts::{Facts, is_modest};
use crate::orchestrator::Orchestrator;
use crate::source::{Blocklist, Listing, Roll, Scores};
use crate::standing::{RoundTrip, Standing};
use crate::store::OrchestratorRow;
use crate::terms::Terms;

/// One row.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) orchestrator: Arc<Orchestrator>,
    pub(crate) listing: Arc<Listing>,
    pub(crate) standing: Standing,
    /// Ends its prober.
    cancel: CancellationToken,
}

/// Rows in the order of identities, which is the order of snapshots: the same after a restart.
#[derive(Debug, Default)]
pub(crate) struct Table {
    entries: BTreeMap<Symbol, Entry>,
    /// What is known of orchestrators that no source names now.
    absent: HashMap<Symbol, OrchestratorRow>,
    unsaved: HashSet<Symbol>,
    terms: Option<Terms>,
    blocklist: Arc<Blocklist>,
    /// Who is registered on the chain.
    pub(crate) roll: Arc<Roll>,
    /// What a leaderboard says of them.
    pub(crate) scores: Arc<Scores>,
}

/// What a change of the table means to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Snapshots would show it.
    pub(crate) visible: bool,
    /// The last usable orchestrator is gone.
    pub(crate) none_left: bool,
    /// Probes of this orchestrator failed in a row.
    pub(crate) failures: u32,
}

// === impl Table ===

impl Table {
    /// A table that remembers `rows`, with nobody in it yet.
    pub(crate) fn remembering(
        rows: Vec<OrchestratorRow>,
        terms: Option<Terms>,
        blocklist: Arc<Blocklist>,
    ) -> Self {
        let by_id = |row: OrchestratorRow| (crate::source::identity(&row.uri), row);
        Self {
            absent: rows.into_iter().map(by_id).collect(),
            terms,
            blocklist,
            ..Self::default()
        }
    }

    /// Makes `known` the table's orchestrators. Returns those that are new, each with the token that ends its prober.
    pub(crate) fn replace(
        &mut self,
        known: BTreeMap<Symbol, (ServiceUri, Listing)>,
        now_ms: u64,
        stop: &CancellationToken,
    ) -> Vec<(Arc<Orchestrator>, CancellationToken)> {
        let gone = self.entries.extract_if(.., |id, _| !known.contains_key(id));
        for (id, entry) in gone {
            entry.cancel.cancel();
            self.absent.insert(id, entry.row(now_ms));
            self.unsaved.insert(id);
        }
        let mut new = Vec::new();
        for (id, (uri, listing)) in known {
            if let Some(entry) = self.entries.get_mut(&id) {
                if *entry.listing != listing {
                    entry.list(listing, &self.blocklist);
                }
                continue;
            }
            let mut entry = match self.absent.remove(&id) {
                Some(row) if row.uri == uri => Entry::restored(&row, now_ms, stop),
                _ => Entry::new(uri, stop),
            };
            entry.list(listing, &self.blocklist);
            new.push((Arc::clone(&entry.orchestrator), entry.cancel.clone()));
            self.entries.insert(id, entry);
        }
        self.trim_rests(now_ms);
        new
    }

    /// Takes in the result of a probe.
    pub(crate) fn probed(
        &mut self,
        id: Symbol,
        result: Result<Answer, &Failure>,
        now_ms: u64,
    ) -> Change {
        let terms = self.terms.clone();
        self.change(id, now_ms, |entry| {
            entry.standing.tried = true;
            entry.standing.probed_ms = Some(now_ms);
            match result {
                Ok(answer) => {
                    entry.standing.round_trip = Some(RoundTrip {
                        connect: answer.connect,
                        rpc: answer.rpc,
                    });
                    entry.learn(&answer.info, terms.as_ref(), now_ms);
                    if is_modest(&answer.info) && entry.standing.is_usable() {
                        entry.orchestrator.put_offer(answer.info);
                    }
                }
                Err(failure) => {
                    entry.standing.failed(failure);
                    // Its tokens may have died with it.
                    if failure.is_fault() {
                        entry.orchestrator.drop_offer();
                    }
                }
            }
            let standing = &entry.standing;
            let ms = |trip: RoundTrip| trip.rpc.as_secs_f64() * 1000.0;
            let failures = standing.failures.into();
            entry
                .orchestrator
                .set_probes(standing.round_trip.map_or(f64::NAN, ms), failures);
        })
    }

    /// Takes in what a session was told.
    pub(crate) fn observed(&mut self, id: Symbol, info: &OrchestratorInfo, now_ms: u64) -> Change {
        let terms = self.terms.clone();
        self.change(id, now_ms, |entry| {
            entry.learn(info, terms.as_ref(), now_ms);
        })
    }

    pub(crate) fn get(&self, id: Symbol) -> Option<&Entry> {
        self.entries.get(&id)
    }

    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.values()
    }

    pub(crate) fn usable(&self) -> usize {
        self.entries()
            .filter(|entry| entry.standing.is_usable())
            .count()
    }

    /// Marks `id` as different from what is saved.
    pub(crate) fn touch(&mut self, id: Symbol) {
        self.unsaved.insert(id);
    }

    /// Takes the rows that changed since the last save.
    pub(crate) fn take_unsaved(&mut self, now_ms: u64) -> Vec<OrchestratorRow> {
        let unsaved = std::mem::take(&mut self.unsaved);
        let row = |id: &Symbol| match self.entries.get(id) {
            Some(entry) => Some(entry.row(now_ms)),
            None => self.absent.get(id).cloned(),
        };
        unsaved.iter().filter_map(row).collect()
    }

    /// Forgets orchestrators that no source has named since `before_ms`.
    pub(crate) fn sweep(&mut self, before_ms: u64) {
        self.absent.retain(|_, row| row.seen_ms >= before_ms);
    }

    fn change(&mut self, id: Symbol, now_ms: u64, apply: impl FnOnce(&mut Entry)) -> Change {
        let Some(entry) = self.entries.get_mut(&id) else {
            return Change::default();
        };
        let before = (entry.standing.facts.clone(), entry.standing.reach());
        let was_barred = entry.standing.barred.is_some();
        let was_usable = entry.standing.is_usable();
        apply(entry);
        let standing = &entry.standing;
        let same_facts = match (&before.0, &standing.facts) {
            (Some(before), Some(after)) => Arc::ptr_eq(before, after),
            (before, after) => before.is_none() && after.is_none(),
        };
        let mut change = Change {
            visible: !same_facts
                || before.1 != standing.reach()
                || was_barred != standing.barred.is_some(),
            none_left: false,
            failures: standing.failures,
        };
        if was_usable != standing.is_usable() {
            change.none_left = was_usable && self.usable() == 0;
            self.trim_rests(now_ms);
        }
        self.unsaved.insert(id);
        change
    }
}

// === impl Entry ===

impl Entry {
    fn new(uri: ServiceUri, stop: &CancellationToken) -> Self {
        Self {
            orchestrator: Arc::new(Orchestrator::new(uri, 0)),
            listing: Arc::default(),
            standing: Standing::default(),
            cancel: stop.child_token(),
        }
    }

    fn restored(row: &OrchestratorRow, now_ms: u64, stop: &CancellationToken) -> Self {
        let standing = Standing::restored(row, now_ms);
        let orchestrator = Orchestrator::new(row.uri.clone(), row.rest_ms);
        orchestrator.set_probes(f64::NAN, standing.failures.into());
        Self {
            orchestrator: Arc::new(orchestrator),
            standing,
            ..Self::new(row.uri.clone(), stop)
        }
    }

    /// Takes over what the sources say of it, and judges it anew by that.
    fn list(&mut self, listing: Listing, blocklist: &Arc<Blocklist>) {
        let admission = Admission::of(&self.orchestrator.uri, &listing, blocklist);
        self.standing.admit(&admission);
        if self.standing.barred.is_some() {
            self.orchestrator.drop_offer();
        }
        self.orchestrator.set_admission(admission);
        self.listing = Arc::new(listing);
    }

    /// The account that it wants to be paid to, or has been registered by while it has not answered.
    pub(crate) fn account(&self) -> Option<Address> {
        let facts = self.standing.facts.as_ref();
        let said = facts.and_then(|facts| facts.recipient);
        let mut owners = self.listing.owners.iter().filter(|_| facts.is_none());
        let only = owners.next().filter(|_| owners.next().is_none());
        said.or(only.copied())
    }

    fn learn(&mut self, info: &OrchestratorInfo, terms: Option<&Terms>, now_ms: u64) {
        let facts = Facts::of(info, self.standing.facts.as_deref());
        let facts = facts.unpayable(terms.and_then(|terms| terms.judge(info)));
        self.standing.answered(facts, now_ms);
        self.standing.admit(&self.orchestrator.admission());
    }

    fn row(&self, now_ms: u64) -> OrchestratorRow {
        let standing = &self.standing;
        OrchestratorRow {
            uri: self.orchestrator.uri.clone(),
            seen_ms: now_ms,
            answered_ms: standing.answered_ms,
            failures: standing.failures,
            error: standing.error.clone(),
            info: standing
                .facts
                .as_ref()
                .map(|facts| facts.encoded().to_vec()),
            rest_ms: self.orchestrator.rest_until_ms(),
        }
    }
}
