//! Dialling: TCP and, for `https`, TLS, within one time limit.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::{BoxError, Service};

use crate::HttpVersion;
use crate::guard::{Guard, Resolver};
use crate::tls;

/// A connection, with or without TLS.
pub(crate) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Dials `http` and `https` URIs.
#[derive(Clone)]
pub(crate) struct Dialler {
    connector: HttpsConnector<HttpConnector<Resolver>>,
    guard: Guard,
    timeout: Duration,
}

/// No connection within the limit.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no connection within {} ms", .0.as_millis())]
struct TimedOut(Duration);

// === impl Dialler ===

impl Dialler {
    /// For HTTP/1.1, or for HTTP/2 with HTTP/1.1 as fallback.
    pub(crate) fn http(version: HttpVersion, timeout: Duration, guard: &Guard) -> Self {
        let builder = HttpsConnectorBuilder::new()
            .with_tls_config(tls::client_config())
            .https_or_http();
        let tcp = tcp(timeout, guard);
        let connector = match version {
            HttpVersion::Http1 => builder.enable_http1().wrap_connector(tcp),
            HttpVersion::Http2 => builder.enable_all_versions().wrap_connector(tcp),
        };
        Self {
            connector,
            guard: guard.clone(),
            timeout,
        }
    }

    /// For gRPC: HTTP/2 and nothing else.
    pub(crate) fn grpc(timeout: Duration, guard: &Guard) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::client_config())
            .https_or_http()
            .enable_http2()
            .wrap_connector(tcp(timeout, guard));
        Self {
            connector,
            guard: guard.clone(),
            timeout,
        }
    }
}

impl Service<Uri> for Dialler {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let allowed = self.guard.check(uri.host().unwrap_or_default());
        let (dial, limit) = (self.connector.call(uri), self.timeout);
        Box::pin(async move {
            allowed?;
            match tokio::time::timeout(limit, dial).await {
                Ok(stream) => stream,
                Err(_) => Err(TimedOut(limit).into()),
            }
        })
    }
}

fn tcp(timeout: Duration, guard: &Guard) -> HttpConnector<Resolver> {
    let mut tcp = HttpConnector::new_with_resolver(guard.resolver());
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(timeout));
    tcp.set_keepalive(Some(Duration::from_secs(15)));
    tcp
}
