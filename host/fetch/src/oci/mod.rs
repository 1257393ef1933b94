//! Bundles in an OCI registry.
//!
//! # Shape
//!
//! A bundle is an image manifest (or an artifact manifest) with one layer of [`BUNDLE_TAR_ZSTD`] or [`BUNDLE_TAR`], the same bytes that would be a
//! single file, and at most one of [`SIGNATURE`], what its `.minisig` holds. Nothing else may be among the layers; config and annotations are
//! not read. The signature is a layer and not an annotation, so that tools that push files push both, unchanged.
//!
//! The reference pins the manifest, whose digest is checked before it is parsed; the manifest pins the layers. So a registry can refuse
//! to serve but not change a byte. An index is refused: a bundle is the same on every platform.

mod login;
mod manifest;
mod push;
mod registry;

use pointsman_policy::bundle::Digest;

use crate::client::read;
use crate::reference::{Repository, shown};
use crate::signature::MAX_SIGNATURE;
use crate::web::text;
use crate::{Archive, FetchError, Network, Rules, SignatureError, check_digest};

use manifest::{ACCEPTED, Layer, Manifest};
use registry::Registry;

pub(crate) use push::push;

/// Media type of the layer that is a bundle, compressed.
pub const BUNDLE_TAR_ZSTD: &str = "application/vnd.pointsman.bundle.v1.tar+zstd";
/// Media type of the layer that is a bundle, not compressed.
pub const BUNDLE_TAR: &str = "application/vnd.pointsman.bundle.v1.tar";
/// Media type of the layer that is the bundle's minisign signature.
pub const SIGNATURE: &str = "application/vnd.pointsman.bundle.v1.minisig";

/// Largest manifest, bytes.
const MAX_MANIFEST: usize = 256 << 10;

/// The bundle whose manifest has `digest`, and with a key its signature.
pub(crate) async fn pull(
    network: &Network,
    repository: &Repository,
    digest: Digest,
    rules: &Rules,
) -> Result<Archive, FetchError> {
    let mut registry = Registry::new(network, repository, rules, "pull")?;
    let url = registry.url(&format!("manifests/sha256:{digest}"))?;
    let bytes = read(registry.get(&url, Some(ACCEPTED)).await?, MAX_MANIFEST).await?;
    check_digest(&shown(&url), &bytes, digest)?;
    let manifest = Manifest::parse(&bytes).map_err(|why| FetchError::Manifest {
        url: shown(&url),
        why,
    })?;
    let bytes = blob(&mut registry, manifest.bundle, rules.limits.archive).await?;
    let signature = match (&rules.key, manifest.signature) {
        (None, _) => None,
        (Some(_), None) => return Err(SignatureError::Missing.into()),
        (Some(_), Some(layer)) => Some(text(&blob(&mut registry, layer, MAX_SIGNATURE).await?)?),
    };
    Ok(Archive { bytes, signature })
}

async fn blob(
    registry: &mut Registry<'_>,
    layer: Layer,
    most: usize,
) -> Result<bytes::Bytes, FetchError> {
    let url = registry.url(&format!("blobs/sha256:{}", layer.digest))?;
    if layer.size > most as u64 {
        return Err(FetchError::TooLarge {
            what: shown(&url),
            most,
        });
    }
    // What the manifest says is the most there can be: anything longer has another digest.
    let most = usize::try_from(layer.size).unwrap_or(most).min(most);
    let bytes = read(registry.get(&url, None).await?, most).await?;
    check_digest(&shown(&url), &bytes, layer.digest)?;
    Ok(bytes)
}
