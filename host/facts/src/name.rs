//! Names of orchestrators, as applications and policies write them.
//!
//! # Contract
//!
//! An orchestrator has up to three names: its service URI, the address that it signs with, and the `id` that decisions show. Whoever
//! names one may use any of them: an application in its [hints](crate::Hints), a policy that tightens a call of a custom container. A URI
//! is completed and normalised as an entry of `--orch-addr` is, so that two spellings of one place are one name. Case never
//! matters, since names are compared as [symbols](Symbol).
//!
//! # Why the URI is normalised here and not where URIs are at home
//!
//! The policy host reads names, and knows nothing of the protocol. The directory's tests hold the two forms together.

use std::str::FromStr;

use url::Url;

use crate::Symbol;

/// What names one orchestrator, or several that sign with one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// By service URI or id: the value of [`Column::Id`](crate::Column::Id).
    Identity(Symbol),
    /// By address: the value of [`Column::Address`](crate::Column::Address).
    Address(Symbol),
}

/// The names that one orchestrator has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Its identity.
    pub id: Symbol,
    /// The address that it signs with; [`Symbol::UNKNOWN`] off-chain and before it has answered.
    pub address: Symbol,
}

/// A text names no orchestrator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} names no orchestrator ({cause}): write its service URI, its address as 0x and 40 hex digits, or its id of 16", shown(.text))]
pub struct NameError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub cause: &'static str,
}

/// Port of a URI that names neither port nor scheme.
const DEFAULT_PORT: u16 = 8935;
/// Longest name, bytes.
const MAX_BYTES: usize = 2048;
/// Most characters of a text that an error repeats.
const MAX_SHOWN: usize = 80;

// === impl Name ===

impl Name {
    /// What it is compared by.
    #[must_use]
    pub fn symbol(self) -> Symbol {
        match self {
            Self::Identity(symbol) | Self::Address(symbol) => symbol,
        }
    }

    /// Whether it is an address.
    #[must_use]
    pub fn is_address(self) -> bool {
        matches!(self, Self::Address(_))
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        let fail = |cause| NameError {
            text: text.to_owned(),
            cause,
        };
        let digits = |text: &str, count| {
            text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if let Some(address) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
            && digits(address, 40)
        {
            return match address.bytes().all(|digit| digit == b'0') {
                true => Err(fail("off-chain every address is zero")),
                false => Ok(Self::Address(Symbol::of(text))),
            };
        }
        if digits(text, 16) {
            return match u64::from_str_radix(text, 16) {
                Ok(0) | Err(_) => Err(fail("nobody has the id 0")),
                Ok(id) => Ok(Self::Identity(Symbol(id))),
            };
        }
        normalised(text)
            .map(|uri| Self::Identity(Symbol::of(&uri)))
            .map_err(fail)
    }
}

/// A service URI in the form that identities have.
fn normalised(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > MAX_BYTES {
        return Err("it is too long");
    }
    let whole = match text {
        uri if uri.contains("://") => uri.to_owned(),
        port if port.starts_with(':') => format!("https://127.0.0.1{port}"),
        host if names_a_port(host) => format!("https://{host}"),
        host => format!("https://{host}:{DEFAULT_PORT}"),
    };
    let url = Url::parse(&whole).map_err(|_| "it is no URI")?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err("its scheme is neither https nor http");
    }
    let user = !url.username().is_empty() || url.password().is_some();
    if user || url.query().is_some() || url.fragment().is_some() {
        return Err("it has a user, a query or a fragment");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Whether `host:port` has its port; an IPv6 address needs brackets.
fn names_a_port(text: &str) -> bool {
    let authority = text.split('/').next().unwrap_or(text);
    match authority.rsplit_once(']') {
        Some((_, after)) => after.starts_with(':'),
        None => authority.contains(':'),
    }
}

fn shown(text: &str) -> String {
    let shown: String = text.chars().take(MAX_SHOWN).collect();
    format!("{shown:?}")
}

// === impl Names ===

impl Names {
    /// Whether `symbol`, that of some [`Name`], is one of them.
    #[must_use]
    pub fn has(&self, symbol: Symbol) -> bool {
        symbol != Symbol::UNKNOWN && (symbol == self.id || symbol == self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn refused(text: &str) -> &'static str {
        text.parse::<Name>().expect_err(text).cause
    }

    #[test]
    fn one_orchestrator_has_one_name_of_each_kind_however_it_is_written() {
        for (one, other) in [
            ("https://O.Example:443/", "https://o.example"),
            ("HTTP://o.example:80", "http://o.example/"),
            ("o.example", "https://o.example:8935"),
            (" o.example:9000 ", "https://o.example:9000/"),
            (":9000", "https://127.0.0.1:9000"),
            ("[::1]", "https://[::1]:8935"),
            ("https://o.example/A", "https://o.example/a/"),
            (
                " 0xABCDEF0123456789abcdef0123456789ABCDEF01",
                "0Xabcdef0123456789abcdef0123456789abcdef01",
            ),
            ("7C211433F0207159", "7c211433f0207159"),
        ] {
            assert_eq!(name(one), name(other), "{one} and {other}");
        }
        assert_ne!(name("https://o.example:80"), name("https://o.example"));
        assert!(name("0x1111111111111111111111111111111111111111").is_address());
    }

    #[test]
    fn an_id_is_the_symbol_of_the_uri() {
        let uri = name("https://o.example");
        assert_eq!(name(&uri.symbol().to_string()), uri);
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for (text, cause) in [
            ("", "it is empty"),
            (" ", "it is empty"),
            ("ftp://a", "its scheme is neither https nor http"),
            (
                "https://user@a.example",
                "it has a user, a query or a fragment",
            ),
            ("https://a/?b", "it has a user, a query or a fragment"),
            ("two words", "it is no URI"),
            ("a:b:c", "it is no URI"),
            (&"a".repeat(3000), "it is too long"),
            ("0000000000000000", "nobody has the id 0"),
            (
                "0x0000000000000000000000000000000000000000",
                "off-chain every address is zero",
            ),
        ] {
            assert_eq!(refused(text), cause, "{text}");
        }
        let error = "a b".repeat(500).parse::<Name>().expect_err("no URI");
        assert!(error.to_string().len() < 300, "{error}");
    }

    #[test]
    fn the_unknown_is_nobodys_name() {
        let unanswered = Names {
            id: Symbol(7),
            ..Names::default()
        };
        assert!(unanswered.has(Symbol(7)) && !unanswered.has(Symbol::UNKNOWN));
    }
}
