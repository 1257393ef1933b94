//! Connections to orchestrators: gRPC, segment uploads and rendition downloads.
//!
//! # Contract
//!
//! [`Connections`] is cheap to clone and meant to exist once in a process. A call dials only when no usable connection
//! is there; dropping the future of a call cancels it and harms no other. Nothing here retries what may have been
//! executed, judges an answer, or follows a redirect. Whatever arrives is bounded: dialling in time, gRPC messages and
//! bodies in size. The time of a whole exchange is the caller's to bound, since only it knows the deadline.
//!
//! # Why one pool for the process
//!
//! go-livepeer dials anew for every gRPC call: TCP, TLS, one request, close. That is three round trips where one would do,
//! an ECDSA handshake on both sides, and with a hundred orchestrators asked at the start of every stream it is the burst
//! that makes start-up slow. With a pool a stream's start costs no handshake, and what one stream learnt about a dead
//! connection serves all.
//!
//! # Why HTTP/1.1 for segments
//!
//! Measured by `cargo bench -p pointsman-transport` (upload of 52 kB, then 141 and 191 kB down at once, TLS on loopback,
//! both sides on two cores): 0.30 ms by HTTP/1.1 against 0.35 ms by HTTP/2 for one client, 3400 against 2700 segments a
//! second for eight. HTTP/2 also puts all streams with an orchestrator behind one TCP connection, where one lost packet
//! holds up all of them, and one task, which is one core. What HTTP/2 does better, an answer to a request whose body is
//! not read, HTTP/1.1 does too with real orchestrators: Go's server lingers before it closes. The price is a connection
//! for each exchange at a time; they are kept, and TLS sessions resumed. [`Settings::version`] turns it round.
//!
//! # Why any certificate is accepted
//!
//! Orchestrators make a self-signed CA certificate at every start. It proves nothing about who they are; the protocol does
//! that with Ethereum signatures. TLS still hides traffic from those who only listen, and the handshake's signature is
//! checked, so a connection is with the holder of the certificate's key. See [`tls`].

#![forbid(unsafe_code)]

mod address;
mod dial;
mod error;
mod exchange;
mod guard;
mod rpc;
pub mod tls;
mod unary;

pub use address::is_public;
pub use error::{HttpError, ReadError, RpcError};
pub use exchange::{Http, read_body};
pub use rpc::Answer;

use std::sync::Arc;
use std::time::Duration;

use guard::Guard;
use pointsman_wire::net::{AuthToken, EndTranscodingSessionRequest, OrchestratorRequest};
use pointsman_wire::{ServiceUri, net};

/// How connections are kept.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Time for TCP and TLS together. go-livepeer's 2 s.
    pub connect_timeout: Duration,
    /// A connection unused for longer is closed. go-livepeer's 60 s.
    pub idle: Duration,
    /// HTTP version for `/segment` and downloads over TLS.
    pub version: HttpVersion,
}

/// HTTP version for everything but gRPC, which is always HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// One exchange at a time on a connection, as many connections as there are exchanges.
    Http1,
    /// All exchanges with an orchestrator on one connection; HTTP/1.1 where it has no HTTP/2.
    Http2,
}

/// All connections of the process.
#[derive(Clone, Debug)]
pub struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rpc: rpc::Lines,
    http: Http,
    guard: Guard,
}

// === impl Connections ===

impl Connections {
    /// An empty pool.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let guard = Guard::default();
        Self(Arc::new(Inner {
            rpc: rpc::Lines::new(settings, &guard),
            http: Http::new(settings, &guard),
            guard,
        }))
    }

    /// From now on connections to private addresses are only made for hosts that `exempt` says yes to; it is asked for names, and for
    /// addresses as they stand in a URI, without brackets. For gateways that take orchestrators from strangers. Once in a process.
    pub fn only_public(&self, exempt: impl Fn(&str) -> bool + Send + Sync + 'static) {
        self.0.guard.close(exempt);
    }

    /// Asks an orchestrator for its offer. `timeout` covers dialling and the answer.
    ///
    /// # Errors
    ///
    /// [`RpcError`] says whether nobody was there, the connection broke, the answer was no answer, or the orchestrator
    /// refused.
    pub async fn get_orchestrator(
        &self,
        uri: &ServiceUri,
        request: &OrchestratorRequest,
        timeout: Duration,
    ) -> Result<Answer, RpcError> {
        let path = "/net.Orchestrator/GetOrchestrator";
        let reply = self.0.rpc.call(uri, path, request, timeout).await?;
        Ok(Answer {
            info: reply.message,
            connect: reply.connect,
            rpc: reply.rpc,
        })
    }

    /// Frees a session.
    ///
    /// # Errors
    ///
    /// As [`get_orchestrator`](Self::get_orchestrator). A session that could not be freed ends by itself after 70 s.
    pub async fn end_session(
        &self,
        uri: &ServiceUri,
        token: AuthToken,
        timeout: Duration,
    ) -> Result<(), RpcError> {
        let request = EndTranscodingSessionRequest {
            auth_token: Some(token),
        };
        let path = "/net.Orchestrator/EndTranscodingSession";
        let reply = self.0.rpc.call(uri, path, &request, timeout).await?;
        let net::EndTranscodingSessionResponse {} = reply.message;
        Ok(())
    }

    /// Plain HTTP: uploads and downloads.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.0.http
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            idle: Duration::from_secs(60),
            version: HttpVersion::Http1,
        }
    }
}
