//! Where bundles come from, and on which terms they are taken.
//!
//! With a key every bundle must be signed with it, whichever way it comes: a folder and a file by the `.minisig` beside them, a
//! reference as [`pointsman_fetch`] says, an upload by the signature that is sent with it, of the upload or of the manifest in it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use pointsman_fetch::{Limits, Reference, Rules, SignatureError, fetch, unpack};
use pointsman_policy::Bundle;
use pointsman_policy::bundle::{Digest, MAX_COMPONENT};

use super::blocking;
use crate::config;

/// Where the operator's bundle lies, and the terms for any.
#[derive(Debug)]
pub(super) struct Source {
    reference: Option<Reference>,
    rules: Rules,
}

// === impl Source ===

impl Source {
    /// # Errors
    ///
    /// When the credentials cannot be read.
    pub(super) fn new(policy: &config::Policy) -> Result<Self> {
        Ok(Self {
            reference: policy.bundle.clone(),
            rules: policy.rules()?,
        })
    }

    /// Where the operator's bundle lies.
    pub(super) fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    /// The operator's folder, which is watched.
    pub(super) fn folder(&self) -> Option<&Path> {
        match &self.reference {
            Some(Reference::Path(path)) if path.is_dir() => Some(path),
            _ => None,
        }
    }

    /// Which bundle lies there now, as a digest; `None` while it cannot be read. What is pinned is what it is pinned to.
    pub(super) fn held(&self) -> Option<String> {
        let digest = match self.reference.as_ref()? {
            Reference::Https { digest, .. } | Reference::Oci { digest, .. } => *digest,
            Reference::Path(path) if path.is_dir() => {
                Digest::of(&std::fs::read(path.join(pointsman_bundler::MANIFEST)).ok()?)
            }
            Reference::Path(path) => {
                let size = std::fs::metadata(path).ok()?.len();
                let small = usize::try_from(size).is_ok_and(|size| size <= Limits::DEFAULT.archive);
                Digest::of(&small.then(|| std::fs::read(path).ok()).flatten()?)
            }
        };
        Some(digest.to_string())
    }

    /// Brings a bundle.
    pub(super) async fn fetch(&self, reference: &Reference) -> Result<Bundle> {
        let fetched = fetch(reference, &self.rules)
            .await
            .with_context(|| format!("the bundle in {reference}"))?;
        if let Some(comment) = &fetched.signed {
            tracing::info!(
                bundle = fetched.source,
                comment,
                "the bundle's signature holds"
            );
        }
        blocking(move || {
            let source = fetched.source;
            Bundle::from_files(fetched.files, MAX_COMPONENT)
                .with_context(|| format!("the bundle in {source}"))
        })
        .await
    }

    /// Reads an upload: a tar of a bundle's files, compressed with zstd or not, and the text of its `.minisig`.
    pub(super) async fn uploaded(&self, bytes: Bytes, signature: Option<String>) -> Result<Bundle> {
        let key = self.rules.key.clone();
        blocking(move || {
            let limits = Limits::DEFAULT;
            let Some(key) = key else {
                return Ok(Bundle::from_files(unpack(&bytes, &limits)?, MAX_COMPONENT)?);
            };
            let Some(signature) = signature else {
                bail!(SignatureError::Missing);
            };
            let whole = key.verify(&bytes, &signature);
            let files = unpack(&bytes, &limits)?;
            if let Err(error) = whole {
                // A folder has no bytes of its own to sign: its signature is of the manifest, which lists the digests of the rest.
                let manifest = files
                    .iter()
                    .find(|(name, _)| name == pointsman_bundler::MANIFEST);
                let (_, manifest) = manifest.ok_or(error)?;
                key.verify(manifest, &signature)?;
            }
            Ok(Bundle::from_files(files, MAX_COMPONENT)?)
        })
        .await
    }
}
