//! A client on one connection, which costs as little as it can: it shares the cores with what it measures.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// An HTTP/1.1 connection that is kept.
#[derive(Debug)]
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

/// Pushes segments of one stream.
#[derive(Debug)]
pub(crate) struct Pusher {
    client: Client,
    stream: String,
    next: u64,
    media: Bytes,
}

// === impl Client ===

impl Client {
    pub(crate) async fn connect(to: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(to).await?;
        socket.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(socket)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: to.to_string(),
        })
    }

    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<http::Response<Incoming>> {
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }

    /// What a path answers, or nothing where that is no 200.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Option<Bytes>> {
        let response = self
            .send(self.request(Method::GET, path).body(Full::default())?)
            .await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status == StatusCode::OK).then_some(body))
    }

    pub(crate) async fn json(&mut self, path: &str) -> Result<Value> {
        let body = self
            .get(path)
            .await?
            .with_context(|| format!("{path} is refused"))?;
        Ok(serde_json::from_slice(&body)?)
    }

    pub(crate) async fn post(&mut self, path: &str, token: &str, body: Bytes) -> Result<Value> {
        let request = self
            .request(Method::POST, path)
            .header(AUTHORIZATION, format!("Bearer {token}"));
        let response = self.send(request.body(Full::new(body))?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(
            status == StatusCode::OK,
            "{path} answers {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(serde_json::from_slice(&body)?)
    }
}

// === impl Pusher ===

impl Pusher {
    pub(crate) async fn connect(to: SocketAddr, stream: &str, media: Bytes) -> Result<Self> {
        Ok(Self {
            client: Client::connect(to).await?,
            stream: stream.to_owned(),
            next: 0,
            media,
        })
    }

    /// Pushes the next segment and reads the whole answer, in which both renditions must be.
    pub(crate) async fn push(&mut self) -> Result<Duration> {
        let path = format!("/live/{}/{}.ts", self.stream, self.next);
        let request = self.client.request(Method::PUT, &path);
        let request = request
            .header(ACCEPT, "multipart/mixed")
            .header("Content-Duration", "2000")
            .header("Content-Resolution", "1280x720")
            .body(Full::new(self.media.clone()))?;
        self.next += 1;
        let started = Instant::now();
        let response = self.client.send(request).await?;
        let status = response.status();
        let (mut body, mut bytes) = (response.into_body(), 0);
        while let Some(frame) = body.frame().await {
            bytes += frame?.data_ref().map_or(0, Bytes::len);
        }
        let took = started.elapsed();
        ensure!(status == StatusCode::OK, "{path} answers {status}");
        ensure!(
            bytes > 2 * self.media.len(),
            "{path} answers {bytes} bytes: not both renditions"
        );
        Ok(took)
    }

    pub(crate) fn job(&self) -> String {
        format!("{}/{}", self.stream, self.next.saturating_sub(1))
    }
}
