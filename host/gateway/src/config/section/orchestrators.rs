//! Which orchestrators there are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pointsman_directory::{Blocklist, FromRegistry};
use pointsman_wire::uri::ServiceUri;
use url::Url;

use crate::config::decoder::{Decoder, switch};
use crate::config::setting::{Group, Initial, Setting, Shape};
use crate::config::value::blocked::{Blocked, blocked};
use crate::config::value::{duration, web};

/// Sources of orchestrators, and what the operator says of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Orchestrators {
    /// The static list, each once.
    pub addresses: Vec<ServiceUri>,
    /// Answers `GET` with more of them; its list joins the static one.
    pub webhook: Option<Url>,
    /// Those of the chain's registries, where they are a source.
    pub registry: Option<FromRegistry>,
    /// Never used, whatever source names them.
    pub blocklist: Arc<Blocklist>,
    /// Scores of their performance: where from, and for which region.
    pub leaderboard: Option<(Url, String)>,
    /// Least performance score that gets work while somebody who can do it has so much.
    pub least_perf: f64,
    /// How often each is asked for its facts.
    pub probe_interval: Duration,
    /// The operator's table.
    pub labels: BTreeMap<ServiceUri, Labels>,
}

/// What the operator says of one orchestrator; policies read it as `region` and `label/KEY`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Such as `fra`.
    pub region: Option<String>,
    /// By key.
    pub labels: BTreeMap<String, String>,
}

const REGISTRY: &str = "orch-registry";
const PRIVATE: &str = "orch-allow-private";
const STATS: &str = "orch-perf-stats-url";
const REGION: &str = "region";
const LEAST: &str = "min-perf-score";
const SECOND: Duration = Duration::from_secs(1);

pub(in crate::config) const GROUP: Group = Group {
    heading: "Orchestrators",
    settings: &[
        Setting {
            key: "orch-addr",
            shape: Shape::List,
            value: "URI",
            default: Initial::Unset("none"),
            summary: "Orchestrators to use, separated by commas.",
            detail: "https:// is assumed, and port 8935 where neither scheme nor port is given; http:// is cleartext.",
        },
        Setting {
            key: "orch-webhook-url",
            shape: Shape::One,
            value: "URL",
            default: Initial::Unset("none"),
            summary: "Service that answers GET with a JSON list of orchestrators, asked once a minute.",
            detail: "[{\"address\": \"https://host:8935\"}, …], with \"region\" and \"labels\" if you like. Use it where the \
                     list changes while the gateway runs; it joins --orch-addr.",
        },
        Setting {
            key: REGISTRY,
            shape: Shape::Switch,
            value: "true|false",
            default: Initial::Unset(
                "true on a chain when neither --orch-addr nor --orch-webhook-url is given",
            ),
            summary: "Take the orchestrators that are registered on the chain of --network.",
            detail: "Those of the active set, from both service registries, as they change. With a list or a webhook they stay out, as in \
                     go-livepeer, unless this is true: then they join them.",
        },
        Setting {
            key: PRIVATE,
            shape: Shape::Switch,
            value: "true|false",
            default: Initial::Value("false"),
            summary: "Let registered orchestrators be at private and loopback addresses.",
            detail: "For a chain of your own. Without it nobody who registers an address can make the gateway call into the network it stands \
                     in; whom you name yourself may be anywhere.",
        },
        Setting {
            key: "orch-blocklist",
            shape: Shape::List,
            value: "URI|ADDRESS",
            default: Initial::Unset("none"),
            summary: "Orchestrators never to use, whichever source names them.",
            detail: "URIs are written as in --orch-addr and are not even asked. An Ethereum address bars whoever signs with it or wants to be paid to \
                     it.",
        },
        Setting {
            key: STATS,
            shape: Shape::One,
            value: "URL",
            default: Initial::Unset("none"),
            summary: "Performance scores of a public leaderboard, asked every ten minutes.",
            detail: "A JSON object of accounts, each with a score from 0 to 1 by region. Policies read them as score/perf.",
        },
        Setting {
            key: REGION,
            shape: Shape::One,
            value: "NAME",
            default: Initial::Unset("none"),
            summary: "Region whose performance scores count.",
            detail: "In capitals as the leaderboard writes it, such as FRA; small letters are raised.",
        },
        Setting {
            key: LEAST,
            shape: Shape::One,
            value: "0..1",
            default: Initial::Value("0"),
            summary: "Least performance score that gets work, as long as somebody who can do it has so much.",
            detail: "An orchestrator without a score counts as 0.",
        },
        Setting {
            key: "probe-interval",
            shape: Shape::One,
            value: "TIME",
            default: Initial::Value("15s"),
            summary: "How often each orchestrator is asked for its price, capacity and latency.",
            detail: "1s to 1h. A job starts from these facts without asking again: shorter notices changes sooner, longer \
                     spares a large list.",
        },
    ],
};

// === impl Orchestrators ===

impl Orchestrators {
    pub(in crate::config) fn decode(
        decoder: &mut Decoder<'_>,
        labels: BTreeMap<ServiceUri, Labels>,
        on_chain: bool,
    ) -> Self {
        let addresses = once_each(decoder.many("orch-addr", uri));
        let webhook = decoder.optional("orch-webhook-url", web::url);
        let elsewhere = !addresses.is_empty() || webhook.is_some();
        let registry = decode_registry(decoder, on_chain, elsewhere);
        // A remote signer is asked for them where nobody else is.
        if !elsewhere && registry.is_none() && !decoder.is_given("remote-signer-url") {
            let notice = "no orchestrators: streams play from their source alone. Set orch-addr or orch-webhook-url";
            decoder.notices.push(notice.to_owned());
        }
        Self {
            addresses,
            webhook,
            registry,
            blocklist: decode_blocklist(decoder),
            leaderboard: decode_leaderboard(decoder),
            least_perf: decoder.one(LEAST, share),
            probe_interval: decoder.one("probe-interval", duration::between(SECOND, 3600 * SECOND)),
            labels,
        }
    }
}

fn decode_registry(
    decoder: &mut Decoder<'_>,
    on_chain: bool,
    elsewhere: bool,
) -> Option<FromRegistry> {
    let wanted = decoder.optional(REGISTRY, switch);
    let allow_private = decoder.one(PRIVATE, switch);
    if !on_chain && wanted == Some(true) {
        let message = "there is no registry off-chain: give a --network too, or leave this out";
        decoder.refuse(&[REGISTRY], message);
    }
    let taken = on_chain && wanted.unwrap_or(!elsewhere);
    if allow_private && !taken {
        let message = "no registered orchestrators are taken, so this allows nothing: whom you list may be anywhere. Leave it out";
        decoder.refuse(&[PRIVATE], message);
    }
    taken.then_some(FromRegistry { allow_private })
}

fn decode_blocklist(decoder: &mut Decoder<'_>) -> Arc<Blocklist> {
    let mut list = Blocklist::default();
    for entry in decoder.many("orch-blocklist", blocked) {
        match entry {
            Blocked::Uri(uri) if list.uris.contains(&uri) => {}
            Blocked::Uri(uri) => list.uris.push(uri),
            Blocked::Account(account) => {
                list.accounts.insert(account);
            }
        }
    }
    Arc::new(list)
}

/// go-livepeer takes one of the settings without the others, and then does nothing.
fn decode_leaderboard(decoder: &mut Decoder<'_>) -> Option<(Url, String)> {
    let url = decoder.optional(STATS, web::url);
    let region = decoder.optional(REGION, |text| Ok(text.to_uppercase()));
    if url.is_none() && !decoder.is_given(STATS) {
        for key in [REGION, LEAST] {
            if decoder.is_given(key) {
                let notice = format!("{key} has no effect without {STATS}");
                decoder.notices.push(notice);
            }
        }
    }
    if url.is_some() && !decoder.is_given(REGION) {
        let message = "scores are by region: give the --region that counts, such as FRA";
        decoder.refuse(&[STATS], message);
    }
    url.zip(region)
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err(format!("`{text}` is not a number from 0 to 1")),
    }
}

/// An orchestrator, as in go-livepeer's static list.
pub(in crate::config) fn uri(text: &str) -> Result<ServiceUri, String> {
    let address = text.strip_prefix("0x").or(text.strip_prefix("0X"));
    if address.is_some_and(|rest| rest.len() == 40 && rest.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(format!(
            "`{text}` is an Ethereum address: an orchestrator is listed by its URI, such as https://host:8935"
        ));
    }
    ServiceUri::from_static(text).map_err(|error| error.to_string())
}

fn once_each(uris: Vec<ServiceUri>) -> Vec<ServiceUri> {
    let mut list: Vec<ServiceUri> = Vec::with_capacity(uris.len());
    for uri in uris {
        if !list.contains(&uri) {
            list.push(uri);
        }
    }
    list
}
