//! Where a bundle lies, as an operator writes it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use pointsman_policy::bundle::Digest;
use url::{Host, Url};

/// Longest reference, bytes.
const MAX_REFERENCE: usize = 4096;
/// Longest name of a repository, bytes; the distribution specification's advice.
const MAX_REPOSITORY: usize = 255;
/// Longest tag, bytes.
const MAX_TAG: usize = 128;

/// Where a bundle lies. What is fetched over a network is pinned by a digest: nobody on the way, nor at its end, can change it.
///
/// [`Display`](fmt::Display) leaves a URL's query out, since it may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A folder with a `bundle.toml`, or a single file.
    Path(PathBuf),
    /// A single file: `https://HOST/PATH#sha256=HEX`.
    Https {
        /// Without the fragment.
        url: Url,
        /// SHA-256 of the file as it lies there.
        digest: Digest,
    },
    /// `oci://HOST[:PORT]/NAME[:TAG]@sha256:HEX`.
    Oci {
        /// Where. A tag is kept for people and is not asked for.
        repository: Repository,
        /// SHA-256 of the manifest.
        digest: Digest,
    },
}

/// A repository of an OCI registry: `oci://HOST[:PORT]/NAME[:TAG]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    host: Host,
    port: Option<u16>,
    name: String,
    tag: Option<String>,
}

/// A text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing there.
    #[error(
        "a bundle's reference is empty: give a folder, a file, https://…#sha256=HEX or oci://…@sha256:HEX"
    )]
    Empty,
    /// Longer than any that is meant.
    #[error("a bundle's reference is over {MAX_REFERENCE} bytes")]
    TooLong,
    /// A scheme that bundles are not fetched by.
    #[error(
        "bundles are not fetched by {0}://: give a folder, a file, https://…#sha256=HEX or oci://…@sha256:HEX"
    )]
    Scheme(String),
    /// It is no URL.
    #[error("the bundle's URL is none: {0}")]
    Url(String),
    /// User and password in a URL end up in logs and lists.
    #[error("the bundle's URL has a user or password in it: give credentials beside it")]
    Credentials,
    /// An https URL without a digest.
    #[error("{0} is not pinned: write {0}#sha256=HEX, with what `sha256sum FILE` says of the file")]
    HttpsUnpinned(String),
    /// An OCI reference without a digest.
    #[error("{0} is not pinned: write {0}@sha256:HEX, the digest that the push printed")]
    OciUnpinned(String),
    /// A digest that is none.
    #[error("{0:?} is no digest: it is 64 hexadecimal digits, those of a SHA-256")]
    Digest(String),
    /// A repository that is none.
    #[error("{text:?} is no OCI repository: {why}")]
    Repository {
        /// What was written.
        text: String,
        /// What is wrong.
        why: &'static str,
    },
}

// === impl Reference ===

impl FromStr for Reference {
    type Err = ReferenceError;

    /// Reads any of the forms above. What has no scheme is a path.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.len() > MAX_REFERENCE {
            return Err(ReferenceError::TooLong);
        }
        match scheme(text).as_deref() {
            None => Ok(Self::Path(text.into())),
            Some("https") => https(text),
            Some("oci") => oci(text),
            Some(other) => Err(ReferenceError::Scheme(other.to_owned())),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Https { url, digest } => write!(f, "{}#sha256={digest}", shown(url)),
            Self::Oci { repository, digest } => write!(f, "{repository}@sha256:{digest}"),
        }
    }
}

/// The scheme of a text that has one, in lower case.
fn scheme(text: &str) -> Option<String> {
    let (scheme, _) = text.split_once("://")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    (!scheme.is_empty() && scheme.bytes().all(plain)).then(|| scheme.to_ascii_lowercase())
}

fn https(text: &str) -> Result<Reference, ReferenceError> {
    let mut url = Url::parse(text).map_err(|error| ReferenceError::Url(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ReferenceError::Credentials);
    }
    let fragment = url.fragment().map(str::to_owned);
    url.set_fragment(None);
    let pin = fragment
        .as_deref()
        .and_then(|fragment| fragment.strip_prefix("sha256="));
    let pin = pin.ok_or_else(|| ReferenceError::HttpsUnpinned(shown(&url)))?;
    Ok(Reference::Https {
        url,
        digest: digest(pin)?,
    })
}

fn oci(text: &str) -> Result<Reference, ReferenceError> {
    let Some((repository, pin)) = text.split_once('@') else {
        let repository: Repository = text.parse()?;
        return Err(ReferenceError::OciUnpinned(repository.to_string()));
    };
    let Some(pin) = pin.strip_prefix("sha256:") else {
        // What stands before the @ may be a password.
        return Err(if pin.contains('/') {
            ReferenceError::Credentials
        } else {
            ReferenceError::Digest(pin.to_owned())
        });
    };
    Ok(Reference::Oci {
        repository: repository.parse()?,
        digest: digest(pin)?,
    })
}

fn digest(text: &str) -> Result<Digest, ReferenceError> {
    Digest::parse(text).ok_or_else(|| ReferenceError::Digest(text.to_owned()))
}

/// A URL without what may be secret in it.
pub(crate) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

// === impl Repository ===

impl Repository {
    /// The registry's origin, by `scheme`.
    pub(crate) fn origin(&self, scheme: &str) -> String {
        match self.port {
            Some(port) => format!("{scheme}://{}:{port}", self.host),
            None => format!("{scheme}://{}", self.host),
        }
    }

    /// Its name in the registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag, if one was given.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Whether the registry is on this machine by what is written, without a name being resolved.
    pub(crate) fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        }
    }
}

impl FromStr for Repository {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let wrong = |why| ReferenceError::Repository {
            text: text.to_owned(),
            why,
        };
        if text.len() > MAX_REFERENCE {
            return Err(ReferenceError::TooLong);
        }
        if scheme(text).as_deref() != Some("oci") {
            return Err(wrong("it begins with oci://"));
        }
        if text.contains('@') {
            return Err(ReferenceError::Credentials);
        }
        let rest = &text["oci://".len()..];
        let (authority, path) = rest
            .split_once('/')
            .ok_or_else(|| wrong("write oci://HOST/NAME:TAG"))?;
        let (name, tag) = match path.split_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (path, None),
        };
        if name.len() > MAX_REPOSITORY || !name.split('/').all(is_component) {
            return Err(wrong(
                "a name has lower-case letters and digits, with single . _ - between them, in parts divided by /",
            ));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong(
                "a tag has up to 128 letters, digits, _ . and -, and begins with none of the last two",
            ));
        }
        let (host, port) = host(authority).ok_or_else(|| wrong("its host is none"))?;
        Ok(Self {
            host,
            port,
            name: name.to_owned(),
            tag: tag.map(str::to_owned),
        })
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.origin("oci"), self.name)?;
        match &self.tag {
            Some(tag) => write!(f, ":{tag}"),
            None => Ok(()),
        }
    }
}

/// Host and port. Read as https does, so that every spelling of an address is that address.
fn host(authority: &str) -> Option<(Host, Option<u16>)> {
    if authority.contains(['?', '#', '\\']) {
        return None;
    }
    let url = Url::parse(&format!("https://{authority}/")).ok()?;
    let host = url.host()?.to_owned();
    // A URL forgets its scheme's own port, which http on that port must not.
    let named = authority
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    Some((
        host,
        url.port().or(named.filter(|_| !authority.ends_with(']'))),
    ))
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    let ends = bytes.first().is_some_and(|&byte| plain(byte))
        && bytes.last().is_some_and(|&byte| plain(byte));
    ends && bytes
        .split(|&byte| plain(byte))
        .all(|between| match between {
            [] | [b'.'] | [b'_'] | [b'_', b'_'] => true,
            dashes => dashes.iter().all(|&byte| byte == b'-'),
        })
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(word)
        && tag
            .bytes()
            .all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

#[cfg(test)]
#[path = "tests/reference.rs"]
mod tests;
