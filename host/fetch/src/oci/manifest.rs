//! Manifests: what of them is read, and what is written.

use pointsman_policy::bundle::Digest;
use serde::{Deserialize, Serialize};

use super::{BUNDLE_TAR, BUNDLE_TAR_ZSTD, SIGNATURE};

/// The media type of what is pushed.
pub(super) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
/// What is asked for.
pub(super) const ACCEPTED: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.artifact.manifest.v1+json";

/// The kind of artifact that is pushed.
const KIND: &str = "application/vnd.pointsman.bundle.v1";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// The config that an image manifest must have and nobody reads.
pub(super) const EMPTY: &[u8] = b"{}";

/// A layer to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) digest: Digest,
    /// Bytes.
    pub(super) size: u64,
}

/// A bundle's manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) bundle: Layer,
    pub(super) signature: Option<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    media_type: Option<String>,
    #[serde(default, alias = "blobs")]
    layers: Vec<RawLayer>,
    manifests: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLayer {
    media_type: String,
    digest: String,
    size: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    schema_version: u8,
    media_type: &'static str,
    artifact_type: &'static str,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: &'static str,
    digest: String,
    size: usize,
}

// === impl Manifest ===

impl Manifest {
    /// Reads a manifest; the error says why it is no bundle's.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let raw: Raw = serde_json::from_slice(bytes)
            .map_err(|_| "its manifest is not what the image specification says")?;
        if raw.manifests.is_some() {
            return Err("it is an index of several; pin the manifest of the bundle itself");
        }
        if raw
            .media_type
            .is_some_and(|found| found != IMAGE && found != ARTIFACT)
        {
            return Err("its manifest is neither an OCI image nor an OCI artifact");
        }
        let (mut bundle, mut signature) = (None, None);
        for layer in &raw.layers {
            let place = match layer.media_type.as_str() {
                BUNDLE_TAR | BUNDLE_TAR_ZSTD => &mut bundle,
                SIGNATURE => &mut signature,
                _ => return Err("it has a layer that is neither a bundle nor its signature"),
            };
            let digest = layer.digest.strip_prefix("sha256:").and_then(Digest::parse);
            let digest = digest.ok_or("a layer's digest is no SHA-256")?;
            if place
                .replace(Layer {
                    digest,
                    size: layer.size,
                })
                .is_some()
            {
                return Err("it has two layers of one kind");
            }
        }
        let bundle = bundle.ok_or("it has no layer that is a bundle")?;
        Ok(Self { bundle, signature })
    }
}

/// The manifest of a bundle and its signature; the same for the same bytes.
pub(super) fn write(bundle: &[u8], compressed: bool, signature: Option<&[u8]>) -> Vec<u8> {
    let describe = |media_type, bytes: &[u8]| Descriptor {
        media_type,
        digest: format!("sha256:{}", Digest::of(bytes)),
        size: bytes.len(),
    };
    let kind = if compressed {
        BUNDLE_TAR_ZSTD
    } else {
        BUNDLE_TAR
    };
    let mut layers = vec![describe(kind, bundle)];
    layers.extend(signature.map(|signature| describe(SIGNATURE, signature)));
    let manifest = Written {
        schema_version: 2,
        media_type: IMAGE,
        artifact_type: KIND,
        config: describe(EMPTY_TYPE, EMPTY),
        layers,
    };
    serde_json::to_vec(&manifest).expect("numbers and strings only")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn layer(kind: &str) -> serde_json::Value {
        json!({"mediaType": kind, "digest": format!("sha256:{}", Digest::of(b"x")), "size": 1})
    }

    fn parse(manifest: &serde_json::Value) -> Result<Manifest, &'static str> {
        Manifest::parse(manifest.to_string().as_bytes())
    }

    #[test]
    fn what_is_written_is_read() {
        for (compressed, signature) in [(true, None), (false, Some(&b"s"[..]))] {
            let read =
                Manifest::parse(&write(b"bundle", compressed, signature)).expect("a bundle's");
            assert_eq!(
                read.bundle,
                Layer {
                    digest: Digest::of(b"bundle"),
                    size: 6
                }
            );
            assert_eq!(read.signature.map(|layer| layer.size), signature.map(|_| 1));
        }
    }

    #[test]
    fn image_and_artifact_manifests_are_read() {
        let expected = Ok(Layer {
            digest: Digest::of(b"x"),
            size: 1,
        });
        for manifest in [
            json!({"mediaType": IMAGE, "config": {"mediaType": "whatever"}, "layers": [layer(BUNDLE_TAR)]}),
            json!({"layers": [layer(SIGNATURE), layer(BUNDLE_TAR_ZSTD)], "annotations": {"a": "b"}}),
            json!({"mediaType": ARTIFACT, "blobs": [layer(BUNDLE_TAR)]}),
        ] {
            assert_eq!(
                parse(&manifest).map(|manifest| manifest.bundle),
                expected,
                "{manifest}"
            );
        }
    }

    #[test]
    fn what_is_no_bundle_is_refused_with_why() {
        let odd = |field: &str, value: serde_json::Value| {
            let mut layer = layer(BUNDLE_TAR);
            layer[field] = value;
            json!({"layers": [layer]})
        };
        for (manifest, why) in [
            (json!({"layers": []}), "no layer"),
            (json!({}), "no layer"),
            (json!({"layers": [layer(SIGNATURE)]}), "no layer"),
            (
                json!({"layers": [layer(BUNDLE_TAR), layer(BUNDLE_TAR_ZSTD)]}),
                "two layers",
            ),
            (
                json!({"layers": [layer(BUNDLE_TAR), layer(SIGNATURE), layer(SIGNATURE)]}),
                "two layers",
            ),
            (
                json!({"layers": [layer(BUNDLE_TAR), layer("application/vnd.oci.image.layer.v1.tar")]}),
                "neither",
            ),
            (
                json!({"mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": [layer(BUNDLE_TAR)]}),
                "neither",
            ),
            (json!({"manifests": []}), "index"),
            (odd("digest", json!("sha512:00")), "SHA-256"),
            (odd("digest", json!("sha256:../../x")), "SHA-256"),
            (odd("size", json!(-1)), "specification"),
            (json!([]), "specification"),
        ] {
            let error = parse(&manifest).expect_err("refused");
            assert!(error.contains(why), "{manifest}: {error}");
        }
        let twice = format!("{{\"layers\":[{}],\"blobs\":[]}}", layer(BUNDLE_TAR));
        assert!(Manifest::parse(twice.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Manifest::parse(&bytes);
        }
    }
}
