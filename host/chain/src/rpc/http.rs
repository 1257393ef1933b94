//! JSON-RPC over HTTP.

use std::error::Error;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use super::{Endpoint, Fault, Transport};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// One endpoint over HTTP. Redirects are not followed: they would carry the API key elsewhere.
#[derive(Debug)]
pub struct Http {
    client: reqwest::Client,
    endpoint: Endpoint,
}

// === impl Http ===

impl Http {
    /// A client for `endpoint`.
    ///
    /// # Errors
    ///
    /// What the TLS library says when it cannot start, such as without any root certificate.
    pub fn new(endpoint: Endpoint) -> Result<Self, String> {
        // The first provider installed in the process stays; this one is for a process that has none.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .referer(false)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT)
            .user_agent(concat!("pointsman/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| innermost(&error))?;
        Ok(Self { client, endpoint })
    }

    fn unreachable(&self, error: reqwest::Error) -> Fault {
        Fault::Unreachable(self.endpoint.scrub(&innermost(&error.without_url())))
    }

    async fn read(&self, mut response: Response, most: usize) -> Result<Bytes, Fault> {
        let mut body = BytesMut::new();
        loop {
            let chunk = response.chunk().await;
            let Some(chunk) = chunk.map_err(|error| self.unreachable(error))? else {
                return Ok(body.freeze());
            };
            if body.len() + chunk.len() > most {
                return Err(Fault::TooLarge(most));
            }
            body.extend_from_slice(&chunk);
        }
    }
}

impl Transport for Http {
    fn post(&self, body: Bytes, most: usize) -> BoxFuture<'_, Result<Bytes, Fault>> {
        async move {
            let request = self
                .client
                .post(self.endpoint.url().clone())
                .header(CONTENT_TYPE, "application/json")
                .body(body);
            let response = request
                .send()
                .await
                .map_err(|error| self.unreachable(error))?;
            match response.status() {
                StatusCode::OK => self.read(response, most).await,
                StatusCode::TOO_MANY_REQUESTS => {
                    let now = SystemTime::now();
                    Err(Fault::Throttled(retry_after(response.headers(), now)))
                }
                status => Err(Fault::Status(status.as_u16())),
            }
        }
        .boxed()
    }
}

/// Seconds or a date, RFC 9110 §10.2.3.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

/// The cause at the bottom: the layers above it only say that there is one.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        let date = "Thu, 01 Jan 1970 00:01:00 GMT";
        assert_eq!(after(date), Some(Duration::from_secs(60)));
        for not in ["", "soon", "-1", "1.5"] {
            assert_eq!(after(not), None, "{not}");
        }
    }
}
