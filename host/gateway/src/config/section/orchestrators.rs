//! Which orchestrators there are and what they may cost.

use std::collections::BTreeMap;
use std::time::Duration;

use pointsman_facts::Price;
use pointsman_wire::uri::ServiceUri;
use url::Url;

use crate::config::decoder::{Decoder, switch};
use crate::config::setting::{Group, Initial, Setting, Shape};
use crate::config::value::{duration, number, price, web};

/// Sources of orchestrators, and what the operator says of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orchestrators {
    /// The static list, each once.
    pub addresses: Vec<ServiceUri>,
    /// Answers `GET` with more of them; its list joins the static one.
    pub webhook: Option<Url>,
    /// Never asked, whatever source names them.
    pub blocklist: Vec<ServiceUri>,
    /// How often each is asked for its facts.
    pub probe_interval: Duration,
    /// Highest price of a pixel, in wei; `None` takes any.
    pub max_price: Option<Price>,
    /// Whether a job may go above `max_price` when no orchestrator is below it.
    pub ignore_max_price_if_needed: bool,
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
            key: "orch-blocklist",
            shape: Shape::List,
            value: "URI",
            default: Initial::Unset("none"),
            summary: "Orchestrators never to use, whichever source names them.",
            detail: "Written as in --orch-addr. Off-chain an orchestrator is its URI; an Ethereum address cannot be matched.",
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
        Setting {
            key: "max-price-per-unit",
            shape: Shape::One,
            value: "WEI",
            default: Initial::Unset("any price"),
            summary: "Highest price of --pixels-per-unit pixels, in wei; 0 takes any.",
            detail: "A whole or decimal number, compared exactly. No policy can go above it; only \
                     --ignore-max-price-if-needed does.",
        },
        Setting {
            key: "pixels-per-unit",
            shape: Shape::One,
            value: "PIXELS",
            default: Initial::Value("1"),
            summary: "How many pixels --max-price-per-unit buys.",
            detail: "Raise it for prices below one wei a pixel.",
        },
        Setting {
            key: "ignore-max-price-if-needed",
            shape: Shape::Switch,
            value: "true|false",
            default: Initial::Value("false"),
            summary: "Go above --max-price-per-unit when no orchestrator is below it.",
            detail: "For streams that must go on at any cost.",
        },
    ],
};

// === impl Orchestrators ===

impl Orchestrators {
    pub(in crate::config) fn decode(
        decoder: &mut Decoder<'_>,
        labels: BTreeMap<ServiceUri, Labels>,
    ) -> Self {
        let addresses = once_each(decoder.many("orch-addr", uri));
        let webhook = decoder.optional("orch-webhook-url", web::url);
        if addresses.is_empty() && webhook.is_none() {
            let notice = "no orchestrators: streams play from their source alone. Set orch-addr or orch-webhook-url";
            decoder.notices.push(notice.to_owned());
        }
        Self {
            addresses,
            webhook,
            blocklist: once_each(decoder.many("orch-blocklist", uri)),
            probe_interval: decoder.one("probe-interval", duration::between(SECOND, 3600 * SECOND)),
            max_price: decode_max_price(decoder),
            ignore_max_price_if_needed: decoder.one("ignore-max-price-if-needed", switch),
            labels,
        }
    }
}

fn decode_max_price(decoder: &mut Decoder<'_>) -> Option<Price> {
    let amount = decoder.optional("max-price-per-unit", price::amount);
    let pixels = decoder.one("pixels-per-unit", number::within(1..=u64::MAX));
    let keys = ["max-price-per-unit", "pixels-per-unit"];
    if decoder.is_given("pixels-per-unit") && !decoder.is_given("max-price-per-unit") {
        let message = "pixels-per-unit limits nothing without max-price-per-unit: set that too, or leave both out";
        decoder.refuse(&["pixels-per-unit"], message);
    }
    let amount = amount.filter(|amount| !amount.is_zero())?;
    let price = amount.per(pixels);
    if price.is_none() {
        decoder.refuse(
            &keys,
            "this price is too large or too fine to be held exactly",
        );
    }
    price
}

/// An orchestrator, as in go-livepeer's static list.
pub(in crate::config) fn uri(text: &str) -> Result<ServiceUri, String> {
    let address = text.strip_prefix("0x").or(text.strip_prefix("0X"));
    if address.is_some_and(|rest| rest.len() == 40 && rest.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(format!(
            "`{text}` is an Ethereum address: off-chain an orchestrator is its URI, such as https://host:8935"
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
