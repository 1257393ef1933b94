//! Which chain the gateway pays on, and who it is there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pointsman_chain::Network;
use pointsman_chain::keystore::{Keystore, Password};
use pointsman_chain::rpc::Endpoint;
use pointsman_wire::sign::Address;

use crate::config::decoder::Decoder;
use crate::config::setting::{Group, Initial, Setting, Shape};
use crate::config::value::{account, duration};

/// A chain to read and to pay on. Off-chain there is none.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Where the contracts are.
    pub network: Network,
    /// RPC endpoints, the preferred one first; at least one.
    pub endpoints: Vec<Endpoint>,
    /// Whose key is used; `None`: there is only one in the keystore.
    pub account: Option<Address>,
    /// A folder of V3 keystore files, or one file.
    pub keystore: PathBuf,
    /// Opens the key; empty where none was given.
    pub password: Password,
    /// How often the chain is looked at.
    pub interval: Duration,
}

/// The network without a chain.
const OFFCHAIN: &str = "offchain";

const KEYS: [&str; 6] = [
    "eth-url",
    "eth-controller",
    "eth-acct-addr",
    "eth-keystore-path",
    "eth-password",
    "block-polling-interval",
];

pub(in crate::config) const GROUP: Group = Group {
    heading: "Chain",
    settings: &[
        Setting {
            key: "network",
            shape: Shape::One,
            value: "NAME",
            default: Initial::Value(OFFCHAIN),
            summary: "Chain on which orchestrators are paid: offchain, arbitrum-one-mainnet, or any name with --eth-controller.",
            detail: "Off-chain nothing is paid and nothing is signed. On a chain every segment is paid by tickets from the deposit of \
                     the gateway's account.",
        },
        Setting {
            key: "eth-url",
            shape: Shape::List,
            value: "URL",
            default: Initial::Unset("none"),
            summary: "JSON-RPC endpoints of that chain, separated by commas, the preferred one first.",
            detail: "Give two: when one fails or limits its rate, the next is asked.",
        },
        Setting {
            key: "eth-controller",
            shape: Shape::One,
            value: "ADDRESS",
            default: Initial::Unset("the network's own"),
            summary: "Address of Livepeer's Controller contract, for a chain of your own.",
            detail: "All other contracts are looked up through it.",
        },
        Setting {
            key: "eth-acct-addr",
            shape: Shape::One,
            value: "ADDRESS",
            default: Initial::Unset("the only key in --eth-keystore-path"),
            summary: "Account that pays, when the keystore has more than one.",
            detail: "Its key must be there: none is ever made silently.",
        },
        Setting {
            key: "eth-keystore-path",
            shape: Shape::One,
            value: "DIR|FILE",
            default: Initial::Unset("keystore in --data-dir"),
            summary: "Folder of V3 keystore files as geth writes them, or one such file.",
            detail: "Keep it readable by the gateway alone.",
        },
        Setting {
            key: "eth-password",
            shape: Shape::One,
            value: "FILE",
            default: Initial::Unset("the empty password"),
            summary: "File with the password of the key.",
            detail: "A value that is no file is taken as the password itself, as go-livepeer does, and warned about: everyone on \
                     this machine can read it.",
        },
        Setting {
            key: "block-polling-interval",
            shape: Shape::One,
            value: "TIME",
            default: Initial::Value("5s"),
            summary: "How often the chain is looked at.",
            detail: "200ms to 1m. Ticket parameters last some minutes, so that seconds are soon enough.",
        },
    ],
};

// === impl Chain ===

impl Chain {
    /// Whether something is paid.
    pub(in crate::config) fn is_wanted(decoder: &mut Decoder<'_>) -> bool {
        decoder.one("network", |name| Ok(name != OFFCHAIN))
    }

    pub(in crate::config) fn decode(decoder: &mut Decoder<'_>, data: &Path) -> Option<Self> {
        let name = decoder.one("network", |name| Ok(name.to_owned()));
        if name == OFFCHAIN {
            for key in KEYS {
                if decoder.is_given(key) {
                    let message = "says nothing off-chain: give a --network too, or leave this out";
                    decoder.refuse(&[key], message);
                }
            }
            return None;
        }
        let controller = decoder.optional("eth-controller", account::address);
        let network = Network::named(&name, controller);
        let endpoints = decoder.many("eth-url", endpoint);
        if endpoints.is_empty() && !decoder.is_given("eth-url") {
            let message =
                format!("network {name} is read through a node: give its URL with --eth-url");
            decoder.refuse(&["network"], message);
        }
        let keystore = decoder.path("eth-keystore-path");
        let chain = Self {
            network: network
                .map_err(|error| decoder.refuse(&["eth-controller", "network"], error.to_string()))
                .ok()?,
            endpoints,
            account: decoder.optional("eth-acct-addr", account::address),
            keystore: keystore.unwrap_or_else(|| data.join("keystore")),
            password: password(decoder),
            interval: decoder.one(
                "block-polling-interval",
                duration::between(Duration::from_millis(200), Duration::from_secs(60)),
            ),
        };
        Some(chain)
    }

    /// Looks at the disk: a key is never made here.
    pub(in crate::config) fn check(&self, decoder: &mut Decoder<'_>) {
        if let Err(error) = Keystore::find(&self.keystore, self.account) {
            decoder.refuse(
                &["eth-keystore-path", "eth-acct-addr", "network"],
                error.to_string(),
            );
        }
        // A password may be written in place of its file, but hardly one that looks like this.
        let literal = decoder.optional("eth-password", |text| Ok(text.starts_with(['/', '~'])));
        if literal == Some(true)
            && let Some(path) = decoder.path("eth-password")
            && !path.is_file()
        {
            decoder.refuse(
                &["eth-password"],
                format!("there is no file {}", path.display()),
            );
        }
    }
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    text.parse()
        .map_err(|error: pointsman_chain::rpc::EndpointError| error.to_string())
}

fn password(decoder: &mut Decoder<'_>) -> Password {
    const KEY: &str = "eth-password";
    let none = || Password::new(String::new());
    let Some(literal) = decoder.optional(KEY, |text| Ok(text.to_owned())) else {
        return none();
    };
    let Some(path) = decoder.path(KEY).filter(|path| path.is_file()) else {
        let notice = format!(
            "{} is no file, so it is taken as the password itself, which everyone on this machine can read: put it in a file",
            decoder.source(KEY)
        );
        decoder.notices.push(notice);
        return Password::new(literal);
    };
    Password::from_file(&path).unwrap_or_else(|error| {
        decoder.refuse(&[KEY], error.to_string());
        none()
    })
}
