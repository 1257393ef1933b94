//! The remote signer, which keeps the key and makes payments for a gateway without one.

use std::time::Duration;

use pointsman_payments::remote::{self, Remote};

use crate::config::decoder::{Decoder, switch};
use crate::config::setting::{Group, Initial, Setting, Shape};
use crate::config::value::duration;

/// A remote signer. `Debug` shows no header's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Where it is.
    pub settings: remote::Settings,
    /// Whether it is asked for orchestrators too; where nobody else is, it is anyway.
    pub discovers: bool,
}

const URL: &str = "remote-signer-url";
const HEADERS: &str = "remote-signer-headers";
const TIMEOUT: &str = "remote-signer-timeout";
const DISCOVERY: &str = "remote-discovery";
const OTHERS: [&str; 3] = [HEADERS, TIMEOUT, DISCOVERY];
/// What says where a key of our own is.
const KEYSTORE: [&str; 3] = ["eth-keystore-path", "eth-acct-addr", "eth-password"];

pub(in crate::config) const GROUP: Group = Group {
    heading: "Remote signer",
    settings: &[
        Setting {
            key: URL,
            shape: Shape::One,
            value: "URL",
            default: Initial::Unset("none"),
            summary: "Signer that keeps the key and makes the payments, in place of a keystore.",
            detail: "https:// is assumed; a path is dropped. No --network is needed; with one, deposit and reserve are \
                     shown. It must sign segments for orchestrators that ask for tickets; go-livepeer's signs none.",
        },
        Setting {
            key: HEADERS,
            shape: Shape::List,
            value: "NAME:VALUE",
            default: Initial::Unset("none"),
            summary: "Headers sent to the signer with every call, separated by commas.",
            detail: "Such as Authorization:Bearer …, for a proxy in front of it. Put them into the file or the environment rather than a flag, \
                     which everyone on this machine can read. They are never shown.",
        },
        Setting {
            key: TIMEOUT,
            shape: Shape::One,
            value: "TIME",
            default: Initial::Value("3s"),
            summary: "Longest wait for a payment or a signature of the signer, tries included.",
            detail: "100ms to 1m. A segment waits no longer than its own deadline in any case.",
        },
        Setting {
            key: DISCOVERY,
            shape: Shape::Switch,
            value: "true|false",
            default: Initial::Value("false"),
            summary: "Ask the signer for orchestrators as well.",
            detail: "Once a minute, in place of --orch-webhook-url; its list joins --orch-addr. Where no source is given it is asked without \
                     this, too. go-livepeer's signer needs -remoteDiscovery for it.",
        },
    ],
};

// === impl Signer ===

impl Signer {
    /// Whether there is one.
    pub(in crate::config) fn is_wanted(decoder: &Decoder<'_>) -> bool {
        decoder.is_given(URL)
    }

    pub(in crate::config) fn decode(decoder: &mut Decoder<'_>, on_chain: bool) -> Option<Self> {
        let Some(url) = decoder.optional(URL, |text| Ok(text.to_owned())) else {
            for key in OTHERS {
                if decoder.is_given(key) {
                    let message = format!(
                        "says nothing without a signer: give its --{URL}, or leave this out"
                    );
                    decoder.refuse(&[key], message);
                }
            }
            return None;
        };
        for key in KEYSTORE {
            if on_chain && decoder.is_given(key) {
                let message =
                    format!("the remote signer keeps the key: leave this out, or --{URL}");
                decoder.refuse(&[key], message);
            }
        }
        let mut settings = remote::Settings::new(url);
        settings.headers = decoder.many(HEADERS, header);
        settings.payment_timeout = decoder.one(
            TIMEOUT,
            duration::between(Duration::from_millis(100), Duration::from_secs(60)),
        );
        if let Err(error) = Remote::new(&settings) {
            decoder.refuse(&[URL, HEADERS], error.to_string());
        }
        if settings.is_cleartext() {
            let notice = format!(
                "{} is http:// to another machine: what is sent there can be read on the way. Put a proxy with TLS in front of the signer",
                decoder.source(URL)
            );
            decoder.notices.push(notice);
        }
        let discovers = decoder.one(DISCOVERY, switch);
        if discovers && decoder.is_given("orch-webhook-url") {
            let message = "one service is asked for orchestrators, the signer or orch-webhook-url: leave one of them out";
            decoder.refuse(&[DISCOVERY, "orch-webhook-url"], message);
        }
        Some(Self {
            settings,
            discovers,
        })
    }
}

/// Its value may be a secret, so that no message repeats it.
fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or("a header is NAME:VALUE, and one of these has no colon")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
