//! HTTP with the signer: bounded in time and size, no redirect, a few tries where it failed itself.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use url::Url;

use super::message::{Generated, Identity, SignedSegment, refusal};
use super::{RemoteError, Settings};

/// Largest answer about identity or payment, in bytes. A hundred tickets are 15 kB of it.
const MAX_ANSWER: usize = 256 << 10;

/// Signs a segment; go-livepeer's signer does not know it.
const SEGMENT: &str = "/sign-segment";

/// The signer says that the credit suffices.
const NO_TICKETS: u16 = 482;

#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    settings: Settings,
}

struct Answer {
    status: u16,
    body: Vec<u8>,
}

// === impl Client ===

impl Client {
    pub(super) fn new(settings: &Settings) -> Result<Self, RemoteError> {
        let base = base(&settings.url)?;
        let headers = headers(settings)?;
        let bad = |what: &str| RemoteError::Settings(what.to_owned());
        // The first provider installed in the process stays; this one is for a process that has none.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| bad("no HTTP client can be made"))?;
        let settings = settings.clone();
        Ok(Self {
            http,
            base,
            settings,
        })
    }

    pub(super) async fn identity(&self) -> Result<Identity, RemoteError> {
        let answer = self
            .tried(MAX_ANSWER, || {
                self.call(
                    Method::POST,
                    "/sign-orchestrator-info",
                    self.settings.identity_timeout,
                )
            })
            .await?;
        answer.read()
    }

    /// `None`: the credit suffices.
    pub(super) async fn generate(&self, body: &Value) -> Result<Option<Generated>, RemoteError> {
        let timeout = self.settings.payment_timeout;
        let answer = self
            .tried(MAX_ANSWER, || {
                self.call(Method::POST, "/generate-live-payment", timeout)
                    .json(body)
            })
            .await?;
        match answer.status {
            NO_TICKETS => Ok(None),
            _ => answer.read().map(Some),
        }
    }

    pub(super) async fn sign_segment(&self, body: &Value) -> Result<SignedSegment, RemoteError> {
        let timeout = self.settings.payment_timeout;
        let call = || self.call(Method::POST, SEGMENT, timeout).json(body);
        self.tried(MAX_ANSWER, call).await?.read()
    }

    /// Asks for nothing: a signer that knows the call says what is missing.
    pub(super) async fn signs_segments(&self) -> Result<bool, RemoteError> {
        let timeout = self.settings.identity_timeout;
        let call = || self.call(Method::POST, SEGMENT, timeout);
        let answer = self.tried(MAX_ANSWER, call).await?;
        Ok(!matches!(answer.status, 404 | 405 | 501))
    }

    fn call(&self, method: Method, path: &str, timeout: Duration) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(path);
        self.http.request(method, url).timeout(timeout)
    }

    /// Asks again where the signer failed: nothing counts there until its answer is used.
    async fn tried(
        &self,
        most: usize,
        call: impl Fn() -> RequestBuilder,
    ) -> Result<Answer, RemoteError> {
        let mut pause = self.settings.pause;
        let mut left = self.settings.retries;
        loop {
            let failed = match exchange(call(), most).await {
                Ok(answer) if !matches!(answer.status, 500 | 502 | 503) => return Ok(answer),
                Ok(answer) => answer.error(),
                Err(error @ RemoteError::Failed(_)) => error,
                Err(error) => return Err(error),
            };
            if left == 0 {
                return Err(failed);
            }
            left -= 1;
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
    }
}

// === impl Answer ===

impl Answer {
    fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, RemoteError> {
        if self.status != StatusCode::OK {
            return Err(self.error());
        }
        let malformed = RemoteError::Malformed("it is not the JSON that was asked for");
        serde_json::from_slice(&self.body).map_err(|_| malformed)
    }

    fn error(&self) -> RemoteError {
        RemoteError::of(self.status, refusal(&self.body))
    }
}

async fn exchange(call: RequestBuilder, most: usize) -> Result<Answer, RemoteError> {
    let mut response = call.send().await.map_err(|error| failed(&error))?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + chunk.len() > most {
            return Err(RemoteError::Malformed("it is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body })
}

/// The kind of failure only: the client's own message has the URL, and that may have a password.
fn failed(error: &reqwest::Error) -> RemoteError {
    let kind = match error {
        error if error.is_timeout() => "it did not answer in time",
        error if error.is_connect() => "no connection",
        _ => "the exchange broke off",
    };
    RemoteError::Failed(kind.to_owned())
}

/// What goes with every call. Values may be secrets: errors name the header only.
pub(super) fn headers(settings: &Settings) -> Result<HeaderMap, RemoteError> {
    let bad = RemoteError::Settings;
    let mut headers = HeaderMap::new();
    for (name, value) in &settings.headers {
        let name =
            HeaderName::try_from(name.trim()).map_err(|_| bad("a header's name".to_owned()))?;
        let mut value = HeaderValue::try_from(value.trim())
            .map_err(|_| bad(format!("the value of header {name}")))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

pub(super) fn base(text: &str) -> Result<Url, RemoteError> {
    let text = text.trim();
    let complete = match text.contains("://") {
        true => text.to_owned(),
        false => format!("https://{text}"),
    };
    let mut url = Url::parse(&complete)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| RemoteError::Settings("its address is no http or https URL".to_owned()))?;
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_completed_and_paths_dropped() {
        let of = |text: &str| base(text).map(String::from);
        assert_eq!(
            of("http://127.0.0.1:8935").as_deref(),
            Ok("http://127.0.0.1:8935/")
        );
        assert_eq!(
            of("signer.example:8935").as_deref(),
            Ok("https://signer.example:8935/")
        );
        assert_eq!(of("10.0.0.1:8935").as_deref(), Ok("https://10.0.0.1:8935/"));
        assert_eq!(
            of("https://signer.example/a?b#c").as_deref(),
            Ok("https://signer.example/")
        );
        for text in ["", "ftp://signer.example", "http://", "https://:80"] {
            assert!(matches!(of(text), Err(RemoteError::Settings(_))), "{text}");
        }
    }

    #[test]
    fn a_bad_header_is_named_and_its_value_is_not() {
        let mut settings = Settings::new("http://127.0.0.1:1");
        settings.headers = vec![("Authorization".to_owned(), "secret\nline".to_owned())];
        let error = Client::new(&settings).expect_err("a bad value").to_string();
        assert!(
            error.contains("authorization") && !error.contains("secret"),
            "{error}"
        );
    }
}
