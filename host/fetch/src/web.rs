//! A single file by https.

use bytes::Bytes;
use pointsman_policy::bundle::Digest;
use reqwest::header::HeaderValue;
use url::Url;

use crate::client::{Client, read};
use crate::reference::shown;
use crate::signature::{ENDING, MAX_SIGNATURE};
use crate::{Archive, Credentials, FetchError, Network, Rules, SignatureError, check_digest};

/// The file at `url`, digest checked, and with a key the signature beside it.
pub(crate) async fn get(
    network: &Network,
    url: &Url,
    digest: Digest,
    rules: &Rules,
) -> Result<Archive, FetchError> {
    let client = Client::new(network, rules, false)?;
    let authorization = rules.credentials.as_ref().and_then(Credentials::basic);
    let authorization = authorization.as_ref();
    let bytes = read(
        client.get(url, None, authorization).await?,
        rules.limits.archive,
    )
    .await?;
    check_digest(&shown(url), &bytes, digest)?;
    let signature = match rules.key {
        Some(_) => Some(signature(&client, url, authorization).await?),
        None => None,
    };
    Ok(Archive { bytes, signature })
}

async fn signature(
    client: &Client,
    url: &Url,
    authorization: Option<&HeaderValue>,
) -> Result<String, FetchError> {
    let mut beside = url.clone();
    beside.set_path(&format!("{}{ENDING}", url.path()));
    let answer = client.get(&beside, None, authorization).await?;
    if answer.status().as_u16() == 404 {
        return Err(SignatureError::Missing.into());
    }
    text(&read(answer, MAX_SIGNATURE).await?)
}

/// A signature's text.
pub(crate) fn text(bytes: &Bytes) -> Result<String, FetchError> {
    let text = std::str::from_utf8(bytes).map_err(|_| SignatureError::Malformed)?;
    Ok(text.to_owned())
}
