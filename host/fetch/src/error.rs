//! Why a bundle was not fetched, in words that say what to do.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use pointsman_policy::bundle::Digest;

use crate::address::BarredAddress;
use crate::archive::ArchiveError;
use crate::client::MAX_REDIRECTS;
use crate::signature::SignatureError;

/// A bundle was not fetched or pushed. Nothing in it is secret, and nothing is quoted from an answer but names of files, escaped.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A file or folder could not be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Neither a folder nor a plain file.
    #[error("{} is no plain file", .0.display())]
    NotAFile(PathBuf),
    /// The file of certificate authorities has none.
    #[error("{} has no certificate in PEM form", .0.display())]
    Authorities(PathBuf),
    /// No HTTP client can be made, for lack of root certificates for instance.
    #[error("no https client can be made: {0}")]
    Client(String),
    /// Not https.
    #[error(
        "{0} is not fetched: bundles come by https only, or by http from a registry on this machine when that is allowed"
    )]
    Scheme(String),
    /// An address that may not be connected to.
    #[error("not connected: {0}")]
    Address(BarredAddress),
    /// Sent on and on.
    #[error("{0} redirects more than {MAX_REDIRECTS} times")]
    Redirects(String),
    /// A redirect or an upload's place that is no URL.
    #[error("{0} sends on to something that is no URL")]
    Location(String),
    /// Not reached, or broken off.
    #[error("{url} cannot be had: {cause}")]
    Request {
        /// What was asked for.
        url: String,
        /// What happened.
        cause: String,
    },
    /// Too slow.
    #[error("not done within {0:?}: the other side is too slow, or the time too short")]
    Timeout(Duration),
    /// Another status than hoped for.
    #[error("{url} answers {status}{}", hint(*status))]
    Status {
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// Larger than is read.
    #[error("{what} is over {most} bytes")]
    TooLarge {
        /// What.
        what: String,
        /// The most that is read.
        most: usize,
    },
    /// Not what was pinned.
    #[error(
        "{what} has the SHA-256 {found}, but {wanted} is pinned: it was changed, or the reference is of another one"
    )]
    Digest {
        /// What.
        what: String,
        /// What the reference or manifest says.
        wanted: Digest,
        /// What came.
        found: Digest,
    },
    /// An OCI manifest that is no bundle's.
    #[error("{url} is no bundle: {why}")]
    Manifest {
        /// Which.
        url: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A registry that asks for what this client does not know.
    #[error("{url} cannot be logged in to: {why}")]
    Login {
        /// Which.
        url: String,
        /// What is wrong.
        why: &'static str,
    },
    /// See [`ArchiveError`].
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// See [`SignatureError`].
    #[error("the bundle is not trusted: {0}")]
    Signature(SignatureError),
    /// The process is ending.
    #[error("interrupted")]
    Interrupted,
}

// Whole in the error's own words, and so no source of it: a cause is printed once.
impl From<BarredAddress> for FetchError {
    fn from(cause: BarredAddress) -> Self {
        Self::Address(cause)
    }
}

impl From<SignatureError> for FetchError {
    fn from(cause: SignatureError) -> Self {
        Self::Signature(cause)
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => ": credentials are missing, wrong, or not enough for this",
        404 => ": there is no such thing there, or only for who has credentials",
        _ => "",
    }
}
