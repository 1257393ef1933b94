//! The listener and its connections.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::node::Life;
use crate::route::Caller;

/// A TLS handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Between two tries to listen or accept, when the machine has no more sockets.
const RETRY: Duration = Duration::from_millis(50);
/// HTTP/2 windows and frames as large as go-livepeer's, so that a segment comes in few pieces.
const WINDOW: u32 = 1 << 20;
const HEADERS: u32 = 1 << 20;

/// Spawns what HTTP/2 runs beside its connection, so that it ends with the life and is waited for.
#[derive(Clone)]
struct Tracked {
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Accepts until the life ends. While a failure closes the port there is no listener, and no connection stays open.
pub(crate) async fn accept(life: Arc<Life>, tls: Option<TlsAcceptor>, listener: TcpListener) {
    let mut closed = life.node.port_closed.subscribe();
    let mut listener = Some(listener);
    let ended = life.drain.clone();
    let mut open = CancellationToken::new();
    loop {
        if *closed.borrow_and_update() {
            listener = None;
            open.cancel();
        } else if listener.is_none() {
            open = CancellationToken::new();
            listener = life.node.port.listen().ok();
        }
        let changed = closed.changed();
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await.ok(),
                None if *life.node.port_closed.borrow() => std::future::pending().await,
                None => None,
            }
        };
        tokio::select! {
            () = ended.cancelled() => return,
            _ = changed => {}
            accepted = accepted => match accepted {
                Some((stream, _)) => welcome(&life, tls.clone(), stream, open.child_token()),
                None => tokio::time::sleep(RETRY).await,
            },
        }
    }
}

fn welcome(life: &Arc<Life>, tls: Option<TlsAcceptor>, stream: TcpStream, cut: CancellationToken) {
    let node = &life.node;
    node.tally.connections.one();
    if node.plan.refuses_connection() {
        node.tally.failures.one();
        // Dropped so, the connection is reset and not closed. When the option cannot be set, closing has to do.
        let _ = stream.set_zero_linger();
        return;
    }
    // Nagle's delay is only a loss here; without the option the connection works all the same.
    let _ = stream.set_nodelay(true);
    let caller = Caller {
        life: life.clone(),
        cut: cut.clone(),
    };
    let stop = life.stop.clone();
    life.tasks.spawn(async move {
        tokio::select! {
            () = cut.cancelled() => {}
            () = stop.cancelled() => {}
            () = connection(caller, tls, stream) => {}
        }
    });
}

async fn connection(caller: Caller, tls: Option<TlsAcceptor>, stream: TcpStream) {
    match tls {
        None => speak(caller, stream).await,
        Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => speak(caller, stream).await,
            Ok(Err(cause)) => tracing::debug!(%cause, "no TLS handshake"),
            Err(_) => tracing::debug!("the TLS handshake took too long"),
        },
    }
}

async fn speak(caller: Caller, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
    let life = caller.life.clone();
    let mut builder = Builder::new(Tracked {
        tasks: life.tasks.clone(),
        stop: life.stop.clone(),
    });
    builder.http1().timer(TokioTimer::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_frame_size(WINDOW)
        .max_header_list_size(HEADERS);
    let service = service_fn(move |request| {
        let caller = caller.clone();
        async move { Ok::<_, Infallible>(caller.answer(request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = life.drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(%cause, "a connection broke off");
    }
}

// === impl Tracked ===

impl<F> hyper::rt::Executor<F> for Tracked
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }
}
