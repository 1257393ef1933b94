//! Orchestrators in process: real sockets, real TLS, and certificates like theirs.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use pointsman_transport::{Connections, HttpVersion, Settings};
use pointsman_wire::ServiceUri;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, IsCa, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Longer than any test waits for what it expects.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A server; dropping it resets its connections.
pub(crate) struct Server {
    pub(crate) uri: ServiceUri,
    port: Port,
    task: tokio::task::JoinHandle<()>,
}

/// A port of which nobody else can take possession while no server listens on it: a socket is bound to it, and never listens.
pub(crate) struct Port {
    address: SocketAddr,
    _bound: TcpSocket,
}

/// Presents one key's certificate and signs with another key.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl Server {
    /// Serves a router over TLS, HTTP/2 and HTTP/1.1.
    pub(crate) async fn tls(router: Router) -> Self {
        Self::tls_at(Port::any(), router).await
    }

    pub(crate) async fn tls_at(port: Port, router: Router) -> Self {
        let acceptor = acceptor(&["h2", "http/1.1"]);
        Self::start(port, "https", move |tcp| {
            let (acceptor, router) = (acceptor.clone(), router.clone());
            async move {
                if let Ok(stream) = acceptor.accept(tcp).await {
                    http(stream, router).await;
                }
            }
        })
        .await
    }

    /// Serves a router without TLS.
    pub(crate) async fn plain(router: Router) -> Self {
        Self::start(Port::any(), "http", move |tcp| http(tcp, router.clone())).await
    }

    /// Hands each TLS connection, HTTP/1.1 by ALPN, to `serve`.
    pub(crate) async fn raw_tls<F: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(TlsStream<TcpStream>) -> F + Clone + Send + Sync + 'static,
    ) -> Self {
        let acceptor = acceptor(&["http/1.1"]);
        Self::start(Port::any(), "https", move |tcp| {
            let (acceptor, serve) = (acceptor.clone(), serve.clone());
            async move {
                if let Ok(stream) = acceptor.accept(tcp).await {
                    serve(stream).await;
                }
            }
        })
        .await
    }

    /// Hands each TCP connection to `serve`, announced under `scheme`.
    pub(crate) async fn raw<F: Future<Output = ()> + Send + 'static>(
        scheme: &str,
        serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self {
        Self::start(Port::any(), scheme, serve).await
    }

    /// TLS by someone who does not hold the certificate's key.
    pub(crate) async fn impostor() -> Self {
        let (certificate, _) = certificate();
        let (_, key) = certificate_and_key();
        let key = ring::sign::any_supported_type(&key).expect("a key");
        let resolver = Impostor(Arc::new(CertifiedKey::new(vec![certificate], key)));
        let mut config = server_config().with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::start(Port::any(), "https", move |tcp| {
            let acceptor = acceptor.clone();
            async move {
                if let Ok(stream) = acceptor.accept(tcp).await {
                    http(stream, Router::new()).await;
                }
            }
        })
        .await
    }

    async fn start<F: Future<Output = ()> + Send + 'static>(
        port: Port,
        scheme: &str,
        serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self {
        let listener = port.listen();
        let uri = format!("{scheme}://{}", port.address);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (tcp, _) = listener.accept().await.expect("a connection");
                tcp.set_nodelay(true).expect("an option");
                connections.spawn(serve(tcp));
            }
        });
        Self {
            uri: uri.parse().expect("a URI"),
            port,
            task,
        }
    }

    /// Resets all connections; nobody listens on the port until somebody is given it.
    pub(crate) async fn stop(mut self) -> Port {
        self.task.abort();
        assert!((&mut self.task).await.is_err(), "ended by the abort");
        std::mem::replace(&mut self.port, Port::any())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Port {
    fn any() -> Self {
        let bound = bound(([127, 0, 0, 1], 0).into());
        Self {
            address: bound.local_addr().expect("an address"),
            _bound: bound,
        }
    }

    fn listen(&self) -> TcpListener {
        bound(self.address).listen(1024).expect("ours")
    }
}

fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option");
    socket.bind(address).expect("a free port");
    socket
}

impl ResolvesServerCert for Impostor {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Connections that give up dialling after 200 ms.
pub(crate) fn impatient() -> Connections {
    Connections::new(Settings {
        connect_timeout: Duration::from_millis(200),
        ..Settings::default()
    })
}

pub(crate) fn with_version(version: HttpVersion) -> Connections {
    Connections::new(Settings {
        version,
        ..Settings::default()
    })
}

async fn http(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let service = TowerToHyperService::new(router);
    let server = auto::Builder::new(TokioExecutor::new());
    // What ends a connection is the test's doing.
    let connection = server.serve_connection(TokioIo::new(stream), service);
    connection.await.ok();
}

fn acceptor(alpn: &[&str]) -> TlsAcceptor {
    let (certificate, key) = certificate_and_key();
    let mut config = server_config()
        .with_single_cert(vec![certificate], key)
        .expect("a configuration");
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

fn server_config() -> rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
}

fn certificate() -> (CertificateDer<'static>, KeyPair) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // An IP address as a name, as go-livepeer writes it.
    let name = "127.0.0.1".try_into().expect("ASCII");
    params.subject_alt_names = vec![SanType::DnsName(name)];
    let certificate = params.self_signed(&key).expect("a certificate");
    (certificate.der().clone(), key)
}

fn certificate_and_key() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let (certificate, key) = certificate();
    (
        certificate,
        PrivateKeyDer::Pkcs8(key.serialize_der().into()),
    )
}
