//! Fetching over connections that stand for the internet: names that tests decide on, TLS, and one address that is allowed.

mod local;
mod oci;
#[path = "../../tests/support/registry.rs"]
mod registry;
mod web;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::serve::Listener;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::*;

/// Stands for the public internet.
const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Stands for the gateway's own network. Nothing listens there.
const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A name server: what each question is answered with; in the end always [`OUTSIDE`].
#[derive(Default)]
struct Names(Mutex<VecDeque<IpAddr>>);

/// A web server with a certificate for `a.test` and `b.test`.
struct Server {
    port: u16,
    certificate: tempfile::NamedTempFile,
}

struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

/// A bundle's two files, in a tar.
fn bundle() -> (Vec<u8>, Vec<(String, Vec<u8>)>) {
    let component = vec![7; 3000];
    let manifest = format!(
        "name = 'b'\nversion = '1'\n[[selection]]\ncomponent = 'a.wasm'\nsha256 = '{}'\n",
        Digest::of(&component)
    );
    let files = vec![
        ("a.wasm".to_owned(), component),
        ("bundle.toml".to_owned(), manifest.into_bytes()),
    ];
    let packed = pack(
        files
            .iter()
            .map(|(name, bytes)| (name.as_str(), &bytes[..])),
        Compression::Zstd,
    );
    (packed.expect("packed"), files)
}

/// A key, and what it makes of `bytes`.
fn signed(bytes: &[u8]) -> (PublicKey, String) {
    let keys = minisign::KeyPair::generate_unencrypted_keypair().expect("keys");
    let signature =
        minisign::sign(None, &keys.sk, bytes, Some("by the author"), None).expect("signed");
    let key = keys
        .pk
        .to_box()
        .expect("a box")
        .to_string()
        .parse()
        .expect("a key");
    (key, signature.to_string())
}

// === impl Names ===

impl Names {
    fn network(answers: &[IpAddr]) -> Network {
        let names = Self(Mutex::new(answers.iter().copied().collect()));
        Network {
            names: Arc::new(names),
            reach: Some(Reach::Only(OUTSIDE)),
        }
    }
}

impl Resolve for Names {
    fn resolve(&self, _: Name) -> Resolving {
        let answer = self
            .0
            .lock()
            .expect("unbroken")
            .pop_front()
            .unwrap_or(OUTSIDE);
        Box::pin(async move { Ok(Box::new([SocketAddr::new(answer, 0)].into_iter()) as Addrs) })
    }
}

// === impl Server ===

impl Server {
    async fn start(router: Router) -> Self {
        let made = rcgen::generate_simple_self_signed(["a.test".to_owned(), "b.test".to_owned()])
            .expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a key that fits");
        let tcp = TcpListener::bind((OUTSIDE, 0)).await.expect("a port");
        let port = tcp.local_addr().expect("bound").port();
        let tls = Tls {
            tcp,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        };
        tokio::spawn(async move { axum::serve(tls, router).await });
        let certificate = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(certificate.path(), made.cert.pem()).expect("written");
        Self { port, certificate }
    }

    fn rules(&self) -> Rules {
        Rules {
            ca_file: Some(self.certificate.path().to_owned()),
            ..Rules::default()
        }
    }

    fn url(&self, rest: &str) -> String {
        format!("https://a.test:{}{rest}", self.port)
    }

    fn reference(&self, rest: &str, digest: Digest) -> Reference {
        format!("{}#sha256={digest}", self.url(rest))
            .parse()
            .expect("a reference")
    }
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            if let Ok((stream, from)) = self.tcp.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
