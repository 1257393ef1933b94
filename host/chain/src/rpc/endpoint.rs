//! An RPC endpoint's URL, most of which is a secret.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// Shortest part of a URL that is looked for in texts, bytes. API keys are longer, and `v2` or `rpc` are no secrets.
const MIN_SECRET: usize = 8;

/// Where a node answers JSON-RPC over http or https. Shows scheme, host and port only.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
}

/// An endpoint's URL cannot be used. Does not repeat the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("an RPC endpoint is not a URL: write it as https://host/path")]
    NotUrl,
    /// Another scheme than http and https.
    #[error(
        "an RPC endpoint must be http or https (WebSockets are not used: nothing here subscribes)"
    )]
    Scheme,
    /// No host.
    #[error("an RPC endpoint has no host")]
    Host,
}

// === impl Endpoint ===

impl Endpoint {
    /// Scheme, host and port: all that may be shown.
    #[must_use]
    pub fn label(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// `text` without parts of the URL that are not in the label.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets() {
            text = text.replace(&secret, "***");
        }
        text
    }

    fn secrets(&self) -> Vec<String> {
        let url = &self.url;
        let mut parts = vec![url.username().to_owned()];
        parts.extend(url.password().map(str::to_owned));
        parts.extend(url.path_segments().into_iter().flatten().map(str::to_owned));
        parts.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
        parts.extend(url.query().map(str::to_owned));
        parts.retain(|part| part.len() >= MIN_SECRET);
        // The longest first, so that none leaves the rest of another behind.
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        parts
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(text.trim()).map_err(|_| EndpointError::NotUrl)?;
        match url.scheme() {
            "http" | "https" => {}
            _ => return Err(EndpointError::Scheme),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(EndpointError::Host);
        }
        Ok(Self { url })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    #[test]
    fn only_the_origin_is_shown() {
        for url in [
            format!("https://rpc.example:8443/v2/{SECRET}"),
            format!("https://user:{SECRET}@rpc.example:8443/"),
            format!("https://rpc.example:8443/?apikey={SECRET}"),
        ] {
            let endpoint: Endpoint = url.parse().unwrap();
            assert_eq!(endpoint.to_string(), "https://rpc.example:8443");
            assert!(!format!("{endpoint:?}").contains(SECRET));
            let scrubbed = endpoint.scrub(&format!("key {SECRET} is over its limit"));
            assert_eq!(scrubbed, "key *** is over its limit");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_told_without_repeating_it() {
        for (text, want) in [
            (SECRET, EndpointError::NotUrl),
            ("ws://rpc.example/0123456789abcdef", EndpointError::Scheme),
            ("file:///0123456789abcdef", EndpointError::Scheme),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert_eq!(error, want);
            assert!(!error.to_string().contains(SECRET));
        }
    }
}
