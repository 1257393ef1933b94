//! Orchestrators that are registered on a chain.
//!
//! # Contract
//!
//! Whoever has stake may register any text as his service URI, so that each is judged before anybody connects to it: what is around
//! the URI is trimmed, `https` is assumed where no scheme is given, and of the rest only scheme, host and port are kept. What is too
//! long, malformed, in cleartext, or within the network that the gateway stands in is refused, with the reason ([`Refused`]). Names
//! are looked at again when they are resolved: see `pointsman-transport`.
//!
//! Only members of the active set are named, since nobody else can redeem what it is paid. One URI that several have registered is
//! one orchestrator, and any of them may be the one that it asks to be paid to.

mod entry;

use std::collections::{BTreeMap, HashMap};

use pointsman_wire::sign::Address;
use pointsman_wire::uri::ServiceUri;
use serde::Serialize;

use entry::judge;

pub use entry::{Refused, Told};

pub(crate) use entry::Rules;

/// What a chain says of orchestrators, as of one reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    /// The round it is of.
    pub round: u64,
    /// Everybody registered.
    pub members: Vec<Member>,
}

/// One registered orchestrator.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its account, which tickets are paid to.
    pub address: Address,
    /// Whether it is in the active set of this round.
    pub active: bool,
    /// Its first round in the active set.
    pub activation_round: u64,
    /// LPT, its delegators' included.
    pub stake: f64,
    /// Share of rewards that it keeps, 0 to 1.
    pub reward_cut: f64,
    /// Share of fees that it passes on, 0 to 1.
    pub fee_share: f64,
    /// What it has registered, by registry.
    pub entries: Vec<(Which, Told)>,
}

/// A registry of service URIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// Everybody's.
    Service,
    /// For AI jobs.
    Ai,
}

/// What the registry comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Roll {
    pub(crate) round: u64,
    /// Who may be connected to, and who registered him where.
    pub(crate) named: BTreeMap<ServiceUri, Vec<(Address, Which)>>,
    /// In the order of the registry, which is by stake.
    pub(crate) registered: Vec<Registered>,
    pub(crate) places: HashMap<Address, Place>,
}

/// A registered orchestrator, as the admin API shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Registered {
    /// Its account.
    #[serde(serialize_with = "checksummed")]
    pub address: Address,
    /// Its place.
    #[serde(flatten)]
    pub place: Place,
    /// What it has registered.
    pub entries: Vec<Verdict>,
    /// Why it is no candidate; `None`: it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Whether that is worth a line in the log: not to be active or to have no URI is no fault.
    #[serde(skip)]
    pub(crate) odd: bool,
}

/// What became of one entry of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Where it stands.
    pub registry: Which,
    /// The URI that is connected to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<ServiceUri>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What policies may know of a registered orchestrator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Place {
    /// Whether it is in the active set of this round.
    pub active: bool,
    /// LPT.
    pub stake: f64,
    /// Place among the active by stake, the first is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u64>,
    /// 0 to 1.
    pub reward_cut: f64,
    /// 0 to 1.
    pub fee_share: f64,
    /// Rounds in the active set; 0 is the first.
    pub rounds_active: u64,
}

fn checksummed<S: serde::Serializer>(address: &Address, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&address.to_checksum(None))
}

// === impl Roll ===

impl Roll {
    pub(crate) fn of(registry: &Registry, rules: &Rules<'_>) -> Self {
        let mut roll = Self {
            round: registry.round,
            ..Self::default()
        };
        let mut stakes: Vec<f64> = registry
            .members
            .iter()
            .filter(|one| one.active)
            .map(|one| one.stake)
            .collect();
        stakes.sort_by(|a, b| b.total_cmp(a));
        for member in &registry.members {
            let above = stakes.partition_point(|stake| *stake > member.stake);
            let place = Place {
                active: member.active,
                stake: member.stake,
                rank: member.active.then_some(above as u64),
                reward_cut: member.reward_cut,
                fee_share: member.fee_share,
                rounds_active: registry.round.saturating_sub(member.activation_round),
            };
            roll.places.insert(member.address, place);
            let registered = roll.enrol(member, place, rules);
            roll.registered.push(registered);
        }
        roll
    }

    fn enrol(&mut self, member: &Member, place: Place, rules: &Rules<'_>) -> Registered {
        let barred = match member {
            one if rules.blocklist.accounts.contains(&one.address) => Some(Refused::BlockedAccount),
            one if !one.active => Some(Refused::Inactive(self.round)),
            _ => None,
        };
        let mut first = None;
        let mut entries = Vec::new();
        for (which, told) in &member.entries {
            let judged = judge(told, rules);
            if let (Ok(uri), None) = (&judged, &barred) {
                let owners = self.named.entry(uri.clone()).or_default();
                owners.push((member.address, *which));
            }
            let (uri, why) = match judged {
                Ok(uri) => (Some(uri), None),
                Err(why) => (None, Some(why)),
            };
            entries.push(Verdict {
                registry: *which,
                uri,
                refused: why.as_ref().map(ToString::to_string),
            });
            // What is wrong with one registry's entry says more than that another has none.
            if let Some(why) = why
                && first.as_ref().is_none_or(|first| *first == Refused::Unset)
            {
                first = Some(why);
            }
        }
        let unreachable = entries.iter().all(|entry| entry.uri.is_none());
        let why = barred
            .or(first.filter(|_| unreachable))
            .or(entries.is_empty().then_some(Refused::Unset));
        Registered {
            address: member.address,
            place,
            entries,
            odd: why.as_ref().is_some_and(|why| {
                !matches!(
                    why,
                    Refused::Inactive(_) | Refused::Unset | Refused::BlockedAccount
                )
            }),
            refused: why.map(|why| why.to_string()),
        }
    }

    /// What is known of an account, if it is registered.
    pub(crate) fn place(&self, account: Address) -> Option<Place> {
        self.places.get(&account).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Blocklist;

    fn rules(blocklist: &Blocklist) -> Rules<'_> {
        Rules {
            allow_private: false,
            blocklist,
        }
    }

    fn member(number: u8, stake: f64, text: &str) -> Member {
        Member {
            address: Address::repeat_byte(number),
            active: true,
            activation_round: 7,
            stake,
            reward_cut: 0.1,
            fee_share: 0.5,
            entries: vec![
                (Which::Service, Told::Text(text.to_owned())),
                (Which::Ai, Told::Unset),
            ],
        }
    }

    #[test]
    fn those_who_share_a_uri_are_one_and_each_keeps_its_place() {
        let registry = Registry {
            round: 10,
            members: vec![
                member(1, 9.0, "https://a:8935"),
                member(2, 5.0, "a:8935 "),
                Member {
                    active: false,
                    ..member(3, 7.0, "https://b:8935")
                },
                member(4, 1.0, "ftp://c"),
            ],
        };
        let roll = Roll::of(&registry, &rules(&Blocklist::default()));
        let a: ServiceUri = "https://a:8935".parse().expect("a URI");
        let owners = [1, 2].map(|number| (Address::repeat_byte(number), Which::Service));
        assert_eq!(roll.named, BTreeMap::from([(a, owners.to_vec())]));
        let place = |number| {
            roll.place(Address::repeat_byte(number))
                .expect("registered")
        };
        assert_eq!(
            (place(1).rank, place(2).rank, place(3).rank),
            (Some(0), Some(1), None)
        );
        assert_eq!(place(2).rounds_active, 3);
        let why = |at: usize| roll.registered[at].refused.clone().unwrap_or_default();
        assert_eq!(why(0), "");
        assert!(why(2).contains("active set of round 10"), "{}", why(2));
        assert!(why(3).contains("ftp"), "{}", why(3));
        assert!(roll.registered[3].odd && !roll.registered[2].odd);
    }

    #[test]
    fn the_blocklist_knows_accounts_and_uris() {
        let blocklist = Blocklist {
            uris: vec!["https://a:8935".parse().expect("a URI")],
            accounts: [Address::repeat_byte(2)].into(),
        };
        let members = vec![member(1, 1.0, "a:8935"), member(2, 1.0, "https://b:8935")];
        let roll = Roll::of(&Registry { round: 1, members }, &rules(&blocklist));
        assert!(roll.named.is_empty());
        assert!(roll.registered.iter().all(|one| {
            one.refused
                .as_deref()
                .is_some_and(|why| why.contains("blocklist"))
        }));
    }
}
