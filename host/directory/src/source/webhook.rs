//! The discovery webhook: a list of orchestrators that changes while the gateway runs.
//!
//! # Contract
//!
//! Asked in the background, never by a job. The last good list stays in force through any error, however long; after an
//! error the webhook is asked again after one second, then two, four, … up to the interval. A body equal to the last one
//! changes nothing. `[]` is a list: it clears what the webhook named.
//!
//! A remote signer that knows orchestrators is asked in the same way: its list has the same shape.

use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

use super::Announced;
use super::body::Body;
use super::page::{Page, PageError};
use crate::backoff::Backoff;

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
    /// Sent with every question; none unless a remote signer is asked. With any, no redirect is followed.
    pub headers: HeaderMap,
}

/// Why the webhook gave no list.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Nothing came back that could be read.
    #[error(transparent)]
    Page(#[from] PageError),
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
    interval: Duration,
    page: Page,
}

/// Asks until `cancel`. `heard` gets `Some(list)` for every new list and `None` for an error or an unchanged one.
pub(crate) async fn run(
    mut poller: Poller,
    mut rng: fastrand::Rng,
    cancel: CancellationToken,
    mut heard: impl FnMut(Option<Vec<Announced>>),
) {
    let mut backoff = Backoff::new(poller.interval);
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
                poller.interval
            }
            Err(error) => {
                metrics::counter!("pointsman_directory_webhook_total", "result" => "error")
                    .increment(1);
                warn!(
                    url = poller.page.shown(),
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
            headers: HeaderMap::new(),
        }
    }
}

// === impl Poller ===

impl Poller {
    pub(crate) fn new(webhook: Webhook) -> Result<Self, PageError> {
        Ok(Self {
            interval: webhook.interval,
            page: Page::with(webhook.url, webhook.timeout, webhook.headers)?,
        })
    }

    pub(crate) async fn fetch(&mut self) -> Result<Fetched, WebhookError> {
        let url = self.page.shown();
        let read = |bytes: &[u8]| {
            let body = Body::parse(bytes).map_err(WebhookError::Json)?;
            report(&url, &body);
            Ok::<_, WebhookError>(body.announced)
        };
        let new = self.page.fetch(read).await?;
        Ok(new.map_or(Fetched::Same, Fetched::New))
    }
}

fn report(url: &str, body: &Body) {
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
