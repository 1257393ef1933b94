//! A bundle on its way to a running gateway.

use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pointsman_bundler::MANIFEST;
use pointsman_fetch::{Archive, Limits, Reference};
use reqwest::Method;
use serde_json::Value;

use super::answer;
use crate::admin::SIGNATURE;
use crate::cli::Admin;
use crate::policies::pack;

/// Sends the bundle in `reference` to `path` of the API with `query`. What lies on this machine goes along with its signature, if it has
/// one; what lies elsewhere is fetched by the gateway, under its rules and not under ours.
pub(super) async fn send(
    admin: &Admin,
    path: &str,
    reference: &Reference,
    query: &[(&str, String)],
) -> Result<Value> {
    let mut url = admin.url.join(&format!("/api/v1/{path}"))?;
    url.query_pairs_mut().extend_pairs(query);
    let request = match reference {
        Reference::Path(path) => {
            let (bytes, signature) = read(path)?;
            let request = reqwest::Client::new()
                .request(Method::POST, url)
                .body(bytes);
            match signature {
                Some(text) => request.header(SIGNATURE, STANDARD.encode(text)),
                None => request,
            }
        }
        // Written out again: shown, it would lack the query of its URL.
        Reference::Https { url: from, digest } => {
            let named = format!("{from}#sha256={digest}");
            url.query_pairs_mut().append_pair("reference", &named);
            reqwest::Client::new().request(Method::POST, url)
        }
        Reference::Oci { .. } => {
            let named = reference.to_string();
            url.query_pairs_mut().append_pair("reference", &named);
            reqwest::Client::new().request(Method::POST, url)
        }
    };
    answer(admin, request).await
}

/// A bundle in one file, and its signature: that of the file, or of a folder's manifest.
fn read(path: &Path) -> Result<(Vec<u8>, Option<String>)> {
    if !path.is_dir() {
        let archive = Archive::read(path, &Limits::DEFAULT)?;
        let signature = archive.signature().map(str::to_owned);
        return Ok((archive.bytes().to_vec(), signature));
    }
    let beside = path.join(format!("{MANIFEST}.minisig"));
    let signature = match std::fs::read_to_string(&beside) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| beside.display().to_string()),
    };
    Ok((pack(path)?, signature))
}
