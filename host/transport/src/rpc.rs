//! gRPC to orchestrators: one HTTP/2 connection each, kept while it is used.
//!
//! A connection leaves the pool on any error but a refusal, when a call on it runs into its time limit (the peer may be
//! gone without a word), and after idleness; the next call dials. A call that fails on a connection that was there before
//! it is sent once more on a fresh one: the peer may have closed it a moment ago, and every method here may be repeated.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pointsman_wire::ServiceUri;
use pointsman_wire::net::OrchestratorInfo;
use prost::Message;
use tokio::time::Instant;
use tower::Service as _;

use crate::Settings;
use crate::dial::Dialler;
use crate::error::{RpcError, causes};
use crate::guard::Guard;
use crate::unary::unary;

/// An orchestrator's offer, and what it took to get it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The offer. Not checked.
    pub info: OrchestratorInfo,
    /// DNS, TCP, TLS and HTTP/2, when this call had to dial.
    pub connect: Option<Duration>,
    /// From the request's first byte to the answer's last.
    pub rpc: Duration,
}

/// The connections, by orchestrator.
pub(crate) struct Lines {
    dialler: Dialler,
    idle: Duration,
    table: Mutex<Table>,
}

struct Table {
    lines: HashMap<ServiceUri, Arc<Line>>,
    /// When lines without use were last let go.
    swept: Instant,
}

/// An answer of any method.
pub(crate) struct Reply<A> {
    pub(crate) message: A,
    pub(crate) connect: Option<Duration>,
    pub(crate) rpc: Duration,
}

/// The connection to one orchestrator.
#[derive(Default)]
struct Line {
    open: Mutex<Option<Open>>,
    /// Held by the one who dials; those who find no connection wait for it here.
    dialling: tokio::sync::Mutex<()>,
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    opened: Instant,
    used: Instant,
}

/// A connection to call on, and how long it took to open, if it is new.
struct Ready {
    sender: SendRequest<Full<Bytes>>,
    connect: Option<Duration>,
}

// === impl Lines ===

impl Lines {
    pub(crate) fn new(settings: Settings, guard: &Guard) -> Self {
        Self {
            dialler: Dialler::grpc(settings.connect_timeout, guard),
            idle: settings.idle,
            table: Mutex::new(Table {
                lines: HashMap::new(),
                swept: Instant::now(),
            }),
        }
    }

    pub(crate) async fn call<Q: Message, A: Message + Default>(
        &self,
        uri: &ServiceUri,
        path: &str,
        request: &Q,
        timeout: Duration,
    ) -> Result<Reply<A>, RpcError> {
        let method: Uri = format!("{}{path}", uri.origin())
            .parse()
            .map_err(|error| RpcError::Connect(format!("{uri}: {error}")))?;
        let line = self.line(uri);
        let mut on = None;
        let attempts = async {
            let ready = line.ready(self, &method, &mut on).await?;
            let reused = ready.connect.is_none();
            match ready.call(&method, request, timeout).await {
                Err(RpcError::Reset(_)) if reused => {
                    line.close(on);
                    let ready = line.ready(self, &method, &mut on).await?;
                    ready.call(&method, request, timeout).await
                }
                other => other,
            }
        };
        let reply = match tokio::time::timeout(timeout, attempts).await {
            Ok(reply) => reply,
            Err(_) => Err(RpcError::Timeout(timeout)),
        };
        match &reply {
            Ok(_) | Err(RpcError::Rejected(_)) => {}
            Err(_) => line.close(on),
        }
        reply
    }

    fn line(&self, uri: &ServiceUri) -> Arc<Line> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.swept.elapsed() >= self.idle {
            table.swept = Instant::now();
            table.lines.retain(|_, line| !line.is_forgotten(self.idle));
        }
        if let Some(line) = table.lines.get(uri) {
            return line.clone();
        }
        table.lines.entry(uri.clone()).or_default().clone()
    }

    async fn dial(&self, uri: &Uri) -> Result<Ready, RpcError> {
        let started = Instant::now();
        let stream = self.dialler.clone().call(uri.clone()).await;
        let stream = stream.map_err(|error| RpcError::Connect(causes(&*error)))?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(self.idle / 4)
            .keep_alive_timeout(Duration::from_secs(5))
            .max_header_list_size(64 << 10)
            .handshake(stream)
            .await
            .map_err(|error| RpcError::Connect(causes(&error)))?;
        // Ends when the last sender is gone or the peer closes; why it ended shows in the calls.
        tokio::spawn(async move { connection.await.ok() });
        Ok(Ready {
            sender,
            connect: Some(started.elapsed()),
        })
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines(..)")
    }
}

// === impl Line ===

impl Line {
    /// A connection; `on` becomes the time it was opened, by which [`close`](Self::close) knows it.
    async fn ready(
        &self,
        lines: &Lines,
        uri: &Uri,
        on: &mut Option<Instant>,
    ) -> Result<Ready, RpcError> {
        if let Some(ready) = self.reuse(lines.idle, on) {
            return Ok(ready);
        }
        let _dialling = self.dialling.lock().await;
        if let Some(ready) = self.reuse(lines.idle, on) {
            return Ok(ready);
        }
        let ready = lines.dial(uri).await?;
        let opened = Instant::now();
        *on = Some(opened);
        *self.open() = Some(Open {
            sender: ready.sender.clone(),
            opened,
            used: opened,
        });
        Ok(ready)
    }

    fn reuse(&self, idle: Duration, on: &mut Option<Instant>) -> Option<Ready> {
        let mut open = self.open();
        // An old connection is closed here, by letting go of it.
        let live = open.take().filter(|open| open.is_live(idle));
        let live = open.insert(live?);
        live.used = Instant::now();
        *on = Some(live.opened);
        Some(Ready {
            sender: live.sender.clone(),
            connect: None,
        })
    }

    /// Lets go of the connection, unless another call has opened a new one since.
    fn close(&self, on: Option<Instant>) {
        let mut open = self.open();
        if open.as_ref().map(|open| open.opened) == on {
            *open = None;
        }
    }

    /// Whether nobody uses it and nobody would use its connection.
    fn is_forgotten(self: &Arc<Self>, idle: Duration) -> bool {
        Arc::strong_count(self) == 1 && !self.open().as_ref().is_some_and(|open| open.is_live(idle))
    }

    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Open ===

impl Open {
    fn is_live(&self, idle: Duration) -> bool {
        !self.sender.is_closed() && self.used.elapsed() < idle
    }
}

// === impl Ready ===

impl Ready {
    async fn call<Q: Message, A: Message + Default>(
        self,
        method: &Uri,
        request: &Q,
        timeout: Duration,
    ) -> Result<Reply<A>, RpcError> {
        let started = Instant::now();
        let message = unary(self.sender, method.clone(), request, timeout.as_millis()).await?;
        Ok(Reply {
            message,
            connect: self.connect,
            rpc: started.elapsed(),
        })
    }
}
