//! Connections to orchestrators.
//!
//! # Contract
//!
//! [`Connections`] is the process's one pool: cheap to clone, shared by probing, sessions and segments. Calls are cancel-safe: dropping one
//! leaves the pool as it was. A connection that broke is replaced by the next call, so an orchestrator that restarted is reached
//! again without anybody noticing. Errors say what failed and not whose fault it is.
//!
//! # Why one pool
//!
//! go-livepeer dials TCP and TLS anew for every GetOrchestrator, of every orchestrator, at every refresh of every stream. A
//! handshake costs two round trips and, at the orchestrator, a signature: at a hundred orchestrators and fifty streams that is most of what either
//! side does. Here a stream's start finds the probe's connection warm.
//!
//! # Why HTTP/1.1 for media and HTTP/2 for calls
//!
//! Segments and renditions are few, large and independent: on one HTTP/2 connection they wait for each other's lost packets and share one flow-control window, on
//! HTTP/1.1 each has its own. gRPC needs HTTP/2, and its messages are small. Orchestrators serve both on one port.
//!
//! # Trust
//!
//! Orchestrators' certificates are self-signed and new at every start: they identify nobody, and none is rejected. Encryption is against onlookers; who
//! an orchestrator is, the protocol's signatures say.
#![forbid(unsafe_code)]

mod body;
mod http_client;
mod rpc;
mod tls;

pub use body::{ReadError, read_body};
pub use http_client::{HttpClient, HttpError};
pub use rpc::{Answer, RpcError};

use std::fmt;
use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// The process's connections to orchestrators.
#[derive(Clone)]
pub struct Connections {
    http: HttpClient,
    rpc: rpc::Client,
}

/// Until a TCP connection stands.
const CONNECT: Duration = Duration::from_secs(2);
/// An unused connection is closed after this.
const IDLE: Duration = Duration::from_secs(60);

// === impl Connections ===

impl Connections {
    /// An empty pool.
    #[must_use]
    pub fn new() -> Self {
        let media = HttpsConnectorBuilder::new()
            .with_tls_config(tls::config())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp());
        let calls = HttpsConnectorBuilder::new()
            .with_tls_config(tls::config())
            .https_or_http()
            .enable_http2()
            .wrap_connector(tcp());
        Self {
            http: HttpClient::new(builder().build(media)),
            rpc: builder()
                .http2_only(true)
                .http2_keep_alive_interval(Duration::from_secs(20))
                .http2_keep_alive_timeout(Duration::from_secs(5))
                .http2_keep_alive_while_idle(true)
                .build(calls),
        }
    }

    /// The client for segments and renditions.
    #[must_use]
    pub fn http(&self) -> &HttpClient {
        &self.http
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

type Connector = HttpsConnector<HttpConnector>;

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp
}

fn builder() -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_idle_timeout(IDLE)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new());
    builder
}
