//! Who may ask the admin API.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::header::{AUTHORIZATION, EXPECT, HOST, ORIGIN};
use http::{HeaderMap, Method, uri::Authority};
use tokio::time::timeout;
use url::Host;

use super::token::Token;
use super::{ApiError, golivepeer};
use crate::config::Settings;

/// The rules of one listener.
#[derive(Debug)]
pub(super) struct Guard {
    token: Token,
    listens_on_loopback: bool,
    /// Paths that may be posted to without a token.
    open: &'static [&'static str],
    hosts: Vec<Host>,
}

/// How long a refused request is read for.
const PATIENCE: Duration = Duration::from_secs(10);

// === impl Guard ===

impl Guard {
    pub(super) fn new(token: Token, settings: &Settings) -> Self {
        Self {
            token,
            listens_on_loopback: settings.listeners.cli.ip().is_loopback(),
            open: match settings.access.livepeer_cli_writes {
                true => golivepeer::WRITES,
                false => &[],
            },
            hosts: settings.access.allowed_hosts.clone(),
        }
    }

    fn refusal(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        authority: Option<&Authority>,
    ) -> Option<ApiError> {
        let host = text(headers, HOST.as_str()).or(authority.map(Authority::as_str));
        if !host.is_some_and(|host| self.is_ours(host)) {
            let message =
                "this Host is not served here: use 127.0.0.1, or name it with --allowed-hosts";
            return Some(ApiError::forbidden(message));
        }
        let foreign = text(headers, ORIGIN.as_str()).is_some_and(|origin| {
            let host = origin.split_once("://").map_or("", |(_, host)| host);
            !self.is_ours(host)
        });
        let cross_site = matches!(
            text(headers, "sec-fetch-site"),
            Some("cross-site" | "same-site")
        );
        if foreign || cross_site {
            return Some(ApiError::forbidden(
                "requests from other sites' pages are refused",
            ));
        }
        let reads =
            matches!(*method, Method::GET | Method::HEAD) || golivepeer::READS.contains(&path);
        if self.listens_on_loopback && (reads || self.open.contains(&path)) {
            return None;
        }
        let given =
            text(headers, AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
        match given {
            Some(given) if self.token.is(given) => None,
            Some(_) => Some(ApiError::unauthorised(
                "the token is another: see the file admin-token in the data directory",
            )),
            None => Some(ApiError::unauthorised(
                "send `Authorization: Bearer TOKEN` with the token in the file admin-token of the data directory",
            )),
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        let Ok(host) = Host::parse(authority.host()) else {
            return false;
        };
        let loopback = match &host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        };
        loopback || self.hosts.contains(&host)
    }
}

/// Lets a request through, or says why not.
pub(super) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    match guard.refusal(
        request.method(),
        request.uri().path(),
        request.headers(),
        request.uri().authority(),
    ) {
        Some(error) => {
            discard(request).await;
            error.into_response()
        }
        None => next.run(request).await,
    }
}

/// Reads what comes with a refused request and keeps nothing of it: a connection that is closed while more comes in is reset, and takes
/// an answer that is not read yet along. Who waits to be asked for the rest is not.
async fn discard(request: Request) {
    if request.headers().contains_key(EXPECT) {
        return;
    }
    let mut body = request.into_body().into_data_stream();
    let rest = async { while body.next().await.is_some_and(|chunk| chunk.is_ok()) {} };
    // Who sends on for longer may miss the answer.
    let _ = timeout(PATIENCE, rest).await;
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
