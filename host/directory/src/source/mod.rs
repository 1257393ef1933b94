//! Where orchestrators come from, and what is said about them there.
//!
//! # Contract
//!
//! The known orchestrators are the union of four sources, less the operator's blocklist: the static list, the discovery
//! webhook, the operator's table, and the registries of a chain. An orchestrator named by several is one. Where they disagree about
//! its region or a label, the table beats the webhook; nothing a source leaves out erases what another says.
//!
//! # Why a union
//!
//! go-livepeer takes the webhook and then ignores the static list. An operator who gives both wants both, and with a
//! union a webhook that answers `[]` cannot stop the traffic to the orchestrators that he listed himself.

mod body;
mod page;
mod registry;
mod scores;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pointsman_facts::Symbol;
use pointsman_wire::sign::Address;
use pointsman_wire::uri::ServiceUri;
use serde::Serialize;
use tracing::warn;

pub use page::PageError;
pub use registry::{Member, Place, Refused, Registered, Registry, Told, Verdict, Which};
pub use scores::Leaderboard;
pub use webhook::{Webhook, WebhookError};

pub(crate) use page::Page;
pub(crate) use registry::{Roll, Rules};
pub(crate) use scores::{Scores, run as follow_scores};
pub(crate) use webhook::{Poller, run};

/// Most orchestrators that are taken from all sources together.
pub(crate) const MAX_KNOWN: usize = 10_000;

/// What the operator says of one orchestrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its service URI.
    pub uri: ServiceUri,
    /// Its region, as the operator calls it.
    pub region: Option<String>,
    /// Labels; keys are compared in lower case.
    pub labels: BTreeMap<String, String>,
    /// Whether the entry only describes: `true` makes no orchestrator known that no other source names.
    pub only_describes: bool,
}

/// Every source but the webhook's answers and the registry, which come with time.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The static list.
    pub list: Vec<ServiceUri>,
    /// The discovery webhook.
    pub webhook: Option<Webhook>,
    /// The operator's table.
    pub table: Vec<Entry>,
    /// The registries of a chain; `None`: what [`Directory::register`](crate::Directory::register) is told makes nobody known, though
    /// policies may read it.
    pub registry: Option<FromRegistry>,
    /// Orchestrators never to be used, whoever names them.
    pub blocklist: Arc<Blocklist>,
}

/// On which terms registered orchestrators are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FromRegistry {
    /// Whether they may be at private and loopback addresses, as on a chain of one's own.
    pub allow_private: bool,
}

/// Orchestrators never to be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocklist {
    /// By service URI: they are not even asked.
    pub uris: Vec<ServiceUri>,
    /// By the account that they sign with or are paid to.
    pub accounts: BTreeSet<Address>,
}

/// A source, as operators see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The static list.
    List,
    /// The discovery webhook.
    Webhook,
    /// The operator's table.
    Table,
    /// A registry on the chain.
    Chain,
}

/// All that the sources say of one orchestrator.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Listing {
    /// Who names it.
    pub origins: BTreeSet<Origin>,
    /// Its region.
    pub region: Option<String>,
    /// Its labels, keys in lower case.
    pub labels: BTreeMap<String, String>,
    /// The webhook's `score`: a mark of trust (1 trusted, 0 not), no measure of speed.
    pub trust: Option<f32>,
    /// Who has registered it on the chain.
    #[serde(
        skip_serializing_if = "BTreeSet::is_empty",
        serialize_with = "checksummed"
    )]
    pub owners: BTreeSet<Address>,
    /// In which registries.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub registries: BTreeSet<Which>,
}

/// An entry of the webhook's answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Announced {
    pub(crate) uri: ServiceUri,
    pub(crate) trust: Option<f32>,
    pub(crate) region: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// The union of the sources, by identity.
pub(crate) fn merge(
    sources: &Sources,
    announced: &[Announced],
    roll: &Roll,
) -> BTreeMap<Symbol, (ServiceUri, Listing)> {
    let mut known: BTreeMap<Symbol, (ServiceUri, Listing)> = BTreeMap::new();
    let mut name = |uri: &ServiceUri, origin: Origin| {
        if sources.blocklist.uris.contains(uri) {
            return;
        }
        let id = identity(uri);
        if known.len() >= MAX_KNOWN && !known.contains_key(&id) {
            warn!(%uri, "not taken: {MAX_KNOWN} orchestrators are known already");
            return;
        }
        let (taken, listing) = known
            .entry(id)
            .or_insert_with(|| (uri.clone(), Listing::default()));
        if taken != uri {
            warn!(%uri, %taken, "not taken: it differs from another only in case");
            return;
        }
        listing.origins.insert(origin);
    };
    for uri in &sources.list {
        name(uri, Origin::List);
    }
    for entry in sources.table.iter().filter(|entry| !entry.only_describes) {
        name(&entry.uri, Origin::Table);
    }
    for announced in announced {
        name(&announced.uri, Origin::Webhook);
    }
    let registered = || roll.named.iter().filter(|_| sources.registry.is_some());
    for (uri, _) in registered() {
        name(uri, Origin::Chain);
    }
    for (uri, owners) in registered() {
        if let Some(listing) = listing_of(&mut known, uri) {
            listing.owners.extend(owners.iter().map(|(owner, _)| owner));
            listing
                .registries
                .extend(owners.iter().map(|(_, which)| which));
        }
    }
    for entry in announced {
        if let Some(listing) = listing_of(&mut known, &entry.uri) {
            listing.trust = entry.trust.or(listing.trust);
            listing.say(entry.region.as_deref(), &entry.labels);
        }
    }
    for entry in &sources.table {
        if let Some(listing) = listing_of(&mut known, &entry.uri) {
            listing.say(entry.region.as_deref(), &entry.labels);
        }
    }
    known
}

/// The identity of an orchestrator off-chain: its address is zero there, so it is its normalised service URI.
#[must_use]
pub fn identity(uri: &ServiceUri) -> Symbol {
    Symbol::of(uri.as_str())
}

/// As people compare them.
fn checksummed<S: serde::Serializer>(owners: &BTreeSet<Address>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(owners.iter().map(|owner| owner.to_checksum(None)))
}

fn listing_of<'a>(
    known: &'a mut BTreeMap<Symbol, (ServiceUri, Listing)>,
    uri: &ServiceUri,
) -> Option<&'a mut Listing> {
    known
        .get_mut(&identity(uri))
        .filter(|(taken, _)| taken == uri)
        .map(|(_, listing)| listing)
}

// === impl Origin ===

impl Origin {
    /// The name in lists and in the column `source`.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Webhook => "webhook",
            Self::Table => "table",
            Self::Chain => "chain",
        }
    }
}

// === impl Listing ===

impl Listing {
    /// Whether nobody but the registry names it, in which anybody may stand.
    pub(crate) fn is_a_strangers(&self) -> bool {
        self.origins.iter().eq(&[Origin::Chain])
    }

    /// Takes over what is said; what is not said stays.
    fn say(&mut self, region: Option<&str>, labels: &BTreeMap<String, String>) {
        if let Some(region) = region {
            self.region = Some(region.to_owned());
        }
        for (key, value) in labels {
            self.labels.insert(key.to_lowercase(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> ServiceUri {
        text.parse().expect("a service URI")
    }

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        pairs.iter().map(owned).collect()
    }

    fn announced(text: &str) -> Announced {
        Announced {
            uri: uri(text),
            trust: Some(1.0),
            region: Some("fra".into()),
            labels: labels(&[("tier", "silver"), ("gpu", "l4")]),
        }
    }

    fn described(text: &str, only_describes: bool) -> Entry {
        Entry {
            uri: uri(text),
            region: None,
            labels: labels(&[("Tier", "gold")]),
            only_describes,
        }
    }

    #[test]
    fn the_table_beats_the_webhook_and_erases_nothing() {
        let sources = Sources {
            list: vec![uri("https://a:8935")],
            table: vec![described("https://A:8935/", true)],
            ..Sources::default()
        };
        let known = merge(&sources, &[announced("https://a:8935")], &Roll::default());
        let (_, listing) = &known[&identity(&uri("https://a:8935"))];
        assert_eq!(listing.region.as_deref(), Some("fra"));
        assert_eq!(listing.labels, labels(&[("tier", "gold"), ("gpu", "l4")]));
        assert!(listing.origins.iter().eq(&[Origin::List, Origin::Webhook]));
    }

    #[test]
    fn a_table_makes_known_unless_it_only_describes() {
        let sources = Sources {
            table: vec![described("https://a", false), described("https://b", true)],
            ..Sources::default()
        };
        let known = merge(&sources, &[], &Roll::default());
        assert!(known.values().map(|(uri, _)| uri).eq(&[uri("https://a")]));
    }

    #[test]
    fn the_registry_joins_the_others_where_it_is_a_source() {
        let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let roll = Roll {
            named: [
                (
                    uri("https://a"),
                    vec![(one, Which::Service), (two, Which::Ai)],
                ),
                (uri("https://b"), vec![(one, Which::Ai)]),
            ]
            .into(),
            ..Roll::default()
        };
        let sources = |registry| Sources {
            list: vec![uri("https://a")],
            registry,
            ..Sources::default()
        };
        let known = merge(&sources(None), &[], &roll);
        assert!(known.values().map(|(uri, _)| uri).eq(&[uri("https://a")]));
        let known = merge(&sources(Some(FromRegistry::default())), &[], &roll);
        let listing = |host: &str| known[&identity(&uri(host))].1.clone();
        let (a, b) = (listing("https://a"), listing("https://b"));
        assert!(a.origins.iter().eq(&[Origin::List, Origin::Chain]));
        assert!(!a.is_a_strangers() && b.is_a_strangers());
        assert!(a.owners.iter().eq(&[one, two]) && b.owners.iter().eq(&[one]));
        assert!(a.registries.iter().eq(&[Which::Service, Which::Ai]));
    }

    #[test]
    fn the_blocklist_holds_for_every_source() {
        let sources = Sources {
            list: vec![uri("https://a")],
            webhook: None,
            table: vec![described("https://b", false)],
            registry: Some(FromRegistry::default()),
            blocklist: Arc::new(Blocklist {
                uris: ["a", "b", "c", "d"]
                    .map(|host| uri(&format!("https://{host}")))
                    .into(),
                ..Blocklist::default()
            }),
        };
        let roll = Roll {
            named: [(uri("https://d"), Vec::new())].into(),
            ..Roll::default()
        };
        assert!(merge(&sources, &[announced("https://c")], &roll).is_empty());
    }

    #[test]
    fn there_is_an_end_to_what_is_taken() {
        let many: Vec<_> = (0..MAX_KNOWN + 5)
            .map(|i| announced(&format!("https://h{i}")))
            .collect();
        let known = merge(&Sources::default(), &many, &Roll::default());
        assert_eq!(known.len(), MAX_KNOWN);
    }
}
