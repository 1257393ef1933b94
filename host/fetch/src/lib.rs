//! A bundle from where it lies: a folder, a single file, an https URL or an OCI registry.
//!
//! # Contract
//!
//! [`fetch`] brings a bundle's files into memory, for `pointsman_policy::Bundle::from_files`, or says in one line what to do. Nothing is
//! written to disk, and nothing that is fetched is believed before it was checked, in this order: size while it is read, digest of the bytes as
//! they lie, signature, and only then the decompressor and the tar reader see them. What comes over a network is pinned by a digest in
//! its [`Reference`]; with [`Rules::key`] everything, folders too, must be signed as well. The README beside this crate tells operators how.
//!
//! A gateway that fetches by URL can be made to call where its operator did not mean to. So https only; at most three redirects, followed here
//! and not by the client; and no connection to an address outside the public internet, judged on the very addresses that are
//! connected to ([`is_public`]). Proxies from the environment are not used: behind one, nobody here would see the address. Credentials go to the
//! host of the reference and to the token service that it names, never along a redirect, and are in no error and no log.
//!
//! [`push`] is the way there: a bundle in one file to an OCI registry, which returns the pinned reference.
//!
//! # Why the registry protocol is spoken by hand
//!
//! A pull is two requests and perhaps a token. Clients for it read manifests and blobs of any size, follow redirects by the HTTP
//! library's rule and resolve names by themselves: each of the promises above would have to be forced onto them from outside.

#![forbid(unsafe_code)]

mod address;
mod archive;
mod client;
mod error;
mod local;
mod oci;
mod reference;
mod signature;
mod web;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pointsman_policy::bundle::Digest;

pub use address::BarredAddress;
pub use archive::{ArchiveError, Compression, pack, unpack};
pub use error::FetchError;
pub use local::{Archive, pack_folder};
pub use oci::{BUNDLE_TAR, BUNDLE_TAR_ZSTD, SIGNATURE};
pub use reference::{Reference, ReferenceError, Repository};
pub use signature::{KeyError, PublicKey, SignatureError};

use address::{Reach, System};

/// On which terms bundles are fetched.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Everything must be signed with this key. `None`: signatures are not looked at.
    pub key: Option<PublicKey>,
    /// How much is read.
    pub limits: Limits,
    /// For everything over the network together.
    pub timeout: Duration,
    /// A PEM file of certificate authorities to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Let references, redirects and token services lead to any address.
    pub allow_private: bool,
    /// Speak http, without TLS, to an OCI registry whose host is written as a loopback address or `localhost`. Such a fetch then
    /// connects to this machine only.
    pub loopback_http: bool,
    /// For the host of the reference.
    pub credentials: Option<Credentials>,
}

/// How much of a bundle is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest file as it lies, bytes.
    pub archive: usize,
    /// Most that it may unpack to, headers included, bytes. Of a folder, the sum of its files.
    pub unpacked: usize,
    /// Most files.
    pub files: usize,
    /// Longest name of one, bytes.
    pub name: usize,
}

/// A user and password, or token, for a registry or web server.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub user: String,
    /// Shown nowhere.
    pub password: String,
}

/// Files by name, with their contents: what `Bundle::from_files` takes.
pub type Files = Vec<(String, Vec<u8>)>;

/// A bundle's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// `bundle.toml` is among them if it is a bundle.
    pub files: Files,
    /// SHA-256 of what was pinned or could be: of the single file as it lies, of an OCI manifest, of a folder's `bundle.toml`.
    pub digest: Digest,
    /// The reference without anything secret: for lists and logs.
    pub source: String,
    /// The trusted comment of the signature that was checked. `None`: no key was configured.
    pub signed: Option<String>,
}

/// How names are resolved and what they may resolve to.
struct Network {
    names: Arc<dyn reqwest::dns::Resolve>,
    /// In place of what the rules say.
    reach: Option<Reach>,
}

/// Brings the bundle that `reference` names.
///
/// # Errors
///
/// [`FetchError`], without URLs' queries, credentials and tokens in it.
pub async fn fetch(reference: &Reference, rules: &Rules) -> Result<Fetched, FetchError> {
    fetch_over(&Network::default(), reference, rules).await
}

async fn fetch_over(
    network: &Network,
    reference: &Reference,
    rules: &Rules,
) -> Result<Fetched, FetchError> {
    let source = reference.to_string();
    let (lying, digest) = match reference {
        Reference::Path(path) => {
            let (path, rules) = (path.clone(), rules.clone());
            return blocking(move || local::fetch(&path, &rules, source)).await;
        }
        Reference::Https { url, digest } => {
            let file = web::get(network, url, *digest, rules);
            (client::within(rules.timeout, file).await?, *digest)
        }
        Reference::Oci { repository, digest } => {
            let layer = oci::pull(network, repository, *digest, rules);
            (client::within(rules.timeout, layer).await?, *digest)
        }
    };
    let rules = rules.clone();
    let (files, signed) = blocking(move || lying.open(&rules)).await?;
    Ok(Fetched {
        files,
        digest,
        source,
        signed,
    })
}

/// Brings `archive` to an OCI registry and returns the reference that it can be fetched by. Existing blobs are not sent again.
///
/// # Errors
///
/// [`FetchError`]; with [`Rules::key`] also when the archive's signature would not pass.
pub async fn push(
    archive: &Archive,
    to: &Repository,
    rules: &Rules,
) -> Result<Reference, FetchError> {
    let digest = client::within(
        rules.timeout,
        oci::push(&Network::default(), archive, to, rules),
    )
    .await?;
    Ok(Reference::Oci {
        repository: to.clone(),
        digest,
    })
}

/// Hashing, decompressing and checking signatures takes too long for the threads that serve.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FetchError> + Send + 'static,
) -> Result<T, FetchError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| FetchError::Interrupted)?
}

/// Checks that `bytes` are those with the SHA-256 `wanted`.
fn check_digest(what: &str, bytes: &[u8], wanted: Digest) -> Result<(), FetchError> {
    let found = Digest::of(bytes);
    if found == wanted {
        return Ok(());
    }
    Err(FetchError::Digest {
        what: what.to_owned(),
        wanted,
        found,
    })
}

// === impl Rules ===

impl Default for Rules {
    /// No key, nothing private, 30 s.
    fn default() -> Self {
        Self {
            key: None,
            limits: Limits::default(),
            timeout: Duration::from_secs(30),
            ca_file: None,
            allow_private: false,
            loopback_http: false,
            credentials: None,
        }
    }
}

// === impl Limits ===

impl Limits {
    /// 64 MiB as it lies, twice that unpacked, 64 files: two full chains of the largest components and their vectors.
    pub const DEFAULT: Self = Self {
        archive: 64 << 20,
        unpacked: 128 << 20,
        files: 64,
        name: 128,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

// === impl Credentials ===

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

// === impl Network ===

impl Default for Network {
    fn default() -> Self {
        Self {
            names: Arc::new(System),
            reach: None,
        }
    }
}

#[cfg(test)]
mod tests;
