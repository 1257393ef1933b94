//! Service URIs: the address of an orchestrator, in the one form that compares.
//!
//! Off-chain an orchestrator *is* its URI (its address is zero), so two spellings of one place must be one value: host
//! in lower case, the scheme's own port left out, no trailing `/`, no user, query or fragment. URLs of the protocol are
//! made by appending to it ([`ServiceUri::join`]), which is why the slash goes.
//!
//! go-livepeer is lenient: an empty entry of its list becomes `127.0.0.1:8935` and an unparseable one vanishes. Here
//! both are errors that name the entry; a trailing comma must not add an orchestrator that nobody asked for.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

/// Port of an entry in the static list that names none.
pub const DEFAULT_PORT: u16 = 8935;

/// Longest URI taken, in bytes.
const MAX_BYTES: usize = 2048;

/// The normalised address of an orchestrator, such as `https://203.0.113.7:8935`.
///
/// Cheap to clone. Ordered, hashed and serialised by its text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceUri(Arc<str>);

/// Why a text is no service URI. Each names the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Nothing between two commas.
    #[error("an orchestrator entry is empty: remove the extra comma")]
    Empty,
    /// No `https://` or `http://` where none is added.
    #[error("orchestrator {entry:?} has no scheme: write https://{entry}")]
    NoScheme {
        /// The text.
        entry: String,
    },
    /// A scheme other than the two.
    #[error("orchestrator {entry:?} has scheme {scheme:?}: use https or http")]
    Scheme {
        /// The text.
        entry: String,
        /// Its scheme.
        scheme: String,
    },
    /// Something that a base URI cannot carry.
    #[error("orchestrator {entry:?} has a {part}, which a service URI cannot have")]
    Excess {
        /// The text.
        entry: String,
        /// `user`, `query` or `fragment`.
        part: &'static str,
    },
    /// Longer than any real one.
    #[error("an orchestrator URI of {bytes} bytes is too long")]
    Long {
        /// Its length.
        bytes: usize,
    },
    /// Not a URI at all.
    #[error("orchestrator {entry:?} is not a URI: {cause}")]
    Malformed {
        /// The text.
        entry: String,
        /// What the parser says.
        cause: url::ParseError,
    },
}

// === impl ServiceUri ===

impl ServiceUri {
    /// One entry of the static list: `https` unless it says `http://` or `https://`, port 8935 where neither port nor
    /// scheme is given, and 127.0.0.1 before a leading `:`.
    ///
    /// # Errors
    ///
    /// When the entry is empty or no address.
    pub fn from_static(entry: &str) -> Result<Self, UriError> {
        let entry = entry.trim();
        if entry.contains("://") {
            return entry.parse();
        }
        let host = match entry {
            "" => return Err(UriError::Empty),
            port if port.starts_with(':') => format!("127.0.0.1{port}"),
            host if names_a_port(host) => host.to_owned(),
            host => format!("{host}:{DEFAULT_PORT}"),
        };
        parse(entry, &format!("https://{host}"))
    }

    /// The static list: entries separated by commas. Repeated ones are listed once, in their first place.
    ///
    /// # Errors
    ///
    /// The first entry that is none.
    pub fn list(text: &str) -> Result<Vec<Self>, UriError> {
        let mut uris = Vec::new();
        for entry in text.split(',') {
            let uri = Self::from_static(entry)?;
            if !uris.contains(&uri) {
                uris.push(uri);
            }
        }
        Ok(uris)
    }

    /// The `address` of an entry of the discovery webhook, a `nodes` entry, or an orchestrator's own `transcoder`.
    /// Nothing is added: go-livepeer adds no scheme there either and drops an entry that has none.
    ///
    /// # Errors
    ///
    /// [`UriError::NoScheme`] for `host:port`; otherwise as [`from_static`](Self::from_static).
    pub fn from_webhook(entry: &str) -> Result<Self, UriError> {
        entry.parse()
    }

    /// The normalised text, without a trailing `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the connection is TLS. Otherwise it is cleartext: HTTP/2 with prior knowledge for gRPC, HTTP/1.1 for the rest.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// Host and port as they stand in the URI, without a port that the scheme implies; IPv6 in brackets.
    #[must_use]
    pub fn authority(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split_once('/')
            .map_or(rest, |(authority, _)| authority)
    }

    /// Scheme and authority alone. gRPC goes here: go-livepeer ignores a path for it.
    #[must_use]
    pub fn origin(&self) -> &str {
        let scheme = if self.is_tls() { "https://" } else { "http://" };
        &self.0[..scheme.len() + self.authority().len()]
    }

    /// The host without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.authority();
        match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map_or(rest, |(host, _)| host),
            None => authority
                .split_once(':')
                .map_or(authority, |(host, _)| host),
        }
    }

    /// The port, also where the scheme implies it.
    #[must_use]
    pub fn port(&self) -> u16 {
        let implied = if self.is_tls() { 443 } else { 80 };
        let after = self.authority().rsplit_once(':').map(|(_, port)| port);
        after.and_then(|port| port.parse().ok()).unwrap_or(implied)
    }

    /// The URL of `path`, which starts with `/`.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }
}

impl FromStr for ServiceUri {
    type Err = UriError;

    /// Strict: the scheme must be there.
    fn from_str(text: &str) -> Result<Self, UriError> {
        let text = text.trim();
        parse(text, text)
    }
}

impl fmt::Display for ServiceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ServiceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceUri({self})")
    }
}

impl AsRef<str> for ServiceUri {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl TryFrom<String> for ServiceUri {
    type Error = UriError;

    fn try_from(text: String) -> Result<Self, UriError> {
        text.parse()
    }
}

impl From<ServiceUri> for String {
    fn from(uri: ServiceUri) -> Self {
        uri.as_str().to_owned()
    }
}

/// `entry` is what errors name, `text` what is parsed.
fn parse(entry: &str, text: &str) -> Result<ServiceUri, UriError> {
    if entry.is_empty() {
        return Err(UriError::Empty);
    }
    if text.len() > MAX_BYTES {
        return Err(UriError::Long { bytes: text.len() });
    }
    if !text.contains("://") {
        return Err(UriError::NoScheme {
            entry: entry.to_owned(),
        });
    }
    let url = Url::parse(text).map_err(|cause| UriError::Malformed {
        entry: entry.to_owned(),
        cause,
    })?;
    let excess = |part| UriError::Excess {
        entry: entry.to_owned(),
        part,
    };
    match url.scheme() {
        "http" | "https" => {}
        scheme => {
            return Err(UriError::Scheme {
                entry: entry.to_owned(),
                scheme: scheme.to_owned(),
            });
        }
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(excess("user"));
    }
    if url.query().is_some() {
        return Err(excess("query"));
    }
    if url.fragment().is_some() {
        return Err(excess("fragment"));
    }
    Ok(ServiceUri(url.as_str().trim_end_matches('/').into()))
}

/// Whether `host:port` has its port; an IPv6 address needs brackets.
fn names_a_port(entry: &str) -> bool {
    let authority = entry.split('/').next().unwrap_or(entry);
    match authority.rsplit_once(']') {
        Some((_, after)) => after.starts_with(':'),
        None => authority.contains(':'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(entry: &str) -> String {
        ServiceUri::from_static(entry).expect("a URI").to_string()
    }

    #[test]
    fn entries_of_the_static_list_are_completed() {
        for (entry, expected) in [
            ("203.0.113.7", "https://203.0.113.7:8935"),
            (" Orch.Example ", "https://orch.example:8935"),
            ("orch.example:9000", "https://orch.example:9000"),
            (":9000", "https://127.0.0.1:9000"),
            ("httpd.example:9000", "https://httpd.example:9000"),
            ("https://Orch.Example/", "https://orch.example"),
            ("https://orch.example:443", "https://orch.example"),
            ("http://127.0.0.1:8935", "http://127.0.0.1:8935"),
            ("[::1]", "https://[::1]:8935"),
            ("[::1]:9000", "https://[::1]:9000"),
            (
                "HTTPS://ORCH.EXAMPLE:8935/a/",
                "https://orch.example:8935/a",
            ),
            ("https://0x7f.1:8935", "https://127.0.0.1:8935"),
        ] {
            assert_eq!(listed(entry), expected, "{entry}");
        }
    }

    #[test]
    fn a_list_names_its_bad_entry_and_repeats_none() {
        let uris =
            ServiceUri::list("a.example, https://A.example:8935/,b.example").expect("a list");
        let texts: Vec<_> = uris.iter().map(ServiceUri::as_str).collect();
        assert_eq!(texts, ["https://a.example:8935", "https://b.example:8935"]);

        let said = |list: &str| ServiceUri::list(list).expect_err("refused").to_string();
        assert_eq!(
            said("a.example,"),
            "an orchestrator entry is empty: remove the extra comma"
        );
        assert_eq!(
            said("a.example,ftp://b.example"),
            r#"orchestrator "ftp://b.example" has scheme "ftp": use https or http"#
        );
        assert!(said("a.example,b:c:d").starts_with(r#"orchestrator "b:c:d" is not a URI: "#));
        assert!(said("a.example:70000").contains("invalid port number"));
    }

    #[test]
    fn a_base_uri_carries_nothing_else() {
        for (text, part) in [
            ("https://user@orch.example", "user"),
            ("https://:secret@orch.example", "user"),
            ("https://orch.example/?a=b", "query"),
            ("https://orch.example/#a", "fragment"),
        ] {
            let error = text.parse::<ServiceUri>().expect_err("refused");
            assert_eq!(
                error,
                UriError::Excess {
                    entry: text.to_owned(),
                    part
                }
            );
        }
        let long = format!("https://{}.example", "a".repeat(3000));
        assert!(matches!(
            long.parse::<ServiceUri>(),
            Err(UriError::Long { .. })
        ));
    }

    #[test]
    fn a_webhook_entry_must_have_its_scheme() {
        let error = ServiceUri::from_webhook("orch.example:8935").expect_err("refused");
        let said =
            r#"orchestrator "orch.example:8935" has no scheme: write https://orch.example:8935"#;
        assert_eq!(error.to_string(), said);
        let uri = ServiceUri::from_webhook("https://orch.example").expect("a URI");
        assert_eq!((uri.as_str(), uri.port()), ("https://orch.example", 443));
        assert_eq!(ServiceUri::from_webhook(" "), Err(UriError::Empty));
    }

    #[test]
    fn parts_are_found() {
        let uri = ServiceUri::from_static("https://[2001:DB8::1]:8935/node/2/").expect("a URI");
        assert_eq!(uri.authority(), "[2001:db8::1]:8935");
        assert_eq!(
            (uri.host(), uri.port(), uri.is_tls()),
            ("2001:db8::1", 8935, true)
        );
        assert_eq!(uri.origin(), "https://[2001:db8::1]:8935");
        assert_eq!(
            uri.join("/segment"),
            "https://[2001:db8::1]:8935/node/2/segment"
        );
        let plain: ServiceUri = "http://orch.example".parse().expect("a URI");
        assert_eq!(
            (plain.host(), plain.port(), plain.is_tls()),
            ("orch.example", 80, false)
        );
    }

    #[test]
    fn serde_checks_too() {
        let uri: ServiceUri = serde_json::from_str(r#""https://A.example/""#).expect("a URI");
        assert_eq!(
            serde_json::to_string(&uri).ok(),
            Some(r#""https://a.example""#.to_owned())
        );
        assert!(serde_json::from_str::<ServiceUri>(r#""a.example""#).is_err());
    }
}
