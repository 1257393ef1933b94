//! A document on the web, asked for again and again: with an end to its size and to its time.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use url::Url;

/// Most redirects followed.
const MAX_REDIRECTS: usize = 3;

/// Largest body taken, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// No client can be made, for lack of root certificates for instance.
    #[error("no HTTP client can be made: {0}")]
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
}

/// Where the document is.
#[derive(Debug)]
pub(crate) struct Page {
    url: Url,
    client: reqwest::Client,
    last: Option<Vec<u8>>,
}

// === impl Page ===

impl Page {
    /// `timeout` is for one answer, body included. Certificates are verified.
    pub(crate) fn new(url: Url, timeout: Duration) -> Result<Self, PageError> {
        Self::with(url, timeout, HeaderMap::new())
    }

    /// The same with headers. They may be secrets, and so go nowhere but to `url`: no redirect is followed.
    pub(crate) fn with(url: Url, timeout: Duration, headers: HeaderMap) -> Result<Self, PageError> {
        // The first provider installed in the process stays; this one is for a process that has none.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let redirects = match headers.is_empty() {
            true => Policy::limited(MAX_REDIRECTS),
            false => Policy::none(),
        };
        let mut client = reqwest::Client::builder()
            .redirect(redirects)
            .default_headers(headers)
            .timeout(timeout);
        if is_loopback(&url) {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().map_err(PageError::Client)?,
            url,
            last: None,
        })
    }

    /// The document; `None` when it is what `read` last made sense of.
    pub(crate) async fn fetch<T, E: From<PageError>>(
        &mut self,
        read: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let bytes = self.bytes().await?;
        if self.last.as_ref() == Some(&bytes) {
            return Ok(None);
        }
        let made = read(&bytes)?;
        self.last = Some(bytes);
        Ok(Some(made))
    }

    /// The URL without what may be secret in it.
    pub(crate) fn shown(&self) -> String {
        let Self { url, .. } = self;
        format!("{}{}", url.origin().ascii_serialization(), url.path())
    }

    async fn bytes(&self) -> Result<Vec<u8>, PageError> {
        let request = self.client.get(self.url.clone());
        let mut response = request.send().await.map_err(unreached)?;
        if !response.status().is_success() {
            return Err(PageError::Status(response.status()));
        }
        let announced = response.content_length().unwrap_or(0);
        if announced > MAX_BODY as u64 {
            return Err(PageError::TooLong);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreached)? {
            if bytes.len() + chunk.len() > MAX_BODY {
                return Err(PageError::TooLong);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// An error without the URL: it may hold a secret.
fn unreached(error: reqwest::Error) -> PageError {
    PageError::Request(error.without_url())
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
