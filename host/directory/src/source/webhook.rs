//! The discovery webhook: a list of orchestrators that changes while the gateway runs.
//!
//! # Contract
//!
//! Asked in the background, never by a job. The last good list stays in force through any error, however long; after an
//! error the webhook is asked again after one second, then two, four, … up to the interval. A body equal to the last one
//! changes nothing. `[]` is a list: it clears what the webhook named.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

use super::Announced;
use super::body::Body;
use crate::backoff::Backoff;

/// Most redirects followed.
const MAX_REDIRECTS: usize = 3;

/// Largest body taken, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Skipped entries that a warning names before it only counts.
const NAMED: usize = 10;

/// Where the webhook is and how it is asked.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its URL; certificates are verified.
    pub url: Url,
    /// Pause between two good answers.
    pub interval: Duration,
    /// Longest wait for one answer, body included.
    pub timeout: Duration,
}

/// Why the webhook gave no list.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// No client can be made, for lack of root certificates for instance.
    #[error("no HTTP client can be made for the discovery webhook: {0}")]
    Client(#[source] reqwest::Error),
    /// Not reached, too slow, or broken off.
    #[error("{}", causes(.0))]
    Request(reqwest::Error),
    /// Another status than 2xx.
    #[error("it answered {0}")]
    Status(reqwest::StatusCode),
    /// More than is taken.
    #[error("its answer is over {} MiB", MAX_BODY >> 20)]
    TooLong,
    /// Not what a webhook must answer.
    #[error("its answer is no JSON array of orchestrators: {0}")]
    Json(#[source] serde_json::Error),
}

/// What asking once came to.
#[derive(Debug)]
pub(crate) enum Fetched {
    Same,
    New(Vec<Announced>),
}

/// A webhook being asked.
#[derive(Debug)]
pub(crate) struct Poller {
    webhook: Webhook,
    client: reqwest::Client,
    last: Option<Vec<u8>>,
}

/// Asks until `cancel`. `heard` gets `Some(list)` for every new list and `None` for an error or an unchanged one.
pub(crate) async fn run(
    mut poller: Poller,
    mut rng: fastrand::Rng,
    cancel: CancellationToken,
    mut heard: impl FnMut(Option<Vec<Announced>>),
) {
    let mut backoff = Backoff::new(poller.webhook.interval);
    loop {
        let Some(fetched) = cancel.run_until_cancelled(poller.fetch()).await else {
            return;
        };
        let pause = match fetched {
            Ok(fetched) => {
                metrics::counter!("pointsman_directory_webhook_total", "result" => "ok")
                    .increment(1);
                backoff.reset();
                heard(match fetched {
                    Fetched::Same => None,
                    Fetched::New(list) => Some(list),
                });
                poller.webhook.interval
            }
            Err(error) => {
                metrics::counter!("pointsman_directory_webhook_total", "result" => "error")
                    .increment(1);
                warn!(
                    url = shown(&poller.webhook.url),
                    "the discovery webhook gave no list, the last one stays: {error}"
                );
                heard(None);
                backoff.next(&mut rng)
            }
        };
        if cancel.run_until_cancelled(sleep(pause)).await.is_none() {
            return;
        }
    }
}

// === impl Webhook ===

impl Webhook {
    /// The webhook at `url`, asked every 60 s, for 3 s at most.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self {
            url,
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(3),
        }
    }
}

// === impl Poller ===

impl Poller {
    pub(crate) fn new(webhook: Webhook) -> Result<Self, WebhookError> {
        // The first provider installed in the process stays; this one is for a process that has none.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::limited(MAX_REDIRECTS))
            .timeout(webhook.timeout);
        if is_loopback(&webhook.url) {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().map_err(WebhookError::Client)?,
            webhook,
            last: None,
        })
    }

    pub(crate) async fn fetch(&mut self) -> Result<Fetched, WebhookError> {
        let request = self.client.get(self.webhook.url.clone());
        let response = request.send().await.map_err(unreached)?;
        if !response.status().is_success() {
            return Err(WebhookError::Status(response.status()));
        }
        let bytes = read(response).await?;
        if self.last.as_ref() == Some(&bytes) {
            return Ok(Fetched::Same);
        }
        let body = Body::parse(&bytes).map_err(WebhookError::Json)?;
        self.last = Some(bytes);
        report(&self.webhook.url, &body);
        Ok(Fetched::New(body.announced))
    }
}

/// An error without the URL: it may hold a secret.
fn unreached(error: reqwest::Error) -> WebhookError {
    WebhookError::Request(error.without_url())
}

/// The URL without what may be secret in it.
fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, WebhookError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > MAX_BODY as u64 {
        return Err(WebhookError::TooLong);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreached)? {
        if bytes.len() + chunk.len() > MAX_BODY {
            return Err(WebhookError::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn report(url: &Url, body: &Body) {
    let url = shown(url);
    info!(
        url,
        orchestrators = body.announced.len(),
        "a new list from the discovery webhook"
    );
    for line in body.skipped.iter().take(NAMED) {
        warn!(
            url,
            "the discovery webhook names an orchestrator that is skipped: {line}"
        );
    }
    if let Some(more) = body.skipped.len().checked_sub(NAMED).filter(|&n| n > 0) {
        warn!(url, "… and {more} more");
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// An error with its causes: reqwest's own text leaves them out.
fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text
}
