//! A bundle's way to a registry: blobs that are not there yet, then the manifest.

use bytes::Bytes;
use pointsman_policy::bundle::Digest;
use reqwest::Method;

use super::manifest::{EMPTY, IMAGE, write};
use super::registry::Registry;
use crate::client::{good, location};
use crate::reference::shown;
use crate::{Archive, Compression, FetchError, Network, Repository, Rules, SignatureError};

/// Brings `archive` to `to` and returns its manifest's digest. Under the tag, if there is one.
pub(crate) async fn push(
    network: &Network,
    archive: &Archive,
    to: &Repository,
    rules: &Rules,
) -> Result<Digest, FetchError> {
    let signature = archive.signature.as_deref();
    if let Some(key) = &rules.key {
        key.verify(&archive.bytes, signature.ok_or(SignatureError::Missing)?)?;
    }
    let signature = signature.map(|signature| Bytes::copy_from_slice(signature.as_bytes()));
    let compressed = Compression::of(&archive.bytes) == Compression::Zstd;
    let manifest = write(&archive.bytes, compressed, signature.as_deref());
    let mut registry = Registry::new(network, to, rules, "pull,push")?;
    for blob in [
        Some(archive.bytes.clone()),
        signature,
        Some(Bytes::from_static(EMPTY)),
    ]
    .into_iter()
    .flatten()
    {
        upload(&mut registry, blob).await?;
    }
    let digest = Digest::of(&manifest);
    let place = to
        .tag()
        .map_or_else(|| format!("sha256:{digest}"), str::to_owned);
    let url = registry.url(&format!("manifests/{place}"))?;
    good(
        registry
            .send(Method::PUT, &url, Some(IMAGE), manifest.into())
            .await?,
    )?;
    Ok(digest)
}

async fn upload(registry: &mut Registry<'_>, blob: Bytes) -> Result<(), FetchError> {
    let digest = format!("sha256:{}", Digest::of(&blob));
    let url = registry.url(&format!("blobs/{digest}"))?;
    if registry
        .send(Method::HEAD, &url, None, Bytes::new())
        .await?
        .status()
        .is_success()
    {
        return Ok(());
    }
    let url = registry.url("blobs/uploads/")?;
    let answer = good(
        registry
            .send(Method::POST, &url, None, Bytes::new())
            .await?,
    )?;
    let mut place = location(&answer, &url)?;
    place.query_pairs_mut().append_pair("digest", &digest);
    let answer = registry
        .send(Method::PUT, &place, Some("application/octet-stream"), blob)
        .await?;
    if answer.status().as_u16() != 201 {
        return Err(FetchError::Status {
            url: shown(&place),
            status: answer.status().as_u16(),
        });
    }
    Ok(())
}
