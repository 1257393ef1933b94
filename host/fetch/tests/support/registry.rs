//! A registry in this process: as much of the distribution specification as pushes and pulls use, and what a bad one might do.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::net::TcpListener;

/// `user:open sesame`
pub(crate) const BASIC: &str = "Basic dXNlcjpvcGVuIHNlc2FtZQ==";
/// What the token service gives.
pub(crate) const TOKEN: &str = "token-that-nobody-may-see";

/// What the registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    Nothing,
    Password,
    /// A token, from the service at this URL; `None`: the registry's own, which gives one to anybody.
    Token(Option<String>),
    /// A token from its own service, which wants a password.
    TokenForPassword,
}

/// A running registry.
#[derive(Clone)]
pub(crate) struct Registry {
    pub(crate) address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    login: Login,
    blobs: HashMap<String, Bytes>,
    manifests: HashMap<String, Bytes>,
    /// Answers that are given whatever else would be.
    answers: HashMap<String, (u16, String)>,
    asked: Vec<String>,
}

// === impl Registry ===

impl Registry {
    pub(crate) async fn start(login: Login) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let registry = Self::at(listener.local_addr().expect("bound"), login);
        let router = registry.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        registry
    }

    /// One that is served by someone else.
    pub(crate) fn at(address: SocketAddr, login: Login) -> Self {
        let inner = Inner {
            login,
            blobs: HashMap::new(),
            manifests: HashMap::new(),
            answers: HashMap::new(),
            asked: Vec::new(),
        };
        Self {
            address,
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    pub(crate) fn router(&self) -> Router {
        Router::new().fallback(handle).with_state(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no handler panicked")
    }

    /// Puts a blob under a digest, whether or not it is its own.
    pub(crate) fn blob(&self, digest: &str, bytes: &[u8]) {
        self.lock()
            .blobs
            .insert(format!("sha256:{digest}"), Bytes::copy_from_slice(bytes));
    }

    /// The same for a manifest.
    pub(crate) fn manifest(&self, digest: &str, bytes: &[u8]) {
        self.lock()
            .manifests
            .insert(format!("sha256:{digest}"), Bytes::copy_from_slice(bytes));
    }

    /// Answers `path` with `status`, and a redirect to `place`.
    pub(crate) fn answer(&self, path: &str, status: u16, place: &str) {
        self.lock()
            .answers
            .insert(path.to_owned(), (status, place.to_owned()));
    }

    /// What was asked for so far: method, path and scheme of the authorization.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }
}

async fn handle(State(registry): State<Registry>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 64 << 20).await.expect("a body");
    let authorization = authorization(&parts.headers);
    let mut inner = registry.lock();
    let scheme = authorization
        .split(' ')
        .next()
        .unwrap_or_default()
        .to_owned();
    inner.asked.push(
        format!("{} {} {scheme}", parts.method, parts.uri.path())
            .trim_end()
            .to_owned(),
    );
    if let Some((status, place)) = inner.answers.get(parts.uri.path()) {
        let status = StatusCode::from_u16(*status).expect("a status");
        return (status, [(LOCATION, place.clone())], "").into_response();
    }
    if parts.uri.path() == "/token" {
        return token(&inner.login, &authorization, &parts);
    }
    if let Some(refusal) = refuse(&inner.login, &authorization, registry.address) {
        return refusal;
    }
    inner
        .serve(&parts, body)
        .unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

fn authorization(headers: &HeaderMap) -> String {
    let value = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn token(login: &Login, authorization: &str, parts: &Parts) -> Response {
    if *login == Login::TokenForPassword && authorization != BASIC {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let query = parts.uri.query().unwrap_or_default();
    assert!(
        query.contains("scope=repository%3Ateam%2Feu-first%3Apull"),
        "{query}"
    );
    assert!(query.contains("service=the+registry"), "{query}");
    (
        [(CONTENT_TYPE, "application/json")],
        format!("{{\"token\":\"{TOKEN}\",\"expires_in\":300}}"),
    )
        .into_response()
}

fn refuse(login: &Login, authorization: &str, address: SocketAddr) -> Option<Response> {
    let (wanted, challenge) = match login {
        Login::Nothing => return None,
        Login::Password => (BASIC.to_owned(), "Basic realm=\"r\"".to_owned()),
        Login::Token(realm) => (format!("Bearer {TOKEN}"), bearer(realm.clone(), address)),
        Login::TokenForPassword => (format!("Bearer {TOKEN}"), bearer(None, address)),
    };
    if authorization == wanted {
        return None;
    }
    Some(
        (
            StatusCode::UNAUTHORIZED,
            [(WWW_AUTHENTICATE, challenge)],
            "",
        )
            .into_response(),
    )
}

fn bearer(realm: Option<String>, address: SocketAddr) -> String {
    let realm = realm.unwrap_or_else(|| format!("http://{address}/token"));
    format!("Bearer realm=\"{realm}\",service=\"the registry\",scope=\"repository:other:*\"")
}

// === impl Inner ===

impl Inner {
    fn serve(&mut self, parts: &Parts, body: Bytes) -> Option<Response> {
        let path = parts.uri.path().strip_prefix("/v2/team/eu-first/")?;
        let query = parts.uri.query().unwrap_or_default();
        match (&parts.method, path.split_once('/')?) {
            (&Method::GET, ("manifests", name)) => {
                Some(self.manifests.get(name)?.clone().into_response())
            }
            (&Method::PUT, ("manifests", name)) => {
                assert_eq!(
                    parts.headers[CONTENT_TYPE],
                    "application/vnd.oci.image.manifest.v1+json"
                );
                self.manifests.insert(name.to_owned(), body.clone());
                self.manifests.insert(digest(&body), body);
                Some(StatusCode::CREATED.into_response())
            }
            (&Method::POST, ("blobs", "uploads/")) => {
                let place = "/v2/team/eu-first/blobs/uploads/7?state=a%2Fb";
                Some((StatusCode::ACCEPTED, [(LOCATION, place)], "").into_response())
            }
            (&Method::PUT, ("blobs", "uploads/7")) => {
                let named = query
                    .strip_prefix("state=a%2Fb&digest=")?
                    .replace("%3A", ":");
                assert_eq!(named, digest(&body));
                self.blobs.insert(named, body);
                Some(StatusCode::CREATED.into_response())
            }
            (&Method::HEAD, ("blobs", digest)) => Some(
                self.blobs
                    .get(digest)
                    .map(|_| Body::empty())?
                    .into_response(),
            ),
            (&Method::GET, ("blobs", digest)) => {
                Some(self.blobs.get(digest)?.clone().into_response())
            }
            _ => None,
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", pointsman_policy::bundle::Digest::of(bytes))
}
