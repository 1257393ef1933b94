//! One HTTP exchange at a time, within the rules.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, LOCATION};
use reqwest::{Certificate, Method, RequestBuilder, Response, StatusCode};
use url::Url;

use crate::address::{BarredAddress, Guard, Reach};
use crate::reference::shown;
use crate::{Credentials, FetchError, Network, Rules};

/// Most redirects followed.
pub(crate) const MAX_REDIRECTS: usize = 3;

/// Longest wait for one connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Largest file of certificate authorities, bytes: a system's whole list has a quarter of it.
const MAX_AUTHORITIES: usize = 1 << 20;

/// A client for one fetch.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    reach: Reach,
    /// http in place of https. Reach is then this machine, unless everything is allowed.
    plain: bool,
}

// === impl Client ===

impl Client {
    pub(crate) fn new(network: &Network, rules: &Rules, plain: bool) -> Result<Self, FetchError> {
        // The first provider installed in the process stays; this one is for a process that has none.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let reach = network.reach.unwrap_or(match (rules.allow_private, plain) {
            (true, _) => Reach::Any,
            (false, true) => Reach::Loopback,
            (false, false) => Reach::Public,
        });
        let mut http = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .referer(false)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT)
            // Every request resolves anew and is checked anew.
            .pool_max_idle_per_host(0)
            .dns_resolver(Guard {
                reach,
                names: Arc::clone(&network.names),
            })
            .user_agent(concat!("pointsman/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &rules.ca_file {
            http = http.tls_certs_merge(authorities(path)?);
        }
        let http = http
            .build()
            .map_err(|error| FetchError::Client(causes(error)))?;
        Ok(Self { http, reach, plain })
    }

    /// A request to `url`, if that may be asked at all.
    pub(crate) fn request(&self, method: Method, url: &Url) -> Result<RequestBuilder, FetchError> {
        match url.scheme() {
            "https" => {}
            "http" if self.plain => {}
            _ => return Err(FetchError::Scheme(shown(url))),
        }
        self.reach.check(url)?;
        // Credentials of a redirect's own would be sent by the client.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::Location(shown(url)));
        }
        Ok(self.http.request(method, url.clone()))
    }

    /// Sends, without following. `url` is for the error.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        url: &Url,
    ) -> Result<Response, FetchError> {
        request.send().await.map_err(|error| failed(error, url))
    }

    /// Asks for `url`, wherever that leads. `authorization` stays with its origin.
    pub(crate) async fn get(
        &self,
        url: &Url,
        accept: Option<&str>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, FetchError> {
        let mut at = url.clone();
        let mut authorization = authorization;
        for _ in 0..=MAX_REDIRECTS {
            if at.origin() != url.origin() {
                authorization = None;
            }
            let mut request = self.request(Method::GET, &at)?;
            if let Some(accept) = accept {
                request = request.header(ACCEPT, accept);
            }
            if let Some(authorization) = authorization {
                request = request.header(AUTHORIZATION, authorization);
            }
            let response = self.send(request, &at).await?;
            if !is_redirect(response.status()) {
                return Ok(response);
            }
            at = location(&response, &at)?;
        }
        Err(FetchError::Redirects(shown(url)))
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where an answer of `at` sends on to.
pub(crate) fn location(response: &Response, at: &Url) -> Result<Url, FetchError> {
    let place = response
        .headers()
        .get(LOCATION)
        .and_then(|place| place.to_str().ok());
    let place = place.and_then(|place| at.join(place).ok());
    place.ok_or_else(|| FetchError::Location(shown(at)))
}

/// `response` if its status is 2xx.
pub(crate) fn good(response: Response) -> Result<Response, FetchError> {
    if response.status().is_success() {
        return Ok(response);
    }
    Err(FetchError::Status {
        url: shown(response.url()),
        status: response.status().as_u16(),
    })
}

/// The body of a good answer, up to `most` bytes.
pub(crate) async fn read(response: Response, most: usize) -> Result<Bytes, FetchError> {
    let mut response = good(response)?;
    let url = response.url().clone();
    let too_large = || FetchError::TooLarge {
        what: shown(&url),
        most,
    };
    if response
        .content_length()
        .is_some_and(|length| length > most as u64)
    {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| failed(error, &url))?
    {
        if bytes.len() + chunk.len() > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// `work`, or an error after `time`.
pub(crate) async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, FetchError>>,
) -> Result<T, FetchError> {
    tokio::time::timeout(time, work)
        .await
        .unwrap_or(Err(FetchError::Timeout(time)))
}

fn failed(error: reqwest::Error, url: &Url) -> FetchError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(deeper) = cause {
        if let Some(barred) = deeper.downcast_ref::<BarredAddress>() {
            return barred.clone().into();
        }
        cause = deeper.source();
    }
    FetchError::Request {
        url: shown(url),
        cause: causes(error),
    }
}

/// An error with its causes, which the client's own text leaves out, and without the URL, which may hold a secret.
fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, FetchError> {
    let pem = crate::local::read(path, MAX_AUTHORITIES)?;
    let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if found.is_empty() {
        return Err(FetchError::Authorities(path.to_owned()));
    }
    Ok(found)
}

// === impl Credentials ===

impl Credentials {
    /// As HTTP's basic scheme has them. `None` when they cannot be: the scheme ends the user at its first colon.
    pub(crate) fn basic(&self) -> Option<HeaderValue> {
        use base64::Engine as _;
        if self.user.contains(':') {
            return None;
        }
        let pair = format!("{}:{}", self.user, self.password);
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        let mut value = HeaderValue::from_str(&format!("Basic {pair}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
