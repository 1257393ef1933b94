//! What stands in a registry for somebody, judged.

use std::net::IpAddr;

use pointsman_transport::is_public;
use pointsman_wire::uri::{ServiceUri, UriError};

use crate::source::Blocklist;

/// Longest service URI that is read, in bytes. Real ones have some thirty.
const MAX_URI: usize = 256;

/// What a registry holds for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nothing.
    Unset,
    /// A text, byte for byte.
    Text(String),
    /// A text of so many bytes, more than are read.
    TooLong(usize),
    /// Why it could not be read.
    Unreadable(String),
}

/// Why a registered service URI is not connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The registry did not answer.
    #[error("its service URI could not be read: {0}")]
    Unreadable(String),
    /// Nobody needs so much.
    #[error("its service URI has {0} bytes, more than the {MAX_URI} that are read")]
    TooLong(usize),
    /// Something between the two ends that no URI has.
    #[error("its service URI {0:?} has a space or a control character in it")]
    Space(String),
    /// No URI, or one that cannot be used.
    #[error(transparent)]
    Uri(#[from] UriError),
    /// Payments would be readable on the way.
    #[error("{0} is cleartext: the registry's orchestrators are reached by https")]
    Cleartext(ServiceUri),
    /// It points to where the gateway stands.
    #[error(
        "{0} is no public address: give --orch-allow-private where the chain is one of your own"
    )]
    Private(ServiceUri),
    /// The operator bars the URI.
    #[error("{0} is on the blocklist")]
    BlockedUri(ServiceUri),
    /// The operator bars the account.
    #[error("its account is on the blocklist")]
    BlockedAccount,
    /// It may not work in this round.
    #[error("it is not in the active set of round {0}")]
    Inactive(u64),
    /// It has registered nothing.
    #[error("it has registered no service URI")]
    Unset,
}

/// What is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) allow_private: bool,
    pub(crate) blocklist: &'a Blocklist,
}

/// Judges one entry.
pub(super) fn judge(told: &Told, rules: &Rules<'_>) -> Result<ServiceUri, Refused> {
    let text = match told {
        Told::Unset => return Err(Refused::Unset),
        Told::Unreadable(why) => return Err(Refused::Unreadable(shortened(why))),
        Told::TooLong(bytes) => return Err(Refused::TooLong(*bytes)),
        Told::Text(text) if text.len() > MAX_URI => return Err(Refused::TooLong(text.len())),
        Told::Text(text) => text.trim_matches(is_blank),
    };
    if text.is_empty() {
        return Err(Refused::Unset);
    }
    if text.contains(is_blank) {
        return Err(Refused::Space(text.to_owned()));
    }
    let uri = ServiceUri::from_static(text)?;
    let uri: ServiceUri = uri.origin().parse()?;
    if rules.blocklist.uris.contains(&uri) {
        return Err(Refused::BlockedUri(uri));
    }
    match is_private(&uri) {
        true if !rules.allow_private => Err(Refused::Private(uri)),
        false if !uri.is_tls() => Err(Refused::Cleartext(uri)),
        _ => Ok(uri),
    }
}

/// Spaces, control characters, and what looks like nothing.
fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn is_private(uri: &ServiceUri) -> bool {
    let host = uri.host().trim_end_matches('.');
    match host.parse::<IpAddr>() {
        Ok(address) => !is_public(address),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(blocklist: &Blocklist) -> Rules<'_> {
        Rules {
            allow_private: false,
            blocklist,
        }
    }

    fn said(text: &str) -> String {
        let verdict = judge(&Told::Text(text.to_owned()), &rules(&Blocklist::default()));
        match verdict {
            Ok(uri) => uri.to_string(),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn what_is_meant_is_understood() {
        for (text, uri) in [
            ("https://orch.example:8935", "https://orch.example:8935"),
            (" https://Orch.example:8935\n", "https://orch.example:8935"),
            (
                "\u{feff}https://orch.example:8935/\u{200b}\0",
                "https://orch.example:8935",
            ),
            ("orch.example:8935", "https://orch.example:8935"),
            ("1.2.3.4:8935", "https://1.2.3.4:8935"),
            ("orch.example", "https://orch.example:8935"),
            ("https://orch.example", "https://orch.example"),
            (
                "https://orch.example:8935/path/",
                "https://orch.example:8935",
            ),
        ] {
            assert_eq!(said(text), uri, "{text:?}");
        }
    }

    #[test]
    fn what_must_not_be_connected_to_is_refused_in_words() {
        for (text, why) in [
            ("", "no service URI"),
            ("  ", "no service URI"),
            ("ftp://orch.example", "scheme \"ftp\""),
            ("ws://orch.example:8935", "scheme \"ws\""),
            (
                "https://orch.exa mple:8935",
                "a space or a control character",
            ),
            ("https://orch\t.example", "a space or a control character"),
            ("http://orch.example:8935", "is cleartext"),
            ("https://user@orch.example", "has a user"),
            ("https://orch.example/?x=1", "has a query"),
            ("https://", "is not a URI"),
            ("localhost:8935", "no public address"),
            ("https://a.localhost.:8935", "no public address"),
            (":8935", "no public address"),
            ("127.0.0.1:8935", "no public address"),
            ("https://[::1]:8935", "no public address"),
            ("https://[::ffff:10.0.0.1]:8935", "no public address"),
            ("https://169.254.169.254", "no public address"),
            ("https://2130706433:8935", "no public address"),
            ("https://0x7f.1:8935", "no public address"),
            ("https://192.168.1.2:8935", "--orch-allow-private"),
        ] {
            assert!(said(text).contains(why), "{text:?}: {}", said(text));
        }
        assert!(said(&"x".repeat(10_240)).contains("10240 bytes"));
        let long = judge(&Told::TooLong(10_240), &rules(&Blocklist::default()));
        assert_eq!(long, Err(Refused::TooLong(10_240)));
    }

    #[test]
    fn on_a_chain_of_ones_own_the_network_is_ones_own() {
        let blocklist = Blocklist::default();
        let rules = Rules {
            allow_private: true,
            blocklist: &blocklist,
        };
        let judged = |text: &str| judge(&Told::Text(text.to_owned()), &rules);
        assert!(judged("https://127.0.0.1:8935").is_ok());
        assert!(judged("http://10.0.0.1:8935").is_ok());
        assert!(matches!(
            judged("http://orch.example"),
            Err(Refused::Cleartext(_))
        ));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_nothing_private_passes(text in "\\PC{0,60}|(https?://)?[0-9a-fx.:\\[\\]]{1,30}") {
            if let Ok(uri) = judge(&Told::Text(text), &rules(&Blocklist::default())) {
                prop_assert!(uri.is_tls());
                prop_assert!(uri.host().parse::<IpAddr>().map_or(true, is_public));
            }
        }
    }
}
