//! Bundles come from where they lie: one file, a web server, signed or not.

use std::path::Path;
use std::sync::Arc;

use pointsman_fetch::{Compression, Limits, pack_folder};
use pointsman_policy::bundle::Digest;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::harness::{Gateway, Stage, bundle};

/// A public key of minisign's, and nothing that is signed with it.
const KEY: &str = include_str!("../../host/fetch/tests/minisign/key.pub");

/// `prefer-cheapest` in one file.
fn packed(folder: &TempDir) -> (String, Vec<u8>) {
    let bytes = pack_folder(&bundle::cheapest(), Compression::Zstd, &Limits::DEFAULT);
    let bytes = bytes.expect("a bundle");
    let file = folder.path().join("cheapest.tar.zst");
    std::fs::write(&file, &bytes).expect("written");
    (text(&file).to_owned(), bytes)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[tokio::test]
async fn one_file_is_activated_and_decides_at_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, _) = packed(&folder);
    let stage = Stage::passthrough(1, &[]).await;
    let (well, said) = stage.gateway.policy(&["activate", &file]).await;
    assert!(well && said.contains("prefer-cheapest"), "{said}");
    assert_eq!(stage.gateway.active().await.0, "prefer-cheapest");

    let gateway = Gateway::start(&["--policy", &file]).await;
    assert_eq!(gateway.active().await, ("prefer-cheapest".to_owned(), 1));
}

#[tokio::test]
async fn a_web_server_is_believed_for_what_is_pinned_and_no_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, bytes) = packed(&folder);
    let digest = Digest::of(&bytes);
    let (url, certificate) = serve(bytes).await;
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, certificate).expect("written");
    let pinned = format!("{url}#sha256={digest}");

    let near = ["--policy-ca-file", text(&ca), "--policy-allow-private"];
    let stage = Stage::passthrough(1, &near).await;
    let (well, said) = stage.gateway.policy(&["activate", &pinned]).await;
    assert!(well && said.contains(&url), "{said}");
    let other = format!("{url}#sha256={}", "0".repeat(64));
    let (well, said) = stage.gateway.policy(&["activate", &other]).await;
    assert!(!well && said.contains(&digest.to_string()), "{said}");
    let (well, said) = stage.gateway.policy(&["activate", &url]).await;
    assert!(!well && said.contains("not pinned"), "{said}");
    assert_eq!(stage.gateway.active().await.1, 2, "nothing changed since");

    let flags = [&near[..], &["--policy", &pinned]].concat();
    let gateway = Gateway::start(&flags).await;
    assert_eq!(gateway.active().await, ("prefer-cheapest".to_owned(), 1));

    let far = Stage::passthrough(1, &["--policy-ca-file", text(&ca)]).await;
    let (well, said) = far.gateway.policy(&["activate", &pinned]).await;
    assert!(!well && said.contains("private"), "{said}");
}

#[tokio::test]
async fn with_a_key_nothing_unsigned_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, bytes) = packed(&folder);
    let key = folder.path().join("minisign.pub");
    std::fs::write(&key, KEY).expect("written");
    let stage = Stage::passthrough(1, &["--policy-key", text(&key)]).await;
    let gateway = &stage.gateway;
    for reference in [file.as_str(), text(&bundle::cheapest())] {
        let (well, said) = gateway.policy(&["activate", reference]).await;
        assert!(!well && said.contains("no signature"), "{said}");
    }
    let (status, said) = gateway.upload(bytes).await;
    assert_eq!(status, 422, "{said}");
    let other = include_str!("../../host/fetch/tests/minisign/signed.toml.minisig");
    std::fs::write(format!("{file}.minisig"), other).expect("written");
    let (well, said) = gateway.policy(&["activate", &file]).await;
    assert!(!well && said.contains("another content"), "{said}");
    assert_eq!(gateway.active().await.1, 1);
}

/// A web server on this machine that answers everything with `bytes`: its URL, and its certificate.
async fn serve(bytes: Vec<u8>) -> (String, String) {
    pointsman::tls::install();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, bytes) = (acceptor.clone(), bytes.clone());
            tokio::spawn(async move {
                let mut socket = acceptor.accept(socket).await.ok()?;
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await.ok()?);
                }
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    bytes.len()
                );
                socket.write_all(answer.as_bytes()).await.ok()?;
                socket.write_all(&bytes).await.ok()?;
                socket.shutdown().await.ok()
            });
        }
    });
    (
        format!("https://localhost:{port}/cheapest.tar.zst"),
        made.cert.pem(),
    )
}
